"""Who is about to send goes first: others wait until the last of them has left, and never for long."""

from __future__ import annotations

import anyio
import pytest

from bulkzcrm.send import Precedence

SLOW_S, QUICK_S = 0.2, 0.001


def precedence(*, is_filling: bool = False, round_trip_s: float = SLOW_S) -> Precedence:
    made = Precedence(lambda: is_filling)
    made.answered(round_trip_s)
    return made


async def test_those_who_are_about_to_send_have_all_left_before_anybody_else_goes_on():
    before = precedence()
    told: list[str] = []

    async def compose() -> None:
        await before.give_way()
        told.append("read")

    async with anyio.create_task_group() as group:
        with before.ahead() as has_left, before.ahead() as other_has_left:
            group.start_soon(compose)
            await anyio.wait_all_tasks_blocked()
            told.append("one leaves")
            has_left()
            await anyio.wait_all_tasks_blocked()
            told.append("the other leaves")
            other_has_left()
            await anyio.wait_all_tasks_blocked()
    assert told == ["one leaves", "the other leaves", "read"]


async def test_who_gives_up_before_leaving_keeps_nobody():
    before = precedence()
    with pytest.raises(ZeroDivisionError), before.ahead():
        raise ZeroDivisionError
    with anyio.fail_after(5):
        await before.give_way()


@pytest.mark.parametrize("free_places", [0, 1])
async def test_nobody_waits_for_long_whatever_keeps_a_request_from_leaving(free_places: int):
    before = precedence(is_filling=free_places > 0)
    with anyio.fail_after(5), before.ahead():
        await before.give_way()


async def test_a_free_place_is_taken_first():
    taken = False
    before = Precedence(lambda: not taken)
    before.answered(SLOW_S)
    order: list[str] = []

    async def take() -> None:
        nonlocal taken
        await anyio.lowlevel.checkpoint()
        taken = True
        with before.ahead():
            order.append("sent")

    async with anyio.create_task_group() as group:
        group.start_soon(take)
        await before.give_way()
        order.append("read")
    assert order == ["sent", "read"]


@pytest.mark.parametrize("round_trip_s", [pytest.param(None, id="none-yet"), pytest.param(QUICK_S, id="quick")])
async def test_where_requests_take_no_time_nobody_gives_way(round_trip_s: float | None):
    before = Precedence(lambda: True)
    if round_trip_s is not None:
        before.answered(round_trip_s)
    with before.ahead(), anyio.CancelScope() as ended:
        ended.cancel()
        await before.give_way()
    assert not ended.cancelled_caught, "whoever waits would have been cancelled"


def test_somebody_is_wanted_as_long_as_one_stands_in_line():
    before = precedence()
    assert not before.is_wanted
    with before.in_line() as one_stood, before.in_line():
        one_stood()
        one_stood()
        assert before.is_wanted
    assert not before.is_wanted
    with pytest.raises(ZeroDivisionError), before.in_line():
        raise ZeroDivisionError
    assert not before.is_wanted
