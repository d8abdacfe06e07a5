"""The command line in a process that kills itself at a certain moment: `python killed_job.py COUNT MOMENT ARGUMENTS...`

read, write     after COUNT writes, when the next read or write comes in at the sandbox that the process holds
source, taken   before the first row of the source after COUNT others is read; after the last row of source COUNT
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import pytest

from bulkzcrm.cli import main
from bulkzcrm.run.ingesting import Taken, take_in
from bulkzcrm.sandbox.faults import Fault, Faults


def die() -> None:
    """End this process as if the machine had lost its power: nothing is written, closed or said any more."""
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


class DeadlyFaults(Faults):
    """Dies at a request to the sandbox."""

    def __init__(self, after_writes: int, *, on_write: bool) -> None:
        super().__init__()
        self._left = after_writes
        self._on_write = on_write

    def next_fault(self, *, is_write: bool) -> Fault | None:
        if not self._left and is_write is self._on_write:
            die()
        self._left -= is_write
        return None


def dying_at_source(count: int, *, afterwards: bool) -> Callable[..., Taken]:
    """Return a `take_in` that dies at one of its calls."""
    calls = 0

    def taking_in(*positional: Any, **named: Any) -> Taken:
        nonlocal calls
        if calls == count and not afterwards:
            die()
        calls += 1
        taken = take_in(*positional, **named)
        if calls == count and afterwards:
            die()
        return taken

    return taking_in


if __name__ == "__main__":
    number, moment = int(sys.argv[1]), sys.argv[2]
    with pytest.MonkeyPatch.context() as patch:
        if moment in ("read", "write"):
            faults = DeadlyFaults(number, on_write=moment == "write")
            patch.setattr("bulkzcrm.sandbox.core.Faults", lambda: faults)
        else:
            patch.setattr("bulkzcrm.run.engine.take_in", dying_at_source(number, afterwards=moment == "taken"))
        main(sys.argv[3:])
