"""Ids, members and taxes."""

from __future__ import annotations

from decimal import Decimal

import pytest
from convert_cases import code_of, convert_value, field
from hypothesis import given
from hypothesis import strategies as st

from bulkzcrm.model import FormulaWithoutValue
from bulkzcrm.spec.fields import Kind

ID = field(Kind.ID, "id")
MEMBERS = field(Kind.MEMBERS, "Members")
TAX = field(Kind.TAXES, "Tax")
USER = "5545974000000393001"
OTHER = "5545974000000393002"

IDS = st.from_regex(r"[0-9]{15,20}", fullmatch=True)


@given(IDS)
def test_an_id_never_changes_a_digit(digits):
    for written in (digits, f" {digits}\u00a0", f"'{digits}", f'="{digits}"', f'=" {digits} "'):
        assert convert_value(ID, written) == digits
        assert convert_value(MEMBERS, written) == [digits]
        assert convert_value(TAX, written) == [digits]


@given(st.integers(10**14, 10**20 - 1))
def test_whole_numbers_of_a_workbook_are_exact_ids(number):
    assert convert_value(ID, number) == str(number)


def test_a_formula_that_only_guards_an_id_is_the_id():
    assert convert_value(ID, FormulaWithoutValue(f'="{USER}"')) == USER


@given(st.floats(min_value=2**53, max_value=1e22))
def test_an_id_that_became_a_float_is_never_completed(number):
    for one in (ID, MEMBERS, TAX):
        assert code_of(one, number) == "ID_PRECISION_LOST"


def test_a_float_that_still_holds_every_digit_is_an_id():
    assert convert_value(ID, 123456789012345.0) == "123456789012345"


@pytest.mark.parametrize("one", [ID, MEMBERS, TAX])
@pytest.mark.parametrize("text", ["5.54597E+18", "5,54597E+18", "5.545974000000393e18", "'5.54597E+18", "6E+18"])
def test_scientific_notation_is_lost_precision(one, text):
    assert code_of(one, text) == "ID_PRECISION_LOST"


def test_a_decimal_with_a_hidden_exponent_is_lost_precision():
    assert code_of(ID, Decimal("5.54597E+18")) == "ID_PRECISION_LOST"


@pytest.mark.parametrize(
    "value",
    [
        "55459",
        "5545974000000393001.0",
        "5545974000000393001x",
        "5545 974000000393001",
        "5" * 21,
        "\u0665" * 18,
        True,
        12.5,
        "-5545974000000393001",
        "'",
        "=",
        Decimal("NaN"),
        float("nan"),
    ],
)
def test_anything_else_is_no_id(value):
    assert code_of(ID, value) == "INVALID_DATA"


@pytest.mark.parametrize(
    ("text", "members"),
    [
        (f"{USER}; {OTHER}", [USER, OTHER]),
        (f"{USER},{OTHER}", [USER, OTHER]),
        (f"{USER}\nboyle@example.com", [USER, "boyle@example.com"]),
        ("a@example.com, b@example.com", ["a@example.com", "b@example.com"]),
        ("Boyle, Patricia", ["Boyle, Patricia"]),
        ("Boyle, Patricia; Ray Chu", ["Boyle, Patricia", "Ray Chu"]),
        (f"Boyle, {USER}", [f"Boyle, {USER}"]),
        (f"{USER}; {USER};", [USER]),
        ("A@example.com; a@example.com", ["A@example.com"]),
        (f"'{USER}; ='{OTHER}", [USER, f"='{OTHER}"]),
    ],
)
def test_members_are_separated_where_no_name_could_be_torn(text, members):
    assert convert_value(MEMBERS, text) == members


@pytest.mark.parametrize("value", ["12345", "; ;", True, 12.0, "4,5"])
def test_bare_numbers_are_no_members(value):
    assert code_of(MEMBERS, value) == "INVALID_DATA"


@pytest.mark.parametrize(
    ("value", "taxes"),
    [
        ("Vat - 0.8 %", ["Vat - 0.8 %"]),
        ("Vat - 0,8 %; Sales Tax - 2 %", ["Vat - 0,8 %", "Sales Tax - 2 %"]),
        (f"{USER}, {OTHER}", [USER, OTHER]),
        ("Vat; vat", ["Vat"]),
        (18, ["18"]),
        (0.8, ["0.8"]),
    ],
)
def test_a_comma_in_the_value_of_a_tax_separates_nothing(value, taxes):
    assert convert_value(TAX, value) == taxes


@given(st.lists(IDS, min_size=1, max_size=5, unique=True), st.sampled_from([";", "; ", "\n", "\r\n", ",", ", "]))
def test_a_list_of_ids_reads_back_as_it_was_written(ids, separator):
    assert convert_value(MEMBERS, separator.join(ids)) == ids
    assert convert_value(TAX, separator.join(ids)) == ids
