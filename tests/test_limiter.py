"""The gate: as wide as the organisation allows, never wider than the ceiling, fair, and patient."""

from __future__ import annotations

import asyncio
from random import Random

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shares import quiet

from bulkzcrm.errors import StoppedError
from bulkzcrm.limiter import Limiter


class Clock:
    """Time passes only when somebody sleeps; sleeping lets the others run first."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []
        self.sleeping = asyncio.Event()

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.sleeping.set()
        await asyncio.sleep(0)
        self.now += seconds


def limiter(ceiling: int, start: int | None = None, clock: Clock | None = None) -> Limiter:
    clock = clock or Clock()
    dice = Random(1)  # noqa: S311 - a fixed sequence for a test
    return Limiter(ceiling, start, clock=clock, sleep=clock.sleep, random=dice)


async def full_round(gate: Limiter) -> None:
    """Fill every place, then answer cleanly."""
    async with anyio.create_task_group() as workers:
        together = asyncio.Barrier(gate.limit)

        async def work() -> None:
            async with gate.slot():
                await together.wait()
                gate.clean()

        for _ in range(gate.limit):
            workers.start_soon(work)


async def throttle(gate: Limiter, retry_after: float | None = None) -> None:
    async with gate.slot():
        gate.throttled(retry_after)


async def test_limit_doubles_from_a_low_start_to_the_ceiling():
    gate = limiter(10)
    seen = [gate.limit]
    for _ in range(4):
        await full_round(gate)
        seen.append(gate.limit)
    assert seen == [4, 8, 10, 10, 10]


async def test_after_the_first_throttling_the_limit_grows_by_one_a_round():
    gate = limiter(10)
    for _ in range(3):
        await full_round(gate)
    await throttle(gate)
    seen = [gate.limit]
    for _ in range(3):
        await full_round(gate)
        seen.append(gate.limit)
    assert seen == [5, 6, 7, 8]


async def test_learned_limit_is_where_the_next_run_starts_and_it_grows_slowly():
    gate = limiter(10, start=6)
    assert gate.limit == 6
    await full_round(gate)
    assert gate.limit == 7


@pytest.mark.parametrize(("ceiling", "start", "limit"), [(3, 50, 3), (3, 0, 1), (1, None, 1), (3, -2, 1)])
def test_start_is_kept_between_one_and_the_ceiling(ceiling, start, limit):
    assert limiter(ceiling, start).limit == limit


def test_ceiling_below_one_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        Limiter(0)


async def test_one_at_a_time_teaches_nothing_about_more():
    gate = limiter(10)
    for _ in range(20):
        async with gate.slot():
            gate.clean()
    assert gate.limit == 4


async def test_limit_is_halved_once_for_all_that_were_in_flight_together():
    gate = limiter(16, start=16)
    together = asyncio.Barrier(16)

    async def work() -> None:
        async with gate.slot():
            await together.wait()
            gate.throttled()

    async with anyio.create_task_group() as workers:
        for _ in range(16):
            workers.start_soon(work)
    assert gate.limit == 8
    await throttle(gate)
    assert gate.limit == 4


async def test_limit_never_falls_below_one():
    gate = limiter(10, start=3)
    for _ in range(5):
        await throttle(gate)
    assert gate.limit == 1


async def test_pause_holds_for_everybody_and_as_long_as_the_server_asks():
    clock = Clock()
    gate = limiter(4, start=4, clock=clock)
    await throttle(gate, 30.0)
    assert gate.pause_left == 30.0
    starts = []

    async def work() -> None:
        async with gate.slot():
            starts.append(clock.now)

    async with anyio.create_task_group() as workers:
        for _ in range(3):
            workers.start_soon(work)
    assert starts == [1030.0] * 3
    assert clock.slept == [30.0]


@pytest.mark.parametrize(("takes", "first"), [(0.0, 0.05), (0.4, 0.4), (3.0, 1.0)])
async def test_pauses_begin_with_the_time_of_a_request_and_lengthen_until_an_answer_is_clean_again(takes, first):
    """A place is free again after one request; where that does not help, it is no matter of places."""
    clock = Clock()
    gate = limiter(4, start=4, clock=clock)

    async def take_its_time() -> None:
        async with gate.slot():
            clock.now += takes
            gate.clean()

    for _ in range(3):
        await take_its_time()
        await throttle(gate)
        assert first * 0.7 / 2 <= gate.pause_left <= first
    await take_its_time()
    pauses = []
    for _ in range(12):
        async with gate.slot():
            clock.now += takes
            gate.throttled()
        pauses.append(gate.pause_left)
    for pause, times in zip(pauses, range(12), strict=True):
        bound = min(60, first * 2**times)
        assert bound * 0.7 / 2 <= pause <= bound
    await take_its_time()
    await throttle(gate)
    assert gate.pause_left <= first


async def test_who_knows_no_time_of_a_request_yet_pauses_for_a_second():
    gate = limiter(4, start=4)
    await throttle(gate)
    assert 0.5 <= gate.pause_left <= 1


@pytest.mark.parametrize("nonsense", [-5.0, 0.0, float("nan"), float("inf")])
async def test_senseless_retry_after_does_not_count(nonsense):
    gate = limiter(4, start=4)
    await throttle(gate, nonsense)
    assert 0.5 <= gate.pause_left <= 1


async def test_pause_that_grows_while_somebody_waits_is_waited_out():
    clock = Clock()
    gate = limiter(4, start=4, clock=clock)
    async with gate.slot():
        gate.throttled(10.0)
        waiting = asyncio.create_task(throttle(gate))
        await clock.sleeping.wait()
        gate.throttled(25.0)
    await waiting
    assert clock.now == 1025.0


async def test_first_come_first_served():
    gate = limiter(1)
    order = []

    async def work(number: int) -> None:
        async with gate.slot():
            order.append(number)
            await asyncio.sleep(0)

    async with anyio.create_task_group() as workers:
        for number in range(20):
            workers.start_soon(work, number)
    assert order == list(range(20))


async def test_place_is_given_back_when_the_work_fails():
    gate = limiter(1)
    with pytest.raises(ZeroDivisionError):
        async with gate.slot():
            _ = 1 / 0
    assert gate.in_flight == 0
    await throttle(gate)


@pytest.mark.parametrize("victim", [0, 1, 2])
async def test_cancelled_waiter_takes_no_place_and_stops_nobody(victim):
    gate = limiter(1)
    done = []

    async def work(number: int) -> None:
        async with gate.slot():
            done.append(number)

    async with gate.slot():
        waiters = [asyncio.create_task(work(number)) for number in range(3)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        waiters[victim].cancel()
    results = await asyncio.gather(*waiters, return_exceptions=True)
    assert isinstance(results[victim], asyncio.CancelledError)
    assert done == [number for number in range(3) if number != victim]
    assert gate.in_flight == 0


async def test_no_more_are_let_in_than_are_allotted_whatever_the_organisation_answers():
    gate = limiter(10, start=8)
    gate.allot(3)
    assert (gate.limit, gate.allotted, gate.pace) == (3, 3, 8)
    inside = 0
    done = asyncio.Event()

    async def work() -> None:
        nonlocal inside
        async with gate.slot():
            inside += 1
            await done.wait()

    async with anyio.create_task_group() as workers:
        for _ in range(10):
            workers.start_soon(work)
        await quiet()
        assert inside == 3
        gate.allot(5)
        await quiet()
        assert inside == 5
        assert gate.take_demand() == 10
        done.set()
    assert gate.take_demand() == 10
    assert gate.take_demand() == 0


async def test_nobody_is_let_in_while_nothing_is_allotted_and_at_once_when_something_is():
    gate = Limiter(4)
    gate.allot(0)
    entered = asyncio.Event()

    async def work() -> None:
        async with gate.slot():
            entered.set()

    async with anyio.create_task_group() as workers:
        workers.start_soon(work)
        await quiet()
        assert not entered.is_set()
        gate.allot(1)
        with anyio.fail_after(0.5):
            await entered.wait()


async def test_a_stop_is_heard_while_nothing_is_allotted():
    async def sleep(seconds: float) -> None:
        raise ZeroDivisionError

    gate = Limiter(4, sleep=sleep)
    gate.allot(0)
    with pytest.raises(ZeroDivisionError):
        await throttle(gate)


@pytest.mark.parametrize("way", ["paused", "nothing allotted", "full", "open"])
async def test_closing_wakes_everybody_who_waits_and_keeps_out_who_comes_later(way):
    gate = Limiter(1)
    reason = StoppedError("It is over.", "Go home.")
    refused = 0

    async def work() -> None:
        nonlocal refused
        with pytest.raises(StoppedError, match="It is over"):
            async with gate.slot():
                pass
        refused += 1

    async with anyio.create_task_group() as workers, gate.slot():
        if way == "paused":
            gate.pause(10_000)
        elif way == "nothing allotted":
            gate.allot(0)
        if way != "open":
            for _ in range(3):
                workers.start_soon(work)
            await quiet()
        gate.close(reason)
        gate.close(StoppedError("It is over twice.", "Go home."))
        await work()
    assert refused == (1 if way == "open" else 4)
    assert gate.in_flight == 0


async def test_a_cut_from_outside_halves_what_is_in_use_and_answers_from_before_it_teach_nothing():
    gate = limiter(10, start=8)
    gate.allot(6)
    async with gate.slot():
        gate.cut()
        assert gate.limit == 3
        assert gate.cuts == 0
        gate.throttled()
        assert gate.limit == 3
    await throttle(gate)
    assert gate.limit == 1
    assert gate.cuts == 1


async def test_a_pause_from_outside_never_shortens_one_that_is_under_way():
    clock = Clock()
    gate = limiter(4, start=4, clock=clock)
    gate.pause(30)
    gate.pause(5)
    assert gate.pause_left == 30


@given(
    ceiling=st.integers(1, 12),
    start=st.none() | st.integers(-1, 15),
    answers=st.lists(
        st.tuples(st.sampled_from(["clean", "throttled", "silent", "fail", "cancel"]), st.integers(0, 5)), max_size=60
    ),
    retry_after=st.none() | st.floats(0, 100),
)
def test_never_more_in_flight_than_the_limit_when_a_place_is_given(ceiling, start, answers, retry_after):
    """Whatever is answered in whatever order: within the limit at each grant, in order, and all places come back."""

    async def scenario() -> None:
        gate = limiter(ceiling, start)
        granted = []

        async def work(number: int, answer: str, steps: int) -> None:
            async with gate.slot():
                assert gate.in_flight <= gate.limit <= gate.ceiling
                granted.append(number)
                for _ in range(steps):
                    await asyncio.sleep(0)
                match answer:
                    case "clean":
                        gate.clean()
                    case "throttled":
                        gate.throttled(retry_after)
                    case "fail":
                        raise KeyError(number)
                assert 1 <= gate.limit <= gate.ceiling

        running = [asyncio.create_task(work(number, *answer)) for number, answer in enumerate(answers)]
        for number, (answer, steps) in enumerate(answers):
            if answer == "cancel":
                for _ in range(steps):
                    await asyncio.sleep(0)
                running[number].cancel()
        results = await asyncio.gather(*running, return_exceptions=True)
        assert all(result is None or isinstance(result, KeyError | asyncio.CancelledError) for result in results)
        assert granted == sorted(granted)
        assert {number for number, (answer, _) in enumerate(answers) if answer != "cancel"} <= set(granted)
        assert gate.in_flight == 0

    asyncio.run(scenario())


async def test_a_level_that_is_turned_away_again_and_again_is_tried_ever_less_often():
    """Else an organisation that bears three at once would turn away every tenth request, with a pause for all."""
    gate = limiter(10, start=3)
    turned_away = 0
    for _ in range(1_000):
        if gate.limit > 3:
            turned_away += 1
            await throttle(gate)
        else:
            await full_round(gate)
    assert 5 < turned_away < 30


async def test_a_level_that_was_turned_away_by_chance_is_soon_reached_again():
    gate = limiter(4, start=4)
    for _ in range(20):
        await throttle(gate)
        seen = [gate.limit]
        while gate.limit < 4:
            await full_round(gate)
            seen.append(gate.limit)
        assert seen == [2, 3, 3, 4]
        await full_round(gate)
