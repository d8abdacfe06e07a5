"""How every command that works on a run ends: what it says, in which order, and with which exit status."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable

import click

from bulkzcrm.cli.results import exit_status, refused_job_json, refused_json, say_result
from bulkzcrm.cli.session import Session, drive
from bulkzcrm.errors import BulkzcrmError
from bulkzcrm.journal import Run
from bulkzcrm.progress import Voice
from bulkzcrm.redact import scrub
from bulkzcrm.run.options import RunOptions, command_line
from bulkzcrm.run.reporting import Ending
from bulkzcrm.run.steps import JobEnding

__all__ = ["finish", "finish_job", "mending_command", "resume_words"]


def resume_words(run: str, profile: str | None) -> list[str]:
    """Return the words of the command that carries on with a run."""
    return ["bulkzcrm", "resume", run, *(["--profile", profile] if profile else [])]


def mending_command(voice: Voice, run: Run, ending: Ending, profile: str | None) -> None:
    """Say how the mended `failed.csv` is given back, with every option in force, inferred ones included."""
    if not ending.failed:
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
    rows = "1 row" if ending.failed == 1 else f"{ending.failed:,} rows"
    voice.say(f"To mend: {rows} in failed.csv. Correct them there, then:")
    voice.say(f"  {command_line(words)}")


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
        click.echo(scrub(f"bulkzcrm: {error}"), err=True)
        if as_json:
            click.echo(
                refused_json(str(error), operation, check=checking)
                if job is None
                else refused_job_json(str(error), job)
            )
        sys.exit(error.exit_status)
    if isinstance(ending, JobEnding):
        _say_job(ending, as_json=as_json)
        sys.exit(ending.exit_status)
    _say_run(ending, as_json=as_json)
    sys.exit(exit_status(ending.summary))


def _say_run(ending: Ending, *, as_json: bool) -> None:
    summary = ending.summary
    if summary.stopped_because:
        click.echo(scrub(f"bulkzcrm: {summary.stopped_because}"), err=True)
    say_result(summary, as_json=as_json)
    _say_last(summary.resume)


def _say_job(ending: JobEnding, *, as_json: bool) -> None:
    if ending.stopped_because:
        click.echo(scrub(f"bulkzcrm: {ending.stopped_because}"), err=True)
    if as_json:
        click.echo(ending.to_json())
    else:
        for step in ending.steps:
            say_result(step.summary, as_json=False)
        click.echo(f"job {ending.job}: {ending.state.value}")
    _say_last(ending.resume)


def _say_last(resume: str | None) -> None:
    """Say the command that carries on, as the last line of all."""
    if resume is not None:
        sys.stdout.flush()
        click.echo(resume, err=True)
