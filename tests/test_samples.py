"""The samples keep their word on any date: their reports are the expected ones, and what failed can be mended."""

from __future__ import annotations

import csv
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from anyio import to_thread
from make_samples import SAMPLES as FOLDER
from make_samples import WORKBOOKS
from mended_samples import MENDED, mend
from openpyxl import load_workbook
from run_samples import EXPECTED, PROJECT, SAMPLES, Sample, command, differences, environment, main

from bulkzcrm.cli.session import SANDBOX_FILE
from bulkzcrm.sandbox import Sandbox
from bulkzcrm.spec.operations import OPERATIONS

NOW = datetime(2030, 1, 7, 9, 30, tzinfo=UTC)


def by_file(samples: tuple[Sample, ...] | list[Sample]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("sample", samples, ids=lambda sample: sample.file)


@by_file(SAMPLES)
def test_each_sample_has_its_expected_report_and_exit_status(sample: Sample, tmp_path: Path) -> None:
    assert list(differences(sample, tmp_path / "the report", lambda: NOW)) == []


@by_file([sample for sample in SAMPLES if sample.file in MENDED])
def test_failed_rows_are_mended_and_given_back_by_the_printed_command(sample: Sample, tmp_path: Path) -> None:
    ended = command([*sample.words, "--output", str(tmp_path / "the report")], tmp_path / "home", lambda: NOW)
    failed = tmp_path / "the report" / "failed.csv"
    words = mending_words(ended.err)
    assert words[:4] == ["bulkzcrm", "run", sample.operation, str(failed)]

    mend(failed, MENDED[sample.file])
    again = command([*words[1:], "--output", str(tmp_path / "mended")], tmp_path / "home", lambda: NOW)

    assert again.exit_status == 0, (tmp_path / "mended" / "failed.csv").read_text(encoding="utf-8-sig")
    assert len(rows(tmp_path / "mended" / "results.csv")) == len(MENDED[sample.file])


def mending_words(said: str) -> list[str]:
    (line,) = [line for line in said.splitlines() if line.startswith("  bulkzcrm run ")]
    if os.name == "nt":
        return [word.strip('"') for word in shlex.split(line, posix=False)]
    return shlex.split(line)


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("sample", ["services.csv", "services-with-mistakes.csv"])
def test_a_sample_runs_as_a_command_on_the_date_of_today(sample: str, tmp_path: Path) -> None:
    """This is what the README asks people to type first: nothing is injected, not even a clock."""
    (chosen,) = [each for each in SAMPLES if each.file == sample]
    words = [sys.executable, "-m", "bulkzcrm", "run", "create-services", str(Path("samples") / sample), "--sandbox"]
    ended = subprocess.run(  # noqa: S603 - words of ours
        [*words, "--output", str(tmp_path / "report")],
        cwd=PROJECT,
        env=environment(tmp_path / "home"),
        capture_output=True,
        check=False,
    )
    assert ended.returncode == chosen.exit_status, ended.stderr.decode()
    assert (tmp_path / "report" / "results.csv").read_bytes() == (EXPECTED / sample).read_bytes()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_operation_has_a_sample_that_is_all_good_and_one_with_mistakes(operation: str) -> None:
    assert {sample.exit_status for sample in SAMPLES if sample.operation == operation} == {0, 1}


def test_every_file_in_the_folder_is_run_and_has_its_line_in_the_readme() -> None:
    files = {file.name for file in FOLDER.iterdir() if file.suffix in (".csv", ".xlsx")}
    assert files == {sample.file for sample in SAMPLES}
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert [name for name in sorted(files) if f"`{name}`" not in readme] == []


def test_each_mistake_in_a_sample_has_another_cause_than_the_rest() -> None:
    """Of a code and a field there may be several causes; of what is said to the user there is one for each."""
    for sample in SAMPLES:
        said = [row["result_message"] for row in rows(EXPECTED / f"{sample.file.removesuffix('.csv')}.csv")]
        complaints = [message for message in said if message]
        assert len(complaints) == len(set(complaints)), sample.file


@pytest.mark.parametrize("name", WORKBOOKS)
def test_a_workbook_is_what_its_script_makes(name: str, tmp_path: Path) -> None:
    WORKBOOKS[name]().save(tmp_path / name)
    assert cells(FOLDER / name) == cells(tmp_path / name), "python -m tests.make_samples brings them up to date"


def cells(file: Path) -> dict[str, list[list[tuple[object, str]]]]:
    return {
        sheet.title: [[(cell.value, cell.number_format) for cell in row] for row in sheet.iter_rows()]
        for sheet in load_workbook(file).worksheets
    }


async def test_the_workbook_of_services_makes_the_same_services_as_the_csv_file(tmp_path: Path) -> None:
    assert await made(tmp_path / "csv", "services.csv") == await made(tmp_path / "xlsx", "services.xlsx")


async def made(folder: Path, source: str) -> list[object]:
    """Return all services of the sandbox in which a sample was run, in words that do not tell the time."""
    (sample,) = [each for each in SAMPLES if each.file == source]
    await to_thread.run_sync(command, [*sample.words, "--output", str(folder)], folder.parent / "home", lambda: NOW)
    async with Sandbox(folder / SANDBOX_FILE) as sandbox:
        return [without_times(service) for service in sandbox.services()]


def without_times(service: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in service.items() if name not in ("Created_Time", "Modified_Time")}


def test_the_runner_of_all_samples_tells_a_report_that_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = tmp_path / "expected"
    changed.mkdir()
    content = (EXPECTED / "service-preferences.csv").read_bytes().replace(b"succeeded", b"unchanged")
    (changed / "service-preferences.csv").write_bytes(content)
    monkeypatch.setattr("run_samples.EXPECTED", changed)
    monkeypatch.setattr("run_samples.SAMPLES", [each for each in SAMPLES if each.file == "service-preferences.csv"])
    monkeypatch.setattr("run_samples.JOBS", ())

    assert main(["--years-ahead", "5"]) == 1
    assert "DIFFERS service-preferences.csv" in capsys.readouterr().out
