"""Full disks and I/O errors at every point: nothing is lost, the message says what to do, and resume ends the run."""

from __future__ import annotations

import csv
import errno
import json
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from desk import SERVICE, Desk, desk_at, services, write_csv
from disk_faults import Fault, FileDisk, JournalDisk, files_on, journal_on
from forwarder import Heard, until

from bulkzcrm.errors import OutputError, RefusedError
from bulkzcrm.journal import BatchState, Counters, Journal, NewRun, RunState
from bulkzcrm.model import Status
from bulkzcrm.report import State
from bulkzcrm.run.engine import begin, carry_on
from bulkzcrm.run.folders import ready_folder
from bulkzcrm.run.options import RunOptions
from bulkzcrm.run.reporting import Ending, project
from bulkzcrm.run.sources import origin_of
from bulkzcrm.spec.operations import OPERATIONS

TWO_BATCHES = RunOptions(batch_size=2, concurrency=1)
SIDE_BY_SIDE = RunOptions(batch_size=1, concurrency=3)
UPDATES = [{"id": SERVICE.format(at), "Duration": "35"} for at in range(1, 5)]
CREATES = services(4)


@dataclass
class Case:
    """One small run of four rows in two batches, on a disk that fails somewhere."""

    desk: Desk
    creates: bool
    formats: tuple[str, ...] = ("csv",)
    options: RunOptions = TWO_BATCHES

    @property
    def operation(self) -> str:
        return "create-services" if self.creates else "update-services"

    @property
    def rows(self) -> list[dict[str, str]]:
        return CREATES if self.creates else UPDATES

    async def begin(self, journal: Journal) -> None:
        """Take the rows in, as a new run."""
        self.desk.last = f"20300107-0930{len(list(self.desk.folder.glob('*.csv'))):02}-abcdef"
        source = write_csv(self.desk.folder / f"{self.desk.last}.csv", self.rows)
        await begin(
            journal,
            origin_of(str(source), self.options),
            OPERATIONS[self.operation],
            self.options,
            self.desk.around(),
            run=self.desk.last,
            folder=self.desk.output,
            formats=self.formats,
        )

    async def carry_on(self, journal: Journal) -> Ending:
        resume = f"bulkzcrm resume {self.desk.last}"
        return await carry_on(journal, self.desk.last, OPERATIONS[self.operation], self.desk.around(), resume=resume)

    async def try_on(self, disk: JournalDisk) -> Ending | None:
        """Do the whole run on a disk; None where not even the journal's state can be told in the end."""
        self.desk.home.mkdir(exist_ok=True)
        with journal_on(disk, self.desk.home) as journal:
            try:
                await self.begin(journal)
            except RefusedError as refusal:
                self.assert_nothing_sent(refusal)
                disk.mend()
                await self.begin(journal)
            try:
                return await self.carry_on(journal)
            except OutputError:
                if disk.fault is not Fault.DEAD:
                    raise
                return None

    def assert_nothing_sent(self, refusal: RefusedError) -> None:
        assert "Nothing was sent" in refusal.cure
        assert not self.desk.wire.heard

    async def end(self) -> Ending:
        """Resume on a disk that is well, as often as somebody would, until the run is over; or write its report."""
        for _ in range(3):
            with Journal.open(self.desk.home) as journal:
                run = journal.run(self.desk.last)
                if run.state is RunState.FINISHED:
                    ready_folder(self.desk.output, run.id, own=True)
                    return project(journal, run, self.desk.output, resume=None)
                ending = await self.carry_on(journal)
            if ending.summary.state is State.FINISHED:
                return ending
        return ending

    def assert_whole(self, ending: Ending) -> None:
        """Hold the report to the sandbox's store: every row once, and told as it is."""
        assert ending.summary.state is State.FINISHED, ending.summary.stopped_because
        assert ending.summary.counts[Status.SUCCEEDED] == ending.summary.rows == len(self.rows)
        assert self.desk.statuses == ["succeeded"] * len(self.rows)
        if self.creates:
            assert self.desk.each_once(self.rows)
            by_id = {str(each["id"]): each["Service_Name"] for each in self.desk.sandbox.services()}
            told = {row["result_record_id"]: row["Service_Name"] for row in self.desk.results}
            assert told == {each: by_id[each] for each in told}
        else:
            assert [self.desk.service(at)["Duration"] for at in range(1, 5)] == [35] * 4
        assert_only_whole_files(self.desk.output)


def assert_only_whole_files(folder: Path) -> None:
    assert not list(folder.glob(".*")), "half a file is left"
    if (folder / "summary.json").exists():
        json.loads((folder / "summary.json").read_bytes())
    if (folder / "results.jsonl").exists():
        assert len((folder / "results.jsonl").read_text(encoding="utf-8").splitlines()) == 4
    if (folder / "results.xlsx").exists():
        with zipfile.ZipFile(folder / "results.xlsx") as workbook:
            assert workbook.testzip() is None
    if (folder / "results.csv").exists():
        with (folder / "results.csv").open(encoding="utf-8-sig", newline="") as file:
            assert len(list(csv.DictReader(file))) == 4


def assert_told(ending: Ending, disk: JournalDisk, run: str) -> None:
    """Hold an ending on a failing disk to what a user must be told."""
    if ending.summary.state is State.FINISHED:
        assert ending.summary.counts[Status.SUCCEEDED] == ending.summary.rows == 4
        return
    because = ending.summary.stopped_because or ""
    assert "journal" in because
    assert sum(ending.summary.counts.values()) == ending.summary.rows == 4
    assert ending.summary.resume == f"bulkzcrm resume {run}" or f"bulkzcrm report {run}" in because


async def survive(folder: Path, disk: JournalDisk, *, creates: bool, options: RunOptions) -> bool:
    """Do a run on a disk that fails, mend it and end the run; tell whether the disk did fail."""
    async with desk_at(folder) as desk:
        case = Case(desk, creates, options=options)
        ending = await case.try_on(disk)
        if ending is not None and disk.struck and disk.at:
            assert_told(ending, disk, desk.last)
        disk.mend()
        case.assert_whole(await case.end())
        return bool(disk.struck)


async def sweep(
    folder: Path,
    fault: Fault,
    *,
    lasting: bool,
    creates: bool,
    step: int = 1,
    first: int = 1,
    options: RunOptions = TWO_BATCHES,
) -> int:
    """Let the disk fail at every `step`-th statement of a run; return how many statements were tried."""
    at = first
    while await survive(folder / f"{at}", JournalDisk(fault, at, lasting=lasting), creates=creates, options=options):
        at += step
    return (at - first) // step


EVERY = [(fault, lasting, creates) for fault in Fault for lasting in (True, False) for creates in (True, False)]


@pytest.mark.parametrize("number", range(0, len(EVERY), 2))
async def test_a_journal_that_fails_anywhere_loses_nothing(tmp_path: Path, number: int):
    """Some statements of a run for each fault; the long test below takes all of them."""
    fault, lasting, creates = EVERY[number + number // 2 % 2]
    assert await sweep(tmp_path, fault, lasting=lasting, creates=creates, step=31, first=2 + number) >= 3


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("fault", "lasting", "creates"), EVERY)
async def test_a_journal_that_fails_at_any_statement_loses_nothing(
    tmp_path: Path, fault: Fault, *, lasting: bool, creates: bool
):
    assert await sweep(tmp_path, fault, lasting=lasting, creates=creates) > 100


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("fault", "lasting", "creates"), EVERY)
async def test_a_journal_that_fails_while_several_requests_are_in_flight_loses_nothing(
    tmp_path: Path, fault: Fault, *, lasting: bool, creates: bool
):
    tried = await sweep(tmp_path, fault, lasting=lasting, creates=creates, options=SIDE_BY_SIDE, first=80, step=3)
    assert tried > 20


@pytest.mark.parametrize("lasting", [True, False])
@pytest.mark.parametrize("creates", [True, False])
async def test_an_answer_that_cannot_be_journalled_is_not_lost_and_no_record_made_twice(
    tmp_path: Path, *, creates: bool, lasting: bool
):
    async with desk_at(tmp_path / "desk") as desk:
        case = Case(desk, creates)
        disk = JournalDisk(Fault.FULL, lasting=lasting)

        async def fail_from_now_on(heard: Heard) -> None:
            if heard.is_write:
                disk.at = disk.count + 1

        desk.wire.interfere = fail_from_now_on
        ending = await case.try_on(disk)
        assert ending is not None
        assert ending.summary.state is State.STOPPED
        assert ending.summary.counts[Status.UNKNOWN] == ending.summary.counts[Status.UNSENT] == 2
        assert "the disk is full" in (ending.summary.stopped_because or "")
        assert desk.batches[0].state is BatchState.SENDING
        desk.wire.script()
        case.assert_whole(await case.end())
        assert len(desk.wire.writes) == 2


async def test_a_lease_that_cannot_be_renewed_for_a_while_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("bulkzcrm.run.keeping.BEAT_S", 0.001)
    monkeypatch.setattr("bulkzcrm.run.keeping.RENEW_S", 0.001)
    async with desk_at(tmp_path / "desk") as desk:
        case = Case(desk, creates=True)
        disk = JournalDisk(Fault.FULL)

        async def fail_for_a_while(heard: Heard) -> None:
            if heard.is_write:
                disk.at = disk.count + 1
                before = len(disk.struck)
                await until(lambda: len(disk.struck) > before + 2)
                disk.mend()

        desk.wire.interfere = fail_for_a_while
        ending = await case.try_on(disk)
        assert ending is not None
        case.assert_whole(ending)
        assert len(desk.wire.writes) == 2


def test_what_cannot_be_undone_alone_is_undone_with_all_that_is_around_it(tmp_path: Path):
    for at in range(1, 100):
        home = tmp_path / f"{at}"
        home.mkdir()
        disk = JournalDisk(Fault.REFUSES, lasting=False)
        with journal_on(disk, home) as journal:
            journal.add_run(NewRun(id="r", operation="", api_domain="", source="", columns=(), header_row=1))
            disk.at = disk.count + at
            with pytest.raises(OutputError), journal.transaction():  # noqa: PT012  the transaction is what fails
                journal.add_counts("r", 0, Counters(requests=1))
                with suppress(ZeroDivisionError), journal.transaction():
                    journal.add_counts("r", 0, Counters(requests=10))
                    raise ZeroDivisionError
            assert journal.run("r").counters.requests == 0
        if disk.struck[0].startswith("ROLLBACK TO"):
            return
    pytest.fail("nothing had to be undone alone")


# -- the report's files


async def run_with_all_formats(desk: Desk) -> Case:
    case = Case(desk, creates=False, formats=("csv", "xlsx", "jsonl"))
    desk.home.mkdir(exist_ok=True)
    with Journal.open(desk.home) as journal:
        await case.begin(journal)
    return case


@pytest.mark.parametrize("lasting", [True, False])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
async def test_a_report_whose_disk_fails_at_any_call_is_whole_file_by_file_and_can_be_made_again(
    tmp_path: Path, number: int, *, lasting: bool
):
    async with desk_at(tmp_path / "desk") as desk:
        case = await run_with_all_formats(desk)
        await case.end()
        whole = {path.name for path in desk.output.iterdir()}
        for at in range(1, 1000):
            for path in desk.output.iterdir():
                path.unlink()
            with files_on(FileDisk(desk.output, number, at, lasting=lasting)) as disk, suppress(OutputError):
                await case.end()
            assert_only_whole_files(desk.output)
            if not disk.struck:
                break
            case.assert_whole(await case.end())
            assert {path.name for path in desk.output.iterdir()} == whole
        assert at > 20


@pytest.mark.parametrize("at", [1, 2, 3, 8, 16, 23])
async def test_a_run_whose_report_cannot_be_written_says_how_it_is_written_later(tmp_path: Path, at: int):
    async with desk_at(tmp_path / "desk") as desk:
        case = await run_with_all_formats(desk)
        with files_on(FileDisk(desk.output, errno.ENOSPC, at)), Journal.open(desk.home) as journal:
            ending = await case.carry_on(journal)
        because = ending.summary.stopped_because or ""
        assert (ending.summary.state, ending.summary.resume) == (State.STOPPED, None)
        assert "the disk is full" in because
        assert because.endswith(f"Make room on it, then: bulkzcrm report {desk.last}")
        assert ending.summary.counts[Status.SUCCEEDED] == 4
        assert desk.journalled.state is RunState.FINISHED
        assert_only_whole_files(desk.output)
        case.assert_whole(await case.end())
