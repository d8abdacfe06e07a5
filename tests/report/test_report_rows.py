from report_samples import DONE, NO_MEMBERS, TOO_LONG, columns_named, rejected, row_of

from bulkzcrm.model import Outcome, Status
from bulkzcrm.report import RESULT_COLUMNS, result_values
from bulkzcrm.report.rows import cells_in


def told(outcome, **more):
    return dict(zip(RESULT_COLUMNS, result_values(row_of("x", number=37, outcome=outcome, **more)), strict=True))


def test_the_ten_columns_are_those_of_the_contract():
    assert ",".join(RESULT_COLUMNS) == (
        "result_row,result_status,result_code,result_field,result_cell,"
        "result_message,result_fix,result_record_id,result_batch,result_attempts"
    )


def test_a_row_that_succeeded_shows_the_code_of_the_api_and_its_record():
    assert told(DONE) == {
        "result_row": "37",
        "result_status": "succeeded",
        "result_code": "SUCCESS",
        "result_field": "",
        "result_cell": "",
        "result_message": "",
        "result_fix": "",
        "result_record_id": "5545974000000393001",
        "result_batch": "3",
        "result_attempts": "1",
    }


def test_a_row_that_was_never_sent_has_no_batch_and_zero_attempts():
    values = told(Outcome(status=Status.UNSENT))
    assert (values["result_status"], values["result_batch"], values["result_attempts"]) == ("unsent", "", "0")
    assert values["result_code"] == ""


def test_a_single_problem_is_told_plainly():
    values = told(rejected(TOO_LONG))
    assert values["result_code"] == "INVALID_DATA"
    assert values["result_field"] == "Duration"
    assert values["result_cell"] == "F37"
    assert values["result_message"] == TOO_LONG.message
    assert values["result_fix"] == TOO_LONG.remedy


def test_several_problems_are_numbered_alike_in_message_and_fix_and_name_their_cells():
    values = told(rejected(TOO_LONG, NO_MEMBERS))
    assert values["result_message"] == f"(1) F37: {TOO_LONG.message} (2) {NO_MEMBERS.message}"
    assert values["result_fix"] == f"(1) F37: {TOO_LONG.remedy} (2) {NO_MEMBERS.remedy}"


def test_of_several_problems_the_first_gives_code_field_and_cell():
    values = told(rejected(NO_MEMBERS, TOO_LONG))
    assert (values["result_code"], values["result_field"], values["result_cell"]) == (
        "MANDATORY_NOT_FOUND",
        "Members",
        "",
    )


def test_cells_beyond_the_last_column_are_told_in_the_message():
    assert told(rejected(TOO_LONG), surplus=("left over", 7))["result_message"] == (
        f'{TOO_LONG.message} Beyond the last column the row holds: "left over", "7".'
    )


def test_surplus_cells_are_told_even_where_nothing_else_is_said():
    assert told(DONE, surplus=("x",))["result_message"] == 'Beyond the last column the row holds: "x".'


def test_surplus_cells_without_measure_are_told_as_far_as_a_report_can_be_read_back():
    message = told(DONE, surplus=("x" * 32_000,) * 40)["result_message"]
    assert len(message) < 1_000_000
    assert message.count('"') == 30
    assert message.endswith(" and 25 more cells.")


def test_a_column_that_is_left_out_takes_its_cells_with_it():
    name, _, price = columns_named("Service_Name", "result_row", "Price")
    assert cells_in((name, price))(row_of("Wash", "37", "9.50").cells) == ["Wash", "9.50"]


def test_cells_that_match_the_reported_columns_are_taken_as_they_are():
    name, _, price = columns_named("Service_Name", "result_row", "Price")
    assert tuple(cells_in((name, price))(row_of("Wash", "9.50").cells)) == ("Wash", "9.50")
