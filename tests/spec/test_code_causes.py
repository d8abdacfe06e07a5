"""One code has many causes: field, details, message and the row's own values tell which one it is."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkzcrm.model import Json, Record
from bulkzcrm.spec.codes import CODES, Family, problem_for

SERVICE: Record = {
    "Service_Name": "AC Repair",
    "Duration": 60,
    "Members": [{"Members": {"id": "5545974000000393001"}}, {"Members": {"id": "5545974000000393008"}}],
    "Availability_Type": "Specific Date Range",
    "Available_From": "2040-03-07",
    "Available_Till": "2040-04-07",
    "Available_Timings": [{"From": "10:00", "To": "18:30"}],
    "Status": "Available",
}


def _place(path: str, **more: Json) -> dict[str, Json]:
    leaf = re.split(r"[.\[]", path.rstrip("]"))[-1]
    return {"api_name": leaf, "json_path": f"$.data[0].{path}", **more}


STATUS: Mapping[str, Json] = {"api_name": "Status", "json_path": "$.data[0].Status"}

TOLD_APART = {
    # code, details, message, what the row has otherwise: the field to mend and words that only the right cause has
    "days": ("DEPENDENT_MISMATCH", _place("Available_Days"), "", {}, "Available_Days", "not a business day"),
    "dates": ("DEPENDENT_MISMATCH", _place("Available_Dates"), "", {}, "Available_Dates", "holiday"),
    "timings": (
        "DEPENDENT_MISMATCH",
        _place("Available_Timings[0].To", dependee=STATUS),
        "Service available time does not satisfy the business timing",
        {},
        "Available_Timings",
        "beyond the organisation's business hours",
    ),
    "duration against timings": ("DEPENDENT_MISMATCH", _place("Duration"), "", {}, "Duration", "takes longer"),
    "range swapped": (
        "DEPENDENT_MISMATCH",
        _place("Available_Till"),
        "To value must be Greater than From value",
        {"Available_From": "2040-05-01"},
        "Available_Till",
        "is not later than Available_From",
    ),
    "job sheet unwanted": (
        "DEPENDENT_MISMATCH",
        _place("Job_Sheet_Section__s"),
        "",
        {},
        "Job_Sheet_Section__s",
        "needs none",
    ),
    "available with an announced time that has passed": (
        "DEPENDENT_MISMATCH",
        {**STATUS, "dependee": {"api_name": "Unavailable_From"}},
        "When the service status is available, Unavailable From must be greater than current date",
        {"Unavailable_From": "2030-01-01T00:00:00+00:00"},
        "Unavailable_From",
        "not in the future",
    ),
    "not in use from a future time": (
        "DEPENDENT_MISMATCH",
        {**STATUS, "dependee": {"api_name": "Unavailable_From"}},
        "Services status cannot be marked as Not In Use when Unavailable From falls after the current Date",
        {"Status": "Not in Use", "Unavailable_From": "2090-01-01T00:00:00+00:00"},
        "Unavailable_From",
        "lies in the future",
    ),
    "available with one time": (
        "DEPENDENT_MISMATCH",
        STATUS,
        "",
        {"Unavailable_From": "2030-01-01T00:00:00+00:00"},
        "Unavailable_Till",
        "only one of the two",
    ),
    "available until past": (
        "DEPENDENT_MISMATCH",
        {**STATUS, "dependee": {"api_name": "Available_Till"}},
        "End Date of service availability falls before the current Date, so service cannot be marked as Available",
        {},
        "Available_Till",
        "has ended",
    ),
    "temporarily until past": (
        "DEPENDENT_MISMATCH",
        _place("Unavailable_Till"),
        "Unavailable Till must be greater than current Time.",
        {"Status": "Temporarily Unavailable", "Unavailable_From": "2030-01-01T00:00:00+00:00"},
        "Unavailable_Till",
        "already passed",
    ),
    "available until future": (
        "DEPENDENT_MISMATCH",
        _place("Unavailable_Till"),
        "",
        {
            "Unavailable_From": "2030-01-01T00:00:00+00:00",
            "Unavailable_Till": "2090-01-01T00:00:00+00:00",
        },
        "Unavailable_Till",
        "still to come",
    ),
    "scheduled service": (
        "DEPENDENT_MISMATCH",
        _place("Unavailable_Till"),
        "Service status cannot be marked as Not In Use or Temporarily Unavailable for scheduled services.",
        {"Status": "Not in Use"},
        "Status",
        "has not begun yet",
    ),
    "unavailable since": ("DEPENDENT_FIELD_MISSING", _place("Unavailable_From"), "", {}, "Unavailable_From", "since"),
    "unavailable until": ("DEPENDENT_FIELD_MISSING", _place("Unavailable_Till"), "", {}, "Unavailable_Till", "until"),
    "unconfirmed member": (
        "INVALID_DATA",
        _place("Members[1].Members.id", user_status="unconfirmed"),
        "",
        {},
        "Members",
        'invitation to Zoho CRM. The field is Members. Sent was "5545974000000393008"',
    ),
    "inactive member": (
        "INVALID_DATA",
        {"api_name": "id", "user_status": "inactive"},
        "",
        {},
        "Members",
        "inactive user",
    ),
    "unknown member": ("INVALID_DATA", _place("Members[0].Members.id"), "", {}, "Members", "not a user"),
    "too many members": ("LIMIT_EXCEEDED", _place("Members", limit=100), "", {}, "Members", "names is 100"),
    "too many services": ("LIMIT_EXCEEDED", _place("Status", limit=3), "", {}, "Status", "names is 3"),
    "time no time": (
        "INVALID_DATA",
        {"api_name": "To", "json_path": "$.data[0].Available_Timings"},
        " The given custom time is invalid",
        {"Available_Timings": [{"From": "10:00", "To": "6 pm"}]},
        "Available_Timings",
        "no 24-hour time",
    ),
    "time without a path": (
        "INVALID_DATA",
        {"api_name": "From"},
        "",
        {"Available_Timings": [{"From": "x", "To": "y"}]},
        "Available_Timings",
        "no 24-hour time",
    ),
    "timing too short": (
        "INVALID_DATA",
        _place("Available_Timings"),
        "",
        {"Available_Timings": [{"From": "10:00", "To": "10:30"}]},
        "Available_Timings",
        "fewer minutes than Duration",
    ),
    "outside availability": (
        "INVALID_DATA",
        _place("Unavailable_From"),
        "Unavailable From time does not fall within service availability",
        {},
        "Unavailable_From",
        "outside the time",
    ),
    "unavailable in the future": (
        "INVALID_DATA",
        _place("Unavailable_From"),
        "",
        {},
        "Unavailable_From",
        "lies in the future",
    ),
    "values of another field": (
        "INVALID_DATA",
        _place("Unavailable_Till", supported_values=["Available", "Scheduled"]),
        "Invalid data",
        {},
        "Unavailable_Till",
        "Zoho lists the values Available, Scheduled",
    ),
    "length": ("INVALID_DATA", _place("Service_Name", maximum_length=120), "", {}, "Service_Name", "most 120"),
    "kind": ("INVALID_DATA", _place("Owner", expected_data_type="jsonobject"), "", {}, "Owner", "a structure"),
    "unknown id": ("INVALID_DATA", _place("id"), "", {}, "id", "not that of a record"),
    "too many records": (
        "INVALID_DATA",
        {"api_name": "data", "json_path": "$.data", "maximum_length": 100},
        "",
        {},
        "",
        "longer than Zoho takes",
    ),
    "available since": (
        "DEPENDENT_MISMATCH",
        _place("Unavailable_From"),
        "",
        {},
        "Unavailable_From",
        "does not go with it",
    ),
    "too many rules": (
        "ACTIVE_STATE_LIMIT_EXCEEDED",
        {"api_name": "active", "json_path": "$.scoring_rules[0].active", "limit": 5},
        "",
        {},
        "Status",
        "names is 5",
    ),
    "job sheets off": ("NOT_ALLOWED", _place("Job_Sheet_Required"), "", {}, "Job_Sheet_Required", "switched off"),
    "dates past": ("NOT_ALLOWED", _place("Status"), "", {}, "Status", "dates are past"),
    "layout rule": ("MANDATORY_NOT_FOUND", _place("Price", layout_rule={"id": "1"}), "", {}, "Price", "layout rule"),
    "mandatory": ("MANDATORY_NOT_FOUND", _place("Location"), "", {}, "Location", "The field is Location"),
    "one of several": (
        "EXPECTED_FIELD_MISSING",
        {"expected_fields": [{"api_name": "Email"}, {"api_name": "Phone"}]},
        "",
        {},
        "",
        "the fields Email, Phone",
    ),
    "credits": ("TOO_MANY_REQUESTS", {}, "allowed limit for the past 24 hours.", {}, "", "credits of the last"),
    "concurrency": ("TOO_MANY_REQUESTS", {}, "Many requests fired in concurrent", {}, "", "edition allows"),
    "permission": (
        "NO_PERMISSION",
        {"permissions": ["Crm_Implied_Manage_Users"]},
        "",
        {},
        "",
        "Crm_Implied_Manage_Users",
    ),
}


@pytest.mark.parametrize("case", TOLD_APART.values(), ids=TOLD_APART.keys())
def test_causes_are_told_apart_by_field_details_message_and_the_rows_own_values(case):
    code, details, message, more, field, words = case
    problem = problem_for(code, details, message, SERVICE | more, family=Family.SERVICES)
    assert (problem.code, problem.field) == (code, field)
    assert words in problem.message
    assert problem.remedy in [cause.remedy for cause in CODES[code].causes]
    assert " ".join(message.split()) in problem.message


BUSINESS_HOURS: Record = {
    "type": "24*5",
    "week_starts_on": "Monday",
    "business_days": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"],
    "custom_timing": [
        {"days": "Monday", "business_timing": ["10:00", "17:00"]},
        {"days": "Tuesday", "business_timing": ["10:00", "25:00"]},
    ],
}


@pytest.mark.parametrize(
    ("details", "more", "field", "words"),
    [
        ({"json_path": "$.business_hours.business_days"}, {"business_days": ["Monday"]}, "business_days", "five days"),
        ({"json_path": "$.business_days", "maximum_length": 7}, {}, "business_days", "more than seven"),
        ({"api_name": "business_days"}, {}, "business_days", "not the name of a weekday"),
        ({"api_name": "type"}, {}, "type", "none that Zoho knows"),
        ({"api_name": "week_starts_on"}, {}, "week_starts_on", "not the name"),
        (
            {"api_name": "business_timing", "json_path": "$.business_hours.custom_timing[1].business_timing"},
            {},
            "Tuesday",
            "no span of two",
        ),
        ({"api_name": "days", "json_path": "$.custom_timing[0].days"}, {}, "Monday", "does not name a weekday"),
        ({"api_name": "daily_timing"}, {"daily_timing": ["1", "2"]}, "daily_timing", "no span of two"),
        (
            {"api_name": "daily_timing"},
            {"daily_timing": ["06:00", "23:00"], "custom_timing": None},
            "daily_timing",
            "outside the business hours",
        ),
    ],
)
def test_business_hours_problems_name_the_column_to_mend(details, more, field, words):
    fields = ["id", "type", "week_starts_on", "business_days", "daily_timing", "Monday", "Tuesday"]
    problem = problem_for(
        "INVALID_DATA", details, "invalid data", BUSINESS_HOURS | more, fields, family=Family.BUSINESS_HOURS
    )
    assert problem.field == field
    assert words in problem.message


def test_a_bad_rule_id_is_said_of_the_rule_when_scoring_rules_are_changed():
    details = {"resource_path_index": 3}
    rule = problem_for("INVALID_DATA", details, "", {}, family=Family.SCORING_RULES)
    other = problem_for("INVALID_DATA", details, "", {}, family=Family.SERVICES)
    assert (rule.field, other.field) == ("id", "id")
    assert "scoring rule" in rule.message
    assert "scoring rule" not in other.message


def test_job_sheet_enabled_of_the_preferences_has_its_own_cause():
    details = {"api_name": "job_sheet_enabled", "expected_data_type": "boolean"}
    problem = problem_for("INVALID_DATA", details, "", {}, family=Family.SERVICE_PREFERENCES)
    assert "neither true nor false" in problem.message


def test_the_existing_record_of_duplicate_data_is_named_as_such():
    inner = {"duplicate_record": {"id": "2008662000006256222", "Owner": {"id": "1"}}}
    for details in ({**inner, "id": "2008662000006256222"}, inner, {"id": "2008662000006256222"}):
        problem = problem_for("DUPLICATE_DATA", details, "duplicate data", SERVICE)
        assert "existing record has the id 2008662000006256222" in problem.message


def test_dependee_is_never_given_as_the_cause():
    details = _place("Available_Days", dependee={"api_name": "Zzz_Field", "json_path": "$.data[0].Zzz_Field"})
    problem = problem_for("DEPENDENT_MISMATCH", details, "", SERVICE)
    assert "Zzz_Field" not in problem.message + problem.remedy + problem.field


def test_a_missing_scope_is_named_with_the_scopes_that_the_operation_needs():
    problem = problem_for("OAUTH_SCOPE_MISMATCH", {}, "Unauthorized", {}, scopes=["ZohoCRM.org.READ"])
    assert "ZohoCRM.org.READ" in problem.message


def test_an_unknown_code_is_shown_raw_with_what_the_server_said():
    problem = problem_for("BRAND_NEW", _place("Price"), "Price is too nice", SERVICE)
    assert (problem.code, problem.field) == ("BRAND_NEW", "Price")
    assert "BRAND_NEW" in problem.message
    assert "Price is too nice" in problem.message
    assert "BRAND_NEW" in problem.remedy


def test_fields_are_spelled_as_the_operation_spells_them():
    assert problem_for("INVALID_DATA", {"api_name": "duration"}, "", SERVICE, ["Duration"]).field == "Duration"


def test_a_path_is_shown_without_the_number_of_the_record_which_the_server_may_get_wrong():
    problem = problem_for("INVALID_DATA", {"json_path": "$.data[7].Available_Timings[0].To"}, "no", SERVICE)
    assert "(at Available_Timings[0].To)" in problem.message
    assert "[7]" not in problem.message


def test_what_the_server_says_comes_out_on_one_line_without_control_characters():
    problem = problem_for("X\x1b[2J\n", {"api_name": "A\nB"}, "bell\x07 and\r\nbreak " + "long " * 500, SERVICE)
    assert all(sign.isprintable() for sign in problem.message)
    assert len(problem.message) < 800


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
_paths = st.from_regex(r"\$(\.data)?(\[(\d{1,3}|\*)\])?(\.[A-Za-z_]{1,9}(\[\d\])?){0,3}", fullmatch=True) | _json
_details = st.fixed_dictionaries(
    {},
    optional={
        "api_name": st.sampled_from([*SERVICE, "id", "To", "data"]) | _json,
        "json_path": _paths,
        "dependee": _json,
        "limit": _json,
        "maximum_length": _json,
        "supported_values": _json,
        "permissions": _json,
        "expected_fields": _json,
        "user_status": _json,
        "id": _json,
        "duplicate_record": _json,
    },
)


@given(
    code=st.sampled_from(sorted(CODES)) | st.text(max_size=20),
    details=_details,
    message=st.text(max_size=50),
    record=st.dictionaries(st.sampled_from([*SERVICE, "Unavailable_From", "Unavailable_Till", "type"]), _json),
    family=st.none() | st.sampled_from(Family),
)
def test_whatever_the_server_says_becomes_a_problem_with_a_message_and_a_remedy(code, details, message, record, family):
    problem = problem_for(code, details, message, record, family=family)
    assert problem.message.strip()
    assert problem.remedy.strip()
    assert all(sign.isprintable() for sign in problem.message)


def test_that_a_text_should_be_a_text_is_not_said_of_a_value_that_is_one():
    details = _place("Available_Timings[0].To", expected_data_type="text")
    assert "Expected" not in problem_for("INVALID_DATA", details, "", SERVICE).message
    numbers = SERVICE | {"Available_Timings": [{"From": 10, "To": 18}]}
    assert "Expected is a text" in problem_for("INVALID_DATA", details, "", numbers).message
