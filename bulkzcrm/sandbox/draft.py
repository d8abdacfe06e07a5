"""One record of a Services request while it is judged: what was sent, what was stored, what will be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from bulkzcrm.sandbox.answers import Broken
from bulkzcrm.sandbox.hours import BusinessHours
from bulkzcrm.sandbox.jsontext import Json
from bulkzcrm.sandbox.seed import SERVICE_FIELDS_DEFAULT
from bulkzcrm.sandbox.values import is_blank

# Keys whose meaning depends on another key. When the other key is sent, they are what the request says, or nothing.
DEPENDENTS: dict[str, tuple[str, ...]] = {
    "Availability_Type": ("Available_From", "Available_Till", "Available_Dates", "Available_Days"),
    "Job_Sheet_Required": ("Job_Sheet_Section__s",),
    "Status": ("Unavailable_From", "Unavailable_Till"),
}
_CONTROLLER = {dependent: controller for controller, dependents in DEPENDENTS.items() for dependent in dependents}


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """The organisation at the moment of judging.

    now: by the sandbox's clock, with an offset. users: by id, as GET users shows them. taxes: value by id.
    """

    now: datetime
    users: Mapping[str, Json]
    hours: BusinessHours
    taxes: Mapping[str, str]
    job_sheets: tuple[str, ...]
    job_sheet_enabled: bool

    @property
    def today(self) -> date:
        """The date where the business is."""
        return self.now.astimezone(self.hours.zone).date()


@dataclass(slots=True)
class Draft:
    """A record under judgement; `result` starts as the stored service (or its defaults) and takes what was sent."""

    sent: Json
    stored: Json | None
    around: Circumstances
    result: Json = field(init=False)

    def __post_init__(self) -> None:
        """Start the result."""
        self.result = dict(SERVICE_FIELDS_DEFAULT if self.stored is None else self.stored)

    @property
    def is_new(self) -> bool:
        """Whether the record makes a service."""
        return self.stored is None

    def says(self, key: str) -> bool:
        """Whether the request holds the key, were it null."""
        return key in self.sent

    def value(self, key: str) -> object:
        """What the key will hold: as sent; else as stored, unless the key that it depends on was sent anew."""
        if key in self.sent:
            return self.sent[key]
        if self.stored is None or _CONTROLLER.get(key) in self.sent:
            return None
        return self.stored.get(key)

    def demand(self, key: str) -> object:
        """Value of a key that the page makes mandatory."""
        value = self.sent.get(key)
        if is_blank(value):
            raise Broken("MANDATORY_NOT_FOUND", key, "a mandatory key is missing")
        return value

    def demand_dependent(self, key: str) -> object:
        """Value of a key that another key's value makes mandatory."""
        value = self.value(key)
        if is_blank(value):
            message = "a key that depends on another one is missing"
            raise Broken("DEPENDENT_FIELD_MISSING", key, message, dependee=_CONTROLLER[key])
        return value

    def status(self) -> str:
        """The status that the service will have; the default stands in for a missing one."""
        value = self.value("Status")
        return "Available" if value is None else str(value)

    def is_in_use(self) -> bool:
        """Whether business hours and days bind the service: they do not bind one that is Not in Use."""
        return self.status() != "Not in Use"
