"""Whose run it is, and for how long: a claim that is renewed while its process lives."""

from __future__ import annotations

from bulkzcrm.errors import UsageError
from bulkzcrm.journal import Journal
from bulkzcrm.owners import dead, owner_name

__all__ = ["LEASE_MS", "RENEW_S", "AtWorkError", "claimed", "dead", "owner_name"]

LEASE_MS = 60_000
"""How long a claim holds without being renewed."""
RENEW_S = 15.0
"""How often it is renewed."""


class AtWorkError(UsageError):
    """The run belongs to another process at present."""

    def __init__(self, run: str) -> None:
        super().__init__(
            f"Another process is at work on the run {run}.",
            f"Wait for it to end; if it has died, its claim runs out within {LEASE_MS // 1000} seconds.",
        )


def claimed(journal: Journal, run: str, owner: str, now_ms: int) -> int:
    """Claim a run for `owner`, at once where the process that has it is dead, and return the epoch.

    Raises `AtWorkError` while another process has it.
    """
    holder = journal.run(run).owner
    epoch = journal.claim(run, owner, now_ms, LEASE_MS, dead_owner=holder if dead(holder) else None)
    if epoch is None:
        raise AtWorkError(run)
    return epoch
