"""Lines of cells become a header and rows: each row has one cell per column, and what stands beyond is its surplus."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias

from bulkzcrm.cells import cell_text, column_letter, is_blank
from bulkzcrm.errors import SourceError
from bulkzcrm.model import CellValue, Column, Row, Slab

__all__ = ["Head", "Line", "columns_named", "grid_rows", "read_head", "rows_of", "slab_of"]

Line: TypeAlias = tuple[int, Sequence[CellValue]]
"""A line that holds a value: its number, and its cells from the first column on; blank ones are `None`."""

_PREVIEW_LINES = 25
_PREVIEW_TEXT = 200
"""Characters of a cell that the preview shows: names are short, and a preview is kept in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The beginning of a source: its columns, and the lines below the header that were read to find and show it."""

    columns: tuple[Column, ...]
    number: int
    preview: tuple[tuple[int, tuple[str, ...]], ...]
    pending: tuple[Line, ...]


def read_head(lines: Iterator[Line], header_row: int | None, where: str) -> Head:
    """Read as many `lines` as it takes to know the header (`header_row`, else the first line) and to show a preview.

    Raises `SourceError` when there is no line at all, or `header_row` is blank or beyond the end; `where` names the
    source.
    """
    preview: list[tuple[int, tuple[str, ...]]] = []
    pending: list[Line] = []
    header: Line | None = None
    for number, cells in lines:
        if len(preview) < _PREVIEW_LINES:
            preview.append((number, tuple(cell_text(cell)[:_PREVIEW_TEXT] for cell in cells)))
        if header is not None:
            pending.append((number, cells))
        elif header_row is None or number == header_row:
            header = number, cells
        elif number > header_row:
            break
        if header is not None and len(preview) == _PREVIEW_LINES:
            break
    if header is None:
        raise _no_header(header_row, preview, where)
    return Head(
        columns=columns_named([cell_text(cell) for cell in header[1]]),
        number=header[0],
        preview=tuple(preview),
        pending=tuple(pending),
    )


def _no_header(header_row: int | None, preview: Sequence[tuple[int, tuple[str, ...]]], where: str) -> SourceError:
    if not preview:
        return SourceError(
            f"{where} holds no row with a value.", "Give a source with a header row and at least one row below."
        )
    first = preview[0][0]
    return SourceError(
        f"Row {header_row} of {where} cannot be the header, because it is blank or beyond the end.",
        f"The first row with a value is row {first}; give --header-row with the row that names the columns.",
    )


def columns_named(names: Sequence[str]) -> tuple[Column, ...]:
    """Make columns of header texts, as written, side by side from the first letter on."""
    return tuple(Column(index, column_letter(index), name) for index, name in enumerate(names))


def grid_rows(head: Head, lines: Iterator[Line]) -> Iterator[Row]:
    """Yield the rows below the header: first those that `read_head` has already taken, then the remaining `lines`."""
    width = len(head.columns)
    for line in chain(head.pending, lines):
        yield _row(line, width)


def slab_of(lines: Sequence[Line], width: int) -> Slab:
    """Return lines as a slab of so many columns."""
    rows = [_row(line, width) for line in lines]
    surplus = {place: row.surplus for place, row in enumerate(rows) if row.surplus}
    return Slab([row.number for row in rows], list(zip(*(row.cells for row in rows), strict=True)), surplus)


def rows_of(slabs: Iterator[Slab]) -> Iterator[Row]:
    """Yield the rows of slabs one by one."""
    for slab in slabs:
        for place, (number, cells) in enumerate(zip(slab.numbers, zip(*slab.columns, strict=True), strict=True)):
            yield Row(number, tuple(None if is_blank(cell) else cell for cell in cells), slab.surplus.get(place, ()))


def _row(line: Line, width: int) -> Row:
    number, cells = line
    count = len(cells)
    if count == width:
        return Row(number, tuple(cells))
    if count < width:
        return Row(number, (*cells, *(None,) * (width - count)))
    return Row(number, tuple(cells[:width]), _without_blank_end(cells[width:]))


def _without_blank_end(cells: Sequence[CellValue]) -> tuple[CellValue, ...]:
    end = len(cells)
    while end and cells[end - 1] is None:
        end -= 1
    return tuple(cells[:end])
