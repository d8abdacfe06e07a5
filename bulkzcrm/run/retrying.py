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
from bulkzcrm.run.engine import Origin
from bulkzcrm.run.options import RunOptions

__all__ = ["failed_origin", "latest_run", "retry_options", "take_failed_rows"]

_PAGE = 1000


def latest_run(journal: Journal) -> Run:
    """Return the newest run. Raises `UsageError` when there is none."""
    newest = journal.runs(limit=1)
    if not newest:
        raise UsageError("The journal knows no run yet.", "Begin one with `bulkzcrm run`.")
    return newest[0]


def failed_origin(journal: Journal, run: Run, resume: str) -> Origin:
    """Return a finished run's failed rows as a source. Raises `UsageError` when it has none, or can be resumed."""
    if run.state in RESUMABLE:
        raise UsageError(f"The run {run.id} is not at its end and can be resumed.", f"First: {resume}")
    if not journal.failed_rows(run.id, 0, 1, untaken_only=True):
        raise UsageError(f"The run {run.id} has no failed row left to retry.", "Nothing is to be done.")

    @contextmanager
    def opening() -> Iterator[Table]:
        yield Table(
            name=run.source,
            columns=run.columns,
            rows=_failed_rows(journal, run.id),
            header_row=run.header_row,
            sheet=run.sheet,
        )

    marks = hashlib.sha256(f"retry of {run.id}".encode())
    return Origin(name=run.source, open=opening, content_hash=marks.hexdigest, retry_of=run.id)


def _failed_rows(journal: Journal, run: str) -> Iterator[Row]:
    after = 0
    while page := journal.failed_rows(run, after, _PAGE, untaken_only=True):
        after = page[-1].ordinal
        for row in page:
            yield Row(row.number, row.cells, row.surplus)


def take_failed_rows(journal: Journal, run: str, retry_run: str) -> None:
    """Mark the failed rows as taken, so that no later retry sends them again."""
    while page := journal.failed_rows(run, 0, _PAGE, untaken_only=True):
        journal.mark_taken_by_retry(run, [row.ordinal for row in page], retry_run)


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
