"""What a shell may complete: operations, codes, runs, profiles, fields; and the command that teaches a shell to."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

import click
from click.shell_completion import CompletionItem, get_completion_class

from bulkzcrm.cli.speaking import tell
from bulkzcrm.errors import BulkzcrmError

__all__ = ["completion", "of_codes", "of_fields", "of_files", "of_formats", "of_operations", "of_profiles", "of_runs"]

_Completes: TypeAlias = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]

_VARIABLE: Final = "_BULKZCRM_COMPLETE"
_SHELLS: Final = ("bash", "zsh", "fish")
_MOST_RUNS = 50


@click.command(epilog="Example: bulkzcrm completion bash")
@click.argument("shell", type=click.Choice(_SHELLS))
def completion(shell: str) -> None:
    """Print what makes SHELL complete commands, options, operations, runs, profiles and codes.

    To have it for good, put eval "$(bulkzcrm completion bash)" into ~/.bashrc, the same with zsh into ~/.zshrc; or run
    bulkzcrm completion fish > ~/.config/fish/completions/bulkzcrm.fish
    """
    from bulkzcrm.cli import bulkzcrm  # noqa: PLC0415 - it imports this module

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"Nothing is known of {shell}.")
    tell(kind(bulkzcrm, {}, "bulkzcrm", _VARIABLE).source())


def _beginning(incomplete: str, words: Iterable[tuple[str, str]]) -> list[CompletionItem]:
    folded = incomplete.casefold()
    return [CompletionItem(word, help=about) for word, about in words if word.casefold().startswith(folded)]


def of_operations(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete an operation's name."""
    from bulkzcrm.spec.describe import operations_table  # noqa: PLC0415 - only when a shell asks

    del ctx, param
    return _beginning(incomplete, operations_table())


def of_codes(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete an error code."""
    from bulkzcrm.spec.codes import CODES  # noqa: PLC0415 - only when a shell asks

    del ctx, param
    return _beginning(incomplete, ((code, "") for code in CODES))


def of_runs(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the id of one of the latest runs."""
    from bulkzcrm.cli.one_line import in_a_line  # noqa: PLC0415 - only when a shell asks
    from bulkzcrm.config import home  # noqa: PLC0415 - the same
    from bulkzcrm.journal import Journal  # noqa: PLC0415 - the same
    from bulkzcrm.journal.place import FILE_NAME  # noqa: PLC0415 - the same

    del ctx, param
    try:
        folder = home(os.environ)
        if not (folder / FILE_NAME).exists():
            return []
        with Journal.open(folder) as journal:
            found = journal.runs(limit=_MOST_RUNS)
    except (BulkzcrmError, OSError):
        return []
    return _beginning(incomplete, ((run.id, in_a_line(run).removeprefix(run.id).strip()) for run in found))


def of_profiles(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete a profile's name."""
    from bulkzcrm.config import home  # noqa: PLC0415 - only when a shell asks
    from bulkzcrm.profiles import read_profiles  # noqa: PLC0415 - the same

    del ctx, param
    try:
        profiles = read_profiles(home(os.environ))
    except BulkzcrmError:
        return []
    return _beginning(incomplete, ((name, table.get("api_domain", "")) for name, table in profiles.items()))


def of_formats(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete a list of report formats."""
    from bulkzcrm.report import FORMATS  # noqa: PLC0415 - only when a shell asks

    del ctx, param
    before, comma, last = incomplete.rpartition(",")
    named = before.split(",")
    return [CompletionItem(f"{before}{comma}{name}") for name in FORMATS if name.startswith(last) and name not in named]


def of_fields(mark: str) -> _Completes:
    """Return what completes `FIELD=VALUE` (`mark` is "before") or `COLUMN=FIELD` ("behind")."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from bulkzcrm.spec.operations import OPERATIONS  # noqa: PLC0415 - only when a shell asks

        del param
        # While an option still lacks its value, the words before it are not parsed.
        words = [str(ctx.params.get("operation")), *os.environ.get("COMP_WORDS", "").split()]
        fields = next((OPERATIONS[word].fields for word in words if word in OPERATIONS), ())
        if mark == "before":
            return _beginning(incomplete, ((f"{field.name}=", field.label) for field in fields))
        column, equals, begun = incomplete.partition("=")
        named = [field for field in fields if equals and field.name.casefold().startswith(begun.casefold())]
        return [CompletionItem(f"{column}={field.name}", help=field.label) for field in named]

    return complete


def of_files(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Have the shell complete a file's name."""
    del ctx, param
    return [CompletionItem(incomplete, type="file")]
