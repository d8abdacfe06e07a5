"""What the organisation tells when it is read: users, fields, services, business hours, preferences, scoring rules.

Every reading is made at most once a run, page by page, oldest record first, so that records made meanwhile do not shift
the pages. What a list does not show is marked as silent: it may hold anything.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bulkzcrm.cells import counted
from bulkzcrm.client import Client, ReadRefusedError
from bulkzcrm.errors import CredentialsRefusedError, StoppedError
from bulkzcrm.model import Json, Record
from bulkzcrm.spec.fields import WEEKDAYS, Lookup
from bulkzcrm.spec.operation import Operation
from bulkzcrm.spec.operations import SERVICES_MODULE
from bulkzcrm.spec.organisation import (
    READ_SCOPES,
    BusinessHours,
    Choice,
    Current,
    Organisation,
    Profile,
    Reading,
    Unique,
    User,
)
from bulkzcrm.spec.service_fields import SERVICE_FIELDS

__all__ = [
    "list_pages",
    "moment",
    "read_created_since",
    "read_current_user",
    "read_organisation",
    "read_service",
    "read_services",
    "wanted_readings",
]

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
    if operation.key:
        # Whether the field is unique, and which values are taken, must be known.
        wanted.update({Reading.FIELDS: True, Reading.SERVICES: True})
    if carried and Reading.FIELDS in operation.scopes_helpful:
        wanted.setdefault(Reading.FIELDS, False)
    return wanted


async def read_organisation(
    client: Client, wanted: Mapping[Reading, bool], *, key: str = "", known: Organisation | None = None
) -> Organisation:
    """Read what is wanted, one after the other, and add it to what is `known`; of the services also the field `key`.

    A reading that the credentials do not allow is kept in `refused`, unless the run cannot do without it: then
    `CredentialsRefusedError`.
    """
    organisation = known or Organisation()
    for reading, needed in wanted.items():
        try:
            if reading is Reading.SERVICES:
                organisation.services = await read_services(client, key)
            else:
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
            users=_whole(licence.get("users_license_purchased")) if isinstance(licence, Mapping) else 0,
            time_zone=str(entry.get("time_zone") or ""),
        )


def _whole(value: Json) -> int:
    """Return a number that is given as such or as a text, 0 for anything else."""
    text = str(value)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


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
    unique = {}
    for entry in _entries(content, "fields"):
        name = str(entry.get("api_name"))
        names[name] = str(entry.get("field_label") or "")
        if (how := _unique(entry)) is not None:
            unique[name] = how
        if name == "Tax":
            organisation.taxes = _choices(entry)
        elif name == "Job_Sheet_Section__s":
            organisation.job_sheets = _choices(entry)
    organisation.field_names = names
    organisation.unique_fields = unique


def _unique(entry: Mapping[str, Json]) -> Unique | None:
    """Read how a field is unique: `unique` is an empty object for one that is not (fields metadata)."""
    how, allowed, length = entry.get("unique"), entry.get("operation_type"), entry.get("length")
    if not isinstance(how, Mapping) or not how or entry.get("data_type") != "text":
        return None
    if isinstance(allowed, Mapping) and allowed.get("api_create") is False:
        return None
    flag = how.get("case_sensitive", how.get("casesensitive"))
    return Unique(
        length if isinstance(length, int) and length > 0 else None,
        case_sensitive=flag is True or str(flag).casefold() == "true",
    )


def _choices(entry: Mapping[str, Json]) -> tuple[Choice, ...]:
    listed = entry.get("pick_list_values")
    choices = []
    for value in listed if isinstance(listed, Sequence) and not isinstance(listed, str) else ():
        if isinstance(value, Mapping):
            text = str(value.get("actual_value") or value.get("display_value") or "")
            if text and text != "-None-":
                choices.append(Choice(str(value.get("id") or ""), text))
    return tuple(choices)


def list_pages(services: int) -> int:
    """Return how many requests a list of so many services takes."""
    return max(1, -(-services // _PAGE_SIZE))


async def read_services(client: Client, key: str = "") -> dict[str, Current]:
    """Read the list of all services, by id; with a field of that name, if it is none that is read anyway."""
    services = {}
    beside = f",{key}" if key and key not in _SERVICE_COLUMNS.split(",") else ""
    query = {"fields": f"{_SERVICE_COLUMNS}{beside}", "sort_by": "id", "sort_order": "asc"}
    async for entry in _pages(client, SERVICES_MODULE, "data", query):
        services[str(entry.get("id"))] = Current(dict(entry), _silent(entry))
    return services


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


async def read_created_since(
    client: Client,
    since: datetime,
    *,
    landmarks: Collection[str] = (),
    wanted: Callable[[Mapping[str, Json]], bool] | None = None,
    look_at: Callable[[Mapping[str, Json]], None] = lambda _: None,
) -> tuple[list[Current], frozenset[str]]:
    """Read the services made since then, newest first, with who made them when: the `wanted` ones, and the ids of all.

    `look_at` is shown every one of them.

    `landmarks` are ids of records that are known to be older: where all of them have been seen, nothing further down
    can matter. One credit a page of 200. A search would be quicker, but its index lags behind; a list does not. Raises
    what `Client.read` raises, and `StoppedError` where the list proves nothing about what it does not show.
    """
    query = {"fields": f"{_SERVICE_COLUMNS},Created_Time,Created_By", "sort_by": "Created_Time", "sort_order": "desc"}
    # A record that is made meanwhile pushes another one on to the next page, which then shows it once more.
    recent: dict[str, Current] = {}
    ids: set[str] = set()
    unseen = set(landmarks)
    async with aclosing(_sheets(client, SERVICES_MODULE, "data", query)) as sheets:
        async for entry in _newest_first(sheets):
            made = moment(entry.get("Created_Time"))
            if made is not None and made < since:
                break
            ids.add(str(entry.get("id")))
            look_at(entry)
            if wanted is None or wanted(entry):
                recent.setdefault(str(entry.get("id")), Current(dict(entry), _silent(entry)))
            if unseen:
                unseen.discard(str(entry.get("id")))
                if not unseen:
                    break
    return list(recent.values()), frozenset(ids)


async def _newest_first(sheets: AsyncIterator[list[Mapping[str, Json]]]) -> AsyncIterator[Mapping[str, Json]]:
    """Yield the entries of pages, each in order as a whole: else an old one would say nothing of the rest."""
    last: datetime | None = None
    async for sheet in sheets:
        for entry in sheet:
            made = moment(entry.get("Created_Time"))
            if made is not None and last is not None and made > last:
                raise _no_list(SERVICES_MODULE, "is not in the order that was asked for")
            last = made or last
        for entry in sheet:
            yield entry


async def read_current_user(client: Client) -> str:
    """Read the id of the user whose token this is; blank when the server does not tell."""
    content = await client.read("users", {"type": "CurrentUser"})
    return next((str(entry["id"]) for entry in _entries(content, "users") if entry.get("id")), "")


def moment(value: Json) -> datetime | None:
    """Return a moment that the server tells, where it is one with an offset."""
    try:
        read = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return read if read.tzinfo is not None else None


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
    except (OSError, ValueError, ZoneInfoNotFoundError):
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
) -> AsyncGenerator[Mapping[str, Json], None]:
    """Yield the entries of a list."""
    async with aclosing(_sheets(client, path, wrapper, query)) as sheets:
        async for sheet in sheets:
            for entry in sheet:
                yield entry


async def _sheets(
    client: Client, path: str, wrapper: str, query: Mapping[str, str]
) -> AsyncGenerator[list[Mapping[str, Json]], None]:
    """Yield a list, page by page, to an end that the server itself has told.

    What is no list, or breaks off, or goes round in a circle, proves nothing about what is not in it: `StoppedError`.
    """
    page, token = 1, ""
    seen: set[str] = set()
    while True:
        place = {"page_token": token} if token else {"page": str(page)}
        content = await client.read(path, {**query, **place, "per_page": str(_PAGE_SIZE)})
        entries = _listed(path, content, wrapper)
        ids = {str(entry.get("id")) for entry in entries}
        if ids and ids <= seen:
            raise _no_list(path, f"shows nothing new after {counted(page - 1, 'page')}")
        seen |= ids
        yield entries
        info = content.get("info") if content else None
        more = info.get("more_records") if isinstance(info, Mapping) else None
        if more is not True:
            if more is None and len(entries) >= _PAGE_SIZE:
                raise _no_list(path, f"does not say after {counted(page, 'page')} whether it goes on")
            return
        page += 1
        following = str(info.get("next_page_token") or "") if isinstance(info, Mapping) else ""
        if not entries or (following and following == token):
            raise _no_list(path, f"goes on after {counted(page - 1, 'page')} with nothing")
        if token or (page > _LAST_NUMBERED_PAGE and wrapper == "data"):
            if not following:
                raise _no_list(path, f"goes on after {counted(page - 1, 'page')}, but the server does not say where")
            token = following


def _listed(path: str, content: Mapping[str, Json] | None, wrapper: str) -> list[Mapping[str, Json]]:
    """Return what a page of a list shows; nothing where there is "no content"."""
    if content is None:
        return []
    value = content.get(wrapper)
    if isinstance(value, Sequence) and not isinstance(value, str):
        entries = [entry for entry in value if isinstance(entry, Mapping)]
        if len(entries) == len(value):
            return entries
    raise _no_list(path, "is answered with something that is none")


def _no_list(path: str, what: str) -> StoppedError:
    return StoppedError(f"The list {path} {what}.", "Resume later; if it happens again, report it.")


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
    Reading.BUSINESS_HOURS: _read_business_hours,
    Reading.PREFERENCES: _read_preferences,
    Reading.SCORING_RULES: _read_scoring_rules,
}
