"""Files as other programs and people really write them get the verdicts that they should."""

from __future__ import annotations

from pathlib import Path

import awkward_books
import awkward_by_hand
import awkward_csv
import pytest
from awkward_case import Awkward, assert_as_expected
from awkward_office import AGAIN, OFFICE_CASES, SHEETJS_CASES

CASES = [*awkward_csv.CASES, *awkward_books.CASES, *awkward_by_hand.CASES, *OFFICE_CASES, *SHEETJS_CASES]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.file)
def test_an_awkward_file_gets_its_verdict(case: Awkward, tmp_path: Path):
    assert_as_expected(case, tmp_path)


@pytest.mark.parametrize("case", AGAIN, ids=lambda case: f"{case.file} {case.options.arguments(of_the_source=True)}")
def test_an_awkward_file_can_be_read_as_a_person_says(case: Awkward, tmp_path: Path):
    assert_as_expected(case, tmp_path)


def test_there_are_enough_of_them_and_each_once():
    assert len({case.file for case in CASES}) == len(CASES) >= 60
