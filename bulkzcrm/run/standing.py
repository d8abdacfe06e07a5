"""What a login may do, as far as reading can tell: organisation, user, edition, and what each operation lacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bulkzcrm.client import Client, ReadRefusedError
from bulkzcrm.config import Connection
from bulkzcrm.events import Event
from bulkzcrm.limiter import Limiter
from bulkzcrm.model import Record
from bulkzcrm.readings import read_organisation, read_some_services
from bulkzcrm.spec.operation import Operation
from bulkzcrm.spec.operations import OPERATIONS
from bulkzcrm.spec.organisation import Organisation, Profile, Reading
from bulkzcrm.transport import Transport

__all__ = ["Standing", "read_choices", "read_standing"]

_PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Who is logged in where. `lacks` names, for each operation, the readings that are refused, with their scopes."""

    organisation: Profile | None
    user: str
    lacks: Mapping[str, tuple[str, ...]]

    def as_json(self, connection: Connection) -> dict[str, object]:
        """Return all of it as plain data, without any secret."""
        organisation = self.organisation
        kept = "environment"
        if connection.profile:
            kept = "the system's keyring" if connection.in_keyring else f"profile file in {connection.home}"
        return {
            "profile": connection.profile,
            "organisation": f"{organisation.name} ({organisation.id})" if organisation else None,
            "type": organisation.type if organisation else None,
            "user": self.user or None,
            "edition": organisation.edition if organisation else None,
            "api_domain": connection.api_domain,
            "secrets": kept,
            "operations": {name: list(lacks) for name, lacks in self.lacks.items()},
        }


def _nobody_listens(event: Event) -> None:
    del event


async def read_standing(connection: Connection) -> Standing:
    """Try every reading once. Raises `StoppedError` when the credentials do not work at all."""
    async with Transport(connection, timeout_s=_PATIENCE_S) as transport:
        client = Client(transport, Limiter(1), max_wait=_PATIENCE_S, announce=_nobody_listens)
        organisation = await read_organisation(client, dict.fromkeys(Reading, False))
        user = await _current_user(client)
    lacks = {}
    for operation in OPERATIONS.values():
        readings = {**dict.fromkeys(operation.scopes_helpful, "helpful")}
        if operation.current is not None:
            readings[operation.current] = "helpful" if operation.current in operation.scopes_helpful else "needed"
        lacks[operation.name] = tuple(
            f"{reading.value} may not be read ({how}{_scope(operation.scopes_helpful.get(reading))})"
            for reading, how in readings.items()
            if reading in organisation.refused
        )
    return Standing(organisation=organisation.profile, user=user, lacks=lacks)


def _scope(scope: str | None) -> str:
    return f": {scope}" if scope else ""


async def read_choices(connection: Connection, operation: Operation) -> tuple[Organisation, Record | None]:
    """Read what the rows of an operation may choose from, and a record that it could change, if there is one.

    What may not be read is left out. Raises `StoppedError` when the credentials do not work at all.
    """
    async with Transport(connection, timeout_s=_PATIENCE_S) as transport:
        client = Client(transport, Limiter(1), max_wait=_PATIENCE_S, announce=_nobody_listens)
        wanted = {Reading.ORG, *operation.scopes_helpful, *((operation.current,) if operation.current else ())}
        # Of the services, which may be many, one is enough.
        readings = dict.fromkeys(sorted(wanted - {Reading.SERVICES}), False)
        organisation = await read_organisation(client, readings)
        return organisation, await _some_record(client, organisation, operation)


async def _some_record(client: Client, organisation: Organisation, operation: Operation) -> Record | None:
    match operation.current:
        case Reading.SERVICES:
            try:
                found = [current.record for current in await read_some_services(client)]
            except ReadRefusedError:
                return None
            return next((record for record in found if record.get("Status") == "Available"), None)
        case Reading.SCORING_RULES:
            rules = (current.record for current in (organisation.scoring_rules or {}).values())
            return next(({**rule, "Status": "active" if rule.get("active") else "inactive"} for rule in rules), None)
        case Reading.BUSINESS_HOURS:
            return organisation.business_hours.record if organisation.business_hours else None
        case Reading.PREFERENCES:
            enabled = organisation.job_sheet_enabled
            return None if enabled is None else {"job_sheet_enabled": enabled}
        case _:
            return None


async def _current_user(client: Client) -> str:
    try:
        content = await client.read("users", {"type": "CurrentUser"})
    except ReadRefusedError:
        return ""
    users = content.get("users") if content else None
    if isinstance(users, list) and users and isinstance(users[0], dict):
        return f"{users[0].get('full_name') or ''} <{users[0].get('email') or ''}>"
    return ""
