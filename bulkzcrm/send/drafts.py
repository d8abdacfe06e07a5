"""Requests, written ahead of their turn as far as that goes: what says "now" is written out when its time has come."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import cast, final, overload

from msgspec import Raw, Struct

from bulkzcrm.exact_json import decode_exactly, encode_exactly
from bulkzcrm.model import Record
from bulkzcrm.send.sendable import Sendable
from bulkzcrm.spec.moments import Moments
from bulkzcrm.spec.operation import Operation

__all__ = ["Draft", "Drafting", "Request"]


@final
class Records(Sequence[Record]):
    """The records of a request, each read from what is `said` of it when somebody asks for it, which is seldom."""

    def __init__(self, said: Sequence[bytes]) -> None:
        self._said = said

    def __len__(self) -> int:
        return len(self._said)

    @overload
    def __getitem__(self, place: int) -> Record: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Record]: ...
    def __getitem__(self, place: int | slice) -> Record | Sequence[Record]:
        if isinstance(place, slice):
            return Records(self._said[place])
        return cast("Record", decode_exactly(self._said[place]))


class Request(Struct, frozen=True):
    """One request as it goes over the wire, the records that it carries, and the hex digest that it is known by."""

    records: Sequence[Record]
    method: str
    path: str
    body: bytes | None
    digest: str


class Draft(Struct, frozen=True):
    """Rows that go together; `written` is their request, unless it depends on the moment when it is sent."""

    rows: Sequence[Sendable]
    written: Request | None = None


@final
class Drafting:
    """Writes the requests of one operation. In `zone`, or UTC, is told when "now" was."""

    def __init__(self, operation: Operation, *, zone: tzinfo | None, triggers: bool) -> None:
        self._operation = operation
        self._moments = Moments(operation.fields)
        self._zone = zone
        self._triggers = triggers

    def draft(self, rows: Sequence[Sendable]) -> Draft:
        """Write the request for some rows ahead, if it will be the same whenever it is sent."""
        if any(each.says_now for each in rows):
            return Draft(rows)
        return Draft(rows, self._write([each.said for each in rows]))

    def written(self, draft: Draft, moment: datetime) -> Request:
        """Return the request as it is sent at that moment."""
        if draft.written is not None:
            return draft.written
        return self._write(
            [
                encode_exactly(self._moments.at(each.record, moment, self._zone)) if each.says_now else each.said
                for each in draft.rows
            ]
        )

    def _write(self, said: Sequence[bytes]) -> Request:
        records = Records(said)
        # A request for one record may depend on what it says; in others, records stand as they are written.
        raw = records if self._operation.one_at_a_time else list(map(Raw, said))
        request = self._operation.request(raw, triggers=self._triggers)
        body = encode_exactly(request.body) if request.body is not None else None
        digest = hashlib.sha256(body or request.path.encode()).hexdigest()
        return Request(records, request.method, request.path, body, digest)
