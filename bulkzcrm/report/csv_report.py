"""The report as CSV: opens in any spreadsheet program, runs nothing there, and reads back exactly as it was.

UTF-8 with a byte order mark, commas, lines that end in CR LF. A text that a spreadsheet program would run as a
formula is defused, headers included; `bulkzcrm.defuse.undefuse` gives it back.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

from bulkzcrm.cells import cell_text
from bulkzcrm.defuse import defuse
from bulkzcrm.model import CellValue, Column
from bulkzcrm.report.rows import RESULT_COLUMNS, ReportRow, source_cells, typed_result

__all__ = ["write_csv"]


def write_csv(stream: BinaryIO, columns: Sequence[Column], rows: Iterable[ReportRow]) -> None:
    r"""Write a header and one record per row: the source's columns, then `RESULT_COLUMNS`.

    Half a surrogate pair, which UTF-8 cannot hold, is written as its escape (`\ud800`).
    """
    stream.write(codecs.BOM_UTF8)
    text = codecs.getwriter("utf-8")(stream, "backslashreplace")
    lines = csv.writer(text, lineterminator="\r\n")
    lines.writerow([*(_safe(column.name) for column in columns), *RESULT_COLUMNS])
    lines.writerows(_records(columns, rows))


def _records(columns: Sequence[Column], rows: Iterable[ReportRow]) -> Iterator[list[str]]:
    for row in rows:
        values = (*source_cells(columns, row), *typed_result(row))
        # No formula begins with a letter or a digit; seeing that here spares most cells a closer look.
        yield [value if type(value) is str and value[:1].isalnum() else _safe(value) for value in values]


def _safe(value: CellValue) -> str:
    return "" if value is None or value == "" else defuse(cell_text(value))
