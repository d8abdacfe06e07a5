"""What the organisation tells when it is read: users, fields, services, business hours, preferences, scoring rules.

Every reading is made at most once a run, page by page, oldest record first, so that records made meanwhile do not shift
the pages. What a list does not show is marked as silent: it may hold anything.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from zoneinfo import ZoneInfo

from bulkzcrm.client import Client, ReadRefusedError
from bulkzcrm.errors import CredentialsRefusedError, StoppedError
from bulkzcrm.model import Json, Record
from bulkzcrm.spec.fields import WEEKDAYS, Lookup
from bulkzcrm.spec.operation import Operation
from bulkzcrm.spec.operations import SERVICES_MODULE
from bulkzcrm.spec.organisation import READ_SCOPES, BusinessHours, Choice, Current, Organisation, Profile, Reading, User
from bulkzcrm.spec.service_fields import SERVICE_FIELDS

__all__ = ["read_organisation", "read_service", "read_services", "wanted_readings"]

_PAGE_SIZE = 200
_LAST_NUMBERED_PAGE = 10
"""`page` reaches the first 2,000 records; beyond them a token leads from page to page (get-services)."""

_SERVICE_COLUMNS = ",".join(each.name for each in SERVICE_FIELDS)
_SILENT_WHEN_EMPTY = ("Members", "Available_Timings")
"""Subforms: a list may leave them out, so that nothing there proves nothing."""


def wanted_readings(operation: Operation, given: Collection[str], *, carried: bool) -> dict[Reading, bool]:
    """Return the readings that a run of these fields needs, each with whether it cannot do without.

    `given` are the fields that the source or a constant gives; `carried` tells that it has columns that are no field.
    """
    wanted = {Reading.ORG: False}
    if operation.current is not None:
        wanted[operation.current] = operation.scopes_helpful.get(operation.current) is None
    for rule in operation.rules:
        if operation.creates or any(name in given for name in rule.looks_at):
            wanted.update({reading: wanted.get(reading, False) for reading in rule.needs})
    lookups = {Lookup.USERS: Reading.USERS, Lookup.TAXES: Reading.FIELDS, Lookup.JOB_SHEETS: Reading.FIELDS}
    for each in operation.fields:
        if each.name in given and each.lookup in lookups:
            wanted.setdefault(lookups[each.lookup], False)
    if operation.creates:
        wanted.setdefault(Reading.SERVICES, False)
    if carried and Reading.FIELDS in operation.scopes_helpful:
        wanted.setdefault(Reading.FIELDS, False)
    return wanted


async def read_organisation(client: Client, wanted: Mapping[Reading, bool]) -> Organisation:
    """Read what is wanted, one after the other.

    A reading that the credentials do not allow is kept in `refused`, unless the run cannot do without it: then
    `CredentialsRefusedError`.
    """
    organisation = Organisation()
    for reading, needed in wanted.items():
        try:
            await _READERS[reading](client, organisation)
        except ReadRefusedError as error:
            if needed:
                raise CredentialsRefusedError(
                    f"The {reading.value} of the organisation may not be read ({error}).",
                    f"Give the token the scope {READ_SCOPES[reading]} (log in again with it), then resume.",
                ) from error
            organisation.refused[reading] = str(error)
    return organisation


async def _read_org(client: Client, organisation: Organisation) -> None:
    content = await client.read("org")
    for entry in _entries(content, "org"):
        licence = entry.get("license_details")
        organisation.profile = Profile(
            id=str(entry.get("zgid") or entry.get("id") or ""),
            other_id=str(entry.get("id") or ""),
            name=str(entry.get("company_name") or ""),
            type=str(entry.get("type") or ""),
            edition=str(licence.get("paid_type") or "") if isinstance(licence, Mapping) else "",
            time_zone=str(entry.get("time_zone") or ""),
        )


async def _read_users(client: Client, organisation: Organisation) -> None:
    users = {}
    async for entry in _pages(client, "users", "users", {"type": "AllUsers"}):
        user = User(
            id=str(entry.get("id")),
            name=str(entry.get("full_name") or ""),
            email=str(entry.get("email") or ""),
            active=entry.get("status") == "active",
            confirmed=entry.get("confirm") is True,
        )
        users[user.id] = user
    organisation.users = users


async def _read_fields(client: Client, organisation: Organisation) -> None:
    content = await client.read("settings/fields", {"module": SERVICES_MODULE})
    names = {}
    for entry in _entries(content, "fields"):
        name = str(entry.get("api_name"))
        names[name] = str(entry.get("field_label") or "")
        if name == "Tax":
            organisation.taxes = _choices(entry)
        elif name == "Job_Sheet_Section__s":
            organisation.job_sheets = _choices(entry)
    organisation.field_names = names


def _choices(entry: Mapping[str, Json]) -> tuple[Choice, ...]:
    listed = entry.get("pick_list_values")
    choices = []
    for value in listed if isinstance(listed, Sequence) and not isinstance(listed, str) else ():
        if isinstance(value, Mapping):
            text = str(value.get("actual_value") or value.get("display_value") or "")
            if text and text != "-None-":
                choices.append(Choice(str(value.get("id") or ""), text))
    return tuple(choices)


async def read_services(client: Client) -> dict[str, Current]:
    """Read the list of all services, by id."""
    services = {}
    query = {"fields": _SERVICE_COLUMNS, "sort_by": "id", "sort_order": "asc"}
    async for entry in _pages(client, SERVICES_MODULE, "data", query):
        services[str(entry.get("id"))] = Current(dict(entry), _silent(entry))
    return services


async def _read_services(client: Client, organisation: Organisation) -> None:
    organisation.services = await read_services(client)


async def read_service(client: Client, service_id: str) -> Current | None:
    """Read one service with all that it holds; nothing when it is not there. One credit.

    Raises `CredentialsRefusedError` where single services may not be read, besides what `Client.read` raises.
    """
    try:
        content = await client.read(f"{SERVICES_MODULE}/{service_id}")
    except ReadRefusedError as error:
        raise CredentialsRefusedError(
            f"The service {service_id} may not be read by its id ({error}), and its present values must be sent.",
            "Give the token the scope that `bulkzcrm operations OPERATION` lists, or the values in the rows.",
        ) from error
    except StoppedError as error:
        if "INVALID_DATA" in error.message:
            return None
        raise
    for entry in _entries(content, "data"):
        if str(entry.get("id")) == service_id:
            return Current(dict(entry))
    return None


def _silent(entry: Mapping[str, Json]) -> frozenset[str]:
    silent = {each.name for each in SERVICE_FIELDS if each.name not in entry}
    silent |= {name for name in _SILENT_WHEN_EMPTY if not entry.get(name)}
    more = entry.get("$has_more")
    if isinstance(more, Mapping):
        silent |= {str(name) for name, there_is in more.items() if there_is}
    return frozenset(silent)


async def _read_business_hours(client: Client, organisation: Organisation) -> None:
    content = await client.read("settings/business_hours")
    entries = list(_entries(content, "business_hours"))
    if entries:
        organisation.business_hours = _business_hours(dict(entries[0]))


def _business_hours(record: Record) -> BusinessHours:
    around_the_clock = str(record.get("type") or "").replace("*", "_by_")
    listed = record.get("business_days")
    days = frozenset(str(day) for day in listed) if isinstance(listed, Sequence) and listed else frozenset(WEEKDAYS)
    hours: dict[str, tuple[str, str]] = {}
    if around_the_clock not in ("24_by_7", "24_by_5"):
        daily = _span(record.get("daily_timing"))
        if record.get("same_as_everyday") is not False and daily:
            hours = dict.fromkeys(days, daily)
        timings = record.get("custom_timing")
        for entry in timings if isinstance(timings, Sequence) and not isinstance(timings, str) else ():
            span = _span(entry.get("business_timing")) if isinstance(entry, Mapping) else None
            if isinstance(entry, Mapping) and span and record.get("same_as_everyday") is False:
                hours[str(entry.get("days"))] = span
    name = str(record.get("timezone") or record.get("time_zone") or "")
    try:
        zone = ZoneInfo(name) if name else None
    except (OSError, ValueError):
        zone = None
    return BusinessHours(
        record=record, days=frozenset(WEEKDAYS) if around_the_clock == "24_by_7" else days, hours=hours, zone=zone
    )


def _span(value: Json) -> tuple[str, str] | None:
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2:
        return str(value[0]), str(value[1])
    return None


async def _read_preferences(client: Client, organisation: Organisation) -> None:
    content = await client.read("settings/service_preferences")
    for entry in _entries(content, "service_preferences"):
        enabled = entry.get("job_sheet_enabled")
        organisation.job_sheet_enabled = enabled if isinstance(enabled, bool) else None


async def _read_scoring_rules(client: Client, organisation: Organisation) -> None:
    rules = {}
    async for entry in _pages(client, "settings/automation/scoring_rules", "scoring_rules", {}):
        rules[str(entry.get("id"))] = Current(dict(entry))
    organisation.scoring_rules = rules


async def _pages(
    client: Client, path: str, wrapper: str, query: Mapping[str, str]
) -> AsyncIterator[Mapping[str, Json]]:
    page, token = 1, ""
    while True:
        place = {"page_token": token} if token else {"page": str(page)}
        content = await client.read(path, {**query, **place, "per_page": str(_PAGE_SIZE)})
        entries = list(_entries(content, wrapper))
        for entry in entries:
            yield entry
        info = content.get("info") if content else None
        if not entries or not isinstance(info, Mapping) or info.get("more_records") is not True:
            return
        page += 1
        following = str(info.get("next_page_token") or "")
        if token or (page > _LAST_NUMBERED_PAGE and wrapper == "data"):
            if not following:
                raise StoppedError(
                    f"The list {path} goes on after {page - 1} pages, but the server does not say where.",
                    "Resume later; if it happens again, report it.",
                )
            token = following


def _entries(content: Mapping[str, Json] | None, wrapper: str) -> Sequence[Mapping[str, Json]]:
    value = content.get(wrapper) if content else None
    if isinstance(value, Mapping):
        return [value]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [entry for entry in value if isinstance(entry, Mapping)]
    return []


_READERS = {
    Reading.ORG: _read_org,
    Reading.USERS: _read_users,
    Reading.FIELDS: _read_fields,
    Reading.SERVICES: _read_services,
    Reading.BUSINESS_HOURS: _read_business_hours,
    Reading.PREFERENCES: _read_preferences,
    Reading.SCORING_RULES: _read_scoring_rules,
}
