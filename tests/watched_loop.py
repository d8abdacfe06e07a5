"""Runs a command while every step of its event loop is watched: `python watched_loop.py TOLD.json WORDS ...`.

What is measured of a step is the processor time of the loop's own thread, of which a busy machine takes no more than an
idle one, and how long it stood still for a disk or a lock: the clock's time, less what it spent on its way to a
processor (Linux tells that). What other threads of the process do to it by holding the interpreter is part of that.
Another thread looks now and then where a long step is.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from bulkzcrm.cli import main

_LONG_S: Final = 0.025
"""Steps that take longer are named."""
_DELAYS: Final = Path("/proc/thread-self/schedstat")


class Watch:
    """What the steps of all loops took; the longest are named."""

    def __init__(self) -> None:
        self._steps = 0
        self._longest_busy = 0.0
        self._longest_still = 0.0
        self._named: list[tuple[float, float, list[str]]] = []
        self._begun: float | None = None
        self._seen: list[str] = []
        self._loop_thread = 0

    def around(self, run: Callable[[asyncio.Handle], object]) -> Callable[[asyncio.Handle], object]:
        """Return what runs a step and measures it."""

        def watched(handle: asyncio.Handle) -> object:
            self._loop_thread = threading.get_ident()
            self._seen = []
            busy, wall, delay = time.thread_time(), time.perf_counter(), _delay()
            self._begun = wall
            told = run(handle)
            self._begun = None
            busy = time.thread_time() - busy
            still = time.perf_counter() - wall - busy - (_delay() - delay)
            self._steps += 1
            self._longest_busy = max(self._longest_busy, busy)
            self._longest_still = max(self._longest_still, still)
            if max(busy, still) > _LONG_S:
                self._named.append((busy, still, self._seen or [repr(handle)]))
            return told

        return watched

    def look(self) -> None:
        """Look where the loop is when a step takes long, for ever."""
        while True:
            time.sleep(_LONG_S / 2)
            begun = self._begun
            if begun is not None and time.perf_counter() - begun > _LONG_S:
                frame = sys._current_frames().get(self._loop_thread)
                stack = traceback.extract_stack(frame)[-8:] if frame is not None else []
                self._seen = [f"{Path(each.filename).name}:{each.lineno} {each.name}" for each in stack]

    def told(self) -> dict[str, Any]:
        """Return what was measured, in seconds."""
        return {
            "steps": self._steps,
            "busy": self._longest_busy,
            "still": self._longest_still,
            "named": sorted(self._named, reverse=True)[:20],
        }


def _delay() -> float:
    try:
        return int(_DELAYS.read_text(encoding="ascii").split()[1]) / 1e9
    except OSError:
        return 0.0


if __name__ == "__main__":
    watch = Watch()
    asyncio.Handle._run = watch.around(asyncio.Handle._run)  # type: ignore[method-assign, assignment]
    threading.Thread(target=watch.look, daemon=True).start()
    try:
        main(sys.argv[2:])
    finally:
        Path(sys.argv[1]).write_text(json.dumps(watch.told()), encoding="utf-8")
