"""`report`: a run's report once more, from the journal."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

import click

from bulkzcrm.cli.completing import of_formats, of_runs
from bulkzcrm.cli.next_steps import mending_command, resume_words, say_overview
from bulkzcrm.cli.options import formats_of, mask_option
from bulkzcrm.cli.results import ended_json, say_result
from bulkzcrm.cli.speaking import complain, say_last, tell
from bulkzcrm.clock import milliseconds, system_clock
from bulkzcrm.config import home
from bulkzcrm.errors import OutputError
from bulkzcrm.journal import Journal, Run
from bulkzcrm.progress import Voice
from bulkzcrm.run.folders import FolderTakenError, ready_folder, refuse_folder_of_another
from bulkzcrm.run.options import command_line
from bulkzcrm.run.reporting import project

__all__ = ["report"]


@click.command(epilog="Example: bulkzcrm report 20300107-093000-1f2e3d4a5 --format xlsx")
@click.argument("run", required=False, shell_complete=of_runs)
@click.option("--output", "-o", type=click.Path(), metavar="DIR", help="Another folder than the run's own.")
@click.option(
    "--format",
    "formats",
    default=None,
    metavar="LIST",
    shell_complete=of_formats,
    help="Further formats: csv,xlsx,jsonl,html.",
)
@mask_option
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")
def report(run: str | None, *, output: str | None, formats: str | None, mask: bool | None, as_json: bool) -> None:
    """Write the report of RUN again, from the journal, in any format."""
    if run is None:
        raise click.UsageError("Say which RUN; bulkzcrm runs lists them.")
    with Journal.open(home(os.environ)) as journal:
        found = journal.run(run)
        own = Path(found.output or run)
        folder = Path(output).absolute() if output else own
        ready_folder(folder, run, own=folder == own)
        refuse_folder_of_another(journal, folder, run, milliseconds(system_clock()))
        profile = found.lookups.get("profile")
        words = resume_words(run, str(profile) if profile else None)
        try:
            ending = project(
                journal,
                found,
                folder,
                resume=command_line(words),
                formats=formats_of(formats, found.formats),
                log=_log(found),
                mask=bool(mask),
            )
        except OutputError as error:
            _say_missing(error, run, output=output, formats=formats, as_json=as_json)
            sys.exit(error.exit_status)
        voice = Voice(quiet=False, verbose=False, has_log=False)
        for note in ending.notes:
            voice.say(note)
        if ending.summary.resume is None:
            mending_command(voice, journal, run, ending, str(profile) if profile else None)
        else:
            say_overview(voice, ending.summary)
    say_result(ending.summary, as_json=as_json)
    if ending.summary.resume:
        say_last(ending.summary.resume)


def _say_missing(error: OutputError, run: str, *, output: str | None, formats: str | None, as_json: bool) -> None:
    """Say why a report could not be written, and as the last line of all the command that writes it."""
    complain(str(error))
    if as_json:
        with suppress(OutputError):
            tell(ended_json(error, "", check=False))
    elsewhere = error.elsewhere if isinstance(error, FolderTakenError) else Path(output).absolute() if output else None
    words = ["bulkzcrm", "report", run]
    words += ["--output", str(elsewhere)] if elsewhere else []
    words += ["--format", formats] if formats else []
    say_last(command_line(words))


def _log(run: Run) -> Path | None:
    log = Path(run.output or run.id) / "run.log"
    return log if log.exists() else None
