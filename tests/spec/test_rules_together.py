"""Many problems in one row: in which order and at which cell they are told; what constants and updates change."""

from __future__ import annotations

from dataclasses import replace

import pytest
from judged_rows import (
    AWAY,
    EARLY,
    GOOD,
    NOWHERE,
    PLAIN,
    RAHUL,
    at,
    codes_of,
    day,
    judge_rows,
    organisation,
    problems_of,
)

from bulkzcrm.errors import UsageError
from bulkzcrm.model import Status
from bulkzcrm.run.options import RunOptions
from bulkzcrm.spec.operations import OPERATIONS
from bulkzcrm.spec.organisation import Current

CREATE, UPDATE, STATUS = "create-services", "update-services", "set-service-status"

EVERYTHING_WRONG = {
    "Service_Name": "n" * 121,
    "Duration": "5",
    "Location": "Nowhere",
    "Members": None,
    "Availability_Type": "Specific Day(s)",
    "Available_Days": None,
    "Price": "-1",
    "Available_Timings": "9-10; 10-11; 11-12",
    "Job_Sheet_Required": "Yes",
    "Job_Sheet_Section__s": None,
    "Status": "Temporarily Unavailable",
    "Unavailable_From": at(days=1),
    "Unavailable_Till": at(days=-1),
    "Description": "d" * 32001,
}

ALL_OF_IT = [
    ("INVALID_DATA", "Service_Name"),
    ("INVALID_DATA", "Duration"),
    ("INVALID_DATA", "Location"),
    ("MANDATORY_NOT_FOUND", "Members"),
    ("DEPENDENT_FIELD_MISSING", "Available_Days"),
    ("INVALID_DATA", "Price"),
    ("INVALID_DATA", "Available_Timings"),
    ("DEPENDENT_FIELD_MISSING", "Job_Sheet_Section__s"),
    ("INVALID_DATA", "Unavailable_From"),
    ("DEPENDENT_MISMATCH", "Unavailable_Till"),
    ("INVALID_DATA", "Description"),
]


@pytest.mark.parametrize("around", [None, organisation()], ids=["check", "run"])
def test_all_problems_of_a_row_are_told_in_the_order_of_the_operations_fields(around):
    assert codes_of(CREATE, EVERYTHING_WRONG, around=around) == ALL_OF_IT


def test_the_order_of_the_columns_does_not_change_the_order_of_the_problems():
    columns = [each.name for each in OPERATIONS[CREATE].fields][::-1]
    assert codes_of(CREATE, EVERYTHING_WRONG, columns=columns) == ALL_OF_IT


def test_the_first_problem_gives_the_row_its_code():
    (row,) = judge_rows(CREATE, [{**GOOD[CREATE], "Description": "d" * 32001, "Duration": "5", "Price": None}])
    assert row.outcome(checking=True).status is Status.INVALID
    assert (row.code, row.problems[0].field) == ("INVALID_DATA", "Duration")


def test_one_rows_problems_are_not_another_rows():
    rows = judge_rows(CREATE, [GOOD[CREATE], {**GOOD[CREATE], "Duration": "5"}, {**GOOD[CREATE], "Duration": "61"}])
    assert [[problem.cell for problem in row.problems] for row in rows] == [[], ["B3"], []]


def test_what_follows_from_a_cell_that_cannot_be_read_is_not_told_besides():
    row = {"Status": "Temporarily Unavailable", "Unavailable_From": "yesterday", "Unavailable_Till": "31.2.2040"}
    assert codes_of(CREATE, row) == [("INVALID_DATA", "Unavailable_From"), ("INVALID_DATA", "Unavailable_Till")]


def test_problems_of_form_and_of_the_organisation_are_told_together():
    row = {"Duration": "5", "Members": "Nobody", "Tax": "None", "Available_Timings": "06:00-08:00"}
    assert codes_of(CREATE, row, around=organisation()) == [
        ("INVALID_DATA", "Duration"),
        ("NAME_NOT_FOUND", "Members"),
        ("DEPENDENT_MISMATCH", "Available_Timings"),
        ("NAME_NOT_FOUND", "Tax"),
    ]


class TestTheCell:
    def test_a_blank_cell_is_the_cell_of_a_missing_value(self):
        (problem,) = problems_of(CREATE, {"Availability_Type": "Specific Day(s)"})
        assert (problem.field, problem.cell) == ("Available_Days", "I2")

    def test_a_missing_value_without_a_column_has_no_cell(self):
        columns = list(GOOD[CREATE])
        (problem,) = problems_of(CREATE, {"Availability_Type": "Specific Day(s)"}, columns=columns)
        assert (problem.field, problem.cell) == ("Available_Days", "")

    def test_a_row_that_names_no_record_is_told_so_at_the_column_that_could(self):
        columns = ["Service_Name", "Status"]
        (problem,) = judge_rows(STATUS, [{"Status": "Available"}], columns=columns)[0].problems
        assert (problem.code, problem.field, problem.cell) == ("MANDATORY_NOT_FOUND", "Service_Name", "A2")

    def test_a_record_without_cell_of_its_own_value_has_none(self):
        (problem,) = problems_of(STATUS, {"id": EARLY}, around=organisation())
        assert (problem.field, problem.cell) == ("Available_Timings", "")


class TestConstants:
    def test_a_constant_counts_like_a_cell_of_every_row(self):
        options = RunOptions(constants={"Status": "Not in Use", "Unavailable_From": "now"})
        assert codes_of(CREATE, {}, options=options) == []
        options = RunOptions(constants={"Status": "Not in Use"})
        assert codes_of(CREATE, {}, options=options) == [("DEPENDENT_FIELD_MISSING", "Unavailable_From")]

    def test_what_a_constant_breaks_with_a_cell_is_told_at_the_cell_that_the_rule_is_about(self):
        options = RunOptions(constants={"Duration": "2h"})
        (problem,) = problems_of(CREATE, {"Available_Timings": "10-11"}, options=options)
        assert (problem.field, problem.cell) == ("Available_Timings", "J2")

    def test_a_constant_beyond_its_fields_limit_is_told_for_each_row_without_a_cell(self):
        (problem,) = problems_of(CREATE, {}, options=RunOptions(constants={"Duration": "14"}))
        assert (problem.code, problem.field, problem.cell) == ("INVALID_DATA", "Duration", "")

    def test_a_constant_that_cannot_be_read_refuses_the_command(self):
        with pytest.raises(UsageError, match="Location"):
            problems_of(CREATE, {}, options=RunOptions(constants={"Location": "Anywhere"}))

    def test_clearing_by_a_constant_is_refused_in_a_mandatory_field_and_left_out_of_a_new_record(self):
        options = RunOptions(constants={"Duration": "#CLEAR"})
        assert codes_of(CREATE, {}, options=options) == [("MANDATORY_NOT_FOUND", "Duration")]
        assert codes_of(UPDATE, {}, options=options, around=organisation()) == [("MANDATORY_NOT_FOUND", "Duration")]
        (row,) = judge_rows(CREATE, [GOOD[CREATE]], options=RunOptions(constants={"Description": "#CLEAR"}))
        assert "Description" not in (row.record or {})


class TestUpdates:
    def test_a_value_that_the_row_leaves_out_is_the_current_one(self):
        assert codes_of(UPDATE, {"id": EARLY, "Duration": "2h"}, around=organisation()) == []
        told = codes_of(UPDATE, {"id": EARLY, "Duration": "2h 1m"}, around=organisation())
        assert told == [("INVALID_DATA", "Available_Timings")]

    def test_a_rule_about_fields_that_the_row_leaves_alone_is_not_asked(self):
        assert codes_of(UPDATE, {"id": EARLY, "Description": "Early birds only."}, around=organisation()) == []
        assert codes_of(UPDATE, {"id": AWAY, "Price": "9"}, around=organisation()) == []

    def test_a_rule_that_needs_a_value_which_the_list_did_not_show_is_left_to_the_server(self):
        around = organisation()
        silent = Current(around.services[EARLY].record | {"Duration": None}, frozenset({"Duration"}))
        around = replace(around, services={**around.services, EARLY: silent})
        assert codes_of(UPDATE, {"id": EARLY, "Available_Timings": "10:00-10:05"}, around=around) == []

    def test_check_cannot_judge_what_depends_on_the_current_record(self):
        assert codes_of(UPDATE, {"id": NOWHERE, "Duration": "12h"}) == []
        assert codes_of(UPDATE, {"Available_Timings": "10:00-10:05"}) == []
        together = {"Duration": "60", "Available_Timings": "10:00-10:05"}
        assert codes_of(UPDATE, together) == [("INVALID_DATA", "Available_Timings")]

    def test_a_status_is_told_once_what_it_lacks_whatever_times_are_left_over(self):
        told = codes_of(STATUS, {"id": AWAY, "Status": "Temporarily Unavailable"}, around=organisation())
        assert told == [
            ("DEPENDENT_FIELD_MISSING", "Unavailable_From"),
            ("DEPENDENT_FIELD_MISSING", "Unavailable_Till"),
        ]

    def test_a_temporary_absence_is_prolonged_by_its_new_end_alone(self):
        around = organisation()
        assert codes_of(UPDATE, {"id": AWAY, "Unavailable_Till": at(days=9)}, around=around) == []
        told = codes_of(UPDATE, {"id": AWAY, "Unavailable_Till": at(days=-9)}, around=around)
        assert told == [("DEPENDENT_MISMATCH", "Unavailable_Till")]

    def test_a_job_sheet_that_is_taken_away_needs_no_other_cell(self):
        around = organisation()
        sheet = {"Job_Sheet_Required": "Yes", "Job_Sheet_Section__s": "Standard"}
        around.services[PLAIN] = Current(around.services[PLAIN].record | sheet)
        assert codes_of(UPDATE, {"Job_Sheet_Required": "No"}, around=around) == []
        assert codes_of(UPDATE, {"Job_Sheet_Required": "No", "Job_Sheet_Section__s": "#CLEAR"}, around=around) == []
        told = codes_of(UPDATE, {"Job_Sheet_Required": "No", "Job_Sheet_Section__s": "Extended"}, around=around)
        assert told == [("DEPENDENT_MISMATCH", "Job_Sheet_Section__s")]

    def test_a_range_whose_end_alone_moves_is_judged_with_its_current_beginning(self):
        around = organisation()
        span = {"Availability_Type": "Specific Date Range", "Available_From": day(5), "Available_Till": day(9)}
        around.services[PLAIN] = Current(around.services[PLAIN].record | span)
        assert codes_of(UPDATE, {"Available_Till": day(6)}, around=around) == []
        assert codes_of(UPDATE, {"Available_Till": day(5)}, around=around) == [("INVALID_DATA", "Available_Till")]


class TestLeftToTheServer:
    @pytest.mark.parametrize("status", ["Scheduled", "Not In Use "])
    def test_a_status_that_the_pages_do_not_name_is_sent(self, status):
        row = {"Status": status, "Unavailable_From": at(days=-1)}
        assert codes_of(CREATE, row, around=organisation()) == []

    def test_dependents_of_another_availability_type_are_sent(self):
        row = {"Available_Days": "Mon", "Available_Dates": day(1), "Available_From": day(1)}
        assert codes_of(CREATE, row, around=organisation()) == []

    def test_whatever_cannot_be_read_of_the_organisation_goes_unchecked(self):
        blind = organisation(users=None, taxes=None, job_sheets=None, business_hours=None, job_sheet_enabled=None)
        row = {
            "Members": NOWHERE,
            "Tax": "5545974000000021999",
            "Job_Sheet_Required": "Yes",
            "Job_Sheet_Section__s": "Any",
            "Available_Timings": "01:00-23:00",
        }
        assert codes_of(CREATE, row, around=blind) == []


def test_business_days_without_hours_of_their_own_are_open_all_day():
    around = organisation()
    around.business_hours = replace(around.business_hours, hours={})
    assert codes_of(CREATE, {"Available_Timings": "00:00-23:59", "Members": RAHUL}, around=around) == []
