"""Commands in processes of their own: exit statuses, signals, a terminal with a bar, a served sandbox, a full disk."""

from __future__ import annotations

import asyncio
import os
import select
import shlex
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from forwarder import Heard, Say
from terminal import KEYS, Ended, Served, Terminal, ended, services, serving

from bulkzcrm.sandbox import Faults

posix = pytest.mark.skipif(os.name != "posix", reason="signals, terminals and limits of this kind are POSIX's")
NAMES = [f"Service {number}" for number in range(6)]
ONE_BY_ONE = ("--batch-size", "1", "--concurrency", "1")


def until(condition: Callable[[], object]) -> None:
    """Wait for another process; the test's own timeout bounds it."""
    while not condition():
        time.sleep(0.005)


def test_the_exit_statuses_0_1_2_and_3_are_those_of_the_process(connected: Terminal, served: Served):
    connected.write("good.csv", services("A"))
    connected.write("bad.csv", services("B") + "Spoiled,60,Client Address,nobody,Every Business Days,50\n")
    refusal = Say(403, {"code": "NO_PERMISSION", "details": {}, "message": "no", "status": "error"})
    served.wire.script(refusal)
    asked = [("good.csv", "--sandbox"), ("bad.csv", "--sandbox"), ("none.csv", "--sandbox"), ("good.csv", "--yes")]
    with ExitStack() as stack:
        started = [stack.enter_context(connected.start("run", "create-services", *words, "--json")) for words in asked]
        endings = [ended(process) for process in started]
    states = ["finished", "finished", "refused", "stopped"]
    for status, (ending, state) in enumerate(zip(endings, states, strict=True)):
        assert (ending.status, ending.object["state"]) == (status, state), ending.err
        assert list(ending.object) == KEYS
        assert "Traceback" not in ending.err
        assert (ending.last == ending.object["resume"]) is (status == 3)


@posix
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_drains_and_resume_finishes_without_doubling(terminal: Terminal, sent: signal.Signals):
    with serving(faults=Faults(latency_s=0.05)) as served:
        terminal.environ = served.environ
        terminal.write("good.csv", services(*NAMES))
        with terminal.start("run", "create-services", "good.csv", "--yes", "--json", *ONE_BY_ONE) as process:
            until(lambda: served.wire.writes)
            process.send_signal(sent)
            ending = ended(process)
        told = ending.object
        assert (ending.status, told["state"], list(told)) == (130, "interrupted", KEYS), ending.err
        assert ending.last == told["resume"] == f"bulkzcrm resume {told['run']}"
        assert told["unknown"] == 0
        assert 1 <= told["succeeded"] == len(served.created) < len(NAMES)
        again = terminal.type(*shlex.split(ending.last)[1:], "--json")
        assert (again.status, again.object["succeeded"]) == (0, len(NAMES))
        assert served.created == NAMES


def assert_all_sent_once(ending: Ended, served: Served) -> None:
    """Every row was sent, none of them twice, and one whose answer was lost was read back."""
    told = ending.object
    assert told["succeeded"] == told["rows"] == len(NAMES), ending.err
    assert sorted(served.created) == NAMES


@posix
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_the_second_signal_ends_at_once_and_resume_sends_nothing_twice(terminal: Terminal, sent: signal.Signals):
    with serving() as served:
        release = threading.Event()

        async def hold(heard: Heard) -> None:
            while heard.is_write and not release.is_set():  # noqa: ASYNC110 - another thread sets it
                await asyncio.sleep(0.005)

        served.wire.interfere = hold
        terminal.environ = served.environ
        terminal.write("good.csv", services(*NAMES))
        words = ("run", "create-services", "good.csv", "--yes", "--json", "--quiet-period", "0", *ONE_BY_ONE)
        with terminal.start(*words) as process:
            until(lambda: served.wire.writes)
            log = next(terminal.folder.glob("bulkzcrm-runs/*/run.log"))
            process.send_signal(sent)
            assert process.stderr is not None
            seen = b""
            while b"once more ends at once" not in seen:
                seen += process.stderr.read1(1000)  # type: ignore[attr-defined]  # a BufferedReader
            process.send_signal(sent)
            ending = ended(process)
        assert log.exists()
        told = ending.object
        assert (ending.status, told["state"], told["unknown"], told["unsent"]) == (130, "interrupted", 1, 5)
        assert ending.last == told["resume"]
        release.set()
        until(lambda: served.created)

        async def let_pass(heard: Heard) -> None:
            return None

        served.wire.interfere = let_pass
        assert_all_sent_once(terminal.type("resume", "--json"), served)


@posix
def test_a_terminal_gets_a_bar_and_is_asked_and_a_pipe_gets_neither(connected: Terminal, served: Served):
    connected.write("good.csv", services(*NAMES))
    words = ("run", "create-services", "good.csv", "--json", *ONE_BY_ONE)
    seen, ending = at_a_terminal(connected, words, b"n\n")
    assert (ending.status, ending.object["state"]) == (2, "refused")
    assert "Send them? [y/N]" in seen
    assert not served.wire.writes
    seen, ending = at_a_terminal(connected, words, b"y\n")
    assert (ending.status, ending.object["succeeded"]) == (0, len(NAMES)), seen
    assert "\x1b[" in seen
    assert "━" in seen
    assert "6/6" in seen
    assert "Bright Home Services" in seen
    assert "\x1b" not in ending.out
    assert served.created == NAMES


@posix
def test_ctrl_c_at_the_question_sends_nothing_and_can_be_resumed(connected: Terminal, served: Served):
    connected.write("good.csv", services("A"))
    seen, ending = at_a_terminal(connected, ("run", "create-services", "good.csv", "--json"), b"\x03")
    assert ending.status == 130, seen
    assert ending.object["state"] == "interrupted"
    assert ending.object["unsent"] == 1
    assert f"bulkzcrm resume {ending.object['run']}" in seen.rstrip().splitlines()[-1]
    assert not served.wire.writes


def at_a_terminal(terminal: Terminal, words: tuple[str, ...], answer: bytes) -> tuple[str, Ended]:
    """Run a command whose input and messages are on a terminal; answer its question; return what was seen."""
    import pty

    ours, theirs = pty.openpty()
    terminal.environ = {**terminal.environ, "TERM": "xterm-256color", "COLUMNS": "120"}
    seen = b""
    with terminal.start(
        *words, stdin=theirs, stderr=theirs, start_new_session=True, preexec_fn=_take_terminal
    ) as process:
        os.close(theirs)
        answered = False
        while True:
            if answered and not select.select([ours], [], [], 1.0)[0] and answer == b"\x03":
                os.write(ours, answer)  # a signal that comes just before Python begins to read does not end the reading
            try:
                piece = os.read(ours, 4096)
            except OSError:  # the other side is closed
                break
            if not piece:
                break
            seen += piece
            if not answered and b"Send them?" in seen and b"[y/N]" in seen:
                answered = True
                os.write(ours, answer)
        ending = ended(process)
    os.close(ours)
    return seen.decode(), ending


def _take_terminal() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@posix
def test_a_served_sandbox_prints_the_environment_that_points_the_tool_at_it(terminal: Terminal):
    terminal.write("good.csv", services("A"))
    with terminal.start("sandbox", "--state", "training.sqlite3", "--no-token-throttle") as process:
        assert process.stdout is not None
        lines = [process.stdout.readline().decode() for _ in range(7)]
        terminal.environ = dict(shlex.split(line)[1].split("=", 1) for line in lines)
        assert {line.split("=")[0] for line in lines} == {f"export {name}" for name in terminal.environ}
        ending = terminal.type("run", "create-services", "good.csv", "--json")
        assert (ending.status, "--yes" in ending.why) == (2, True)
        ending = terminal.type("run", "create-services", "good.csv", "--json", "--yes")
        assert (ending.status, ending.object["succeeded"]) == (0, 1)
        taken = terminal.type("sandbox", "--port", terminal.environ["BULKZCRM_API_DOMAIN"].rpartition(":")[2])
        assert (taken.status, "cannot listen" in taken.why) == (2, True)
        assert "in use by another sandbox" in terminal.type("sandbox", "--state", "training.sqlite3").why
        process.send_signal(signal.SIGINT)
        ending = ended(process)
    assert (ending.status, ending.err.splitlines()[-1], "Traceback" in ending.err) == (0, "stopped", False)
    assert "no state file" in terminal.type("sandbox", "--state", "good.csv").why


@posix
def test_a_disk_that_is_full_from_the_start_sends_nothing(connected: Terminal, served: Served):
    import resource

    connected.write("good.csv", services(*NAMES))
    connected.write("many.csv", services(*map(str, range(3000))))
    for limit, source in ((1_000, "good.csv"), (130_000, "many.csv")):
        ending = connected.run(
            *("run", "create-services", source, "--yes", "--json"),
            preexec_fn=lambda limit=limit: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        )
        assert (ending.status, ending.object["state"]) == (2, "refused"), ending.err
        assert "journal" in ending.why
        assert "Traceback" not in ending.err
    assert not served.wire.writes
    assert connected.type("run", "create-services", "good.csv", "--yes").status == 0


@posix
def test_a_journal_that_cannot_be_written_while_rows_are_sent_stops_the_run_which_can_be_resumed(
    connected: Terminal, served: Served
):
    import resource

    connected.write("good.csv", services(*NAMES))
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    async def fill_the_disk(heard: Heard) -> None:
        if heard.is_write:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, hard))

    served.wire.interfere = fill_the_disk
    try:
        ending = connected.type(
            "run", "create-services", "good.csv", "--yes", "--json", "--quiet-period", "0", *ONE_BY_ONE
        )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    told = ending.object
    assert (ending.status, told["state"], list(told)) == (3, "stopped", KEYS), ending.err
    assert "journal" in ending.why
    assert ending.last == told["resume"] == f"bulkzcrm resume {told['run']}"
    assert len(served.created) == 1

    async def let_pass(heard: Heard) -> None:
        return None

    served.wire.interfere = let_pass
    assert_all_sent_once(connected.type("resume", "--json"), served)


@posix
def test_a_report_that_cannot_be_written_ends_with_3_and_can_be_written_later(connected: Terminal, served: Served):
    connected.write("good.csv", services("A"))
    out = connected.folder / "out"

    async def block(heard: Heard) -> None:
        if heard.is_write:
            for path in out.iterdir():
                path.unlink()
            out.rmdir()
            out.write_text("a file where the folder was")

    served.wire.interfere = block
    ending = connected.type("run", "create-services", "good.csv", "--yes", "--json", "-o", "out")
    told = ending.object
    assert (ending.status, told["state"], told["succeeded"], told["resume"]) == (3, "stopped", 1, None), ending.err
    assert ending.why.startswith("All rows are settled; only the report is missing: ")
    assert ending.last == f"bulkzcrm report {told['run']}"
    assert connected.type("report", told["run"]).status == 2
    again = connected.type("report", told["run"], "-o", "elsewhere", "--json")
    assert (again.status, again.object["succeeded"], again.object["state"]) == (0, 1, "finished")
    assert served.created == ["A"]


@posix
def test_a_result_that_nobody_can_read_is_told_in_a_sentence_and_one_that_nobody_wants_is_not(terminal: Terminal):
    terminal.write("good.csv", services("A"))
    if Path("/dev/full").exists():
        for words in (("runs",), ("check", "create-services", "good.csv", "--json", "-q")):
            with Path("/dev/full").open("wb") as full:
                ending = terminal.run(*words, stdout=full)
            assert (ending.status, "Standard output cannot be written" in ending.why) == (3, True)
            assert "Traceback" not in ending.err
    reading, writing = os.pipe()
    os.close(reading)
    ending = terminal.run("explain", "INVALID_DATA", stdout=writing)
    os.close(writing)
    assert (ending.status, ending.err) == (0, "")


def test_the_module_and_the_installed_command_are_the_same(terminal: Terminal):
    installed = Path(sys.executable).with_name("bulkzcrm.exe" if os.name == "nt" else "bulkzcrm")
    assert terminal.run("--version").out.startswith("bulkzcrm, version ")
    if installed.exists():
        assert terminal.run("--version", program=[installed]).out == terminal.run("--version").out
