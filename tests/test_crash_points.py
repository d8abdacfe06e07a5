"""A program that is killed or suspended, wherever that is, loses no row and doubles no record.

`crash_points` does the same with every world there is; here are a few, and what the simulation itself promises.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from crash_points import Scenario, distinct, pairs, played, singles, tallied, zombies
from crash_worlds import CREATE, PREFERENCES, RULES, UPDATE, worlds
from oracle import Expected, compare
from simulated_server import Fate
from simulation import Plan, World
from virtual_time import StuckError, VirtualTime, live

LATE = replace(CREATE, name="create, one of them late", fates={2: Fate.LATE})
BY_NAME = {plan.name: plan for plan in worlds()}


def test_a_create_may_be_killed_at_every_point() -> None:
    scenarios = singles(CREATE)
    tally = tallied(scenarios)
    assert tally.is_well, tally.wrong
    assert tally.kills == len(scenarios) > 140
    # All points inside a transaction leave the same behind, so that `distinct` leaves nothing out.
    (life,), _ = played(Scenario(CREATE))
    assert tally.futures <= len(distinct(life.points)) + 1


@pytest.mark.parametrize("plan", [UPDATE, PREFERENCES], ids=lambda plan: plan.name)
def test_a_run_may_be_killed_wherever_that_leaves_something_else_behind(plan: Plan) -> None:
    (life,), _ = played(Scenario(plan))
    points = distinct(life.points)
    tally = tallied(Scenario(plan, (point,)) for point in points)
    assert tally.is_well, tally.wrong
    assert tally.kills == len(points)


def test_a_run_may_be_killed_while_it_waits_for_a_create_that_arrives_late_and_reads_it_back() -> None:
    (life,), _ = played(Scenario(LATE))
    left = next(place for place, title in enumerate(life.points) if "request 8 (POST" in title)
    points = [point for point in distinct(life.points) if point > left]
    tally = tallied(Scenario(LATE, (point,)) for point in points)
    assert tally.is_well, tally.wrong
    assert tally.kills == len(points) > 30


def test_a_program_that_stood_still_while_others_took_over_does_nothing_when_it_wakes() -> None:
    scenarios = zombies(CREATE)
    tally = tallied(scenarios)
    assert tally.is_well, tally.wrong
    assert tally.suspended == len(scenarios) > 30


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("plan", [UPDATE, RULES], ids=lambda plan: plan.name)
def test_also_an_update_stands_still_while_others_take_over(plan: Plan) -> None:
    tally = tallied(zombies(plan))
    assert tally.is_well, tally.wrong
    assert tally.suspended


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("plan", [CREATE, LATE, UPDATE, RULES], ids=lambda plan: plan.name)
def test_a_run_may_be_killed_again_while_it_resumes(plan: Plan) -> None:
    tally = tallied(pairs(plan))
    assert tally.is_well, tally.wrong
    assert tally.kills > 1000


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", BY_NAME)
def test_a_run_may_be_killed_at_every_point_of_every_world(name: str) -> None:
    tally = tallied(singles(BY_NAME[name]))
    assert tally.is_well, tally.wrong
    assert tally.kills


def test_the_same_world_passes_the_same_points_each_time() -> None:
    lives = [played(Scenario(BY_NAME["create; the server fails in eight ways"], seed=7))[0] for _ in range(2)]
    assert [life.points for life in lives[0]] == [life.points for life in lives[1]]


def test_what_is_dead_does_nothing_more(tmp_path: Path) -> None:
    world = World(CREATE, tmp_path / "a world")
    life = world.live(kill_at=140)
    behind = world.left_behind()
    assert life.is_killed
    assert life.ending is None
    assert len(life.points) == 140
    assert world.left_behind() == behind
    assert not world.is_in_transaction
    world.close()


def test_a_server_slower_than_the_quiet_period_is_found_out() -> None:
    """The simulation notices what must not happen: without that, its silence would say nothing."""
    hasty = replace(LATE, name="hasty", options=replace(LATE.options, quiet_period=1.0))
    _, findings = played(Scenario(hasty))
    assert findings.doubled
    assert not findings.lost


def test_the_oracle_finds_lost_doubled_and_strange_records_and_a_report_that_lies() -> None:
    expected = [Expected(status="succeeded", holds={"Name": "A"}), Expected(status="rejected")]
    told = [
        {"result_row": "2", "result_status": "succeeded", "result_record_id": "9", "result_message": ""},
        {"result_row": "3", "result_status": "rejected", "result_record_id": "", "result_message": ""},
    ]
    before = {"1": {"Name": "Z"}}
    good = compare(expected, before, {**before, "9": {"Name": "A"}}, told)
    lost = compare(expected, before, before, told)
    doubled = compare(expected, before, {**before, "9": {"Name": "A"}, "10": {"Name": "A"}}, told)
    strange = compare(expected, before, {"1": {"Name": "Y"}, "9": {"Name": "A"}}, told)
    short = compare(expected, before, {**before, "9": {"Name": "A"}}, told[:1])
    assert good.is_well
    assert (lost.lost, lost.doubled, bool(lost.untrue)) == (1, 0, True)
    assert (doubled.lost, doubled.doubled) == (0, 1)
    assert strange.untrue == ["The record 1 has changed, and no row means it."]
    assert not short.is_well


def test_hours_pass_in_no_time_and_a_program_that_waits_for_ever_is_found_out() -> None:
    time = VirtualTime()
    live(time, lambda: anyio.sleep(7200))
    assert time.seconds == pytest.approx(7200)

    async def waiting_for_nothing() -> None:
        await anyio.Event().wait()

    with pytest.raises(StuckError):
        live(time, waiting_for_nothing)
