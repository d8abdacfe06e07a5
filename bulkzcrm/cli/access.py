"""`auth`: log in through the browser or with a code, log out, and see what the login may do."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import click

from bulkzcrm.cli.completing import of_profiles
from bulkzcrm.cli.speaking import complain, tell
from bulkzcrm.config import Connection, home, load_connection, load_login, write_profile
from bulkzcrm.errors import (
    BulkzcrmError,
    ConfigurationError,
    MissingCredentialsError,
    StoppedError,
    UnreachableError,
    UsageError,
)
from bulkzcrm.redact import scrub

if TYPE_CHECKING:
    from bulkzcrm.browser_login import Authorised

__all__ = ["auth"]

_BROWSER_WAIT_S = 300.0


@click.group(epilog="Example: bulkzcrm auth status --profile main")
def auth() -> None:
    """Log in and out, and see what the login may do."""


@auth.command(
    epilog="Examples: bulkzcrm auth login --profile main; without a browser: bulkzcrm auth login --code 1000.abc…"
)
@click.option(
    "--code",
    metavar="C",
    help="Instead of the browser: a self-client code from the vendor's API console; - reads it from input.",
)
@click.option(
    "--profile",
    default="main",
    show_default=True,
    metavar="NAME",
    shell_complete=of_profiles,
    help="The profile to write.",
)
@click.option("--no-keyring", is_flag=True, help="Keep the secrets in the profile's file (mode 0600) in any case.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=None,
    metavar="N",
    help="Where the browser is sent back to on this computer [8765]; its address must be registered.",
)
@click.option("--no-browser", is_flag=True, help="Only print the address, to be opened by hand on this computer.")
def login(*, code: str | None, profile: str, no_keyring: bool, port: int | None, no_browser: bool) -> None:
    """Log in, and keep the login in a profile.

    Through the browser: make a server-based application in the vendor's API console, with
    http://localhost:8765/bulkzcrm as its redirect address. With --code: make a self client, and a code with the scopes
    of the README. The client's id and secret come from BULKZCRM_CLIENT_ID and BULKZCRM_CLIENT_SECRET, else from the
    profile, else they are asked for. Data centres other than the American one: set BULKZCRM_API_DOMAIN (through the
    browser, the vendor tells where your account is). The secrets go into the system's keyring, where there is one.
    Words of a command can be seen by others on the same machine: where that matters, say --code - and paste the code
    when asked.
    """
    from bulkzcrm.auth import exchange_code  # noqa: PLC0415 - aiohttp takes its time
    from bulkzcrm.profiles import refuse_unwritable  # noqa: PLC0415 - the same
    from bulkzcrm.wire import Wire  # noqa: PLC0415 - the same

    folder = home(os.environ)
    refuse_unwritable(folder, profile)  # before the code is spent, which works only once
    connection = _connection_to_be(profile, folder)
    redirect_uri = None
    if code is None:
        agreed = _agreed_in_browser(connection, port=port, opens=not no_browser)
        code, connection, redirect_uri = agreed.code.reveal(), agreed.connection, agreed.redirect_uri
    elif code == "-":
        code = _code_from_input()

    async def trade() -> str:
        async with Wire(timeout_s=60.0, proxy=connection.proxy) as wire:
            return (await exchange_code(wire, connection, code, redirect_uri=redirect_uri)).reveal()

    _keep(folder, profile, _settings(connection, anyio.run(trade)), with_keyring=not no_keyring)
    click.echo(f"See what it may do: bulkzcrm auth status --profile {profile}", err=True)


def _connection_to_be(profile: str, folder: Path) -> Connection:
    """Return where to log in; on a terminal the client's id and secret are asked for if nothing gives them."""
    asked = dict(os.environ)
    try:
        connection = load_login(profile=profile, environ=asked, home=folder)
    except MissingCredentialsError as error:
        missing = error.variables
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise
    else:
        for note in connection.notes:
            click.echo(f"Warning: {note}", err=True)
        return connection
    for name, hidden in (("BULKZCRM_CLIENT_ID", False), ("BULKZCRM_CLIENT_SECRET", True)):
        if name in missing:
            words = name.removeprefix("BULKZCRM_").replace("_", " ").capitalize()
            asked[name] = str(click.prompt(f"{words} (from the API console)", hide_input=hidden, err=True)).strip()
    return load_login(profile=profile, environ=asked, home=folder)


def _agreed_in_browser(connection: Connection, *, port: int | None, opens: bool) -> Authorised:
    import webbrowser  # noqa: PLC0415 - seldom needed

    from bulkzcrm.browser_login import PORT, authorised_by_browser  # noqa: PLC0415 - seldom needed
    from bulkzcrm.spec.describe import all_scopes  # noqa: PLC0415 - the same

    def show(address: str, back: str) -> None:
        click.echo(f"The browser will come back to {back}, which the client in the API console must name.", err=True)
        opened = opens and webbrowser.open(address)
        click.echo("Agree in the browser." if opened else "Open this address in a browser on this computer:", err=True)
        if not opened:
            click.echo(address, err=True)

    return authorised_by_browser(
        connection, all_scopes(), port=PORT if port is None else port, wait_s=_BROWSER_WAIT_S, show=show
    )


def _keep(folder: Path, profile: str, settings: Mapping[str, str], *, with_keyring: bool) -> None:
    """Write the profile, its secrets into the keyring if there is one, and say where they are."""
    from bulkzcrm.profiles import KEYRING, KEYRING_KEYS, SECRETS_IN  # noqa: PLC0415 - seldom needed
    from bulkzcrm.system_keyring import forget_secrets, keep_secrets, keyring_name  # noqa: PLC0415 - the same

    secret = {key: settings[key] for key in KEYRING_KEYS}
    if with_keyring and keep_secrets(folder, profile, secret):
        open_settings = {key: value for key, value in settings.items() if key not in secret}
        path = write_profile(folder, profile, {**open_settings, SECRETS_IN: KEYRING})
        tell(f"profile {profile}: written to {path}, its secrets to the system's keyring ({keyring_name()})")
        click.echo("Scheduled runs often have no keyring; for them, log in with --no-keyring.", err=True)
        return
    path = write_profile(folder, profile, settings)
    forget_secrets(folder, profile, KEYRING_KEYS)
    tell(f"profile {profile}: written to {path}")
    why = "as you asked" if not with_keyring else "since there is no keyring of the system's that can be used"
    click.echo(f"Its secrets are in that file, which only you can read, {why}.", err=True)


@auth.command(epilog="Example: bulkzcrm auth logout --profile main")
@click.option(
    "--profile", metavar="NAME", shell_complete=of_profiles, help="The profile; the only one, if there is just one."
)
@click.option("--keep-client", is_flag=True, help="Keep the profile and its client, and forget the login alone.")
def logout(*, profile: str | None, keep_client: bool) -> None:
    """Have the vendor forget the login, and delete the profile from this computer."""
    from bulkzcrm.auth import revoke  # noqa: PLC0415 - aiohttp takes its time
    from bulkzcrm.profiles import KEYRING_KEYS, delete_profile, read_profiles  # noqa: PLC0415 - the same
    from bulkzcrm.system_keyring import forget_secrets  # noqa: PLC0415 - the same
    from bulkzcrm.wire import Wire  # noqa: PLC0415 - the same

    folder = home(os.environ)
    profiles = read_profiles(folder)
    if profile is None and len(profiles) != 1:
        raise ConfigurationError(
            f"There are {len(profiles)} profiles: {', '.join(profiles)}." if profiles else "There is no profile.",
            "Name one with --profile." if profiles else "Nothing is to be done.",
        )
    name = profile or next(iter(profiles))
    # The profile is all that is asked: another login in the environment stays as it is.
    connection = load_connection(profile=name, environ={}, home=folder, needs_login=False)
    revoked = True
    if connection.refresh_token:

        async def forget() -> bool:
            async with Wire(timeout_s=60.0, proxy=connection.proxy) as wire:
                return await revoke(wire, connection)

        revoked = anyio.run(forget)
    forget_secrets(folder, name, KEYRING_KEYS)
    if keep_client:
        _keep_client(folder, name, _settings(connection, ""), in_keyring=connection.in_keyring)
    else:
        delete_profile(folder, name)
    tell(f"profile {name}: logged out" + (", its client is kept" if keep_client else ", and deleted"))
    if not revoked:
        raise StoppedError(
            f"{connection.accounts_url} did not confirm that it has forgotten the login.",
            "It is deleted from this computer; to be sure, remove it in your account: Sessions, Connected apps.",
        )


def _keep_client(folder: Path, name: str, settings: Mapping[str, str], *, in_keyring: bool) -> None:
    from bulkzcrm.profiles import KEYRING, SECRETS_IN  # noqa: PLC0415 - seldom needed
    from bulkzcrm.system_keyring import keep_secrets  # noqa: PLC0415 - the same

    client = {key: value for key, value in settings.items() if value}
    secret = {"client_secret": client["client_secret"]}
    stays = in_keyring and keep_secrets(folder, name, secret)
    if stays:
        client = {**{key: value for key, value in client.items() if key not in secret}, SECRETS_IN: KEYRING}
    path = write_profile(folder, name, client)
    if in_keyring and not stays:
        click.echo(f"The system's keyring does not keep the client's secret; it is in {path} now.", err=True)


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
@click.option(
    "--profile",
    metavar="NAME",
    shell_complete=of_profiles,
    help="A profile; otherwise the environment, or the only profile.",
)
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
