"""Writing from async code: what `do` has returned is on the disk, and many writers share one commit."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from bulkzcrm.errors import OutputError
from bulkzcrm.journal.store import Journal

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from asyncio import Future as AsyncFuture

__all__ = ["JournalWriter"]

_T = TypeVar("_T")

_LARGEST_GROUP = 256
"""Pieces of work in one commit at most, so that the first of them is not kept waiting for ever."""
_PATIENCE_S = 0.02
"""So long patient work waits for other work at most."""


class JournalWriter:
    """Owns a journal while it is entered: one thread does all the work that is handed over, in order.

    Work that is waiting is done in groups, each group in one transaction (group commit), so that the price of a durable
    commit is shared. Work that fails is undone alone and its neighbours stand; if the commit itself fails, all of the
    group have failed and know it, and what was committed earlier is intact. Leaving the context does the work that is
    still waiting; the journal is then the caller's again, and open.

    Work that is `patient` waits a few hundredths of a second for other work, which is about to come: the two need one
    commit then and not two. If it fails, or any work because nothing can be written, what stands behind it in the group
    has failed as well: an intent is not written where the outcome before it could not be.
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

    async def do(self, work: Callable[[Journal], _T], *, patient: bool = False) -> _T:
        """Do `work` in the writer's thread, and return its result (or raise its error) once it is on the disk.

        Cancelling stops the waiting, never the work: who must know the end of it uses `submit` and asks the future.
        """
        import asyncio  # noqa: PLC0415 - it takes its time, and many commands only read the journal

        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[_T] = loop.create_future()
        self._hand_over(_Work(work, (loop, waiter), is_patient=patient))
        return await waiter

    def submit(self, work: Callable[[Journal], _T]) -> Future[_T]:
        """Hand work over from any thread; the future is done when the commit is, and cannot be cancelled."""
        handed_over = _Work(work)
        self._hand_over(handed_over)
        return handed_over.future

    def _hand_over(self, work: _Work[Any]) -> None:
        with self._entrance:
            if not self._is_open:
                raise RuntimeError("The journal's writer is closed.")
            self._waiting.put(work)

    def _serve(self) -> None:
        while (first := self._waiting.get()) is not None:
            group = [first]
            self._gather(group)
            self._commit(group)

    def _gather(self, group: list[_Work[Any]]) -> None:
        """Add what is waiting; as long as all of it is patient, also what comes a little later."""
        until = time.monotonic() + _PATIENCE_S
        with suppress(queue.Empty):
            while len(group) < _LARGEST_GROUP:
                is_patient = all(work.is_patient for work in group)
                wait_s = max(0.0, until - time.monotonic()) if is_patient else 0.0
                work = self._waiting.get(timeout=wait_s) if wait_s else self._waiting.get_nowait()
                if work is None:
                    self._waiting.put(None)
                    break
                group.append(work)

    def _commit(self, group: Sequence[_Work[Any]]) -> None:
        try:
            with self._journal.transaction():
                refused: BaseException | None = None
                for work in group:
                    if refused is None:
                        refused = work.attempt(self._journal)
                    else:
                        work.fail(refused)
        except BaseException as error:  # noqa: BLE001  whatever it is, those who wait must hear of it
            for work in group:
                work.fail(error)
        _announce(group)


def _announce(group: Sequence[_Work[Any]]) -> None:
    """Tell all who wait; those who do so in one event loop together, since waking it up takes its time."""
    loops: dict[AbstractEventLoop, list[_Work[Any]]] = {}
    for work in group:
        if work.waiter is None:
            work.announce()
        else:
            loops.setdefault(work.waiter[0], []).append(work)
    for loop, together in loops.items():
        # A loop that has ended has nobody left who waits.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_tell, together)


def _tell(together: Sequence[_Work[Any]]) -> None:
    for work in together:
        work.tell()


class _Work(Generic[_T]):
    """One function to be called with the journal, and what came of it; `waiter` is who waits in an event loop."""

    def __init__(
        self,
        work: Callable[[Journal], _T],
        waiter: tuple[AbstractEventLoop, AsyncFuture[_T]] | None = None,
        *,
        is_patient: bool = False,
    ) -> None:
        self.waiter = waiter
        self.is_patient = is_patient
        if waiter is None:
            self.future: Future[_T] = Future()
            self.future.set_running_or_notify_cancel()
        self._work = work
        self._error: BaseException | None = None
        self._result: _T

    def attempt(self, journal: Journal) -> BaseException | None:
        """Call the function in a transaction of its own inside the group's; return why nothing may follow, if so."""
        try:
            with journal.transaction():
                self._result = self._work(journal)
        except BaseException as error:
            self._error = error
            if not journal.in_transaction:
                # SQLite has undone the whole group, not just this part of it.
                raise
            return error if self.is_patient or isinstance(error, OutputError) else None
        return None

    def fail(self, error: BaseException) -> None:
        """Learn that this was not done, or not committed; an error of the work's own is told rather than that."""
        if self._error is None:
            # Each waiter gets an error of its own: a shared one would collect the tracebacks of all of them.
            self._error = OutputError(error.message, error.cure) if isinstance(error, OutputError) else error

    def tell(self) -> None:
        """Tell who waits in the event loop that this is called in, if he still does."""
        if self.waiter is None or self.waiter[1].done():
            return
        if self._error is None:
            self.waiter[1].set_result(self._result)
        else:
            self.waiter[1].set_exception(self._error)

    def announce(self) -> None:
        """Tell who waits, from any thread."""
        if self.waiter is not None:
            _announce([self])
        elif self._error is None:
            self.future.set_result(self._result)
        else:
            self.future.set_exception(self._error)
