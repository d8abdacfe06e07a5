"""Jobs do their steps in order, as far as they succeed, and nothing at all when anything about them is wrong."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from job_desk import BEFORE, MIGRATED, MIGRATION, NOW, standing, standing_in, states_of_steps, typed
from run_samples import JOBS, PROJECT, JobFile, differences, environment

from bulkzcrm.sandbox import Sandbox


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home of the tool"


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as running:
        yield running


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """A copy of the migration, to be changed."""
    shutil.copytree(PROJECT / "jobs", tmp_path / "jobs")
    return tmp_path / "jobs" / "migration.toml"


def write_rows(file: Path, *lines: str) -> None:
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def changed(job: Path, old: str, new: str) -> Path:
    content = job.read_text(encoding="utf-8")
    assert old in content
    job.write_text(content.replace(old, new), encoding="utf-8")
    return job


@pytest.mark.parametrize("job_file", JOBS, ids=lambda job_file: job_file.file)
def test_each_job_has_its_expected_reports(job_file: JobFile, tmp_path: Path) -> None:
    assert list(differences(job_file, tmp_path / "the report", lambda: NOW)) == []


@pytest.mark.parametrize("job_file", JOBS, ids=lambda job_file: job_file.file)
def test_each_job_runs_as_a_command_from_any_folder(job_file: JobFile, tmp_path: Path, home: Path) -> None:
    ended = subprocess.run(  # noqa: S603 - words of ours
        [sys.executable, "-m", "bulkzcrm", *job_file.words, "--json"],
        cwd=tmp_path,
        env=environment(home),
        capture_output=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr.decode()
    told = json.loads(ended.stdout)
    assert [step["operation"] for step in told["steps"]] == list(job_file.operations)
    assert all(Path(step["files"]["results"]).is_relative_to(tmp_path / "bulkzcrm-runs") for step in told["steps"])


def test_every_job_file_is_run_and_has_its_line_in_the_readme() -> None:
    files = {file.name for file in (PROJECT / "jobs").glob("*.toml")}
    assert files == {job_file.file for job_file in JOBS}
    readme = (PROJECT / "jobs" / "README.md").read_text(encoding="utf-8")
    assert [name for name in sorted(files) if f"]({name})" not in readme] == []


async def test_the_migration_leaves_the_organisation_as_its_sources_say(sandbox: Sandbox, home: Path) -> None:
    assert standing(sandbox) == BEFORE
    ended = await typed(home, "run", "--job", MIGRATION, "--yes", "-o", home.parent / "out", sandbox=sandbox)
    assert ended.exit_status == 0, ended.err
    assert standing(sandbox) == MIGRATED


async def test_json_is_one_object_that_names_the_job_and_sums_up_its_steps(tmp_path: Path, home: Path) -> None:
    ended = await typed(home, "run", "--job", MIGRATION, "--sandbox", "--json", "-o", tmp_path / "out")
    told = json.loads(ended.out)
    assert list(told) == ["job", "state", "stopped_because", "resume", "steps"]
    assert {**told, "steps": None} == {
        "job": "migration",
        "state": "finished",
        "stopped_because": None,
        "resume": None,
        "steps": None,
    }
    for step in told["steps"]:
        assert step == json.loads(Path(step["files"]["summary"]).read_text(encoding="utf-8"))
    assert [step["rows"] for step in told["steps"]] == [1, 1, 5, 4]


async def test_a_step_with_failed_rows_ends_the_job_and_resume_goes_on_after_it(job: Path, home: Path) -> None:
    out = job.parent / "out"
    write_rows(job.parent / "migration" / "2-business-hours.csv", "type,week_starts_on", "custom,Monday")

    ended = await typed(home, "run", "--job", job, "--sandbox", "--json", "-o", out)

    assert ended.exit_status == 3
    assert [state for _, state in states_of_steps(ended)] == ["finished", "finished", "stopped", "stopped"]
    assert "Step 2 (update-business-hours) has rows that did not succeed" in json.loads(ended.out)["stopped_because"]
    assert await standing_in(out) == {**BEFORE, "job sheets": False}

    *_, last = ended.err.splitlines()
    assert last == json.loads(ended.out)["resume"]
    again = await typed(home, *last.split()[1:], "--json")

    assert again.exit_status == 1, again.err
    assert {state for _, state in states_of_steps(again)} == {"finished"}
    assert await standing_in(out) == {**MIGRATED, "hours": ["09:00", "19:00"]}


async def test_a_job_that_says_so_goes_on_after_failed_rows_and_ends_with_1(job: Path, home: Path) -> None:
    out = job.parent / "out"
    changed(job, '"stop"', '"continue"')
    write_rows(job.parent / "migration" / "2-business-hours.csv", "type,week_starts_on", "custom,Monday")

    ended = await typed(home, "run", "--job", job, "--sandbox", "--json", "-o", out)

    assert ended.exit_status == 1, ended.err
    assert {state for _, state in states_of_steps(ended)} == {"finished"}
    assert json.loads(ended.out)["resume"] is None
    assert await standing_in(out) == {**MIGRATED, "hours": ["09:00", "19:00"]}


async def test_the_end_of_a_job_says_how_the_failed_rows_of_its_steps_are_given_back(job: Path, home: Path) -> None:
    out = job.parent / "out"
    write_rows(job.parent / "migration" / "4-scoring-rules.csv", "Rule Name,Status", "Cold leads,active")
    ended = await typed(home, "run", "--job", job, "--sandbox", "-o", out)
    assert ended.exit_status == 1, ended.err
    failed = out / "4-set-scoring-rule-status" / "failed.csv"
    assert f"  bulkzcrm run set-scoring-rule-status {failed}" in ended.err.replace("'", "")


@pytest.mark.parametrize(
    "lines",
    [("Rule Name,Module", "Web visitors,Leads"), ("Rule Name,Rule Name,Status", "a,b,active"), ()],
    ids=["a column is missing", "two columns for one field", "no such file"],
)
async def test_a_bad_source_in_the_last_step_means_that_nothing_is_sent(
    lines: tuple[str, ...], job: Path, sandbox: Sandbox, home: Path
) -> None:
    source = job.parent / "migration" / "4-scoring-rules.csv"
    source.unlink()
    if lines:
        write_rows(source, *lines)

    ended = await typed(home, "run", "--job", job, "--yes", "--json", "-o", job.parent / "out", sandbox=sandbox)

    assert ended.exit_status == 2
    told = json.loads(ended.out)
    assert (told["state"], told["steps"], told["resume"]) == ("refused", [], None)
    assert [request for request in sandbox.requests if request.records] == []
    assert standing(sandbox) == BEFORE
    assert json.loads((await typed(home, "runs", "--json")).out) == {"runs": []}


async def test_a_job_that_nobody_can_be_asked_about_sends_nothing(sandbox: Sandbox, home: Path) -> None:
    ended = await typed(home, "run", "--job", MIGRATION, "-o", home.parent / "out", sandbox=sandbox)
    assert ended.exit_status == 2
    assert "--yes" in ended.err
    assert standing(sandbox) == BEFORE


async def test_a_job_may_say_yes_itself(job: Path, sandbox: Sandbox, home: Path) -> None:
    changed(job, 'name = "migration"', 'name = "migration"\nyes = true')
    ended = await typed(home, "run", "--job", job, "-o", home.parent / "out", sandbox=sandbox)
    assert ended.exit_status == 0, ended.err


async def test_an_option_of_a_step_beats_that_of_the_job_and_the_command_line_beats_both(job: Path, home: Path) -> None:
    """How many records go into a batch is told three times."""
    changed(job, 'on_failed_rows = "stop"', 'on_failed_rows = "stop"\nbatch_size = 1')
    changed(job, 'source = "migration/3-services.csv"', 'source = "migration/3-services.csv"\nbatch_size = 2')
    words = ("run", "--job", job, "--sandbox", "--json")
    by_job = await typed(home, *words, "-o", job.parent / "by the job")
    by_words = await typed(home, *words, "-o", job.parent / "by words", "--batch-size", 100)
    assert [json.loads(ended.out)["steps"][2]["batches"] for ended in (by_job, by_words)] == [3, 1]


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        ('operation = "create-services"', 'operation = "create-service"', "Did you mean create-services?"),
        ('on_failed_rows = "stop"', 'on_failed_rows = "go on"', "Write “stop” or “continue”."),
        ('on_failed_rows = "stop"', 'on_failed_row = "stop"', "Did you mean on_failed_rows?"),
        ('on_failed_rows = "stop"', 'format = "pdf"', "csv, xlsx, jsonl"),
        ('on_failed_rows = "stop"', 'max_errors = "many"', "Write 10, or 5%."),
        ('on_failed_rows = "stop"', "batch_size = 0", "batch_size"),
        ('on_failed_rows = "stop"', 'date_format = "dym"', "dmy"),
        ('on_failed_rows = "stop"', "output = 3", 'Write output = "…".'),
        ('source = "migration/1-preferences.csv"', "", "Add it to the step."),
        ('name = "migration"', "name = migration", "Mend that line."),
    ],
)
async def test_a_job_file_with_a_slip_is_refused_with_the_cure_before_anything_is_sent(
    old: str, new: str, hint: str, job: Path, sandbox: Sandbox, home: Path
) -> None:
    changed(job, old, new)
    ended = await typed(home, "run", "--job", job, "--yes", "-o", job.parent / "out", sandbox=sandbox)
    assert ended.exit_status == 2, ended.err
    assert hint in ended.err
    assert "Traceback" not in ended.err
    assert standing(sandbox) == BEFORE


async def test_a_step_that_is_refused_after_others_were_sent_stays_to_be_done(job: Path, home: Path) -> None:
    """Only the organisation tells that a column is a field of its own, and by then two steps are done."""
    out = job.parent / "out"
    source = job.parent / "migration" / "3-services.csv"
    header, *lines = source.read_text(encoding="utf-8").splitlines()
    write_rows(source, f"{header},Created Time", *lines)

    ended = await typed(home, "run", "--job", job, "--sandbox", "--json", "-o", out)

    assert ended.exit_status == 3, ended.err
    assert [state for _, state in states_of_steps(ended)] == ["finished", "finished", "stopped", "stopped"]
    assert "Created Time" in json.loads(ended.out)["stopped_because"]
    again = await typed(home, "resume", "--json")
    assert (again.exit_status, states_of_steps(again)) == (3, states_of_steps(ended))
    assert await standing_in(out) == {**BEFORE, "job sheets": False, "hours": ["10:00", "18:00"]}
