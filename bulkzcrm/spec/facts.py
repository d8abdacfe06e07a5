"""What a rule may look at: the row's values, the record as it is now, the organisation, and the time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from msgspec import Struct

from bulkzcrm.model import Json, Record
from bulkzcrm.spec.organisation import Current, Organisation, Reading

__all__ = ["NOW", "Broken", "Facts", "NotKnownError", "Rule", "instants"]

NOW = "now"
"""Stands in a record for the moment of sending, by the server's clock, less one minute."""

_EASTERNMOST = timedelta(hours=14)
_WESTERNMOST = timedelta(hours=12)


class NotKnownError(Exception):
    """A rule asks for what cannot be known here; it abstains. Never leaves `validate`."""


class Facts(Struct, frozen=True, kw_only=True):
    """One row seen by the rules.

    `given` holds what the row says (names resolved where they could be). `current` is the record as it is now: empty
    for a create, `None` where it was not read. `now` has an offset; `zone` is that of "today", `None` where it is not
    known: then a time without offset is wrong only if it is wrong in every zone.
    """

    given: Record
    current: Current | None
    now: datetime
    zone: ZoneInfo | None = None
    organisation: Organisation | None = None
    defaults: Mapping[str, Json] = {}

    def __getitem__(self, name: str) -> Json:
        """Return what the field will hold after the write; nothing, `null` and empty are all `None`.

        Raises:
            NotKnownError: the row does not say, and what is there now was not read.
        """
        if name in self.given:
            value = self.given[name]
            return value if value or value not in (None, "", [], {}) else None
        if self.current is None or name in self.current.silent:
            raise NotKnownError(name)
        value = self.current.record.get(name)
        if value in (None, "", [], {}):
            return self.defaults.get(name)
        return value

    def gives(self, name: str) -> bool:
        """Tell whether the row itself names a value, other than "clear this"."""
        value = self.given.get(name)
        return bool(value) or value not in (None, "", [])

    def latest_today(self) -> date:
        """Return today in the business zone; without a zone the earliest date that is today anywhere."""
        return _latest_today(self.now, self.zone)


@lru_cache(maxsize=8)
def _latest_today(now: datetime, zone: ZoneInfo | None) -> date:
    return (now.astimezone(zone) if zone else now.astimezone(UTC) - _WESTERNMOST).date()


@dataclass(frozen=True, slots=True)
class Broken:
    """How a rule is broken, in words; `field` where the field to mend differs from the rule's own."""

    message: str
    remedy: str
    field: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One sentence of the vendor's pages that can be judged before sending.

    `looks_at` are the fields it depends on: on an update it is asked only when the row gives one of them. `needs` are
    the readings without which it abstains. `page` says which page states it. Two more say when a new record cannot
    break it, so that it need not be asked: unless a field holds a certain value (`only_while`), or where its own
    `field` holds nothing (`blank_is_fine`).
    """

    name: str
    code: str
    field: str
    looks_at: tuple[str, ...]
    says: str
    page: str
    judge: Callable[[Facts], Broken | None]
    needs: tuple[Reading, ...] = ()
    only_while: tuple[str, str] | None = None
    blank_is_fine: bool = False


@lru_cache(maxsize=1_000)
def instants(text: str, now: datetime) -> tuple[datetime, datetime]:
    """Return the earliest and the latest instant that a date-time text can mean (equal when it has an offset).

    Raises:
        NotKnownError: the text is no date-time that we know.
    """
    if text == NOW:
        moment = now - timedelta(minutes=1)
        return moment, moment
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise NotKnownError(text) from error
    if moment.tzinfo is not None:
        return moment, moment
    try:
        utc = moment.replace(tzinfo=UTC)
        return utc - _EASTERNMOST, utc + _WESTERNMOST
    except OverflowError as error:
        raise NotKnownError(text) from error
