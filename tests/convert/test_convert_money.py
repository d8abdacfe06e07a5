"""Amounts of money."""

from __future__ import annotations

from decimal import Decimal

import pytest
from convert_cases import code_of, convert_column, convert_value, converter, field
from hypothesis import given
from hypothesis import strategies as st

from bulkzcrm.convert import ConvertOptions
from bulkzcrm.model import Problem, Row
from bulkzcrm.spec.fields import Kind

PRICE = field(Kind.MONEY, "Price")
POINT = ConvertOptions(decimal=".")
COMMA = ConvertOptions(decimal=",")

AMOUNTS = st.decimals(min_value=0, max_value=10**12, places=2)


def grouped(amount: Decimal, separator: str, mark: str) -> str:
    return f"{amount:,.2f}".replace(",", "\0").replace(".", mark).replace("\0", separator)


def indian(amount: Decimal) -> str:
    whole, fraction = f"{amount:.2f}".split(".")
    head, tail = whole[:-3], whole[-3:]
    groups = [head[max(end - 2, 0) : end] for end in range(len(head), 0, -2)][::-1]
    return f"{','.join([*groups, tail])}.{fraction}"


@given(AMOUNTS, st.sampled_from(["", ",", " ", "\u00a0", "\u202f", "'", "\u2019"]))
def test_every_notation_with_a_point_gives_the_amount_back(amount, separator):
    assert convert_value(PRICE, grouped(amount, separator, "."), POINT) == amount


@given(AMOUNTS, st.sampled_from(["", ".", " ", "\u00a0", "'"]))
def test_every_notation_with_a_comma_gives_the_amount_back(amount, separator):
    assert convert_value(PRICE, grouped(amount, separator, ","), COMMA) == amount
    assert convert_value(PRICE, grouped(amount, separator, ",")) == amount


@given(AMOUNTS)
def test_indian_grouping_gives_the_amount_back(amount):
    assert convert_value(PRICE, indian(amount), POINT) == amount


@given(
    AMOUNTS, st.sampled_from(["€{}", "{} €", "US${}", "USD {}", "{} eur", "₹ {}", "Rs. {}", "Rs.{}", "{} kr", "+{}"])
)
def test_a_currency_may_stand_before_or_behind(amount, form):
    assert convert_value(PRICE, form.format(f"{amount:.2f}")) == amount


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        (230.66, "230.66"),
        (0.1, "0.1"),
        (5, "5"),
        (Decimal("230.660"), "230.660"),
        (-0.0, "0"),
        ("1'234.50", "1234.50"),
        ("12,34,567.00", "1234567.00"),
        (".5", "0.5"),
        ("007", "7"),
        (2**60, str(2**60)),
        (1e-7, "0.0000001"),
    ],
)
def test_amounts_are_exact(value, amount):
    converted = convert_value(PRICE, value)
    assert isinstance(converted, Decimal)
    assert str(converted.normalize()) == str(Decimal(amount).normalize())


def test_a_long_decimal_keeps_all_its_digits():
    long = Decimal("1234567890123456789012345678901234567890.25")
    assert convert_value(PRICE, long) == long


@pytest.mark.parametrize("value", ["-5", "(5.00)", "5-", "\u22125", "-€5", "€-5", "$(5.00)", -5, -0.01, Decimal(-1)])
def test_a_negative_amount_is_refused_as_such(value):
    problem = convert_value(PRICE, value)
    assert isinstance(problem, Problem)
    assert (problem.code, "negative" in problem.message) == ("INVALID_DATA", True)


@pytest.mark.parametrize(
    "value",
    [
        "abc",
        "60 min",
        "5%",
        "1,2,3",
        "1.2.3",
        "12,34",
        "1,50",
        "1 23",
        "1,234,56",
        "0,123",
        "1e5",
        "€5 USD",
        "5.",
        ",",
        "١٢",
        True,
        float("nan"),
        float("inf"),
        1e16,
        Decimal("NaN"),
        Decimal("1E+999999"),
        "5 abc",
        "1,23 4",
    ],
)
def test_what_is_no_amount_with_a_point_is_refused(value):
    assert code_of(PRICE, value, POINT) == "INVALID_DATA"


@pytest.mark.parametrize("value", ["1.50", "1,234.50", "1,234,567"])
def test_what_is_no_amount_with_a_comma_is_refused(value):
    assert code_of(PRICE, value, COMMA) == "INVALID_DATA"


@pytest.mark.parametrize(
    ("texts", "amounts"),
    [
        (["1,234"], ["1234"]),
        (["1,234", "1,50"], ["1.234", "1.50"]),
        (["1.234", "1,50"], ["1234", "1.50"]),
        (["1,234", "1.50"], ["1234", "1.50"]),
        (["1,234", "1.234.567"], ["1.234", "1234567"]),
        (["1.234", "1,234,567"], ["1.234", "1234567"]),
        (["1,234", "12", "1 234"], ["1234", "12", "1234"]),
        (["1,234", "0,123"], ["1.234", "0.123"]),
    ],
)
def test_the_whole_column_settles_what_a_comma_means(texts, amounts):
    assert convert_column(PRICE, texts) == [Decimal(amount) for amount in amounts]


def test_a_column_of_both_kinds_proves_no_decimal_comma():
    point, comma = convert_column(PRICE, ["1.50", "2,50"])
    assert point == Decimal("1.50")
    assert isinstance(comma, Problem)
    assert "--decimal ," in comma.remedy


def test_numbers_of_a_workbook_say_nothing_about_its_texts():
    assert convert_column(PRICE, [1.5, "2,50"], ConvertOptions()) == [Decimal("1.5"), Decimal("2.50")]


def test_the_proof_is_told_and_can_be_repeated():
    convert = converter([PRICE])
    assert convert(Row(2, ("1.234",))).open == {"Price"}
    assert convert(Row(3, ("1,50",))).open == {"Price"}
    settled = convert.settle()
    assert settled.notes == ('Column A ("Price") is read with a decimal comma, because row 3 says "1,50".',)
    assert settled.reading == {"decimal": ","}


def test_what_no_row_proves_is_told_too():
    convert = converter([PRICE])
    convert(Row(2, ("1,234",)))
    settled = convert.settle()
    assert settled.notes == (
        'Column A ("Price") is read with a decimal point, because no row proves another; row 2 says "1,234".',
    )
    assert settled.reading == {}


def test_the_note_does_not_say_that_something_is_read_which_is_refused():
    convert = converter([PRICE])
    convert(Row(2, ("1.250",)))
    (note,) = convert.settle().notes
    assert note == (
        'Column A ("Price") is read with a decimal point, because no row proves another; what may have thousands '
        'behind the point, as "1.250" in row 2, is refused.'
    )


def test_three_digits_behind_a_point_that_nothing_proves_are_not_guessed():
    convert = converter([PRICE])
    rows = [Row(2, ("1.250",)), Row(3, ("12.50",))]
    for row in rows[:1]:
        convert(row)
    settled = convert.settle().converter()
    (problem,) = settled(rows[0]).problems
    assert (problem.code, problem.cell) == ("INVALID_DATA", "A2")
    assert "--decimal" in problem.remedy
    proved = converter([PRICE])
    for row in rows:
        proved(row)
    assert proved.settle().converter()(rows[0]).record == {"Price": Decimal("1.250")}
