"""Places in flight that are free cost time: whoever composes gives way to those about to send, for a moment.

And what is written to the journal can wait for the intent of who stands in line for a place, so that one commit does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, final

import anyio
from anyio.lowlevel import checkpoint

__all__ = ["Precedence"]

_LONGEST_S: Final = 0.02
"""For longer nobody steps aside: whatever keeps a request from leaving must not keep batches from being composed.

Where requests take less than that, nothing is gained by it.
"""
_CALM: Final = 4
"""For so many rounds of the loop nobody may have been about to send: a request that has left is still being written."""


@final
class Precedence:
    """Knows who is about to send, and lets others wait until they have.

    `is_filling` tells that places in flight are free and being taken.
    """

    def __init__(self, is_filling: Callable[[], bool]) -> None:
        self._is_filling = is_filling
        self._in_line = 0
        self._about_to_send: set[int] = set()
        self._last = 0
        self._round_trip_s = 0.0
        self._clear = anyio.Event()

    @contextmanager
    def in_line(self) -> Iterator[Callable[[], None]]:
        """Stand in line for a place in flight, until what is yielded is called, or this is over."""
        self._in_line += 1
        is_standing = True

        def stood() -> None:
            nonlocal is_standing
            self._in_line -= is_standing
            is_standing = False

        try:
            yield stood
        finally:
            stood()

    @property
    def is_wanted(self) -> bool:
        """Whether somebody stands in line for a place in flight that becomes free."""
        return self._in_line > 0

    @contextmanager
    def ahead(self) -> Iterator[Callable[[], None]]:
        """Go first with a request, until what is yielded is called, since it has left, or this is over."""
        self._last += 1
        mark = self._last
        self._about_to_send.add(mark)

        def left() -> None:
            self._about_to_send.discard(mark)
            if not self._about_to_send:
                self._clear.set()

        try:
            yield left
        finally:
            left()

    def answered(self, round_trip_s: float) -> None:
        """Learn how long a request has taken."""
        self._round_trip_s = round_trip_s

    async def give_way(self) -> None:
        """Let all go first who are about to send, for a few hundredths of a second at most."""
        if self._round_trip_s < _LONGEST_S:
            return
        with anyio.move_on_after(_LONGEST_S):
            calm = 0
            while calm < _CALM:
                if self._about_to_send:
                    calm = 0
                    if self._clear.is_set():
                        self._clear = anyio.Event()
                    await self._clear.wait()
                else:
                    calm = 0 if self._is_filling() else calm + 1
                    await checkpoint()
