"""An older journal is left as it is while an older program is at work in it."""

from __future__ import annotations

import os
import socket
import sqlite3
from pathlib import Path

import pytest
from test_journal_opening import old_journal, pragma, tables

from bulkzcrm.errors import JournalError
from bulkzcrm.journal import Journal
from bulkzcrm.journal.opening import SCHEMA_VERSION

NOW = 1_900_000_000_000
RUN = "20300107-093001-abcdef"
ELSEWHERE = "elsewhere/1/ab"


def hold(path: Path, owner: str | None, lease_until_ms: int | None) -> None:
    """Have a run in an old journal that somebody has claimed."""
    connection = sqlite3.connect(path)
    kinds = {name: kind for _, name, kind, *_ in connection.execute("PRAGMA table_info(run)")}
    values: dict[str, object] = {name: 0 if kind != "TEXT" else "{}" for name, kind in kinds.items()}
    values |= {"id": RUN, "job": None, "retry_of": None, "state": "sending"}
    values |= {"columns": "[]", "notes": "[]", "formats": "[]"}
    values |= {"owner": owner, "lease_until_ms": lease_until_ms}
    marks = ", ".join("?" * len(values))
    connection.execute(f"INSERT INTO run ({', '.join(values)}) VALUES ({marks})", list(values.values()))  # noqa: S608
    connection.commit()
    connection.close()


def test_a_journal_is_not_updated_while_an_older_program_is_at_work_in_it(home):
    """That one would not move the revisions by which a report knows that it is of one moment."""
    path = old_journal(home)
    hold(path, ELSEWHERE, NOW + 59_000)
    before = tables(path)
    with pytest.raises(JournalError, match=RUN) as refusal:
        Journal.open(home, clock_ms=lambda: NOW)
    assert "Wait" in refusal.value.cure
    assert (tables(path), pragma(path, "user_version")) == (before, 1)
    with Journal.open(home, clock_ms=lambda: NOW + 60_000) as journal:
        assert journal.run(RUN).owner == ELSEWHERE
    assert pragma(path, "user_version") == SCHEMA_VERSION


@pytest.mark.parametrize(
    ("owner", "lease_until_ms"),
    [
        (None, None),
        # Its process has ended, and another one has got its number: this one.
        (f"{socket.gethostname()}/{os.getpid()}/no name of ours", NOW + 59_000),
        # Written by a clock that was wrong: nobody can wait for that.
        (ELSEWHERE, NOW + 3_600_001),
    ],
    ids=["nobody", "dead", "misdated"],
)
def test_a_journal_is_updated_when_nobody_can_be_at_work_in_it(home, owner, lease_until_ms):
    path = old_journal(home)
    hold(path, owner, lease_until_ms)
    Journal.open(home, clock_ms=lambda: NOW).close()
    assert pragma(path, "user_version") == SCHEMA_VERSION


def test_a_journal_of_the_present_format_is_opened_whoever_is_at_work(home):
    hold(old_journal(home), None, None)
    with Journal.open(home) as journal:
        assert journal.claim(RUN, ELSEWHERE, NOW, 60_000) is not None
    Journal.open(home, clock_ms=lambda: NOW).close()
