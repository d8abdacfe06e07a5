"""The report as CSV: opens in any spreadsheet program, runs nothing there, and reads back exactly as it was.

UTF-8 with a byte order mark, commas, lines that end in CR LF. A text that a spreadsheet program would run as a
formula is defused, headers included; `bulkzcrm.defuse.undefuse` gives it back.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Sequence
from typing import Protocol, cast

from bulkzcrm.blocks import Strip
from bulkzcrm.cells import StoredCell, cell_text, joined, restored
from bulkzcrm.defuse import defuse
from bulkzcrm.model import Column
from bulkzcrm.report.rows import RESULT_COLUMNS, ReportPage, Result, cells_in

__all__ = ["write_csv"]

_END = "\r\n"
_FEW = 3
"""So many cells are looked at one by one."""
_QUOTED = re.compile(r'[,"\r\n]')


class Takes(Protocol):
    """What bytes can be written to."""

    def write(self, content: bytes, /) -> object:
        """Write them."""


def write_csv(
    stream: Takes, columns: Sequence[Column], pages: Iterable[ReportPage], *, failed: Takes | None = None
) -> None:
    r"""Write a header and one record per row: the source's columns, then `RESULT_COLUMNS`.

    Into `failed` go the same header, and the records of the rows that a retry would take. Half a surrogate pair, which
    UTF-8 cannot hold, is written as its escape (`\ud800`).
    """
    header = ",".join(map(_cell, [*(column.name for column in columns), *RESULT_COLUMNS]))
    beginning = codecs.BOM_UTF8 + _encoded([header])
    stream.write(beginning)
    if failed is not None:
        failed.write(beginning)
    strips_of = cells_in(columns)
    for page in pages:
        records = _records(strips_of(page.strips), page.results)
        stream.write(_encoded(records))
        if failed is not None and page.failed:
            failed.write(_encoded([records[place] for place in page.failed]))


def _records(strips: Sequence[Strip], results: Sequence[Result]) -> list[str]:
    cells = [strip.spread(_cells(strip.cells), len(results)) for strip in strips]
    return list(map(",".join, zip(*cells, map(_result, results), strict=True)))


def _encoded(records: Sequence[str]) -> bytes:
    return f"{_END.join(records)}{_END}".encode("utf-8", "backslashreplace")


def _cells(cells: Sequence[StoredCell]) -> Sequence[str]:
    """Return different cells, or one for each row, as they stand in the file."""
    if len(cells) > _FEW and (together := joined(cells)) is not None:
        texts = cast("Sequence[str]", cells)
        # No formula begins with a letter or a digit; seeing that for all together spares each one a closer look.
        if _QUOTED.search(together) is None and "".join([text[:1] for text in texts]).isalnum():
            return texts
    return list(map(_cell, cells))


def _cell(cell: StoredCell) -> str:
    if cell is None:
        return ""
    text = cell if isinstance(cell, str) else cell_text(restored(cell))
    if not text[:1].isalnum():
        text = defuse(text)
    return text if _QUOTED.search(text) is None else '"' + text.replace('"', '""') + '"'


def _result(result: Result) -> str:
    number, status, code, field, cell, message, fix, record_id, batch, attempts = result
    said = field or cell or message or fix
    if not said and (not code or code.isidentifier()) and (not record_id or record_id.isalnum()):
        return f"{number},{status},{code},,,,,{record_id},{'' if batch is None else batch},{attempts}"
    return ",".join(
        ["" if value is None else _cell(value) if isinstance(value, str) else str(value) for value in result]
    )
