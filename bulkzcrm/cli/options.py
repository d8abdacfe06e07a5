"""The options that several commands share, and how they become `RunOptions`."""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

import click

from bulkzcrm.cli.completing import of_fields, of_formats
from bulkzcrm.errors import UsageError
from bulkzcrm.report import FORMATS
from bulkzcrm.run.options import CREDITS_LEFT, LONGEST_WAIT_S, RunOptions, command_line
from bulkzcrm.spec.operations import OPERATIONS

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = [
    "formats_of",
    "given_options",
    "mask_option",
    "merged_options",
    "output_options",
    "pace_options",
    "reading_options",
    "refuse_wrong_way_round",
    "repair_option",
    "run_options",
    "voice_options",
]

_F = TypeVar("_F", bound=Callable[..., Any])


class _Seconds(click.FloatRange):
    """Seconds within bounds; `nan` is within none."""

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        seconds = super().convert(value, param, ctx)
        if math.isnan(seconds):
            self.fail(f"{value} is no number of seconds.", param, ctx)
        return seconds


def _together(*options: Callable[[_F], _F]) -> Callable[[_F], _F]:
    return lambda function: functools.reduce(lambda decorated, option: option(decorated), reversed(options), function)


reading_options = _together(
    click.option("--sheet", metavar="NAME", help="The sheet of a workbook; the first visible one otherwise."),
    click.option("--header-row", type=click.IntRange(min=1), metavar="N", help="The row that holds the headers."),
    click.option("--encoding", metavar="NAME", help="The encoding of a text file; detected otherwise."),
    click.option("--delimiter", metavar="CHAR", help="What separates cells: a character, or tab; detected otherwise."),
    click.option("--decimal", type=click.Choice([".", ","]), help="The decimal mark of amounts."),
    click.option(
        "--date-format", type=click.Choice(["dmy", "mdy", "ymd"]), help="The order of day, month and year in dates."
    ),
    click.option("--time-zone", metavar="ZONE", help="The zone of times without an offset, such as Asia/Kolkata."),
    click.option(
        "--map",
        "mapping",
        multiple=True,
        metavar="COLUMN=FIELD",
        shell_complete=of_fields("behind"),
        help="Match a column to a field.",
    ),
    click.option(
        "--set",
        "constants",
        multiple=True,
        metavar="FIELD=VALUE",
        shell_complete=of_fields("before"),
        help="The same value for every row.",
    ),
    click.option("--ignore-column", "ignored", multiple=True, metavar="NAME", help="Do not mind this column."),
    click.option(
        "--map-file", type=click.Path(), metavar="FILE", help="Columns, constants and ignored ones from a file."
    ),
    click.option(
        "--save-map", type=click.Path(), metavar="FILE", help="Keep how columns were matched, for --map-file."
    ),
    click.option("--allow-duplicates", is_flag=True, help="Create rows that are equal to an earlier row, too."),
    click.option(
        "--unique-field",
        metavar="NAME",
        help="A field without duplicate values in the organisation: by it, a create can be sent twice and made once.",
    ),
)

pace_options = _together(
    click.option("--concurrency", type=click.IntRange(min=1), metavar="N", help="At most so many requests at once."),
    click.option(
        "--timeout",
        type=_Seconds(0.1, LONGEST_WAIT_S),
        default=None,
        metavar="S",
        help="Seconds for one request [120].",
    ),
    click.option(
        "--max-wait",
        type=_Seconds(0, LONGEST_WAIT_S),
        default=None,
        metavar="S",
        help="Seconds to keep trying while the server is down or throttling [600].",
    ),
    click.option(
        "--quiet-period",
        type=_Seconds(0, LONGEST_WAIT_S),
        default=None,
        metavar="S",
        help="Seconds until a lost create is read back [120, or --timeout if longer; 2 in a sandbox].",
    ),
    click.option("--max-errors", metavar="N|N%", help="Stop when more rows than that go wrong; 0: all or nothing."),
    click.option(
        "--max-credits",
        type=click.IntRange(min=1),
        metavar="N",
        help="Stop before all runs of this machine together have spent more within 24 hours.",
    ),
    click.option(
        "--leave-credits",
        metavar="N|N%",
        help=f"Stop before fewer credits are left for other integrations, 0: never [{CREDITS_LEFT} of a day's].",
    ),
)

mask_option = click.option(
    "--mask",
    is_flag=True,
    default=None,
    help="Hide values in results.html, and there alone: the other files are data to be given back.",
)

repair_option = click.option(
    "--repair-ids",
    is_flag=True,
    help="Take the id of the one record that fits, by digits and name, where a spreadsheet program has rounded it.",
)

output_options = _together(
    click.option(
        "--output", "-o", type=click.Path(), metavar="DIR", help="The folder of the report [bulkzcrm-runs/RUN]."
    ),
    click.option(
        "--format", "formats", metavar="LIST", shell_complete=of_formats, help="Further formats: csv,xlsx,jsonl,html."
    ),
    mask_option,
)

voice_options = _together(
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output."),
    click.option("--quiet", "-q", is_flag=True, help="Say only what went wrong."),
    click.option("--verbose", "-v", is_flag=True, help="Say what happens to every batch."),
)

_CHANGEABLE = (
    "concurrency",
    "timeout",
    "max_wait",
    "quiet_period",
    "max_errors",
    "max_credits",
    "leave_credits",
    "mask",
)


def _pairs(words: Iterable[str], option: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for word in words:
        # A header may hold “=”, a field name cannot; a constant's text may hold it, too.
        name, mark, value = word.rpartition("=") if option == "--map" else word.partition("=")
        if not mark or not name.strip():
            raise UsageError(f"{option} {word} is not of the form NAME=VALUE.", f'Write {option} "Name=Value".')
        if name.strip() in pairs:
            raise UsageError(f"{option} names {name.strip()} twice.", "Keep one of the two.")
        pairs[name.strip()] = value.strip()
    return pairs


def formats_of(text: str | None, otherwise: Iterable[str] = ("csv",)) -> tuple[str, ...]:
    """Return the report formats that a list names, or the others where nobody gave one. Raises `UsageError`."""
    given = otherwise if text is None else text.split(",")
    names = tuple(dict.fromkeys(part.strip().casefold() for part in given if part.strip()))
    for name in names:
        if name not in FORMATS:
            raise UsageError(f"There is no report format {name}.", f"Choose from {', '.join(FORMATS)}.")
    return names or ("csv",)


def refuse_wrong_way_round(command: str, operation: str, source: str) -> None:
    """Raise `UsageError` where the source stands in the operation's place."""
    if operation not in OPERATIONS and source in OPERATIONS:
        words = command_line(("bulkzcrm", command, source, operation))
        raise UsageError(f"There is no operation {operation}.", f"The operation comes first: {words}")


def run_options(given: Mapping[str, Any], *, base: RunOptions | None = None) -> RunOptions:
    """Return the options that a command line gives; what it leaves out is as in `base`, or the default."""
    if base is not None:
        changes = {name: given[name] for name in _CHANGEABLE if given.get(name) is not None}
        if given.get("repair_ids"):
            changes["repair_ids"] = True
        return replace(base, **changes)
    return replace(RunOptions(), **given_options(given))


def given_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return those options that a command line really gives, by the names of `RunOptions`."""
    said: dict[str, Any] = {}
    kept = _kept_words(given.get("map_file"))
    for each in fields(RunOptions):
        value = given.get(each.name)
        if each.name in ("mapping", "constants"):
            value = {**kept[each.name], **_pairs(value or (), "--map" if each.name == "mapping" else "--set")}
        elif each.name == "triggers":
            value = False if given.get("no_triggers") else None
        elif each.name == "ignored":
            value = (*kept["ignored"], *(value or ()))
        # By identity, since `--max-wait 0` is a number that somebody gave, and equal to False.
        unsaid = value is None or (value is False and each.name != "triggers") or value in ((), {})
        if not unsaid:
            said[each.name] = value
    return said


def _kept_words(path: str | None) -> Mapping[str, Any]:
    """Return what a file says about columns, by the names of `RunOptions`; nothing without a file."""
    if path is None:
        return {"mapping": {}, "constants": {}, "ignored": ()}
    from bulkzcrm.cli.map_files import read_map_file  # noqa: PLC0415 - seldom wanted

    words = read_map_file(path)
    return {"mapping": words.mapping, "constants": words.constants, "ignored": words.ignored}


def merged_options(base: RunOptions, said: Mapping[str, Any]) -> RunOptions:
    """Return the options of a job's step with those of the command line over them."""
    both = {
        "mapping": {**base.mapping, **said.get("mapping", {})},
        "constants": {**base.constants, **said.get("constants", {})},
        "ignored": (*base.ignored, *said.get("ignored", ())),
    }
    return replace(base, **{**said, **both})
