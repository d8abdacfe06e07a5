"""`check`: a source by itself, without any network."""

from __future__ import annotations

from typing import Any

import click

from bulkzcrm.cli.completing import of_files, of_operations
from bulkzcrm.cli.finishing import finish
from bulkzcrm.cli.next_steps import say_overview
from bulkzcrm.cli.options import (
    formats_of,
    output_options,
    reading_options,
    refuse_wrong_way_round,
    run_options,
    voice_options,
)
from bulkzcrm.cli.session import Session
from bulkzcrm.run.checking import check as check_source
from bulkzcrm.run.reporting import Ending
from bulkzcrm.run.run_id import new_run_id
from bulkzcrm.run.sources import origin_of
from bulkzcrm.spec.describe import operation_named

__all__ = ["check"]


@click.command(epilog="Example: bulkzcrm check create-services prices.xlsx --time-zone Europe/Berlin")
@click.argument("operation", required=False, shell_complete=of_operations)
@click.argument("source", required=False, shell_complete=of_files)
@click.option("--max-errors", metavar="N|N%", hidden=True)
@reading_options
@output_options
@voice_options
def check(
    operation: str | None, source: str | None, *, as_json: bool, quiet: bool, verbose: bool, **given: Any
) -> None:
    """Read and judge SOURCE as `run` would, without any network: nothing is sent, only the report is kept."""
    if operation is None or source is None:
        raise click.UsageError("Say which OPERATION and which SOURCE, for example: check create-services prices.csv")
    refuse_wrong_way_round("check", operation, source)

    async def work(session: Session) -> Ending:
        chosen = operation_named(operation)
        options = run_options(given)
        around = session.without_organisation()
        folder = session.folder(given["output"], f"{new_run_id(around)}-check")
        with session.column_words(map_file=given["map_file"], save_map=given["save_map"]):
            ending = await check_source(
                origin_of(source, options),
                chosen,
                options,
                around,
                folder=folder,
                formats=formats_of(given["formats"]),
            )
        session.save_map(given["save_map"])
        say_overview(session.voice, ending.summary)
        for left_open in ending.summary.not_checked or ():
            session.voice.say(f"Not checked: {left_open}")
        return ending

    finish(work, operation=operation, as_json=as_json, quiet=quiet, verbose=verbose, checking=True)
