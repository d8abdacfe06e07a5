"""How a run is stopped: the first signal drains, the second ends at once, and either way the report tells the truth."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from desk import SERVICE, Desk, desk_at, services
from forwarder import Cut, Heard, Say, until

from bulkzcrm.events import Event, RowsJudged
from bulkzcrm.journal import Journal
from bulkzcrm.report import State
from bulkzcrm.run.options import RunOptions
from bulkzcrm.run.signals import InterruptedRunError

SMALL = RunOptions(batch_size=10, concurrency=2)
TOO_MANY = Say(429, {"code": "TOO_MANY_REQUESTS", "details": {}, "message": "too many", "status": "error"})


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_at(tmp_path / "a desk") as desk:
        yield desk


async def test_who_is_stopped_while_the_source_is_read_is_not_told_to_resume(desk: Desk):
    desk.stop.again()
    with pytest.raises(InterruptedRunError) as told:
        await desk.begin("create-services", services(10))
    assert "nothing is kept" in told.value.cure
    assert "resume" not in told.value.cure
    with Journal.open(desk.home) as journal:
        assert journal.runs() == []


async def test_the_first_signal_lets_what_is_in_flight_end_and_begins_nothing_more(desk: Desk):
    rows = services(100)

    both_in_flight = asyncio.Event()

    async def stop_in_flight(heard: Heard) -> None:
        if not heard.is_write:
            return
        if len(desk.wire.writes) == 2:
            desk.stop.again()
            both_in_flight.set()
        await both_in_flight.wait()

    desk.wire.interfere = stop_in_flight
    ending = await desk.run("create-services", rows, SMALL)
    assert ending.summary.state is State.INTERRUPTED
    assert desk.statuses == ["succeeded"] * 20 + ["unsent"] * 80
    assert len(desk.wire.writes) == 2
    ending = await desk.carry_on()
    assert ending.summary.state is State.FINISHED
    assert desk.each_once(rows)
    assert ending.summary.batches == 10


async def test_the_first_signal_wakes_those_who_wait_for_the_server(desk: Desk):
    rows = services(30)

    async def turn_away(heard: Heard) -> Say | None:
        if heard.is_write:
            desk.stop.drain()
            return TOO_MANY
        return None

    desk.wire.interfere = turn_away
    ending = await desk.run("create-services", rows, SMALL)
    assert ending.summary.state is State.INTERRUPTED
    assert desk.statuses == ["unsent"] * 30, "what waits for its turn has not left"
    desk.wire.script()
    await desk.carry_on()
    assert desk.each_once(rows)


async def test_the_first_signal_stops_between_the_parts_of_a_split(desk: Desk):
    async def refuse(heard: Heard) -> Say | None:
        if heard.is_write and len(heard.records) > 1:
            desk.stop.again()
            told = {"code": "INVALID_DATA", "details": {"api_name": "Price"}, "message": "", "status": "error"}
            return Say(400, told)
        return None

    rows = services(8)
    desk.wire.interfere = refuse
    await desk.run("create-services", rows)
    assert len(desk.wire.writes) == 1
    assert desk.statuses == ["unsent"] * 8
    desk.wire.script()
    await desk.carry_on()
    assert desk.each_once(rows)


async def test_the_second_signal_ends_at_once_and_tells_what_is_unknown(desk: Desk):
    rows = services(100)
    never = asyncio.Event()

    async def hang(heard: Heard) -> None:
        if heard.is_write and len(desk.wire.writes) > 2:
            await never.wait()

    desk.wire.interfere = hang
    await desk.begin("create-services", rows, SMALL)
    work = asyncio.create_task(desk.carry_on())
    await until(lambda: len(desk.wire.writes) == 4)
    desk.stop.again()
    desk.stop.again()
    ending = await work
    assert ending.summary.state is State.INTERRUPTED
    assert desk.statuses == ["succeeded"] * 20 + ["unknown"] * 20 + ["unsent"] * 60
    never.set()
    desk.wire.script()
    await until(lambda: desk.wire.in_flight == 0)
    await desk.carry_on()
    assert desk.each_once(rows), "what was unknown is read back before it is sent again"
    assert desk.statuses == ["succeeded"] * 100


async def test_rows_that_stood_in_the_queue_when_a_run_was_ended_are_unsent(desk: Desk):
    """With one request in flight at a time, nine of ten workers wait for their turn."""
    never = asyncio.Event()

    async def hang(heard: Heard) -> Say | None:
        if not heard.is_write:
            return None
        if len(desk.wire.writes) <= 4:
            return TOO_MANY
        await never.wait()
        return None

    desk.wire.interfere = hang
    await desk.begin("create-services", services(100), RunOptions(batch_size=10))
    work = asyncio.create_task(desk.carry_on())
    await until(lambda: len(desk.wire.writes) >= 5)
    await asyncio.sleep(0.05)
    in_flight = desk.wire.in_flight
    desk.stop.abort()
    await work
    never.set()
    assert in_flight < 5
    assert desk.statuses.count("unknown") == 10 * in_flight
    assert desk.statuses.count("unsent") == 100 - 10 * in_flight


async def test_an_update_that_was_ended_in_flight_is_read_again_before_it_is_sent(desk: Desk):
    rows = [{"id": SERVICE.format(number), "Duration": "35"} for number in range(2, 8)]
    never = asyncio.Event()

    async def hang_after_writing(heard: Heard) -> Cut | None:
        if heard.is_write and len(desk.wire.writes) == 2:
            await never.wait()
        return None

    desk.wire.interfere = hang_after_writing
    await desk.begin("update-services", rows, RunOptions(batch_size=2, concurrency=1))
    work = asyncio.create_task(desk.carry_on())
    await until(lambda: len(desk.wire.writes) == 2)
    desk.stop.abort()
    await work
    assert desk.statuses == ["succeeded"] * 2 + ["unknown"] * 2 + ["unsent"] * 2
    never.set()
    desk.wire.script()
    await until(lambda: desk.wire.in_flight == 0)
    ending = await desk.carry_on()
    assert desk.statuses == ["succeeded"] * 6
    assert ending.summary.state is State.FINISHED
    assert {desk.service(number)["Duration"] for number in range(2, 8)} == {35}


async def test_a_stop_before_the_first_write_sends_nothing_and_can_be_resumed(desk: Desk):
    async def stop_while_reading(heard: Heard) -> None:
        desk.stop.again()

    desk.wire.interfere = stop_while_reading
    rows = services(5)
    ending = await desk.run("create-services", rows)
    assert (ending.summary.state, desk.wire.writes) == (State.INTERRUPTED, [])
    desk.wire.script()
    await desk.carry_on()
    assert desk.each_once(rows)


async def test_the_second_signal_ends_at_once_before_the_first_write_and_keeps_all_for_later(desk: Desk):
    never = asyncio.Event()

    async def hang(heard: Heard) -> None:
        await never.wait()

    rows = services(5)
    desk.wire.interfere = hang
    await desk.begin("create-services", rows)
    work = asyncio.create_task(desk.carry_on())
    await until(lambda: desk.wire.heard)
    desk.stop.again()
    desk.stop.again()
    ending = await asyncio.wait_for(work, 10)
    never.set()
    assert (ending.summary.state, desk.wire.writes) == (State.INTERRUPTED, [])
    assert desk.statuses == ["unsent"] * 5
    desk.wire.script()
    await desk.carry_on()
    assert desk.each_once(rows)


async def test_the_first_signal_stops_judging_at_the_next_page(desk: Desk):
    """Judging goes on in a thread of its own, which no cancellation reaches."""
    await desk.begin("create-services", services(600))
    judged: list[int] = []

    class StopOnceJudged(list[Event]):
        def append(self, event: Event) -> None:
            if isinstance(event, RowsJudged):
                judged.append(event.rows)
                desk.stop.again()

    desk.events = StopOnceJudged()
    ending = await desk.carry_on()
    desk.events = []
    assert (ending.summary.state, judged, desk.wire.writes) == (State.INTERRUPTED, [500], [])
    ending = await desk.carry_on()
    assert (ending.summary.state, desk.statuses.count("unsent")) == (State.FINISHED, 0)
