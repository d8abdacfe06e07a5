"""One row of the report as its ten values: what happened to it, why, and how to mend it.

Every problem of a row is told, and nothing that the row held is lost: of cells beyond the last column, half a million
characters are told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias, TypeVar

from msgspec import Struct

from bulkzcrm.blocks import Strip
from bulkzcrm.cells import cell_text, counted
from bulkzcrm.model import CellValue, Column, Outcome, Problem

__all__ = [
    "RESULT_COLUMNS",
    "ReportPage",
    "ReportRow",
    "Result",
    "RowSource",
    "cells_in",
    "each_row",
    "report_row",
    "result_values",
]

RESULT_COLUMNS = (
    "result_row",
    "result_status",
    "result_code",
    "result_field",
    "result_cell",
    "result_message",
    "result_fix",
    "result_record_id",
    "result_batch",
    "result_attempts",
)
"""The columns that follow those of the source, in this order (DESIGN, outcomes and the report)."""

_T = TypeVar("_T")

_MOST_SURPLUS = 500_000
"""Characters. A cell of a million or more could not be read back."""


Result: TypeAlias = tuple[int, str, str, str, str, str, str, str, int | None, int]
"""The ten values; a row that was in no batch has `None` for it. `report_row` makes them of an outcome; nearly every row
has neither problems nor surplus cells, and blanks for what would be told of them."""


class ReportRow(NamedTuple):
    """One row of the source and how it ended (see `report_row`).

    `cells` has one value for each column of the report, in their order; or one for each column of the source, and then
    every reported column takes its own by `Column.index`.
    """

    cells: tuple[CellValue, ...]
    result: Result
    problems: tuple[Problem, ...] = ()
    """What is wrong with it, each with its cell; the result tells the same in words."""


class ReportPage(Struct, frozen=True):
    """Rows of the report that follow each other, with their cells column by column.

    `strips` has one for each column of the report, in their order; or one for each column of the source, and then every
    reported column takes its own by `Column.index`. Of the rows that have any, `problems` tells them, by their places;
    `failed` are the places of those that a retry would take.
    """

    strips: Sequence[Strip]
    results: Sequence[Result]
    problems: Mapping[int, tuple[Problem, ...]] = {}
    failed: Sequence[int] = ()

    def rows(self) -> Iterator[ReportRow]:
        """Yield the rows one by one."""
        count = len(self.results)
        cells = zip(*(strip.spread(strip.restored(), count) for strip in self.strips), strict=True)
        for place, (of_row, result) in enumerate(
            zip(cells if self.strips else [()] * count, self.results, strict=True)
        ):
            yield ReportRow(of_row, result, self.problems.get(place, ()))

    def without_cells(self, place: int) -> ReportRow:
        """Return one row without its cells."""
        return ReportRow((), self.results[place], self.problems.get(place, ()))


RowSource: TypeAlias = Callable[[], Iterator[ReportPage]]
"""Begins the rows anew at each call, in source order; every file of the report is one pass."""


def each_row(pages: Iterable[ReportPage]) -> Iterator[ReportRow]:
    """Yield the rows of pages one by one."""
    for page in pages:
        yield from page.rows()


def report_row(
    *, number: int, cells: tuple[CellValue, ...], surplus: Sequence[CellValue] = (), outcome: Outcome
) -> ReportRow:
    """Tell what became of a row.

    `number` is the row number that a spreadsheet program shows. `surplus` is what stood to the right of the source's
    last column; it is told in `result_message`. Code, field and cell are those of the first problem; message and fix
    carry all of them.
    """
    problems = outcome.problems
    code, field, cell = (problems[0].code, problems[0].field, problems[0].cell) if problems else (outcome.code, "", "")
    result = (
        number,
        outcome.status.value,
        code,
        field,
        cell,
        _message(problems, surplus),
        _told(problems, [problem.remedy for problem in problems]),
        outcome.record_id,
        outcome.batch,
        outcome.attempts,
    )
    return ReportRow(cells, result, problems)


def cells_in(columns: Sequence[Column]) -> Callable[[Sequence[_T]], Sequence[_T]]:
    """Return what gives the cells, or strips, of these columns. It raises `IndexError` where there are too few."""
    width = len(columns)
    places = [column.index for column in columns]

    def cells_of(cells: Sequence[_T]) -> Sequence[_T]:
        return cells if len(cells) == width else [cells[place] for place in places]

    return cells_of


def result_values(row: ReportRow) -> tuple[str, ...]:
    """Return the ten values as text, in the order of `RESULT_COLUMNS`; a blank batch for a row that was in none."""
    return tuple("" if value is None else str(value) for value in row.result)


def _message(problems: Sequence[Problem], surplus: Sequence[CellValue]) -> str:
    message = _told(problems, [problem.message for problem in problems])
    if not surplus:
        return message
    kept, left_out = _kept(surplus)
    more = f" and {counted(left_out, 'more cell')}" if left_out else ""
    return f"{message} Beyond the last column the row holds: {kept}{more}.".lstrip()


def _kept(surplus: Sequence[CellValue]) -> tuple[str, int]:
    """Return the cells as far as one cell of a report holds them, and how many are left out."""
    shown: list[str] = []
    length = 0
    for value in surplus:
        text = f'"{cell_text(value)}"'
        length += len(text)
        if length > _MOST_SURPLUS:
            break
        shown.append(text)
    return ", ".join(shown), len(surplus) - len(shown)


def _told(problems: Sequence[Problem], sentences: Sequence[str]) -> str:
    """Join what is said of each problem; with several, a number pairs message and fix, and each names its own cell."""
    if len(sentences) <= 1:
        return "".join(sentences)
    return " ".join(
        f"({number}) {problem.cell}: {sentence}" if problem.cell else f"({number}) {sentence}"
        for number, (problem, sentence) in enumerate(zip(problems, sentences, strict=True), start=1)
        if sentence
    )
