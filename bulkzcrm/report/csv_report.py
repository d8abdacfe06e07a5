"""The report as CSV: opens in any spreadsheet program, runs nothing there, and reads back exactly as it was.

UTF-8 with a byte order mark, commas, lines that end in CR LF. A text that a spreadsheet program would run as a
formula is defused, headers included; `bulkzcrm.defuse.undefuse` gives it back.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import BinaryIO

from bulkzcrm.cells import cell_text
from bulkzcrm.defuse import defuse
from bulkzcrm.model import CellValue, Column
from bulkzcrm.report.rows import RESULT_COLUMNS, ReportRow, Result, cells_in

__all__ = ["write_csv"]

_AT_ONCE = 100
"""Rows that are encoded and written together."""


def write_csv(stream: BinaryIO, columns: Sequence[Column], rows: Iterable[ReportRow]) -> None:
    r"""Write a header and one record per row: the source's columns, then `RESULT_COLUMNS`.

    Half a surrogate pair, which UTF-8 cannot hold, is written as its escape (`\ud800`).
    """
    stream.write(codecs.BOM_UTF8)
    text = io.StringIO(newline="")
    lines = csv.writer(text, lineterminator="\r\n")
    lines.writerow([*(_safe(column.name) for column in columns), *RESULT_COLUMNS])
    records = _records(columns, rows)
    while True:
        lines.writerows(islice(records, _AT_ONCE))
        if not text.tell():
            return
        stream.write(text.getvalue().encode("utf-8", "backslashreplace"))
        text.seek(0)
        text.truncate()


def _records(columns: Sequence[Column], rows: Iterable[ReportRow]) -> Iterator[list[str | int | None]]:
    cells_of = cells_in(columns)
    for cells, result, _ in rows:
        # No formula begins with a letter or a digit; seeing that here spares most cells a closer look.
        record: list[str | int | None] = [
            value if value is None or (type(value) is str and value[:1].isalnum()) else _safe(value)
            for value in cells_of(cells)
        ]
        record += result if _is_plain(result) else map(_safe_or_number, result)
        yield record


def _is_plain(result: Result) -> bool:
    _, _, code, field, cell, message, fix, record_id, _, _ = result
    said = field or cell or message or fix
    return not said and (not code or code.isidentifier()) and (not record_id or record_id.isalnum())


def _safe_or_number(value: str | int | None) -> str | int | None:
    return _safe(value) if isinstance(value, str) else value


def _safe(value: CellValue) -> str:
    return defuse(cell_text(value))
