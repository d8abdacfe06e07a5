"""The guards of what is given back: a report as a source, and the user's own workbook with the outcomes in it."""

from __future__ import annotations

import pytest
from guards import Guard

from bulkzcrm.journal import Run
from bulkzcrm.report.annotated import comments, rows, writing
from bulkzcrm.report.annotated.rows import Rows
from bulkzcrm.run import book, given_back, phase
from bulkzcrm.run.failed_file import FailedFile

BACK = "annotated/test_given_back.py::"
AGAIN = "annotated/test_annotated_again.py::"
ODD = "annotated/test_annotated_odd_sheets.py::"
KEPT = "annotated/test_annotated_kept.py::"


def _take_what_is_done(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(given_back, "_DONE", frozenset())


def _take_what_resume_settles(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(given_back, "_OF_RESUME", frozenset())


def _take_what_was_repeated(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(given_back, "_is_repeated", lambda *_row: False)


def _copy_whatever_is_there(patch: pytest.MonkeyPatch) -> None:
    class Digest:
        def __init__(self, known: str) -> None:
            self.hexdigest = lambda: known

    opened = writing.opened

    def blindly(own: writing.OwnWorkbook) -> object:
        patch.setattr(writing.hashlib, "file_digest", lambda *_file: Digest(own.sha256))
        return opened(own)

    patch.setattr("bulkzcrm.report.workbook_file.opened", blindly)


def _write_over_others_comments(patch: pytest.MonkeyPatch) -> None:
    init = comments.Comments.__init__

    def forgetful(of: comments.Comments, existing: object) -> None:
        init(of, existing)
        of._others.clear()

    patch.setattr(comments.Comments, "__init__", forgetful)


def _leave_old_comments(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(comments.Comments, "begin_row", lambda *_row: None)


def _leave_hints_that_lie(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rows, "without_attribute", lambda tag, _name: tag)


def _mark_what_is_covered(patch: pytest.MonkeyPatch) -> None:
    found = rows.problems_by_cell
    patch.setattr(rows, "problems_by_cell", lambda problems, row, _merged: found(problems, row, {}))


def _overwrite_formulas(patch: pytest.MonkeyPatch) -> None:
    put = Rows._put_together

    def blindly(of: Rows, row: object, *named: object, **more: object) -> bytes:
        text = row._replace(cells=row.cells.replace(b"<f>", b"<x>").replace(b"</f>", b"</x>"))
        return put(of, text, *named, **more)

    patch.setattr(Rows, "_put_together", blindly)


def _give_back_as_often_as_you_like(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(phase, "refuse_given_back_again", lambda *_: None)


class _Careless(FailedFile):
    """Takes every workbook that stands there for its own."""

    def name(self, run: Run, *, briefly: bool = False) -> str:
        del run, briefly
        return "results.xlsx"


def _write_over_workbooks(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(book, "FailedFile", _Careless)


GUARDS = (
    Guard(
        name="a row that is done is not sent once more when its report is given back",
        remove=_take_what_is_done,
        noticed_by=(AGAIN + "test_only_mended_rows_are_sent_and_the_others_keep_what_they_had",),
    ),
    Guard(
        name="a row that only resume may settle is left to it",
        remove=_take_what_resume_settles,
        noticed_by=(BACK + "test_what_is_taken_goes_by_the_status",),
    ),
    Guard(
        name="a row that repeats one that was sent stays unsent when its report is given back",
        remove=_take_what_was_repeated,
        noticed_by=(BACK + "test_what_is_taken_goes_by_the_status",),
    ),
    Guard(
        name="outcomes are never put into a workbook that has changed since it was read",
        remove=_copy_whatever_is_there,
        noticed_by=(ODD + "test_a_workbook_that_has_changed_meanwhile_is_not_taken_for_the_one_that_was_read",),
    ),
    Guard(
        name="a comment of somebody else is never written over",
        remove=_write_over_others_comments,
        noticed_by=(KEPT + "test_comments_of_others_stay_and_so_does_what_they_say_of_a_cell_to_mend",),
    ),
    Guard(
        name="a comment of an earlier report goes when its cell is mended",
        remove=_leave_old_comments,
        noticed_by=(AGAIN + "test_results_are_put_in_place_of_the_old_ones_and_marks_of_mended_cells_are_taken_away",),
    ),
    Guard(
        name="a row does not claim to end before its results",
        remove=_leave_hints_that_lie,
        noticed_by=(ODD + "test_hints_about_how_far_a_row_reaches_do_not_lie_afterwards",),
    ),
    Guard(
        name="no comment is put on a cell that is merged away",
        remove=_mark_what_is_covered,
        noticed_by=(
            "annotated/test_annotated_marks.py::test_of_merged_cells_the_first_is_marked_where_the_row_has_it",
        ),
    ),
    Guard(
        name="a formula in a result column is not overwritten",
        remove=_overwrite_formulas,
        noticed_by=(AGAIN + "test_formulas_in_the_result_columns_are_not_overwritten",),
    ),
    Guard(
        name="corrections in the workbook of a report are left alone",
        remove=_write_over_workbooks,
        noticed_by=(
            "annotated/test_workbook_corrections.py::test_corrections_stay_and_the_new_workbook_stands_beside_them",
        ),
    ),
    Guard(
        name="the rows of one report are not sent twice",
        remove=_give_back_as_often_as_you_like,
        noticed_by=(AGAIN + "test_a_workbook_that_is_mended_and_given_back_bit_by_bit_makes_nothing_twice",),
    ),
)
