"""One row of the report as its ten values: what happened to it, why, and how to mend it.

Every problem of a row is told, and nothing that the row held is lost: of cells beyond the last column, half a million
characters are told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from bulkzcrm.cells import cell_text, counted
from bulkzcrm.model import CellValue, Column, Outcome, Problem

__all__ = ["RESULT_COLUMNS", "ReportRow", "RowSource", "result_values", "source_cells", "typed_result"]

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

_MOST_SURPLUS = 500_000
"""Characters. A cell of a million or more could not be read back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRow:
    """One row of the source and how it ended.

    `number` is the row number that a spreadsheet program shows. `cells` has one value for each column of the report, in
    their order; or one for each column of the source, and then every reported column takes its own by `Column.index`.
    `surplus` is what stood to the right of the source's last column; it is told in `result_message`.
    """

    number: int
    cells: tuple[CellValue, ...]
    surplus: tuple[CellValue, ...] = ()
    outcome: Outcome


RowSource: TypeAlias = Callable[[], Iterator[ReportRow]]
"""Begins the rows anew at each call, in source order; every file of the report is one pass."""


def source_cells(columns: Sequence[Column], row: ReportRow) -> Sequence[CellValue]:
    """Return the row's values for these columns. Raises `IndexError` when the row is shorter than its columns say."""
    if len(row.cells) == len(columns):
        return row.cells
    return [row.cells[column.index] for column in columns]


def result_values(row: ReportRow) -> tuple[str, ...]:
    """Return the ten values as text, in the order of `RESULT_COLUMNS`.

    Code, field and cell are those of the first problem; message and fix carry all of them. A row that was in no batch
    has a blank batch, and one that was never sent has 0 attempts.
    """
    return tuple("" if value is None else str(value) for value in typed_result(row))


def typed_result(row: ReportRow) -> tuple[str | int | None, ...]:
    """Return the ten values with row, batch (`None` for none) and attempts as numbers."""
    outcome = row.outcome
    problems = outcome.problems
    code, field, cell = (problems[0].code, problems[0].field, problems[0].cell) if problems else (outcome.code, "", "")
    return (
        row.number,
        outcome.status.value,
        code,
        field,
        cell,
        _message(problems, row.surplus),
        _told(problems, [problem.remedy for problem in problems]),
        outcome.record_id,
        outcome.batch,
        outcome.attempts,
    )


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
