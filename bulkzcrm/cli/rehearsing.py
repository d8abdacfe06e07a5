"""`sandbox`: the stand-in API on loopback, for rehearsals, training and tests of other programs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import click

from bulkzcrm.cli.speaking import tell
from bulkzcrm.errors import UsageError

if TYPE_CHECKING:
    from bulkzcrm.sandbox import Faults, Sandbox, SandboxOptions

__all__ = ["sandbox"]


@click.command(epilog="Example: bulkzcrm sandbox --port 8080 --state training.sqlite3")
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default="a free one", help="Where it listens.")
@click.option("--state", type=click.Path(path_type=Path), metavar="FILE", help="Keep the organisation in a file.")
@click.option(
    "--edition",
    type=click.Choice(["free", "standard", "professional", "enterprise", "ultimate"]),
    default="enterprise",
    show_default=True,
    help="Sets how many requests may be in flight.",
)
@click.option(
    "--active-services", type=click.IntRange(min=0), default=500, show_default=True, help="The limit of them."
)
@click.option("--credits", "credit_limit", type=click.IntRange(min=0), default=60_000, show_default=True, help="A day.")
@click.option("--concurrency", type=click.IntRange(min=1), default=None, help="Requests at once [the edition's].")
@click.option("--no-token-throttle", is_flag=True, help="Give any number of access tokens in ten minutes.")
@click.option("--list-subforms", is_flag=True, help="Show members and timings in lists, too.")
@click.option(
    "--dialect", type=click.Choice(["full", "bare", "short"]), default="full", help="How errors are answered."
)
@click.option("--latency", type=click.FloatRange(min=0), default=0.0, metavar="S", help="Seconds before each answer.")
@click.option("--rate-429", type=click.FloatRange(0, 1), default=0.0, help="Share of requests throttled.")
@click.option(
    "--rate-500", type=click.FloatRange(0, 1), default=0.0, help="Share of writes that fail before they apply."
)
@click.option(
    "--rate-cut", type=click.FloatRange(0, 1), default=0.0, help="Share of writes applied, their answer lost."
)
@click.option("--unique-field", metavar="NAME", help="A field in which no two services may have the same value.")
@click.option("--seed", type=int, default=0, help="Makes the faults repeatable.")
def sandbox(**given: Any) -> None:
    """Serve the stand-in API on this machine until stopped; prints the environment that points the tool at it."""
    from bulkzcrm.sandbox import Sandbox, SandboxError, serve_forever  # noqa: PLC0415 - a server takes its time

    options, faults = _settings(given)
    stand_in = Sandbox(given["state"], options=options, faults=faults, port=given["port"])
    try:
        anyio.run(serve_forever, stand_in, _say_environment)
    except KeyboardInterrupt:
        click.echo("stopped", err=True)
    except SandboxError as error:
        raise UsageError(str(error), "Look at --state, --port and --unique-field.") from error


def _settings(given: Mapping[str, Any]) -> tuple[SandboxOptions, Faults]:
    from bulkzcrm.sandbox import Fault, Faults, SandboxOptions  # noqa: PLC0415 - a server takes its time

    options = SandboxOptions(
        dialect=given["dialect"],
        list_subforms=given["list_subforms"],
        edition=given["edition"],
        concurrency=given["concurrency"],
        credit_limit=given["credit_limit"],
        active_service_limit=given["active_services"],
        token_throttle=None if given["no_token_throttle"] else 10,
        unique_field=given["unique_field"],
    )
    rates = {
        Fault.TOO_MANY_REQUESTS: given["rate_429"],
        Fault.SERVER_ERROR_BEFORE: given["rate_500"],
        Fault.CUT_AFTER: given["rate_cut"],
    }
    if sum(rates.values()) > 1:
        raise UsageError("The rates of the faults are more than 1 together.", "Lower one of them.")
    return options, Faults(probability=rates, seed=given["seed"], latency_s=given["latency"])


def _say_environment(stand_in: Sandbox) -> None:
    """Print the lines that point the tool at the sandbox, as a shell takes them (on Windows, PowerShell)."""
    for name, value in stand_in.environment().items():
        tell(f"$env:{name} = '{value}'" if os.name == "nt" else f"export {name}={value}")
    code = stand_in.options.grant_code
    click.echo(
        f"to rehearse a login: bulkzcrm auth login, or without a browser: bulkzcrm auth login --code {code}", err=True
    )
    click.echo(f"serving {stand_in.url} until stopped (Ctrl-C)", err=True)
