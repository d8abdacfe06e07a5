"""A job that is killed, wherever that is, is finished by `resume`; one that was not begun is not half begun."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import anyio
import pytest
from anyio import to_thread
from anyio.abc import Process
from job_desk import BEFORE, MIGRATED, MIGRATION, NEW_SERVICES, standing, standing_in, states_of_steps, typed
from run_samples import environment

from bulkzcrm.journal import Journal
from bulkzcrm.sandbox import Fault, Faults, Sandbox


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home of the tool"


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as running:
        yield running


def killed(home: Path, out: Path, writes: int, kind: str) -> int:
    """Run the migration in a sandbox of its own and die when that request comes in; return the exit status."""
    driver = Path(__file__).parent / "killed_job.py"
    words = [str(writes), kind, "run", "--job", str(MIGRATION), "--sandbox", "--output", str(out)]
    ended = subprocess.run(  # noqa: S603 - words of ours
        [sys.executable, str(driver), *words], env=environment(home), capture_output=True, check=False, cwd=out.parent
    )
    return ended.returncode


@pytest.mark.parametrize(
    ("writes", "kind"),
    [(0, "read"), (0, "write"), (1, "write"), (2, "read"), (3, "read"), (5, "write")],
    ids=["reading for step 1", "step 1", "step 2", "reading for step 3", "after step 3", "midway in step 4"],
)
async def test_a_job_in_a_sandbox_that_is_killed_in_a_step_is_finished_by_resume(
    writes: int, kind: str, tmp_path: Path, home: Path
) -> None:
    out = tmp_path / "the report"
    assert await to_thread.run_sync(killed, home, out, writes, kind) not in (0, 1, 2, 3)
    assert await standing_in(out) != MIGRATED

    ended = await typed(home, "resume", "--json")

    assert ended.exit_status == 0, ended.err
    assert {state for _, state in states_of_steps(ended)} == {"finished"}
    assert await standing_in(out) == MIGRATED


class Killing(Faults):
    """Kills a process when a certain write (0: the first read) comes in; the connection is then cut.

    The fault says whether the write is made.
    """

    def __init__(self, write: int, fault: Fault) -> None:
        super().__init__()
        self.process: Process | None = None
        self._at_write = write > 0
        self._left = write
        self._fault = fault

    def next_fault(self, *, is_write: bool) -> Fault | None:
        self._left -= is_write
        if self._left or is_write is not self._at_write or self.process is None:
            return None
        self.process.kill()
        return self._fault


async def killed_at_write(sandbox: Sandbox, home: Path, write: int, fault: Fault) -> None:
    faults = Killing(write, fault)
    sandbox.set_faults(faults)
    words = ["run", "--job", str(MIGRATION), "--yes", "--output", str(home.parent / "the report")]
    settings = environment(home, sandbox.environment())
    async with await anyio.open_process(
        [sys.executable, "-m", "bulkzcrm", *words], env=settings, stdin=subprocess.DEVNULL
    ) as process:
        faults.process = process
        assert await process.wait() not in (0, 1, 2, 3)
    sandbox.set_faults(Faults())


def listed(told: Mapping[str, list[Mapping[str, str]]]) -> list[str]:
    """Return the runs that are not finished, in the order of their steps."""
    return sorted(run["run"] for run in told["runs"] if run["state"] != "finished")


@pytest.mark.parametrize(
    ("write", "fault"), [(1, Fault.CUT_AFTER), (2, Fault.CUT_AFTER), (2, Fault.CUT_BEFORE), (5, Fault.CUT_AFTER)]
)
async def test_a_killed_job_whose_last_answer_was_lost_is_finished_by_the_listed_run(
    write: int, fault: Fault, sandbox: Sandbox, home: Path
) -> None:
    await killed_at_write(sandbox, home, write, fault)
    first, *_ = listed(json.loads((await typed(home, "runs", "--json")).out))

    ended = await typed(home, "resume", first, "--yes", sandbox=sandbox)

    assert ended.exit_status == 0, ended.err
    assert standing(sandbox) == MIGRATED


async def test_a_job_that_was_begun_with_consent_is_resumed_without_a_question(sandbox: Sandbox, home: Path) -> None:
    await killed_at_write(sandbox, home, 0, Fault.CUT_BEFORE)
    assert standing(sandbox) == BEFORE

    ended = await typed(home, "resume", "--max-wait", 7, sandbox=sandbox)

    assert ended.exit_status == 0, ended.err
    assert standing(sandbox) == MIGRATED
    with Journal.open(home) as journal:
        assert [run.options["max_wait"] for run in journal.runs()] == ["7.0"] * 4


@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE, Fault.CUT_AFTER])
async def test_a_job_that_is_killed_while_services_are_created_never_creates_one_twice(
    fault: Fault, sandbox: Sandbox, home: Path
) -> None:
    await killed_at_write(sandbox, home, 3, fault)
    ended = await typed(home, "resume", "--yes", "--json", "--quiet-period", 0, sandbox=sandbox)
    assert (ended.exit_status, json.loads(ended.out)["steps"][2]["succeeded"]) == (0, len(NEW_SERVICES)), ended.err
    assert standing(sandbox)["new services"] == NEW_SERVICES


@pytest.mark.parametrize(("sources", "kind"), [(2, "source"), (3, "taken"), (4, "taken")])
async def test_a_job_that_is_killed_while_it_reads_its_sources_leaves_nothing_to_resume(
    sources: int, kind: str, tmp_path: Path, home: Path
) -> None:
    """Its first steps are in the journal by then, its last ones are not."""
    out = tmp_path / "the report"
    assert await to_thread.run_sync(killed, home, out, sources, kind) not in (0, 1, 2, 3)

    again = await typed(home, "resume")

    assert again.exit_status == 2
    assert "There is no run that can be resumed" in again.err
    assert await standing_in(out) == BEFORE
    anew = await typed(home, "run", "--job", MIGRATION, "--sandbox", "-o", tmp_path / "anew")
    assert anew.exit_status == 0, anew.err
