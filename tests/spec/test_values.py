"""Values of records: equal is what means the same to the API, and a fingerprint is shared by equal records alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkzcrm.spec import values
from bulkzcrm.spec.fields import WEEKDAYS, Field, Kind
from bulkzcrm.spec.operations import OPERATIONS
from bulkzcrm.spec.values import comparable, fingerprint, same

FIELDS = OPERATIONS["create-services"].fields
SAMPLES: dict[Kind, list[object]] = {
    Kind.ID: ["5545974000002183001", "5545974000002183002"],
    Kind.TEXT: ["AC Repair", "AC repair", "0"],
    Kind.MINUTES: [15, 60],
    Kind.CHOICE: ["Yes", "No"],
    Kind.DAYS: [["Monday"], ["Monday", "Friday"]],
    Kind.DATE: ["2040-03-14", "2040-03-15"],
    Kind.DATES: [["2040-03-14"], ["2040-03-14", "2040-03-15"]],
    Kind.DATETIME: ["now", "2040-03-14T10:00:00", "2040-03-14T10:00:00+05:30", "2040-03-14T10:00:00Z"],
    Kind.TIMINGS: [[{"From": "10:00", "To": "12:00"}], [{"From": "10:00", "To": "12:30"}]],
    Kind.HOURS: [["10:00", "12:00"], ["12:00", "10:00"]],
    Kind.DAY_HOURS: ["closed", ["10:00", "12:00"]],
    Kind.MONEY: [Decimal(0), Decimal("0.01"), Decimal("1E+2"), Decimal("1234567890123456789012345678.01")],
    Kind.MEMBERS: [["a@example.com"], [{"Members": {"id": "1"}}], [{"Members": {"id": "2"}}]],
    Kind.TAXES: [["Vat - 0.8 %"], [{"id": "1", "value": "Vat"}], [{"id": "2", "value": "Vat"}]],
    Kind.BOOLEAN: [True, False],
}

RECORD = {
    "Service_Name": "AC Repair",
    "Duration": 60,
    "Members": ["a@x.com", "b@x.com"],
    "Available_Days": ["Monday", "Friday"],
    "Price": Decimal("230.50"),
    "Unavailable_From": "2040-03-14T10:00:00+05:30",
}

offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
decimals = st.decimals(allow_nan=False, allow_infinity=False)


def _shuffled(values: list) -> st.SearchStrategy:
    return st.permutations(values)


@pytest.mark.parametrize("kind", Kind)
class TestEveryKind:
    def test_nothing_null_and_empty_are_the_same(self, kind):
        assert comparable(kind, None) is None
        assert same(kind, None, "")
        assert same(kind, [], None)

    def test_values_that_differ_are_not_the_same(self, kind):
        shown = [None, *SAMPLES[kind]]
        assert len({comparable(kind, value) for value in shown}) == len(shown)

    def test_a_record_that_differs_in_one_field_has_another_fingerprint(self, kind):
        field = Field(name="Some_Field", label="Some field", kind=kind, about="A field.")
        prints = [fingerprint([field], {"Some_Field": value}) for value in [None, *SAMPLES[kind]]]
        assert len(set(prints)) == len(prints)
        assert {len(each) for each in prints} == {16}


class TestSets:
    @given(st.data(), st.lists(st.sampled_from(WEEKDAYS), unique=True))
    def test_days_have_no_order(self, data, days):
        assert same(Kind.DAYS, days, data.draw(_shuffled(days)))

    @given(st.data(), st.lists(st.dates().map(str), unique=True))
    def test_dates_have_no_order(self, data, dates):
        assert same(Kind.DATES, dates, data.draw(_shuffled(dates)))

    @given(st.data(), st.lists(st.integers(1, 99).map(str), unique=True))
    def test_members_have_no_order_and_their_row_ids_do_not_count(self, data, ids):
        mentioned = [{"Members": {"id": each}} for each in data.draw(_shuffled(ids))]
        there = [{"id": f"row {each}", "Members": {"id": each, "name": "Somebody"}} for each in ids]
        assert same(Kind.MEMBERS, mentioned, there)

    @given(st.data(), st.lists(st.integers(1, 99).map(str), unique=True))
    def test_taxes_have_no_order_and_are_known_by_their_ids(self, data, ids):
        mentioned = [{"id": each} for each in data.draw(_shuffled(ids))]
        assert same(Kind.TAXES, mentioned, [{"id": each, "value": f"Tax {each}"} for each in ids])

    def test_taxes_without_an_id_are_known_by_their_values(self):
        one, other = ([{"id": nothing, "value": "Vat"}] for nothing in (None, ""))
        assert same(Kind.TAXES, one, other)
        assert not same(Kind.TAXES, one, [{"id": None, "value": "Sales Tax"}])

    def test_names_that_are_not_resolved_are_compared_without_case(self):
        assert same(Kind.MEMBERS, ["Rahul Menon", "a@x.com"], ["A@X.com", "rahul menon"])

    def test_timings_have_no_order(self):
        morning, evening = {"From": "09:00", "To": "10:00"}, {"From": "18:00", "To": "19:00"}
        assert same(Kind.TIMINGS, [morning, evening], [evening, morning])


class TestInstants:
    @given(st.datetimes(timezones=offsets), offsets)
    def test_an_instant_is_the_same_whatever_its_offset(self, moment, offset):
        try:
            elsewhere = moment.astimezone(offset)
        except OverflowError:  # beyond the years that a datetime can say
            return
        assert same(Kind.DATETIME, moment.isoformat(), elsewhere.isoformat())

    @given(st.datetimes(timezones=offsets), st.datetimes(timezones=offsets))
    def test_two_instants_are_the_same_exactly_when_they_are_equal(self, one, other):
        assert same(Kind.DATETIME, one.isoformat(), other.isoformat()) == (one == other)

    def test_the_last_evening_of_all_can_be_compared(self):
        last = datetime.max.replace(tzinfo=timezone(timedelta(hours=-12)), microsecond=0)
        assert same(Kind.DATETIME, last.isoformat(), last.isoformat())
        assert not same(Kind.DATETIME, last.isoformat(), last.replace(tzinfo=UTC).isoformat())


class TestNumbers:
    @given(decimals, decimals)
    def test_two_amounts_are_the_same_exactly_when_they_are_equal(self, one, other):
        assert same(Kind.MONEY, one, other) == (one == other)

    @given(st.integers(0, 10**40), st.integers(0, 9))
    def test_zeros_behind_the_point_do_not_count(self, number, zeros):
        written = Decimal(f"{number}.{'0' * zeros}") if zeros else Decimal(number)
        assert same(Kind.MONEY, written, number)
        price = [field for field in FIELDS if field.name == "Price"]
        assert fingerprint(price, {"Price": written}) == fingerprint(price, {"Price": number})

    def test_more_digits_than_arithmetic_keeps_are_all_compared(self):
        long = "1234567890" * 5
        assert not same(Kind.MONEY, Decimal(f"{long}1"), Decimal(f"{long}2"))

    def test_minutes_are_the_same_as_a_number_and_as_its_text(self):
        assert same(Kind.MINUTES, 60, "60")


class TestFingerprints:
    def test_equal_records_share_it(self):
        again = {
            "Unavailable_From": "2040-03-14T04:30:00+00:00",
            "Price": Decimal("230.5"),
            "Available_Days": ["Friday", "Monday"],
            "Members": ["B@x.com", "a@x.com"],
            "Duration": 60,
            "Service_Name": "AC Repair",
            "Description": None,
            "Tax": [],
            "Available_Till": "",
        }
        assert fingerprint(FIELDS, RECORD) == fingerprint(FIELDS, again)

    @pytest.mark.parametrize("name", RECORD)
    def test_a_record_without_one_of_the_fields_has_another(self, name):
        less = {key: value for key, value in RECORD.items() if key != name}
        assert fingerprint(FIELDS, less) != fingerprint(FIELDS, RECORD)

    @given(st.data(), st.dictionaries(st.sampled_from([field.name for field in FIELDS]), st.integers(0, 1)))
    def test_it_differs_exactly_when_some_field_does(self, data, chosen):
        kinds = {field.name: field.kind for field in FIELDS}
        record = {name: SAMPLES[kinds[name]][which] for name, which in chosen.items()}
        name = data.draw(st.sampled_from(sorted(kinds)))
        other = {**record, name: data.draw(st.sampled_from([None, *SAMPLES[kinds[name]]]))}
        agree = same(kinds[name], record.get(name), other[name])
        assert (fingerprint(FIELDS, record) == fingerprint(FIELDS, other)) == agree

    def test_fields_of_other_names_do_not_stand_in_for_each_other(self):
        assert fingerprint(FIELDS, {"Available_From": "2040-01-01"}) != fingerprint(
            FIELDS, {"Available_Till": "2040-01-01"}
        )

    def test_what_is_no_field_does_not_count(self):
        assert fingerprint(FIELDS, {**RECORD, "Owner": "Me"}) == fingerprint(FIELDS, RECORD)


def test_a_sign_that_cannot_be_seen_does_not_keep_letters_from_being_one():
    names = ["Caf\u00e9", "Cafe\u0301", "Cafe\u200b\u0301", "Caf\u00e9\u200b"]
    assert {values.name_of({"Service_Name": name}, "Service_Name") for name in names} == {"caf\u00e9"}


@given(st.lists(st.text() | st.text("aA \t\x00\x1f\u00e9e\u0301\u200b\u00df", max_size=6)))
def test_names_that_are_told_together_are_told_as_each_by_itself(texts):
    assert values.names_of(texts) == [values.name_of({"Service_Name": each}, "Service_Name") for each in texts]
