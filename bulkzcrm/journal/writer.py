"""Writing from async code: what `do` has returned is on the disk, and many writers share one commit."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from bulkzcrm.errors import OutputError
from bulkzcrm.journal.store import Journal

__all__ = ["JournalWriter"]

_T = TypeVar("_T")

_LARGEST_GROUP = 256
"""Pieces of work in one commit at most, so that the first of them is not kept waiting for ever."""


class JournalWriter:
    """Owns a journal while it is entered: one thread does all the work that is handed over, in order.

    Work that is waiting is done in groups, each group in one transaction (group commit), so that the price of a durable
    commit is shared. Work that fails is undone alone and its neighbours stand; if the commit itself fails, all of the
    group have failed and know it, and what was committed earlier is intact. Leaving the context does the work that is
    still waiting; the journal is then the caller's again, and open.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._waiting: queue.SimpleQueue[_Work[Any] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="bulkzcrm-journal", daemon=True)
        self._entrance = threading.Lock()
        self._is_open = False

    def __enter__(self) -> Self:
        self._thread.start()
        self._is_open = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._entrance:
            self._is_open = False
            self._waiting.put(None)
        self._thread.join()

    async def do(self, work: Callable[[Journal], _T]) -> _T:
        """Do `work` in the writer's thread, and return its result (or raise its error) once it is on the disk.

        Cancelling stops the waiting, never the work: who must know the end of it uses `submit` and asks the future.
        """
        return await asyncio.wrap_future(self.submit(work))

    def submit(self, work: Callable[[Journal], _T]) -> Future[_T]:
        """Hand work over from any thread; the future is done when the commit is, and cannot be cancelled."""
        handed_over = _Work(work)
        with self._entrance:
            if not self._is_open:
                raise RuntimeError("The journal's writer is closed.")
            self._waiting.put(handed_over)
        return handed_over.future

    def _serve(self) -> None:
        while (first := self._waiting.get()) is not None:
            group = [first, *self._rest_of_group()]
            self._commit(group)

    def _rest_of_group(self) -> list[_Work[Any]]:
        rest: list[_Work[Any]] = []
        with suppress(queue.Empty):
            while len(rest) < _LARGEST_GROUP - 1:
                work = self._waiting.get_nowait()
                if work is None:
                    self._waiting.put(None)
                    break
                rest.append(work)
        return rest

    def _commit(self, group: Sequence[_Work[Any]]) -> None:
        try:
            with self._journal.transaction():
                for work in group:
                    work.attempt(self._journal)
        except BaseException as error:  # noqa: BLE001  whatever it is, those who wait must hear of it
            for work in group:
                work.fail(error)
        for work in group:
            work.announce()


class _Work(Generic[_T]):
    """One function to be called with the journal, and what came of it."""

    def __init__(self, work: Callable[[Journal], _T]) -> None:
        self.future: Future[_T] = Future()
        self.future.set_running_or_notify_cancel()
        self._work = work
        self._error: BaseException | None = None
        self._result: _T

    def attempt(self, journal: Journal) -> None:
        """Call the function in a transaction of its own inside the group's."""
        try:
            with journal.transaction():
                self._result = self._work(journal)
        except BaseException as error:
            self._error = error
            if not journal.in_transaction:
                # SQLite has undone the whole group, not just this part of it.
                raise

    def fail(self, error: BaseException) -> None:
        """Learn that the group was not committed; an error of the work's own is told rather than that."""
        if self._error is None:
            # Each waiter gets an error of its own: a shared one would collect the tracebacks of all of them.
            self._error = OutputError(error.message, error.cure) if isinstance(error, OutputError) else error

    def announce(self) -> None:
        """Tell who waits."""
        if self._error is None:
            self.future.set_result(self._result)
        else:
            self.future.set_exception(self._error)
