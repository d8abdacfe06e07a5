"""The parts of a script written by hand for this one spreadsheet: rows, a durable journal, a report."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from .conversion import Problem, converted
from .sources import MEMBERS, TAXES

__all__ = [
    "BATCH",
    "DECODER",
    "ENCODER",
    "JOURNAL",
    "Entry",
    "HandRow",
    "durable_journal",
    "entry_of",
    "hand_pieces",
    "hand_rows",
    "insert",
    "reporting",
    "status_of",
]

JOURNAL = "by-hand.sqlite3"
BATCH = 100
ENCODER = msgspec.json.Encoder(decimal_format="number")
DECODER = msgspec.json.Decoder()

_RESULTS = ("result_row", "result_status", "result_code", "result_field", "result_message", "result_record_id")
_PIECE = 1000

HandRow = tuple[int, list[str], dict[str, Any], list[Problem]]
"""Number, cells, record, problems."""

Entry = tuple[int, bytes, bytes | None, str, bytes | None, str | None]
"""Number, cells, record (where it is read again), status, problems, id: a row of the journal."""


def hand_rows(source: str) -> Iterator[HandRow]:
    """Read and convert."""
    with Path(source).open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream)
        next(reader)
        for number, cells in enumerate(reader, start=2):
            record, problems = converted(cells, MEMBERS, TAXES)
            yield number, cells, record, problems


def hand_pieces(source: str) -> Iterator[list[HandRow]]:
    """Read and convert, a thousand rows at a time."""
    piece: list[HandRow] = []
    for row in hand_rows(source):
        piece.append(row)
        if len(piece) == _PIECE:
            yield piece
            piece = []
    if piece:
        yield piece


def durable_journal() -> sqlite3.Connection:
    """Open a journal on the disk: what is committed is on it. The mode is the quickest that is safe, as the tool's."""
    connection = sqlite3.connect(JOURNAL, isolation_level=None, check_same_thread=False)
    # A log that is written ahead could be damaged by SQLite before that version.
    connection.execute(f"PRAGMA journal_mode = {'WAL' if sqlite3.sqlite_version_info >= (3, 51, 3) else 'TRUNCATE'}")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(
        "CREATE TABLE entry (number INTEGER PRIMARY KEY, cells TEXT, record TEXT, status TEXT, problems TEXT, id TEXT)"
    )
    return connection


def entry_of(row: HandRow, status: str, record_id: str | None = None, *, with_record: bool = False) -> Entry:
    """Return what the journal holds of a row; `with_record` also what is to be sent of it later."""
    number, cells, record, problems = row
    told = ENCODER.encode(problems) if problems else None
    return number, ENCODER.encode(cells), ENCODER.encode(record) if with_record else None, status, told, record_id


def insert(connection: sqlite3.Connection, entries: Sequence[Entry]) -> None:
    """Put rows into the journal in one transaction."""
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?)", entries)
    connection.execute("COMMIT")


def status_of(answer: dict[str, Any]) -> str:
    """Return how a row ended, by what the organisation said of it."""
    return "succeeded" if answer["code"] == "SUCCESS" else "rejected"


@contextmanager
def reporting(source: str) -> Iterator[Callable[[list[str]], Any]]:
    """Write a CSV: the source's columns and ours. Call what comes with the cells of each row."""
    with Path("by-hand.csv").open("w", encoding="utf-8-sig", newline="") as stream:
        report = csv.writer(stream)
        with Path(source).open(encoding="utf-8-sig", newline="") as head:
            report.writerow([*next(csv.reader(head)), *_RESULTS])
        yield report.writerow
