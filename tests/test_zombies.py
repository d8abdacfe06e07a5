"""A process that stood still while another one finished its run only says so when it wakes: nothing is written or sent.

All of them are real processes; that the lease has run out is told to them all by a clock in a file.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from forwarder import Heard, Say
from terminal import Ended, Served, Terminal, ended, services

from bulkzcrm.run.lease import LEASE_MS

pytestmark = pytest.mark.skipif(os.name != "posix", reason="only POSIX's processes can be suspended")

NAMES = [f"Service {number}" for number in range(6)]
WORDS = ("run", "create-services", "good.csv", "--yes", "--json", "--batch-size", "2", "--concurrency", "1")
QUICKLY = ("--quiet-period", "0.2")
ZOMBIE = Path(__file__).parent / "zombie.py"


def program(terminal: Terminal, moment: str) -> tuple[str | Path, ...]:
    clock = terminal.folder / "clock"
    if not clock.exists():
        clock.write_text("0")
    return sys.executable, ZOMBIE, clock, moment


@contextmanager
def suspended(terminal: Terminal, moment: str) -> Iterator[subprocess.Popen[bytes]]:
    """Begin a run in a process that suspends itself at a moment, and wait until it has."""
    terminal.write("good.csv", services(*NAMES))
    with terminal.start(*WORDS, *QUICKLY, program=program(terminal, moment)) as process:
        until_it_stands_still(process)
        yield process


def until_it_stands_still(process: subprocess.Popen[bytes]) -> None:
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status), process.communicate()


def taken_over(terminal: Terminal) -> Ended:
    """Let the lease run out, and have another process finish the run."""
    (terminal.folder / "clock").write_text(str(LEASE_MS / 1000 + 1))
    with terminal.start("resume", "--yes", "--json", *QUICKLY, program=program(terminal, "never")) as process:
        return ended(process)


def kept(terminal: Terminal) -> tuple[list[tuple[object, ...]], dict[str, bytes]]:
    """All that is kept of runs: what the journal holds of them, and the files of the reports."""
    with sqlite3.connect(terminal.home / "journal.sqlite3") as journal:
        lines = [*journal.execute("SELECT * FROM run")]
        lines += [*journal.execute("SELECT * FROM row_state"), *journal.execute("SELECT * FROM batch")]
    journal.close()
    reports = (terminal.folder / "bulkzcrm-runs").rglob("*.*")
    return lines, {path.name: path.read_bytes() for path in reports if path.suffix in (".csv", ".json")}


def woken(process: subprocess.Popen[bytes]) -> Ended:
    process.send_signal(signal.SIGCONT)
    return ended(process)


def assert_it_only_says_so(ending: Ended) -> None:
    assert (ending.status, ending.object["state"]) == (3, "stopped"), ending.err
    assert "Another process has taken over the run" in ending.why
    assert ending.object["run"] in ending.why
    assert "Traceback" not in ending.err


@pytest.mark.parametrize("moment", ["reading", "intent", "departure", "answer"])
def test_who_wakes_after_its_run_was_taken_over_writes_and_sends_nothing(
    connected: Terminal, served: Served, moment: str
):
    with suspended(connected, moment) as zombie:
        winner = taken_over(connected)
        assert (winner.status, winner.object["succeeded"]) == (0, len(NAMES)), winner.err
        assert sorted(served.created) == NAMES
        before, sent = kept(connected), len(served.wire.writes)
        assert_it_only_says_so(woken(zombie))
        assert (kept(connected), len(served.wire.writes)) == (before, sent)
        assert sorted(served.created) == NAMES


def test_who_is_suspended_while_a_request_is_in_flight_keeps_its_answer_to_itself(connected: Terminal, served: Served):
    connected.write("good.csv", services(*NAMES))
    with connected.start(*WORDS, *QUICKLY, program=program(connected, "never")) as zombie:

        async def suspend(heard: Heard) -> None:
            if heard.is_write and len(served.wire.writes) == 2:
                zombie.send_signal(signal.SIGSTOP)

        served.wire.interfere = suspend
        until_it_stands_still(zombie)
        winner = taken_over(connected)
        assert (winner.status, winner.object["succeeded"]) == (0, len(NAMES)), winner.err
        before, sent = kept(connected), len(served.wire.writes)
        assert_it_only_says_so(woken(zombie))
        assert (kept(connected), len(served.wire.writes)) == (before, sent)
    assert sorted(served.created) == NAMES


def test_who_wakes_puts_no_report_in_place_of_the_winners(connected: Terminal, served: Served):
    """It had stopped, and had its files written aside already."""

    refusal = Say(403, {"code": "NO_PERMISSION", "details": {}, "message": "no", "status": "error"})
    served.wire.script(None, refusal)
    with suspended(connected, "report") as zombie:
        winner = taken_over(connected)
        assert (winner.status, winner.object["succeeded"]) == (0, len(NAMES)), winner.err
        before = kept(connected)
        assert set(before[1]) == {"results.csv", "failed.csv", "summary.json"}
        assert_it_only_says_so(woken(zombie))
        assert kept(connected) == before
    assert sorted(served.created) == NAMES


def test_a_report_that_wakes_after_the_run_was_ended_is_made_anew(connected: Terminal, served: Served):
    """It had been asked for when the run had stopped, and had its files written aside already."""
    run = a_stopped_run(connected, served)
    with connected.start("report", run, "--json", program=program(connected, "report")) as sleeper:
        until_it_stands_still(sleeper)

        async def let_pass(heard: Heard) -> None:
            return None

        served.wire.interfere = let_pass
        winner = taken_over(connected)
        assert (winner.status, winner.object["succeeded"]) == (0, len(NAMES)), winner.err
        before = kept(connected)[1]
        ending = woken(sleeper)
    assert (ending.status, ending.object["state"], ending.object["resume"]) == (0, "finished", None), ending.err
    assert kept(connected)[1] == before


def test_who_wakes_in_time_goes_on_as_if_nothing_had_been(connected: Terminal, served: Served):
    with suspended(connected, "departure") as sleeper:
        refused = connected.type("resume", "--yes")
        assert (refused.status, "Another process is at work on the run" in refused.why) == (2, True)
        ending = woken(sleeper)
    assert (ending.status, ending.object["succeeded"]) == (0, len(NAMES)), ending.err
    assert served.created == NAMES


def test_who_stood_still_for_long_and_lost_nothing_goes_on_too(connected: Terminal, served: Served):
    """Nobody has claimed the run meanwhile: a computer was asleep."""
    with suspended(connected, "departure") as sleeper:
        (connected.folder / "clock").write_text(str(LEASE_MS / 1000 + 1))
        ending = woken(sleeper)
    assert (ending.status, ending.object["succeeded"]) == (0, len(NAMES)), ending.err
    assert served.created == NAMES


# -- two at once


@pytest.mark.parametrize("time_", range(10))
def test_of_two_that_resume_the_same_run_at_once_one_wins_and_the_other_says_so(
    connected: Terminal, served: Served, time_: int
):
    two_resume_at_once(connected, served)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("time_", range(30))
def test_of_two_that_resume_the_same_run_at_once_one_wins_each_time(connected: Terminal, served: Served, time_: int):
    two_resume_at_once(connected, served)


def two_resume_at_once(connected: Terminal, served: Served) -> None:
    run = a_stopped_run(connected, served)
    with (
        connected.start("resume", run, "--yes", "--json") as one,
        connected.start("resume", "--yes", "--json") as other,
    ):
        both = (one, other)

        async def hold(heard: Heard) -> None:
            """The winner's first write is held until the other one has ended."""
            while heard.is_write and not any(process.poll() is not None for process in both):
                await a_moment()

        served.wire.interfere = hold
        endings = sorted((ended(process) for process in both), key=lambda ending: ending.status)
    winner, loser = endings
    assert (winner.status, winner.object["succeeded"]) == (0, len(NAMES)), winner.err
    assert (loser.status, loser.object["state"]) == (2, "refused"), loser.err
    assert f"Another process is at work on the run {run}" in loser.why
    assert served.created == NAMES


def a_stopped_run(terminal: Terminal, served: Served) -> str:
    """Begin a run that stops before its first write, because the server is down."""
    down = Say(503)

    async def refuse(heard: Heard) -> Say:
        return down

    served.wire.interfere = refuse
    terminal.write("good.csv", services(*NAMES))
    ending = terminal.type(*WORDS, "--max-wait", "0")
    assert ending.status == 3, ending.err
    return str(ending.object["run"])


async def a_moment() -> None:
    import asyncio

    await asyncio.sleep(0.005)
