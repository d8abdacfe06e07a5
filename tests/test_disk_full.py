"""Disks that are really full under real commands: every row ends truly, and every ending says what to do."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import Any

import pytest
from disk_faults import SmallDisk, small_disk
from forwarder import Heard
from terminal import Ended, Served, Terminal, services, serving

NAMES = [f"Service {number:03}" for number in range(40)]
RUN = ("run", "create-services", "good.csv", "--yes", "--json", "--batch-size", "5", "--concurrency", "2")
RUN = (*RUN, "--quiet-period", "0", "--output", "out")
posix = pytest.mark.skipif(os.name == "nt", reason="there are no such disks")


def told(ending: Ended) -> dict[str, Any]:
    """The result of a command, which must not have ended in a traceback."""
    assert "Traceback" not in ending.err, ending.err
    assert "Exception ignored" not in ending.err, ending.err
    found = ending.object
    assert found["rows"] == sum(
        found[name] for name in ("succeeded", "unchanged", "invalid", "rejected", "unknown", "unsent")
    )
    return found


def assert_all_there(connected: Terminal, served: Served) -> None:
    """Every row was made once, and the report says so."""
    assert sorted(served.created) == NAMES
    out = connected.folder / "out"
    with (out / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        results = list(csv.DictReader(file))
    assert [row["Service_Name"] for row in results] == NAMES
    assert {row["result_status"] for row in results} == {"succeeded"}
    summary = json.loads((out / "summary.json").read_bytes())
    assert (summary["state"], summary["succeeded"]) == ("finished", len(NAMES))
    assert not list(out.glob(".*"))


def begin_and_mend(
    connected: Terminal, served: Served, disk: SmallDisk, *, leaving: int, more: tuple[str, ...] = ()
) -> int:
    """Run on a disk with so much room, make room, and do what the tool says; return the first exit status."""
    connected.write("good.csv", services(*NAMES))
    disk.fill(leaving=leaving)
    ending = connected.type(*RUN, *more)
    disk.free()
    finish(connected, served, ending)
    return ending.status


def finish(connected: Terminal, served: Served, ending: Ended) -> None:
    """Do what the ending of a run says, on a disk that is well, and hold the outcome to what the sandbox has."""
    found = told(ending)
    match ending.status:
        case 0:
            pass
        case 2:
            assert (found["state"], served.wire.writes) == ("refused", [])
            assert "Nothing was sent" in ending.why or "journal" in ending.why
            assert connected.type(*RUN).status == 0
        case 3 if found["resume"] is None:
            assert ending.why.startswith("All rows are settled; only the report is missing: ")
            assert ending.why.endswith("Make room on it, then:")
            assert ending.last == f"bulkzcrm report {found['run']}"
            assert found["stopped_because"] == f"{ending.why} {ending.last}"
            assert connected.type("report", found["run"]).status == 0
        case 3:
            assert ending.why
            assert ending.last == found["resume"]
            again = connected.type(*ending.last.split()[1:], "--json", "--yes")
            assert (again.status, again.object["state"]) == (0, "finished"), again.err
        case _:
            pytest.fail(f"exit status {ending.status}: {ending.err}")
    assert_all_there(connected, served)


# -- the journal's disk


def sweep(tmp_path: Path, place: str, *leaving: int, more: tuple[str, ...] = ()) -> list[int]:
    """Run with so many kilobytes left where the journal lies (`home`) or where the report goes (`out`)."""
    statuses = []
    for each in leaving:
        folder = tmp_path / f"{each} kB left"
        folder.mkdir()
        terminal = Terminal(folder)
        small = terminal.home if place == "home" else terminal.folder / "out"
        with small_disk(small) as disk, serving() as served:
            terminal.environ = served.environ
            statuses.append(begin_and_mend(terminal, served, disk, leaving=each, more=more))
    return statuses


@posix
def test_a_journal_without_room_for_all_rows_refuses_before_the_first_write(tmp_path: Path):
    """Sending takes no more room than the rows have."""
    statuses = sweep(tmp_path, "home", 0, 28, 92, *range(136, 192, 8), 500)
    assert statuses == sorted(statuses, reverse=True)
    assert (statuses[0], statuses[-1], set(statuses)) == (2, 0, {0, 2})


@posix
@pytest.mark.parametrize("write", [1, 2, 5])
def test_a_journal_whose_disk_fills_up_while_rows_are_sent_stops_and_is_resumed(tmp_path: Path, write: int):
    terminal = Terminal(tmp_path)
    with small_disk(terminal.home) as disk, serving() as served:
        terminal.environ = served.environ
        terminal.write("good.csv", services(*NAMES))

        async def fill(heard: Heard) -> None:
            if heard.is_write and len(served.wire.writes) == write:
                disk.fill(leaving=0)

        served.wire.interfere = fill
        ending = terminal.type(*RUN)
        served.wire.script()
        disk.free()
        assert ending.status == 3, ending.err
        finish(terminal, served, ending)


@posix
@pytest.mark.long
@pytest.mark.timeout(1200)
def test_a_journal_s_disk_may_fill_up_at_any_page(tmp_path: Path):
    assert set(sweep(tmp_path, "home", *range(0, 260, 4))) == {0, 2}


# -- the report's disk, which is another one


@posix
def test_a_report_whose_disk_fills_up_is_made_later_and_holds_no_row_up(tmp_path: Path):
    """The log lies on the same disk: it ends, and the run goes on."""
    statuses = sweep(tmp_path, "out", 0, 8, 12, 16, 24, 44, 500, more=("--format", "xlsx,jsonl"))
    assert statuses[:5] == [3] * 5
    assert statuses[-1] == 0


@posix
@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_report_s_disk_may_fill_up_at_any_page(tmp_path: Path):
    assert set(sweep(tmp_path, "out", *range(0, 64, 4), more=("--format", "xlsx,jsonl"))) == {0, 3}


@posix
def test_a_workbook_that_does_not_fit_leaves_no_noise_behind(tmp_path: Path):
    """In a process of its own, where also what is cleaned up at the end could speak."""
    terminal = Terminal(tmp_path)
    with small_disk(terminal.folder / "out") as disk, serving() as served:
        terminal.environ = served.environ
        terminal.write("good.csv", services(*NAMES))
        disk.fill(leaving=16)
        ending = terminal.run(*RUN, "--format", "xlsx")
        assert (ending.status, "results.xlsx" in ending.why) == (3, True)
        assert told(ending)["succeeded"] == len(NAMES)
        disk.free()
        assert terminal.type("report", told(ending)["run"]).status == 0
        assert_all_there(terminal, served)


@posix
def test_a_rehearsal_whose_sandbox_cannot_keep_what_it_is_told_is_resumed_from_there(tmp_path: Path):
    terminal = Terminal(tmp_path)
    terminal.write("good.csv", services(*NAMES))
    words = [word for word in RUN if word != "--yes"] + ["--sandbox", "--max-wait", "1"]
    with small_disk(terminal.folder / "out") as disk:
        disk.fill(leaving=80)
        ending = terminal.type(*words)
        assert (ending.status, told(ending)["state"]) == (2, "refused")
        assert "The sandbox's state" in ending.why
        disk.fill(leaving=240)
        ending = terminal.type(*words)
        assert ending.status == 3, ending.err
        assert ending.last == told(ending)["resume"]
        disk.free()
        again = terminal.type(*ending.last.split()[1:], "--json")
        assert (again.status, again.object["succeeded"]) == (0, len(NAMES)), again.err


@posix
def test_the_steps_of_a_job_that_come_after_an_unwritten_report_are_told_and_resumed(tmp_path: Path):
    terminal = Terminal(tmp_path)
    terminal.write("good.csv", services(*NAMES))
    terminal.write("more.csv", services("One more"))
    step = '[[step]]\noperation = "create-services"\nsource = "{}"\n'
    terminal.write("job.toml", 'name = "both"\n' + step.format("good.csv") + step.format("more.csv"))
    with small_disk(terminal.folder / "out") as disk, serving() as served:
        terminal.environ = served.environ
        disk.fill(leaving=0)
        ending = terminal.type("run", "--job", "job.toml", "--yes", "--json", "--output", "out")
        found = ending.object
        assert (ending.status, found["state"]) == (3, "stopped"), ending.err
        assert [step["succeeded"] for step in found["steps"]] == [len(NAMES), 0]
        assert ending.last == found["resume"]
        assert ending.why.endswith(f"then: bulkzcrm report {found['steps'][0]['run']}")
        disk.free()
        again = terminal.type(*ending.last.split()[1:], "--json", "--yes")
        assert (again.status, again.object["state"]) == (0, "finished"), again.err
        assert sorted(served.created) == sorted([*NAMES, "One more"])
        assert len(list((terminal.folder / "out").glob("*/results.csv"))) == 2


# -- disks that need not be small


@posix
def test_a_report_that_was_not_written_to_its_end_is_made_anew_in_its_own_folder(connected: Terminal):
    connected.write("good.csv", services("A"))
    run = str(connected.type("run", "create-services", "good.csv", "--yes", "--json", "-o", "out").object["run"])
    (connected.folder / "out" / "summary.json").unlink()
    assert connected.type("report", run).status == 0
    assert (connected.folder / "out" / "summary.json").exists()
    elsewhere = connected.folder / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "results.csv").write_text("somebody else's")
    assert "another run" in connected.type("report", run, "-o", "elsewhere").why


def test_a_log_that_cannot_be_written_stops_nothing(connected: Terminal, served: Served):
    connected.write("good.csv", services("A"))
    (connected.folder / "out" / "run.log").mkdir(parents=True)
    ending = connected.type("run", "create-services", "good.csv", "--yes", "--json", "-o", "out")
    assert (ending.status, ending.object["succeeded"], served.created) == (0, 1, ["A"]), ending.err
    assert "The run goes on without it" in ending.err


def test_a_folder_for_tokens_that_cannot_be_written_stops_nothing(connected: Terminal, served: Served):
    connected.write("good.csv", services("A"))
    connected.home.mkdir()
    (connected.home / "tokens").write_text("no folder")
    ending = connected.type("run", "create-services", "good.csv", "--yes", "--json", "-o", "out")
    assert (ending.status, ending.object["succeeded"], served.created) == (0, 1, ["A"]), ending.err


def test_rows_that_went_wrong_are_not_called_repeated_where_there_is_no_report(connected: Terminal, served: Served):
    connected.write("good.csv", services("A", "B" * 130))

    async def block(heard: Heard) -> None:
        if heard.is_write:
            (connected.folder / "out" / "results.csv").mkdir()
            for number in range(2, 100):
                (connected.folder / "out" / f"results ({number}).csv").write_text("")

    served.wire.interfere = block
    ending = connected.type("run", "create-services", "good.csv", "--yes", "-o", "out")
    assert ending.status == 3, ending.err
    assert "repeating" not in ending.err


# -- what a command says, and where it cannot


@posix
def test_streams_that_are_not_there_change_nothing(terminal: Terminal):
    """As a scheduler may leave them: not even Python has a name for them then."""
    terminal.write("good.csv", services("A"))
    words = ("run", "create-services", "good.csv", "--sandbox", "--output", "out")
    ending = terminal.run(*words, preexec_fn=lambda: os.closerange(0, 3))
    assert ending.status == 0
    assert json.loads((terminal.folder / "out" / "summary.json").read_bytes())["succeeded"] == 1


@posix
def test_nobody_who_listens_changes_nothing(terminal: Terminal):
    terminal.write("good.csv", services("A"))
    reading, writing = os.pipe()
    os.close(reading)
    words = ("run", "create-services", "good.csv", "--sandbox", "--json", "--output", "out")
    ending = terminal.run(*words, stdout=writing, stderr=writing)
    os.close(writing)
    assert ending.status == 0
    assert json.loads((terminal.folder / "out" / "summary.json").read_bytes())["succeeded"] == 1


# -- a disk for which nobody has to be root


@posix
@pytest.mark.parametrize("limit", [118_000])
def test_files_that_may_not_grow_stop_a_real_process_which_says_how_to_go_on(
    connected: Terminal, served: Served, limit: int
):
    """A limit on the size of files stands for a disk that is full, for every file of the process."""
    import resource

    connected.write("good.csv", services(*NAMES))
    ending = connected.run(*RUN, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    assert ending.status in (0, 2, 3)
    finish(connected, served, ending)
