import csv
import errno
import gc
import json
import subprocess
import sys
import tracemalloc
from itertools import islice
from pathlib import Path

import openpyxl
import pytest
from report_pages import paged
from report_samples import DONE, TOO_LONG, columns_named, rejected, row_of, write_reports, write_whole

from bulkzcrm.errors import OutputError, UsageError
from bulkzcrm.report import RESULT_COLUMNS, State, Summary, prepared_report, write_csv

COLUMNS = columns_named("Service_Name", "Price")


def rows():
    yield row_of("Wash", "9.50", number=2, outcome=DONE)
    yield row_of("Dry", "x", number=5, outcome=rejected(TOO_LONG))


def read(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file, strict=True))


def test_results_and_failed_are_always_written_and_hold_their_rows_in_order(tmp_path):
    written = write_reports(tmp_path / "a run", COLUMNS, rows, formats=())
    assert written.files == {"results": tmp_path / "a run/results.csv", "failed": tmp_path / "a run/failed.csv"}
    assert written.notes == ()
    assert [line[0] for line in read(written.files["results"])] == ["Service_Name", "Wash", "Dry"]
    assert [line[:3] for line in read(written.files["failed"])] == [
        ["Service_Name", "Price", "result_row"],
        ["Dry", "x", "5"],
    ]


def test_without_failed_rows_an_older_failed_file_does_not_stay(tmp_path):
    write_reports(tmp_path, COLUMNS, rows)
    write_reports(tmp_path, COLUMNS, lambda: islice(rows(), 1))
    assert read(tmp_path / "failed.csv") == [["Service_Name", "Price", *RESULT_COLUMNS]]


def test_further_formats_hold_the_same_rows(tmp_path):
    written = write_reports(tmp_path, COLUMNS, rows, formats=("csv", "xlsx", "jsonl"), sheet="Prices")
    assert list(written.files) == ["results", "failed", "results_xlsx", "results_jsonl"]
    assert all(path.is_absolute() for path in written.files.values())
    book = openpyxl.load_workbook(written.files["results_xlsx"])
    assert book.sheetnames == ["Prices"]
    assert [line[0] for line in book["Prices"].iter_rows(values_only=True)] == ["Service_Name", "Wash", "Dry"]
    lines = written.files["results_jsonl"].read_text("utf-8").splitlines()
    assert [json.loads(line)["row"] for line in lines] == [2, 5]


def test_an_unknown_format_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(UsageError, match="'pdf'"):
        write_reports(tmp_path / "run", COLUMNS, rows, formats=("xlsx", "pdf"))
    assert not (tmp_path / "run").exists()


def test_a_file_that_is_open_elsewhere_is_written_beside_with_a_note(tmp_path):
    def replace(aside: Path, target: Path) -> None:
        if target.name == "failed.csv":
            raise PermissionError(errno.EACCES, "in use")
        aside.replace(target)

    written = write_reports(tmp_path, COLUMNS, rows, replace=replace)
    assert written.files["failed"] == tmp_path / "failed (2).csv"
    assert len(written.notes) == 1
    assert "failed.csv" in written.notes[0]


def test_what_a_workbook_cannot_hold_is_a_note_and_the_csv_has_it(tmp_path):
    def long_rows():
        yield row_of("a" * 40_000, "1")

    written = write_reports(tmp_path, COLUMNS, long_rows, formats=("xlsx",))
    assert "cut" in written.notes[0]
    assert len(read(written.files["results"])[1][0]) == 40_000


def test_when_the_rows_break_off_the_older_report_stays(tmp_path):
    write_reports(tmp_path, COLUMNS, rows, formats=("xlsx",))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def broken():
        yield from rows()
        raise KeyError

    with pytest.raises(KeyError):
        write_reports(tmp_path, COLUMNS, broken, formats=("xlsx",))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_a_full_disk_is_told_in_plain_words(tmp_path):
    def on_a_full_disk(stream):
        with Path("/dev/full").open("wb") as full:
            write_csv(full, COLUMNS, paged(rows()))

    with pytest.raises(OutputError, match="the disk is full"):
        write_whole(tmp_path, "results.csv", on_a_full_disk)
    assert list(tmp_path.iterdir()) == []


def peak_of_writing(folder: Path, count: int, formats) -> int:
    def many():
        return (row_of(f"Wash {number}", "9.50", number=number) for number in range(2, count + 2))

    gc.collect()
    tracemalloc.start()
    try:
        write_reports(folder, COLUMNS, many, formats=formats)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("formats", "few", "many"), [((), 1_500, 10_000), (("jsonl",), 1_500, 6_000), (("xlsx",), 1_500, 4_500)]
)
def test_memory_does_not_grow_with_the_number_of_rows(tmp_path, formats, few, many):
    peak_of_writing(tmp_path, few, formats)
    assert peak_of_writing(tmp_path, many, formats) < peak_of_writing(tmp_path, few, formats) + 100_000


def test_loading_the_package_loads_neither_openpyxl_nor_pandas():
    check = "import sys, bulkzcrm.report; sys.exit(bool({'openpyxl', 'pandas'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0  # noqa: S603 - our own words


def told(**changes: object) -> Summary:
    facts = {"run": "a run", "operation": "create-services", "organisation": None, "state": State.FINISHED}
    return Summary(**(facts | changes))


def test_nothing_stands_in_its_place_before_all_is_written_and_what_is_not_put_there_is_gone(tmp_path):
    write_reports(tmp_path, COLUMNS, rows)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with prepared_report(tmp_path, COLUMNS, lambda: paged(()), formats=("xlsx",)) as prepared:
        prepared.summarise(told())
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.name[0] != "."} == before
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("held", [(), ("results.csv",), ("results.csv", "summary.json")])
def test_the_summary_is_put_in_place_last_and_names_the_files_as_they_are_called(tmp_path, held):
    order = []

    def replace(aside: Path, target: Path) -> None:
        if target.name in held:
            raise PermissionError(errno.EACCES, "in use")
        order.append(target.name)
        aside.replace(target)

    with prepared_report(tmp_path, COLUMNS, lambda: paged(rows())) as prepared:
        prepared.summarise(told(files={"log": tmp_path / "run.log"}), failed_name="failed (2).csv")
        written = prepared.put_in_place(failed_name="failed (3).csv", replace=replace)
    assert order[-1].startswith("summary")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in written.files.values())
    assert written.files["failed"].name == "failed (3).csv"
    named = json.loads(written.files["summary"].read_bytes())["files"]
    assert named == {key: str(path) for key, path in written.files.items()} | {"log": str(tmp_path / "run.log")}
