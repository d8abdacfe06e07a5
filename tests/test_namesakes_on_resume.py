"""What was there before a row was ever sent is not the row's own, whichever call sends it."""

from __future__ import annotations

from pathlib import Path

import pytest
from desk import Desk, desk_at, services
from forwarder import Cut, Heard, Say
from test_settling import make, record

from bulkzcrm.report import State
from bulkzcrm.run.options import RunOptions

ONE_BY_ONE = RunOptions(batch_size=1, concurrency=1)


def stopping(desk: Desk, *, lost: bool, applied: bool = False) -> None:
    """Stop at the next write, and lose it or not."""
    desk.renew_stop()

    async def interfere(heard: Heard) -> Cut | None:
        if not heard.is_write:
            return None
        desk.stop.drain()
        return Cut(applied=applied) if lost else None

    desk.wire.interfere = interfere


def second(desk: Desk) -> list[str]:
    """Let a service be made that looks like the second row."""
    return make(desk, record(Service_Name="Service 00002", Price=2))


@pytest.mark.parametrize("when", ["before the run", "between two calls"])
async def test_a_namesake_is_not_taken_for_a_row_that_was_sent_later(tmp_path: Path, when: str):
    async with desk_at(tmp_path) as desk:
        there = second(desk) if when == "before the run" else []
        stopping(desk, lost=False)
        await desk.run("create-services", services(2), ONE_BY_ONE)
        assert desk.statuses == ["succeeded", "unsent"]
        there = there or second(desk)
        stopping(desk, lost=True)
        await desk.carry_on()
        assert desk.statuses == ["succeeded", "unknown"]
        desk.wire.script()
        ending = await desk.carry_on()
        assert desk.statuses == ["succeeded", "succeeded"]
        assert ending.summary.state is State.FINISHED
        assert desk.results[1]["result_record_id"] not in there
        assert desk.created.count("Service 00002") == 2


async def test_the_record_of_a_lost_row_is_still_its_own_where_another_row_has_its_name(tmp_path: Path):
    """The second row of that name was never sent, and there is a record of the name: it is the first row's."""
    async with desk_at(tmp_path) as desk:
        rows = services(1) + services(1, Description="another")
        stopping(desk, lost=True, applied=True)
        await desk.run("create-services", rows, ONE_BY_ONE)
        assert desk.statuses == ["unknown", "unsent"]
        made = desk.created
        desk.wire.script()
        await desk.carry_on()
        assert desk.statuses == ["succeeded", "succeeded"]
        assert desk.created == [*made, "Service 00001"]


async def test_it_is_so_too_after_a_call_that_did_not_get_to_reading_back(tmp_path: Path):
    async with desk_at(tmp_path) as desk:
        rows = services(1) + services(1, Description="another")
        stopping(desk, lost=True, applied=True)
        await desk.run("create-services", rows, ONE_BY_ONE)
        made = desk.created

        async def stop_before(heard: Heard) -> None:
            if heard.query.get("sort_by") == "Created_Time":
                desk.stop.drain()

        desk.wire.interfere = stop_before
        await desk.carry_on()
        desk.wire.script()
        await desk.carry_on()
        assert desk.statuses == ["succeeded", "succeeded"]
        assert desk.created == [*made, "Service 00001"]


async def test_what_was_only_turned_away_has_made_nothing(tmp_path: Path):
    """The first call got a 429 for it; what is there when the second one begins is somebody else's."""
    async with desk_at(tmp_path) as desk:

        async def turn_away(heard: Heard) -> Say | None:
            if not heard.is_write:
                return None
            desk.stop.drain()
            return Say(429, {"code": "TOO_MANY_REQUESTS", "details": {}, "message": "", "status": "error"})

        desk.wire.interfere = turn_away
        await desk.run("create-services", services(1))
        assert desk.statuses == ["unsent"]
        assert [row.attempts for row in desk.stored] == [1]
        (foreign,) = make(desk, record())
        stopping(desk, lost=True)
        await desk.carry_on()
        assert desk.statuses == ["unknown"]
        desk.wire.script()
        await desk.carry_on()
        assert desk.statuses == ["succeeded"]
        assert desk.results[0]["result_record_id"] != foreign
        assert len(desk.created) == 2
