"""`runs prune`: old runs go for good, and nothing goes that is still needed."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from forwarder import Heard, Say
from terminal import Ended, Served, Terminal, services

from bulkzcrm.cli.session import at
from bulkzcrm.journal import Journal, NewRow, NewRun, Progress, Pruning, RowOutcome, RunState
from bulkzcrm.journal.place import FILE_NAME

NOW = datetime(2040, 6, 1, 12, tzinfo=UTC)


async def refuse_all(heard: Heard) -> Say:
    return Say(503)


async def let_pass(heard: Heard) -> None:
    return None


@contextmanager
def days_ago(home: Path, days: float) -> Iterator[Journal]:
    """A journal that is written to some days before `NOW`."""
    moment = NOW - timedelta(days=days)
    with Journal.open(home, clock_ms=lambda: int(moment.timestamp() * 1000)) as journal:
        yield journal


def finished(home: Path, run: str, days: float, *, rows: int = 3, **facts: object) -> str:
    """Write a run that ended some days ago, every row of it a service."""
    with days_ago(home, days) as journal:
        stopped(home, run, days, rows=rows, **facts)
        ordinals = list(range(1, rows + 1))
        if rows:
            journal.set_state(run, 0, RunState.SENDING)
            number = journal.plan_batch(run, 0, ordinals)
            journal.mark_sending(run, 0, number, ordinals=ordinals, body_sha256="ab", sent_ms=1)
            outcomes = [
                RowOutcome(ordinal=each, status=Progress.SUCCEEDED, record_id=f"{run} {each}") for each in ordinals
            ]
            journal.mark_answered(run, 0, number, outcomes, answered_ms=2)
        journal.set_state(run, 0, RunState.FINISHED)
    return run


def stopped(home: Path, run: str, days: float, *, rows: int = 3, **facts: object) -> str:
    """Write a run of which nothing was sent yet."""
    values = {"operation": "create-services", "api_domain": "https://www.zohoapis.example", "organisation_id": "1"}
    values |= {"source": f"{run}.csv", "source_sha256": run, "columns": (), "header_row": 1, "organisation": "Ann's"}
    with days_ago(home, days) as journal:
        journal.add_run(NewRun(**{**values, "id": run, **facts}))  # type: ignore[arg-type]  # as the tests give them
        new = [NewRow(ordinal=each, number=each + 1, cells=("x" * 100,), record={}) for each in range(1, rows + 1)]
        journal.add_rows(run, 0, new)
        journal.set_state(run, 0, RunState.INGESTED)
    return run


def prune(terminal: Terminal, *words: str, now: datetime = NOW) -> Ended:
    with at(lambda: now):
        return terminal.type("runs", "prune", *words)


def listed(terminal: Terminal) -> list[str]:
    return [each["run"] for each in terminal.type("runs", "--json", "--limit", "1000").object["runs"]]


def left(terminal: Terminal) -> dict[str, int]:
    with closing(sqlite3.connect(terminal.home / FILE_NAME)) as connection:
        tables = ("run", "row_state", "batch", "retried_row", "ended_count")
        return {name: connection.execute(f"SELECT COUNT(*) FROM {name}").fetchone()[0] for name in tables}  # noqa: S608


def test_runs_older_than_that_go_and_younger_ones_stay(terminal: Terminal):
    old, young = finished(terminal.home, "run-1", 91, sandbox=True), finished(terminal.home, "run-2", 89)
    shown = prune(terminal, "--dry-run")
    assert (shown.status, shown.out) == (0, "would delete 1 run with 3 rows\n")
    assert old in shown.err
    assert young not in shown.err
    assert listed(terminal) == [young, old]
    gone = prune(terminal, "--yes")
    assert (gone.status, gone.out.startswith("deleted 1 run with 3 rows; ")) == (0, True)
    assert listed(terminal) == [young]
    assert left(terminal) == {"run": 1, "row_state": 3, "batch": 1, "retried_row": 0, "ended_count": 1}
    assert "no run run-1" in terminal.type("report", old).why
    again = prune(terminal, "--yes")
    assert (again.status, again.out, again.err) == (0, "nothing to delete\n", "")


def test_json_is_one_object_whatever_happens(terminal: Terminal):
    finished(terminal.home, "run-1", 100)
    waiting = stopped(terminal.home, "run-2", 100)
    kept = {"resumable": [waiting], "at_work": [], "belongs": [], "in_doubt": []}
    told = {"state": "finished", "dry_run": True, "runs": ["run-1"], "rows": 3, "bytes": 0, "kept": kept, "notes": []}
    assert prune(terminal, "--json", "--dry-run").object == told
    refused = prune(terminal, "--json")
    assert (refused.status, refused.object["state"], "--yes" in refused.why) == (2, "refused", True)
    done = prune(terminal, "--json", "--yes").object
    assert done.pop("bytes") >= 0
    assert done == {key: value for key, value in told.items() if key != "bytes"} | {"dry_run": False}
    assert prune(terminal, "--json", "--yes").object["runs"] == []


def test_without_a_yes_nothing_is_deleted_where_nobody_can_be_asked(terminal: Terminal):
    finished(terminal.home, "run-1", 100)
    ending = prune(terminal)
    assert (ending.status, ending.out) == (2, "")
    assert "Nothing was deleted" in ending.why
    assert listed(terminal) == ["run-1"]


@pytest.mark.parametrize("words", [("--older-than", "1d"), ("--older-than", "soon"), ("--older-than", "0w")])
def test_an_age_that_is_none_or_too_short_is_refused(terminal: Terminal, words: tuple[str, ...]):
    finished(terminal.home, "run-1", 1.5)
    ending = prune(terminal, "--yes", *words)
    assert (ending.status, words[1] in ending.why) == (2, True)
    assert listed(terminal) == ["run-1"]


def test_options_of_the_list_stand_before_no_other_command(terminal: Terminal):
    ending = terminal.type("runs", "--limit", "3", "prune", "--yes")
    assert (ending.status, "behind prune" in ending.err) == (2, True)


def test_the_newest_runs_are_kept_on_demand_and_ages_may_be_weeks(terminal: Terminal):
    for number in range(5):
        finished(terminal.home, f"run-{number}", 30 - number)
    assert prune(terminal, "--yes", "--older-than", "4w", "--keep", "4").status == 0
    assert listed(terminal) == ["run-4", "run-3", "run-2", "run-1"]
    assert prune(terminal, "--yes", "--older-than", "3w", "--keep", "2").status == 0
    assert listed(terminal) == ["run-4", "run-3"]


def test_what_can_be_resumed_or_is_worked_on_stays_and_is_told(terminal: Terminal):
    now_ms = int(NOW.timestamp() * 1000)
    stopped(terminal.home, "run-1", 100)
    finished(terminal.home, "run-2", 100)
    finished(terminal.home, "run-3", 100)
    with days_ago(terminal.home, 100) as journal:
        journal.claim("run-2", "somebody", now_ms - 1000, 60_000)
        journal.claim("run-3", "somebody who has ended", now_ms - 61_000, 60_000)
        with journal.transaction():
            journal._database.change("UPDATE run SET updated_ms = ?", (now_ms - 100 * 86_400_000,))
    ending = prune(terminal, "--yes")
    assert listed(terminal) == ["run-2", "run-1"]
    assert "can be resumed (run-1)" in ending.err
    assert "another process now (run-2)" in ending.err


def test_a_run_whose_ingest_broke_off_goes_and_is_no_warning(terminal: Terminal):
    with days_ago(terminal.home, 100) as journal:
        run = NewRun(id="run-1", operation="create-services", api_domain="", source="a", columns=(), header_row=1)
        journal.add_run(run)
        journal.add_rows("run-1", 0, [NewRow(ordinal=1, number=2, cells=())])
    assert prune(terminal, "--yes").status == 0
    assert set(left(terminal).values()) == {0}


def test_a_run_and_its_retries_go_together(terminal: Terminal):
    def take(run: str, retry: str) -> None:
        with days_ago(terminal.home, 100) as journal:
            journal.mark_taken_by_retry(run, [1], retry)

    finished(terminal.home, "run-1", 100)
    finished(terminal.home, "run-2", 95, retry_of="run-1")
    take("run-1", "run-2")
    finished(terminal.home, "run-3", 10, retry_of="run-2")
    take("run-2", "run-3")
    finished(terminal.home, "run-4", 100)
    ending = prune(terminal, "--yes")
    assert listed(terminal) == ["run-3", "run-2", "run-1"]
    assert "retries, that stays (run-1, run-2)" in ending.err
    assert left(terminal)["retried_row"] == 2
    prune(terminal, "--yes", now=NOW + timedelta(days=90))
    assert listed(terminal) == []
    assert left(terminal)["retried_row"] == 0


def test_the_steps_of_a_job_go_together(terminal: Terminal):
    finished(terminal.home, "run-1", 100, job="a job", step=1)
    stopped(terminal.home, "run-2", 100, job="a job", step=2)
    finished(terminal.home, "run-3", 100, job="another", step=1)
    finished(terminal.home, "run-4", 100, job="another", step=2)
    prune(terminal, "--yes")
    assert listed(terminal) == ["run-2", "run-1"]


def test_what_may_explain_the_records_of_a_run_in_doubt_stays(terminal: Terminal):
    finished(terminal.home, "run-1", 130)
    stopped(terminal.home, "run-2", 120)
    with days_ago(terminal.home, 120) as journal:
        journal.set_state("run-2", 0, RunState.SENDING)
        number = journal.plan_batch("run-2", 0, [1, 2])
        journal.mark_sending("run-2", 0, number, ordinals=[1, 2], body_sha256="ab", sent_ms=1)
        journal.mark_in_doubt("run-2", 0, number)
    finished(terminal.home, "run-3", 110)
    finished(terminal.home, "run-4", 110, operation="update-services")
    ending = prune(terminal, "--yes")
    assert listed(terminal) == ["run-3", "run-2"]
    assert "in doubt (run-3)" in ending.err


@pytest.mark.parametrize("ended", ["in doubt", "not applied", "refused"])
def test_what_may_explain_the_records_of_a_run_that_has_sent_something_stays(terminal: Terminal, ended: str):
    """Its rows may be pending again: a record that it meets when they are sent is told from its own all the same."""
    stopped(terminal.home, "run-2", 120)
    with days_ago(terminal.home, 120) as journal:
        journal.set_state("run-2", 0, RunState.SENDING)
        number = journal.plan_batch("run-2", 0, [1, 2])
        journal.mark_sending("run-2", 0, number, ordinals=[1, 2], body_sha256="ab", sent_ms=1)
        if ended == "in doubt":
            journal.mark_in_doubt("run-2", 0, number)
        elif ended == "not applied":
            journal.mark_not_applied("run-2", 0, number, answered_ms=2)
        else:
            refused = [RowOutcome(ordinal=each, status=Progress.REJECTED) for each in (1, 2)]
            journal.mark_answered("run-2", 0, number, refused, answered_ms=2)
    finished(terminal.home, "run-3", 110)
    ending = prune(terminal, "--yes")
    assert listed(terminal) == ["run-3", "run-2"]
    assert "(run-3)" in ending.err


def test_a_run_that_never_sent_anything_keeps_no_other(terminal: Terminal):
    stopped(terminal.home, "run-1", 120)
    finished(terminal.home, "run-2", 110)
    prune(terminal, "--yes")
    assert listed(terminal) == ["run-1"]


@pytest.mark.parametrize(("days", "stays"), [(121, True), (123, False)])
def test_what_was_made_just_before_a_run_in_doubt_may_explain_its_records_too(
    terminal: Terminal, days: int, *, stays: bool
):
    """The clocks of the computers may be off by a day."""
    finished(terminal.home, "run-1", days)
    stopped(terminal.home, "run-2", 120)
    with days_ago(terminal.home, 120) as journal:
        journal.set_state("run-2", 0, RunState.SENDING)
        number = journal.plan_batch("run-2", 0, [1])
        journal.mark_sending("run-2", 0, number, ordinals=[1], body_sha256="ab", sent_ms=1)
    prune(terminal, "--yes")
    assert ("run-1" in listed(terminal)) is stays


def test_a_retry_that_seems_older_than_its_run_keeps_it_too(terminal: Terminal):
    """The computer's clock was set back in between."""
    finished(terminal.home, "run-2", 100)
    finished(terminal.home, "run-1", 10, retry_of="run-2")
    prune(terminal, "--yes")
    assert listed(terminal) == ["run-2", "run-1"]


def test_a_pruned_create_still_guards_against_a_second_import(connected: Terminal, served: Served):
    connected.write("good.csv", services("A", "B"))
    words = ("run", "create-services", "good.csv", "--yes")
    run = connected.type(*words, "--json").object["run"]
    later = datetime.now(UTC) + timedelta(days=91)
    assert prune(connected, "--yes", "--json", now=later).object["runs"] == [run]
    assert left(connected) == {"run": 1, "row_state": 0, "batch": 0, "retried_row": 0, "ended_count": 0}
    assert (connected.home / FILE_NAME).read_bytes().count(b"good.csv") == 0
    refused = connected.type(*words)
    assert refused.status == 2
    assert run in refused.why
    assert "pruned" in refused.why
    assert "has been pruned" in connected.type("report", run).why
    assert connected.type("resume", run).status == 2
    assert connected.type(*words, "--again").status == 0
    assert served.created == ["A", "B", "A", "B"]


def test_a_run_that_waits_since_before_a_pruned_one_of_its_content_is_not_sent_again(
    connected: Terminal, served: Served
):
    connected.write("good.csv", services("A"))
    words = ("run", "create-services", "good.csv", "--yes", "--again")
    served.wire.interfere = refuse_all
    waiting = connected.type(*words, "--json", "--max-wait", "0")
    assert (waiting.status, waiting.object["unsent"]) == (3, 1)
    served.wire.interfere = let_pass
    assert connected.type(*words).status == 0
    later = datetime.now(UTC) + timedelta(days=91)
    done = prune(connected, "--yes", "--json", now=later).object
    assert len(done["runs"]) == 1
    with Journal.open(connected.home) as journal:
        run = journal.run(waiting.object["run"])
        found = journal.find_run_by_content(
            run.source_sha256, run.operation, run.organisation_id or "", run.id, api_domain=run.api_domain
        )
        assert found is not None
        assert (found.id, found.pruned_ms is None) == (done["runs"][0], False)


def test_what_breaks_off_is_finished_by_the_next(terminal: Terminal, monkeypatch: pytest.MonkeyPatch):
    finished(terminal.home, "run-1", 100, rows=5000)
    finished(terminal.home, "run-2", 100, rows=10)
    delete, calls = Pruning.delete_some, []

    def breaking_off(pruning: Pruning, run: str) -> int:
        calls.append(run)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return delete(pruning, run)

    with monkeypatch.context() as patch:
        patch.setattr(Pruning, "delete_some", breaking_off)
        ending = prune(terminal, "--yes", "--json")
    assert (ending.status, ending.object["state"]) == (130, "interrupted")
    assert listed(terminal) == []
    assert 0 < left(terminal)["row_state"] < 5010
    assert "has been pruned" in terminal.type("report", "run-1").why
    rest = prune(terminal, "--yes", "--json").object
    assert rest["runs"] == []
    assert rest["rows"] > 0
    assert left(terminal) == {"run": 2, "row_state": 0, "batch": 0, "retried_row": 0, "ended_count": 0}


def size(terminal: Terminal) -> int:
    return (terminal.home / FILE_NAME).stat().st_size


@pytest.mark.parametrize("way", ["a journal of today", "one that an earlier version made"])
def test_the_file_gets_smaller(terminal: Terminal, way: str):
    if "earlier" in way:
        Journal.open(terminal.home).close()
        with closing(sqlite3.connect(terminal.home / FILE_NAME)) as connection:
            connection.executescript("PRAGMA auto_vacuum = NONE; VACUUM")
    finished(terminal.home, "run-1", 100, rows=20_000)
    finished(terminal.home, "run-2", 10, rows=100)
    before = size(terminal)
    done = prune(terminal, "--yes", "--json").object
    assert done["notes"] == []
    assert done["bytes"] == before - size(terminal)
    assert size(terminal) < before / 8
    assert len(terminal.type("runs", "--json").object["runs"]) == 1


def test_an_earlier_versions_file_stays_large_where_there_is_no_room_to_rebuild_it(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
):
    Journal.open(terminal.home).close()
    with closing(sqlite3.connect(terminal.home / FILE_NAME)) as connection:
        connection.executescript("PRAGMA auto_vacuum = NONE; VACUUM")
    finished(terminal.home, "run-1", 100, rows=1000)
    before = size(terminal)
    monkeypatch.setattr("shutil.disk_usage", lambda _path: SimpleNamespace(free=10))
    ending = prune(terminal, "--yes")
    assert ending.status == 0
    assert "free bytes" in ending.err
    assert size(terminal) == before


def until(condition: Callable[[], object]) -> None:
    while not condition():
        time.sleep(0.005)


def test_a_run_that_is_at_work_gets_its_turn_meanwhile(terminal: Terminal):
    """A run writes all the time; no write of its waits long, and many come through while rows are deleted."""
    finished(terminal.home, "run-1", 100, rows=30_000)
    stopped(terminal.home, "run-2", 0)
    waited: list[float] = []
    over = threading.Event()

    def work() -> None:
        with Journal.open(terminal.home) as journal:
            epoch = journal.claim("run-2", "at work", int(NOW.timestamp() * 1000), 600_000) or 0
            while not over.is_set():
                begun = time.monotonic()
                journal.extend_lease("run-2", epoch, int(NOW.timestamp() * 1000), 600_000)
                waited.append(time.monotonic() - begun)
                time.sleep(0.002)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        until(lambda: waited)
        before = len(waited)
        assert prune(terminal, "--yes").status == 0
        meanwhile = waited[before:]
    finally:
        over.set()
        thread.join()
    assert listed(terminal) == ["run-2"]
    assert len(meanwhile) > 30
    assert max(meanwhile) < 5
