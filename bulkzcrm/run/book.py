"""The report as a workbook: which one is the user's own, and what its summary tells, put together from the journal."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from bulkzcrm.cells import counted
from bulkzcrm.journal import Run
from bulkzcrm.model import Status
from bulkzcrm.report import Prepared, RowSource, Summary
from bulkzcrm.report.annotated import OwnWorkbook
from bulkzcrm.report.workbook_file import BookPlan, add_workbook
from bulkzcrm.report.xlsx_summary import SheetFacts
from bulkzcrm.run.failed_file import WORKBOOK_WRITTEN, FailedFile
from bulkzcrm.run.next_steps import mending_step
from bulkzcrm.run.source_file import kept_file

__all__ = ["add_book"]


def add_book(
    prepared: Prepared, run: Run, rows: RowSource, summary: Summary, *, failed: int, profile: str | None
) -> FailedFile | None:
    """Write the workbook aside, of a run whose other files are written; `failed` rows are to be mended.

    Return what knows whether somebody mends the workbook that stands there; nothing where none could be written. Raises
    `OutputError`.
    """
    files: list[FailedFile] = []

    def free_name(name: str) -> str:
        files.append(FailedFile(prepared.folder, None, name=name, kept_as=WORKBOOK_WRITTEN))
        return files[-1].name(run)

    plan = BookPlan(
        own=_own_workbook(run),
        note=_why_none(run),
        facts=partial(_facts, run, summary, failed, prepared.folder.absolute(), profile),
        free_name=free_name,
    )
    prepared.notes.extend(add_workbook(prepared.add, run.columns, rows, plan))
    written = prepared.path("results_xlsx")
    if written is None:
        return None
    files[-1].written(written)
    return files[-1]


def _own_workbook(run: Run) -> OwnWorkbook | None:
    file = kept_file(run)
    if file is None or run.sheet is None:
        return None
    known = run.decisions.get("result_columns")
    columns = {str(name): str(letters) for name, letters in known.items()} if isinstance(known, dict) else {}
    return OwnWorkbook(
        path=file, sha256=run.source_sha256, sheet=run.sheet, header_row=run.header_row, result_columns=columns
    )


def _why_none(run: Run) -> str:
    """Say why rows of a workbook have none that can be given back."""
    if run.sheet is None or kept_file(run) is not None:
        return ""
    why = (
        "The rows of a retry come from the journal."
        if run.retry_of
        else "It did not come as a file, and nothing is left of it."
    )
    return f"results.xlsx is a table of its own, and no copy of the workbook that was read. {why}"


def _facts(
    run: Run, summary: Summary, failed: int, folder: Path, profile: str | None, name: str, sheet: str
) -> SheetFacts:
    is_check = summary.not_checked is not None
    told = {
        "Source": f"{run.source}, sheet {run.sheet}" if run.sheet else run.source,
        "Operation": run.operation,
        "Organisation": summary.organisation or "",
        "Run": summary.run or "",
        "State": "checked, nothing was sent" if is_check else summary.state.value,
        "Stopped": summary.stopped_because or "",
    }
    return SheetFacts(
        about=[(word, text) for word, text in told.items() if text],
        counts={status: summary.counts.get(status, 0) for status in Status},
        causes=summary.causes,
        steps=list(_steps(run, summary, failed, folder / name, profile, sheet)),
        sheet=sheet,
    )


def _steps(
    run: Run, summary: Summary, failed: int, file: Path, profile: str | None, sheet: str
) -> Iterator[tuple[str, str]]:
    if summary.resume is not None:
        yield "To carry on with the rows that are left, once the cause is mended:", summary.resume
    if failed:
        where = f"in the sheet “{sheet}”" if sheet else "in this workbook"
        step = mending_step(run, file, failed, profile, of_the_source=bool(sheet))
        says = f"To mend {counted(failed, 'row')}: correct the coloured cells {where}, save, and give this file back."
        yield f"{says} Rows that are done are left out.", step.command
    if summary.resume is None and not failed:
        yield "Nothing is left to do.", ""
