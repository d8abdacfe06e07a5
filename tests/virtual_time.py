"""A time that passes only where everybody waits, and an event loop that lives in it: hours take microseconds.

Nothing here runs beside anything else, so that the same beginning leads to the same end, however busy the machine is.
"""

from __future__ import annotations

import asyncio
import itertools
import selectors
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, TypeVar

import anyio.lowlevel
import anyio.to_thread
import pytest

from bulkzcrm.journal import JournalWriter
from bulkzcrm.journal.writer import _PATIENCE_S

START = datetime(2030, 1, 7, 9, 30, tzinfo=UTC)
"""A Monday; 15:00 where the sandbox's organisation is."""

_T = TypeVar("_T")


class VirtualTime:
    """Seconds since `START`; they only ever grow."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def pass_by(self, seconds: float) -> None:
        """Let seconds pass."""
        self.seconds += max(0.0, seconds)

    def now(self) -> datetime:
        """Tell the moment."""
        return START + timedelta(seconds=self.seconds)

    def now_ms(self) -> int:
        """Tell the moment in milliseconds since 1970."""
        return int(self.now().timestamp() * 1000)


class StuckError(Exception):
    """Everybody waits for something that nobody will do."""


class _NothingToWaitFor(selectors.DefaultSelector):
    """Instead of waiting for seconds, lets them pass."""

    def __init__(self, time: VirtualTime) -> None:
        super().__init__()
        self._time = time

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready: list[tuple[selectors.SelectorKey, int]] = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise StuckError("Every task of the program waits, and there is nothing that could wake any of them.")
        self._time.pass_by(timeout)
        return []


class _VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self, time: VirtualTime) -> None:
        self._virtual = time
        super().__init__(_NothingToWaitFor(time))
        # What a killed program leaves behind is nobody's news.
        self.set_exception_handler(lambda _loop, _context: None)

    def time(self) -> float:
        return self._virtual.seconds


def _begin(writer: JournalWriter) -> JournalWriter:
    writer._is_open = True
    return writer


def _end(writer: JournalWriter, *_: object) -> None:
    writer._is_open = False
    _serve(writer)


_hand_over = JournalWriter._hand_over


def _hand_over_here(writer: JournalWriter, work: Any) -> None:
    """Hand work over that is done when the loop comes round to it: groups and commits are the real ones."""
    loop = asyncio.get_running_loop()
    if work.is_patient:
        loop.call_later(_PATIENCE_S, _serve, writer)
    else:
        loop.call_soon(_serve, writer)
    _hand_over(writer, work)


def _serve(writer: JournalWriter) -> None:
    """Do what waits, unless somebody else's call has done it."""
    group = []
    while not writer._waiting.empty():
        group.append(writer._waiting.get_nowait())
    if group:
        writer._commit(group)


async def _in_this_thread(work: Callable[..., _T], *arguments: Any, **_: Any) -> _T:
    await anyio.lowlevel.checkpoint()
    return work(*arguments)


@contextmanager
def single_threaded(owner: str, seed: int) -> Iterator[None]:
    """Have the engine do everything in one thread, under the name of one process, with dice that always fall alike."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("anyio.to_thread.run_sync", _in_this_thread)
        for name, instead in (("__enter__", _begin), ("__exit__", _end), ("_hand_over", _hand_over_here)):
            patch.setattr(JournalWriter, name, instead)
        patch.setattr("bulkzcrm.run.engine._OWNER", owner)
        patch.setattr("bulkzcrm.sharing.share.owner_name", lambda: f"{owner}/share")
        for name in ("client", "limiter"):
            patch.setattr(f"bulkzcrm.{name}.Random", lambda: Random(seed))  # noqa: S311 - spreads retries
        # The same tokens in every world: the program remembers for ever which texts it must never show.
        tokens = (f"1000.{seed:016x}{number:016x}.{'0' * 32}" for number in itertools.count())
        patch.setattr("bulkzcrm.sandbox.oauth._token", lambda: next(tokens))
        yield


@contextmanager
def standing_still() -> Iterator[None]:
    """Suspend the program that is running, as a whole, so that others can live meanwhile."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task(loop)
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(loop)
        assert asyncio.current_task(loop) is task


def live(time: VirtualTime, program: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
    """Run a program from its start to its end, or to whatever ends it."""
    with asyncio.Runner(loop_factory=lambda: _VirtualLoop(time)) as runner:
        return runner.run(program())
