"""Judging one record: every limit of its fields, every rule that it concerns, and what cannot be known stays open."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkzcrm.model import Problem
from bulkzcrm.spec.facts import Broken, Facts, NotKnownError, Rule
from bulkzcrm.spec.fields import Field, Kind
from bulkzcrm.spec.operations import OPERATIONS
from bulkzcrm.spec.organisation import Current
from bulkzcrm.validate import validate

NOW = datetime(2040, 3, 14, 12, tzinfo=UTC)


def _always_broken(facts):
    del facts
    return Broken("It is wrong.", "Mend it.")


def _rule(name="a rule", field="Name", looks_at=("Name",), judge=_always_broken):
    return Rule(
        name=name, code="INVALID_DATA", field=field, looks_at=looks_at, says="It is right.", page="A page", judge=judge
    )


def _field(name, kind=Kind.TEXT, **more):
    return Field(name=name, label=name, kind=kind, about="A field.", **more)


FIELDS = (
    _field("Name", maximum_length=5),
    _field("Minutes", Kind.MINUTES, minimum=15, maximum=1440),
    _field("Days", Kind.DAYS, maximum_values=2),
    _field("Price", Kind.MONEY, maximum_digits=3, maximum_places=2),
)
CREATE = replace(OPERATIONS["create-services"], fields=FIELDS, rules=(), defaults={"Name": "by default"})
UPDATE = replace(OPERATIONS["update-services"], fields=FIELDS, rules=(), defaults={})


def _facts(values, current=None):
    return Facts(given=values, current=current, now=NOW, defaults=CREATE.defaults)


def _judged(values, operation=CREATE, current=None, beside=()):
    if operation.creates:
        current = Current({})
    return validate(operation, _facts(values, current), beside=beside)


def _codes(judgement):
    return [(problem.code, problem.field) for problem in judgement.problems]


class TestLimits:
    @given(st.text(max_size=10))
    def test_a_text_is_as_long_as_its_characters(self, text):
        assert bool(_judged({"Name": text}).problems) == (len(text) > 5)

    @given(st.integers() | st.sampled_from([14, 15, 1440, 1441]))
    def test_a_number_lies_between_its_bounds_which_are_allowed(self, minutes):
        assert bool(_judged({"Minutes": minutes}).problems) == (not 15 <= minutes <= 1440)

    @given(st.lists(st.sampled_from(["Monday", "Tuesday", "Friday"]), unique=True))
    def test_a_list_has_no_more_entries_than_allowed(self, days):
        assert bool(_judged({"Days": days}).problems) == (len(days) > 2)

    @given(st.integers(0, 99_999), st.integers(0, 9_999), st.integers(0, 4))
    def test_an_amount_has_no_more_digits_than_allowed_and_zeros_at_its_ends_do_not_count(self, whole, rest, places):
        fraction = f"{rest:04}"[:places]
        amount = Decimal(f"00{whole}.{fraction}" if fraction else f"00{whole}")
        expected = (whole > 999) + (len(fraction.rstrip("0")) > 2)
        assert len(_judged({"Price": amount}).problems) == expected

    @given(st.integers(0, 10_000))
    def test_a_whole_amount_is_judged_alike_as_a_number_and_as_a_decimal(self, amount):
        assert _judged({"Price": amount}) == _judged({"Price": Decimal(amount)})

    @pytest.mark.parametrize("amount", [Decimal("1E+3"), Decimal("1E-3"), Decimal("1E+400"), 10**400])
    def test_exponents_hide_no_digits_and_messages_stay_short(self, amount):
        (problem,) = _judged({"Price": amount}).problems
        assert len(problem.message) < 200

    def test_clearing_a_field_oversteps_nothing(self):
        assert _judged({field.name: None for field in FIELDS}, UPDATE).problems == ()

    def test_every_limit_that_is_overstepped_is_told(self):
        values = {"Price": Decimal("1234.567"), "Days": ["a", "b", "c"], "Minutes": 1, "Name": "too long"}
        told = [("INVALID_DATA", name) for name in ("Name", "Minutes", "Days", "Price", "Price")]
        assert _codes(_judged(values)) == told


class TestRules:
    def test_a_rule_is_asked_of_a_new_record_whatever_it_gives(self):
        assert _codes(_judged({}, replace(CREATE, rules=(_rule(),)))) == [("INVALID_DATA", "Name")]

    def test_a_rule_is_asked_of_an_update_only_when_it_gives_what_the_rule_looks_at(self):
        operation = replace(UPDATE, rules=(_rule(looks_at=("Name", "Minutes")),))
        assert _codes(_judged({"Price": Decimal(1)}, operation)) == []
        assert _codes(_judged({"Minutes": 60}, operation)) == [("INVALID_DATA", "Name")]
        assert _codes(_judged({"Minutes": None}, operation)) == [("INVALID_DATA", "Name")]

    def test_a_rule_may_name_another_field_to_mend(self):
        rule = _rule(judge=lambda facts: replace(_always_broken(facts), field="Days"))
        assert _codes(_judged({}, replace(CREATE, rules=(rule,)))) == [("INVALID_DATA", "Days")]

    def test_a_rule_that_needs_what_is_not_known_abstains_by_name(self):
        def ask(facts):
            return Broken("It is wrong.", "Mend it.") if facts["Minutes"] else None

        operation = replace(UPDATE, rules=(_rule(looks_at=("Name",), judge=ask),))
        assert _judged({"Name": "A"}, operation).abstained == ("a rule",)
        silent = Current({}, frozenset({"Minutes"}))
        assert _judged({"Name": "A"}, operation, silent).abstained == ("a rule",)
        known = _judged({"Name": "A"}, operation, Current({"Minutes": 60}))
        assert (known.abstained, _codes(known)) == ((), [("INVALID_DATA", "Name")])

    def test_a_rule_is_not_asked_about_what_could_not_be_read(self):
        unreadable = Problem(code="CELL_ERROR", field="Name", message="It is #N/A.", remedy="Mend it.", cell="A2")
        operation = replace(CREATE, rules=(_rule(field="Days", looks_at=("Name", "Days")),))
        assert _judged({}, operation, beside=[unreadable]).problems == (unreadable,)


class TestTheOrder:
    def test_problems_come_in_the_order_of_the_fields_whoever_found_them(self):
        beside = [Problem(code="INVALID_DATA", field=name, message="No.", remedy="Yes.") for name in ("Price", "Days")]
        operation = replace(CREATE, rules=(_rule(field="Minutes", looks_at=("Minutes",)),))
        judgement = _judged({"Name": "too long"}, operation, beside=beside)
        assert [problem.field for problem in judgement.problems] == ["Name", "Minutes", "Days", "Price"]

    def test_what_is_wrong_with_the_whole_row_leads_and_what_is_no_field_comes_last(self):
        shape = Problem(code="ROW_SHAPE", field="", message="Too many cells.", remedy="Take one out.", cell="Z2")
        other = Problem(code="INVALID_DATA", field="Elsewhere", message="No.", remedy="Yes.")
        judgement = _judged({"Name": "too long"}, beside=[other, shape])
        assert [problem.field for problem in judgement.problems] == ["", "Name", "Elsewhere"]


class TestFacts:
    @pytest.mark.parametrize("nothing", [None, "", [], {}])
    def test_nothing_null_and_empty_are_nothing(self, nothing):
        assert _facts({"Days": nothing}, Current({}))["Days"] is None
        assert _facts({}, Current({"Days": nothing}))["Days"] is None
        assert not _facts({"Days": nothing or None}).gives("Days")

    @pytest.mark.parametrize("value", [False, 0, Decimal(0), "0"])
    def test_no_and_zero_are_something(self, value):
        assert _facts({"Price": value})["Price"] == value
        assert _facts({"Price": value}).gives("Price")

    def test_a_default_stands_for_what_neither_row_nor_record_says(self):
        assert _facts({}, Current({}))["Name"] == "by default"
        assert _facts({"Name": "own"}, Current({}))["Name"] == "own"
        assert _facts({}, Current({"Name": "there"}))["Name"] == "there"

    def test_what_was_not_read_is_not_known(self):
        with pytest.raises(NotKnownError):
            _facts({})["Name"]
        with pytest.raises(NotKnownError):
            _facts({}, Current({"Name": "old"}, frozenset({"Name"})))["Name"]
