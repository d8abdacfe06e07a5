"""An answer is lost, the row goes again and is refused, and what was lost is carried out after all, or never is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from desk import SERVICE, Desk, desk_at, services
from forwarder import Cut, Heard, Say
from test_settling import make, record

from bulkzcrm.events import Event, Waiting
from bulkzcrm.journal import Progress
from bulkzcrm.report import State
from bulkzcrm.run.options import RunOptions
from bulkzcrm.sandbox import SandboxOptions

KEY = "Import_Key"
KEYED = RunOptions(unique_field=KEY, quiet_period=90)
QUIET = RunOptions(quiet_period=90)
LOCKED = {"code": "RECORD_LOCKED", "details": {}, "message": "locked", "status": "error"}
PRICE = [{"id": SERVICE.format(1), "Price": "777"}]


class WhileQuiet(list[Event]):
    """Lets something happen while refused rows are waited for."""

    def __init__(self, happens: Callable[[], object]) -> None:
        super().__init__()
        self._happens = happens
        self.waited = 0.0

    def append(self, event: Event) -> None:
        super().append(event)
        if isinstance(event, Waiting) and "refused" in event.reason:
            self.waited += event.seconds
            self._happens()


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_at(tmp_path / "a desk", options=SandboxOptions(unique_field=KEY)) as desk:
        yield desk


def refusing(desk: Desk, happens: Callable[[Heard], object] = lambda _: None, *, rows: int = 1) -> WhileQuiet:
    """Lose the first write, refuse the first row of the second, and let something happen in the quiet that follows."""
    lost: list[Heard] = []
    before = len(desk.wire.writes)

    async def interfere(heard: Heard) -> Say | Cut | None:
        if not heard.is_write:
            return None
        if not lost:
            lost.append(heard)
            return Cut(applied=False)
        if len(desk.wire.writes) == before + 2:
            done: list[Any] = [success(heard.records[place]) for place in range(1, rows)]
            return Say(207, {"data": [LOCKED, *done]})
        return None

    desk.wire.interfere = interfere
    desk.events = WhileQuiet(lambda: happens(lost[0]))
    return desk.events


def success(record: Any) -> dict[str, Any]:
    return {"code": "SUCCESS", "details": {"id": record["id"]}, "message": "record updated", "status": "success"}


def priced(desk: Desk) -> None:
    organisation = desk.sandbox._running().organisation
    with organisation.store.transaction():
        service = organisation.store.service(SERVICE.format(1))
        organisation.store.put_service({**service, "Price": Decimal(777)})


async def test_a_keyed_create_that_arrives_after_its_refusal_has_succeeded(desk: Desk):
    told = refusing(desk, lambda lost: make(desk, *lost.records))
    ending = await desk.run("create-services", services(1), KEYED)
    assert desk.statuses == ["succeeded"]
    assert ending.summary.state is State.FINISHED
    assert desk.created == ["Service 00001"]
    assert 80 < told.waited <= 90


async def test_one_that_never_arrives_is_rejected(desk: Desk):
    told = refusing(desk)
    ending = await desk.run("create-services", services(1), KEYED)
    assert desk.statuses == ["rejected"]
    assert desk.results[0]["result_code"] == "RECORD_LOCKED"
    assert ending.summary.state is State.FINISHED
    assert 80 < told.waited <= 90


async def test_an_update_that_arrives_after_its_refusal_has_succeeded(desk: Desk):
    told = refusing(desk, lambda _: priced(desk))
    await desk.run("update-services", PRICE, QUIET)
    assert desk.statuses == ["succeeded"]
    assert desk.results[0]["result_record_id"] == SERVICE.format(1)
    assert 80 < told.waited <= 90


async def test_an_update_that_never_arrives_is_rejected(desk: Desk):
    refusing(desk)
    await desk.run("update-services", PRICE, QUIET)
    assert desk.statuses == ["rejected"]


async def test_what_the_answer_says_of_others_is_on_the_disk_before_anybody_waits(desk: Desk):
    seen: list[Progress] = []
    refusing(desk, lambda _: seen.extend(row.status for row in desk.stored), rows=3)
    rows = [{"id": SERVICE.format(number), "Price": "777"} for number in (1, 2, 3)]
    await desk.run("update-services", rows, QUIET)
    assert seen == [Progress.IN_DOUBT, Progress.SUCCEEDED, Progress.SUCCEEDED]
    assert desk.statuses == ["rejected", "succeeded", "succeeded"]


async def test_who_is_stopped_while_waiting_leaves_it_unknown(desk: Desk):
    told = refusing(desk, lambda _: desk.stop.again())
    ending = await desk.run("update-services", PRICE, QUIET)
    assert ending.summary.state is State.INTERRUPTED
    assert desk.statuses == ["unknown"]
    told.clear()
    ending = await desk.carry_on()
    assert ending.summary.state is State.FINISHED
    assert desk.statuses == ["succeeded"]


async def test_what_an_earlier_call_has_lost_is_waited_for_as_long(desk: Desk):
    lost: list[Heard] = []

    async def lose_and_stop(heard: Heard) -> Cut | None:
        if not heard.is_write or lost:
            return None
        lost.append(heard)
        desk.stop.drain()
        return Cut(applied=False)

    desk.wire.interfere = lose_and_stop
    await desk.run("create-services", services(1), KEYED)
    assert desk.statuses == ["unknown"]
    desk.wire.script(Say(207, {"data": [LOCKED]}))
    told = desk.events = WhileQuiet(lambda: make(desk, *lost[0].records))
    await desk.carry_on()
    assert desk.statuses == ["succeeded"]
    assert desk.created == ["Service 00001"]
    assert 80 < told.waited <= 90


async def test_where_nobody_can_look_it_stays_in_doubt(desk: Desk):
    forbidden = Say(401, {"code": "OAUTH_SCOPE_MISMATCH", "details": {}, "message": "", "status": "error"})
    refusing(desk)
    inner = desk.wire.interfere

    async def interfere(heard: Heard) -> Say | Cut | None:
        if not heard.is_write and len(desk.wire.writes) == 2 and heard.path == "Services__s":
            return forbidden
        return await inner(heard)

    desk.wire.interfere = interfere
    await desk.run("create-services", services(1), KEYED)
    assert desk.statuses == ["succeeded"], "it went again, and was taken"
    assert desk.created == ["Service 00001"]


async def test_the_value_of_another_record_is_not_taken_for_the_rows_own(desk: Desk):
    """The organisation tells values with one blank from such with two; all else is the same."""
    there = [{**services(1)[0], KEY: "K  1"}]
    await desk.run("create-services", there, KEYED)
    refusing(desk)
    await desk.run("create-services", [{**services(1)[0], KEY: "K 1"}], KEYED)
    assert desk.statuses == ["rejected"]


async def test_the_quiet_period_is_not_taken_for_failing(desk: Desk):
    """One row is refused, and waited for; the other one is turned away, and has all of its time left afterwards."""
    turned_away = {"code": "TOO_MANY_REQUESTS", "details": {}, "message": "", "status": "error"}
    desk.wire.script(Cut(applied=False), Say(207, {"data": [LOCKED, turned_away]}))
    rows = [{"id": SERVICE.format(number), "Price": "777"} for number in (1, 2)]
    ending = await desk.run("update-services", rows, RunOptions(quiet_period=120, max_wait=60))
    assert ending.summary.state is State.FINISHED
    assert desk.statuses == ["rejected", "succeeded"]


async def test_a_record_of_its_value_that_says_something_else_is_not_the_rows(desk: Desk):
    """Somebody has made it meanwhile, by the same value: what the row says is not there."""
    refusing(desk, lambda _: make(desk, record(Import_Key="K 1", Price=99)))
    await desk.run("create-services", [{**services(1)[0], KEY: "K 1"}], KEYED)
    assert desk.statuses == ["rejected"]
    assert len(desk.created) == 1
