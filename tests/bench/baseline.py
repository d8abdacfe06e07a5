"""The same work by hand: what a plain script for this one spreadsheet costs, so that everybody sees what ours adds.

`check_by_hand` reads and converts. `ingest_by_hand` inserts that durably, a thousand rows at a time. `run_by_hand`
posts each thousand as ten requests at once, then inserts rows and answers durably, and writes the report as it goes;
killed half-way, it cannot say which rows were written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import aiohttp

from .handwork import (
    BATCH,
    DECODER,
    ENCODER,
    HandRow,
    durable_journal,
    entry_of,
    hand_pieces,
    hand_rows,
    insert,
    reporting,
    status_of,
)
from .stopwatch import Stopwatch

__all__ = ["answered", "check_by_hand", "ingest_by_hand", "keep_and_report", "run_by_hand"]


def check_by_hand(watch: Stopwatch, *, source: str, good: int, bad: int) -> int:
    """Read and convert, and count what is wrong."""
    watch.start()
    rows = wrong = 0
    for _, _, _, problems in hand_rows(source):
        rows += 1
        wrong += bool(problems)
    watch.stop()
    assert (rows - wrong, wrong) == (good, bad)
    return rows


def ingest_by_hand(watch: Stopwatch, *, source: str, good: int, bad: int) -> int:
    """Read, convert, and insert every thousand rows durably."""
    watch.start()
    rows = 0
    with closing(durable_journal()) as connection:
        for piece in hand_pieces(source):
            insert(connection, [entry_of(row, "invalid" if row[3] else "pending") for row in piece])
            rows += len(piece)
        watch.stop()
    assert rows == good + bad
    return rows


def run_by_hand(watch: Stopwatch, *, source: str, good: int, bad: int, url: str) -> int:
    """Read, convert, post, insert, report: one thousand rows after the other."""
    watch.start()
    counts = asyncio.run(_run(source, url))
    watch.stop()
    assert counts == (good, bad)
    return good + bad


async def _run(source: str, url: str) -> tuple[int, int]:
    succeeded = invalid = 0
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=10)) as session:
        with closing(durable_journal()) as connection, reporting(source) as report:
            for piece in hand_pieces(source):
                rows = [row for row in piece if not row[3]]
                batches = [rows[at : at + BATCH] for at in range(0, len(rows), BATCH)]
                bodies = [ENCODER.encode({"data": [row[2] for row in batch]}) for batch in batches]
                answers = await asyncio.gather(*(answered(session, url, body) for body in bodies))
                counts = keep_and_report(connection, report, piece, [each for batch in answers for each in batch])
                succeeded += counts[0]
                invalid += counts[1]
    return succeeded, invalid


async def answered(session: aiohttp.ClientSession, url: str, body: bytes) -> list[dict[str, Any]]:
    """Post a batch, and return the answers for its records."""
    headers = {"Authorization": "Zoho-oauthtoken x", "Content-Type": "application/json"}
    async with session.post(f"{url}/crm/v8/Services__s", data=body, headers=headers) as answer:
        answer.raise_for_status()
        elements: list[dict[str, Any]] = DECODER.decode(await answer.read())["data"]
    return elements


def keep_and_report(
    connection: Any, report: Any, piece: Sequence[HandRow], answers: Sequence[dict[str, Any]]
) -> tuple[int, int]:
    """Put a piece and its answers into journal and report; return how many rows succeeded, and were invalid."""
    succeeded = invalid = 0
    entries = []
    lines = []
    coming = iter(answers)
    for row in piece:
        number, cells, _, problems = row
        code = field = message = ""
        record_id = None
        if problems:
            status = "invalid"
            code, field, message = problems[0]
            invalid += 1
        else:
            answer = next(coming)
            status, record_id = status_of(answer), answer["details"]["id"]
            succeeded += status == "succeeded"
        entries.append(entry_of(row, status, record_id))
        lines.append([*cells, str(number), status, code, field, message, record_id or ""])
    assert next(coming, None) is None
    insert(connection, entries)
    for line in lines:
        report(line)
    return succeeded, invalid
