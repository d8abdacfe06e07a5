"""The command line in a process that suspends itself once: `python zombie.py CLOCK MOMENT ARGUMENTS...`

CLOCK names a file that holds seconds: so much later than the machine's is the time of every process that is given it.

reading      before the organisation is read
intent       before the intent to send the first batch is written
departure    when the intent is written, and the request has not left
answer       when the first answer has come, and is not written
report       before the first file of the report is put in its place
never        not at all
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bulkzcrm.cli import main
from bulkzcrm.cli.session import at
from bulkzcrm.journal import Reports
from bulkzcrm.run.phase import read_organisation
from bulkzcrm.send.ledger import Ledger

_suspended: list[str] = []


def suspend() -> None:
    """Stand still, as after Ctrl-Z or in a virtual machine that is put to sleep, until somebody wakes this process."""
    if not _suspended:
        _suspended.append("once")
        # In this very thread: another one would let it run on for a moment.
        signal.raise_signal(signal.SIGSTOP)


def standing_still(work: Callable[..., Any], *, afterwards: bool = False) -> Callable[..., Any]:
    """Return asynchronous work that is suspended before its first call, or after it."""

    async def worked(*positional: Any, **named: Any) -> Any:
        if not afterwards:
            suspend()
        done = await work(*positional, **named)
        suspend()
        return done

    return worked


def placing_later(placing: Callable[..., Any]) -> Callable[..., Any]:
    """Return what puts reports in place, suspended before the first file is."""

    def placed(*positional: Any, **named: Any) -> Any:
        suspend()
        return placing(*positional, **named)

    return placed


def patched(patch: pytest.MonkeyPatch, moment: str) -> None:
    match moment:
        case "reading":
            patch.setattr("bulkzcrm.run.phase.read_organisation", standing_still(read_organisation))
        case "intent":
            patch.setattr(Ledger, "sending", standing_still(Ledger.sending))
        case "departure":
            patch.setattr(Ledger, "sending", standing_still(Ledger.sending, afterwards=True))
        case "answer":
            patch.setattr(Ledger, "answered", standing_still(Ledger.answered))
        case "report":
            patch.setattr(Reports, "placing", placing_later(Reports.placing))
        case _:
            assert moment == "never"


if __name__ == "__main__":
    later = Path(sys.argv[1])
    with pytest.MonkeyPatch.context() as patching:
        patched(patching, sys.argv[2])
        with at(lambda: datetime.now(UTC) + timedelta(seconds=float(later.read_text()))):
            main(sys.argv[3:])
