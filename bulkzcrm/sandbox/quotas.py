"""API credits in a rolling 24 hours, and how many requests may be in flight at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from bulkzcrm.sandbox.answers import Refused, refuse
from bulkzcrm.sandbox.options import SandboxOptions
from bulkzcrm.sandbox.store import Store, milliseconds

CREDIT_WINDOW = timedelta(hours=24)
RECORDS_A_CREDIT = 10
BIG_WRITE_RECORDS = 10  # a write of more records than this falls under the sub-concurrency limit
BIG_WRITES_AT_ONCE = 10


def price_of(records: int) -> int:
    """Credits that a write of so many records costs: one per ten, at least one."""
    return max(1, -(-records // RECORDS_A_CREDIT))


class Credits:
    """What was spent and when; kept in the store, and counted in memory."""

    def __init__(self, store: Store, limit: int, now: Callable[[], datetime]) -> None:
        """Take up the count where the store left it."""
        self._store = store
        self._limit = limit
        self._now = now
        rows = store.execute("SELECT at_ms, spent FROM credits ORDER BY at_ms")
        self._spendings: deque[tuple[int, int]] = deque((int(str(at)), int(str(spent))) for at, spent in rows)
        self._total = sum(spent for _, spent in self._spendings)

    @property
    def spent(self) -> int:
        """Credits spent in the last 24 hours."""
        since = milliseconds(self._now() - CREDIT_WINDOW)
        while self._spendings and self._spendings[0][0] <= since:
            self._total -= self._spendings.popleft()[1]
        return self._total

    def charge(self, credits_: int) -> None:
        """Spend credits. Raises Refused (429) when there are too few; wants a transaction of the caller's."""
        if self.spent + credits_ > self._limit:
            raise too_many_requests("the credits of the last 24 hours are used up")
        at = milliseconds(self._now())
        self._store.execute("DELETE FROM credits WHERE at_ms <= ?", (at - CREDIT_WINDOW // timedelta(milliseconds=1),))
        self._store.execute("INSERT INTO credits VALUES (?, ?)", (at, credits_))
        self._spendings.append((at, credits_))
        self._total += credits_

    def headers(self) -> dict[str, str]:
        """The header that tells what is left, once half of the credits are spent."""
        spent = self.spent
        return {} if spent * 2 < self._limit else {"X-API-CREDITS-REMAINING": str(self._limit - spent)}


class Traffic:
    """Counts the API requests in flight."""

    def __init__(self, options: SandboxOptions) -> None:
        """Start with none."""
        self._limit = options.concurrency_limit
        self._all = 0
        self._big = 0

    @property
    def in_flight(self) -> int:
        """API requests in flight now."""
        return self._all

    @contextmanager
    def one(self) -> Iterator[None]:
        """Be in flight for the block. Raises Refused (429) when there are too many requests already."""
        if self._all >= self._limit:
            raise too_many_requests("too many requests are in flight")
        self._all += 1
        try:
            yield
        finally:
            self._all -= 1

    @contextmanager
    def big_write(self, records: int) -> Iterator[None]:
        """Be a write of so many records for the block; the limit of 10 holds for those of more than 10 records."""
        if records <= BIG_WRITE_RECORDS:
            yield
            return
        if self._big >= BIG_WRITES_AT_ONCE:
            raise too_many_requests("too many writes of more than 10 records are in flight")
        self._big += 1
        try:
            yield
        finally:
            self._big -= 1


def too_many_requests(message: str) -> Refused:
    """The refusal for every quota that is used up; the status alone does not tell which."""
    return refuse(429, "TOO_MANY_REQUESTS", message)
