"""How a run is asked to stop: once to finish what is in flight, twice to end at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import final

import anyio

from bulkzcrm.errors import StoppedError

__all__ = ["InterruptedRunError", "StopSignal"]


class InterruptedRunError(StoppedError):
    """Somebody asked the run to stop."""

    exit_status = 130

    def __init__(self, cure: str = "Nothing is lost; resume it when you like.") -> None:
        super().__init__("The run was interrupted.", cure)


@final
class StopSignal:
    """Remembers that a run shall stop. `drain` and `abort` may be called from a signal's callback in the event loop.

    `sleep` is what waits for seconds while nobody asks to stop.
    """

    def __init__(self, *, sleep: Callable[[float], Awaitable[object]] = anyio.sleep) -> None:
        self._sleep = sleep
        self._asked = anyio.Event()
        self._scope: anyio.CancelScope | None = None
        self.aborted = False

    @property
    def requested(self) -> bool:
        """Whether the run was asked to stop."""
        return self._asked.is_set()

    def again(self) -> None:
        """Ask once: drain. Ask again: abort."""
        if self.requested:
            self.abort()
        else:
            self.drain()

    def drain(self) -> None:
        """Let what is in flight end, and begin nothing more."""
        self._asked.set()

    def abort(self) -> None:
        """End now, whatever is in flight."""
        self._asked.set()
        self.aborted = True
        if self._scope is not None:
            self._scope.cancel()

    def covers(self, scope: anyio.CancelScope) -> anyio.CancelScope:
        """Make `abort` cancel this scope, and no longer the one before."""
        self._scope = scope
        if self.aborted:
            scope.cancel()
        return scope

    def go_on(self) -> None:
        """Raise `InterruptedRunError` when the run shall stop."""
        if self.requested:
            raise InterruptedRunError

    async def sleep(self, seconds: float) -> None:
        """Sleep; raise `InterruptedRunError` as soon as the run shall stop."""
        self.go_on()
        async with anyio.create_task_group() as group:
            group.start_soon(self._wake, group.cancel_scope)
            await self._sleep(seconds)
            group.cancel_scope.cancel()
        self.go_on()

    async def _wake(self, sleeper: anyio.CancelScope) -> None:
        await self._asked.wait()
        sleeper.cancel()
