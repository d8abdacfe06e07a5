"""The options of a run: what the journal keeps of them, and the words that say them on a command line."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Annotated, Final, TypeAlias

import msgspec

from bulkzcrm.errors import UsageError
from bulkzcrm.model import Json

__all__ = ["CREDITS_LEFT", "LONGEST_WAIT_S", "RunOptions", "command_line", "credit_floor", "error_limit"]

LONGEST_WAIT_S: Final = 10_000_000.0
"""Seconds, about four months: longer is a slip, and no timer takes infinity."""

CREDITS_LEFT: Final = "20%"
"""What is left of a day's credits for other integrations, unless the user says otherwise."""

_Count: TypeAlias = Annotated[int, msgspec.Meta(ge=1)]
_Seconds: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=LONGEST_WAIT_S)]

_NUMBER_OR_SHARE = re.compile(r"(\d+(?:\.\d+)?)(%?)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How one run reads, judges and sends. Times are in seconds; `None` means the default that DESIGN or the API gives.

    `max_errors` is a count (`10`) or a share of the rows read (`5%`), `leave_credits` the same of a day's credits.
    """

    sheet: str | None = None
    header_row: _Count | None = None
    encoding: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    date_format: str | None = None
    time_zone: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    concurrency: _Count | None = None
    batch_size: _Count | None = None
    timeout: Annotated[float, msgspec.Meta(ge=0.1, le=LONGEST_WAIT_S)] = 120.0
    max_wait: _Seconds = 600.0
    quiet_period: _Seconds | None = None
    max_errors: str | None = None
    max_credits: _Count | None = None
    leave_credits: str | None = None
    triggers: bool = True
    again: bool = False
    allow_duplicates: bool = False
    unique_field: str | None = None
    repair_ids: bool = False
    mask: bool = False
    """Whether the HTML report hides the values of rows."""

    def to_json(self) -> dict[str, Json]:
        """Return the options as the journal keeps them."""
        kept: dict[str, Json] = {}
        for name, value in asdict(self).items():
            kept[name] = str(value) if isinstance(value, float) else list(value) if isinstance(value, tuple) else value
        return kept

    @classmethod
    def from_json(cls, kept: Mapping[str, Json]) -> RunOptions:
        """Return the options that `to_json` made."""
        return msgspec.convert(dict(kept), cls, strict=False)

    def arguments(self, *, of_the_source: bool) -> list[str]:
        """Return the words that say these options again; those about the source's own form only on demand."""
        words: list[str] = []
        for name, flag in _VALUE_FLAGS.items():
            value = getattr(self, name)
            if value is not None and value != _DEFAULTS.get(name) and (of_the_source or name not in _SOURCE_FORM):
                words += [flag, f"{value:g}" if isinstance(value, float) else str(value)]
        for column, name in self.mapping.items():
            words += ["--map", f"{column}={name}"]
        for name, text in self.constants.items():
            words += ["--set", f"{name}={text}"]
        for column in self.ignored:
            words += ["--ignore-column", column]
        if not self.triggers:
            words.append("--no-triggers")
        if self.allow_duplicates:
            words.append("--allow-duplicates")
        if self.repair_ids:
            words.append("--repair-ids")
        if self.mask:
            words.append("--mask")
        return words


_SOURCE_FORM: Final = frozenset({"sheet", "header_row", "encoding", "delimiter"})
_VALUE_FLAGS: Final = {
    "sheet": "--sheet",
    "header_row": "--header-row",
    "encoding": "--encoding",
    "delimiter": "--delimiter",
    "decimal": "--decimal",
    "date_format": "--date-format",
    "time_zone": "--time-zone",
    "concurrency": "--concurrency",
    "batch_size": "--batch-size",
    "timeout": "--timeout",
    "max_wait": "--max-wait",
    "quiet_period": "--quiet-period",
    "max_errors": "--max-errors",
    "unique_field": "--unique-field",
    "max_credits": "--max-credits",
    "leave_credits": "--leave-credits",
}
_DEFAULTS: Final[Mapping[str, float]] = {"timeout": 120.0, "max_wait": 600.0}


def error_limit(text: str | None, rows: int) -> int | None:
    """Return how many rows may go wrong of so many rows read; nothing for no limit. Raises `UsageError`."""
    if text is None:
        return None
    number, is_share = _number_or_share(text) or (None, False)
    if number is None:
        raise UsageError(f"--max-errors {text} is neither a number of rows nor a share of them.", "Write 10, or 5%.")
    return int(number * rows / 100) if is_share else int(number)


def credit_floor(text: str | None, daily: int | None) -> int:
    """Return the credits to be left for others (0: none) of so many a day. Raises `UsageError`.

    Where a day's credits are not known, a share of them is nothing.
    """
    number, is_share = _number_or_share(CREDITS_LEFT if text is None else text) or (None, False)
    if number is None:
        raise UsageError(
            f"--leave-credits {text} is neither a number of credits nor a share of a day's.", "Write 5000, or 20%."
        )
    return int(number * (daily or 0) / 100) if is_share else int(number)


def _number_or_share(text: str) -> tuple[Decimal, bool] | None:
    """Read `10` or `2.5%`; nothing for a text that is neither."""
    match = _NUMBER_OR_SHARE.fullmatch(text.strip())
    if match is None or (not match[2] and "." in match[1]) or (match[2] and Decimal(match[1]) > 100):
        return None
    return Decimal(match[1]), bool(match[2])


def command_line(words: Iterable[str]) -> str:
    """Return words as they are typed into this platform's shell."""
    return subprocess.list2cmdline(list(words)) if os.name == "nt" else shlex.join(words)
