"""The rules of the pages Create Services and Update Services, one function a key, in the order of the pages' keys.

This is written from the vendor's pages alone, and on purpose a second time: the client has its own statement of the
same rules, and each checks the other. Nothing here may be shared with it.
"""

from __future__ import annotations

from collections.abc import Callable

from bulkzcrm.sandbox import availability_rules, values
from bulkzcrm.sandbox.answers import Broken
from bulkzcrm.sandbox.draft import Draft
from bulkzcrm.sandbox.jsontext import Json

NAME_MAXIMUM = 120
DESCRIPTION_MAXIMUM = 32_000
MEMBERS_MAXIMUM = 100
PRICE_DIGITS, PRICE_PLACES = 16, 2
DURATION_LEAST, DURATION_MOST = 15, 1440  # the errors section: not less than, not greater than

LOCATIONS = ("Client Address", "Business Address", "Business Address and Client Address")
STATUSES = ("Available", "Temporarily Unavailable", "Not in Use")
YES_NO = ("Yes", "No")


def judge(draft: Draft) -> Json:
    """The service as it will be. Raises Broken with the first rule that the record breaks, in the pages' order."""
    for rule in RULES:
        rule(draft)
    return draft.result


def service_name(draft: Draft) -> None:
    """Mandatory for a new service; a text of at most 120 characters."""
    if draft.is_new or draft.says("Service_Name"):
        value = draft.demand("Service_Name")
        draft.result["Service_Name"] = values.text(value, "Service_Name", NAME_MAXIMUM)


def duration(draft: Draft) -> None:
    """Mandatory on both pages; minutes, from 15 to 1,440."""
    minutes = values.whole_number(draft.demand("Duration"), "Duration")
    if not DURATION_LEAST <= minutes <= DURATION_MOST:
        raise Broken("INVALID_DATA", "Duration", "the duration is below 15 or above 1440 minutes")
    draft.result["Duration"] = minutes


def location(draft: Draft) -> None:
    """Mandatory on both pages; one of three values."""
    draft.result["Location"] = values.choice(draft.demand("Location"), "Location", LOCATIONS)


def members(draft: Draft) -> None:
    """Mandatory on both pages; up to 100 users, each active and confirmed.

    The list replaces the stored one. A row that names its row id keeps it; the others get ids when they are stored.
    """
    rows = values.array(draft.demand("Members"), "Members", MEMBERS_MAXIMUM)
    known = _row_ids(draft)
    chosen: dict[str, Json] = {}
    for position, row in enumerate(rows):
        path = f"Members[{position}]"
        row_object = values.json_object(row, path)
        user_id = _member(draft, row_object, path)
        member: Json = {"Members": {"id": user_id}}
        if not values.is_blank(row_object.get("id")):
            row_id = values.identifier(row_object["id"])
            if row_id not in known:
                raise Broken("INVALID_DATA", f"{path}.id", "the service has no such row")
            member = {"id": row_id, **member}
        chosen.setdefault(user_id, member)
    draft.result["Members"] = list(chosen.values())


def _row_ids(draft: Draft) -> set[str]:
    stored = None if draft.stored is None else draft.stored["Members"]
    return {str(row["id"]) for row in stored} if isinstance(stored, list) else set()


def _member(draft: Draft, row: Json, path: str) -> str:
    if values.is_blank(row.get("Members")):
        raise Broken("MANDATORY_NOT_FOUND", f"{path}.Members", "a mandatory key is missing")
    person = values.json_object(row["Members"], f"{path}.Members")
    if values.is_blank(person.get("id")):
        raise Broken("MANDATORY_NOT_FOUND", f"{path}.Members.id", "a mandatory key is missing")
    user_id = values.identifier(person["id"])
    user = None if user_id is None else draft.around.users.get(user_id)
    if user_id is None or user is None:
        raise Broken("INVALID_DATA", f"{path}.Members.id", "there is no such user")
    if user["status"] != "active":
        raise Broken("INVALID_DATA", f"{path}.Members.id", "the user is inactive", user_status="inactive")
    if not user["confirm"]:
        raise Broken("INVALID_DATA", f"{path}.Members.id", "the user is unconfirmed", user_status="unconfirmed")
    return user_id


def price(draft: Draft) -> None:
    """Mandatory for a new service; up to 16 digits before the point and 2 after it."""
    if draft.is_new or draft.says("Price"):
        draft.result["Price"] = values.money(draft.demand("Price"), "Price", PRICE_DIGITS, PRICE_PLACES)


def tax(draft: Draft) -> None:
    """Optional; taxes of the organisation, by id, or by value where the id is null."""
    if not draft.says("Tax"):
        return
    sent = draft.sent["Tax"]
    rows = [] if sent is None else values.array(sent, "Tax")
    chosen: dict[str, Json] = {}
    for position, row in enumerate(rows):
        tax_id = _tax_id(draft, values.json_object(row, f"Tax[{position}]"), f"Tax[{position}]")
        chosen[tax_id] = {"id": tax_id, "value": draft.around.taxes[tax_id]}
    draft.result["Tax"] = list(chosen.values())


def _tax_id(draft: Draft, row: Json, path: str) -> str:
    taxes = draft.around.taxes
    sent_id, sent_value = row.get("id"), row.get("value")
    if values.is_blank(sent_id):
        if values.is_blank(sent_value):
            raise Broken("MANDATORY_NOT_FOUND", f"{path}.id", "a mandatory key is missing")
        named = [tax_id for tax_id, value in taxes.items() if value == sent_value]
        if not named:
            raise Broken("INVALID_DATA", f"{path}.value", "there is no such tax", supported_values=list(taxes.values()))
        return named[0]
    tax_id = values.identifier(sent_id)
    if tax_id is None or tax_id not in taxes:
        raise Broken("INVALID_DATA", f"{path}.id", "there is no such tax")
    if not values.is_blank(sent_value) and sent_value != taxes[tax_id]:
        raise Broken("INVALID_DATA", f"{path}.value", "the tax with this id has another value")
    return tax_id


def job_sheet_required(draft: Draft) -> None:
    """Optional, Yes or No, by default No; Yes needs the organisation's job-sheet preference."""
    if not draft.says("Job_Sheet_Required"):
        return
    value = draft.sent["Job_Sheet_Required"]
    wanted = "No" if value is None else values.choice(value, "Job_Sheet_Required", YES_NO)
    if wanted == "Yes" and not draft.around.job_sheet_enabled:
        message = "job sheets are switched off in the service preferences"
        raise Broken("NOT_ALLOWED", "Job_Sheet_Required", message)
    draft.result["Job_Sheet_Required"] = wanted


def job_sheet_section(draft: Draft) -> None:
    """Mandatory with Yes and forbidden with No; on update, taking a job sheet away needs an explicit null."""
    key = "Job_Sheet_Section__s"
    section = draft.value(key)
    if draft.result["Job_Sheet_Required"] == "Yes":
        section = draft.demand_dependent(key)
        draft.result[key] = values.choice(section, key, draft.around.job_sheets)
        return
    if not values.is_blank(section):
        message = "a job sheet is named though none is required"
        raise Broken("DEPENDENT_MISMATCH", key, message, dependee="Job_Sheet_Required")
    if draft.stored is not None and draft.stored[key] is not None and not draft.says(key):
        message = "null is expected to take the job sheet away"
        raise Broken("DEPENDENT_FIELD_MISSING", key, message, dependee="Job_Sheet_Required")
    draft.result[key] = None


def status(draft: Draft) -> None:
    """Optional, by default Available; a service whose dates are all over can only be Not in Use."""
    if draft.says("Status"):
        value = draft.sent["Status"]
        draft.result["Status"] = "Available" if value is None else values.choice(value, "Status", STATUSES)
    controller = availability_rules.past_key(draft)
    if draft.is_in_use() and controller is not None:
        message = "the dates of the service are over, so it cannot have this status"
        raise Broken("NOT_ALLOWED", "Status", message, dependee=controller)


def unavailable_from(draft: Draft) -> None:
    """Mandatory unless Available; never later than now. With Available both times are given or neither."""
    key = "Unavailable_From"
    if not _times_are_judged(draft):
        return
    if draft.status() != "Available":
        draft.demand_dependent(key)
    value = draft.value(key)
    if not values.is_blank(value):
        if values.instant(value, key) > draft.around.now:
            raise Broken("INVALID_DATA", key, "the time lies in the future")
        _both_or_neither(draft, key, "Unavailable_Till")
    draft.result[key] = None if values.is_blank(value) else value


def unavailable_till(draft: Draft) -> None:
    """Mandatory with Temporarily Unavailable, and then later than now; with Available it is earlier than now."""
    key = "Unavailable_Till"
    if not _times_are_judged(draft):
        return
    if draft.status() == "Temporarily Unavailable":
        draft.demand_dependent(key)
    value = draft.value(key)
    if not values.is_blank(value):
        till = values.instant(value, key)
        _both_or_neither(draft, key, "Unavailable_From")
        if draft.status() == "Temporarily Unavailable" and till <= draft.around.now:
            raise Broken("DEPENDENT_MISMATCH", key, "the time is not in the future", dependee="Status")
        if draft.status() == "Available" and till >= draft.around.now:
            raise Broken("DEPENDENT_MISMATCH", key, "the time is not in the past", dependee="Status")
    draft.result[key] = None if values.is_blank(value) else value


def _times_are_judged(draft: Draft) -> bool:
    # Stored times were right when they were written; time alone must not make an unrelated update fail.
    return any(draft.says(key) for key in ("Status", "Unavailable_From", "Unavailable_Till"))


def _both_or_neither(draft: Draft, given: str, other: str) -> None:
    if draft.status() == "Available" and values.is_blank(draft.value(other)):
        message = "with Available, both unavailable times are given or neither"
        raise Broken("DEPENDENT_MISMATCH", given, message, dependee="Status")


def description(draft: Draft) -> None:
    """Optional; at most 32,000 characters."""
    if draft.says("Description"):
        value = draft.sent["Description"]
        draft.result["Description"] = None if value is None else values.text(value, "Description", DESCRIPTION_MAXIMUM)


RULES: tuple[Callable[[Draft], None], ...] = (
    service_name,
    duration,
    location,
    members,
    availability_rules.availability_type,
    availability_rules.available_from,
    availability_rules.available_till,
    availability_rules.available_dates,
    availability_rules.available_days,
    price,
    availability_rules.available_timings,
    tax,
    job_sheet_required,
    job_sheet_section,
    status,
    unavailable_from,
    unavailable_till,
    description,
)
