"""May a request still leave? Only while the run is certainly ours: who was suspended sends nothing when he wakes up."""

from __future__ import annotations

from typing import final

from bulkzcrm.clock import Clock, milliseconds, system_clock
from bulkzcrm.journal import Journal
from bulkzcrm.spec.certainty import Observed
from bulkzcrm.wire import NotSentError

__all__ = ["Claim"]


@final
class Claim:
    """A process's hold on a run, as far as it is certain: until the end of the lease that it wrote last.

    `clock` must be the one by which other processes judge the lease: the computer's, not the server's. `lease_ms` is
    how long a lease lasts, in milliseconds. Until a lease is known to be written nothing may leave.
    """

    def __init__(self, run: str, epoch: int, *, lease_ms: int, clock: Clock = system_clock) -> None:
        self._run = run
        self._epoch = epoch
        self._lease_ms = lease_ms
        self._clock = clock
        self._until_ms = 0

    def extend(self, journal: Journal) -> int:
        """Write a new lease, and return its end (milliseconds UTC) for `extended`, once that is on the disk.

        Raises `LostLeaseError` when another process has claimed the run.
        """
        now_ms = self._now_ms()
        journal.extend_lease(self._run, self._epoch, now_ms, self._lease_ms)
        return now_ms + self._lease_ms

    def extended(self, until_ms: int) -> None:
        """Learn that a lease until then is on the disk."""
        # Also when that is earlier than before: others judge by what is written, and the clock may have been set back.
        self._until_ms = until_ms

    def may_leave(self) -> None:
        """Raise `NotSentError` when another process may have claimed the run by now."""
        if self._now_ms() >= self._until_ms:
            raise NotSentError(
                "This process stood still for so long that its claim on the run ran out, and held the request back.",
                Observed.NOT_WRITTEN,
            )

    def _now_ms(self) -> int:
        return milliseconds(self._clock())
