"""Each measurement in a process of its own: begun fresh, told what to do, and read when it has ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["ROOT", "Sample", "command_cpu", "environment", "measured"]

ROOT = Path(__file__).resolve().parents[2]
"""The folder that holds `tests` and, unless another commit is measured, `bulkzcrm`."""
_PATIENCE_S = 4 * 3600
"""Nothing that is measured takes longer, not even on a busy machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What one process has measured of itself: seconds, seconds of CPU, peak of memory in MB, rows.

    `phases` are seconds by name, and whatever else a work tells; `phases_cpu` are seconds of CPU.
    """

    wall: float
    cpu: float
    peak_mb: float
    rows: int
    phases: Mapping[str, float] = field(default_factory=dict)
    phases_cpu: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return it for a file."""
        return asdict(self)


def environment(tree: Path | None) -> dict[str, str]:
    """Return the variables of a child that imports `bulkzcrm` from a tree (`None`: the one that this file is in)."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("BULKZCRM_")}
    trees = [*([] if tree is None else [tree]), ROOT, ROOT / "tests"]
    return environ | {"PYTHONPATH": os.pathsep.join(map(str, trees)), "PYTHONHASHSEED": "0"}


def measured(work: str, arguments: Mapping[str, Any], *, folder: Path, tree: Path | None = None) -> Sample:
    """Do one work in a fresh process that stands in `folder`. Raises `RuntimeError` with what it said if it fails."""
    words = [sys.executable, "-W", "ignore", "-m", "tests.bench.child", work, json.dumps(arguments)]
    ended = subprocess.run(  # noqa: S603 - this interpreter, our own module
        words, cwd=folder, env=environment(tree), capture_output=True, text=True, check=False, timeout=_PATIENCE_S
    )
    if ended.returncode:
        raise RuntimeError(f"{work} {arguments} ended with {ended.returncode}: {ended.stderr[-3000:]}")
    return Sample(**json.loads(ended.stdout.splitlines()[-1]))


def command_cpu(words: list[str], *, folder: Path, tree: Path | None = None) -> Sample:
    """Run this interpreter with words, and return what the whole process took, from its start to its end."""
    begun = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - this interpreter
        [sys.executable, *words], cwd=folder, env=environment(tree), stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{words} ended with {process.returncode}.")
    return Sample(wall=wall, cpu=usage.ru_utime + usage.ru_stime, peak_mb=usage.ru_maxrss / 1024, rows=0)
