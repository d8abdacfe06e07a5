"""Statements about the requests of a run over time."""

from __future__ import annotations

from collections.abc import Sequence

from bulkzcrm.journal.database import Database
from bulkzcrm.traffic import Second


def add(database: Database, run: str, seconds: Sequence[Second]) -> None:
    """Add to what is known of some seconds."""
    database.change_many(
        "INSERT INTO traffic (run, begin_ms, requests, throttled, failed, latency_ms, slowest_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run, begin_ms) DO UPDATE SET"
        " requests = traffic.requests + excluded.requests, throttled = traffic.throttled + excluded.throttled,"
        " failed = traffic.failed + excluded.failed, latency_ms = traffic.latency_ms + excluded.latency_ms,"
        " slowest_ms = CASE WHEN excluded.slowest_ms > traffic.slowest_ms THEN excluded.slowest_ms"
        " ELSE traffic.slowest_ms END",
        (
            (run, each.begin_ms, each.requests, each.throttled, each.failed, each.latency_ms, each.slowest_ms)
            for each in seconds
        ),
    )


def page(database: Database, run: str, after_ms: int, limit: int) -> list[Second]:
    """Return the next seconds in which requests were over."""
    found = database.all(
        "SELECT begin_ms, requests, throttled, failed, latency_ms, slowest_ms FROM traffic"
        " WHERE run = ? AND begin_ms > ? ORDER BY begin_ms LIMIT ?",
        (run, after_ms, limit),
    )
    return [
        Second(
            begin_ms=begin_ms,
            requests=requests,
            throttled=throttled,
            failed=failed,
            latency_ms=latency_ms,
            slowest_ms=slowest_ms,
        )
        for begin_ms, requests, throttled, failed, latency_ms, slowest_ms in found
    ]
