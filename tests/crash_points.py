"""Kills the program at every point that it passes, resumes it, and asks the organisation what came of it.

python -m tests.crash_points              each single death, and each suspension until others have taken over, in every
                                          world of `crash_worlds`
python -m tests.crash_points --pairs      also each pair of deaths: the program dies again while it resumes
    [--world WORD ...]                    only worlds with one of these words in their names
    [--seed N] [--jobs N]                 other dice for waiting times; so many processes (default: one for each core)

Exit status 1 unless not a row is lost, not a record is doubled, and every report tells the truth.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

# Tests find one another without the name of their folder, which is not on the path when this one is run by itself.
sys.path.insert(0, str(Path(__file__).parent))

from crash_worlds import worlds
from oracle import Findings
from simulation import Life, Plan, World

from bulkzcrm.run.lease import LEASE_MS

_MEMORY = Path("/dev/shm")  # noqa: S108 - only scratch, in a folder that is made for it
_AT_A_TIME = 25


@dataclass(frozen=True, slots=True)
class Scenario:
    """A world by its plan, and the points at which its lives end: the first life at the first of them, and so on.

    Or the point at which the first life stands still until others have taken its run over and ended it.
    """

    plan: Plan
    kills: tuple[int, ...] = ()
    seed: int = 0
    suspended_at: int | None = None


@dataclass(slots=True)
class Tally:
    """What many scenarios came to."""

    scenarios: int = 0
    kills: int = 0
    suspended: int = 0
    futures: int = 0
    """Of what was left behind by death, so many kinds differ; each was resumed from."""
    lost: int = 0
    doubled: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def is_well(self) -> bool:
        return not (self.lost or self.doubled or self.wrong)

    def add(self, other: Tally) -> None:
        self.scenarios += other.scenarios
        self.kills += other.kills
        self.suspended += other.suspended
        self.futures += other.futures
        self.lost += other.lost
        self.doubled += other.doubled
        self.wrong += other.wrong


@cache
def _scratch() -> tempfile.TemporaryDirectory[str]:
    """Return a folder of this process, where files cost least: in memory, where the system has such a place."""
    return tempfile.TemporaryDirectory(dir=_MEMORY if os.access(_MEMORY, os.W_OK) else None)


def played(scenario: Scenario, known: dict[bytes, Findings] | None = None) -> tuple[list[Life], Findings]:
    """Play a scenario to its end, unless what the killed ones leave behind is `known`, and so what comes of it."""
    world = World(scenario.plan, Path(_scratch().name) / f"a world of {os.getpid()}", seed=scenario.seed)
    try:
        if scenario.suspended_at is not None:
            world.live(suspend_at=scenario.suspended_at, meanwhile=lambda: _take_over(world))
        for kill_at in scenario.kills:
            world.live(kill_at)
        left_behind = b"" if known is None else world.left_behind()
        if known is not None and left_behind in known:
            return world.lives, known[left_behind]
        world.finish()
        findings = world.findings()
        if known is not None:
            known[left_behind] = findings
        return world.lives, findings
    finally:
        world.close()


def _take_over(world: World) -> None:
    world.time.pass_by(LEASE_MS / 1000 + 1)
    world.finish()


def tallied(scenarios: Iterable[Scenario]) -> Tally:
    """Play scenarios of one plan and add up what came of them."""
    tally = Tally()
    known: dict[bytes, Findings] = {}
    for scenario in scenarios:
        tally.scenarios += 1
        try:
            lives, findings = played(scenario, known)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told with the scenario that leads to it
            tally.wrong.append(f"{_told(scenario)}: {type(error).__name__}: {error}")
            continue
        tally.kills += sum(life.is_killed for life in lives)
        tally.suspended += sum(life.was_suspended for life in lives)
        tally.lost += findings.lost
        tally.doubled += findings.doubled
        if not findings.is_well:
            where = "; ".join(life.points[-1] for life in lives if life.is_killed)
            what = f"{findings.lost} lost, {findings.doubled} doubled. {' '.join(findings.untrue)}"
            tally.wrong.append(f"{_told(scenario)} ({where}): {what}")
    tally.futures = len(known)
    return tally


def singles(plan: Plan, seed: int = 0) -> list[Scenario]:
    """Return a scenario for each point of the plan's undisturbed life."""
    (life,), _ = played(Scenario(plan, (), seed))
    return [Scenario(plan, (point,), seed) for point in range(1, len(life.points) + 1)]


def pairs(plan: Plan, seed: int = 0) -> Iterator[Scenario]:
    """Give a scenario for each way of dying twice that differs from the others by what is left behind."""
    (life,), _ = played(Scenario(plan, (), seed))
    for first in distinct(life.points):
        lives, _ = played(Scenario(plan, (first,), seed))
        for second in distinct(lives[1].points) if len(lives) > 1 else []:
            yield Scenario(plan, (first, second), seed)


def zombies(plan: Plan, seed: int = 0) -> list[Scenario]:
    """Return a scenario for each point at which the plan's undisturbed life may stand still until others take over."""
    plan = replace(plan, name=f"{plan.name}; suspended", is_known_dead=False)
    (life,), _ = played(Scenario(plan, (), seed))
    return [Scenario(plan, (), seed, suspended_at=point) for point in distinct(life.points) if point > 1]


def distinct(points: Sequence[str]) -> list[int]:
    """Return the points (from 1) at which dying leaves something else behind than at the point before.

    What a transaction has done before its end is undone by death, so that all its points are alike.
    """
    return [
        place for place, title in enumerate(points, start=1) if place == 1 or title.startswith(("after", "request"))
    ]


def main() -> int:
    """Play all scenarios that the words on the command line ask for, and print what came of them."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash_points", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--pairs", action="store_true")
    parser.add_argument("--world", nargs="+", default=[""])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    total = Tally()
    begun = time.perf_counter()
    with ProcessPoolExecutor(asked.jobs) as pool:
        for plan in worlds():
            if not any(word in plan.name for word in asked.world):
                continue
            of_world = Tally()
            for tally in pool.map(tallied, _handfuls(_scenarios(plan, asked.seed, in_pairs=asked.pairs))):
                of_world.add(tally)
            _print_world(plan, of_world)
            total.add(of_world)
    seconds = time.perf_counter() - begun
    _say(
        f"{total.kills:,} kills and {total.suspended:,} suspensions in {total.scenarios:,} scenarios, "
        f"{total.scenarios / seconds:,.0f} scenarios a second; rows lost: {total.lost}; "
        f"records doubled: {total.doubled}; untrue or unfinished: {len(total.wrong)}"
    )
    return 0 if total.is_well and total.kills else 1


def _scenarios(plan: Plan, seed: int, *, in_pairs: bool) -> Iterator[Scenario]:
    yield from singles(plan, seed)
    yield from zombies(plan, seed)
    if in_pairs:
        yield from pairs(plan, seed)


def _handfuls(scenarios: Iterable[Scenario]) -> Iterator[list[Scenario]]:
    handful: list[Scenario] = []
    for scenario in scenarios:
        handful.append(scenario)
        if len(handful) == _AT_A_TIME:
            yield handful
            handful = []
    if handful:
        yield handful


def _print_world(plan: Plan, tally: Tally) -> None:
    verdict = "ok " if tally.is_well else "BAD"
    wrong = [f"    {line}" for line in tally.wrong[:5]]
    told = [f"{verdict} {plan.name}: {tally.kills:,} kills, {tally.suspended:,} suspensions", *wrong]
    _say("\n".join(told))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _told(scenario: Scenario) -> str:
    at = f"suspended at {scenario.suspended_at}" if scenario.suspended_at else f"killed at {scenario.kills}"
    return f"{scenario.plan.name}, {at}, seed {scenario.seed}"


if __name__ == "__main__":
    sys.exit(main())
