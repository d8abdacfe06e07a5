"""The rows of a user's sheet with what became of them: result cells beside them, and the cells to mend in a colour.

Rows that no outcome belongs to stay byte for byte as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import final

from bulkzcrm.cells import column_letter
from bulkzcrm.model import Problem, Status
from bulkzcrm.report.annotated.comments import Comments
from bulkzcrm.report.annotated.markup import UneditableError, attributes_of, without_attribute
from bulkzcrm.report.annotated.places import Range, cell_place
from bulkzcrm.report.annotated.result_cells import ResultCells
from bulkzcrm.report.annotated.sheet_text import Cell, RowText, SheetText
from bulkzcrm.report.annotated.styles import Mark, Styles
from bulkzcrm.report.rows import ReportRow

__all__ = ["Layout", "Rows", "mark_of", "problems_by_cell"]

_MARKS = {
    Status.INVALID.value: Mark.WRONG,
    Status.REJECTED.value: Mark.WRONG,
    Status.UNKNOWN.value: Mark.OPEN,
    Status.UNSENT.value: Mark.OPEN,
}
_STYLE = re.compile(rb'\ss\s*=\s*["\']([0-9]{1,6})["\']')


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where things stand in a sheet: columns from 0, rows from 1."""

    header_row: int
    places: Mapping[str, int]
    """The column of each result, by its name."""
    added: frozenset[int]
    """Those among them that the sheet did not have."""
    last_header: int
    """The last column of the user's own table, whose header the new headers look like."""
    widest: int
    """The last column in which any row has a cell."""
    column_styles: Mapping[int, int]
    merged: Mapping[int, Sequence[Range]]
    """Ranges of cells that are merged, by each of their rows."""


def mark_of(status: str) -> Mark | None:
    """Return the colour of a status; none where all is well."""
    return _MARKS.get(status)


def problems_by_cell(
    problems: Iterable[Problem], row: int, merged: Mapping[int, Sequence[Range]]
) -> dict[int, list[Problem]]:
    """Return the problems of a row that have a cell in it, by its column.

    Of cells that are merged (given by their rows), the first one is shown; there is none for those that are not.
    """
    found: dict[int, list[Problem]] = {}
    for problem in problems:
        place = cell_place(problem.cell)
        if place is None or place[1] != row:
            continue
        column = place[0]
        over = next((each for each in merged.get(row, ()) if each.first_column <= column <= each.last_column), None)
        if over is None:
            found.setdefault(column, []).append(problem)
        elif over.first_row == row:
            found.setdefault(over.first_column, []).append(problem)
    return found


@final
class Rows:
    """Writes the rows of a sheet again. Raises `UneditableError` where outcomes and rows do not belong together."""

    def __init__(
        self,
        text: SheetText,
        outcomes: Iterable[ReportRow],
        layout: Layout,
        styles: Styles,
        comments: Comments,
        results: ResultCells,
    ) -> None:
        self._text = text
        self._outcomes = iter(outcomes)
        self._layout = layout
        self._styles = styles
        self._comments = comments
        self._begin = b"<" + text.prefix + b"row"
        self._end = b"</" + text.prefix + b"row>"
        self._is_simple = len(layout.added) == len(layout.places) and layout.widest < min(layout.places.values())
        self._results = results

    def written(self) -> Iterator[bytes]:
        """Yield the rows."""
        outcome = next(self._outcomes, None)
        header_row = self._layout.header_row
        for row in self._text.rows():
            if row.number <= header_row:
                yield self._header(row) if row.number == header_row else self._as_it_was(row)
                continue
            if outcome is None or row.number < outcome.result[0]:
                yield self._as_it_was(row)
                continue
            if row.number > outcome.result[0]:
                break
            yield self._with_outcome(row, outcome)
            outcome = next(self._outcomes, None)
        if outcome is not None:
            raise UneditableError(f"It has no row {outcome.result[0]:,} any more.")

    def _as_it_was(self, row: RowText) -> bytes:
        if row.rest.lstrip().startswith(b"</"):
            return b"".join((self._begin, row.attributes, b">", row.cells, row.rest))
        return b"".join((self._begin, row.attributes, b"/>", row.rest))

    def _header(self, row: RowText) -> bytes:
        cells, _ = self._text.cells(row)
        style = next((cell.style for cell in cells if cell.column == self._layout.last_header), 0)
        return self._put_together(row, self._results.header(row.number, self._styles.plain(style)), {}, is_header=True)

    def _with_outcome(self, row: RowText, outcome: ReportRow) -> bytes:
        mark = mark_of(outcome.result[1])
        style = 0 if mark is None else self._styles.marked(0, mark)
        results = self._results.of(outcome.result, row.number, style)
        faults = problems_by_cell(outcome.problems, row.number, self._layout.merged) if mark is not None else {}
        self._comments.begin_row(row.number)
        for column, problems in faults.items():
            self._comments.add(row.number, column, problems)
        if self._is_simple and not faults and not self._styles.own:
            return self._wrapped(row, row.cells + b"".join(cell for _, cell in results))
        return self._put_together(row, results, dict.fromkeys(faults, mark or Mark.WRONG), is_header=False)

    def _put_together(
        self, row: RowText, results: list[tuple[int, bytes]], marks: Mapping[int, Mark], *, is_header: bool
    ) -> bytes:
        found, after = self._text.cells(row)
        cells = {cell.column: cell for cell in found}
        if self._styles.own and not is_header:
            for cell in found:
                if cell.style in self._styles.own:
                    cells[cell.column] = cell.styled(self._styles.plain(cell.style))
        for column, mark in marks.items():
            cell = cells.get(column) or self._blank(row, column)
            cells[column] = cell.styled(self._styles.marked(cell.style, mark))
        places = self._layout.places.values()
        if any(place in cells and b"<" + self._text.prefix + b"f" in cells[place].text for place in places):
            raise UneditableError(f"There are formulas in the result columns of row {row.number:,}.")
        texts = {column: cell.text for column, cell in cells.items() if column not in places or is_header}
        kept = self._layout.added if is_header else frozenset(places)
        texts.update({column: text for column, text in results if column in kept})
        body = b"".join(text for _, text in sorted(texts.items()))
        return self._wrapped(row, body + after)

    def _blank(self, row: RowText, column: int) -> Cell:
        """Return the cell that a row does not have, as programs show it."""
        found = _STYLE.search(row.attributes)
        own = int(found[1]) if found and b"customFormat" in attributes_of(row.attributes) else None
        style = self._layout.column_styles.get(column, 0) if own is None else own
        attributes = f' r="{column_letter(column)}{row.number}" s="{style}"'.encode()
        return Cell(column, attributes, b"<" + self._text.prefix + b"c" + attributes + b"/>")

    def _wrapped(self, row: RowText, cells: bytes) -> bytes:
        attributes = row.attributes
        if b"spans" in attributes:
            # It is a hint, and would be a wrong one.
            attributes = without_attribute(b"<r" + attributes + b">", "spans")[2:-1]
        after = row.rest
        end = after.find(b">") + 1 if after.lstrip().startswith(b"</") else 0
        return b"".join((self._begin, attributes, b">", cells, self._end, after[end:]))
