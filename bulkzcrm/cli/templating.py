"""`template`: a workbook made for an operation, with the lists of an organisation where one is named."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import BinaryIO

import click

from bulkzcrm.cli.completing import of_operations, of_profiles
from bulkzcrm.cli.session import SANDBOX_FILE, Session, drive
from bulkzcrm.cli.speaking import tell
from bulkzcrm.config import Connection
from bulkzcrm.errors import OutputError, UsageError
from bulkzcrm.model import Record
from bulkzcrm.progress import Voice
from bulkzcrm.run.options import command_line
from bulkzcrm.spec.describe import operation_named, operations_table
from bulkzcrm.spec.operation import Operation
from bulkzcrm.spec.organisation import Organisation

__all__ = ["template"]


@click.command(epilog="Example: bulkzcrm template create-services -o services.xlsx --profile main")
@click.argument("operation", required=False, shell_complete=of_operations)
@click.option("--output", "-o", type=click.Path(), metavar="FILE.xlsx", help="Where it is written [OPERATION.xlsx].")
@click.option(
    "--profile", metavar="NAME", shell_complete=of_profiles, help="Offer this organisation's users, taxes and the like."
)
@click.option("--sandbox", is_flag=True, help="Offer those of the sandbox.")
def template(operation: str | None, *, output: str | None, profile: str | None, sandbox: bool) -> None:
    """Write a workbook for OPERATION: fill it in, and give it to `run` as it is.

    It has a header that the tool knows, lists to choose from, ids that stay text, a comment on each header, an example
    row, and a sheet that says how it is filled in.
    """
    if operation is None:
        raise click.UsageError(f"Say for which OPERATION: {', '.join(name for name, _ in operations_table())}.")
    chosen = operation_named(operation)
    there = Path(output or f"{chosen.name}.xlsx").absolute()
    if there.exists():
        raise UsageError(f"{there} is there already.", "Name another file with --output, or delete it.")
    if there.suffix.casefold() != ".xlsx":
        raise UsageError(f"{there.name} is no name of a workbook.", "Let it end with .xlsx.")
    organisation: Organisation | None = None
    record: Record | None = None
    source = "Users, taxes and other lists of your organisation are offered if the template is made with --profile."
    if profile is not None or sandbox:
        session = Session(Voice(quiet=False, verbose=False, has_log=False), yes=False)
        with tempfile.TemporaryDirectory(prefix="bulkzcrm-") as scratch:
            state = Path(scratch) / SANDBOX_FILE if sandbox else None
            organisation, record = drive(session, partial(_read, session, chosen, profile, state))
        name = organisation.profile.name if organisation.profile else "the organisation"
        source = f"What can be chosen is what {name} had when this template was made."
    _write(there, chosen, organisation, record, source)
    tell(str(there))
    words = ("bulkzcrm", "check", chosen.name, output or there.name)
    click.echo(f"Fill it in, then: {command_line(words)}", err=True)


async def _read(
    session: Session, operation: Operation, profile: str | None, sandbox: Path | None
) -> tuple[Organisation, Record | None]:
    async with session.organisation(profile, sandbox=sandbox) as around:
        if around.connection is None:
            raise UsageError("There is no organisation to read.", "Name a profile, or use --sandbox.")
        return await _organisation(around.connection, operation)


async def _organisation(connection: Connection, operation: Operation) -> tuple[Organisation, Record | None]:
    from bulkzcrm.run.standing import read_choices  # noqa: PLC0415 - aiohttp takes its time

    return await read_choices(connection, operation)


def _write(
    there: Path, operation: Operation, organisation: Organisation | None, record: Record | None, source: str
) -> None:
    from bulkzcrm.report import write_aside  # noqa: PLC0415 - only what writes needs it
    from bulkzcrm.template import (  # noqa: PLC0415 - openpyxl takes its time
        example_row,
        is_harmless,
        lists_of,
        write_template,
    )

    def fill(stream: BinaryIO) -> None:
        write_template(
            stream,
            operation,
            lists_of(operation, organisation),
            example_row(operation, organisation, record),
            source=source,
            as_row=is_harmless(operation, record),
        )

    try:
        aside = write_aside(there.parent, there.name, fill)
    except OutputError as error:
        raise OutputError(error.message, "Name another place with --output.") from error
    try:
        placed = aside.put_in_place()
    finally:
        aside.discard()
    if placed.path != there:
        raise OutputError(placed.note, "Close it in other programs.")
