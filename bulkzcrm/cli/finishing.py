"""How every command that works on a run ends: what it says, in which order, and with which exit status."""

from __future__ import annotations

import gc
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress

from bulkzcrm.cli.results import ended_job_json, ended_json, exit_status, say_result
from bulkzcrm.cli.session import Session, drive
from bulkzcrm.cli.speaking import complain, say_last, tell
from bulkzcrm.errors import BulkzcrmError, OutputError
from bulkzcrm.progress import Voice
from bulkzcrm.run.job_ending import JobEnding
from bulkzcrm.run.reporting import Ending

__all__ = ["finish", "finish_job"]


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
    voice = Voice(quiet=quiet, verbose=verbose, has_log=not checking)
    session = Session(voice, yes=yes, reads_standard_input=reads_standard_input)
    try:
        with voice.speaking():
            # What has been imported stays: the collector of garbage need not look through it again and again.
            gc.freeze()
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
