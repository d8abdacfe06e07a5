"""What a person types: commands → calls → exit status. Decides nothing about data.

Commands are imported when they are used, so that `--help` answers at once.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, TextIO, cast

import click

from bulkzcrm import __version__
from bulkzcrm.errors import BulkzcrmError, OutputError, StoppedError, UsageError

__all__ = ["main"]

_COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "run": ("bulkzcrm.cli.running", "Send a source's rows to the organisation, then report on every row."),
    "check": ("bulkzcrm.cli.checking", "Read and judge a source without any network; nothing is sent."),
    "resume": ("bulkzcrm.cli.carrying_on", "Carry on with a run that stopped."),
    "retry": ("bulkzcrm.cli.carrying_on", "Send the rows that failed once more, as a new run."),
    "runs": ("bulkzcrm.cli.listing", "List the runs."),
    "report": ("bulkzcrm.cli.reporting", "Write a run's report again."),
    "operations": ("bulkzcrm.cli.telling", "List the operations, or one operation's fields and rules."),
    "explain": ("bulkzcrm.cli.telling", "Say what an error code means and what to do about it."),
    "template": ("bulkzcrm.cli.templating", "Write a workbook to fill in for an operation."),
    "auth": ("bulkzcrm.cli.access", "Log in, and see what the login may do."),
    "sandbox": ("bulkzcrm.cli.rehearsing", "Serve the stand-in API on this machine until stopped."),
    "completion": ("bulkzcrm.cli.completing", "Print what makes a shell complete commands, options and names."),
}


class _Commands(click.Group):
    """The commands, each imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which people need them."""
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(_COMMANDS[cmd_name][0])
        command = getattr(module, cmd_name)
        return command if isinstance(command, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; for a word that is none, name the nearest."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches  # noqa: PLC0415 - only when something went wrong

            near = get_close_matches(args[0].casefold(), _COMMANDS, n=1) if args else []
            if not near:
                raise
            raise click.UsageError(f"{error.message} Did you mean {near[0]}?", ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in _COMMANDS.items()])


@click.command(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Try it without an account: bulkzcrm run create-services samples/services.csv --sandbox",
)
@click.version_option(__version__, prog_name="bulkzcrm")
def bulkzcrm() -> None:
    """Bulk operations for Zoho CRM services: a spreadsheet goes in, every row gets its verdict."""


def main(arguments: list[str] | None = None) -> None:
    """Run a command and leave with its exit status (0, 1, 2, 3 or 130)."""
    _speak_utf8()
    words = sys.argv[1:] if arguments is None else arguments
    try:
        _refuse_undecodable(words)
        status = bulkzcrm.main(args=words, prog_name="bulkzcrm", standalone_mode=False)
    except click.exceptions.Exit as left:
        status = left.exit_code
    except click.Abort:
        status = 130
    except click.ClickException as error:
        status = _refused_by_usage(error, words)
    except BulkzcrmError as error:
        status = _ended_by(error, words)
    except OSError as error:
        reason = " ".join(filter(None, [error.strerror or str(error), error.filename and f"({error.filename})"]))
        status = _ended_by(
            OutputError(f"The system refused something that was needed: {reason}.", "Mend that and try again."), words
        )
    except Exception as error:  # noqa: BLE001 - whatever it is: Python would print it with every secret in its message
        status = _ended_by_fault(error, words)
    sys.exit(status if isinstance(status, int) else 0)


def _refused_by_usage(error: click.ClickException, arguments: list[str]) -> int:
    """Say what is wrong with the words of a command; with `--json` also as the one object that was asked for."""
    error.show()
    _say_json(UsageError(error.format_message(), "--help shows how the command is used."), arguments)
    return UsageError.exit_status


def _refuse_undecodable(arguments: list[str]) -> None:
    """Refuse words that are no text: they could be neither kept in the journal nor shown."""
    for word in arguments:
        if not word.isascii() and any("\ud800" <= character <= "\udfff" for character in word):
            raise UsageError(
                f"{word.encode(errors='replace').decode()} holds bytes that are no text in this terminal's encoding.",
                "Rename the file, or write the word in UTF-8.",
            )


def _ended_by(error: BulkzcrmError, arguments: list[str]) -> int:
    from bulkzcrm.cli.speaking import complain  # noqa: PLC0415 - only when something went wrong

    complain(str(error))
    _say_json(error, arguments)
    return error.exit_status


def _ended_by_fault(error: Exception, arguments: list[str]) -> int:
    """Tell of a fault of our own all that helps to mend it, and no secret."""
    import traceback  # noqa: PLC0415 - only when something went wrong

    from bulkzcrm.redact import scrub  # noqa: PLC0415 - the same

    with suppress(OSError):
        click.echo(scrub("".join(traceback.format_exception(error))), err=True, nl=False)
    kind = type(error).__name__
    return _ended_by(
        StoppedError(
            f"This is a fault of bulkzcrm itself ({kind}); the lines above tell where.",
            "Please report them. What was sent is journalled: `bulkzcrm runs` shows the runs that can be resumed.",
        ),
        arguments,
    )


def _say_json(error: BulkzcrmError, arguments: list[str]) -> None:
    if "--json" not in arguments:
        return
    from bulkzcrm.cli.results import ended_json  # noqa: PLC0415 - only when something went wrong
    from bulkzcrm.cli.speaking import tell  # noqa: PLC0415 - the same
    from bulkzcrm.spec.operations import OPERATIONS  # noqa: PLC0415 - the same

    operation = next((word for word in arguments if word in OPERATIONS), "")
    with suppress(OutputError):
        tell(ended_json(error, operation, check=arguments[:1] == ["check"]))


def _nowhere(mode: str) -> TextIO:
    return cast("TextIO", Path(os.devnull).open(mode, encoding="utf-8"))


def _speak_utf8() -> None:
    """Never fail for a character that the terminal's code page lacks, nor for a stream that is not there."""
    # A scheduler may begin a program without any of the three; Python then has None in their places.
    sys.stdin = sys.stdin or _nowhere("r")
    sys.stdout = sys.stdout or _nowhere("w")
    sys.stderr = sys.stderr or _nowhere("w")
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
