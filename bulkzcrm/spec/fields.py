"""The words in which fields are declared: what kind of value a field holds and what the pages say of it, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

__all__ = ["WEEKDAYS", "Field", "Kind", "Lookup"]

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class Kind(StrEnum):
    """What a field holds, and what `convert` makes of a cell of it (the Python value that stands in a record)."""

    ID = "id"  #: `str` of digits
    TEXT = "text"  #: `str`, outer blanks removed
    MINUTES = "minutes"  #: `int` minutes
    CHOICE = "choice"  #: `str`, the API's own spelling
    DAYS = "days"  #: `list[str]` of English weekday names, each once
    DATE = "date"  #: `str` `YYYY-MM-DD`
    DATES = "dates"  #: `list[str]` of `YYYY-MM-DD`, each once
    DATETIME = "datetime"  #: `str` ISO 8601 with offset; without one while the time zone is not known; or `now`
    TIMINGS = "timings"  #: `list` of `{"From": "HH:MM", "To": "HH:MM"}`
    HOURS = "hours"  #: `list[str]`, one span: `["HH:MM", "HH:MM"]`
    DAY_HOURS = "day hours"  #: one span as `HOURS`, or the text `closed`
    MONEY = "money"  #: `Decimal`, not negative
    MEMBERS = "members"  #: `list[str]` of user ids, e-mail addresses or full names, each once, as written
    TAXES = "taxes"  #: `list[str]` of tax ids or values, each once, as written
    BOOLEAN = "boolean"  #: `bool`


class Lookup(StrEnum):
    """Which reading of the organisation resolves the names in a field."""

    USERS = "users"
    TAXES = "taxes"
    JOB_SHEETS = "job sheets"
    SERVICES = "services"
    SCORING_RULES = "scoring rules"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of an operation.

    `mandatory` means that the row must give it, `never_empty` that a row may leave it out but not clear it. `choices`
    are the API's own spellings; `aliases` maps further accepted spellings (casefolded, blanks removed) to one of them;
    with `open_choices` a text that is none of them is passed on as written, for the server to judge. `maximum_length`
    counts characters, `maximum_values` the entries of a list, `minimum` and `maximum` are inclusive.
    """

    name: str
    label: str
    kind: Kind
    about: str
    mandatory: bool = False
    never_empty: bool = False
    choices: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    open_choices: bool = False
    maximum_length: int | None = None
    maximum_values: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    maximum_digits: int | None = None
    """Money: digits before the point."""
    maximum_places: int | None = None
    """Money: digits after the point."""
    lookup: Lookup | None = None
    headers: tuple[str, ...] = ()
    """Further headers that mean this field, besides its name and label."""
