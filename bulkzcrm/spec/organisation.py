"""What an organisation tells of itself when it is read: the nouns that rules and name look-ups stand on."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bulkzcrm.model import Json, Record

__all__ = [
    "READ_SCOPES",
    "BusinessHours",
    "Choice",
    "Current",
    "Named",
    "Organisation",
    "Profile",
    "Reading",
    "Unique",
    "User",
]


class Reading(StrEnum):
    """One thing that can be read of an organisation, at one credit a page."""

    ORG = "organisation"
    USERS = "users"
    FIELDS = "fields"
    SERVICES = "services"
    BUSINESS_HOURS = "business hours"
    PREFERENCES = "service preferences"
    SCORING_RULES = "scoring rules"


READ_SCOPES: Final[Mapping[Reading, str]] = {
    Reading.ORG: "ZohoCRM.org.READ",
    Reading.USERS: "ZohoCRM.users.READ",
    Reading.FIELDS: "ZohoCRM.settings.fields.READ",
    Reading.SERVICES: "ZohoCRM.modules.services.READ",
    Reading.BUSINESS_HOURS: "ZohoCRM.settings.business_hours.READ",
    Reading.PREFERENCES: "ZohoCRM.settings.modules.READ",
    Reading.SCORING_RULES: "ZohoCRM.settings.scoring_rules.READ",
}
"""The scope that each reading asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Who the organisation is (`GET org`). `edition` is the vendor's `paid_type`, blank when it cannot be read."""

    id: str
    name: str
    other_id: str = ""
    """The vendor gives an organisation two ids; either names it."""
    type: str = ""
    edition: str = ""
    users: int = 0
    """User licences, 0 when it cannot be read."""
    time_zone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user, as far as members of services are concerned: only active and confirmed ones may be members."""

    id: str
    name: str
    email: str
    active: bool
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """A tax or a job sheet that the organisation has set up: what is sent, and its id where it has one."""

    id: str
    value: str


@dataclass(frozen=True, slots=True)
class Unique:
    """A single-line text in which no two records may have the same value; `length` is how many characters it holds."""

    length: int | None
    case_sensitive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessHours:
    """The organisation's business hours, as read; `hours` gives each business day's span, nothing for a whole day."""

    record: Record
    days: frozenset[str]
    hours: Mapping[str, tuple[str, str]]
    zone: ZoneInfo | None = None

    @property
    def id(self) -> str:
        """The id of the record, blank when the reading shows none."""
        return str(self.record.get("id") or "")


@dataclass(frozen=True, slots=True)
class Current:
    """A record as it is now. What `silent` names was not shown by the reading: it may hold anything."""

    record: Record
    silent: frozenset[str] = frozenset()

    @property
    def id(self) -> str:
        """The record's own id."""
        return str(self.record.get("id") or "")


class Named(Mapping[str, Current]):
    """Records by their ids that can be found by their names, too."""

    @abstractmethod
    def named(self, name: str) -> list[Current]:
        """Return the records of that name, as far as `values.folded` tells names apart."""

    @abstractmethod
    def namesakes(self, record: Mapping[str, Json]) -> list[str]:
        """Return the ids of the records that have the name of this one, as far as `values.name_of` tells them apart."""


@dataclass(slots=True, kw_only=True)
class Organisation:
    """All that was read of an organisation; `None` means that it was not read (or may not be)."""

    profile: Profile | None = None
    users: Mapping[str, User] | None = None
    taxes: tuple[Choice, ...] | None = None
    job_sheets: tuple[Choice, ...] | None = None
    field_names: Mapping[str, str] | None = None
    """API name → label of every field of the module, those that we cannot send included."""
    unique_fields: Mapping[str, Unique] | None = None
    """Those texts, by API name, in which no two records may have the same value, and which the API can write."""
    services: Mapping[str, Current] | None = None
    business_hours: BusinessHours | None = None
    job_sheet_enabled: bool | None = None
    scoring_rules: dict[str, Current] | None = None
    refused: dict[Reading, str] = field(default_factory=dict)
    """Readings that the credentials do not allow, with what the server said."""

    @property
    def zone(self) -> ZoneInfo | None:
        """The zone of date-times without an offset: the organisation's own."""
        name = self.profile.time_zone if self.profile else ""
        try:
            return ZoneInfo(name) if name else None
        except (OSError, ValueError, ZoneInfoNotFoundError):
            return None
