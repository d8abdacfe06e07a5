"""The words in which error codes are declared: what a code means, what is done, how its causes are told apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from bulkzcrm.model import Record

__all__ = [
    "BUSINESS_HOURS",
    "CREATE_SERVICES",
    "SCORING_RULES",
    "SERVICES",
    "SERVICE_PREFERENCES",
    "UPDATE_SERVICES",
    "Cause",
    "Code",
    "Disposition",
    "Family",
    "When",
    "one_cause",
]

CREATE_SERVICES = "create services"
UPDATE_SERVICES = "update services"
BUSINESS_HOURS = "update business hours"
SCORING_RULES = "update scoring rule status"
SERVICE_PREFERENCES = "update service preferences"
SERVICES = (CREATE_SERVICES, UPDATE_SERVICES)


class Disposition(StrEnum):
    """What the program does about a code (DESIGN, sending)."""

    FIX_ROW = "fix the row"  #: the row is rejected; a person mends it
    TRY_AGAIN = "try again"  #: the server is busy or in trouble; a later request may go through
    REFRESH_TOKEN = "refresh the token"  # noqa: S105  the name of a disposition, not a secret
    STOP_RUN = "stop the run"  #: no row can succeed before a person has changed something


class Family(StrEnum):
    """What an operation writes; the value is the key that wraps its records in requests and answers."""

    SERVICES = "data"
    BUSINESS_HOURS = "business_hours"
    SERVICE_PREFERENCES = "service_preferences"
    SCORING_RULES = "scoring_rules"


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """What must hold for a cause to be the one; every condition that is given must hold, and none given always holds.

    `fields` are top-level fields and `leaves` the `api_name` of the answer (`To` inside `Available_Timings`).
    `details` are keys of the answer's `details`, or `key=value` where the value matters. `message` are substrings of
    the server's message in lower case, of which one is enough. `values` are the row's own values, lower case.
    `row` judges the record as it was sent.
    """

    families: tuple[Family, ...] = ()
    fields: tuple[str, ...] = ()
    leaves: tuple[str, ...] = ()
    dependees: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    message: tuple[str, ...] = ()
    values: tuple[tuple[str, tuple[str, ...]], ...] = ()
    row: Callable[[Record], bool] | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason for a code: `explanation` says what is wrong and `remedy` what to do, in whole sentences.

    `mend` is the field to change where that is another one than the answer names.
    """

    when: When
    explanation: str
    remedy: str
    mend: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One error code. The last of `causes` has no condition: it speaks when nothing more is known.

    `pages` are the vendor's pages that name the code (of the five that the operations come from), `ours` marks the
    codes that this program gives itself.
    """

    name: str
    meaning: str
    disposition: Disposition
    causes: tuple[Cause, ...]
    pages: tuple[str, ...] = ()
    ours: bool = False


def one_cause(
    name: str,
    meaning: str,
    disposition: Disposition,
    explanation: str,
    remedy: str,
    *,
    pages: tuple[str, ...] = (),
) -> Code:
    """Return a code that has one cause, whatever the row says."""
    return Code(
        name=name,
        meaning=meaning,
        disposition=disposition,
        causes=(Cause(When(), explanation, remedy),),
        pages=pages,
    )
