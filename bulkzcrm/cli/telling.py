"""`runs`, `report`, `operations`, `explain`: what was done, and what can be done."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from pathlib import Path

import click

from bulkzcrm.cli.finishing import mending_command, resume_words, say_last
from bulkzcrm.cli.options import formats_of
from bulkzcrm.cli.results import ended_json, say_result
from bulkzcrm.cli.speaking import complain, tell
from bulkzcrm.config import home
from bulkzcrm.errors import OutputError
from bulkzcrm.jobs import no_such_operation
from bulkzcrm.journal import Journal, Run, reported_counts
from bulkzcrm.journal.states import RESUMABLE
from bulkzcrm.progress import Voice
from bulkzcrm.run.options import command_line
from bulkzcrm.run.reporting import project, ready_folder, state_of
from bulkzcrm.spec.describe import describe_operation, operations_table
from bulkzcrm.spec.operations import OPERATIONS

__all__ = ["explain", "operations", "report", "runs"]


@click.command(epilog="Example: bulkzcrm runs --limit 5")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=20, show_default=True, help="How many at most.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")
def runs(*, limit: int, as_json: bool) -> None:
    """List the runs, newest first: state, operation, source, organisation, and how the rows ended."""
    with Journal.open(home(os.environ)) as journal:
        found = [(run, reported_counts(journal.count_by_status(run.id))) for run in journal.runs(limit=limit)]
    told = [
        {
            "run": run.id,
            "state": state_of(run).value,
            "operation": run.operation,
            "source": run.source,
            "organisation": run.organisation,
            "sandbox": run.sandbox,
            "rows": sum(counts.values()),
            **{status.value: count for status, count in counts.items()},
        }
        for run, counts in found
    ]
    if as_json:
        tell(json.dumps({"runs": told}))
        return
    if not told:
        tell("There are no runs yet.")
    for each, (_, counts) in zip(told, found, strict=True):
        ended = ", ".join(f"{count:,} {status.value}" for status, count in counts.items() if count) or "no rows"
        where = "a sandbox" if each["sandbox"] else each["organisation"] or "no organisation yet"
        tell(f"{each['run']}  {each['state']:<11}  {each['operation']}  {each['source']} to {where}: {ended}")


@click.command(epilog="Example: bulkzcrm report 20300107-093000-1f2e3d4a5 --format xlsx")
@click.argument("run")
@click.option("--output", "-o", type=click.Path(), metavar="DIR", help="Another folder than the run's own.")
@click.option("--format", "formats", default=None, metavar="LIST", help="Further formats: csv,xlsx,jsonl.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")
def report(run: str, *, output: str | None, formats: str | None, as_json: bool) -> None:
    """Write the report of RUN again, from the journal, in any format."""
    with Journal.open(home(os.environ)) as journal:
        found = journal.run(run)
        own = Path(found.output or run)
        folder = Path(output).absolute() if output else own
        ready_folder(folder, run, own=folder == own)
        profile = found.lookups.get("profile")
        words = resume_words(run, str(profile) if profile else None)
        try:
            ending = project(
                journal,
                found,
                folder,
                resume=command_line(words) if found.state in RESUMABLE else None,
                formats=formats_of(formats, found.formats),
                log=_log(found),
            )
        except OutputError as error:
            _say_missing(error, run, output=output, formats=formats, as_json=as_json)
            sys.exit(error.exit_status)
        voice = Voice(quiet=False, verbose=False)
        for note in ending.notes:
            voice.say(note)
        if found.state not in RESUMABLE:
            mending_command(voice, journal, run, ending, str(profile) if profile else None)
    say_result(ending.summary, as_json=as_json)
    if ending.summary.resume:
        say_last(ending.summary.resume)


def _say_missing(error: OutputError, run: str, *, output: str | None, formats: str | None, as_json: bool) -> None:
    """Say why a report could not be written, and as the last line of all the command that writes it."""
    complain(str(error))
    if as_json:
        with suppress(OutputError):
            tell(ended_json(error, "", check=False))
    words = ["bulkzcrm", "report", run]
    words += ["--output", str(Path(output).absolute())] if output else []
    words += ["--format", formats] if formats else []
    say_last(command_line(words))


def _log(run: Run) -> Path | None:
    log = Path(run.output or run.id) / "run.log"
    return log if log.exists() else None


@click.command(epilog="Example: bulkzcrm operations update-services")
@click.argument("operation", required=False)
def operations(operation: str | None) -> None:
    """List the operations; of OPERATION its fields, formats, rules and scopes."""
    if operation is None:
        for name, about in operations_table():
            tell(f"{name:<28}{about}")
        return
    if operation not in OPERATIONS:
        raise no_such_operation(operation)
    tell(describe_operation(OPERATIONS[operation]))


@click.command(epilog="Example: bulkzcrm explain DEPENDENT_MISMATCH")
@click.argument("code")
def explain(code: str) -> None:
    """Say what an error CODE means here, what causes it, and what to do."""
    from bulkzcrm.spec.codes import explain as explained  # noqa: PLC0415 - the catalogue is for this command only

    tell(explained(code))
