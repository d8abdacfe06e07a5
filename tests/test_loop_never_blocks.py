"""No step of the event loop takes long: requests, signals and the claim on a run wait for nobody's turn."""

from __future__ import annotations

import json
import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import xlsxwriter
from terminal import SERVICE, SERVICES, Terminal, ended

ROWS = 20_000
LONGEST_S = 0.05
"""Of the processor's time."""
STILL_S = 0.5
"""Of waiting for anything, disks included, which are slow at times."""
WATCHED = (sys.executable, str(Path(__file__).with_name("watched_loop.py")))


@contextmanager
def served(terminal: Terminal) -> Iterator[None]:
    """A sandbox in a process of its own, as large as need be."""
    limits = ("--active-services", "1000000", "--credits", "1000000", "--no-token-throttle")
    with terminal.start("sandbox", *limits) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline().decode() for _ in range(7)]
        terminal.environ = dict(shlex.split(line)[-1].split("=", 1) for line in lines)
        yield
        process.send_signal(signal.SIGINT)
        ended(process)


def source(terminal: Terminal, kind: str) -> str:
    lines = [SERVICES, *(SERVICE.format(f"Service {number}") for number in range(ROWS - 100))]
    lines += [SERVICE.format(f"Bad {number}").replace(",60,", ",5,") for number in range(100)]
    if kind == "csv":
        return terminal.write("many.csv", "".join(lines))
    workbook = xlsxwriter.Workbook(terminal.folder / "many.xlsx", {"constant_memory": True})
    sheet = workbook.add_worksheet()
    for place, line in enumerate(lines):
        sheet.write_row(place, 0, line.rstrip("\n").split(","))
    workbook.close()
    return "many.xlsx"


@pytest.mark.skipif(sys.platform == "win32", reason="a sandbox is stopped by a signal")
@pytest.mark.timeout(400)
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_no_step_of_the_loop_takes_more_than_fifty_thousandths_of_a_second(terminal: Terminal, kind: str):
    many = source(terminal, kind)
    with served(terminal):
        ending = terminal.run(
            *("told.json", "run", "create-services", many, "--yes", "--json", "--format", "csv,xlsx,jsonl"),
            program=WATCHED,
            seconds=300,
        )
    assert (ending.status, ending.object["succeeded"], ending.object["invalid"]) == (1, ROWS - 100, 100), ending.err
    told = json.loads((terminal.folder / "told.json").read_text(encoding="utf-8"))
    assert told["steps"] > 1000
    assert told["busy"] <= LONGEST_S, told["named"]
    assert told["still"] <= STILL_S, told["named"]
