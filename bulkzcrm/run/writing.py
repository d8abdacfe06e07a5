"""Plain rows of a block as JSON, many at once: each different value is resolved and written once.

What is written of a row is what `Composer` makes of it, to whom all is left that is not plain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeAlias, cast, final

from bulkzcrm.blocks import Block, Strip
from bulkzcrm.exact_json import encode_exactly
from bulkzcrm.journal import Progress, UntouchedRows, WaitingBlock, WaitingRow
from bulkzcrm.model import Json, Record
from bulkzcrm.send import Sendable

__all__ = ["AsSent", "BlockWriter"]

AsSent: TypeAlias = Callable[[Record], Record | None]
"""Returns what a part of a new record is sent as; `None` if it cannot be sent, or not the same at any moment."""

_REMEMBERED: Final = 5_000
"""So many values are remembered at most."""
_LONGEST: Final = 200
"""Bytes of a value that is remembered."""


@final
class BlockWriter:
    """Writes the rows of one run whose new records are sent as they are given.

    In all fields but those `looked_at` values are sent as they are; of the latter `as_sent` says what they are sent as.
    """

    def __init__(self, as_sent: AsSent, looked_at: frozenset[str]) -> None:
        self._as_sent = as_sent
        self._looked_at = looked_at
        self._written: dict[tuple[str, bytes], bytes | None] = {}

    def write(self, waiting: WaitingBlock) -> tuple[list[Sendable], list[int]]:
        """Return what can be sent, and the places in the run of the rows that are left."""
        block, rows = waiting.block, waiting.rows
        records = self._records(block)
        for place in block.apart:
            records[place] = None
        if isinstance(rows, UntouchedRows):
            said_by = ((ordinal, ordinal + rows.ahead, records[ordinal - block.first]) for ordinal in rows.ordinals)
        else:
            said_by = ((each.ordinal, each.number, _said(each, records[each.ordinal - block.first])) for each in rows)
        sendable: list[Sendable] = []
        left: list[int] = []
        for ordinal, number, said in said_by:
            if said is None:
                left.append(ordinal)
            else:
                sendable.append(Sendable(ordinal, number, said))
        return sendable, left

    def _records(self, block: Block) -> list[bytes | None]:
        """Return each row's record as JSON, nothing for one that cannot be written so."""
        strips = [strip for strip in block.strips if strip.field]
        parts = [self._parts(strip) for strip in strips]
        of_all = [self._part(name, value) for name, value in block.constants.items()]
        if None in of_all:
            return [None] * block.rows
        before = b"{" + b"".join(cast("list[bytes]", of_all))
        columns = [strip.spread(part, block.rows) for strip, part in zip(strips, parts, strict=True)]
        rows = zip(*columns, strict=True) if columns else [()] * block.rows
        if any(None in part for part in parts):
            return [None if None in row else _closed(before + b"".join(cast("tuple[bytes]", row))) for row in rows]
        return list(map(_closed, (before + each for each in map(b"".join, cast("Iterable[tuple[bytes]]", rows)))))

    def _parts(self, strip: Strip) -> Sequence[bytes | None]:
        """Return what a record says in the field, with a comma at its end, for each of a strip's cells."""
        begin = _begin(strip.field)
        if strip.field in self._looked_at:
            return [b"" if value is None else self._part(strip.field, value) for value in strip.all_values()]
        if strip.said_plainly == "amount":
            return [b"" if text is None else begin + str(text).encode() + b"," for text in strip.cells]
        return [b"" if value is None else begin + encode_exactly(value) + b"," for value in strip.all_values()]

    def _part(self, name: str, value: Json) -> bytes | None:
        known = name, encode_exactly(value)
        if known in self._written:
            return self._written[known]
        said = self._as_sent({name: value})
        written = None
        if said is not None:
            written = b"".join(_begin(each) + encode_exactly(sent) + b"," for each, sent in said.items())
        if len(known[1]) <= _LONGEST:
            if len(self._written) >= _REMEMBERED:
                self._written.clear()
            self._written[known] = written
        return written


def _said(row: WaitingRow, record: bytes | None) -> bytes | None:
    """Return the record of a row that goes for the first time."""
    return record if row.status is Progress.PENDING and not row.attempts else None


def _begin(name: str) -> bytes:
    return encode_exactly(name) + b":"


def _closed(record: bytes) -> bytes:
    """End a record whose last part has a comma."""
    return (record if record == b"{" else record[:-1]) + b"}"
