"""Takes each guard of the program away in turn, and tells what noticed it: `python -m tests.remove_guards [WORD ...]`.

First everything is looked at with all guards in place. Then each guard is taken away by itself, in a process of its own
and in memory only: an ordinary run must end as well as before, and all that is said to notice the guard must fail.
With words, only guards whose names hold one of them. `--jobs N` processes at a time, `--why` tells how each failed.
Exit status 1 if a guard survives, if something fails with all guards in place, or if a guard could not be tried.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path

# Tests find one another without the name of their folder, which is not on the path when this one is run by itself.
sys.path.insert(0, str(Path(__file__).parent))

from all_guards import GUARDS, Trial, untouched, without
from guards import Guard

_SHOWN = 10
_AT_ONCE = 20
"""So many watches look in one process where all guards are in place."""


def main(arguments: Sequence[str]) -> int:
    """Print a line for each guard, then the survivors."""
    parser = argparse.ArgumentParser(prog="python -m tests.remove_guards", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("words", nargs="*")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--why", action="store_true")
    asked = parser.parse_args(arguments)
    guards = [each for each in GUARDS if not asked.words or any(word in each.name for word in asked.words)]
    begun = time.monotonic()
    # A fresh process for each, which has imported everything already where the system can do that.
    way = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(way)
    with ProcessPoolExecutor(asked.jobs, mp_context=context, max_tasks_per_child=1) as pool:
        if not _all_is_well(pool, guards):
            return 1
        survivors, worthless = [], []
        for trial in pool.map(without, [guard.name for guard in guards]):
            _show(trial, why=asked.why)
            worthless += [trial.name] if trial.amiss else []
            survivors += [trial.name] if trial.survivors else []
    _say(
        f"{len(guards)} guards taken away in turn in {time.monotonic() - begun:.0f} seconds; "
        f"could not be tried: {', '.join(worthless) or 'none'}; survivors: {', '.join(survivors) or 'none'}"
    )
    return 1 if survivors or worthless or not guards else 0


def _all_is_well(pool: Executor, guards: Sequence[Guard]) -> bool:
    watches = list(dict.fromkeys(watch for guard in guards for watch in guard.noticed_by))
    trials = list(pool.map(untouched, [watches[at : at + _AT_ONCE] for at in range(0, len(watches), _AT_ONCE)]))
    amiss = [each for trial in trials for each in trial.amiss]
    _say(f"all guards in place: {len(watches)} tests and worlds {'FAIL' if amiss else 'are well'}")
    for each in amiss[:_SHOWN]:
        _say(f"    {each}")
    return not amiss


def _show(trial: Trial, *, why: bool) -> None:
    noticed = [each for each in trial.noticed if each.how]
    by = ", ".join(f"{_short(each.watch)} ({each.seconds:.1f} s)" for each in noticed)
    verdict = "COULD NOT BE TRIED" if trial.amiss else "SURVIVES" if trial.survivors else f"noticed by {by}"
    _say(f"{trial.name:<80} {verdict}")
    for each in noticed if why else ():
        _say(f"    {_short(each.watch)}: {each.how}")
    for watch in trial.survivors:
        _say(f"    NOT by {_short(watch)}")
    for line in trial.amiss[:_SHOWN]:
        _say(f"    {line}")


def _short(watch: str) -> str:
    return watch.rpartition("::")[2] or watch


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
