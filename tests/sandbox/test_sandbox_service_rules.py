"""Each sentence of the Services pages: a record that breaks just that rule is refused, and mended it is accepted."""

from __future__ import annotations

from typing import Any

import pytest
from sandbox_api import (
    AC_REPAIR,
    DEEP_CLEANING,
    DROP,
    LENA_UNCONFIRMED,
    OMAR_INACTIVE,
    PATRICIA,
    VAT,
    Api,
    change,
    members,
    running,
    service,
)

PAST, FUTURE = "2089-12-01T10:00:00+05:30", "2090-12-01T10:00:00+05:30"
NOW = "2090-03-01T06:30:00+00:00"
RANGE = {"Availability_Type": "Specific Date Range", "Available_From": "2090-04-01", "Available_Till": "2090-05-01"}
DATES = {"Availability_Type": "Specific Date(s)", "Available_Dates": ["2090-05-03"]}
DAYS = {"Availability_Type": "Specific Day(s)", "Available_Days": ["Monday"]}
SHEET = {"Job_Sheet_Required": "Yes", "Job_Sheet_Section__s": "Standard"}
AWAY = {"Status": "Temporarily Unavailable", "Unavailable_From": PAST, "Unavailable_Till": FUTURE}
GONE = {"Status": "Not in Use", "Unavailable_From": PAST}
WINDOW = {"From": "10:00", "To": "12:00"}

# what the page says; a sound base; the change that breaks it; code; path in the record
BROKEN: list[tuple[str, dict[str, Any], dict[str, Any], str, str]] = [
    ("a name is mandatory", {}, {"Service_Name": DROP}, "MANDATORY_NOT_FOUND", "Service_Name"),
    ("a null name is none", {}, {"Service_Name": None}, "MANDATORY_NOT_FOUND", "Service_Name"),
    ("an empty name is none", {}, {"Service_Name": ""}, "MANDATORY_NOT_FOUND", "Service_Name"),
    ("a name is a text", {}, {"Service_Name": 7}, "INVALID_DATA", "Service_Name"),
    ("a name ends at 120 characters", {}, {"Service_Name": "x" * 121}, "INVALID_DATA", "Service_Name"),
    ("a duration is mandatory", {}, {"Duration": DROP}, "MANDATORY_NOT_FOUND", "Duration"),
    ("a duration is a number", {}, {"Duration": "1 hour"}, "INVALID_DATA", "Duration"),
    ("true is no duration", {}, {"Duration": True}, "INVALID_DATA", "Duration"),
    ("a duration is whole", {}, {"Duration": 60.5}, "INVALID_DATA", "Duration"),
    ("a duration is not below 15", {}, {"Duration": 14}, "INVALID_DATA", "Duration"),
    ("a duration is not above 1440", {}, {"Duration": 1441}, "INVALID_DATA", "Duration"),
    ("a location is mandatory", {}, {"Location": DROP}, "MANDATORY_NOT_FOUND", "Location"),
    ("a location is one of three", {}, {"Location": "client address"}, "INVALID_DATA", "Location"),
    ("members are mandatory", {}, {"Members": DROP}, "MANDATORY_NOT_FOUND", "Members"),
    ("no members are none", {}, {"Members": []}, "MANDATORY_NOT_FOUND", "Members"),
    ("members are an array", {}, {"Members": {"Members": {"id": PATRICIA}}}, "INVALID_DATA", "Members"),
    ("a member is an object", {}, {"Members": [PATRICIA]}, "INVALID_DATA", "Members[0]"),
    ("a member names a user", {}, {"Members": [{}]}, "MANDATORY_NOT_FOUND", "Members[0].Members"),
    ("a user has an id", {}, {"Members": [{"Members": {}}]}, "MANDATORY_NOT_FOUND", "Members[0].Members.id"),
    ("a user exists", {}, {"Members": members("5545974000000393999")}, "INVALID_DATA", "Members[0].Members.id"),
    ("a user is active", {}, {"Members": members(OMAR_INACTIVE)}, "INVALID_DATA", "Members[0].Members.id"),
    (
        "a user is confirmed",
        {},
        {"Members": members(PATRICIA, LENA_UNCONFIRMED)},
        "INVALID_DATA",
        "Members[1].Members.id",
    ),
    ("members end at 100", {}, {"Members": members(*[PATRICIA] * 101)}, "INVALID_DATA", "Members"),
    ("an availability is mandatory", {}, {"Availability_Type": DROP}, "MANDATORY_NOT_FOUND", "Availability_Type"),
    ("an availability is one of four", {}, {"Availability_Type": "Always"}, "INVALID_DATA", "Availability_Type"),
    ("a range has a first date", RANGE, {"Available_From": DROP}, "DEPENDENT_FIELD_MISSING", "Available_From"),
    ("a range has a last date", RANGE, {"Available_Till": None}, "DEPENDENT_FIELD_MISSING", "Available_Till"),
    ("a first date is a date", RANGE, {"Available_From": "01.04.2090"}, "INVALID_DATA", "Available_From"),
    ("a last date exists", RANGE, {"Available_Till": "2090-02-30"}, "INVALID_DATA", "Available_Till"),
    ("the last date is later", RANGE, {"Available_Till": "2090-04-01"}, "INVALID_DATA", "Available_Till"),
    ("dates are named", DATES, {"Available_Dates": DROP}, "DEPENDENT_FIELD_MISSING", "Available_Dates"),
    ("no dates are none", DATES, {"Available_Dates": []}, "DEPENDENT_FIELD_MISSING", "Available_Dates"),
    ("dates are an array", DATES, {"Available_Dates": "2090-05-03"}, "INVALID_DATA", "Available_Dates"),
    ("dates end at 20", DATES, {"Available_Dates": ["2090-05-03"] * 21}, "INVALID_DATA", "Available_Dates"),
    ("dates have a form", DATES, {"Available_Dates": ["03/05/2090"]}, "INVALID_DATA", "Available_Dates[0]"),
    ("dates are business days", DATES, {"Available_Dates": ["2090-04-30"]}, "DEPENDENT_MISMATCH", "Available_Dates[0]"),
    ("days are named", DAYS, {"Available_Days": DROP}, "DEPENDENT_FIELD_MISSING", "Available_Days"),
    ("days are days", DAYS, {"Available_Days": ["Monday", "Mon"]}, "INVALID_DATA", "Available_Days[1]"),
    ("days end at 7", DAYS, {"Available_Days": ["Monday"] * 8}, "INVALID_DATA", "Available_Days"),
    ("days are business days", DAYS, {"Available_Days": ["Sunday"]}, "DEPENDENT_MISMATCH", "Available_Days[0]"),
    ("a price is mandatory", {}, {"Price": DROP}, "MANDATORY_NOT_FOUND", "Price"),
    ("a price is a number", {}, {"Price": "free"}, "INVALID_DATA", "Price"),
    ("a price is not negative", {}, {"Price": -1}, "INVALID_DATA", "Price"),
    ("a price has 2 places", {}, {"Price": 1.005}, "INVALID_DATA", "Price"),
    ("a price has 16 digits", {}, {"Price": 10**16}, "INVALID_DATA", "Price"),
    ("timings are an array", {}, {"Available_Timings": WINDOW}, "INVALID_DATA", "Available_Timings"),
    ("timings end at 2", {}, {"Available_Timings": [WINDOW] * 3}, "INVALID_DATA", "Available_Timings"),
    (
        "a timing has an end",
        {},
        {"Available_Timings": [{"From": "10:00"}]},
        "MANDATORY_NOT_FOUND",
        "Available_Timings[0].To",
    ),
    (
        "a timing is on the 24-hour clock",
        {},
        {"Available_Timings": [{"From": "10:00 AM", "To": "12:00"}]},
        "INVALID_DATA",
        "Available_Timings[0].From",
    ),
    (
        "there is no 24:00",
        {},
        {"Available_Timings": [WINDOW, {"From": "10:00", "To": "24:00"}]},
        "INVALID_DATA",
        "Available_Timings[1].To",
    ),
    (
        "a timing ends after it begins",
        {},
        {"Available_Timings": [{"From": "12:00", "To": "12:00"}]},
        "INVALID_DATA",
        "Available_Timings[0].To",
    ),
    (
        "a timing is as long as the service",
        {},
        {"Available_Timings": [{"From": "10:00", "To": "10:59"}]},
        "INVALID_DATA",
        "Available_Timings",
    ),
    (
        "a timing begins within business hours",
        {},
        {"Available_Timings": [{"From": "08:59", "To": "12:00"}]},
        "DEPENDENT_MISMATCH",
        "Available_Timings[0].From",
    ),
    (
        "a timing ends within business hours",
        {},
        {"Available_Timings": [{"From": "09:00", "To": "19:01"}]},
        "DEPENDENT_MISMATCH",
        "Available_Timings[0].To",
    ),
    ("taxes are an array", {}, {"Tax": {"id": VAT}}, "INVALID_DATA", "Tax"),
    ("a tax exists", {}, {"Tax": [{"id": "5545974000000021999"}]}, "INVALID_DATA", "Tax[0].id"),
    ("a tax is named", {}, {"Tax": [{}]}, "MANDATORY_NOT_FOUND", "Tax[0].id"),
    ("a tax's value is its own", {}, {"Tax": [{"id": VAT, "value": "Vat - 9 %"}]}, "INVALID_DATA", "Tax[0].value"),
    ("a tax's value exists", {}, {"Tax": [{"id": None, "value": "Vat - 9 %"}]}, "INVALID_DATA", "Tax[0].value"),
    ("a job sheet is Yes or No", {}, {"Job_Sheet_Required": "yes"}, "INVALID_DATA", "Job_Sheet_Required"),
    ("Yes needs a job sheet", SHEET, {"Job_Sheet_Section__s": None}, "DEPENDENT_FIELD_MISSING", "Job_Sheet_Section__s"),
    ("No has no job sheet", SHEET, {"Job_Sheet_Required": "No"}, "DEPENDENT_MISMATCH", "Job_Sheet_Section__s"),
    ("the default has no job sheet", SHEET, {"Job_Sheet_Required": DROP}, "DEPENDENT_MISMATCH", "Job_Sheet_Section__s"),
    ("a job sheet exists", SHEET, {"Job_Sheet_Section__s": "Short"}, "INVALID_DATA", "Job_Sheet_Section__s"),
    ("a status is one of three", {}, {"Status": "Not In Use"}, "INVALID_DATA", "Status"),
    ("dates that are over are refused", DATES, {"Available_Dates": ["2090-02-27"]}, "NOT_ALLOWED", "Status"),
    (
        "a range that is over is refused",
        RANGE,
        {"Available_From": "2090-01-01", "Available_Till": "2090-02-28"},
        "NOT_ALLOWED",
        "Status",
    ),
    (
        "dates that are over suit no break either",
        {**DATES, **AWAY},
        {"Available_Dates": ["2090-02-27"]},
        "NOT_ALLOWED",
        "Status",
    ),
    ("a break has a beginning", AWAY, {"Unavailable_From": DROP}, "DEPENDENT_FIELD_MISSING", "Unavailable_From"),
    ("a break has an end", AWAY, {"Unavailable_Till": None}, "DEPENDENT_FIELD_MISSING", "Unavailable_Till"),
    ("an end of use has a time", GONE, {"Unavailable_From": DROP}, "DEPENDENT_FIELD_MISSING", "Unavailable_From"),
    ("a time has its offset", GONE, {"Unavailable_From": "2089-12-01T10:00:00"}, "INVALID_DATA", "Unavailable_From"),
    ("a time is ISO 8601", GONE, {"Unavailable_From": "1 December 2089"}, "INVALID_DATA", "Unavailable_From"),
    ("a break has begun", AWAY, {"Unavailable_From": FUTURE}, "INVALID_DATA", "Unavailable_From"),
    ("a break is not over", AWAY, {"Unavailable_Till": PAST}, "DEPENDENT_MISMATCH", "Unavailable_Till"),
    ("a break does not end now", AWAY, {"Unavailable_Till": NOW}, "DEPENDENT_MISMATCH", "Unavailable_Till"),
    ("Available has both times", {}, {"Unavailable_From": PAST}, "DEPENDENT_MISMATCH", "Unavailable_From"),
    ("Available has both or neither", {}, {"Unavailable_Till": PAST}, "DEPENDENT_MISMATCH", "Unavailable_Till"),
    (
        "an available service's break is over",
        {},
        {"Unavailable_From": PAST, "Unavailable_Till": FUTURE},
        "DEPENDENT_MISMATCH",
        "Unavailable_Till",
    ),
    ("a description is a text", {}, {"Description": ["x"]}, "INVALID_DATA", "Description"),
    ("a description ends at 32,000", {}, {"Description": "x" * 32_001}, "INVALID_DATA", "Description"),
]


@pytest.mark.parametrize(
    ("base", "breakage", "code", "path"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN]
)
async def test_a_new_service_that_breaks_one_rule_is_refused_and_mended_it_is_added(
    api: Api, base: dict[str, Any], breakage: dict[str, Any], code: str, path: str
) -> None:
    before = len(api.sandbox.services())
    broken = await api.create(service(**{**base, **breakage}))
    (element,) = broken.elements
    assert (element["code"], element["status"]) == (code, "error")
    assert element["details"]["json_path"] == f"$.data[0].{path}"
    assert element["details"]["api_name"] == path.rsplit(".", 1)[-1].split("[", maxsplit=1)[0]
    assert broken.status == (403 if code == "NOT_ALLOWED" else 400)
    assert len(api.sandbox.services()) == before
    mended = await api.create(service(**base))
    assert (mended.status, mended.codes) == (201, ["SUCCESS"])
    assert len(api.sandbox.services()) == before + 1


ON_UPDATE = [case for case in BROKEN if "Service_Name" not in case[2] and case[2].get("Price", 0) is not DROP]


@pytest.mark.parametrize(
    ("base", "breakage", "code", "path"), [case[1:] for case in ON_UPDATE], ids=[case[0] for case in ON_UPDATE]
)
async def test_an_update_is_judged_by_the_same_rules(
    api: Api, base: dict[str, Any], breakage: dict[str, Any], code: str, path: str
) -> None:
    created = await api.create(service())
    broken = await api.update(change(created.ids[0], **{**base, **breakage}))
    assert broken.codes == [code]
    assert broken.elements[0]["details"]["json_path"] == f"$.data[0].{path}"
    mended = await api.update(change(created.ids[0], **base))
    assert (mended.status, mended.codes) == (200, ["SUCCESS"])


ACCEPTED: list[tuple[str, dict[str, Any]]] = [
    ("a duration of 15 minutes", {"Duration": 15}),
    ("a duration of 1440 minutes", {"Duration": 1440}),
    ("a duration as digits in a string", {"Duration": "60"}),
    ("a name of 120 characters", {"Service_Name": "x" * 120}),
    ("a name in any script", {"Service_Name": "सेवा № 1 (ß)"}),
    ("100 members", {"Members": members(*[PATRICIA] * 100)}),
    ("a member's id as a number", {"Members": [{"Members": {"id": int(PATRICIA)}}]}),
    ("20 dates", {**DATES, "Available_Dates": ["2090-05-03"] * 20}),
    ("some dates that are over, not all", {**DATES, "Available_Dates": ["2090-02-27", "2090-05-03"]}),
    ("dates of today", {**DATES, "Available_Dates": ["2090-03-01"]}),
    ("7 days", {**DAYS, "Available_Days": ["Monday"] * 7}),
    ("a price of 16 digits", {"Price": 9_999_999_999_999_999}),
    ("a price of nothing", {"Price": 0}),
    ("two timings, one of them too short", {"Available_Timings": [{"From": "09:00", "To": "09:30"}, WINDOW]}),
    ("timings from opening to closing", {"Available_Timings": [{"From": "09:00", "To": "19:00"}]}),
    ("a timing as long as the service", {"Available_Timings": [{"From": "10:00", "To": "11:00"}]}),
    ("no timings", {"Available_Timings": None}),
    ("a tax by its value", {"Tax": [{"id": None, "value": "Vat - 0.8 %"}]}),
    ("a tax by its id", {"Tax": [{"id": VAT}]}),
    ("No and a null job sheet", {"Job_Sheet_Required": "No", "Job_Sheet_Section__s": None}),
    ("Available after a break that is over", {"Unavailable_From": PAST, "Unavailable_Till": PAST}),
    ("a break that begins now", {**AWAY, "Unavailable_From": NOW}),
    ("a time in UTC", {**AWAY, "Unavailable_Till": "2090-03-01T06:31:00Z"}),
    ("Not in Use outside business hours", {**GONE, "Available_Timings": [{"From": "02:00", "To": "22:00"}]}),
    ("Not in Use outside business days", {**GONE, **DAYS, "Available_Days": ["Sunday"]}),
    ("Not in Use with dates that are over", {**GONE, **DATES, "Available_Dates": ["2090-02-26"]}),
    ("dependents of another availability", {"Available_Days": ["Monday"], "Available_From": "2090-01-01"}),
    ("keys that nobody knows", {"Colour": "red", "Layout": {"id": "1"}}),
    ("a description of 32,000 characters", {"Description": "x" * 32_000}),
]


@pytest.mark.parametrize("changes", [case[1] for case in ACCEPTED], ids=[case[0] for case in ACCEPTED])
async def test_what_lies_just_within_the_rules_is_accepted(api: Api, changes: dict[str, Any]) -> None:
    assert (await api.create(service(**changes))).codes == ["SUCCESS"]


async def test_the_first_broken_rule_in_the_order_of_the_page_is_told(api: Api) -> None:
    sound = service(
        Availability_Type="Specific Date Range",
        Available_From="2090-04-01",
        Available_Till="2090-05-01",
        Available_Timings=[WINDOW],
        Tax=[{"id": VAT}],
        **SHEET,
        **AWAY,
        Description="x",
    )
    in_order = ["Service_Name", "Duration", "Location", "Members", "Availability_Type", "Available_From"]
    in_order += ["Available_Till", "Price", "Available_Timings", "Tax", "Job_Sheet_Required", "Job_Sheet_Section__s"]
    in_order += ["Status", "Unavailable_From", "Unavailable_Till", "Description"]
    # What is wrong for every one of these keys, but does not change what the others have to be.
    record: dict[str, Any] = sound | {key: {"x": 1} for key in in_order if key != "Availability_Type"}
    told = []
    for key in in_order:
        if key == "Availability_Type":
            continue
        (element,) = (await api.create(record)).elements
        told.append(element["details"]["json_path"].removeprefix("$.data[0]."))
        record[key] = sound[key]
    assert told == [key for key in in_order if key != "Availability_Type"]
    assert (await api.create(record)).codes == ["SUCCESS"]


async def test_a_price_keeps_all_its_digits(api: Api) -> None:
    raw = b'{"data":[{"Service_Name":"Gold","Duration":60,"Location":"Client Address","Availability_Type":'
    raw += b'"Every Business Days","Members":[{"Members":{"id":5545974000000393001}}],"Price":9999999999999999.99}]}'
    created = await api.call("POST", "Services__s", raw=raw)
    assert f"{(await api.read(created.ids[0]))['Price']}" == "9999999999999999.99"


async def test_a_price_with_a_giant_exponent_is_refused_at_once(api: Api) -> None:
    for price in (b"1e999999", b"1e-999999"):
        raw = b'{"data":[{"Service_Name":"Gold","Duration":60,"Location":"Client Address","Availability_Type":'
        raw += b'"Every Business Days","Members":[{"Members":{"id":5545974000000393001}}],"Price":' + price + b"}]}"
        reply = await api.call("POST", "Services__s", raw=raw)
        assert reply.elements[0]["details"]["api_name"] == "Price"


async def test_the_sample_of_the_create_page_is_added_and_read_back(api: Api) -> None:
    sample = {
        **service(Service_Name="AC Repair", Duration="60", Price=230.66, **SHEET),
        "Availability_Type": "Specific Day(s)",
        "Available_Days": ["Monday", "Tuesday"],
        "Available_Timings": [{"From": "10:00", "To": "18:30"}],
        "Tax": [{"id": VAT, "value": "Vat - 0.8 %"}],
        "Status": "Available",
        "Description": "At your door.",
    }
    created = await api.create(sample)
    assert created.status == 201
    held = await api.read(created.ids[0])
    assert held["Duration"] == 60
    assert held["Members"][0]["Members"] == {"module": "users", "name": "Patricia Boyle", "id": PATRICIA}
    same = {key: value for key, value in sample.items() if key not in ("Duration", "Members", "Price")}
    assert {key: held[key] for key in same} == same
    assert f"{held['Price']}" == "230.66"


async def test_the_sample_of_the_update_page_is_accepted_once_its_dates_lie_ahead(api: Api) -> None:
    reply = await api.update(
        change(
            AC_REPAIR,
            Duration="60",
            Location="Business Address and Client Address",
            Members=members("5545974000000393002", "5545974000000393003"),
            Available_Timings=[{"From": "10:00", "To": "13:30"}, {"From": "15:00", "To": "18:00"}],
            Tax=[{"id": "5545974000000021001", "value": "Sales Tax - 2.0 %"}],
            Job_Sheet_Required="No",
            Job_Sheet_Section__s=None,
            **RANGE,
            **AWAY,
        )
    )
    assert (reply.status, reply.codes, reply.ids) == (200, ["SUCCESS"], [AC_REPAIR])
    held = await api.read(AC_REPAIR)
    assert (held["Status"], held["Available_Days"], held["Available_From"]) == (
        "Temporarily Unavailable",
        None,
        "2090-04-01",
    )


@pytest.mark.parametrize("key", ["id", "Duration", "Location", "Members", "Availability_Type"])
async def test_an_update_without_a_mandatory_key_is_refused(api: Api, key: str) -> None:
    reply = await api.update(change(**{key: DROP}))
    assert [(e["code"], e["details"]["api_name"]) for e in reply.elements] == [("MANDATORY_NOT_FOUND", key)]


@pytest.mark.parametrize("service_id", ["5545974000002183999", "abc", True, 1e30, "99999999999999999999"])
async def test_an_update_of_nobody_is_refused(api: Api, service_id: object) -> None:
    reply = await api.update(change(service_id, id=service_id))
    assert [(e["code"], e["details"]["api_name"]) for e in reply.elements] == [("INVALID_DATA", "id")]


async def test_an_update_leaves_alone_what_it_does_not_name(api: Api) -> None:
    before = await api.read(AC_REPAIR)
    await api.update(change(int(AC_REPAIR), Availability_Type="Specific Day(s)", Available_Days=["Monday"]))
    after = await api.read(AC_REPAIR)
    for key in (
        "Service_Name",
        "Price",
        "Tax",
        "Job_Sheet_Section__s",
        "Description",
        "Available_Timings",
        "Created_Time",
    ):
        assert after[key] == before[key]
    assert after["Available_Days"] == ["Monday"]
    assert after["Modified_Time"] == "2090-03-01T12:00:00+05:30"


async def test_stored_timings_must_still_fit_a_longer_duration(api: Api) -> None:
    reply = await api.update(change(Duration=600))
    assert reply.elements[0]["details"]["api_name"] == "Available_Timings"


async def test_dependents_are_demanded_in_the_request_though_they_are_stored(api: Api) -> None:
    for changes, missing in (
        ({"Availability_Type": "Specific Day(s)"}, "Available_Days"),
        ({"Job_Sheet_Required": "Yes"}, "Job_Sheet_Section__s"),
    ):
        reply = await api.update(change(AC_REPAIR, **changes))
        assert (reply.codes, reply.elements[0]["details"]["api_name"]) == (["DEPENDENT_FIELD_MISSING"], missing)
    reply = await api.update(change(DEEP_CLEANING, Status="Temporarily Unavailable"))
    assert reply.elements[0]["details"] == {
        "api_name": "Unavailable_From",
        "json_path": "$.data[0].Unavailable_From",
        "dependee": {"api_name": "Status", "json_path": "$.data[0].Status"},
    }


async def test_taking_a_job_sheet_away_needs_an_explicit_null(api: Api) -> None:
    silent = await api.update(change(AC_REPAIR, Job_Sheet_Required="No"))
    assert (silent.codes, silent.elements[0]["details"]["api_name"]) == (
        ["DEPENDENT_FIELD_MISSING"],
        "Job_Sheet_Section__s",
    )
    explicit = await api.update(change(AC_REPAIR, Job_Sheet_Required="No", Job_Sheet_Section__s=None))
    assert explicit.codes == ["SUCCESS"]


async def test_a_service_that_is_available_again_needs_no_times_and_keeps_none(api: Api) -> None:
    assert (await api.update(change(DEEP_CLEANING, Status="Available"))).codes == ["SUCCESS"]
    held = await api.read(DEEP_CLEANING)
    assert (held["Unavailable_From"], held["Unavailable_Till"]) == (None, None)


async def test_a_member_keeps_its_row_when_it_is_named_and_gets_a_new_one_otherwise(api: Api) -> None:
    (row,) = (await api.read(AC_REPAIR))["Members"]
    kept = {"id": row["id"], "Members": {"id": PATRICIA}}
    await api.update(change(AC_REPAIR, Members=[kept, *members("5545974000000393002")]))
    first, second = (await api.read(AC_REPAIR))["Members"]
    assert first["id"] == row["id"]
    assert second["id"] not in (None, row["id"])
    await api.update(change(AC_REPAIR))
    (replaced,) = (await api.read(AC_REPAIR))["Members"]
    assert replaced["id"] not in (first["id"], second["id"])
    foreign = await api.update(change(AC_REPAIR, Members=[kept]))
    assert foreign.elements[0]["details"]["json_path"] == "$.data[0].Members[0].id"


async def test_job_sheets_are_not_allowed_while_the_preference_is_off(api: Api) -> None:
    await api.call("PUT", "settings/service_preferences", {"service_preferences": {"job_sheet_enabled": False}})
    refused = await api.create(service(**SHEET))
    assert (refused.status, refused.codes) == (403, ["NOT_ALLOWED"])
    assert refused.elements[0]["details"]["api_name"] == "Job_Sheet_Required"
    mixed = await api.create(service(**SHEET), service(Duration=1))
    assert (mixed.status, mixed.codes) == (400, ["NOT_ALLOWED", "INVALID_DATA"])


async def test_active_services_are_limited_and_services_not_in_use_do_not_count() -> None:
    async with running(active_service_limit=12) as api:  # eleven of the seeded ones count
        first, second, third = (await api.create(service(), service(), service(**GONE))).elements
        assert (first["code"], second["code"], third["code"]) == ("SUCCESS", "LIMIT_EXCEEDED", "SUCCESS")
        assert second["details"] == {"api_name": "Status", "json_path": "$.data[1].Status", "limit": 12}
        woken = await api.update(change(third["details"]["id"], Status="Available"))
        assert woken.codes == ["LIMIT_EXCEEDED"]
        await api.update(change(first["details"]["id"], **GONE))
        assert (await api.create(service())).codes == ["SUCCESS"]


async def test_the_seeded_services_keep_the_sandboxs_own_rules(api: Api) -> None:
    left_out = ("Created_Time", "Modified_Time", "Created_By", "Modified_By", "Owner", "Record_Status__s", "$has_more")
    records = [
        {key: value for key, value in held.items() if key not in left_out} | {"Price": float(held["Price"])}
        for held in api.sandbox.services()
    ]
    assert (await api.update(*records)).codes == ["SUCCESS"] * 12
