from decimal import Decimal

from report_samples import DONE, TOO_LONG, columns_named, rejected, row_of

from bulkzcrm.model import CellError, Outcome, Status
from bulkzcrm.report import RESULT_COLUMNS, as_frame


def test_ids_stay_texts_money_stays_exact_and_blank_stays_none():
    cells = ("007", Decimal("9999999999999999.99"), None, CellError("#N/A"))
    frame = as_frame(columns_named("id", "Price", "Note", "Other"), [row_of(*cells)])
    assert frame.iloc[0, :4].tolist() == ["007", Decimal("9999999999999999.99"), None, "#N/A"]


def test_the_ten_results_follow_the_columns_and_their_numbers_are_integers():
    rows = [row_of("x", outcome=DONE), row_of("y", number=3, outcome=Outcome(status=Status.UNSENT))]
    frame = as_frame(columns_named("A"), rows)
    assert list(frame.columns) == ["A", *RESULT_COLUMNS]
    assert frame["result_row"].tolist() == [2, 3]
    assert frame["result_attempts"].tolist() == [1, 0]
    assert frame["result_batch"].isna().tolist() == [False, True]
    assert frame["result_record_id"].tolist() == ["5545974000000393001", ""]


def test_a_header_that_repeats_even_one_of_ours_is_kept():
    frame = as_frame(columns_named("A", "A", "result_row"), [row_of("x", "y", "z", outcome=rejected(TOO_LONG))])
    assert list(frame.columns)[:4] == ["A", "A", "result_row", "result_row"]
    assert frame.iloc[0, :4].tolist() == ["x", "y", "z", 2]


def test_a_report_without_rows_is_a_frame_with_columns():
    frame = as_frame(columns_named("A"), [])
    assert list(frame.columns) == ["A", *RESULT_COLUMNS]
    assert len(frame) == 0
