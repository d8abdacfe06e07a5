"""`run`: a source through an operation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bulkzcrm.cli.completing import of_files, of_operations, of_profiles
from bulkzcrm.cli.finishing import finish
from bulkzcrm.cli.next_steps import mending_command, resume_words
from bulkzcrm.cli.options import (
    formats_of,
    output_options,
    pace_options,
    reading_options,
    refuse_wrong_way_round,
    repair_option,
    run_options,
    voice_options,
)
from bulkzcrm.cli.results import Going
from bulkzcrm.cli.session import SANDBOX_FILE, Session
from bulkzcrm.journal import Journal
from bulkzcrm.run.options import command_line
from bulkzcrm.run.reporting import Ending
from bulkzcrm.run.run_id import new_run_id
from bulkzcrm.run.sources import origin_of
from bulkzcrm.spec.describe import operation_named
from bulkzcrm.spec.unique import keyed

__all__ = ["run"]


@click.command(
    epilog="Examples: bulkzcrm run create-services prices.xlsx --profile main"
    " | bulkzcrm run set-service-status list.csv --set Status=Available --yes"
)
@click.argument("operation", required=False, shell_complete=of_operations)
@click.argument("source", required=False, shell_complete=of_files)
@click.option("--job", "job_file", type=click.Path(), metavar="JOB.toml", help="Everything is named in a job file.")
@click.option("--sandbox", is_flag=True, help="Rehearse in a sandbox of this run's own; reads no credentials.")
@click.option(
    "--profile", metavar="NAME", shell_complete=of_profiles, help="The organisation: a table in profiles.toml."
)
@click.option("--batch-size", type=click.IntRange(min=1), metavar="N", help="At most so many records in a request.")
@click.option("--no-triggers", is_flag=True, help="Ask that workflows do not run (unconfirmed for services).")
@repair_option
@click.option("--again", is_flag=True, help="Create the records of this content once more.")
@click.option("--yes", "-y", is_flag=True, help="Send without being asked.")
@reading_options
@pace_options
@output_options
@voice_options
def run(
    operation: str | None,
    source: str | None,
    *,
    job_file: str | None,
    as_json: bool,
    quiet: bool,
    verbose: bool,
    **given: Any,
) -> None:
    """Send the rows of SOURCE through OPERATION, then report on every row.

    SOURCE is a CSV, XLSX or JSON Lines file, or - for CSV on standard input.
    """
    if job_file is not None:
        from bulkzcrm.cli.job_running import run_job  # noqa: PLC0415 - only jobs need it

        if operation is not None or source is not None:
            raise click.UsageError("--job names everything itself; leave out OPERATION and SOURCE.")
        if given["save_map"] is not None:
            raise click.UsageError("--save-map keeps the columns of one source; leave it out with --job.")
        run_job(Path(job_file), given, as_json=as_json, quiet=quiet, verbose=verbose)
        return
    if operation is None or source is None:
        raise click.UsageError("Say which OPERATION and which SOURCE, for example: run create-services prices.csv")
    refuse_wrong_way_round("run", operation, source)

    from bulkzcrm.run.engine import begin, carry_on  # noqa: PLC0415 - what sends takes its time, and --help does not

    async def work(session: Session) -> Ending:
        options = run_options(given)
        chosen = keyed(operation_named(operation), options.unique_field)
        run_id = new_run_id(session.without_organisation())
        folder = session.folder(given["output"], run_id)
        formats = formats_of(given["formats"])
        sandbox = folder / SANDBOX_FILE if given["sandbox"] else None
        profile = given["profile"]
        async with session.organisation(profile, sandbox=sandbox, unique_field=options.unique_field) as around:
            with Journal.open(session.home) as journal:
                with session.column_words(map_file=given["map_file"], save_map=given["save_map"]):
                    await begin(
                        journal,
                        origin_of(source, options),
                        chosen,
                        options,
                        around,
                        run=run_id,
                        folder=folder,
                        formats=formats,
                        context={"profile": profile, "yes": session.yes},
                    )
                session.going = Going(run_id, command_line(resume_words(run_id, profile)))
                session.save_map(given["save_map"])
                ending = await carry_on(journal, run_id, chosen, around, resume=session.going.resume)
                mending_command(session.voice, journal, run_id, ending, profile)
                return ending

    finish(
        work,
        operation=operation,
        as_json=as_json,
        quiet=quiet,
        verbose=verbose,
        yes=given["yes"],
        reads_standard_input=source == "-",
    )
