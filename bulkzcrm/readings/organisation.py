"""Which readings a run needs of an organisation, and what each of them tells; every one is made at most once a run."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bulkzcrm.client import Client, ReadRefusedError
from bulkzcrm.errors import CredentialsRefusedError
from bulkzcrm.model import Json, Record
from bulkzcrm.readings.lists import entries_of, read_list
from bulkzcrm.readings.services import read_services
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

__all__ = ["read_current_user", "read_organisation", "wanted_readings"]


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
    for entry in entries_of(content, "org"):
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
    async for entry in read_list(client, "users", "users", {"type": "AllUsers"}):
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
    for entry in entries_of(content, "fields"):
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


async def read_current_user(client: Client) -> str:
    """Read the id of the user whose token this is; blank when the server does not tell."""
    content = await client.read("users", {"type": "CurrentUser"})
    return next((str(entry["id"]) for entry in entries_of(content, "users") if entry.get("id")), "")


async def _read_business_hours(client: Client, organisation: Organisation) -> None:
    content = await client.read("settings/business_hours")
    entries = list(entries_of(content, "business_hours"))
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
    for entry in entries_of(content, "service_preferences"):
        enabled = entry.get("job_sheet_enabled")
        organisation.job_sheet_enabled = enabled if isinstance(enabled, bool) else None


async def _read_scoring_rules(client: Client, organisation: Organisation) -> None:
    rules = {}
    async for entry in read_list(client, "settings/automation/scoring_rules", "scoring_rules", {}):
        rules[str(entry.get("id"))] = Current(dict(entry))
    organisation.scoring_rules = rules


_READERS = {
    Reading.ORG: _read_org,
    Reading.USERS: _read_users,
    Reading.FIELDS: _read_fields,
    Reading.BUSINESS_HOURS: _read_business_hours,
    Reading.PREFERENCES: _read_preferences,
    Reading.SCORING_RULES: _read_scoring_rules,
}
