"""The same work by hand with this tool's promises, as cheaply as they can be kept by hand for one spreadsheet.

All rows are in the journal before the first request leaves, each request's intent is on the disk before it leaves, its
answer before its place is taken by another, and the report is read from the journal. So a run by hand that was killed
could be carried on with, and what our run costs beyond this one is the price of serving every spreadsheet.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import aiohttp

from .baseline import answered
from .handwork import (
    BATCH,
    DECODER,
    JOURNAL,
    Entry,
    HandRow,
    durable_journal,
    entry_of,
    hand_pieces,
    insert,
    reporting,
    status_of,
)
from .stopwatch import Stopwatch

__all__ = ["run_safely_by_hand"]

_PAGE = 1000
_AT_ONCE = 10


def run_safely_by_hand(watch: Stopwatch, *, source: str, good: int, bad: int, url: str) -> int:
    """Ingest first, then send by ten workers, then report."""
    watch.start()
    with closing(durable_journal()) as connection:
        connection.execute("CREATE TABLE batch (first INTEGER PRIMARY KEY, last INTEGER)")
        for piece in hand_pieces(source):
            insert(connection, [_entry_of(row) for row in piece])
        watch.lap("ingest")
        asyncio.run(_send(connection, url))
        watch.lap("send")
        counts = _report(connection, source)
        watch.lap("report")
        watch.stop()
    assert counts == (good, bad)
    return good + bad


def _entry_of(row: HandRow) -> Entry:
    return entry_of(row, "invalid" if row[3] else "pending", with_record=True)


_Change = tuple[str, list[tuple[Any, ...]], "asyncio.Future[None]"]
"""A statement, its values, and who waits until it is on the disk."""


class _Writer:
    """Commits what has gathered while the last commit was under way, in another thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._waiting: list[_Change] = []
        self._wake = asyncio.Event()

    async def durably(self, sql: str, values: list[tuple[Any, ...]]) -> None:
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((sql, values, written))
        self._wake.set()
        await written

    async def work(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            group, self._waiting = self._waiting, []
            await asyncio.to_thread(self._commit, group)
            for _, _, written in group:
                written.set_result(None)

    def _commit(self, group: list[_Change]) -> None:
        self._connection.execute("BEGIN")
        for sql, values, _ in group:
            self._connection.executemany(sql, values)
        self._connection.execute("COMMIT")


def _batches() -> Iterator[list[tuple[int, bytes]]]:
    """Yield the numbers and records of pending rows, a batch at a time, in order."""
    after = 0
    with closing(sqlite3.connect(JOURNAL)) as connection:
        while page := connection.execute(
            "SELECT number, record FROM entry WHERE number > ? AND status = 'pending' ORDER BY number LIMIT ?",
            (after, _PAGE),
        ).fetchall():
            after = page[-1][0]
            for at in range(0, len(page), BATCH):
                yield page[at : at + BATCH]


async def _send(connection: sqlite3.Connection, url: str) -> None:
    writer = _Writer(connection)
    batches = _batches()

    async def work(session: aiohttp.ClientSession) -> None:
        for batch in batches:
            await writer.durably("INSERT INTO batch VALUES (?, ?)", [(batch[0][0], batch[-1][0])])
            body = b'{"data":[' + b",".join(record for _, record in batch) + b"]}"
            answers = zip(batch, await answered(session, url, body), strict=True)
            outcomes = [(status_of(answer), answer["details"]["id"], number) for (number, _), answer in answers]
            await writer.durably("UPDATE entry SET status = ?, id = ? WHERE number = ?", outcomes)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=_AT_ONCE)) as session:
        writing = asyncio.create_task(writer.work())
        await asyncio.gather(*(work(session) for _ in range(_AT_ONCE)))
        writing.cancel()


def _report(connection: sqlite3.Connection, source: str) -> tuple[int, int]:
    counts = {"succeeded": 0, "invalid": 0}
    with reporting(source) as report:
        for number, cells, status, told, record_id in connection.execute(
            "SELECT number, cells, status, problems, id FROM entry ORDER BY number"
        ):
            counts[status] += 1
            code, field, message = DECODER.decode(told)[0] if told else ("", "", "")
            report([*DECODER.decode(cells), str(number), status, code, field, message, record_id or ""])
    return counts["succeeded"], counts["invalid"]
