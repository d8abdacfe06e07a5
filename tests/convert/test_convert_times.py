"""Durations, spans of time, days, choices, yes and no."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from convert_cases import code_of, convert_value, field
from hypothesis import given
from hypothesis import strategies as st

from bulkzcrm.model import Problem
from bulkzcrm.spec.fields import WEEKDAYS, Kind

DURATION = field(Kind.MINUTES, "Duration")
TIMINGS = field(Kind.TIMINGS, "Available_Timings")
HOURS = field(Kind.HOURS, "daily_timing")
MONDAY = field(Kind.DAY_HOURS, "Monday")
DAYS = field(Kind.DAYS, "Available_Days")
ENABLED = field(Kind.BOOLEAN, "job_sheet_enabled")
LOCATION = field(
    Kind.CHOICE,
    "Location",
    choices=("Client Address", "Business Address", "Business Address and Client Address"),
    aliases={"both": "Business Address and Client Address"},
)
SHEET = field(Kind.CHOICE, "Job_Sheet_Required", choices=("Yes", "No"))
WEEK_START = field(Kind.CHOICE, "week_starts_on", choices=WEEKDAYS)
STATUS = field(Kind.CHOICE, "Status", choices=("Available", "Not in Use"), open_choices=True)

CLOCKS = st.times().map(lambda clock: clock.replace(second=0, microsecond=0))


@given(st.integers(0, 10_000))
def test_every_way_to_write_minutes_gives_them_back(minutes):
    hours, rest = divmod(minutes, 60)
    for value in (
        minutes,
        float(minutes),
        timedelta(minutes=minutes),
        f"{minutes}",
        f"{minutes}.0",
        f"{minutes} min",
        f"{minutes}m",
        f"{hours}h {rest}m",
        f"{hours} hours {rest} minutes",
        f"{hours}H{rest}",
        f"{hours} hrs, {rest} mins",
        f"{hours} h and {rest} min",
        f"{hours}:{rest:02}",
        f"{hours}:{rest:02}:00",
    ):
        assert convert_value(DURATION, value) == minutes, value


@pytest.mark.parametrize(
    ("value", "minutes"), [(time(1, 30), 90), ("1h", 60), ("1.5 h", 90), ("1,5h", 90), ("2 Hours", 120), ("0.25 h", 15)]
)
def test_hours_and_spreadsheet_times_become_minutes(value, minutes):
    assert convert_value(DURATION, value) == minutes


@pytest.mark.parametrize(
    "value",
    [
        "60.5",
        60.5,
        "0.01 h",
        "1:30:30",
        time(1, 30, 15),
        timedelta(minutes=-5),
        "-60",
        "-1h",
        "-x",
        "-",
        "1:75",
        "abc",
        "",
        "60,0",
        "1.000",
        "1e2",
        "and 30 min",
        "h",
        "٦٠",
        True,
        date(2026, 3, 31),
        datetime.fromisoformat("1900-01-01T01:00"),
        float("nan"),
        float("-inf"),
        "1 h x",
    ],
)
def test_fractions_negatives_and_other_things_are_no_duration(value):
    if value != "":
        assert code_of(DURATION, value) == "INVALID_DATA"


@given(
    st.lists(st.tuples(CLOCKS, CLOCKS), min_size=1, max_size=3), st.sampled_from(["-", " - ", "\u2013", " to ", " TO "])
)
def test_timings_read_back_in_every_notation(spans, dash):
    expected = [{"From": f"{start:%H:%M}", "To": f"{end:%H:%M}"} for start, end in spans]
    for separator in ("; ", ", ", "\n"):
        for pattern in ("%H:%M", "%I:%M %p", "%I:%M%p", "%H:%M:%S"):
            text = separator.join(f"{start.strftime(pattern)}{dash}{end.strftime(pattern)}" for start, end in spans)
            assert convert_value(TIMINGS, text) == expected, text


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("2:30 PM - 5 PM", ["14:30", "17:00"]),
        ("9am to 12 p.m.", ["09:00", "12:00"]),
        ("12 AM-1 AM", ["00:00", "01:00"]),
        ("9:00-17:30", ["09:00", "17:30"]),
        ("10 AM - 17:00", ["10:00", "17:00"]),
        ("00:30 - 5 PM", ["00:30", "17:00"]),
    ],
)
def test_hours_are_one_span(text, hours):
    assert convert_value(HOURS, text) == hours
    assert convert_value(MONDAY, text) == hours


@pytest.mark.parametrize("text", ["2 - 5 PM", "2:30 - 5 PM", "10 AM - 5:00"])
def test_a_span_with_half_a_mark_is_refused_because_of_it(text):
    problem = convert_value(HOURS, text)
    assert isinstance(problem, Problem)
    assert "AM or PM" in problem.message


@pytest.mark.parametrize(
    "value",
    [
        "10-18",
        "10:00",
        "10:00-24:00",
        "25:00-26:00",
        "13 PM - 2 PM",
        "0 PM - 1 PM",
        "10:00-11:00-12:00",
        "10:00:30-11:00",
        "-",
        time(10),
        0.5,
        timedelta(hours=1),
        True,
        "all day",
        ";",
        "10:61-11:00",
    ],
)
def test_what_is_no_span_is_refused(value):
    for one in (TIMINGS, HOURS, MONDAY):
        assert code_of(one, value) == "INVALID_DATA"


def test_two_spans_are_no_hours_of_one_day():
    assert code_of(HOURS, "10:00-12:00; 13:00-17:00") == "INVALID_DATA"


@pytest.mark.parametrize("text", ["closed", "Closed", " CLOSED "])
def test_a_day_can_be_closed_but_daily_hours_cannot(text):
    assert convert_value(MONDAY, text) == "closed"
    assert code_of(HOURS, text) == "INVALID_DATA"


@given(st.lists(st.sampled_from(WEEKDAYS), min_size=1), st.sampled_from([2, 3, 9]), st.sampled_from([";", ", ", "\n"]))
def test_days_read_back_each_once(days, length, separator):
    text = separator.join(day[:length].upper() for day in days)
    assert convert_value(DAYS, text) == list(dict.fromkeys(days))


def test_abbreviated_days_may_end_in_a_point():
    assert convert_value(DAYS, "Mon., Thurs. - Sat.") == ["Monday", "Thursday", "Friday", "Saturday"]


@given(st.integers(0, 6), st.integers(0, 6), st.sampled_from(["-", " \u2013 ", " to "]))
def test_a_range_of_days_runs_forward_and_over_the_end_of_the_week(first, last, dash):
    expected = [WEEKDAYS[(first + step) % 7] for step in range((last - first) % 7 + 1)]
    assert convert_value(DAYS, f"{WEEKDAYS[first][:3]}{dash}{WEEKDAYS[last]}") == expected


@pytest.mark.parametrize("value", ["M", "Mon-", "Mon-Wed-Fri", "Someday", ";", "Mon; Xxx", 3, True, date(2026, 3, 31)])
def test_what_is_no_day_is_refused(value):
    assert code_of(DAYS, value) == "INVALID_DATA"


@pytest.mark.parametrize(
    ("one", "value", "choice"),
    [
        (LOCATION, "client  ADDRESS", "Client Address"),
        (LOCATION, "BusinessAddressAndClientAddress", "Business Address and Client Address"),
        (LOCATION, "Both", "Business Address and Client Address"),
        (SHEET, "yes", "Yes"),
        (SHEET, True, "Yes"),
        (SHEET, "FALSE", "No"),
        (SHEET, 0, "No"),
        (SHEET, 1.0, "Yes"),
        (WEEK_START, "mon", "Monday"),
        (STATUS, "not in use", "Not in Use"),
        (STATUS, " Scheduled ", "Scheduled"),
    ],
)
def test_choices_come_out_in_the_api_spelling(one, value, choice):
    assert convert_value(one, value) == choice


def test_an_unknown_choice_names_the_choices_and_the_likeliest():
    problem = convert_value(LOCATION, "Clint Adress")
    assert isinstance(problem, Problem)
    assert (problem.code, problem.field) == ("INVALID_DATA", "Location")
    assert "Business Address and Client Address" in problem.message
    assert problem.remedy.startswith("Did you mean Client Address?")


@pytest.mark.parametrize(
    ("value", "truth"),
    [
        ("Yes", True),
        ("TRUE", True),
        ("1", True),
        (1, True),
        (1.0, True),
        (True, True),
        ("no", False),
        ("false", False),
        ("0", False),
        (0, False),
        (0.0, False),
        (False, False),
    ],
)
def test_yes_and_no_are_understood(value, truth):
    assert convert_value(ENABLED, value) is truth


@pytest.mark.parametrize("value", ["maybe", "y", 2, 0.5, date(2026, 3, 31), "on"])
def test_anything_else_is_neither_yes_nor_no(value):
    assert code_of(ENABLED, value) == "INVALID_DATA"
