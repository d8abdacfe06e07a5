"""Dates, lists of dates, and date-times."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from convert_cases import code_of, convert_column, convert_value, converter, field
from hypothesis import given
from hypothesis import strategies as st

from bulkzcrm.convert import ConvertOptions, Refusal, localise
from bulkzcrm.model import Problem, Row
from bulkzcrm.spec.fields import Kind

DAY = field(Kind.DATE, "Available_From")
DAYS = field(Kind.DATES, "Available_Dates")
MOMENT = field(Kind.DATETIME, "Unavailable_From")
BERLIN = ConvertOptions(time_zone=ZoneInfo("Europe/Berlin"))
DMY = ConvertOptions(date_order="dmy")
MDY = ConvertOptions(date_order="mdy")
YMD = ConvertOptions(date_order="ymd")

DATES = st.dates(date(1970, 1, 1))
MONTHS = [date(2000, month, 1).strftime("%B") for month in range(1, 13)]

ANY_ORDER = [
    lambda d: d.isoformat(),
    lambda d: f"{d.year}/{d.month}/{d.day}",
    lambda d: f"{d.year}.{d.month:02}.{d.day:02}",
    lambda d: f"{d.day} {MONTHS[d.month - 1]} {d.year}",
    lambda d: f"{d.day:02}-{MONTHS[d.month - 1][:3]}-{d.year}",
    lambda d: f"{MONTHS[d.month - 1].upper()} {d.day}, {d.year}",
    lambda d: f"{MONTHS[d.month - 1][:3]}. {d.day}th, {d.year}",
    lambda d: f"{d.year}-{MONTHS[d.month - 1][:3]}-{d.day}",
    lambda d: f"{d:%A}, {MONTHS[d.month - 1]} {d.day}, {d.year}",
    lambda d: f"{d.isoformat()} 00:00:00",
    lambda d: d,
    lambda d: datetime.combine(d, time()),
]
DAY_FIRST = [lambda d: f"{d.day}/{d.month}/{d.year}", lambda d: f"{d.day:02}.{d.month:02}.{d.year}"]
DAY_FIRST += [lambda d: f"{d.day}. {d.month}. {d.year}", lambda d: f"{d.day:02}-{d.month:02}-{d.year}"]
MONTH_FIRST = [lambda d: f"{d.month}/{d.day}/{d.year}", lambda d: f"{d.month:02}-{d.day:02}-{d.year} 00:00"]


@given(DATES, st.sampled_from(ANY_ORDER), st.sampled_from([ConvertOptions(), DMY, MDY, YMD]))
def test_a_date_written_without_doubt_reads_back_under_every_rule(day, write, options):
    assert convert_value(DAY, write(day), options) == day.isoformat()


@given(DATES, st.sampled_from(DAY_FIRST))
def test_a_date_with_the_day_first_reads_back_with_the_option(day, write):
    assert convert_value(DAY, write(day), DMY) == day.isoformat()


@given(DATES, st.sampled_from(MONTH_FIRST))
def test_a_date_with_the_month_first_reads_back_with_the_option(day, write):
    assert convert_value(DAY, write(day), MDY) == day.isoformat()


@given(st.lists(DATES, min_size=1, max_size=6), st.sampled_from([0, 1]))
def test_a_column_is_read_in_one_order_or_left_ambiguous_and_never_wrong(days, month_first):
    write = (MONTH_FIRST if month_first else DAY_FIRST)[0]
    converted = convert_column(DAY, [write(day) for day in days])
    proved = any(day.day > 12 for day in days)
    for day, value in zip(days, converted, strict=True):
        if proved or day.day == day.month:
            assert value == day.isoformat()
        else:
            assert isinstance(value, Problem)
            assert value.code == "DATE_AMBIGUOUS"


def test_an_ambiguous_date_says_how_to_settle_it():
    problem = convert_value(DAY, "03/04/2026")
    assert isinstance(problem, Problem)
    assert (problem.code, problem.cell, "--date-format" in problem.remedy) == ("DATE_AMBIGUOUS", "A2", True)


def test_a_column_with_proof_of_both_orders_leaves_its_open_dates_ambiguous():
    values = convert_column(DAY, ["31/03/2026", "03/31/2026", "03/04/2026", "05/05/2026"])
    assert values[:2] == ["2026-03-31", "2026-03-31"]
    assert isinstance(values[2], Problem)
    assert values[2].code == "DATE_AMBIGUOUS"
    assert values[3] == "2026-05-05"


def test_the_proof_is_told_with_its_row_and_can_be_repeated():
    convert = converter([DAY, MOMENT])
    assert convert(Row(2, ("03/04/2026", None))).open == {"Available_From"}
    assert not convert(Row(14, ("31/03/2026", "12/25/2026 10:00"))).open
    settled = convert.settle()
    assert settled.notes == (
        'Column A ("Available_From") is read as day/month/year, because row 14 says "31/03/2026".',
    )
    assert settled.reading == {}, "the two columns have different orders, so that no single option repeats both"
    again = settled.converter()
    assert again(Row(2, ("03/04/2026", "01/02/2026 10:00"))).record == {
        "Available_From": "2026-04-03",
        "Unavailable_From": "2026-01-02T10:00:00",
    }


def test_one_order_for_all_columns_is_an_option_in_force():
    convert = converter([DAY])
    convert(Row(2, ("31/03/2026",)))
    assert convert.settle().reading == {"date_format": "dmy"}


def test_an_order_in_force_never_settles_another_column_in_passing():
    convert = converter([DAY, MOMENT])
    convert(Row(2, ("31/03/2026", "03/04/2026 10:00")))
    assert convert.settle().reading == {}


def test_mixed_proof_is_told():
    convert = converter([DAY])
    convert(Row(2, ("31/03/2026",)))
    convert(Row(3, ("03/31/2026",)))
    settled = convert.settle()
    assert "not of one kind: row 2" in settled.notes[0]
    assert settled.reading == {}


@pytest.mark.parametrize(
    ("text", "options"),
    [("31/31/2026", DMY), ("03/31/2026", DMY), ("31/03/2026", MDY), ("31/03/2026", YMD), ("05/05/2026", YMD)],
)
def test_a_date_that_contradicts_the_option_is_refused(text, options):
    assert code_of(DAY, text, options) == "INVALID_DATA"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("31/02/2026", "calendar"),
        ("2026-02-30", "calendar"),
        ("31 April 2026", "calendar"),
        ("31/03/26", "century"),
        ("31-Mar-26", "century"),
        ("1969-12-31", "1970"),
        ("31/12/0200", "1970"),
        (date(1900, 1, 1), "1970"),
        ("2026-03-31 10:00", "time of day"),
        (datetime.fromisoformat("2026-03-31T10:00"), "time of day"),
        ("Monday, March 31, 2026", "another day of the week"),
        ("46112", "cannot be read|not a date"),
        (46112, "not a date"),
        (46112.0, "not a date"),
        ("2026-W14-2", "not a date"),
        ("31/03-2026", "not a date"),
        ("Mar 2026", "not a date"),
        ("May May 2026", "not a date"),
        ("31 March 20x6", "not a date"),
        ("1/2/123", "not a date"),
        ("٣١/٠٣/٢٠٢٦", "not a date"),
        (True, "not a date"),
        (time(10), "not a date"),
    ],
)
def test_what_is_no_date_is_refused_with_its_reason(value, words):
    problem = convert_value(DAY, value)
    assert isinstance(problem, Problem)
    assert problem.code == "INVALID_DATA"
    assert any(word in problem.message for word in words.split("|"))
    assert len(problem.message) < 200


@given(
    st.lists(DATES, min_size=1, max_size=5), st.sampled_from(ANY_ORDER[:9]), st.sampled_from([";", "\n", ", ", " ; "])
)
def test_a_list_of_dates_reads_back_each_once(days, write, separator):
    expected = list(dict.fromkeys(day.isoformat() for day in days))
    assert convert_value(DAYS, separator.join(write(day) for day in days)) == expected


def test_one_open_date_leaves_the_whole_list_open_until_the_column_proves_it():
    assert convert_column(DAYS, ["03/04/2026; 2026-04-05", "31/03/2026"]) == [
        ["2026-04-03", "2026-04-05"],
        ["2026-03-31"],
    ]
    assert code_of(DAYS, "03/04/2026; 2026-04-05") == "DATE_AMBIGUOUS"


def test_a_list_proves_its_own_order():
    assert convert_value(DAYS, "03/04/2026; 31/03/2026") == ["2026-04-03", "2026-03-31"]


def test_one_wrong_date_refuses_the_list_and_is_named():
    problem = convert_value(DAYS, "2026-03-31; soon; 03/04/2026")
    assert isinstance(problem, Problem)
    assert '"soon"' in problem.message


def test_a_date_cell_is_a_list_of_one():
    assert convert_value(DAYS, date(2026, 3, 31)) == ["2026-03-31"]
    assert code_of(DAYS, ";") == "INVALID_DATA"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("2026-03-31T10:00:00Z", "2026-03-31T10:00:00+00:00"),
        ("2026-03-31T10:00:00+05:30", "2026-03-31T10:00:00+05:30"),
        ("2026-03-31 10:00 +0530", "2026-03-31T10:00:00+05:30"),
        ("2026-03-31 10:00 UTC", "2026-03-31T10:00:00+00:00"),
        ("2026-03-31T10:00:59.123Z", "2026-03-31T10:00:59+00:00"),
        ("2026-03-31 10:00", "2026-03-31T10:00:00"),
        ("31/03/2026 2:30 PM", "2026-03-31T14:30:00"),
        ("March 31, 2026, 2 pm", "2026-03-31T14:00:00"),
        ("31.03.2026", "2026-03-31T00:00:00"),
        ("2026-03-31", "2026-03-31T00:00:00"),
        (date(2026, 3, 31), "2026-03-31T00:00:00"),
        (datetime.fromisoformat("2026-03-31T10:00:05.000999"), "2026-03-31T10:00:05"),
        (datetime(2026, 3, 31, 10, tzinfo=timezone(timedelta(hours=2))), "2026-03-31T10:00:00+02:00"),
        ("NOW", "now"),
    ],
)
def test_date_times_become_iso_8601(value, text):
    assert convert_value(MOMENT, value) == text


@pytest.mark.parametrize("text", ["03/04/2026 10:00", "31/03/2026 10:00"])
def test_a_date_time_follows_the_order_of_its_column(text):
    assert convert_column(MOMENT, [text, "25/12/2026 8:00"])[1] == "2026-12-25T08:00:00"
    assert isinstance(convert_column(MOMENT, [text, "25/12/2026 8:00"])[0], str)


def test_an_open_date_time_without_proof_is_ambiguous():
    assert code_of(MOMENT, "03/04/2026 10:00") == "DATE_AMBIGUOUS"


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-31T24:00",
        "2026-03-31T10:61",
        "10:00",
        "later",
        "2026-03-31T10:00+15:00",
        "2026-02-30 10:00",
        "1960-01-01 10:00",
        46112.5,
        True,
        time(10),
        "31/03/2026 13 PM",
        "2026-03-31T10:00:00+05:99",
    ],
)
def test_what_is_no_date_time_is_refused(value):
    assert code_of(MOMENT, value) == "INVALID_DATA"


def test_a_time_zone_gives_its_offset_of_that_day():
    assert convert_value(MOMENT, "2026-01-31 10:00", BERLIN) == "2026-01-31T10:00:00+01:00"
    assert convert_value(MOMENT, datetime.fromisoformat("2026-07-31T10:00"), BERLIN) == "2026-07-31T10:00:00+02:00"
    assert convert_value(MOMENT, "2026-07-31T10:00Z", BERLIN) == "2026-07-31T10:00:00+00:00"


@pytest.mark.parametrize(("text", "words"), [("2026-03-29 02:30", "does not exist"), ("2026-10-25 02:30", "twice")])
def test_a_local_time_that_a_change_of_clocks_skips_or_repeats_is_refused(text, words):
    problem = convert_value(MOMENT, text, BERLIN)
    assert isinstance(problem, Problem)
    assert problem.code == "INVALID_DATA"
    assert words in problem.message


@given(
    st.datetimes(datetime.fromisoformat("1970-01-01T00:00")).map(lambda moment: moment.replace(microsecond=0)),
    st.sampled_from(
        ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]
    ),
)
def test_localising_later_is_the_same_as_a_time_zone_from_the_start(moment, name):
    zone = ZoneInfo(name)
    first = convert_value(MOMENT, moment, ConvertOptions(time_zone=zone))
    unzoned = convert_value(MOMENT, moment)
    assert unzoned == moment.isoformat(timespec="seconds")
    later = localise(unzoned, zone)
    if isinstance(later, Refusal):
        assert isinstance(first, Problem)
        assert later.message("Unavailable From") == first.message
    else:
        assert later == first
        assert datetime.fromisoformat(later).replace(tzinfo=None) == moment
        assert datetime.fromisoformat(later).utcoffset() == moment.replace(tzinfo=zone).utcoffset()


def test_localising_leaves_now_and_offsets_alone():
    assert localise("now", ZoneInfo("Europe/Berlin")) == "now"
    assert localise("2026-03-29T02:30:00+05:30", ZoneInfo("Europe/Berlin")) == "2026-03-29T02:30:00+05:30"


@given(
    st.datetimes(datetime.fromisoformat("1970-01-01T00:00")),
    st.integers(-13 * 60, 13 * 60 + 59),
    st.sampled_from(["T", " "]),
    st.sampled_from(["minutes", "seconds", "milliseconds", "microseconds"]),
)
def test_iso_moments_with_an_offset_come_out_to_the_second(moment, minutes, between, exactness):
    written = moment.replace(tzinfo=timezone(timedelta(minutes=minutes))).isoformat(between, exactness)
    assert convert_value(MOMENT, written) == datetime.fromisoformat(written).isoformat("T", "seconds")


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("2030-01-31T14:30:00+05:30", "2030-01-31T14:30:00+05:30"),
        ("2030-01-31 14:30:00+05:30", "2030-01-31T14:30:00+05:30"),
        ("2030-01-31T14:30:00-00:00", "2030-01-31T14:30:00+00:00"),
        ("2030-01-31T14:30:00Z", "2030-01-31T14:30:00+00:00"),
    ],
)
def test_iso_moments_come_out_alike(written, value):
    assert convert_value(MOMENT, written) == value


@pytest.mark.parametrize(
    "text", ["1969-12-31T23:59:59+00:00", "2030-01-31T24:00:00+05:30", "2030-02-30T14:30:00+05:30"]
)
def test_iso_moments_that_are_none_are_refused(text):
    assert code_of(MOMENT, text) == "INVALID_DATA"
