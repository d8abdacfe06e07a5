"""The program that checks any folder tells tables and refusals apart from faults."""

from __future__ import annotations

import shutil
from pathlib import Path

import any_folder
import pytest
from awkward_case import NAMES, service
from office_made import FILES


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "theirs"
    (folder / "deeper").mkdir(parents=True)
    return folder


def test_a_folder_of_readable_and_other_files_has_no_fault(folder: Path, capsys):
    shutil.copy(FILES / "services.xls", folder)
    row = ",".join(map(str, service()))
    (folder / "deeper" / "a.csv").write_text(f"{','.join(NAMES)}\n{row}\n", encoding="utf-8")
    (folder / "deeper" / "picture.csv").write_bytes(b"\x89PNG\r\n\x1a\n")
    (folder / "program.exe").write_bytes(b"MZ")
    assert any_folder.main([str(folder), "--jobs", "2"]) == 0
    said = capsys.readouterr().out
    assert "services.xls: 4 rows, 2 valid" in said
    assert "a.csv: 1 rows, 1 valid" in said
    assert "picture.csv" in said
    assert "3 files: 2 checked, 1 refused" in said


def test_tables_of_other_columns_are_judged_by_the_first_fields(folder: Path, capsys):
    (folder / "a.csv").write_text("Name,Minutes\nA,60\nB,5\n", encoding="utf-8")
    assert any_folder.main([str(folder), "--first-fields"]) == 0
    assert "2 rows, 1 valid" in capsys.readouterr().out


def test_what_takes_too_long_is_a_fault(folder: Path, capsys):
    (folder / "a.csv").write_text("a\n1\n", encoding="utf-8")
    assert any_folder.main([str(folder), "--seconds", "0.01"]) == 1
    assert "hung" in capsys.readouterr().out


def test_an_empty_folder_proves_nothing(folder: Path):
    assert any_folder.main([str(folder)]) == 1
