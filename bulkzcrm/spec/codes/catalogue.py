"""Every code that is known, by name: the API's, the accounts server's, HTTP statuses and our own."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import NamedTuple

from bulkzcrm.errors import UsageError
from bulkzcrm.spec.codes.access import ACCESS_CODES
from bulkzcrm.spec.codes.dependents import DEPENDENT_CODES
from bulkzcrm.spec.codes.invalid_data import INVALID_DATA
from bulkzcrm.spec.codes.nouns import Code, Disposition
from bulkzcrm.spec.codes.ours import OUR_CODES
from bulkzcrm.spec.codes.reads import READ_CODES
from bulkzcrm.spec.codes.records import RECORD_CODES
from bulkzcrm.spec.codes.server import SERVER_CODES

__all__ = ["CODES", "TableRow", "explain", "happens", "table"]

CODES: Mapping[str, Code] = MappingProxyType(
    {
        code.name: code
        for code in (
            INVALID_DATA,
            *DEPENDENT_CODES,
            *RECORD_CODES,
            *ACCESS_CODES,
            *SERVER_CODES,
            *READ_CODES,
            *OUR_CODES,
        )
    }
)

_HAPPENS = {
    Disposition.FIX_ROW: "the row is `rejected` (`invalid`, if it shows before sending); the others go through",
    Disposition.TRY_AGAIN: "the program waits and tries again, as far as that is safe",
    Disposition.REFRESH_TOKEN: "the program fetches a new token once and sends the batch again",
    Disposition.STOP_RUN: "the run stops and can be resumed; on single rows of a batch, those rows are rejected",
}


class TableRow(NamedTuple):
    """One line of the README's table of codes."""

    code: str
    meaning: str
    happens: str
    page: str


def happens(code: Code) -> str:
    """Return what the program does about a code, without a full stop."""
    return "the row is not sent" if code.ours else _HAPPENS[code.disposition]


def table() -> list[TableRow]:
    """Return one line for every code, in the order of the catalogue."""
    return [TableRow(code.name, code.meaning, happens(code), _pages(code)) for code in CODES.values()]


def explain(code: str) -> str:
    """Return what a code means, what happens and what to do, as plain text for a terminal.

    The name may be written in any case, with blanks or hyphens for underscores.

    Raises:
        UsageError: the catalogue does not have the code; the cure names those that look alike.
    """
    known = _find(code)
    causes = [
        line
        for number, cause in enumerate(known.causes, start=1)
        for line in (f"  {number}. {cause.explanation}", f"     -> {cause.remedy}")
    ]
    return "\n".join(
        (
            f"{known.name}: {known.meaning}",
            "",
            f"What happens: {happens(known)}.",
            f"Named by: {_pages(known)}.",
            "",
            "Causes, and what to do:" if len(known.causes) > 1 else "Cause, and what to do:",
            *causes,
        )
    )


def _pages(code: Code) -> str:
    if code.ours:
        return "bulkzcrm itself"
    return ", ".join(code.pages) or "other pages of the API"


def _find(name: str) -> Code:
    wanted = _plain(name)
    by_plain_name = {_plain(known): code for known, code in CODES.items()}
    if wanted in by_plain_name:
        return by_plain_name[wanted]
    alike = [by_plain_name[near].name for near in get_close_matches(wanted, by_plain_name, n=3)]
    shown = " ".join(name.split())[:60]
    if alike:
        raise UsageError(f"The catalogue has no code {shown}.", f"Did you mean {' or '.join(alike)}?")
    raise UsageError(
        f"The catalogue has no code {shown}.",
        "Copy the code from the column result_code of a report, such as INVALID_DATA.",
    )


def _plain(name: str) -> str:
    return "_".join(name.replace("-", " ").replace("_", " ").casefold().removeprefix("http ").split())
