"""The example row of a template: what a row looks like; with an organisation one that it would take, and no change.

Where rows change what there is, the example says of an existing record what it is already, so that even a forgotten
example does no harm. Where no record is known, a name finds none; a setting of the whole organisation is not given as a
row (`is_harmless`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from bulkzcrm.model import Json, Record
from bulkzcrm.spec.operation import Operation
from bulkzcrm.spec.organisation import Organisation

__all__ = ["example_row", "is_harmless"]

_NEW_SERVICE: Final[Mapping[str, str | int | Decimal]] = {
    "Service_Name": "Example: replace this row",
    "Duration": 60,
    "Location": "Client Address",
    "Members": "first.last@example.com",
    "Availability_Type": "Every Business Days",
    "Price": Decimal("1250.00"),
    "Job_Sheet_Required": "No",
}
_WITHOUT_ORGANISATION: Final[Mapping[str, Mapping[str, str | int | Decimal]]] = {
    "create-services": _NEW_SERVICE,
    "update-services": {"Service_Name": "Name of a service", "Duration": 60, "Price": Decimal("1250.00")},
    "set-service-status": {"Service_Name": "Name of a service", "Status": "Available"},
    "set-scoring-rule-status": {"name": "Name of a rule", "Status": "active"},
    "update-business-hours": {
        "type": "custom",
        "week_starts_on": "Monday",
        "business_days": "Mon-Fri",
        "same_as_everyday": "yes",
        "daily_timing": "09:00-18:00",
    },
    "update-service-preferences": {"job_sheet_enabled": "yes"},
}


def example_row(
    operation: Operation, organisation: Organisation | None = None, record: Record | None = None
) -> dict[str, str | int | Decimal]:
    """Return the example's values by API name. `record` is one that the operation could change, where one is known."""
    row = dict(_WITHOUT_ORGANISATION.get(operation.name, {}))
    if organisation is not None and "Members" in row and (member := _somebody(organisation)):
        row["Members"] = member
    if record:
        row = _as_it_is(operation, record) or row
    return {name: value for name, value in row.items() if operation.field(name) is not None}


def is_harmless(operation: Operation, record: Record | None) -> bool:
    """Tell whether nothing is changed by the example row where somebody forgets to replace it."""
    return record is not None or not operation.single


def _somebody(organisation: Organisation) -> str:
    fit = [user for user in (organisation.users or {}).values() if user.active and user.confirmed]
    return next((user.email or user.id for user in fit), "")


def _as_it_is(operation: Operation, record: Record) -> dict[str, str | int | Decimal]:
    """Return a row that says of a record what it is already."""
    row: dict[str, str | int | Decimal] = {}
    wanted = {"id": "id", **{each.name: each.name for each in operation.fields if each.name in _SHOWN}}
    if operation.renames:
        # Beside an id a name would be a new one.
        wanted.pop("Service_Name", None)
    for name in wanted:
        value = _cell(record.get(name))
        if value is not None:
            row[name] = value
    return row


_SHOWN: Final = frozenset(
    {
        "Service_Name",
        "Price",
        "Status",
        "name",
        "module",
        "type",
        "week_starts_on",
        "business_days",
        "same_as_everyday",
        "daily_timing",
        "job_sheet_enabled",
    }
)


def _cell(value: Json) -> str | int | Decimal | None:
    """Return a value as a cell takes it: lists with separators, a span with a hyphen, names for what has one."""
    match value:
        case None | "":
            return None
        case bool():
            return "yes" if value else "no"
        case int() | str():
            return value
        case float() | Decimal():
            return Decimal(str(value))
        case Mapping():
            return _cell(value.get("api_name") or value.get("name"))
        case Sequence():
            parts = [str(part) for part in value]
            is_span = len(parts) == 2 and all(":" in part for part in parts)
            return ("-" if is_span else "; ").join(parts) or None
