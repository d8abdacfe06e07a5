import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_samples import write_summary

from bulkzcrm.errors import OutputError, StoppedError
from bulkzcrm.model import Status
from bulkzcrm.report import State, Summary, holds_a_report

KEYS = [
    "run",
    "operation",
    "organisation",
    "state",
    "stopped_because",
    "rows",
    "succeeded",
    "unchanged",
    "invalid",
    "rejected",
    "unknown",
    "unsent",
    "batches",
    "requests",
    "credits_estimated",
    "seconds",
    "resume",
    "files",
    "causes",
]


def summary(**changes) -> Summary:
    given_values = {
        "run": "20990102-030405-ab",
        "operation": "create-services",
        "organisation": "Wäscherei",
        "state": State.FINISHED,
        "rows": 5,
        "counts": {Status.SUCCEEDED: 3, Status.INVALID: 2},
        "batches": 1,
        "requests": 2,
        "credits_estimated": 3,
        "seconds": 1.23456,
    }
    return Summary(**(given_values | changes))


def test_the_keys_stand_in_the_documented_order():
    content = json.loads(summary().to_json())
    assert list(content) == KEYS
    assert content["seconds"] == 1.235
    assert content["organisation"] == "Wäscherei"
    assert content["resume"] is None
    assert content["files"] == {}


def test_on_standard_output_it_is_one_line_of_ascii():
    assert summary().to_json().isascii()
    assert "\n" not in summary().to_json()


def test_check_adds_valid_after_the_counts_and_not_checked_at_the_end():
    checked = summary(
        run=None, counts={Status.VALID: 4, Status.INVALID: 1}, not_checked=("Members are not looked up.",)
    )
    content = json.loads(checked.to_json())
    assert list(content) == [*KEYS[:12], "valid", *KEYS[12:], "not_checked"]
    assert (content["rows"], content["valid"], content["invalid"]) == (5, 4, 1)
    assert content["not_checked"] == ["Members are not looked up."]
    assert content["run"] is None


@given(st.lists(st.integers(0, 10**6), min_size=6, max_size=6))
def test_rows_are_always_the_sum_of_the_six_counts(numbers):
    six = ("succeeded", "unchanged", "invalid", "rejected", "unknown", "unsent")
    counts = {Status(name): number for name, number in zip(six, numbers, strict=True)}
    content = json.loads(summary(state=State.STOPPED, rows=sum(numbers), counts=counts).to_json())
    assert content["rows"] == sum(content[name] for name in six)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"rows": 6}, "6 rows were read, but 5 are accounted for"),
        ({"rows": 5, "counts": {Status.SUCCEEDED: 4, Status.VALID: 1}}, "1 valid rows have no outcome"),
        ({"rows": 5, "counts": {Status.SUCCEEDED: 4, Status.UNSENT: 1}}, "1 rows have not been sent"),
    ],
)
def test_a_run_with_rows_that_are_not_accounted_for_is_never_called_finished(changes, reason):
    with pytest.raises(StoppedError, match=reason):
        summary(**changes)


def test_what_was_refused_has_no_run_and_no_rows_and_says_why():
    content = json.loads(Summary.refused(operation="create-services", stopped_because="No such file.").to_json())
    assert list(content) == KEYS
    assert content["state"] == "refused"
    assert content["stopped_because"] == "No such file."
    assert content["run"] is None
    assert [content[key] for key in KEYS[5:15]] == [0] * 10


def test_a_check_that_was_refused_has_the_keys_of_a_check():
    refused = Summary.refused(operation="create-services", stopped_because="No such file.", check=True)
    content = json.loads(refused.to_json())
    assert content["valid"] == 0
    assert content["not_checked"] == []


def test_the_file_names_itself_and_all_paths_are_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = write_summary(Path("my runs"), summary(files={"results": Path("my runs/results.csv")}))
    assert path == tmp_path / "my runs" / "summary.json"
    assert json.loads(path.read_bytes())["files"] == {
        "results": str(tmp_path / "my runs" / "results.csv"),
        "summary": str(path),
    }


def test_a_summary_that_had_to_go_beside_names_itself_by_its_new_name(tmp_path):
    def replace(aside: Path, target: Path) -> None:
        if target.name == "summary.json":
            raise PermissionError(13, "in use")
        aside.replace(target)

    path = write_summary(tmp_path, summary(), replace=replace)
    assert path.name == "summary (2).json"
    assert [file.name for file in tmp_path.iterdir()] == ["summary (2).json"]
    assert json.loads(path.read_bytes())["files"]["summary"] == str(path)


def test_a_file_where_the_folder_should_be_is_told_with_a_cure(tmp_path):
    (tmp_path / "runs").write_text("x")
    with pytest.raises(OutputError, match="is a file and not a folder"):
        write_summary(tmp_path / "runs" / "one", summary())


def test_with_files_adds_and_replaces():
    first = summary(files={"log": Path("/a")})
    assert first.with_files({"log": Path("/b"), "results": Path("/c")}).files == {
        "log": Path("/b"),
        "results": Path("/c"),
    }
    assert first.files == {"log": Path("/a")}


def test_a_folder_without_report_files_holds_no_report(tmp_path):
    assert not holds_a_report(tmp_path / "not there")
    (tmp_path / "notes.txt").write_text("x")
    assert not holds_a_report(tmp_path)


@pytest.mark.parametrize(
    "name", ["summary.json", "results.csv", "failed.csv", "results.xlsx", "results.jsonl", "results.html"]
)
def test_any_file_of_a_report_makes_a_folder_hold_one(tmp_path, name):
    (tmp_path / name).write_text("x")
    assert holds_a_report(tmp_path)
    assert holds_a_report(tmp_path, other_than="20990102-030405-ab")


def test_a_report_of_the_same_run_is_no_other_run_s_report(tmp_path):
    write_summary(tmp_path, summary())
    assert holds_a_report(tmp_path)
    assert holds_a_report(tmp_path, other_than="another")
    assert not holds_a_report(tmp_path, other_than="20990102-030405-ab")
