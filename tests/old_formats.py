"""Journals as earlier versions wrote them, made of what a journal of today holds."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec

from bulkzcrm.cells import encode_cells
from bulkzcrm.journal import Journal
from bulkzcrm.journal.opening import APPLICATION_ID
from bulkzcrm.journal.place import make_place


def old_journal(home: Path) -> Path:
    """Make a journal as the first format was, with an organisation in it."""
    path = make_place(home)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(Path(__file__).with_name("schema_version_1.sql").read_text(encoding="utf-8"))
        connection.executescript(f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 1;")
        connection.execute("INSERT INTO organisation (id, learned_limit, credits_remaining) VALUES ('org-1', 8, 900)")
        connection.commit()
    return path


def write_as_before(journal: Journal, home: Path) -> Path:
    """Make a journal of the first format that holds the runs, rows and batches of this one."""
    path = old_journal(home)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ATTACH ? AS new", (str(journal.path),))
        for table in ("run", "batch"):
            names = ", ".join(row[1] for row in connection.execute(f"PRAGMA main.table_info({table})"))
            connection.execute(f"INSERT INTO main.{table} ({names}) SELECT {names} FROM new.{table}")  # noqa: S608  ours
        for run in journal.runs():
            for row in journal.rows(run.id, limit=10_000):
                connection.execute(
                    f"INSERT INTO source_row VALUES ({', '.join('?' * 17)})",  # noqa: S608  marks
                    (
                        *(run.id, row.ordinal, row.number, None, encode_cells(row.cells).decode()),
                        encode_cells(row.surplus).decode() if row.surplus else None,
                        _json(row.record),
                        *(row.identity, row.fingerprint, int(row.is_open), row.status.value),
                        _json(row.problems) if row.problems else None,
                        *(row.code, row.record_id, row.batch, row.attempts, _json(row.before)),
                    ),
                )
        connection.commit()
    return path


def _json(value: object) -> str | None:
    return None if value is None else msgspec.json.Encoder(decimal_format="number").encode(value).decode()
