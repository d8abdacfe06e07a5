"""Wall and CPU time of the work in this process, and the most memory it ever had."""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

__all__ = ["Stopwatch", "peak_mb"]


class Stopwatch:
    """Goes from `start` (or when it is made) to the first `stop`; `lap` names what has just ended."""

    def __init__(self) -> None:
        self.phases: dict[str, float] = {}
        self.phases_cpu: dict[str, float] = {}
        self.wall = self.cpu = 0.0
        self._stopped = False
        self.start()

    def start(self) -> None:
        """Begin anew, when all that is not to be measured is there."""
        self._begun = self._lap = time.perf_counter()
        self._begun_cpu = self._lap_cpu = time.process_time()

    def lap(self, name: str) -> None:
        """End a phase; the next one begins now. A phase may come several times."""
        now, cpu = time.perf_counter(), time.process_time()
        self.phases[name] = self.phases.get(name, 0.0) + now - self._lap
        self.phases_cpu[name] = self.phases_cpu.get(name, 0.0) + cpu - self._lap_cpu
        self._lap, self._lap_cpu = now, cpu

    def stop(self) -> None:
        """End; what comes later is not measured."""
        if not self._stopped:
            self.wall, self.cpu = time.perf_counter() - self._begun, time.process_time() - self._begun_cpu
            self._stopped = True


def peak_mb() -> float:
    """Return the most memory that this process had in its own right.

    `ru_maxrss` may be the parent's, since a process begins as its copy; Linux tells the truth elsewhere.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
