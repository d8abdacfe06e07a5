r"""The report as JSON Lines, for programs: one object a row, each complete in itself.

    {"row": 37, "cells": {"Service_Name": "Wash", ...}, "result": {"result_row": 37, "result_status": "rejected", ...}}

All cells are texts, as in the CSV but never defused; a blank cell is "". Of the ten results, row, batch and attempts
are numbers, and a row that was in no batch has the batch null. A column without a name, or whose name an earlier
column has, goes by its letter as well: `[C]`, `Price [D]`. The encoding is UTF-8 without a byte order mark, the line
ends are LF.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import BinaryIO

import msgspec

from bulkzcrm.cells import cell_text
from bulkzcrm.model import Column
from bulkzcrm.report.rows import RESULT_COLUMNS, ReportRow, cells_in

__all__ = ["cell_keys", "write_jsonl"]

_AT_ONCE = 100
"""Rows that are written together."""


def write_jsonl(stream: BinaryIO, columns: Sequence[Column], rows: Iterable[ReportRow]) -> None:
    """Write one line per row and nothing else; a report without rows is an empty file."""
    lines = _lines(columns, rows)
    while written := b"".join(islice(lines, _AT_ONCE)):
        stream.write(written)


def _lines(columns: Sequence[Column], rows: Iterable[ReportRow]) -> Iterator[bytes]:
    keys = cell_keys(columns)
    cells_of = cells_in(columns)
    encode = msgspec.json.Encoder().encode
    for cells, result, _ in rows:
        texts = [value if type(value) is str else cell_text(value) for value in cells_of(cells)]
        line = {
            "row": result[0],
            "cells": dict(zip(keys, texts, strict=True)),
            "result": dict(zip(RESULT_COLUMNS, result, strict=True)),
        }
        try:
            yield encode(line) + b"\n"
        except UnicodeEncodeError:
            # Half a surrogate pair becomes its escape, which is what JSON writes for it.
            text = json.dumps(line, ensure_ascii=False, separators=(",", ":"))
            yield text.encode("utf-8", "backslashreplace") + b"\n"


def cell_keys(columns: Sequence[Column]) -> list[str]:
    """Return a key for each column, all of them different: the header where that suffices."""
    keys: list[str] = []
    taken = {column.name for column in columns}
    seen = {""}
    for column in columns:
        key = column.name
        if key in seen:
            key = f"{key} [{column.letter}]".lstrip()
            while key in taken:
                key += f" [{column.letter}]"
            taken.add(key)
        seen.add(key)
        keys.append(key)
    return keys
