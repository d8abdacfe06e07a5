"""`auth`: trade a self-client code for a token that lasts, and see what the login may do."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any

import anyio
import click

from bulkzcrm.cli.speaking import complain, tell
from bulkzcrm.config import Connection, home, load_connection, write_profile
from bulkzcrm.errors import BulkzcrmError, StoppedError, UnreachableError, UsageError
from bulkzcrm.redact import scrub

__all__ = ["auth"]


@click.group(epilog="Example: bulkzcrm auth status --profile main")
def auth() -> None:
    """Log in, and see what the login may do."""


@auth.command(epilog="Example: bulkzcrm auth login --code 1000.abc… --profile main")
@click.option(
    "--code",
    required=True,
    metavar="C",
    help="A self-client code from the vendor's API console; - reads it from input.",
)
@click.option("--profile", default="main", show_default=True, metavar="NAME", help="The profile to write.")
def login(*, code: str, profile: str) -> None:
    """Trade a self-client code for a refresh token, and keep it in a profile.

    The client's id and secret come from BULKZCRM_CLIENT_ID and BULKZCRM_CLIENT_SECRET, or else from the profile.
    Data centres other than the American one: set BULKZCRM_API_DOMAIN and BULKZCRM_ACCOUNTS_URL, too. Words of a command
    can be seen by others on the same machine: where that matters, say --code - and paste the code when asked.
    """
    from bulkzcrm.auth import exchange_code  # noqa: PLC0415 - aiohttp takes its time
    from bulkzcrm.profiles import read_profiles, refuse_unfit_name  # noqa: PLC0415 - the same
    from bulkzcrm.wire import Wire  # noqa: PLC0415 - the same

    folder = home(os.environ)
    refuse_unfit_name(profile)  # before the code is spent, which works only once
    known = profile in read_profiles(folder)
    connection = load_connection(profile=profile if known else None, environ=os.environ, home=folder, for_login=True)

    code = _code_from_input() if code == "-" else code

    async def trade() -> str:
        async with Wire(timeout_s=60.0, proxy=connection.proxy) as wire:
            return (await exchange_code(wire, connection, code)).reveal()

    path = write_profile(folder, profile, _settings(connection, anyio.run(trade)))
    tell(f"profile {profile}: written to {path}")
    click.echo(f"See what it may do: bulkzcrm auth status --profile {profile}", err=True)


def _code_from_input() -> str:
    """Return a code that is typed unseen, or the first line of standard input."""
    if sys.stdin.isatty():
        return str(click.prompt("Code", hide_input=True, err=True))
    code = sys.stdin.readline().strip()
    if not code:
        raise UsageError("There is no code on standard input.", "Write the code into it, or give it with --code.")
    return code


def _settings(connection: Connection, refresh_token: str) -> Mapping[str, str]:
    settings = {
        "api_domain": connection.api_domain,
        "accounts_url": connection.accounts_url,
        "client_id": connection.client_id,
        "client_secret": connection.client_secret.reveal(),
        "refresh_token": refresh_token,
        "api_version": connection.api_version,
    }
    if connection.org_id is not None:
        settings["org_id"] = connection.org_id
    if connection.proxy is not None:
        settings["proxy"] = connection.proxy.reveal()
    return settings


@auth.command(epilog="Example: bulkzcrm auth status --profile main")
@click.option("--profile", metavar="NAME", help="A profile; otherwise the environment, or the only profile.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")
def status(*, profile: str | None, as_json: bool) -> None:
    """Show organisation, user and edition, and what each operation lacks."""
    from bulkzcrm.run.standing import Standing, read_standing  # noqa: PLC0415 - aiohttp takes its time

    async def ask(connection: Connection) -> Standing:
        try:
            return await read_standing(connection)
        except UnreachableError as error:
            raise StoppedError(error.message, "Check the address and your network, then ask again.") from error

    try:
        connection = load_connection(profile=profile, environ=os.environ, home=home(os.environ))
        for note in connection.notes:
            click.echo(f"Warning: {note}", err=True)
        standing = anyio.run(ask, connection)
    except BulkzcrmError as error:
        if not as_json:
            raise
        complain(str(error))
        tell(json.dumps({"profile": profile, "error": scrub(str(error))}))
        raise click.exceptions.Exit(error.exit_status) from error
    if as_json:
        tell(json.dumps(standing.as_json(connection)))
        return
    _say(standing.as_json(connection))


def _say(told: dict[str, Any]) -> None:
    for name in ("profile", "organisation", "type", "user", "edition", "api_domain", "secrets"):
        tell(f"{name.replace('_', ' '):<13} {told[name] or '-'}")
    for operation, lacks in told["operations"].items():
        tell(f"{operation:<27} {'; '.join(lacks) if lacks else 'nothing that can be seen is lacking'}")
