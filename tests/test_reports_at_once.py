"""A report that is written while others write to its run, or report it: of one moment, and never older than another."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from desk import Desk, desk_at, services
from forwarder import Heard

from bulkzcrm.errors import OutputError, UsageError
from bulkzcrm.journal import Journal, NewRow, NewRun, OvertakenError, Progress, Reports, RowOutcome, Run, RunState
from bulkzcrm.library import report_frame
from bulkzcrm.model import Column
from bulkzcrm.report import State
from bulkzcrm.run.options import RunOptions
from bulkzcrm.run.reporting import Ending, project

RUN = "20400601-120000-aaaa"
ROWS = 600
"""Three pages of a report."""


class Other:
    """Another process: it works on the run, and reports it, whenever it is let."""

    def __init__(self, folder: Path, rows: int = ROWS) -> None:
        self.home, self.output = folder / "home", folder / "report"
        self.journal = Journal.open(self.home)
        columns = (Column(0, "A", "Service_Name"),)
        facts = {"operation": "create-services", "api_domain": "", "source": "a", "source_sha256": "ab"}
        self.journal.add_run(NewRun(id=RUN, columns=columns, header_row=1, **facts))
        made = [NewRow(ordinal=at, number=at + 1, cells=(f"Service {at}",), record={}) for at in range(1, rows + 1)]
        self.journal.add_rows(RUN, 0, made)
        self.journal.set_state(RUN, 0, RunState.INGESTED)
        self.journal.set_state(RUN, 0, RunState.SENDING)
        self.left = list(range(1, rows + 1))

    def answer(self, count: int = 2) -> None:
        """Send as many rows as that, from both ends of the source, and have them answered, all at one moment."""
        each = count // 2
        ordinals = [*self.left[:each], *self.left[-each:]]
        del self.left[:each], self.left[-each:]
        with self.journal.transaction():
            number = self.journal.plan_batch(RUN, 0, ordinals)
            self.journal.mark_sending(RUN, 0, number, ordinals=ordinals, body_sha256="ab", sent_ms=1)
            made = [RowOutcome(ordinal=at, status=Progress.SUCCEEDED, record_id=f"{at}") for at in ordinals]
            self.journal.mark_answered(RUN, 0, number, made, answered_ms=2)

    def end(self) -> Ending:
        """Send all that is left, and report it as the process does that has the run."""
        self.answer(len(self.left))
        self.journal.set_state(RUN, 0, RunState.FINISHED)
        return self.report(epoch=0)

    def report(self, **named: Any) -> Ending:
        return project(self.journal, self.run, self.output, resume="bulkzcrm resume", **named)

    @property
    def run(self) -> Run:
        return self.journal.run(RUN)


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Other]:
    process = Other(tmp_path)
    with process.journal:
        yield process


class _Reports(Reports):
    meanwhile: Callable[[], object]

    def next_copied(self, run: str, after_ordinal: int) -> Any:
        page = super().next_copied(run, after_ordinal)
        self.meanwhile()
        return page


class Slow(Journal):
    """A journal whose pages take so long to read that others get on with their work after each."""

    after_page: Callable[[], object] = staticmethod(lambda: None)
    after_copied_page: Callable[[], object] = staticmethod(lambda: None)

    def next_reported(self, *positional: Any, **named: Any) -> Any:
        page = super().next_reported(*positional, **named)
        self.after_page()
        return page

    def reports(self) -> Reports:
        reports = _Reports(self._database, self._clock_ms)
        reports.meanwhile = self.after_copied_page
        return reports


def once(work: Callable[[], object]) -> Callable[[], object]:
    """Return what does the work when it is first called, and nothing later."""
    left = [work]
    return lambda: left.pop()() if left else None


def reported(
    other: Other, *, after_page: Callable[[], object], after_copied_page: Callable[[], object] = lambda: None
) -> Ending:
    """Write a report slowly: as `bulkzcrm report` does, without a claim on the run."""
    with Slow.open(other.home) as journal:
        journal.after_page, journal.after_copied_page = after_page, after_copied_page
        return project(journal, journal.run(RUN), other.output, resume="bulkzcrm resume", formats=("csv", "jsonl"))


def statuses(folder: Path, name: str = "results.csv") -> list[str]:
    with (folder / name).open(encoding="utf-8-sig", newline="") as file:
        return [row["result_status"] for row in csv.DictReader(file)]


def assert_of_one_moment(folder: Path) -> None:
    """Hold the files to one another, and each row to the one that was answered together with it."""
    told = statuses(folder)
    assert len(told) == ROWS
    assert told == told[::-1]
    lines = (folder / "results.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["result"]["result_status"] for line in lines] == told
    summary = json.loads((folder / "summary.json").read_bytes())
    assert {name: summary[name] for name in ("succeeded", "unsent")} == {
        name: told.count(name) for name in ("succeeded", "unsent")
    }


def test_a_report_that_is_overtaken_is_made_anew(other: Other):
    """Its process stood still while another one resumed the run, ended it and reported that."""
    ending = reported(other, after_page=once(other.end))
    assert (ending.summary.state, ending.summary.resume) == (State.FINISHED, None)
    assert Counter(statuses(other.output)) == {"succeeded": ROWS}
    assert json.loads((other.output / "summary.json").read_bytes())["state"] == "finished"
    assert [path.name for path in other.output.glob(".*")] == []


def test_a_report_of_a_run_that_is_at_work_all_the_time_is_of_one_moment(other: Other):
    ending = reported(other, after_page=other.answer, after_copied_page=other.answer)
    assert 0 < ending.summary.counts["succeeded"] < ROWS
    assert ending.summary.resume == "bulkzcrm resume"
    assert_of_one_moment(other.output)


def test_a_report_of_a_run_that_stands_still_holds_nobody_up(other: Other, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Reports, "copy", None)
    other.answer(100)
    assert other.report().summary.counts["succeeded"] == 100


def test_a_report_never_takes_the_place_of_a_newer_one(other: Other):
    """It was made of a copy, so that nothing of it is wrong: but another process has reported a later moment."""

    def a_newer_one() -> None:
        other.answer(100)
        other.report()

    ending = reported(other, after_page=once(other.answer), after_copied_page=once(a_newer_one))
    assert ending.summary.counts["succeeded"] == 102
    assert Counter(statuses(other.output)) == {"succeeded": 102, "unsent": ROWS - 102}
    assert_of_one_moment(other.output)


def test_two_reports_of_one_moment_do_not_overtake_one_another(other: Other):
    other.answer(100)
    ending = reported(other, after_page=once(other.report), after_copied_page=lambda: pytest.fail("was made anew"))
    assert ending.summary.counts["succeeded"] == 100
    assert_of_one_moment(other.output)


def test_corrections_in_the_failed_file_of_another_report_are_left_alone(other: Other):
    """Another process has written it meanwhile, and somebody has begun to mend it."""

    def mended() -> None:
        other.report()
        (other.output / "failed.csv").write_text("mended")

    ending = reported(other, after_page=once(mended))
    assert ending.summary.files["failed"].name == "failed (2).csv"
    assert (other.output / "failed.csv").read_text() == "mended"
    named = json.loads((other.output / "summary.json").read_bytes())["files"]["failed"]
    assert named == str(other.output / "failed (2).csv")


def test_who_dies_while_a_report_is_put_in_place_leaves_word_of_it(other: Other):
    """Files of it may stand there already, and an older report must not take their place."""
    reports, older = other.journal.reports(), other.run.revision
    other.answer()
    with pytest.raises(KeyboardInterrupt), reports.placing(RUN, other.run.revision, unchanged=True):
        raise KeyboardInterrupt
    with pytest.raises(OvertakenError), reports.placing(RUN, older, unchanged=False):
        pytest.fail("an older report is put in place")


def test_a_newer_report_may_come_between_the_word_and_the_deed(other: Other, monkeypatch: pytest.MonkeyPatch):
    older = other.run.revision
    with Journal.open(other.home) as journal:
        transaction = journal._database.transaction
        turns: list[int] = []

        @contextmanager
        def after_others() -> Iterator[None]:
            turns.append(1)
            if len(turns) == 2:
                other.answer()
                other.report()
            with transaction():
                yield

        monkeypatch.setattr(journal._database, "transaction", after_others)
        with pytest.raises(OvertakenError), journal.reports().placing(RUN, older, unchanged=True):
            pytest.fail("an older report is put in place")


def test_nobody_writes_while_a_report_is_put_in_place(other: Other):
    with Journal.open(other.home) as journal:
        # Others wait for ten seconds; a test does not.
        other.journal._database.change("PRAGMA busy_timeout = 0")
        with journal.reports().placing(RUN, other.run.revision, unchanged=True):
            with pytest.raises(OutputError, match="locked"):
                other.answer()
            placing = other.journal.reports().placing(RUN, other.run.revision, unchanged=True)
            assert_waits(placing)


def assert_waits(work: AbstractContextManager[object]) -> None:
    with pytest.raises(OutputError, match="locked"), work:
        pytest.fail("two put a report in place at once")


def test_a_run_too_large_to_be_held_up_is_reported_when_it_stands_still(tmp_path: Path):
    large = Other(tmp_path, rows=5_000)
    with large.journal as journal:
        with pytest.raises(OutputError, match="too large to be held up"):
            journal.reports().copy(RUN, patience_s=-1)
        large.answer()
        assert large.report().summary.counts["succeeded"] == 2


def test_a_copy_is_the_same_as_the_rows(other: Other):
    other.answer(100)
    reports = other.journal.reports()
    for _ in range(2):
        assert reports.copy(RUN) == other.run
        assert reports.next_copied(RUN, 10) == other.journal.next_reported(RUN, 10)
        other.answer(100)


def test_a_frame_of_a_run_at_work_is_of_one_moment(other: Other, monkeypatch: pytest.MonkeyPatch):
    next_reported = Journal.next_reported

    def slow(journal: Journal, *positional: Any, **named: Any) -> Any:
        page = next_reported(journal, *positional, **named)
        other.answer()
        return page

    monkeypatch.setattr(Journal, "next_reported", slow)
    told = list(report_frame(other.home, RUN)["result_status"])
    assert len(told) == ROWS
    assert 0 < told.count("succeeded") < ROWS
    assert told == told[::-1]


# -- what a run keeps for its own later use


async def test_a_report_during_the_confirmation_and_the_run_keep_what_the_other_one_has_written(tmp_path: Path):
    """Who has sent the run, and what was there before, tells lost creates from others; a report once erased it."""
    async with desk_at(tmp_path) as desk:
        kept: list[dict[str, object]] = []

        async def look(heard: Heard) -> None:
            if heard.is_write:
                kept.append(dict(desk.journalled.lookups))

        desk.wire.interfere = look
        desk.previews = _Reporting(desk)
        await desk.run("create-services", services(2), RunOptions(batch_size=1, concurrency=1))
        written = hashlib.sha256((desk.output / "failed.csv").read_bytes()).hexdigest()
        assert kept
        assert all({"logins", "source_file", "failed_sha256"} <= set(each) for each in kept)
        assert list(desk.journalled.lookups["failed_sha256"].values()) == [[written]]


class _Reporting(list[Any]):
    """Somebody who is asked for confirmation, and first has the report written in another terminal."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk

    def append(self, preview: object) -> None:
        super().append(preview)
        with Journal.open(self._desk.home) as journal:
            project(journal, journal.run(self._desk.last), self._desk.output, resume=None)


# -- a run that is pruned meanwhile


def test_a_run_that_is_pruned_while_it_is_reported_keeps_its_report(other: Other):
    other.end()
    before = {path.name: path.read_bytes() for path in other.output.iterdir()}

    def prune() -> None:
        pruning = other.journal.pruning()
        assert pruning.mark(RUN, 1, as_warning=True)
        while pruning.delete_some(RUN) >= 0:
            pass

    with pytest.raises(UsageError, match="has been pruned"):
        reported(other, after_page=once(prune))
    assert {path.name: path.read_bytes() for path in other.output.iterdir()} == before
