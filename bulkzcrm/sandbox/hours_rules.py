"""The rules of the page Update Business Hours, in the order of its keys.

Like the services' rules, a second and independent statement of the page.
"""

from __future__ import annotations

from collections.abc import Callable

from bulkzcrm.sandbox import values
from bulkzcrm.sandbox.answers import Broken
from bulkzcrm.sandbox.hours import BusinessHours, Window, minutes
from bulkzcrm.sandbox.jsontext import Json

# Sent in either spelling; shown on reading in the second one.
TYPES = {
    "24*7": "24_by_7",
    "24*5": "24_by_5",
    "custom": "custom",
    "24_by_7": "24_by_7",
    "24_by_5": "24_by_5",
}
_PAGE_TYPES = ("24*7", "24*5", "custom")


def judge(sent: Json, current: Json, *, may_grow: bool) -> Json:
    """The business hours as they will be. Raises Broken with the first rule that the request breaks.

    Timings have to lie within the current hours of the organisation, as the page says, unless they may grow.
    """
    limit = None if may_grow else BusinessHours.of(current).span()
    result = {**current, "daily_timing": None, "custom_timing": None, "same_as_everyday": True}
    _id(sent, current)
    result["type"] = kind = TYPES[str(_demanded(sent, "type", _type))]
    result["week_starts_on"] = _demanded(sent, "week_starts_on", values.weekday)
    result["business_days"] = _business_days(sent, kind)
    if kind != "custom":
        return result
    result["same_as_everyday"] = same = _same_as_everyday(sent)
    if same:
        _demand_dependent(sent, "daily_timing", "same_as_everyday")
        result["daily_timing"] = _timing(sent["daily_timing"], "daily_timing", limit)
    else:
        _demand_dependent(sent, "custom_timing", "same_as_everyday")
        result["custom_timing"] = _custom_timing(sent["custom_timing"], current["custom_timing"], limit)
    return result


def _id(sent: Json, current: Json) -> None:
    if values.identifier(_demanded(sent, "id", lambda value, _: value)) != current["id"]:
        raise Broken("INVALID_DATA", "id", "there are no business hours with this id")


def _type(value: object, path: str) -> str:
    if not isinstance(value, str) or value not in TYPES:
        message = "not one of the supported values"
        raise Broken("INVALID_DATA", path, message, supported_values=list(_PAGE_TYPES))
    return value


def _demanded(sent: Json, key: str, read: Callable[[object, str], object]) -> object:
    if values.is_blank(sent.get(key)):
        raise Broken("MANDATORY_NOT_FOUND", key, "a mandatory key is missing")
    return read(sent[key], key)


def _demand_dependent(sent: Json, key: str, dependee: str) -> None:
    if values.is_blank(sent.get(key)):
        message = "a key that depends on another one is missing"
        raise Broken("DEPENDENT_FIELD_MISSING", key, message, dependee=dependee)


def _business_days(sent: Json, kind: str) -> list[str]:
    key = "business_days"
    if kind == "24_by_7":
        return list(values.WEEKDAYS)
    _demand_dependent(sent, key, "type")
    days = values.array(sent[key], key, len(values.WEEKDAYS))
    names = [values.weekday(day, f"{key}[{position}]") for position, day in enumerate(days)]
    if len(set(names)) < len(names):
        raise Broken("INVALID_DATA", key, "a day is named twice")
    if kind == "24_by_5" and len(names) != 5:
        raise Broken("INVALID_DATA", key, "exactly five business days are expected")
    return names


def _same_as_everyday(sent: Json) -> bool:
    _demand_dependent(sent, "same_as_everyday", "type")
    return values.boolean(sent["same_as_everyday"], "same_as_everyday")


def _timing(value: object, path: str, limit: Window | None) -> list[str]:
    ends = values.array(value, path, 2)
    if len(ends) != 2:
        raise Broken("INVALID_DATA", path, "two times are expected, from and till")
    start, till = (values.clock_time(end, f"{path}[{position}]") for position, end in enumerate(ends))
    if till <= start:
        raise Broken("INVALID_DATA", path, "the timing ends before it begins")
    if limit is not None and not (limit[0] <= minutes(start) and minutes(till) <= limit[1]):
        raise Broken("INVALID_DATA", path, "the timing lies outside the business hours of the organisation")
    return [f"{start:%H:%M}", f"{till:%H:%M}"]


def _custom_timing(value: object, current: object, limit: Window | None) -> list[Json]:
    """Timings by day: those sent change the current ones, and one with `_delete` takes its day's timing away."""
    kept = {str(entry["days"]): entry for entry in current} if isinstance(current, list) else {}
    for position, row in enumerate(values.array(value, "custom_timing")):
        path = f"custom_timing[{position}]"
        entry = values.json_object(row, path)
        for key in ("days", "business_timing"):
            if values.is_blank(entry.get(key)):
                raise Broken("MANDATORY_NOT_FOUND", f"{path}.{key}", "a mandatory key is missing")
        day = values.weekday(entry["days"], f"{path}.days")
        timing = _timing(entry["business_timing"], f"{path}.business_timing", limit)
        if "_delete" in entry and entry["_delete"] is not False:
            kept.pop(day, None)
        else:
            kept[day] = {"days": day, "business_timing": timing}
    return [kept[day] for day in values.WEEKDAYS if day in kept]
