"""The LibreOffice of this machine writes files that get the same verdicts as those that are kept here."""

from __future__ import annotations

from pathlib import Path

import pytest
from awkward_case import assert_as_expected
from awkward_office import AGAIN, OFFICE_CASES, placed
from office_made import make, office_program

pytestmark = [
    pytest.mark.office,
    pytest.mark.timeout(600),
    pytest.mark.skipif(office_program() is None, reason="LibreOffice (soffice) is not installed"),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    make(folder)
    return folder


@pytest.mark.parametrize("case", [*OFFICE_CASES, *AGAIN], ids=lambda case: f"{case.file} {case.options.header_row}")
def test_what_libreoffice_writes_now_gets_its_verdict(case, made: Path, tmp_path: Path):
    assert_as_expected(placed(made, case), tmp_path)
