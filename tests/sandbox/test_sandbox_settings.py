"""Business hours, preferences and scoring rules: each sentence of their pages, broken and mended."""

from __future__ import annotations

from typing import Any

import pytest
from sandbox_api import DROP, HOURS, HOURS_ID, PREFERENCES, RULES, Api, Clock, Reply, change, running, service

DAILY = {"business_days": ["Monday", "Tuesday"], "same_as_everyday": True, "daily_timing": ["10:00", "17:00"]}
MONDAY = {"days": "Monday", "business_timing": ["10:00", "17:00"]}
CUSTOM = {"business_days": ["Monday", "Tuesday"], "same_as_everyday": False, "custom_timing": [MONDAY]}
FIVE = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"]


def hours(**changes: object) -> dict[str, Any]:
    record = {"id": HOURS_ID, "type": "custom", "week_starts_on": "Monday", **DAILY, **changes}
    return {"business_hours": {key: value for key, value in record.items() if value is not DROP}}


def element(reply: Reply) -> Any:
    (content,) = reply.body.values()
    return content


BROKEN: list[tuple[str, dict[str, Any], str, str]] = [
    ("the id is mandatory", {"id": DROP}, "MANDATORY_NOT_FOUND", "id"),
    ("the id is known", {"id": "3652397000001438002"}, "INVALID_DATA", "id"),
    ("the type is mandatory", {"type": DROP}, "MANDATORY_NOT_FOUND", "type"),
    ("the type is one of three", {"type": "24*6"}, "INVALID_DATA", "type"),
    ("the type is a text", {"type": 24}, "INVALID_DATA", "type"),
    ("the first day is mandatory", {"week_starts_on": None}, "MANDATORY_NOT_FOUND", "week_starts_on"),
    ("the first day is a day", {"week_starts_on": "Mon"}, "INVALID_DATA", "week_starts_on"),
    ("custom has days", {"business_days": DROP}, "DEPENDENT_FIELD_MISSING", "business_days"),
    ("24*5 has days", {"type": "24*5", "business_days": []}, "DEPENDENT_FIELD_MISSING", "business_days"),
    ("24*5 has five days", {"type": "24*5", "business_days": FIVE[:4]}, "INVALID_DATA", "business_days"),
    ("24*5 has no six days", {"type": "24*5", "business_days": [*FIVE, "Sunday"]}, "INVALID_DATA", "business_days"),
    ("days are days", {"business_days": ["Monday", "Payday"]}, "INVALID_DATA", "business_days"),
    ("days are different", {"business_days": ["Monday", "Monday"]}, "INVALID_DATA", "business_days"),
    ("days end at seven", {"business_days": ["Monday"] * 8}, "INVALID_DATA", "business_days"),
    (
        "custom says whether all days are alike",
        {"same_as_everyday": DROP},
        "DEPENDENT_FIELD_MISSING",
        "same_as_everyday",
    ),
    ("alike is true or false", {"same_as_everyday": "true"}, "INVALID_DATA", "same_as_everyday"),
    ("days that are alike have a timing", {"daily_timing": DROP}, "DEPENDENT_FIELD_MISSING", "daily_timing"),
    ("a timing has two ends", {"daily_timing": ["10:00"]}, "INVALID_DATA", "daily_timing"),
    ("a timing is HH:mm", {"daily_timing": ["9:00", "17:00"]}, "INVALID_DATA", "daily_timing"),
    ("a timing goes forward", {"daily_timing": ["17:00", "10:00"]}, "INVALID_DATA", "daily_timing"),
    ("a timing stays within the hours", {"daily_timing": ["08:59", "17:00"]}, "INVALID_DATA", "daily_timing"),
    ("days that differ have timings", {**CUSTOM, "custom_timing": DROP}, "DEPENDENT_FIELD_MISSING", "custom_timing"),
    (
        "a custom timing has a day",
        {**CUSTOM, "custom_timing": [{"business_timing": ["10:00", "17:00"]}]},
        "MANDATORY_NOT_FOUND",
        "days",
    ),
    (
        "a custom timing has a timing",
        {**CUSTOM, "custom_timing": [{"days": "Monday"}]},
        "MANDATORY_NOT_FOUND",
        "business_timing",
    ),
    ("a custom timing's day is a day", {**CUSTOM, "custom_timing": [{**MONDAY, "days": "Mo"}]}, "INVALID_DATA", "days"),
    (
        "a custom timing stays within the hours",
        {**CUSTOM, "custom_timing": [{**MONDAY, "business_timing": ["10:00", "19:30"]}]},
        "INVALID_DATA",
        "business_timing",
    ),
]


@pytest.mark.parametrize(("breakage", "code", "name"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
async def test_business_hours_that_break_one_rule_are_refused_and_mended_they_are_saved(
    api: Api, breakage: dict[str, Any], code: str, name: str
) -> None:
    before = api.sandbox.business_hours()
    broken = await api.call("PUT", HOURS, hours(**breakage))
    assert (broken.status, element(broken)["code"], element(broken)["details"]["api_name"]) == (400, code, name)
    assert api.sandbox.business_hours() == before
    mended = await api.call("PUT", HOURS, hours(**(CUSTOM if "same_as_everyday" in breakage else {})))
    assert (mended.status, element(mended)["code"], element(mended)["details"]) == (200, "SUCCESS", {"id": HOURS_ID})


@pytest.mark.parametrize("sent", ["24*7", "24_by_7", "24*5", "24_by_5"])
async def test_both_spellings_of_a_type_are_taken_and_one_is_shown(api: Api, sent: str) -> None:
    await api.call("PUT", HOURS, hours(type=sent, business_days=FIVE, same_as_everyday=DROP, daily_timing=DROP))
    held = (await api.call("GET", HOURS)).body["business_hours"]
    assert held["type"] == sent.replace("*", "_by_")
    assert len(held["business_days"]) == (7 if "7" in sent else 5)
    assert held["daily_timing"] is None


async def test_the_sample_of_the_page_is_saved_and_a_deleted_day_goes(api: Api) -> None:
    friday = {"days": "Friday", "business_timing": ["11:30", "18:30"]}
    days = FIVE[:4]
    await api.call("PUT", HOURS, hours(**{**CUSTOM, "business_days": FIVE, "custom_timing": [MONDAY, friday]}))
    sample = hours(**{**CUSTOM, "business_days": days, "custom_timing": [MONDAY, {**friday, "_delete": None}]})
    assert (await api.call("PUT", HOURS, sample)).status == 200
    held = (await api.call("GET", HOURS)).body["business_hours"]
    assert (held["business_days"], held["custom_timing"]) == (days, [MONDAY])


async def test_services_are_judged_by_the_hours_of_their_own_days(api: Api) -> None:
    tuesday = {"days": "Tuesday", "business_timing": ["09:00", "12:00"]}
    await api.call("PUT", HOURS, hours(**{**CUSTOM, "custom_timing": [MONDAY, tuesday]}))
    afternoon = {"Availability_Type": "Specific Day(s)", "Available_Timings": [{"From": "13:00", "To": "15:00"}]}
    assert (await api.create(service(**afternoon, Available_Days=["Monday"]))).codes == ["SUCCESS"]
    assert (await api.create(service(**afternoon, Available_Days=["Tuesday"]))).codes == ["DEPENDENT_MISMATCH"]
    assert (await api.create(service(**afternoon, Available_Days=["Friday"]))).codes == ["DEPENDENT_MISMATCH"]


async def test_hours_round_the_clock_bind_no_service(api: Api) -> None:
    await api.call("PUT", HOURS, hours(type="24*7", business_days=DROP))
    night = {"Available_Timings": [{"From": "00:00", "To": "23:59"}]}
    sunday = {"Availability_Type": "Specific Day(s)", "Available_Days": ["Sunday"]}
    assert (await api.create(service(**night, **sunday))).codes == ["SUCCESS"]


async def test_hours_may_grow_where_the_option_says_so() -> None:
    async with running(business_hours_may_grow=True) as api:
        assert (await api.call("PUT", HOURS, hours(daily_timing=["06:00", "22:00"]))).status == 200


async def test_preferences_are_switched_and_read(api: Api) -> None:
    for enabled in (False, False, True):
        reply = await api.call("PUT", PREFERENCES, {"service_preferences": {"job_sheet_enabled": enabled}})
        assert (reply.status, element(reply)["code"], element(reply)["details"]) == (200, "SUCCESS", {})
        assert (await api.call("GET", PREFERENCES)).body == {"service_preferences": {"job_sheet_enabled": enabled}}
    assert api.sandbox.preferences() == {"job_sheet_enabled": True}


@pytest.mark.parametrize(
    ("content", "code", "is_bare"),
    [
        ({"service_preferences": {"job_sheet_enabled": "false"}}, "INVALID_DATA", False),
        ({"service_preferences": {"job_sheet_enabled": 0}}, "INVALID_DATA", False),
        ({"service_preferences": {}}, "MANDATORY_NOT_FOUND", False),
        ({"service_preferences": []}, "INVALID_DATA", False),
        ({"job_sheet_enabled": True}, "MANDATORY_NOT_FOUND", True),
        ([], "INVALID_DATA", True),
    ],
)
async def test_preferences_of_another_shape_are_refused(api: Api, content: object, code: str, is_bare: bool) -> None:  # noqa: FBT001 -- a column of the table
    reply = await api.call("PUT", PREFERENCES, content)
    assert (reply.status, "code" in reply.body) == (400, is_bare)
    assert (reply.body if is_bare else element(reply))["code"] == code


async def test_the_bare_dialect_unwraps_the_errors_of_settings() -> None:
    async with running(dialect="bare") as api:
        assert (await api.call("PUT", HOURS, hours(type="x"))).body["code"] == "INVALID_DATA"


async def test_a_rule_is_switched_on_and_off_and_again(api: Api) -> None:
    path = f"{RULES}/4876876000000965528/actions/activate"
    for method, active in (("PUT", True), ("PUT", True), ("DELETE", False), ("DELETE", False)):
        reply = await api.call(method, path)
        (answer,) = reply.body["scoring_rules"]
        assert (reply.status, answer["code"], answer["details"]) == (200, "SUCCESS", {"id": "4876876000000965528"})
        assert api.sandbox.scoring_rules()[0]["active"] is active


async def test_a_layout_has_a_limit_of_active_rules_of_its_own() -> None:
    async with running(active_rule_limit=3) as api:
        assert (await api.call("PUT", f"{RULES}/4876876000000965528/actions/activate")).status == 200
        full = await api.call("PUT", f"{RULES}/4876876000000965531/actions/activate")
        assert (full.status, element(full)[0]["code"]) == (400, "ACTIVE_STATE_LIMIT_EXCEEDED")
        assert element(full)[0]["details"]["limit"] == 3
        assert (await api.call("PUT", f"{RULES}/4876876000000965528/actions/activate")).status == 200
        assert (await api.call("PUT", f"{RULES}/4876876000000965532/actions/activate")).status == 200


async def test_a_rule_that_nobody_knows_is_refused_bare(api: Api) -> None:
    reply = await api.call("PUT", f"{RULES}/999/actions/activate")
    assert (reply.status, reply.body["code"]) == (400, "INVALID_DATA")
    assert "resource_path_index" in reply.body["details"]


async def test_today_is_the_day_where_the_business_is() -> None:
    # The clock stands at noon in India; twelve hours later it is still the first of March, but in UTC only.
    clock = Clock()
    async with running(clock=clock, token_life_s=10**6) as api:
        dates = {"Availability_Type": "Specific Date(s)", "Available_Dates": ["2090-03-01"]}
        assert (await api.create(service(**dates))).codes == ["SUCCESS"]
        clock.move(hours=12)
        assert (await api.update(change(**dates))).codes == ["NOT_ALLOWED"]
