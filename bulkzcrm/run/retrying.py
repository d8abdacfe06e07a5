"""The rows that failed as a source of their own: those that `failed.csv` holds and that no earlier retry took."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from bulkzcrm.errors import UsageError
from bulkzcrm.journal import Journal, Run
from bulkzcrm.journal.states import RESUMABLE
from bulkzcrm.model import Row, Table
from bulkzcrm.run.options import RunOptions
from bulkzcrm.run.origin import Origin

__all__ = ["failed_origin", "latest_run", "retry_options"]

_PAGE = 1000


def latest_run(journal: Journal) -> Run:
    """Return the newest run. Raises `UsageError` when there is none."""
    newest = journal.runs(limit=1)
    if not newest:
        raise UsageError("The journal knows no run yet.", "Begin one with `bulkzcrm run`.")
    return newest[0]


def failed_origin(journal: Journal, run: Run, resume: str) -> Origin:
    """Return a finished run's failed rows as a source that takes them.

    Raises `UsageError` when there is none, or when the run can be resumed.
    """
    if run.state in RESUMABLE:
        raise UsageError(f"The run {run.id} is not at its end and can be resumed.", f"First: {resume}")
    if not journal.failed_rows(run.id, 0, 1, untaken_only=True):
        raise UsageError(f"The run {run.id} has no failed row left to retry.", "Nothing is to be done.")

    read: list[int] = []

    @contextmanager
    def opening() -> Iterator[Table]:
        read.clear()
        yield Table(
            name=run.source,
            columns=run.columns,
            rows=_failed_rows(journal, run.id, read),
            header_row=run.header_row,
            sheet=run.sheet,
        )

    marks = hashlib.sha256(f"retry of {run.id}".encode())
    return Origin(
        name=run.source,
        open=opening,
        content_hash=marks.hexdigest,
        retry_of=run.id,
        take=lambda retry_run: journal.mark_taken_by_retry(run.id, read, retry_run),
    )


def _failed_rows(journal: Journal, run: str, read: list[int]) -> Iterator[Row]:
    """Yield the rows that no retry has taken, and note their ordinals in `read`."""
    after = 0
    while page := journal.failed_rows(run, after, _PAGE, untaken_only=True):
        after = page[-1].ordinal
        for row in page:
            read.append(row.ordinal)
            yield Row(row.number, row.cells, row.surplus)


def retry_options(run: Run, changed: RunOptions) -> RunOptions:
    """Return the options of a retry: as before, what the source had proved of its columns included."""
    inferred = run.decisions.get("inferred")
    proved = {str(name): str(value) for name, value in inferred.items()} if isinstance(inferred, dict) else {}
    return replace(
        changed,
        date_format=changed.date_format or proved.get("date_format"),
        decimal=changed.decimal or proved.get("decimal"),
        again=True,
    )
