"""Reads of what surrounds the services: their fields with pick lists, the users, the organisation, its settings."""

from __future__ import annotations

import re
from collections.abc import Callable

from bulkzcrm.sandbox import availability_rules, seed, service_rules, values
from bulkzcrm.sandbox.answers import Answer, refuse
from bulkzcrm.sandbox.jsontext import Json
from bulkzcrm.sandbox.organisation import Call, Organisation
from bulkzcrm.sandbox.paging import page_of, page_query
from bulkzcrm.sandbox.uniqueness import CUSTOM_FIELD_MAXIMUM

_API_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,49}")
_FIRST_FIELD_ID = 5545974000000010000


def read_fields(org: Organisation, call: Call) -> Answer:
    """GET settings/fields?module=Services__s."""
    module = call.query.get("module")
    if module is None:
        raise refuse(400, "REQUIRED_PARAM_MISSING", "a mandatory parameter is missing", {"param_name": "module"})
    if module != "Services__s":
        raise refuse(400, "INVALID_MODULE", "there is no such module", {"param_name": "module"})
    return Answer(200, {"fields": service_fields(org.options.unique_field)})


def read_users(org: Organisation, call: Call) -> Answer:
    """GET users, by `type`."""
    kind = call.query.get("type", "AllUsers")
    if kind not in _USER_TYPES:
        raise refuse(400, "INVALID_DATA", "there is no such type of users", {"param_name": "type"})
    return page_of("users", [user for user in org.users if _USER_TYPES[kind](user)], page_query(call.query))


def read_organisation(org: Organisation, call: Call) -> Answer:  # noqa: ARG001 -- every operation has this shape
    """GET org."""
    return Answer(200, {"org": [org.record()]})


def read_business_hours(org: Organisation, call: Call) -> Answer:  # noqa: ARG001 -- every operation has this shape
    """GET settings/business_hours."""
    return Answer(200, {"business_hours": org.store.document("business_hours")})


def read_preferences(org: Organisation, call: Call) -> Answer:  # noqa: ARG001 -- every operation has this shape
    """GET settings/service_preferences."""
    return Answer(200, {"service_preferences": org.store.document("service_preferences")})


def service_fields(unique: str | None = None) -> list[Json]:
    """Metadata of the fields of Services__s; `unique` is marked as such, and added where it is none of them."""
    definitions = _definitions()
    own = {definition[0] for definition in definitions}
    if unique is not None and unique not in own:
        label = unique.replace("_", " ")
        definitions.append((unique, label, "text", "string", CUSTOM_FIELD_MAXIMUM, False, None))
    fields = [_field(number, definition) for number, definition in enumerate(definitions, start=1)]
    for each in fields:
        each["custom_field"] = each["api_name"] not in own
        if each["api_name"] == unique:
            each["unique"] = {"case_sensitive": False}
    return fields


def can_be_unique(name: str) -> bool:
    """Whether there can be a unique field of that name: the services' name, or a text that is added to the others."""
    own = {"id", *(definition[0] for definition in _definitions())}
    return name == "Service_Name" or (name not in own and _API_NAME.fullmatch(name) is not None)


def _is_active(user: Json) -> bool:
    return user["status"] == "active"


def _is_confirmed(user: Json) -> bool:
    return user["confirm"] is True


def _is_administrator(user: Json) -> bool:
    return user["id"] == seed.CURRENT_USER["id"]


_USER_TYPES: dict[str, Callable[[Json], bool]] = {
    "AllUsers": lambda _: True,
    "ActiveUsers": _is_active,
    "AllActiveUsers": _is_active,
    "DeactiveUsers": lambda user: not _is_active(user),
    "ConfirmedUsers": _is_confirmed,
    "NotConfirmedUsers": lambda user: not _is_confirmed(user),
    "DeletedUsers": lambda _: False,
    "ActiveConfirmedUsers": lambda user: _is_active(user) and _is_confirmed(user),
    "AdminUsers": _is_administrator,
    "ActiveConfirmedAdmins": _is_administrator,
    "CurrentUser": _is_administrator,
    "ActiveLiteUser": lambda _: False,
    "DeveloperUsers": lambda _: False,
}

_Definition = tuple[str, str, str, str, int | None, bool, list[Json] | None]


def _definitions() -> list[_Definition]:
    """API name, label, data type, JSON type, length, mandatory, pick list."""
    name, description = service_rules.NAME_MAXIMUM, service_rules.DESCRIPTION_MAXIMUM
    availability_types = _choices(*availability_rules.AVAILABILITY_TYPES)
    taxes = [{"id": tax_id, **_choice(value)} for tax_id, value in seed.TAXES.items()]
    return [
        ("Service_Name", "Service Name", "text", "string", name, True, None),
        ("Duration", "Duration", "integer", "integer", 9, True, None),
        ("Location", "Location", "picklist", "string", 120, True, _choices(*service_rules.LOCATIONS)),
        ("Members", "Members", "multiuserlookup", "jsonarray", None, True, None),
        ("Availability_Type", "Availability Type", "picklist", "string", 120, True, availability_types),
        ("Available_From", "Available From", "date", "string", 20, False, None),
        ("Available_Till", "Available Till", "date", "string", 20, False, None),
        ("Available_Dates", "Available Dates", "multidates", "jsonarray", None, False, None),
        ("Available_Days", "Available Days", "multiselectpicklist", "jsonarray", 7, False, _choices(*values.WEEKDAYS)),
        ("Price", "Price", "currency", "double", service_rules.PRICE_DIGITS, True, None),
        ("Available_Timings", "Available Timings", "time_range", "jsonarray", 2, False, None),
        ("Tax", "Tax", "multiselectpicklist", "jsonarray", 1024, False, taxes),
        ("Job_Sheet_Required", "Job Sheet Required", "picklist", "string", 120, False, _choices("Yes", "No")),
        ("Job_Sheet_Section__s", "Job Sheet", "picklist", "string", 120, False, _choices(*seed.JOB_SHEETS)),
        ("Status", "Status", "picklist", "string", 120, False, _choices(*service_rules.STATUSES)),
        ("Unavailable_From", "Unavailable From", "datetime", "string", None, False, None),
        ("Unavailable_Till", "Unavailable Till", "datetime", "string", None, False, None),
        ("Description", "Description", "textarea", "string", description, False, None),
        ("Owner", "Service Owner", "ownerlookup", "jsonobject", 120, False, None),
        ("Created_By", "Created By", "ownerlookup", "jsonobject", 120, False, None),
        ("Modified_By", "Modified By", "ownerlookup", "jsonobject", 120, False, None),
        ("Created_Time", "Created Time", "datetime", "string", None, False, None),
        ("Modified_Time", "Modified Time", "datetime", "string", None, False, None),
        ("Record_Status__s", "Record Status", "text", "string", 50, False, None),
    ]


_READ_ONLY = {"Created_By", "Modified_By", "Created_Time", "Modified_Time", "Record_Status__s"}


def _field(number: int, definition: _Definition) -> Json:
    api_name, label, data_type, json_type, length, mandatory, pick_list = definition
    writable = api_name not in _READ_ONLY
    return {
        "id": f"{_FIRST_FIELD_ID + number}",
        "api_name": api_name,
        "field_label": label,
        "display_label": label,
        "data_type": data_type,
        "json_type": json_type,
        "length": length,
        "system_mandatory": mandatory,
        "custom_field": False,
        "visible": True,
        "read_only": not writable,
        "field_read_only": not writable,
        "operation_type": {
            "api_create": writable,
            "api_update": writable,
            "web_create": writable,
            "web_update": writable,
        },
        "unique": {},
        "decimal_place": 2 if api_name == "Price" else None,
        "pick_list_values": [
            {"id": f"{_FIRST_FIELD_ID + number * 100 + position}", **entry}
            for position, entry in enumerate(pick_list or [], start=1)
        ],
    }


def _choices(*names: str) -> list[Json]:
    return [_choice(name) for name in names]


def _choice(name: str) -> Json:
    return {"display_value": name, "actual_value": name, "reference_value": name, "type": "used"}
