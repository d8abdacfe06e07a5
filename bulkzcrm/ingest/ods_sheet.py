"""One table's rows, streamed: what is said to be repeated is told again only as far as it holds a value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import repeat
from typing import IO

from typing_extensions import override

from bulkzcrm.cells import column_letter
from bulkzcrm.errors import SourceError
from bulkzcrm.ingest.grid import Line
from bulkzcrm.ingest.ods_cells import CellReader
from bulkzcrm.ingest.ods_outline import TABLE_DEPTH
from bulkzcrm.ingest.ods_walk import TABLE, TEXT, Listener, walk
from bulkzcrm.ingest.xml_text import whole
from bulkzcrm.model import CellValue

__all__ = ["ods_lines"]

_MOST_ROWS = 1_048_576
_MOST_COLUMNS = 16_384
_MOST_COPIES = 50_000_000
"""Values that stand in the file once and in the table many times: 47 full columns."""
_LONGEST_CELL = 1_000_000
"""Characters, as in CSV."""

_CELLS = frozenset({f"{TABLE}table-cell", f"{TABLE}covered-table-cell"})
_COVERED = f"{TABLE}covered-table-cell"
_PARAGRAPHS = frozenset({f"{TEXT}p", f"{TEXT}h"})
_UNREAD = frozenset({f"{TEXT}ruby-text", f"{TEXT}note"})
# Characters that XML has not: they stand for those that collapsing white space leaves alone.
_KEPT = {f"{TEXT}s": "\0", f"{TEXT}tab": "\1", f"{TEXT}line-break": "\2"}
_KEPT_AS = str.maketrans("\0\1\2", " \t\n")
_SPACE = re.compile("[ \t\r\n]+")
_SAVE = "Open the workbook in a spreadsheet program, look at that place, and save it again."


def ods_lines(stream: IO[bytes], place: int, reader: CellReader, where: str) -> Iterator[Line]:
    """Yield the rows of the document's table at that place that hold a value. Raises `SourceError`; see `walk`."""
    rows = _Rows(place, reader, where)
    for _ in walk(stream, rows, where):
        for number, times, values in rows.ready:
            yield from zip(range(number, number + times), repeat(values))
        rows.ready.clear()


class _Rows(Listener):
    """Listens for the rows of one table; `ready` holds number, times and values of those that are complete."""

    def __init__(self, place: int, reader: CellReader, where: str) -> None:
        self.is_done = False
        self.hears_text = True
        self.ready: list[tuple[int, int, list[CellValue]]] = []
        self._reader = reader
        self._where = where
        self._tables_before = place
        self._is_inside = False
        self._number = 1
        self._times = 1
        self._copies = 0
        self._column_styles: list[tuple[int, str | None]] = []
        self._row_style: str | None = None
        self._row_depth = self._cell_depth = self._skipped_depth = 0
        self._values: list[CellValue] = []
        self._column = 0
        self._cell: Mapping[str, str] = {}
        self._paragraphs: list[str] = []
        self._pieces: list[str] | None = None
        self._paragraph_depth = 0
        self._length = 0

    @override
    def begin(self, name: str, attributes: Mapping[str, str], depth: int) -> None:
        if self._skipped_depth:
            return
        if self._cell_depth:
            self._begin_in_cell(name, attributes, depth)
        elif self._row_depth:
            if name in _CELLS:
                self._cell_depth, self._cell = depth, attributes
            else:
                self._skipped_depth = depth
        elif self._is_inside:
            self._begin_in_table(name, attributes, depth)
        elif name == f"{TABLE}table" and depth == TABLE_DEPTH:
            self._is_inside = not self._tables_before
            self._tables_before -= 1

    def _begin_in_table(self, name: str, attributes: Mapping[str, str], depth: int) -> None:
        match name.removeprefix(TABLE):
            case "table-row":
                self._row_depth = depth
                self._row_style = attributes.get(f"{TABLE}default-cell-style-name")
                self._times = self._repeated(attributes, "rows")
            case "table-column":
                first = self._column_styles[-1][0] if self._column_styles else 0
                end = first + self._repeated(attributes, "columns")
                self._column_styles.append((end, attributes.get(f"{TABLE}default-cell-style-name")))
            case "table-rows" | "table-header-rows" | "table-row-group":
                pass
            case "table-columns" | "table-header-columns" | "table-column-group":
                pass
            case _:
                self._skipped_depth = depth

    def _begin_in_cell(self, name: str, attributes: Mapping[str, str], depth: int) -> None:
        if not name.startswith(TEXT) or name in _UNREAD:
            self._skipped_depth = depth  # notes, drawings, tables inside the cell
        elif self._pieces is None:
            if name in _PARAGRAPHS:
                self._pieces, self._paragraph_depth = [], depth
        elif name in _KEPT:
            times = self._counted(attributes.get(f"{TEXT}c", "1")) if name == f"{TEXT}s" else 1
            self._add(_KEPT[name] * min(times, _LONGEST_CELL + 1))

    @override
    def text(self, text: str) -> None:
        if self._pieces is not None and not self._skipped_depth:
            self._add(text)

    def _add(self, text: str) -> None:
        self._length += len(text)
        if self._length > _LONGEST_CELL:
            raise SourceError(
                f"Cell {self._at()} of {self._where} is longer than {_LONGEST_CELL:,} characters.", "Shorten it."
            )
        if self._pieces is not None:
            self._pieces.append(text)

    @override
    def end(self, name: str, depth: int) -> None:
        if self._skipped_depth:
            if depth == self._skipped_depth:
                self._skipped_depth = 0
        elif self._pieces is not None:
            if depth == self._paragraph_depth:
                text = _SPACE.sub(" ", "".join(self._pieces)).strip(" ")
                self._paragraphs.append(text.translate(_KEPT_AS))
                self._pieces = None
        elif depth == self._cell_depth:
            self._end_cell(name)
        elif depth == self._row_depth:
            self._end_row()
        elif self._is_inside and depth == TABLE_DEPTH:
            self.is_done = True
            self._is_inside = False

    def _end_cell(self, name: str) -> None:
        self._cell_depth = self._length = 0
        times = self._repeated(self._cell, "columns")
        text = "\n".join(self._paragraphs) if self._paragraphs else None
        if text is not None or len(self._cell):
            self._put(self._value(text) if name != _COVERED else None, times)
        self._paragraphs.clear()
        self._column += times

    def _value(self, text: str | None) -> CellValue:
        style = self._cell.get(f"{TABLE}style-name") or self._row_style or self._column_style()
        try:
            return self._reader.value(self._cell, text, style)
        except (ValueError, OverflowError):
            raise SourceError(f"Cell {self._at()} of {self._where} cannot be read.", _SAVE) from None

    def _put(self, value: CellValue, times: int) -> None:
        if value is None:
            return
        if self._column + times > _MOST_COLUMNS:
            raise SourceError(f"Row {self._number} of {self._where} goes beyond the last column of a sheet.", _SAVE)
        self._values.extend(repeat(None, self._column - len(self._values)))
        self._values.extend(repeat(value, times))
        self._count_copies(times - 1)

    def _end_row(self) -> None:
        self._row_depth = 0
        if self._values:
            if self._number + self._times - 1 > _MOST_ROWS:
                raise SourceError(f"Row {self._number} of {self._where} is repeated beyond the end of a sheet.", _SAVE)
            self._count_copies((self._times - 1) * len(self._values))
            self.ready.append((self._number, self._times, self._values))
            self._values = []
        self._column = 0
        self._number += self._times

    def _count_copies(self, more: int) -> None:
        self._copies += more
        if self._copies > _MOST_COPIES:
            raise SourceError(
                f"Row {self._number} of {self._where} and rows above it repeat more than {_MOST_COPIES:,} values.",
                "Copy the rows that matter into a new workbook.",
            )

    def _column_style(self) -> str | None:
        return next((style for end, style in self._column_styles if self._column < end), None)

    def _repeated(self, attributes: Mapping[str, str], what: str) -> int:
        text = attributes.get(f"{TABLE}number-{what}-repeated")
        return 1 if text is None else self._counted(text)

    def _counted(self, text: str) -> int:
        try:
            number = whole(text)
        except ValueError:
            number = 0
        if number < 1:
            raise SourceError(f"Row {self._number} of {self._where} holds the number {text[:40]!r}.", _SAVE)
        return number

    def _at(self) -> str:
        return f"{column_letter(min(self._column, _MOST_COLUMNS))}{self._number}"
