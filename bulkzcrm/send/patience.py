"""How long one batch is tried: counted from the first attempt that failed, and inherited by what is left of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import final

from bulkzcrm.client import Client
from bulkzcrm.retry import Cause

__all__ = ["Patience"]


@final
@dataclass(slots=True)
class Patience:
    """The failures in a row of one batch, and of the part of it that has to go again.

    `renewals` counts how often the token was renewed since the last attempt that failed otherwise, `doubts` the
    attempts in a row that left rows in doubt of which none was found written.
    """

    client: Client
    failures: int = 0
    begun: float | None = None
    renewals: int = 0
    doubts: int = 0

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Do not count the time that passes inside: what is waited for there is no failure."""
        before = self.client.monotonic()
        try:
            yield
        finally:
            if self.begun is not None:
                self.begun += self.client.monotonic() - before

    async def wait(self, cause: Cause, reason: str, retry_after: float | None = None) -> None:
        """Wait before the next attempt. Raises `UnreachableError` when it has been tried for long enough."""
        self.failures += 1
        self.renewals = 0
        if self.begun is None:
            # Standing in the queue, and the attempt that has just failed, are no part of the waiting.
            self.begun = self.client.monotonic()
        await self.client.wait(self.failures, cause, begun=self.begun, retry_after=retry_after, reason=reason)
