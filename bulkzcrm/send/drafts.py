"""Requests, written ahead of their turn as far as that goes: what says "now" is written out when its time has come."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import final

import msgspec

from bulkzcrm.model import Record
from bulkzcrm.send.sendable import Sendable
from bulkzcrm.spec.moments import Moments
from bulkzcrm.spec.operation import Operation

__all__ = ["Draft", "Drafting", "Written"]

_ENCODER = msgspec.json.Encoder(decimal_format="number")


class Written(msgspec.Struct, frozen=True):
    """One request as it goes over the wire, the records that it carries, and the hex digest that it is known by."""

    records: Sequence[Record]
    method: str
    path: str
    body: bytes | None
    digest: str


class Draft(msgspec.Struct, frozen=True):
    """Rows that go together; `written` is their request, unless it depends on the moment when it is sent."""

    rows: Sequence[Sendable]
    written: Written | None = None


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
        records = [each.record for each in rows]
        return Draft(rows) if any(map(self._moments.says_now, records)) else Draft(rows, self._write(records))

    def written(self, draft: Draft, moment: datetime) -> Written:
        """Return the request as it is sent at that moment."""
        if draft.written is not None:
            return draft.written
        return self._write([self._moments.at(each.record, moment, self._zone) for each in draft.rows])

    def _write(self, records: Sequence[Record]) -> Written:
        request = self._operation.request(records, triggers=self._triggers)
        body = _ENCODER.encode(request.body) if request.body is not None else None
        digest = hashlib.sha256(body or request.path.encode()).hexdigest()
        return Written(records, request.method, request.path, body, digest)
