"""The report as a workbook: the user's own one with the outcomes in it, if it can be had; else a table of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import BinaryIO, TypeAlias

from bulkzcrm.model import Column
from bulkzcrm.report.annotated import OwnWorkbook, UneditableError, opened
from bulkzcrm.report.rows import RowSource, each_row
from bulkzcrm.report.xlsx_summary import SheetFacts

__all__ = ["BookPlan", "add_workbook"]

_Add: TypeAlias = Callable[[str, str, Callable[[BinaryIO], None]], None]
"""Writes one file aside: its key, its name, what fills it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BookPlan:
    """What the workbook is made of besides the rows.

    `own` is the user's. `facts` makes the summary, given the name of the file and the sheet of the user's in which the
    cells of the causes are, if it is the user's workbook. `note` is for the user where there is no `own`.
    """

    facts: Callable[[str, str], SheetFacts]
    own: OwnWorkbook | None = None
    note: str = ""
    free_name: Callable[[str], str] = str
    """Returns the name under which a file of that name can be put into the folder: nobody's corrections stand there."""


def add_workbook(add: _Add, columns: Sequence[Column], rows: RowSource, plan: BookPlan) -> list[str]:
    """Write the workbook aside, unless no sheet is wide enough, and return sentences for the user.

    Raises `OutputError`.
    """
    notes = [plan.note] if plan.note else []
    if plan.own is not None:
        try:
            return _annotated(add, columns, rows, plan, plan.own)
        except UneditableError as error:
            notes.append(f"results.xlsx is a table of its own, and no copy of {plan.own.path.name}. {error.reason}")

    from bulkzcrm.report.xlsx_report import why_too_wide, write_xlsx  # noqa: PLC0415 - seldom wanted

    too_wide = why_too_wide(columns)
    if too_wide is not None:
        # The other files hold all there is to tell.
        return [f"results.xlsx is not written. {too_wide.message} {too_wide.cure}"]

    name = plan.free_name("results.xlsx")

    def fill(stream: BinaryIO) -> None:
        notes.extend(write_xlsx(stream, columns, rows(), facts=plan.facts(name, "")))

    add("results_xlsx", name, fill)
    return notes


def _annotated(add: _Add, columns: Sequence[Column], rows: RowSource, plan: BookPlan, own: OwnWorkbook) -> list[str]:
    notes: list[str] = []
    with opened(own) as annotation:
        name = plan.free_name(f"results{annotation.suffix}")

        def fill(stream: BinaryIO) -> None:
            notes.extend(annotation.write(stream, columns, each_row(rows()), plan.facts(name, own.sheet)))

        add("results_xlsx", name, fill)
    return notes
