"""`resume` and `retry`: what a run left to do, and what went wrong in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from bulkzcrm.cli.finishing import finish, finish_job, mending_command, mending_commands, resume_words
from bulkzcrm.cli.options import formats_of, output_options, pace_options, run_options, voice_options
from bulkzcrm.cli.session import Going, Session
from bulkzcrm.errors import UsageError
from bulkzcrm.journal import Journal, Run, RunState
from bulkzcrm.run.engine import begin, carry_on, change_options, new_run_id
from bulkzcrm.run.options import RunOptions, command_line
from bulkzcrm.run.reporting import Ending
from bulkzcrm.run.retrying import failed_origin, latest_run, retry_options
from bulkzcrm.run.steps import JobEnding, carry_on_steps, steps_of
from bulkzcrm.spec.operations import OPERATIONS

__all__ = ["resume", "retry"]


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
@click.argument("run", required=False)
@click.option("--profile", metavar="NAME", help="The organisation of the run, if its profile has another name now.")
@click.option("--yes", "-y", is_flag=True, help="Send without being asked.")
@pace_options
@voice_options
def resume(run: str | None, *, as_json: bool, quiet: bool, verbose: bool, **given: Any) -> None:
    """Carry on with RUN, by default the latest that can be resumed; of a job, with its further steps as well."""

    async def work(session: Session) -> Ending | JobEnding:
        with Journal.open(session.home) as journal:
            chosen = _resumable(journal, run)
            session.voice.say(f"Resuming {chosen.id}: {chosen.operation} of {chosen.source}")
            job = chosen.lookups.get("job")
            profile = _profile(chosen, given["profile"])
            session.going = Going(chosen.id, command_line(resume_words(chosen.id, profile)))
            runs = steps_of(journal, chosen)
            changed = {}
            for each in _left(journal, runs):
                kept = RunOptions.from_json(each.options)
                wanted = run_options(given, base=kept)
                if wanted != kept:
                    changed[each.id] = wanted
            unique = _unique_field(journal, runs)
            async with session.organisation(profile, sandbox=_sandbox(chosen), unique_field=unique) as around:
                change_options(journal, changed, around)
                if isinstance(job, dict):
                    session.yes = session.yes or job.get("yes") is True
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


def _resumable(journal: Journal, run: str | None) -> Run:
    if run is None:
        latest = journal.latest_resumable()
        if latest is None:
            raise UsageError("There is no run that can be resumed.", "`bulkzcrm runs` lists the runs.")
        # Of a job, its first step that is not finished comes first.
        return next(_left(journal, steps_of(journal, latest)))
    chosen = journal.run(run)
    if chosen.state is RunState.FINISHED:
        raise UsageError(f"The run {run} is finished.", f"`bulkzcrm report {run}` writes its report again.")
    if chosen.state is RunState.INGESTING:
        raise UsageError(
            f"The run {run} ended while its source was read; nothing was sent.", "Begin it anew with `bulkzcrm run`."
        )
    return chosen


@click.command(epilog="Example: bulkzcrm retry 20300107-093000-1f2e3d4a5 --yes")
@click.argument("run", required=False)
@click.option("--profile", metavar="NAME", help="The organisation of the run, if its profile has another name now.")
@click.option("--yes", "-y", is_flag=True, help="Send without being asked.")
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
                    context={"profile": profile},
                    organisation=(earlier.organisation_id, earlier.organisation),
                )
                session.going = Going(run_id, command_line(resume_words(run_id, profile)))
                ending = await carry_on(
                    journal, run_id, OPERATIONS[earlier.operation], around, resume=session.going.resume
                )
                mending_command(session.voice, journal, run_id, ending, profile)
                return ending

    finish(work, operation="", as_json=as_json, quiet=quiet, verbose=verbose, yes=given["yes"])
