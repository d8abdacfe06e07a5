"""`resume` and `retry`: what a run left to do, and what went wrong in it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from bulkzcrm.cells import counted
from bulkzcrm.cli.completing import of_profiles, of_runs
from bulkzcrm.cli.finishing import finish, finish_job
from bulkzcrm.cli.next_steps import mending_command, mending_commands, resume_words
from bulkzcrm.cli.options import formats_of, output_options, pace_options, repair_option, run_options, voice_options
from bulkzcrm.cli.results import Going
from bulkzcrm.cli.session import Session
from bulkzcrm.config import Connection, load_connection
from bulkzcrm.errors import ConfigurationError, UsageError
from bulkzcrm.journal import Journal, Run, RunState
from bulkzcrm.journal.states import RESUMABLE
from bulkzcrm.run.engine import begin, carry_on, change_options, keep_with
from bulkzcrm.run.job_ending import JobEnding
from bulkzcrm.run.options import RunOptions, command_line
from bulkzcrm.run.reporting import Ending
from bulkzcrm.run.retrying import failed_origin, latest_run, retry_options
from bulkzcrm.run.run_id import new_run_id
from bulkzcrm.run.steps import carry_on_steps, steps_of
from bulkzcrm.spec.operations import OPERATIONS

__all__ = ["resume", "retry"]

_YES = "yes"
"""Under this word a run keeps that somebody has agreed to send it without being asked."""
_PAGE = 500
_MOST_NAMED = 5


def _profile(run: Run, given: str | None) -> str | None:
    kept = run.lookups.get("profile")
    return given or (str(kept) if kept else None)


def _sandbox(run: Run) -> Path | None:
    if not run.sandbox:
        return None
    state = Path(run.sandbox_state or "")
    if not state.exists():
        raise UsageError(
            f"The sandbox of the run {run.id} is gone: there is no file {state}.", "Begin a new run with --sandbox."
        )
    return state


@click.command(epilog="Example: bulkzcrm resume 20300107-093000-1f2e3d4a5")
@click.argument("run", required=False, shell_complete=of_runs)
@click.option(
    "--profile",
    metavar="NAME",
    shell_complete=of_profiles,
    help="The organisation of the run, if its profile has another name now.",
)
@click.option("--yes", "-y", is_flag=True, help="Send without being asked.")
@pace_options
@voice_options
def resume(run: str | None, *, as_json: bool, quiet: bool, verbose: bool, **given: Any) -> None:
    """Carry on with RUN, by default the latest that can be resumed; of a job, with its further steps as well."""

    async def work(session: Session) -> Ending | JobEnding:
        with Journal.open(session.home) as journal:
            chosen = _resumable(journal, run) if run else _latest(journal, session, given["profile"])
            session.voice.say(f"Resuming {chosen.id}: {chosen.operation} of {chosen.source}")
            job = chosen.lookups.get("job")
            profile = _profile(chosen, given["profile"])
            session.going = Going(chosen.id, command_line(resume_words(chosen.id, profile)))
            session.yes = session.yes or _agreed(chosen, profile)
            runs = steps_of(journal, chosen)
            unique = _unique_field(journal, runs)
            async with session.organisation(profile, sandbox=_sandbox(chosen), unique_field=unique) as around:
                left = [each.id for each in _left(journal, runs)]
                change_options(journal, left, lambda kept: run_options(given, base=kept), around)
                if given["yes"]:
                    keep_with(journal, left, {_YES: True}, around)
                if isinstance(job, dict):
                    steps = await carry_on_steps(
                        journal,
                        str(job.get("name")),
                        runs,
                        around,
                        goes_on_after_failed_rows=job.get("goes_on_after_failed_rows") is True,
                        from_run=chosen.id,
                        resume=lambda run_id: command_line(resume_words(run_id, profile)),
                    )
                    mending_commands(session.voice, journal, runs, steps, profile)
                    return steps
                ending = await carry_on(
                    journal, chosen.id, OPERATIONS[chosen.operation], around, resume=session.going.resume
                )
                mending_command(session.voice, journal, chosen.id, ending, profile)
                return ending

    finish_job(work, operation="", as_json=as_json, quiet=quiet, verbose=verbose, yes=given["yes"])


def _left(journal: Journal, runs: Sequence[str]) -> Iterator[Run]:
    """Yield those runs that are not finished."""
    return (run for run in map(journal.run, runs) if run.state is not RunState.FINISHED)


def _unique_field(journal: Journal, runs: Sequence[str]) -> str | None:
    """Return the unique field that the sandbox of these runs has."""
    named = (RunOptions.from_json(journal.run(each).options).unique_field for each in runs)
    return next(filter(None, named), None)


def _agreed(run: Run, profile: str | None) -> bool:
    """Tell whether `--yes`, or the job, has already agreed to send this run where this call sends it."""
    leads_elsewhere = run.organisation_id is None and profile != run.lookups.get("profile")
    return run.lookups.get(_YES) is True and not leads_elsewhere


def _latest(journal: Journal, session: Session, profile: str | None) -> Run:
    """Return the latest run that can be resumed in the organisation in use. Raises `UsageError` naming the others."""
    found = list(_all_resumable(journal))
    if not found:
        raise UsageError("There is no run that can be resumed.", "`bulkzcrm runs` lists the runs.")
    ways = [_connection(each, session, profile) for each in found]
    for belongs in (_by_id, _by_address):
        for each, connection in zip(found, ways, strict=True):
            if belongs(each, connection):
                # Of a job, its first step that is not finished comes first.
                return next(_left(journal, steps_of(journal, each)))
    if len(found) == 1 or not any(ways):
        # What is wrong with it can be said more exactly.
        return next(_left(journal, steps_of(journal, found[0])))
    firsts = {each.job or each.id: next(_left(journal, steps_of(journal, each))) for each in found}
    told = [_told(each) for each in firsts.values()]
    more = f" (and {counted(len(told) - _MOST_NAMED, 'other')})" if len(told) > _MOST_NAMED else ""
    raise UsageError(
        "None of the runs that can be resumed belongs to the organisation in use.",
        f"With the credentials of its own, each is resumed by its id{more}: {'; '.join(told[:_MOST_NAMED])}.",
    )


def _told(run: Run) -> str:
    where = "a sandbox that is gone" if run.sandbox else run.organisation or run.api_domain
    return f"`{command_line(resume_words(run.id, _profile(run, None)))}` ({run.operation} of {run.source} to {where})"


def _connection(run: Run, session: Session, profile: str | None) -> Connection | None:
    """Return the connection by which this call would carry on with a run; `None` where there is none."""
    try:
        chosen = _profile(run, profile)
        return None if run.sandbox else load_connection(profile=chosen, environ=os.environ, home=session.home)
    except ConfigurationError:
        return None


def _by_address(run: Run, connection: Connection | None) -> bool:
    """Tell whether a run's sandbox is there, or the credentials lead to the data centre of its organisation."""
    if run.sandbox:
        return Path(run.sandbox_state or "").exists()
    return connection is not None and connection.api_domain == run.api_domain


def _by_id(run: Run, connection: Connection | None) -> bool:
    """Tell whether, beyond that, they name no other organisation; one that has two ids may seem to be another."""
    named = connection.org_id if connection else None
    return _by_address(run, connection) and (named is None or run.organisation_id in (None, named))


def _all_resumable(journal: Journal) -> Iterator[Run]:
    """Yield the runs that can be resumed, newest first."""
    before = None
    while page := journal.runs(limit=_PAGE, before=before, states=RESUMABLE):
        yield from page
        before = page[-1].id


def _resumable(journal: Journal, run: str) -> Run:
    chosen = journal.run(run)
    if chosen.state is RunState.FINISHED:
        raise UsageError(f"The run {run} is finished.", f"`bulkzcrm report {run}` writes its report again.")
    if chosen.state is RunState.INGESTING:
        raise UsageError(
            f"The run {run} ended while its source was read; nothing was sent.", "Begin it anew with `bulkzcrm run`."
        )
    return chosen


@click.command(epilog="Example: bulkzcrm retry 20300107-093000-1f2e3d4a5 --yes")
@click.argument("run", required=False, shell_complete=of_runs)
@click.option(
    "--profile",
    metavar="NAME",
    shell_complete=of_profiles,
    help="The organisation of the run, if its profile has another name now.",
)
@click.option("--yes", "-y", is_flag=True, help="Send without being asked.")
@repair_option
@pace_options
@output_options
@voice_options
def retry(run: str | None, *, as_json: bool, quiet: bool, verbose: bool, **given: Any) -> None:
    """Send the rows of RUN that failed once more, as a new run; by default those of the latest run.

    Nothing about the rows changes: use it when the cause lay in the organisation. To correct rows, mend failed.csv.
    """

    async def work(session: Session) -> Ending:
        with Journal.open(session.home) as journal:
            earlier = journal.run(run) if run else latest_run(journal)
            session.voice.say(f"Retrying what failed in {earlier.id}: {earlier.operation} of {earlier.source}")
            profile = _profile(earlier, given["profile"])
            origin = failed_origin(journal, earlier, command_line(resume_words(earlier.id, profile)))
            changed = run_options(given, base=RunOptions.from_json(earlier.options))
            options = retry_options(earlier, changed)
            run_id = new_run_id(session.without_organisation())
            folder = session.folder(given["output"], run_id)
            formats = formats_of(given["formats"], earlier.formats)
            unique = _unique_field(journal, steps_of(journal, earlier))
            async with session.organisation(profile, sandbox=_sandbox(earlier), unique_field=unique) as around:
                await begin(
                    journal,
                    origin,
                    OPERATIONS[earlier.operation],
                    options,
                    around,
                    run=run_id,
                    folder=folder,
                    formats=formats,
                    context={"profile": profile, "yes": session.yes},
                    organisation=(earlier.organisation_id, earlier.organisation),
                )
                session.going = Going(run_id, command_line(resume_words(run_id, profile)))
                ending = await carry_on(
                    journal, run_id, OPERATIONS[earlier.operation], around, resume=session.going.resume
                )
                mending_command(session.voice, journal, run_id, ending, profile)
                return ending

    finish(work, operation="", as_json=as_json, quiet=quiet, verbose=verbose, yes=given["yes"])
