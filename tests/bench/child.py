"""What runs in a fresh process: one work, by its name, with its arguments as JSON; the last line out is the sample."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from .processes import Sample
from .stopwatch import Stopwatch, peak_mb

__all__ = ["main"]


def main(work: str, arguments: dict[str, Any]) -> Sample:
    """Import what the work needs, then do it under the watch. A work is `file.function`; it returns its rows."""
    place, _, name = work.partition(".")
    module = import_module(f".{place}", __package__)
    function: Callable[..., int] = getattr(module, name)
    watch = Stopwatch()
    rows = function(watch, **arguments)
    watch.stop()
    return Sample(
        wall=watch.wall,
        cpu=watch.cpu,
        peak_mb=peak_mb(),
        rows=rows,
        phases=watch.phases,
        phases_cpu=watch.phases_cpu,
    )


if __name__ == "__main__":
    sample = main(sys.argv[1], json.loads(sys.argv[2]))
    sys.stdout.write("\n" + json.dumps(sample.to_json()) + "\n")
