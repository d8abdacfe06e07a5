"""Whose folder it is: no run, and no check, puts its report in the place of another one's, whoever came first."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from desk import NOW, Desk, desk_at, services
from test_reports_at_once import RUN, Other, other

from bulkzcrm.errors import UsageError
from bulkzcrm.journal import Journal, NewRun
from bulkzcrm.model import Table
from bulkzcrm.report import State, Summary
from bulkzcrm.run.checking import check
from bulkzcrm.run.folders import FolderTakenError
from bulkzcrm.run.lease import LEASE_MS
from bulkzcrm.run.options import RunOptions
from bulkzcrm.run.origin import Origin
from bulkzcrm.run.reporting import project
from bulkzcrm.run.sources import origin_of
from bulkzcrm.spec.operations import OPERATIONS

__all__ = ["other"]

MENDED = "two hours of corrections"


class Shared(Desk):
    """A desk all of whose runs are given one folder."""

    @property
    def output(self) -> Path:
        return self.folder / "out"


@pytest.fixture
def one_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Desk, "output", Shared.output)


def give_up(desk: Desk, run: str) -> None:
    """Let a run be nobody's, as when its process was killed."""
    with Journal.open(desk.home) as journal:
        journal.release(run, journal.run(run).epoch)


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.usefixtures("one_folder")
async def test_a_run_is_refused_a_folder_in_which_another_one_will_write_its_report(tmp_path: Path):
    async with desk_at(tmp_path) as desk:
        first = await desk.begin("create-services", services(1))
        begun = len(desk.events)
        with pytest.raises(UsageError, match=first) as refusal:
            await desk.begin("create-services", services(1, first=2))
        assert "--output" in refusal.value.cure
        # Not even a line in the log of the other one.
        assert len(desk.events) == begun
        with Journal.open(desk.home) as journal:
            assert [run.id for run in journal.runs()] == [first]
        desk.last = first
        assert (await desk.carry_on()).summary.state is State.FINISHED


@pytest.mark.usefixtures("one_folder")
async def test_a_folder_is_the_same_under_another_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async with desk_at(tmp_path) as desk:
        await desk.begin("create-services", services(1))
        (tmp_path / "link").symlink_to(desk.output, target_is_directory=True)
        monkeypatch.setattr(Desk, "output", property(lambda _: tmp_path / "link"))
        with pytest.raises(UsageError, match="Another run"):
            await desk.begin("create-services", services(1, first=2))


@pytest.mark.usefixtures("one_folder")
async def test_of_two_that_begin_at_one_moment_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The second has looked before the first was in the journal."""
    async with desk_at(tmp_path) as desk:
        first = "20300107-092959-abcdef"

        def late(*words: Any) -> Origin:
            return opened_after(origin_of(*words), lambda: begin_elsewhere(desk, first))

        monkeypatch.setattr("desk.origin_of", late)
        with pytest.raises(UsageError, match="Another run"):
            await desk.begin("create-services", services(1))
        with Journal.open(desk.home) as journal:
            assert [run.id for run in journal.runs()] == [first]


def opened_after(origin: Origin, work: Callable[[], object]) -> Origin:
    """Return a source at whose opening something else happens first."""

    def opened() -> AbstractContextManager[Table]:
        work()
        return origin.open()

    return replace(origin, open=opened)


def begin_elsewhere(desk: Desk, run: str) -> None:
    """Begin a run as another process does, as far as the journal tells."""
    facts = {"operation": "create-services", "api_domain": "", "source": "a", "source_sha256": ""}
    with Journal.open(desk.home) as journal:
        journal.add_run(NewRun(id=run, columns=(), header_row=1, output=str(desk.output), **facts))
        journal.claim(run, "elsewhere/1/ab", int(NOW.timestamp() * 1000), LEASE_MS)


@pytest.mark.usefixtures("one_folder")
async def test_a_folder_is_free_once_nobody_is_at_work_on_its_run_and_it_holds_no_report(tmp_path: Path):
    """A folder is not taken for ever by a run that was killed, or whose files were deleted."""
    async with desk_at(tmp_path) as desk:
        give_up(desk, await desk.begin("create-services", services(1)))
        ending = await desk.run("create-services", services(1, first=2))
        assert ending.summary.state is State.FINISHED


@pytest.mark.usefixtures("one_folder")
async def test_a_run_that_ends_later_leaves_the_report_of_another_one_alone(tmp_path: Path):
    async with desk_at(tmp_path) as desk:
        first = await desk.begin("create-services", services(1, Duration="7000"))
        give_up(desk, first)
        await desk.run("create-services", services(1, first=2))
        (desk.output / "failed.csv").write_text(MENDED)
        before = content(desk.output)
        desk.last = first
        ending = await desk.carry_on()
        assert content(desk.output) == before
        elsewhere = desk.output.with_name(f"out-{first}")
        assert ending.summary.state is State.STOPPED
        assert ending.report_again == f"bulkzcrm report {first} --output {elsewhere}"
        assert "another run" in str(ending.summary.stopped_because)
        with Journal.open(desk.home) as journal:
            project(journal, journal.run(first), elsewhere, resume=None)
        assert json.loads((elsewhere / "summary.json").read_bytes())["run"] == first


async def test_a_check_leaves_the_report_alone_that_a_run_puts_there_meanwhile(tmp_path: Path):
    async with desk_at(tmp_path) as desk:
        await desk.run("create-services", services(1))
        report, folder = desk.output, tmp_path / "out"
        before = content(report)
        origin = opened_after(
            origin_of(str(tmp_path / "source 1.csv"), RunOptions()),
            lambda: shutil.copytree(report, folder, dirs_exist_ok=True),
        )
        with pytest.raises(FolderTakenError):
            await check(origin, OPERATIONS["create-services"], RunOptions(), desk.around(), folder=folder)
        assert content(folder) == before


def test_a_run_leaves_the_report_of_a_check_alone(other: Other):
    other.output.mkdir()
    told = Summary(run=None, operation="", organisation=None, state=State.FINISHED, not_checked=())
    (other.output / "summary.json").write_text(told.to_json())
    with pytest.raises(FolderTakenError):
        other.report()
    assert [path.name for path in other.output.iterdir()] == ["summary.json"]


def test_a_folder_that_is_taken_is_told_of_whatever_the_way():
    error = FolderTakenError(Path("/reports/out"), RUN)
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - made a moment ago
    assert (str(again), again.elsewhere) == (str(error), Path(f"/reports/out-{RUN}"))
