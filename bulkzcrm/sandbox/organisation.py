"""The organisation behind the API: its store, its settings, its clock, and what a request brings to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from bulkzcrm.sandbox import seed
from bulkzcrm.sandbox.answers import refuse
from bulkzcrm.sandbox.draft import Circumstances
from bulkzcrm.sandbox.hours import BusinessHours
from bulkzcrm.sandbox.jsontext import Json, loads
from bulkzcrm.sandbox.options import SandboxOptions
from bulkzcrm.sandbox.store import Store
from bulkzcrm.sandbox.uniqueness import UniqueField


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One API request, as far as an operation needs it."""

    path_id: str | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Organisation:
    """What the operations work on. `clock` gives moments with an offset."""

    store: Store
    options: SandboxOptions
    clock: Callable[[], datetime]
    users: tuple[Json, ...] = field(default_factory=lambda: tuple(seed.users()))

    @property
    def unique(self) -> UniqueField | None:
        """The field in which no two services have the same value."""
        name = self.options.unique_field
        return None if name is None else UniqueField(self.store, name, is_custom=name != "Service_Name")

    def record(self) -> Json:
        """The organisation, as GET org shows it."""
        return seed.organisation(self.options.organisation_id, self.options.edition)

    def timestamp(self) -> str:
        """This moment as the API writes it: ISO 8601 in the organisation's zone, to the second."""
        zone = ZoneInfo(str(self.record()["time_zone"]))
        return self.clock().astimezone(zone).isoformat(timespec="seconds")

    def circumstances(self) -> Circumstances:
        """What records are judged by at this moment."""
        return Circumstances(
            now=self.clock(),
            users={str(user["id"]): user for user in self.users},
            hours=BusinessHours.of(self.store.document("business_hours")),
            taxes=seed.TAXES,
            job_sheets=seed.JOB_SHEETS,
            job_sheet_enabled=self.store.document("service_preferences")["job_sheet_enabled"] is True,
        )


def wrapped(body: bytes, key: str) -> object:
    """What a request's body holds under its wrapper key. Raises Refused when there is no such thing."""
    try:
        document = loads(body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        message = "the body of the request is no JSON object"
        raise refuse(400, "INVALID_DATA", message, {"expected_data_type": "jsonobject"})
    if key not in document:
        raise refuse(
            400, "MANDATORY_NOT_FOUND", "a mandatory key is missing", {"api_name": key, "json_path": f"$.{key}"}
        )
    content: object = document[key]
    return content
