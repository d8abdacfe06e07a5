"""A run from its source to its report: the two phases in one place, and how a run that stopped is carried on with.

begin     the source, row by row, into the journal                              (nothing is sent)
carry_on  the organisation is read, rows are judged, confirmed, sent, reported  (as often as it takes)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import anyio
from anyio import to_thread

from bulkzcrm.errors import BulkzcrmError, ConfigurationError, OutputError, RefusedError, UsageError
from bulkzcrm.events import Begun, Noted, SendingEnded
from bulkzcrm.journal import Journal, LostLeaseError, NewRun, Progress, RunState
from bulkzcrm.model import Column, Json, Table
from bulkzcrm.run.folders import ready_folder, refuse_folder_of_another
from bulkzcrm.run.ingesting import Taken, take_in
from bulkzcrm.run.lease import LEASE_MS, claimed, owner_name
from bulkzcrm.run.options import RunOptions, credit_floor, error_limit
from bulkzcrm.run.origin import Origin
from bulkzcrm.run.phase import SANDBOX_DOMAIN, SendingPhase
from bulkzcrm.run.reporting import Ending, project, unwritten
from bulkzcrm.run.signals import InterruptedRunError
from bulkzcrm.run.source_file import as_kept, what_became_of
from bulkzcrm.run.surroundings import Surroundings
from bulkzcrm.spec.operation import Operation
from bulkzcrm.spec.unique import keyed

__all__ = ["begin", "carry_on", "change_options", "keep_with"]

_OWNER = owner_name()


def _now_ms(around: Surroundings) -> int:
    return int(around.clock().timestamp() * 1000)


async def begin(
    journal: Journal,
    origin: Origin,
    operation: Operation,
    options: RunOptions,
    around: Surroundings,
    *,
    run: str,
    folder: Path,
    formats: Sequence[str] = ("csv",),
    context: Mapping[str, Json] | None = None,
    job_id: str | None = None,
    step: int | None = None,
    organisation: tuple[str | None, str | None] = (None, None),
) -> Taken:
    """Take the whole source into the journal as a run that can be carried on with. Nothing is sent.

    `context` is kept with the run for whoever carries on with it (the profile's name, the job). A step of a job stays
    at ingest until `steps.ready` says that all sources are taken in. Raises `RefusedError`, also while another run
    is at work that will write its report into the folder, or `InterruptedRunError`; nothing is then left of the run.
    """
    connection = around.connection
    if connection is None:
        raise ConfigurationError("There is no organisation to send to.", "Name a profile, or use --sandbox.")
    operation = keyed(operation, options.unique_field)
    ready_folder(folder, run)
    refuse_folder_of_another(journal, folder, run, _now_ms(around))
    error_limit(options.max_errors, 0)
    credit_floor(options.leave_credits, None)
    epoch = 0

    def begin_run(table: Table, columns: tuple[Column, ...]) -> tuple[str, int]:
        nonlocal epoch
        new = NewRun(
            id=run,
            operation=operation.name,
            api_domain=SANDBOX_DOMAIN if around.sandbox else connection.api_domain,
            source=origin.name,
            sheet=table.sheet,
            columns=columns,
            header_row=table.header_row,
            organisation_id=organisation[0],
            organisation=organisation[1],
            sandbox=around.sandbox,
            sandbox_state=str(around.sandbox_state) if around.sandbox_state else None,
            options=options.to_json(),
            reading=table.reading,
            lookups={**(context or {}), **as_kept(origin.file)},
            output=str(folder),
            formats=tuple(formats),
            job=job_id,
            step=step,
            retry_of=origin.retry_of,
        )
        with journal.transaction():
            # Once more, and at one moment with the claim: of two that begin at once, one is refused.
            refuse_folder_of_another(journal, folder, run, _now_ms(around))
            journal.add_run(new)
            claimed_as = journal.claim(run, _OWNER, _now_ms(around), LEASE_MS)
        epoch = claimed_as or 0
        return run, epoch

    def ingest() -> Taken:
        with origin.open() as table:
            taken = take_in(
                table,
                operation,
                options,
                journal,
                partial(begin_run, table),
                announce=around.announce,
                go_on=around.stop.go_on,
            )
        journal.update_run(
            run,
            epoch,
            source_sha256=origin.content_hash(),
            decisions=taken.decisions(),
            notes=(*taken.warnings, *taken.notes),
        )
        with journal.transaction():
            if origin.take is not None:
                origin.take(run)
            if job_id is None:
                journal.set_state(run, epoch, RunState.INGESTED)
        return taken

    try:
        around.announce(Begun(run=run, folder=folder))
        taken = await to_thread.run_sync(ingest)
        around.stop.go_on()
    except BulkzcrmError as error:
        if epoch:
            # On a full disk not even that goes; what is left is then a run that can only be begun anew.
            with suppress(OutputError):
                journal.drop_run(run, epoch)
        if isinstance(error, OutputError):
            raise RefusedError(error.message, "Nothing was sent. Mend that and begin again.") from error
        if isinstance(error, InterruptedRunError):
            raise InterruptedRunError("Nothing was sent and nothing is kept; begin again when you like.") from error
        raise
    taken.tell(around.announce)
    return taken


async def carry_on(journal: Journal, run_id: str, operation: Operation, around: Surroundings, *, resume: str) -> Ending:
    """Do all that is left to do of a run, then write its report.

    `resume` is the command that carries on where this stops. Raises `RefusedError` when it may not go on at all (then
    nothing was sent by this call, and a run that this process has begun is forgotten, unless it is a step of a job),
    `LostLeaseError` when another process has taken the run over, to which journal and report then belong, and
    `OutputError` when not even how far the run is can be read from the journal any more; every other ending is in the
    summary.
    """
    try:
        return await _carry_on(journal, run_id, operation, around, resume)
    except OutputError as error:
        return unwritten(journal, journal.run(run_id), error, resume=resume)


async def _carry_on(journal: Journal, run_id: str, operation: Operation, around: Surroundings, resume: str) -> Ending:
    was_begun_here = journal.run(run_id).owner == _OWNER
    epoch = claimed(journal, run_id, _OWNER, _now_ms(around))
    # Only now does it stay as it is: until the claim, another process may have been at work on it.
    run = journal.run(run_id)
    if run.state is RunState.FINISHED:
        journal.release(run_id, epoch)
        raise UsageError(f"The run {run_id} is finished.", f"`bulkzcrm report {run_id}` writes its report again.")
    progress = await to_thread.run_sync(journal.count_by_status, run_id)
    in_doubt = progress[Progress.IN_DOUBT] + progress[Progress.SENDING]
    around.announce(Begun(run=run_id, folder=Path(run.output or run_id), in_doubt=in_doubt))
    if not was_begun_here:
        told = await to_thread.run_sync(what_became_of, run)
        if told is not None:
            around.announce(told)
    operation = keyed(operation, RunOptions.from_json(run.options).unique_field)
    phase = SendingPhase(journal, run, epoch, operation, around)
    begun = around.clock()
    try:
        # Once rows are sent, their sending is what is cancelled, so that what it leaves behind is still put in order.
        with around.stop.covers(anyio.CancelScope()) as preparing:
            await phase.go()
        if preparing.cancelled_caught:
            phase.error = InterruptedRunError()
    except RefusedError as error:
        if phase.has_sent:
            phase.error = error
        else:
            # Why it was refused is what counts, even where the journal cannot be written any more.
            with suppress(OutputError):
                if was_begun_here and run.state is RunState.INGESTED and run.job is None:
                    journal.drop_run(run_id, epoch)
                else:
                    journal.release(run_id, epoch)
            raise
    except LostLeaseError:
        raise
    except BulkzcrmError as error:
        phase.error = error
    seconds = (around.clock() - begun).total_seconds()
    return await to_thread.run_sync(_close, journal, phase, epoch, around, resume, seconds)


def change_options(
    journal: Journal, runs: Sequence[str], change: Callable[[RunOptions], RunOptions], around: Surroundings
) -> None:
    """Let runs be carried on with by other options than they were begun with: all of them, or none.

    `change` is given the options that a run has at this moment. Raises `AtWorkError` while another process is at work
    on a run that is to change.
    """
    with journal.transaction():
        for run_id in runs:
            kept = RunOptions.from_json(journal.run(run_id).options)
            wanted = change(kept)
            if wanted != kept:
                epoch = claimed(journal, run_id, _OWNER, _now_ms(around))
                journal.update_run(run_id, epoch, options=wanted.to_json())
                journal.release(run_id, epoch)


def keep_with(journal: Journal, runs: Sequence[str], words: Mapping[str, Json], around: Surroundings) -> None:
    """Keep more with runs for whoever carries on with them. Raises `AtWorkError` as `change_options` does."""
    with journal.transaction():
        for run_id in runs:
            epoch = claimed(journal, run_id, _OWNER, _now_ms(around))
            journal.update_run(run_id, epoch, lookups=words)
            journal.release(run_id, epoch)


def _close(
    journal: Journal, phase: SendingPhase, epoch: int, around: Surroundings, resume: str, seconds: float
) -> Ending:
    """Write how it ended into the journal, then the report from the journal."""
    run_id = phase.run.id
    with journal.transaction():
        journal.add_counts(run_id, epoch, phase.counters(seconds))
        journal.add_traffic(run_id, epoch, phase.traffic)
    if phase.has_sent:
        progress = journal.count_by_status(run_id)
        left = progress[Progress.PENDING] + progress[Progress.SENDING] + progress[Progress.IN_DOUBT]
        around.announce(SendingEnded(left=left))
    state, because = phase.ending()
    journal.set_state(run_id, epoch, state, because)
    run = journal.run(run_id)
    folder = Path(run.output or run_id)
    log = folder / "run.log"
    try:
        ending = project(
            journal,
            run,
            folder,
            resume=None if state is RunState.FINISHED else resume,
            log=log if log.exists() else None,
            epoch=epoch,
            profile=around.profile,
        )
    finally:
        # Not before the report is there: it would be put in place of one that another process wrote meanwhile.
        with suppress(OutputError):
            journal.release(run_id, epoch)
    for note in ending.notes:
        around.announce(Noted(note, warning=True))
    return ending
