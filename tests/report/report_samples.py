"""Rows, columns and texts from which the report's tests are made."""

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

from hypothesis import strategies as st
from report_pages import paged

from bulkzcrm.cells import column_letter
from bulkzcrm.model import CellValue, Column, Outcome, Problem, Status
from bulkzcrm.report import (
    Placed,
    Replace,
    ReportRow,
    Summary,
    Written,
    prepared_report,
    report_row,
    summary_aside,
    summary_in_place,
    write_aside,
)

DONE = Outcome(status=Status.SUCCEEDED, record_id="5545974000000393001", batch=3, attempts=1, code="SUCCESS")

TOO_LONG = Problem(
    code="INVALID_DATA",
    field="Duration",
    message="Duration is 2000 minutes, and a service lasts at most 1440.",
    remedy="Write a number of minutes from 15 to 1440.",
    cell="F37",
)
NO_MEMBERS = Problem(
    code="MANDATORY_NOT_FOUND",
    field="Members",
    message="Members is missing.",
    remedy="Add a column Members that names who does this service.",
)

_TROUBLE = "=+-@\uff1d\uff0b\uff0d\uff20'\"\t\r\n\0\x01\x1f\x7f\x85,;_x0041AF\u2028\ufeff\uffffé🚗 "
texts = st.one_of(st.text(max_size=12), st.text(st.sampled_from(_TROUBLE), max_size=12))
"""Any text that UTF-8 can hold, and often one that means trouble."""


def columns_named(*names: str) -> tuple[Column, ...]:
    return tuple(Column(index, column_letter(index), name) for index, name in enumerate(names))


def row_of(*cells: CellValue, number: int = 2, outcome: Outcome = DONE, surplus: Sequence[CellValue] = ()) -> ReportRow:
    return report_row(number=number, cells=cells, outcome=outcome, surplus=surplus)


def rejected(*problems: Problem) -> Outcome:
    return Outcome(status=Status.REJECTED, problems=problems, batch=1, attempts=2)


# -- what is written aside and put in place at once


def write_whole(folder: Path, name: str, write: Callable[[BinaryIO], None], *, replace: Replace = os.replace) -> Placed:
    aside = write_aside(folder, name, write)
    try:
        return aside.put_in_place(replace=replace)
    finally:
        aside.discard()


def write_reports(
    folder: Path,
    columns: Sequence[Column],
    rows: Callable[[], Iterable[ReportRow]],
    *,
    formats: Sequence[str] = (),
    sheet: str = "results",
    replace: Replace = os.replace,
) -> Written:
    with prepared_report(folder, columns, lambda: paged(rows()), formats=formats, sheet=sheet) as prepared:
        return prepared.put_in_place(replace=replace)


def write_summary(folder: Path, summary: Summary, *, replace: Replace = os.replace) -> Path:
    aside = summary_aside(folder, summary)
    try:
        return summary_in_place(aside, summary, replace=replace)
    finally:
        aside.discard()
