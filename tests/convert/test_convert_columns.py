"""Matching columns to fields."""

from __future__ import annotations

import pytest
from convert_cases import field, table
from hypothesis import given
from hypothesis import strategies as st

from bulkzcrm.convert import RESULT_HEADERS, MapOptions, match_columns
from bulkzcrm.errors import SourceError, UsageError
from bulkzcrm.spec.fields import Kind

ID = field(Kind.ID, "id")
NAME = field(Kind.TEXT, "Service_Name", mandatory=True)
DAYS = field(Kind.DAYS, "Available_Days", headers=("Open On",))
JOB_SHEET = field(Kind.TEXT, "Job_Sheet_Section__s")
PRICE = field(Kind.MONEY, "Price")
FIELDS = (ID, NAME, DAYS, JOB_SHEET, PRICE)


def letters(columns):
    return {name: column.letter for name, column in columns.items()}


def match(*headers, need_one_of=(), fields=FIELDS, header_row=1, preview=(), **options):
    source = table(*headers, header_row=header_row, preview=preview)
    return match_columns(fields, source, MapOptions(**options), need_one_of=need_one_of)


@pytest.mark.parametrize(
    "header", ["Service_Name", "service name", " SERVICE-NAME ", "ServiceName", "Service\u00a0Name:", "service_name*"]
)
def test_a_header_matches_ignoring_case_blanks_underscores_and_punctuation(header):
    assert letters(match("id", header).fields) == {"id": "A", "Service_Name": "B"}


@pytest.mark.parametrize("header", ["Job_Sheet_Section__s", "job sheet section s", "Open on"])
def test_api_names_labels_and_further_headers_all_match(header):
    assert len(match("Service Name", header).fields) == 2


def test_the_api_name_goes_before_the_label_of_another_field():
    """A header that is one field's name and another one's label means the first."""
    status = field(Kind.TEXT, "Status")
    state = field(Kind.TEXT, "State", headers=("Status",))
    assert list(match("Status", fields=(state, status)).fields) == ["Status"]


def test_other_columns_are_carried():
    columns = match("Service Name", "Remarks", "", "Remarks")
    assert [column.letter for column in columns.carried] == ["B", "C", "D"]


def test_two_columns_for_one_field_are_refused_naming_both():
    with pytest.raises(SourceError, match=r"Service_Name has 2 columns.*column A.*column C.*--ignore-column C"):
        match("Service_Name", "Price", "service name")


def test_an_ignored_column_does_not_compete():
    columns = match("Service_Name", "Price", "service name", ignored=frozenset({"C"}))
    assert letters(columns.fields) == {"Service_Name": "A", "Price": "B"}
    assert [column.letter for column in columns.ignored] == ["C"]


def test_all_columns_of_an_ignored_header_are_ignored():
    columns = match("Service_Name", "x", "x", ignored=frozenset({"x"}))
    assert [column.letter for column in columns.ignored] == ["B", "C"]
    assert columns.carried == ()


def test_a_missing_mandatory_field_is_named_with_the_column_that_was_probably_meant():
    with pytest.raises(SourceError, match=r'Service_Name.*Did you mean column A \("Servce Nme"\)\?.*--map') as caught:
        match("Servce Nme", "Price")
    assert '--map "Servce Nme=Service_Name"' in caught.value.cure


def test_all_missing_mandatory_fields_are_named_at_once():
    with pytest.raises(SourceError, match="One, Two"):
        match("id", fields=(ID, field(Kind.TEXT, "One", mandatory=True), field(Kind.TEXT, "Two", mandatory=True)))


def test_one_of_a_group_is_enough_and_none_is_too_few():
    fields = (ID, field(Kind.TEXT, "Service_Name"), PRICE)
    groups = [("id", "Service_Name")]
    assert match("id", "Price", fields=fields, need_one_of=groups).fields.keys() == {"id", "Price"}
    assert match("Price", fields=fields, need_one_of=groups, constants={"id": "1"}).constants == {"id": "1"}
    with pytest.raises(SourceError, match="id or Service_Name"):
        match("Price", fields=fields, need_one_of=groups)


def test_a_constant_stands_for_a_mandatory_column():
    columns = match("Price", constants={"service name": "AC Repair"})
    assert columns.constants == {"Service_Name": "AC Repair"}


@pytest.mark.parametrize("reference", ["Dienst", "dienst", "A", "a"])
def test_a_column_is_mapped_by_header_or_letter(reference):
    assert letters(match("Dienst", mapping={reference: "Service Name"}).fields) == {"Service_Name": "A"}


def test_a_header_goes_before_a_letter():
    assert letters(match("x", "A", mapping={"A": "Service_Name"}).fields) == {"Service_Name": "B"}


def test_a_mapped_column_no_longer_means_what_its_header_says():
    columns = match("Price", "Cost", mapping={"Price": "Service_Name", "Cost": "Price"})
    assert letters(columns.fields) == {"Service_Name": "A", "Price": "B"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"mapping": {"Dienst": "Servic_Name"}}, "Did you mean Service_Name"),
        ({"constants": {"Prize": "1"}}, "Did you mean Price"),
        ({"constants": {"zzz": "1"}}, "The fields are: id, Service_Name"),
        ({"mapping": {"Nowhere": "Price"}}, "does not have.*Dienst"),
        ({"ignored": frozenset({"Nowhere"})}, "--ignore-column names the column"),
        ({"mapping": {"Dienst": "Price"}, "constants": {"Price": "1"}}, "--set gives the field Price"),
        ({"constants": {"id": "1"}}, r"column B.*--ignore-column B"),
        ({"mapping": {"Dienst": "Price", "A": "Service_Name"}}, "two fields"),
        ({"mapping": {"Dienst": "Price", "B": "Price"}}, "two columns, A and B"),
        ({"mapping": {"Dienst": "Price"}, "ignored": frozenset({"A"})}, "both ignored and mapped"),
        ({"constants": {"Price": "1", "price": "2"}}, "twice"),
        ({"mapping": {"Twin": "Price"}}, "columns C and D both have this header"),
    ],
)
def test_options_that_do_not_fit_are_refused_with_the_cure(options, words):
    with pytest.raises(UsageError, match=words):
        match("Dienst", "id", "Twin", "Twin", **options)


def test_a_report_that_comes_back_leaves_our_columns_out():
    headers = ("Service_Name", *sorted(RESULT_HEADERS), "Remarks")
    columns = match(*headers)
    assert {column.name for column in columns.report_columns} == RESULT_HEADERS
    assert [column.name for column in columns.carried] == ["Remarks"]


def test_without_result_row_our_names_are_ordinary_columns():
    columns = match("Service_Name", "result_status")
    assert columns.report_columns == ()
    assert [column.name for column in columns.carried] == ["result_status"]


def test_a_column_of_a_report_cannot_be_mapped_because_the_next_report_writes_it_anew():
    with pytest.raises(UsageError, match="another header"):
        match("Service_Name", "result_row", "result_record_id", mapping={"result_record_id": "id"})


def test_a_title_row_is_recognised_and_the_header_row_guessed():
    preview = ((1, ("Our services",)), (4, ("Service Name", "Price")), (5, ("AC Repair", "10")))
    with pytest.raises(SourceError, match="--header-row 4"):
        match("Our services", preview=preview)


def test_a_title_row_that_happens_to_name_a_field_is_recognised_too():
    preview = ((1, ("Price", "")), (2, ("Service Name", "Price")), (3, ("AC Repair", "10")))
    with pytest.raises(SourceError, match=r"1 of the operation's fields, while row 2 names 2"):
        match("Price", "", preview=preview)


def test_rows_above_the_header_do_not_count():
    preview = ((1, ("Service Name", "Price", "id")), (3, ("Service Name",)))
    assert match("Service Name", header_row=3, preview=preview).fields


def test_headers_that_match_nothing_are_refused_with_the_fields():
    with pytest.raises(SourceError, match=r"No column of prices.csv.*row 1.*Service_Name, Available_Days"):
        match("a", "b", preview=((1, ("a", "b")), (2, ("c", "d"))))


def test_a_source_without_a_header_row_has_no_title_row():
    """JSON Lines: the second line's values may well be names of fields."""
    preview = ((1, ("x",)), (2, ("Service Name", "Price")))
    assert match("Price", "Service Name", header_row=0, preview=preview).fields
    with pytest.raises(SourceError, match=r"names a field of this operation: .*\. The fields"):
        match("a", header_row=0, preview=preview)


def test_a_carried_column_that_looks_like_a_field_is_noted():
    (note,) = match("Service Name", "Avalable Days").notes
    assert note == (
        'Column B ("Avalable Days") is only carried through to the report; if it is meant for Available_Days, '
        'add --map "Avalable Days=Available_Days".'
    )


@given(st.lists(st.text(max_size=12), max_size=8))
def test_every_column_has_exactly_one_use(headers):
    try:
        columns = match("Service_Name", *headers)
    except SourceError:
        return
    uses = [*columns.fields.values(), *columns.carried, *columns.ignored, *columns.report_columns]
    assert sorted(column.index for column in uses) == list(range(len(headers) + 1))
