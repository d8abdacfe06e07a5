"""The report and the summary of a run: projections of the journal, which can be made again at any time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bulkzcrm.errors import OutputError
from bulkzcrm.journal import Journal, JournalReader, OvertakenError, Run, RunState
from bulkzcrm.journal.states import RESUMABLE
from bulkzcrm.model import Json, Status
from bulkzcrm.report import WRITTEN_AGAIN, Cause, State, Summary, prepared_report
from bulkzcrm.run.book import add_book
from bulkzcrm.run.failed_file import FailedFile
from bulkzcrm.run.folders import FolderTakenError, refuse_taken
from bulkzcrm.run.options import RunOptions, command_line
from bulkzcrm.run.page import add_page
from bulkzcrm.run.told import Told, counts_of

__all__ = ["Ending", "project", "state_of", "unwritten"]

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


def project(
    journal: Journal,
    run: Run,
    folder: Path,
    *,
    resume: str | None,
    formats: tuple[str, ...] | None = None,
    log: Path | None = None,
    not_checked: tuple[str, ...] | None = None,
    epoch: int | None = None,
    profile: str | None = None,
    mask: bool = False,
) -> Ending:
    """Write a run's report and summary into a folder, from what the journal holds: of one moment, and none too old.

    Whatever other processes do meanwhile, all files are of one moment of the run, and never replace those of a later
    one: a report that is overtaken is made anew. `resume` is the command that carries on where the run can be resumed.
    With `not_checked` it is the report of a `check`: rows that nothing is wrong with are `valid`. With `epoch` (the
    claim on the run that this process has) no file is put in its place once another process has taken the run over.
    Corrections in a `failed.csv` that stands there are left alone: the new one then has another name. The HTML report
    says commands with `profile`, else with the one that the run keeps, and hides values with `mask`, or where the run's
    options say so. Raises
    `OutputError` (`FolderTakenError` when another run's report stands there by now), `LostLeaseError`, and `UsageError`
    when the run has been pruned.
    """
    from_copy = False
    while True:
        told = Told(journal, run.id, checking=not_checked is not None, from_copy=from_copy)
        try:
            return _projected(journal, told, folder, resume, formats, log, not_checked, epoch, profile, mask=mask)
        except OvertakenError:
            # A run at work changes faster than its rows are read; a copy is overtaken by newer reports alone, which
            # are so many at most as there are processes that write one.
            from_copy = True


def _projected(
    journal: Journal,
    told: Told,
    folder: Path,
    resume: str | None,
    formats: tuple[str, ...] | None,
    log: Path | None,
    not_checked: tuple[str, ...] | None,
    epoch: int | None,
    profile: str | None,
    *,
    mask: bool,
) -> Ending:
    """Do what `project` does, once. Raises `OvertakenError`, too."""
    run, reports, formats = told.run, journal.reports(), formats or told.run.formats
    # The workbook and the page tell more than the rows.
    plain = [name for name in formats if name != "xlsx"]
    with prepared_report(folder, run.columns, told.rows, formats=plain) as prepared:
        causes = prepared.causes.told()
        summary = _summary(run, told.counts(), causes, log, not_checked, resume if run.state in RESUMABLE else None)
        file = FailedFile(folder, prepared.failed)
        expected = file.name(run)
        book: FailedFile | None = None
        if "xlsx" in formats:
            who = profile or _kept_profile(run)
            book = add_book(prepared, run, told.rows, summary, failed=told.failed_rows, profile=who)
        if "html" in formats:
            add_page(
                prepared,
                journal,
                run,
                told.rows,
                summary,
                failed=told.failed_rows,
                failed_name=expected,
                profile=profile or _kept_profile(run),
                mask=mask or RunOptions.from_json(run.options).mask,
            )
        prepared.summarise(summary, failed_name=expected)

        def word(now: Run) -> dict[str, Json]:
            return {**file.word(now), **(book.word(now) if book else {})}

        with reports.placing(run.id, run.revision, unchanged=not told.from_copy, epoch=epoch, word=word) as now:
            refuse_taken(folder, run.id, checking=not_checked is not None)
            # Once more: somebody may have saved his corrections meanwhile.
            failed_name = file.name(now, briefly=True)
            named = prepared.target("results_xlsx")
            if ("html" in formats and failed_name != expected) or (
                book is not None and named is not None and book.name(now, briefly=True) != named.name
            ):
                # The page names the file in a command, and so does the workbook its own.
                raise OvertakenError(run.id)
            written = prepared.put_in_place(failed_name=failed_name)
    notes = written.notes
    if failed_name != "failed.csv":
        notes = (
            *notes,
            f"failed.csv has been changed, or was not written by this run, and is left as it is; see {failed_name}.",
        )
    if named is not None and " (" in named.name:
        notes = (
            *notes,
            f"The workbook that stands there may hold corrections, and is left as it is; see {named.name}.",
        )
    return Ending(summary=summary.with_files(written.files), failed=told.failed_rows, notes=notes)


def _kept_profile(run: Run) -> str | None:
    kept = run.lookups.get("profile")
    return str(kept) if kept else None


def _summary(
    run: Run,
    counts: Mapping[Status, int],
    causes: tuple[Cause, ...],
    log: Path | None,
    not_checked: tuple[str, ...] | None,
    resume: str | None,
) -> Summary:
    """Return what a run came to, without the files of its report."""
    checking = not_checked is not None
    return Summary(
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
        files={} if log is None else {"log": log},
        causes=causes,
        not_checked=not_checked,
    )


def unwritten(journal: JournalReader, run: Run, error: OutputError, *, resume: str) -> Ending:
    """Return how a run ended whose report, or whose further account, could not be written: stopped, whatever it did."""
    counts = counts_of(journal.count_by_status(run.id))
    finished = run.state is RunState.FINISHED
    elsewhere = ["--output", str(error.elsewhere)] if isinstance(error, FolderTakenError) else []
    report_again = command_line(["bulkzcrm", "report", run.id, *elsewhere]) if finished else None
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
