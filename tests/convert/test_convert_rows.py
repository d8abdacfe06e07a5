"""Whole rows: blanks, clears, constants, shapes, and what holds for every kind of field."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest
from convert_cases import code_of, convert_value, converter, field, table
from hypothesis import assume, given
from hypothesis import strategies as st

from bulkzcrm.cells import cell_text
from bulkzcrm.convert import ConvertOptions, MapOptions, Proof, RowConverter, match_columns
from bulkzcrm.errors import UsageError
from bulkzcrm.model import CellError, Column, FormulaWithoutValue, Problem, Row, Table
from bulkzcrm.spec.fields import WEEKDAYS, Kind

CHOICES = {Kind.CHOICE: {"choices": ("Yes", "No", *WEEKDAYS)}}
KINDS = {kind: field(kind, **CHOICES.get(kind, {})) for kind in Kind}
NAME = field(Kind.TEXT, "Service_Name", mandatory=True)
DURATION = field(Kind.MINUTES, "Duration")
PRICE = field(Kind.MONEY, "Price")
FIELDS = (NAME, DURATION, PRICE)

TYPED = st.one_of(
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.datetimes(),
    st.datetimes(timezones=st.timezones()),
    st.dates(),
    st.times(),
    st.timedeltas(),
    st.text().map(CellError),
    st.text().map(FormulaWithoutValue),
)
# Texts of the letters that matter reach further into the readers than random ones do.
TEXTS = st.one_of(st.text(), st.text(alphabet="0123456789.,:;-/+ ='\"#()%$€ETZaphmMontojr\n\u00a0", max_size=30))


@pytest.mark.parametrize("kind", Kind)
@given(value=st.one_of(TYPED, TEXTS, st.none()), decimal=st.sampled_from([None, ".", ","]))
def test_no_value_whatsoever_raises(kind, value, decimal):
    converted = convert_value(KINDS[kind], value, ConvertOptions(decimal=decimal))
    if isinstance(converted, Problem):
        assert converted.code
        assert converted.message.endswith(".")
        assert converted.remedy
        assert len(converted.message) < 400


def _same_in_text(value):
    """Leave out what a text cannot say like its cell: an exponent (Decimal), an offset finer than a minute."""
    if isinstance(value, Decimal):
        return value.is_finite() and int(value.as_tuple().exponent) <= 0
    offset = value.utcoffset() if isinstance(value, datetime) else None
    return offset is None or offset % timedelta(minutes=1) == timedelta(0)


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.MONEY])
@given(value=TYPED)
def test_a_typed_cell_and_what_the_report_shows_for_it_mean_the_same(kind, value):
    assume(_same_in_text(value) and cell_text(value).strip())
    typed, text = (convert_value(KINDS[kind], one) for one in (value, cell_text(value)))
    if not isinstance(typed, Problem) and not isinstance(text, Problem):
        assert typed == text
    elif kind not in {Kind.MEMBERS, Kind.TAXES, Kind.TEXT} and not isinstance(value, CellError | FormulaWithoutValue):
        assert isinstance(typed, Problem)
        assert isinstance(text, Problem)


@given(value=st.one_of(st.integers(0), st.floats(0, 2**53 - 1), st.decimals(0, 10**20, places=4)))
def test_a_number_and_what_the_report_shows_for_it_are_the_same_amount(value):
    assume(len(cell_text(value)) < 80)
    assert convert_value(PRICE, value) == convert_value(PRICE, cell_text(value))


@given(st.text(min_size=1))
def test_a_text_stays_as_it_is_but_for_outer_blanks(text):
    assume(text.strip() and text.strip()[0] not in "#=")
    assert convert_value(NAME, text) == text.strip()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12345.0, "12345"),
        (0.1, "0.1"),
        (7, "7"),
        (True, "TRUE"),
        (date(2026, 3, 31), "2026-03-31"),
        (time(9), "09:00"),
        ("#clear", "#clear"),
        ("#1 Plumber", "#1 Plumber"),
        ("= x", "= x"),
        ("-5", "-5"),
        ("=", "="),
    ],
)
def test_typed_cells_become_their_shortest_exact_text(value, text):
    assert convert_value(NAME, value) == text


def test_a_row_gives_the_fields_that_are_not_blank():
    convert = converter(FIELDS)
    assert convert(Row(2, ("AC Repair", None, "  "))).record == {"Service_Name": "AC Repair"}
    assert convert(Row(3, ("AC Repair", "60", "230.66"))).record == {
        "Service_Name": "AC Repair",
        "Duration": 60,
        "Price": Decimal("230.66"),
    }


def test_every_problem_of_a_row_is_told_in_the_order_of_the_fields_with_its_cell():
    fields = (NAME, DURATION, PRICE)
    column_map = match_columns(fields, table("Price", "Duration", "Service_Name"), MapOptions())
    converted = RowConverter(fields, column_map, ConvertOptions(), clears="null")(Row(37, ("x", "y", None)))
    assert [(problem.code, problem.field, problem.cell) for problem in converted.problems] == [
        ("MANDATORY_NOT_FOUND", "Service_Name", "C37"),
        ("INVALID_DATA", "Duration", "B37"),
        ("INVALID_DATA", "Price", "A37"),
    ]
    assert converted.record == {}


def test_a_good_field_beside_a_bad_one_is_still_converted():
    converted = converter(FIELDS)(Row(2, ("AC Repair", "x", "5")))
    assert converted.record == {"Service_Name": "AC Repair", "Price": Decimal(5)}


def test_surplus_cells_are_a_problem_of_the_whole_row():
    converted = converter(FIELDS)(Row(5, ("AC Repair", "x", "5"), (None, "stray")))
    assert [(problem.code, problem.field, problem.cell) for problem in converted.problems] == [
        ("ROW_SHAPE", "", "E5"),
        ("INVALID_DATA", "Duration", "B5"),
    ]
    assert '"stray"' in converted.problems[0].message


def test_blank_surplus_cells_are_no_problem():
    assert converter(FIELDS)(Row(5, ("AC Repair", None, "5"), (None, " "))).problems == ()


@pytest.mark.parametrize("text", ["#CLEAR", " #CLEAR "])
def test_clear_is_null_or_left_out(text):
    row = Row(2, ("AC Repair", text, None))
    assert converter(FIELDS, clears="null")(row).record == {"Service_Name": "AC Repair", "Duration": None}
    assert converter(FIELDS, clears="left out")(row).record == {"Service_Name": "AC Repair"}


@pytest.mark.parametrize("clears", ["null", "left out"])
def test_a_mandatory_field_cannot_be_cleared(clears):
    (problem,) = converter(FIELDS, clears=clears)(Row(2, ("#CLEAR", None, None))).problems
    assert (problem.code, problem.field, problem.cell) == ("MANDATORY_NOT_FOUND", "Service_Name", "A2")


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("value", [CellError("#N/A"), CellError("#ODD!"), "#N/A", "#REF!", "#DIV/0!", "#SPILL!"])
def test_an_error_value_is_never_data(kind, value):
    assert code_of(KINDS[kind], value) == "CELL_ERROR"


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize(
    "value", ["=A1", "=1+1", "=SUM(A1)", '="x"', "=-A1", "=+A1", "=$A$1", "=@x", "=(1)", "='a'!A1"]
)
def test_a_formula_is_never_data(kind, value):
    assert code_of(KINDS[kind], FormulaWithoutValue(value)) == "FORMULA_WITHOUT_VALUE"
    if kind is not Kind.TEXT:
        assert code_of(KINDS[kind], value) == "FORMULA_WITHOUT_VALUE"


def test_a_text_that_looks_like_a_formula_is_a_text_unless_it_comes_from_a_report():
    assert converter([NAME])(Row(2, ("=1+1",))).record == {"Service_Name": "=1+1"}
    columns = (Column(0, "A", "Service_Name"), Column(1, "B", "result_row"))
    mapped = match_columns([NAME], Table("failed.csv", columns, iter(()), 1), MapOptions())
    (problem,) = RowConverter([NAME], mapped, ConvertOptions(), clears="null")(Row(2, ("=1+1", "7"))).problems
    assert problem.code == "FORMULA_WITHOUT_VALUE"


def test_a_long_or_invisible_value_is_shortened_and_made_visible():
    problem = convert_value(DURATION, "x\u200b\x00" * 100)
    assert isinstance(problem, Problem)
    assert "\\u200b\\x00" in problem.message
    assert problem.message.isprintable()


def test_a_value_with_braces_is_shown_as_it_is():
    problem = convert_value(DURATION, "{label} {0}")
    assert isinstance(problem, Problem)
    assert '"{label} {0}"' in problem.message


def test_a_constant_goes_into_every_row_and_each_row_has_a_record_of_its_own():
    fields = (NAME, field(Kind.DAYS, "Days"))
    convert = converter(fields, constants={"Days": "Mon; Tue"})
    first, second = convert(Row(2, ("a",))), convert(Row(3, ("b",)))
    assert first.record == {"Service_Name": "a", "Days": ["Monday", "Tuesday"]}
    first.record["Days"] = ["Sunday"]
    assert second.record["Days"] == ["Monday", "Tuesday"]
    assert convert(Row(4, ("c",))).record["Days"] == ["Monday", "Tuesday"]


def test_clear_works_as_a_constant():
    row = Row(2, ("a", "1"))
    assert converter(FIELDS, constants={"Duration": "#CLEAR"})(row).record["Duration"] is None
    assert "Duration" not in converter(FIELDS, clears="left out", constants={"Duration": "#CLEAR"})(row).record


def test_a_mandatory_constant_that_clears_is_a_problem_of_every_row_in_its_place():
    fields = (DURATION, NAME, PRICE)
    converted = converter(fields, constants={"Service_Name": "#CLEAR"})(Row(2, ("x", "y")))
    assert [(problem.field, problem.cell) for problem in converted.problems] == [
        ("Duration", "A2"),
        ("Service_Name", ""),
        ("Price", "B2"),
    ]


@pytest.mark.parametrize(
    ("constants", "words"),
    [({"Duration": "soon"}, "Duration says"), ({"Price": "1,50"}, "--decimal"), ({"Duration": " "}, "#CLEAR")],
)
def test_a_constant_that_cannot_be_converted_is_refused_before_the_first_row(constants, words):
    with pytest.raises(UsageError, match=words):
        converter(FIELDS, constants=constants)


def test_an_ambiguous_constant_is_refused_and_an_option_settles_it():
    fields = (NAME, field(Kind.DATE, "From"))
    with pytest.raises(UsageError, match="--date-format"):
        converter(fields, constants={"From": "03/04/2026"})
    convert = converter(fields, ConvertOptions(date_order="dmy"), constants={"From": "03/04/2026"})
    assert convert(Row(2, ("a",))).record["From"] == "2026-04-03"


def test_a_mandatory_field_without_any_origin_is_a_problem_of_every_row():
    column_map = match_columns((DURATION,), table("Duration"), MapOptions())
    converted = RowConverter(FIELDS, column_map, ConvertOptions(), clears="null")(Row(2, ("60",)))
    assert [(problem.code, problem.field, problem.cell) for problem in converted.problems] == [
        ("MANDATORY_NOT_FOUND", "Service_Name", "")
    ]


def test_a_row_can_have_problems_and_open_fields_at_once():
    fields = (NAME, field(Kind.DATE, "From"), PRICE)
    convert = converter(fields)
    row = Row(2, ("a", "03/04/2026", "x"))
    converted = convert(row)
    assert (converted.open, [problem.field for problem in converted.problems]) == ({"From"}, ["Price"])
    again = convert.settle().converter()(row)
    assert [(problem.field, problem.code) for problem in again.problems] == [
        ("From", "DATE_AMBIGUOUS"),
        ("Price", "INVALID_DATA"),
    ]
    assert not again.open


def test_evidence_remembers_the_first_row():
    convert = converter((field(Kind.DATE, "From"),))
    for number, text in enumerate(["31/03/2026", "30/03/2026", "03/04/2026", "2026-01-01"], 2):
        convert(Row(number, (text,)))
    evidence = convert.evidence["From"]
    assert evidence.column == Column(0, "A", "From")
    assert {kind.value: proof.row for kind, proof in evidence.proofs.items()} == {"dmy": 2}
    assert evidence.open_example == Proof(4, "03/04/2026")


def test_the_settled_converter_treats_rows_that_were_not_open_alike():
    convert = converter((field(Kind.DATE, "From"), PRICE))
    rows = [Row(2, ("31/03/2026", "1,50")), Row(3, ("2026-05-01", "7"))]
    for row in rows:
        convert(row)
    again = convert.settle().converter()
    assert [again(row).record for row in rows] == [
        {"From": "2026-03-31", "Price": Decimal("1.50")},
        {"From": "2026-05-01", "Price": Decimal(7)},
    ]


def test_datetimes_and_durations_of_a_workbook_are_no_ids():
    for value in (datetime.fromisoformat("2026-03-31"), timedelta(days=1), date(2026, 3, 31)):
        assert code_of(KINDS[Kind.ID], value) == "INVALID_DATA"


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.TEXT])
def test_monstrous_values_are_refused_at_once(kind):
    for value in (
        10**5000,
        -(10**5000),
        Decimal("1E+999999999"),
        "9" * 5000,
        "x" * 100_000,
        "1," * 50_000,
        "1 " * 50_000,
        f"{'mon,' * 50_000}x",
        f"1{' ' * 100_000}h",
    ):
        if isinstance(convert_value(KINDS[kind], value), Problem):
            assert code_of(KINDS[kind], value) in {"INVALID_DATA", "ID_PRECISION_LOST"}
        else:
            assert kind in {Kind.MEMBERS, Kind.TAXES}, "only names have no grammar"
