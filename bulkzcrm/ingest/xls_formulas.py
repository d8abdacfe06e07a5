"""Which formulas of an old Excel workbook were never computed, as a program leaves them that only writes such files.

Every formula there has a place for its value, and one that was not computed says "blank text", as does `=""`. So it is
told by the whole: a program that computes has left its mark on the workbook, or at least one formula with a value.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

__all__ = ["uncomputed_formulas"]

# [MS-XLS] 2.3: the numbers of the records.
_FORMULA = 0x0006
_RECALC_ID = 0x01C1
"""Which version of Excel has computed the workbook."""
_BEGIN = 0x0809
_END = 0x000A

_BLANK_TEXT = b"\x03\x00\x00\x00\x00\x00\xff\xff"
"""[MS-XLS] 2.5.133 (FormulaValue)."""


def uncomputed_formulas(content: bytes, first: int, sheet: int) -> frozenset[tuple[int, int]]:
    """Return row and column, from 0, of the formulas that have no value, if none of the sheet's was ever computed.

    `content` is the workbook's stream; its first record is at `first`, that of the sheet at `sheet`.
    """
    found: set[tuple[int, int]] = set()
    for kind, start in _records(content, sheet):
        if kind == _FORMULA:
            if content[start + 6 : start + 14] != _BLANK_TEXT:
                return frozenset()
            found.add(struct.unpack_from("<HH", content, start))
    if not found or any(kind == _RECALC_ID for kind, _ in _records(content, first)):
        return frozenset()
    return frozenset(found)


def _records(content: bytes, position: int) -> Iterator[tuple[int, int]]:
    """Yield the number of each record of a substream, and where its content starts. Charts inside count as well."""
    depth = 0
    while position + 4 <= len(content):
        kind, length = struct.unpack_from("<HH", content, position)
        yield kind, position + 4
        depth += (kind == _BEGIN) - (kind == _END)
        if not depth:
            return
        position += 4 + length
