"""A run from its source to its report: the two phases in one place, and how a run that stopped is carried on with.

begin     the source, row by row, into the journal                              (nothing is sent)
carry_on  the organisation is read, rows are judged, confirmed, sent, reported  (as often as it takes)
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio
from anyio import to_thread

from bulkzcrm.errors import BulkzcrmError, ConfigurationError, OutputError, RefusedError, UsageError
from bulkzcrm.events import Begun, Noted, SendingEnded
from bulkzcrm.journal import Counters, Journal, LostLeaseError, NewRun, Progress, RunState
from bulkzcrm.model import Column, Json, Table
from bulkzcrm.run.ingesting import Taken, take_in, time_zone
from bulkzcrm.run.judging import Judge
from bulkzcrm.run.keys import keys_of
from bulkzcrm.run.lease import LEASE_MS, claimed, owner_name
from bulkzcrm.run.options import RunOptions, credit_floor, error_limit
from bulkzcrm.run.phase import SANDBOX_DOMAIN, SendingPhase
from bulkzcrm.run.reporting import Ending, project, ready_folder, unwritten
from bulkzcrm.run.signals import InterruptedRunError
from bulkzcrm.run.source_file import as_kept, what_became_of
from bulkzcrm.run.surroundings import Surroundings
from bulkzcrm.spec.fields import Kind
from bulkzcrm.spec.operation import Operation
from bulkzcrm.spec.unique import keyed

__all__ = ["Origin", "begin", "carry_on", "change_options", "check", "keep_with", "new_run_id"]

_OWNER = owner_name()
_TIMED = frozenset({Kind.DATE, Kind.DATES, Kind.DATETIME})


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where the rows of a run come from: a source that can be opened, and the hash of its content once it is read.

    `take` is called with the run's id in the transaction that ends the ingest of a retry: it takes the rows that were
    read from the earlier run, so that they belong to this one from the instant from which it can be resumed. `file` is
    where the source lies, if it is a file (an absolute path).
    """

    name: str
    open: Callable[[], AbstractContextManager[Table]]
    content_hash: Callable[[], str]
    retry_of: str | None = None
    take: Callable[[str], None] | None = None
    file: Path | None = None


def new_run_id(around: Surroundings) -> str:
    """Return an id; ids sort by the time at which runs began."""
    now = around.clock()
    # Three digits of 4096ths of the second keep the order of runs that a script begins close together.
    return f"{now:%Y%m%d-%H%M%S}-{now.microsecond * 4096 // 1_000_000:03x}{secrets.token_hex(3)}"


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
    at ingest until `steps.ready` says that all sources are taken in. Raises `RefusedError` or `InterruptedRunError`;
    nothing is then left of the run.
    """
    connection = around.connection
    if connection is None:
        raise ConfigurationError("There is no organisation to send to.", "Name a profile, or use --sandbox.")
    operation = keyed(operation, options.unique_field)
    ready_folder(folder, run)
    error_limit(options.max_errors, 0)
    credit_floor(options.leave_credits, None)
    epoch = 0

    def begin_run(table: Table, columns: tuple[Column, ...]) -> tuple[str, int]:
        nonlocal epoch
        journal.add_run(
            NewRun(
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
        )
        epoch = journal.claim(run, _OWNER, _now_ms(around), LEASE_MS) or 0
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
        raise
    _tell(taken, around)
    return taken


def _tell(taken: Taken, around: Surroundings) -> None:
    for warning in taken.warnings:
        around.announce(Noted(warning, warning=True))
    for note in taken.notes:
        around.announce(Noted(note))


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
    progress = journal.count_by_status(run_id)
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
    return _close(journal, phase, epoch, around, resume, (around.clock() - begun).total_seconds())


def change_options(journal: Journal, options: Mapping[str, RunOptions], around: Surroundings) -> None:
    """Let runs be carried on with by other options than they were begun with: all of them, or none.

    Raises `AtWorkError` while another process is at work on one of them.
    """
    with journal.transaction():
        for run_id, wanted in options.items():
            epoch = claimed(journal, run_id, _OWNER, _now_ms(around))
            journal.update_run(run_id, epoch, options=wanted.to_json())
            journal.release(run_id, epoch)


def keep_with(journal: Journal, runs: Sequence[str], words: Mapping[str, Json], around: Surroundings) -> None:
    """Keep more with runs for whoever carries on with them. Raises `AtWorkError` as `change_options` does."""
    with journal.transaction():
        for run_id in runs:
            epoch = claimed(journal, run_id, _OWNER, _now_ms(around))
            journal.update_run(run_id, epoch, lookups={**journal.run(run_id).lookups, **words})
            journal.release(run_id, epoch)


def _close(
    journal: Journal, phase: SendingPhase, epoch: int, around: Surroundings, resume: str, seconds: float
) -> Ending:
    """Write how it ended into the journal, then the report from the journal."""
    run_id = phase.run.id
    journal.add_counts(run_id, epoch, phase.counters(seconds))
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
        )
    finally:
        # Not before the report is there: it would be put in place of one that another process wrote meanwhile.
        with suppress(OutputError):
            journal.release(run_id, epoch)
    for note in ending.notes:
        around.announce(Noted(note, warning=True))
    return ending


async def check(
    origin: Origin,
    operation: Operation,
    options: RunOptions,
    around: Surroundings,
    *,
    folder: Path,
    formats: Sequence[str] = ("csv",),
) -> Ending:
    """Ingest only: no network, nothing sent, nothing kept; the same report."""
    operation = keyed(operation, options.unique_field)
    ready_folder(folder, None)
    error_limit(options.max_errors, 0)
    credit_floor(options.leave_credits, None)
    begun = around.clock()

    def work(journal: Journal) -> Ending:
        run_id = new_run_id(around)

        def begin_run(table: Table, columns: tuple[Column, ...]) -> tuple[str, int]:
            journal.add_run(
                NewRun(
                    id=run_id,
                    operation=operation.name,
                    api_domain="",
                    source=origin.name,
                    sheet=table.sheet,
                    columns=columns,
                    header_row=table.header_row,
                    formats=tuple(formats),
                    reading=table.reading,
                )
            )
            return run_id, 0

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
        _tell(taken, around)
        judge = Judge(
            operation=operation,
            organisation=None,
            letters=taken.letters,
            now=around.clock(),
            time_zone=time_zone(options.time_zone),
            allow_duplicates=options.allow_duplicates,
            keys=keys_of(operation, None, run_id, given={*taken.column_map.fields, *taken.column_map.constants}),
            announce=around.announce,
        )
        verdicts = judge.judge(journal, run_id, lambda settled: journal.settle_rows(run_id, 0, settled))
        left_open = _not_checked(operation, taken, verdicts.abstained, zone_known=options.time_zone is not None)
        journal.add_counts(run_id, 0, Counters(seconds=(around.clock() - begun).total_seconds()))
        return project(journal, journal.run(run_id), folder, resume=None, not_checked=left_open)

    with Journal.temporary() as journal:
        return await to_thread.run_sync(work, journal)


def _not_checked(operation: Operation, taken: Taken, abstained: set[str], *, zone_known: bool) -> tuple[str, ...]:
    """Return sentences about what only the organisation can tell, its time zone included."""
    given = {*taken.column_map.fields, *taken.column_map.constants}
    looked_up = [each.label for each in operation.fields if each.lookup is not None and each.name in given]
    said = []
    if looked_up:
        said.append(f"Whether the organisation has what is named in: {', '.join(looked_up)}.")
    if operation.key:
        said.append(f"Whether {operation.key} is a unique field there, and whether a value is taken already.")
    if operation.find_by:
        said.append(f"Whether the records exist that {' or '.join(operation.find_by)} names.")
    timed = [each.label for each in operation.fields if each.kind in _TIMED and each.name in given]
    if timed and not zone_known:
        said.append(
            f"Whether what stands in {', '.join(timed)} is past or to come, where the time zone decides: without "
            "--time-zone it is called wrong only if it is wrong in every zone."
        )
    said += [
        rule.says
        for rule in operation.rules
        if (rule.needs or rule.name in abstained) and any(name in given for name in rule.looks_at)
    ]
    return tuple(dict.fromkeys(said))
