"""What goes over the wire for a record: the values of the row, completed from the current record as the pages want."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, cast

from msgspec import Raw

from bulkzcrm.model import Json, Record
from bulkzcrm.spec.facts import NOW
from bulkzcrm.spec.fields import WEEKDAYS, Field, Kind
from bulkzcrm.spec.operation import Completed, Request, RequestBuilder
from bulkzcrm.spec.organisation import Current, Organisation
from bulkzcrm.spec.service_rules import DEPENDENTS
from bulkzcrm.spec.values import same

__all__ = [
    "UPDATE_MANDATORY",
    "activation_request",
    "complete_activation",
    "complete_business_hours",
    "complete_preferences",
    "new_record",
    "object_request",
    "records_request",
    "service_completion",
]

UPDATE_MANDATORY: Final = ("Duration", "Location", "Members", "Availability_Type")
"""What the update-services page wants in every request, besides `id`."""


def records_request(method: str, path: str) -> RequestBuilder:
    """Return the request for records in a `data` array; without triggers, workflows are told not to run."""

    def request(records: Sequence[Record] | Sequence[Raw], *, triggers: bool) -> Request:
        body: dict[str, Json] = {"data": cast("list[Json]", list(records))}
        if not triggers:
            body["trigger"] = []
        return Request(method, path, body)

    return request


def object_request(path: str, wrapper: str) -> RequestBuilder:
    """Return the request for one record inside a wrapper object (the settings pages)."""

    def request(records: Sequence[Record] | Sequence[Raw], *, triggers: bool) -> Request:
        del triggers
        (record,) = records
        return Request("PUT", path, {wrapper: cast("Json", record)})

    return request


def activation_request(records: Sequence[Record] | Sequence[Raw], *, triggers: bool) -> Request:
    """Return the request that switches a scoring rule on or off; it has no body."""
    del triggers
    (only,) = records
    record = cast("Record", only)
    method = "PUT" if record["Status"] == "active" else "DELETE"
    return Request(method, f"settings/automation/scoring_rules/{record['id']}/actions/activate", None)


def new_record(given: Record, current: Current | None, organisation: Organisation) -> Completed:
    """Complete a record to create: what the row gives and nothing else."""
    del current, organisation
    record: Record = {name: value for name, value in given.items() if value is not None}
    return Completed(record, record.keys())


def service_completion(fields: Iterable[Field]) -> Callable[[Record, Current | None, Organisation], Completed]:
    """Return the completion of an update of a service whose changes are given in `fields`."""
    kinds = {each.name: each.kind for each in fields}

    def complete(given: Record, current: Current | None, organisation: Organisation) -> Completed:
        del organisation
        if current is None:
            raise ValueError("an update of a service is completed from its current record")
        changed = _changed(given, current, kinds)
        record: Record = {"id": current.id}
        lacks = set()
        for name in _to_send(given, current, changed):
            if name in given:
                record[name] = _with_row_ids(given[name], current) if name == "Members" else given[name]
            elif name in current.silent:
                lacks.add(name)
            else:
                record[name] = _as_sent(name, current.record.get(name))
        if "Job_Sheet_Required" in changed and given.get("Job_Sheet_Required") == "No":
            record["Job_Sheet_Section__s"] = None
        return Completed(record, frozenset(changed), frozenset(lacks))

    return complete


def _changed(given: Record, current: Current, kinds: Mapping[str, Kind]) -> set[str]:
    changed = {
        name
        for name, value in given.items()
        if name in kinds
        and name != "id"
        and (name in current.silent or not same(kinds[name], value, current.record.get(name)))
    }
    # "now" asks for a time not later than now, which a service that is already so has.
    if given.get("Unavailable_From") == NOW and "Status" not in changed and current.record.get("Unavailable_From"):
        changed.discard("Unavailable_From")
    return changed


def _to_send(given: Record, current: Current, changed: set[str]) -> list[str]:
    """Return the fields to send, in the order in which pages list them: mandatory, controlling, dependent, other."""
    names = [*UPDATE_MANDATORY]
    for controlling, choices in DEPENDENTS.items():
        if controlling != "Availability_Type" and controlling not in changed:
            continue
        if controlling not in names:
            names.append(controlling)
        value = given[controlling] if controlling in given else current.record.get(controlling)
        names += [name for name in choices.get(str(value), ()) if name not in names]
    return [*names, *(name for name in given if name in changed and name not in names)]


def _as_sent(name: str, value: Json) -> Json:
    """Return a current value as a write wants it: of a member its row id and its user's id."""
    if name != "Members" or not isinstance(value, Sequence) or isinstance(value, str):
        return value
    return [_member(entry) for entry in value if isinstance(entry, Mapping)]


def _member(entry: Mapping[str, Json]) -> dict[str, Json]:
    inner = entry.get("Members")
    user: Json = {"id": str(inner.get("id"))} if isinstance(inner, Mapping) else None
    return {"id": str(entry["id"]), "Members": user} if entry.get("id") else {"Members": user}


def _with_row_ids(value: Json, current: Current) -> Json:
    """Give members that are already there their own row ids, so that they stay the same rows."""
    now = current.record.get("Members")
    rows: dict[Json, Json] = {}
    for entry in now if isinstance(now, Sequence) and not isinstance(now, str) else ():
        inner = entry.get("Members") if isinstance(entry, Mapping) else None
        if isinstance(entry, Mapping) and isinstance(inner, Mapping) and entry.get("id"):
            rows[str(inner.get("id"))] = str(entry["id"])
    members: list[Json] = []
    for entry in value if isinstance(value, Sequence) and not isinstance(value, str) else ():
        inner = entry.get("Members") if isinstance(entry, Mapping) else None
        user = str(inner.get("id")) if isinstance(inner, Mapping) else ""
        members.append({"id": rows[user], "Members": {"id": user}} if user in rows else entry)
    return members


def complete_activation(given: Record, current: Current | None, organisation: Organisation) -> Completed:
    """Complete the switching of a scoring rule; without a reading of the rules it is sent unseen."""
    del organisation
    record: Record = {"id": current.id if current else given.get("id"), "Status": given.get("Status")}
    if current is not None and (current.record.get("active") is True) == (given.get("Status") == "active"):
        return Completed(record, frozenset())
    return Completed(record, frozenset({"Status"}))


def complete_preferences(given: Record, current: Current | None, organisation: Organisation) -> Completed:
    """Complete the service preferences: one switch."""
    del current
    wanted = given.get("job_sheet_enabled")
    as_it_is = organisation.job_sheet_enabled is not None and organisation.job_sheet_enabled is wanted
    return Completed(
        {"job_sheet_enabled": wanted},
        frozenset() if as_it_is else frozenset({"job_sheet_enabled"}),
    )


def complete_business_hours(given: Record, current: Current | None, organisation: Organisation) -> Completed:
    """Complete business hours: the id, and for a day that closes the timing that it has, which the page wants repeated.

    Source: update-business-hours. The spelling of the type is the one that the organisation's own reading shows.
    """
    del current
    hours = organisation.business_hours
    now = hours.record if hours else {}
    record: Record = {"id": given.get("id") or (hours.id if hours else None)}
    changed = set()
    for name, kind in _HOURS_KINDS.items():
        if name not in given:
            continue
        value = _spelled(given[name], now) if name == "type" else given[name]
        record[name] = value
        if not _same_setting(name, kind, value, now):
            changed.add(name)
    days, day_changes = _custom_timing(given, now)
    if days:
        record["custom_timing"] = days
        changed |= day_changes
    return Completed(record, frozenset(changed))


_HOURS_KINDS: Final = {
    "type": Kind.CHOICE,
    "week_starts_on": Kind.CHOICE,
    "business_days": Kind.DAYS,
    "same_as_everyday": Kind.BOOLEAN,
    "daily_timing": Kind.HOURS,
}


def _spelled(value: Json, now: Mapping[str, Json]) -> Json:
    return str(value).replace("*", "_by_") if "_by_" in str(now.get("type") or "") else value


def _same_setting(name: str, kind: Kind, value: Json, now: Mapping[str, Json]) -> bool:
    if kind is Kind.BOOLEAN:
        return now.get(name) is value
    return same(kind, value, now.get(name))


def _custom_timing(given: Record, now: Mapping[str, Json]) -> tuple[list[Json], set[str]]:
    """Return the `custom_timing` entries for the weekday columns, and the days that they change."""
    open_now = _open_days(now)
    entries: list[Json] = []
    changed = set()
    for day in WEEKDAYS:
        value = given.get(day)
        if value is None:
            continue
        if value != "closed":
            entries.append({"days": day, "business_timing": value})
            if open_now.get(day) != value:
                changed.add(day)
        elif day in open_now:
            entries.append({"days": day, "business_timing": open_now[day], "_delete": None})
            changed.add(day)
    return entries, changed


def _open_days(now: Mapping[str, Json]) -> dict[str, Json]:
    timings = now.get("custom_timing")
    if not isinstance(timings, Sequence) or isinstance(timings, str):
        return {}
    return {str(entry.get("days")): entry.get("business_timing") for entry in timings if isinstance(entry, Mapping)}
