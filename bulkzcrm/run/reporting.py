"""The report and the summary of a run: projections of the journal, which can be made again at any time."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bulkzcrm.errors import OutputError, UsageError
from bulkzcrm.journal import Journal, JournalReader, Progress, ReportedRow, Run, RunState, reported, reported_counts
from bulkzcrm.model import Outcome, Problem, Status
from bulkzcrm.report import (
    WRITTEN_AGAIN,
    Replace,
    ReportRow,
    State,
    Summary,
    holds_a_report,
    plain_row,
    report_row,
    write_reports,
    write_summary,
)
from bulkzcrm.run.options import command_line

__all__ = ["Ending", "project", "ready_folder", "state_of", "unwritten"]

_PAGE = 250

_WRITTEN = "failed_sha256"
"""Under this name the journal keeps what `failed.csv` held when it was written, to know it again."""

_STATES: Mapping[RunState, State] = {
    RunState.FINISHED: State.FINISHED,
    RunState.STOPPED: State.STOPPED,
    RunState.INTERRUPTED: State.INTERRUPTED,
    # A run that is under way, or whose process has died, has not finished.
    RunState.INGESTING: State.STOPPED,
    RunState.INGESTED: State.STOPPED,
    RunState.SENDING: State.STOPPED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a run ended: its summary, how many rows `failed.csv` holds, and how files were written, where unexpected.

    Where all rows are settled and the report alone is missing, `report_again` is the command that writes it;
    `stopped_because` then ends with it, too.
    """

    summary: Summary
    failed: int = 0
    notes: tuple[str, ...] = ()
    report_again: str | None = None


def state_of(run: Run) -> State:
    """Return how a run stands, in the words of the summary."""
    return _STATES[run.state]


def ready_folder(folder: Path, run: str | None, *, own: bool = False) -> None:
    """Make the folder of a report. Raises `UsageError` when it holds another run's report, or cannot be written.

    In the run's `own` folder a report without a summary is one of its own that could not be written to its end.
    """
    if holds_a_report(folder, other_than=run, signed=own):
        raise UsageError(f"{folder} already holds the report of another run.", "Name another folder with --output.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageError(
            f"The report cannot be written into {folder}: {error.strerror or error}.",
            "Name a folder that you may write to with --output.",
        ) from error


def project(
    journal: JournalReader,
    run: Run,
    folder: Path,
    *,
    resume: str | None,
    formats: tuple[str, ...] | None = None,
    log: Path | None = None,
    not_checked: tuple[str, ...] | None = None,
    epoch: int | None = None,
) -> Ending:
    """Write a run's report and summary into a folder, from what the journal holds now.

    `resume` is the command that carries on, where the run can be resumed. With `not_checked` it is the report of a
    `check`: rows that nothing is wrong with are `valid`. With `epoch` (the claim on the run that this process has) no
    file is put in its place once another process has taken the run over. Raises `OutputError` and `LostLeaseError`.
    """
    checking = not_checked is not None
    told = _Told(journal, run, checking=checking)
    failed_name = _failed_name(folder, run)
    replace_file = _replacing(journal, run.id, epoch)
    written = write_reports(
        folder,
        run.columns,
        told.rows,
        told.failed,
        formats=formats or run.formats,
        failed_name=failed_name,
        replace=replace_file,
    )
    if isinstance(journal, Journal) and not checking:
        lookups = {**run.lookups, _WRITTEN: _sha256(written.files["failed"])}
        journal.update_run(run.id, run.epoch if epoch is None else epoch, lookups=lookups)
    notes = written.notes
    if failed_name != "failed.csv":
        notes = (*notes, f"failed.csv has been changed since it was written, and is left as it is; see {failed_name}.")
    counts = _counts(journal, run.id, checking=checking)
    files = dict(written.files)
    if log is not None:
        files["log"] = log
    summary = Summary(
        run=None if checking else run.id,
        operation=run.operation,
        organisation=run.organisation,
        state=State.FINISHED if checking else state_of(run),
        stopped_because=run.stopped_because,
        rows=sum(counts.values()),
        counts=counts,
        batches=run.counters.batches,
        requests=run.counters.requests,
        credits_estimated=run.counters.credits,
        seconds=run.counters.seconds,
        resume=resume,
        files=files,
        not_checked=not_checked,
    )
    path = write_summary(folder, summary, replace=replace_file)
    return Ending(summary=summary.with_files({"summary": path}), failed=told.failed_rows, notes=notes)


def _replacing(journal: JournalReader, run: str, epoch: int | None) -> Replace:
    """Return what puts a file in its place: a process that stood still and wakes overwrites nobody's newer report."""
    if epoch is None or not isinstance(journal, Journal):
        return os.replace

    def replace_file(aside: Path, target: Path) -> None:
        # In one transaction, so that no process can claim the run between the question and the renaming.
        with journal.holding(run, epoch):
            aside.replace(target)

    return replace_file


def _failed_name(folder: Path, run: Run) -> str:
    """Return a name for `failed.csv` under which nobody's corrections are overwritten."""
    written = run.lookups.get(_WRITTEN)
    number, name = 1, "failed.csv"
    while written is not None and (folder / name).exists() and _sha256(folder / name) != written:
        number += 1
        name = f"failed ({number}).csv"
    return name


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        # What cannot be read cannot be told from something that somebody has changed.
        return ""


def unwritten(journal: JournalReader, run: Run, error: OutputError, *, resume: str) -> Ending:
    """Return how a run ended whose report, or whose further account, could not be written: stopped, whatever it did."""
    counts = _counts(journal, run.id, checking=False)
    finished = run.state is RunState.FINISHED
    report_again = command_line(["bulkzcrm", "report", run.id]) if finished else None
    if report_again is not None:
        what_first = f"{error.message} {_first(error.cure)}"
        because = f"All rows are settled; only the report is missing: {what_first} {report_again}"
    else:
        before = f"{run.stopped_because} " if run.stopped_because and run.stopped_because != str(error) else ""
        because = f"{before}{error}"
    return Ending(
        report_again=report_again,
        summary=Summary(
            run=run.id,
            operation=run.operation,
            organisation=run.organisation,
            state=State.STOPPED,
            stopped_because=because,
            rows=sum(counts.values()),
            counts=counts,
            batches=run.counters.batches,
            requests=run.counters.requests,
            credits_estimated=run.counters.credits,
            seconds=run.counters.seconds,
            resume=None if finished else resume,
        ),
    )


def _first(cure: str) -> str:
    """Return what is to be done before the report can be written, up to the command that then writes it."""
    return f"{cure.removesuffix(WRITTEN_AGAIN)}, then:" if cure.endswith(WRITTEN_AGAIN) else f"{cure} Then:"


class _Told:
    """The rows of a run as the report tells them, read anew from the journal for each of its files."""

    def __init__(self, journal: JournalReader, run: Run, *, checking: bool) -> None:
        self._journal = journal
        self._run = run
        self._statuses = {progress: reported(progress, checking=checking) for progress in Progress}
        self._left_open = {progress: _left_open(status, run) for progress, status in self._statuses.items()}
        self.failed_rows = 0

    def rows(self) -> Iterator[ReportRow]:
        """Begin all rows."""
        for page in self._pages(failed=False):
            yield from map(self._shown, page)

    def failed(self) -> Iterator[ReportRow]:
        """Begin those of failed.csv, and count them."""
        self.failed_rows = 0
        for page in self._pages(failed=True):
            self.failed_rows += len(page)
            yield from map(self._shown, page)

    def _pages(self, *, failed: bool) -> Iterator[list[ReportedRow]]:
        after = 0
        while page := self._journal.report_rows(self._run.id, after, _PAGE, failed=failed):
            yield page
            after = page[-1].ordinal

    def _shown(self, row: ReportedRow) -> ReportRow:
        _, number, cells, surplus, progress, problems, code, record_id, batch, attempts = row
        status = self._statuses[progress]
        problems = problems or self._left_open[progress]
        if not problems and not surplus:
            return plain_row(number, cells, status.value, code, record_id, batch, attempts)
        outcome = Outcome(
            status=status, problems=problems, record_id=record_id, batch=batch, attempts=attempts, code=code
        )
        return report_row(number=number, cells=cells, surplus=surplus, outcome=outcome)


def _left_open(status: Status, run: Run) -> tuple[Problem, ...]:
    """Return why a row has not ended, and what to do; it has no code, since nothing is wrong with the row itself."""
    match status:
        case Status.UNSENT:
            because = f" The run stopped before: {run.stopped_because}" if run.stopped_because else ""
            message = f"This row has not been written.{because}"
            remedy = "Resume the run, which sends the row; do not send it by a run of its own."
        case Status.UNKNOWN:
            message = (
                "This row was sent, but its answer was lost or cannot be trusted: it may be written or not, or still "
                "be on its way."
            )
            remedy = (
                "Resume the run, which settles the row; sent again by other means, a new record might be there twice, "
                "and a change might be overtaken by this one."
            )
        case _:
            return ()
    return (Problem(code="", field="", message=message, remedy=remedy),)


def _counts(journal: JournalReader, run: str, *, checking: bool) -> dict[Status, int]:
    progress = journal.count_by_status(run)
    if not checking:
        return reported_counts(progress)
    counts: dict[Status, int] = {}
    for state, number in progress.items():
        status = reported(state, checking=True)
        counts[status] = counts.get(status, 0) + number
    return counts
