"""How every command that works on a run ends: what it says, in which order, and with which exit status."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import click

from bulkzcrm.cells import counted
from bulkzcrm.cli.results import ended_job_json, ended_json, exit_status, say_result
from bulkzcrm.cli.session import Session, drive
from bulkzcrm.cli.speaking import complain, tell
from bulkzcrm.errors import BulkzcrmError, OutputError
from bulkzcrm.journal import JournalReader
from bulkzcrm.model import Status
from bulkzcrm.progress import Voice
from bulkzcrm.run.options import RunOptions, command_line
from bulkzcrm.run.reporting import Ending
from bulkzcrm.run.steps import JobEnding

__all__ = ["finish", "finish_job", "mending_command", "mending_commands", "resume_words", "say_last"]


def resume_words(run: str, profile: str | None) -> list[str]:
    """Return the words of the command that carries on with a run."""
    return ["bulkzcrm", "resume", run, *(["--profile", profile] if profile else [])]


def mending_command(voice: Voice, journal: JournalReader, run_id: str, ending: Ending, profile: str | None) -> None:
    """Say how the mended `failed.csv` is given back, with every option in force, inferred ones included."""
    if "failed" not in ending.summary.files:
        return
    counts = ending.summary.counts
    repeated = counts.get(Status.INVALID, 0) + counts.get(Status.REJECTED, 0) - ending.failed
    if repeated:
        voice.say(f"{counted(repeated, 'row')} repeating an earlier one: told in results.csv, and not in failed.csv.")
    if not ending.failed:
        return
    try:
        run = journal.run(run_id)
    except OutputError as error:
        # The report is written and tells how the rows ended; a disk that fails only now takes nothing of that away.
        voice.say(f"Warning: {error}", even_if_quiet=True)
        return
    options = RunOptions.from_json(run.options)
    inferred = run.decisions.get("inferred")
    words = ["bulkzcrm", "run", run.operation, str(ending.summary.files["failed"])]
    words += options.arguments(of_the_source=False)
    for name, value in inferred.items() if isinstance(inferred, dict) else ():
        if getattr(options, str(name), None) is None:
            words += [f"--{str(name).replace('_', '-')}", str(value)]
    words += ["--sandbox"] if run.sandbox else []
    words += ["--profile", profile] if profile else []
    if tuple(run.formats) != ("csv",):
        words += ["--format", ",".join(run.formats)]
    name = ending.summary.files["failed"].name
    them = "it" if ending.failed == 1 else "them"
    voice.say(f"To mend: {counted(ending.failed, 'row')} in {name}. Correct {them} there, then:")
    voice.say(f"  {command_line(words)}")


def mending_commands(
    voice: Voice, journal: JournalReader, runs: Sequence[str], ending: JobEnding, profile: str | None
) -> None:
    """Say the same of every step of a job that has failed rows."""
    for run, step in zip(runs, ending.steps, strict=True):
        mending_command(voice, journal, run, step, profile)


def finish(
    work: Callable[[Session], Awaitable[Ending]],
    *,
    operation: str,
    as_json: bool,
    quiet: bool,
    verbose: bool,
    yes: bool = False,
    reads_standard_input: bool = False,
    checking: bool = False,
) -> None:
    """Do a command's work; print the result and leave with its exit status."""
    finish_job(
        work,
        operation=operation,
        as_json=as_json,
        quiet=quiet,
        verbose=verbose,
        yes=yes,
        reads_standard_input=reads_standard_input,
        checking=checking,
    )


def finish_job(
    work: Callable[[Session], Awaitable[Ending | JobEnding]],
    *,
    operation: str,
    as_json: bool,
    quiet: bool,
    verbose: bool,
    yes: bool = False,
    reads_standard_input: bool = False,
    checking: bool = False,
    job: str | None = None,
) -> None:
    """Do the work of a command that may concern a whole job; print the result and leave with its exit status."""
    voice = Voice(quiet=quiet, verbose=verbose)
    session = Session(voice, yes=yes, reads_standard_input=reads_standard_input)
    try:
        with voice.speaking():
            ending = drive(session, lambda: work(session))
    except BulkzcrmError as error:
        complain(str(error))
        session.forget_folders()
        if as_json:
            with suppress(OutputError):
                going = session.going
                tell(
                    ended_json(error, operation, check=checking, going=going)
                    if job is None
                    else ended_job_json(error, job, going=going)
                )
        if session.going is not None and isinstance(error, OutputError):
            say_last(session.going.resume)
        sys.exit(error.exit_status)
    status = _say_ending(ending, as_json=as_json)
    for command in _last_commands(ending):
        say_last(command)
    sys.exit(status)


def _last_commands(ending: Ending | JobEnding) -> list[str]:
    """Return the command that carries on; where all rows are settled, those that write the reports that are missing."""
    resume = ending.resume if isinstance(ending, JobEnding) else ending.summary.resume
    if resume is not None:
        return [resume]
    steps = ending.steps if isinstance(ending, JobEnding) else [ending]
    return [step.report_again for step in steps if step.report_again is not None]


def _say_ending(ending: Ending | JobEnding, *, as_json: bool) -> int:
    """Say why it stopped, then the result, and return the exit status."""
    if isinstance(ending, JobEnding):
        status, because = ending.exit_status, ending.stopped_because
    else:
        status, because = exit_status(ending.summary), ending.summary.stopped_because
    if because:
        for command in _last_commands(ending):
            # The command itself is the last line of all.
            because = because.removesuffix(f" {command}")
        complain(because)
    try:
        if isinstance(ending, JobEnding):
            _say_job(ending, as_json=as_json)
        else:
            say_result(ending.summary, as_json=as_json)
    except OutputError as error:
        complain(str(error))
        return error.exit_status if status in (0, 1) else status
    return status


def _say_job(ending: JobEnding, *, as_json: bool) -> None:
    if as_json:
        tell(ending.to_json())
        return
    for step in ending.steps:
        say_result(step.summary, as_json=False)
    tell(f"job {ending.job}: {ending.state.value}")


def say_last(resume: str) -> None:
    """Say the command that carries on, as the last line of all."""
    with suppress(OSError):
        click.echo(resume, err=True)
