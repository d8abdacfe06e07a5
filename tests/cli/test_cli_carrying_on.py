"""What `resume` takes for granted: a consent that was given, the run that is meant, and that a signal ends at once."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import signal
import time
from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path

import pytest
from forwarder import Cut, Heard, Say
from terminal import KEYS, Ended, Served, Terminal, services, serving

posix = pytest.mark.skipif(os.name != "posix", reason="signals of this kind are POSIX's")
REFUSAL = Say(403, {"code": "NO_PERMISSION", "details": {}, "message": "no", "status": "error"})
NAMES = [f"Service {number}" for number in range(6)]
SPOILED = "Spoiled,60,Client Address,nobody,Every Business Days,50\n"


def interrupted(connected: Terminal, served: Served, *words: str) -> Ended:
    """Run a command that is interrupted by the first request of its own, before anything was sent."""
    before = len(served.wire.heard)

    async def interrupt(heard: Heard) -> None:
        if len(served.wire.heard) == before + 1:
            signal.raise_signal(signal.SIGINT)

    served.wire.interfere = interrupt
    try:
        ending = connected.type(*words)
    finally:
        served.wire.script()
    assert ending.status == 130, ending.err
    assert not served.wire.writes
    return ending


def last_words(ending: Ended) -> list[str]:
    """The words of the command that the last line says."""
    return shlex.split(ending.last)[1:]


# -- consent


def test_yes_counts_for_the_run_and_so_for_the_command_that_resumes_it(connected: Terminal, served: Served):
    connected.write("good.csv", services("A"))
    ending = interrupted(connected, served, "run", "create-services", "good.csv", "--yes")
    again = interrupted(connected, served, *last_words(ending))
    ending = connected.type(*last_words(again), "--json")
    assert (ending.status, ending.object["succeeded"], served.created) == (0, 1, ["A"]), ending.err


def test_who_has_not_agreed_is_asked_when_the_run_is_resumed_until_yes_is_given(connected: Terminal, served: Served):
    connected.write("good.csv", services("A"))
    ending = interrupted(connected, served, "run", "create-services", "good.csv")
    refused = connected.type(*last_words(ending))
    assert (refused.status, "Add --yes" in refused.why, served.wire.writes) == (2, True, [])
    ending = interrupted(connected, served, *last_words(ending), "--yes")
    assert connected.type(*last_words(ending)).status == 0
    assert served.created == ["A"]


def test_a_retry_keeps_the_yes_that_it_was_given_and_not_that_of_its_run(connected: Terminal, served: Served):
    connected.write("good.csv", services("A"))
    rejected = {"code": "INVALID_DATA", "details": {}, "message": "no", "status": "error"}
    served.wire.script(Say(400, {"data": [rejected]}))
    run = connected.type("run", "create-services", "good.csv", "--yes", "--json").object["run"]
    served.wire.heard.clear()
    ending = interrupted(connected, served, "retry", run)
    assert "Add --yes" in connected.type(*last_words(ending)).why
    ending = interrupted(connected, served, *last_words(ending), "--yes")
    assert (connected.type(*last_words(ending)).status, served.created) == (0, ["A"])


def test_the_yes_of_a_job_counts_for_its_steps_wherever_it_was_given(connected: Terminal, served: Served):
    connected.write("good.csv", services("A"))
    step = '[[step]]\noperation = "create-services"\nsource = "good.csv"\n'
    for name, said, words in (("flag", "", ["--yes"]), ("said", "yes = true\n", [])):
        served.wire.heard.clear()
        connected.write("good.csv", services(name))
        connected.write("job.toml", f'name = "{name}"\n{said}{step}')
        ending = interrupted(connected, served, "run", "--job", "job.toml", *words)
        assert connected.type(*last_words(ending)).status == 0
        assert served.created[-1] == name


@posix
def test_a_yes_counts_where_it_was_given_for_and_not_where_another_profile_leads(terminal: Terminal, served: Served):
    from test_cli_access import logged_in

    logged_in(terminal, served)
    logged_in(terminal, served, "other")
    terminal.write("good.csv", services("A"))
    served.wire.interfere = holding(signal.SIGINT, lambda heard: heard.path == "org")
    ending = terminal.type("run", "create-services", "good.csv", "--yes", "--profile", "main")
    served.wire.script()
    assert ending.status == 130, ending.err
    words = last_words(ending)
    refused = terminal.type(*words[:2], "--profile", "other")
    assert (refused.status, "Add --yes" in refused.why, served.wire.writes) == (2, True, [])
    assert (terminal.type(*words).status, served.created) == (0, ["A"])


# -- a second signal before the first write


def holding(sent: signal.Signals, is_held: Callable[[Heard], bool]) -> Callable[[Heard], Awaitable[None]]:
    """Send the signal twice while a request is held that is answered much later."""

    async def hold(heard: Heard) -> None:
        if is_held(heard):
            signal.raise_signal(sent)
            await asyncio.sleep(0.05)
            signal.raise_signal(sent)
            await asyncio.sleep(20)

    return hold


@posix
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("place", ["org", "what comes after it"])
def test_the_second_signal_ends_at_once_while_the_organisation_is_read(
    connected: Terminal, served: Served, sent: signal.Signals, place: str
):
    connected.write("good.csv", services("A"))
    served.wire.interfere = holding(sent, lambda heard: (heard.path == "org") is (place == "org"))
    begun = time.monotonic()
    ending = connected.type("run", "create-services", "good.csv", "--yes", "--json")
    assert time.monotonic() - begun < 10
    told = ending.object
    assert (ending.status, told["state"], told["unsent"], list(told)) == (130, "interrupted", 1, KEYS), ending.err
    assert ending.last == told["resume"] == f"bulkzcrm resume {told['run']}"
    assert Path(told["files"]["results"]).exists()
    assert not served.wire.writes
    served.wire.script()
    assert connected.type(*last_words(ending)).status == 0
    assert served.created == ["A"]


# -- the run that is meant


def stopped(terminal: Terminal, served: Served, name: str) -> str:
    """Begin a run that stops, and return its id."""
    served.wire.script(REFUSAL)
    terminal.environ = served.environ
    terminal.write(f"{name}.csv", services(name))
    ending = terminal.type("run", "create-services", f"{name}.csv", "--yes")
    assert ending.status == 3, ending.err
    return last_words(ending)[1]


def test_resume_alone_takes_the_latest_run_of_the_organisation_in_use(terminal: Terminal, served: Served):
    with serving() as other:
        mine = stopped(terminal, served, "mine")
        theirs = stopped(terminal, other, "theirs")
        terminal.environ = served.environ
        ending = terminal.type("resume", "--json")
        assert (ending.status, ending.object["run"], served.created) == (0, mine, ["mine"]), ending.err
        assert other.created == []
        also = stopped(terminal, other, "also theirs")
        terminal.environ = served.environ
        refused = terminal.type("resume", "--json")
        assert (refused.status, refused.object["state"]) == (2, "refused")
        assert re.findall(r"`(bulkzcrm resume [^`]*)`", refused.why) == [
            f"bulkzcrm resume {also}",
            f"bulkzcrm resume {theirs}",
        ]
        terminal.environ = other.environ
        assert terminal.type("resume", "--json").object["run"] == also


def test_resume_alone_leaves_out_rehearsals_whose_sandbox_is_gone(terminal: Terminal, served: Served):
    mine = stopped(terminal, served, "mine")
    terminal.write("bad.csv", services("A") + SPOILED)
    for folder in ("gone", "there"):
        words = ("run", "create-services", "bad.csv", "--sandbox", "--max-errors", "0", "-o", folder)
        assert terminal.type(*words).status == 3
    for file in (terminal.folder / "gone").glob("sandbox.sqlite3*"):
        file.unlink()
    assert terminal.type("resume", "--json").object["files"]["summary"].endswith("summary.json")
    assert terminal.type("resume", "--json").object["run"] == mine
    assert "The sandbox of the run" in terminal.type("resume").why


# -- progress


def test_progress_counts_every_row_once_and_ends_where_the_run_does(connected: Terminal, served: Served):
    connected.write("good.csv", services(*NAMES))
    served.wire.script(Cut(applied=True), None, Cut(applied=False), None, Cut(applied=False), None)
    words = ("--yes", "--batch-size", "1", "--concurrency", "1", "--quiet-period", "0")
    ending = connected.type("run", "create-services", "good.csv", *words)
    assert (ending.status, sorted(served.created)) == (0, NAMES), ending.err
    assert sent(ending)[-1] == (6, 6)


def test_progress_of_a_resumed_run_counts_what_is_read_back_too(connected: Terminal, served: Served):
    connected.write("good.csv", services(*NAMES))
    served.wire.script(None, Cut(applied=True), REFUSAL)
    words = ("--yes", "--batch-size", "1", "--concurrency", "1", "--quiet-period", "0")
    first = connected.type("run", "create-services", "good.csv", *words)
    assert (first.status, sent(first)[-1][1]) == (3, 6), first.err
    again = connected.type(*last_words(first))
    assert (again.status, sorted(served.created)) == (0, NAMES), again.err
    done, total = sent(again)[-1]
    assert done == total
    assert total == 6 - sent(first)[-1][0]


def sent(ending: Ended) -> list[tuple[int, int]]:
    """The lines of progress that count rows sent, none of which is above its total or below the one before."""
    found = [(int(done), int(total)) for done, total in re.findall(r"sending: ([\d]+) of (\d+) rows?", ending.err)]
    assert all(done <= total for done, total in found)
    assert all(before < after for before, after in pairwise(found))
    return found
