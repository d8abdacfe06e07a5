"""What is done ahead of its turn: rows read, records read by id, requests written; bounded, and never sent too late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from desk import NOW, SERVICE, Desk, desk_at, services
from forwarder import Cut, Heard, Say, until

from bulkzcrm.exact_json import encode_exactly
from bulkzcrm.journal import BatchState, Journal
from bulkzcrm.model import Status
from bulkzcrm.report import State
from bulkzcrm.run.composing import Composer
from bulkzcrm.run.options import RunOptions
from bulkzcrm.send import Sendable
from bulkzcrm.send.drafts import Drafting
from bulkzcrm.spec.operations import OPERATIONS

FORBIDDEN = Say(403, {"code": "NO_PERMISSION", "details": {}, "message": "permission denied", "status": "error"})
AT_ONCE = RunOptions(batch_size=1, concurrency=3)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_at(tmp_path / "a desk") as desk:
        yield desk


def sendable(**values: Any) -> Sendable:
    said = encode_exactly({"id": SERVICE.format(1), **values})
    return Sendable(ordinal=1, number=2, said=said, record_id=SERVICE.format(1), says_now="now" in values.values())


class TestDrafts:
    def test_a_request_is_written_once_if_it_is_the_same_whenever_it_is_sent(self) -> None:
        drafting = Drafting(OPERATIONS["set-service-status"], zone=None, triggers=True)
        draft = drafting.draft([sendable(Status="Available")])
        assert draft.written is not None
        assert drafting.written(draft, NOW) is drafting.written(draft, NOW + timedelta(hours=1)) is draft.written

    def test_now_is_the_moment_of_sending_and_not_that_of_writing_ahead(self) -> None:
        drafting = Drafting(OPERATIONS["set-service-status"], zone=None, triggers=False)
        draft = drafting.draft([sendable(Status="Not in Use", Unavailable_From="now")])
        assert draft.written is None
        one, other = (drafting.written(draft, NOW + timedelta(hours=hours)) for hours in (0, 1))
        assert one.records[0]["Unavailable_From"] == "2030-01-07T09:29:00+00:00"
        assert other.records[0]["Unavailable_From"] == "2030-01-07T10:29:00+00:00"
        assert b'"Unavailable_From":"2030-01-07T10:29:00+00:00"' in (other.body or b"")
        assert b'"trigger":[]' in (other.body or b"")
        assert one.digest != other.digest


async def test_what_stands_ready_is_not_sent_once_the_run_has_stopped(desk: Desk):
    async def forbid(heard: Heard) -> Say | None:
        if not heard.is_write:
            return None
        await asyncio.sleep(0.05)
        return FORBIDDEN

    desk.wire.interfere = forbid
    ending = await desk.run("create-services", services(30), AT_ONCE)
    assert ending.summary.state is State.STOPPED
    assert len(desk.wire.writes) <= 3
    assert ending.summary.counts[Status.UNSENT] == 30
    assert {batch.state for batch in desk.batches} == {BatchState.NOT_APPLIED}, "of what stood ready, nothing is left"


async def test_batches_that_never_began_leave_no_gap_in_the_numbers(desk: Desk):
    desk.wire.script(None, FORBIDDEN)
    await desk.run("create-services", services(10), AT_ONCE)
    desk.wire.script()
    await desk.carry_on()
    numbers = [batch.number for batch in desk.batches]
    assert numbers == list(range(1, len(numbers) + 1))
    assert desk.each_once(services(10))


async def test_no_more_is_composed_ahead_than_stands_ready(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    composed = most = 0
    composing = Composer.composed

    def counted(composer: Composer, looked: Any, *more: Any) -> Any:
        nonlocal composed
        composed += 1
        return composing(composer, looked, *more)

    async def hold(heard: Heard) -> None:
        nonlocal most
        if heard.is_write:
            await asyncio.sleep(0.01)
            most = max(most, composed - len(desk.wire.writes))

    monkeypatch.setattr(Composer, "composed", counted)
    desk.wire.interfere = hold
    await desk.run("create-services", services(60), AT_ONCE)
    assert composed == 60
    assert most <= 3 * AT_ONCE.concurrency + 2, "in flight, ready for a place, in the stream, and the one that is given"


@pytest.mark.parametrize("latency_s", [0.0, 0.03])
async def test_no_more_batches_are_between_intent_and_outcome_than_may_be_in_flight(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, latency_s: float
):
    """So no more have to be read back after a crash: an outcome is written before the intent that takes its place."""
    most = 0
    send_batch = Journal.send_batch

    def counted(journal: Journal, run: str, *facts: Any) -> None:
        nonlocal most
        send_batch(journal, run, *facts)
        most = max(most, len(journal.batches(run, {BatchState.SENDING})))

    async def take_time(heard: Heard) -> None:
        if heard.is_write and latency_s:
            await asyncio.sleep(latency_s)

    monkeypatch.setattr(Journal, "send_batch", counted)
    desk.wire.interfere = take_time
    await desk.run("create-services", services(60), AT_ONCE)
    assert 2 <= most <= AT_ONCE.concurrency
    assert desk.each_once(services(60))


async def test_an_answer_that_shows_an_error_is_read_before_anything_else_leaves(desk: Desk):
    """However long requests take: with `--max-errors 0` the first row that is refused is the end."""

    async def refuse(heard: Heard) -> Say | None:
        if not heard.is_write:
            return None
        await asyncio.sleep(0.05)
        details = {"api_name": "Service_Name", "json_path": "$.data[0].Service_Name"}
        told = {"code": "INVALID_DATA", "details": details, "message": "invalid data", "status": "error"}
        return Say(202, {"data": [told]})

    desk.wire.interfere = refuse
    ending = await desk.run("create-services", services(30), replace(AT_ONCE, max_errors="0"))
    assert ending.summary.state is State.STOPPED
    assert len(desk.wire.writes) <= 3
    assert ending.summary.counts[Status.REJECTED] == len(desk.wire.writes)


async def test_records_are_read_ahead_by_their_ids_for_one_more_batch_and_no_further(desk: Desk):
    """The list shows nobody's members, so each service is read by its id; the first write is kept waiting."""
    free = asyncio.Event()

    async def hold(heard: Heard) -> None:
        if heard.is_write:
            await free.wait()

    desk.wire.interfere = hold
    numbers = range(1, 13)
    rows = [{"id": SERVICE.format(number), "Status": "Not in Use", "Unavailable_From": "now"} for number in numbers]
    running = asyncio.create_task(desk.run("set-service-status", rows, RunOptions(batch_size=2, concurrency=1)))
    await until(lambda: bool(desk.wire.writes))
    await asyncio.sleep(0.2)
    read = [path for path in desk.wire.reads if path.startswith("Services__s/")]
    free.set()
    ending = await running
    assert len(read) <= 2 * 4, "for batches in flight, in the stream, and given away, and for the next one"
    assert len([path for path in desk.wire.reads if path.startswith("Services__s/")]) > len(read)
    sent = [record["id"] for heard in desk.wire.writes for record in heard.records]
    assert sent == sorted(sent), "in source order, however they were read"
    assert ending.summary.state is State.FINISHED


async def test_what_stands_ready_waits_until_lost_creates_are_read_back(desk: Desk):
    """Three answers in a row are lost; a fourth request is under way by then, and two batches stand ready."""

    async def lose(heard: Heard) -> Cut | None:
        is_read_back = any("sort_by" in each.query and each.query["sort_by"] != "id" for each in desk.wire.heard)
        if not heard.is_write or is_read_back:
            return None
        mine = len(desk.wire.writes)
        await until(lambda: len(desk.wire.writes) > min(mine, 3))
        return Cut(applied=True)

    desk.wire.interfere = lose
    rows = services(12)
    await desk.run("create-services", rows, RunOptions(batch_size=1, concurrency=2))
    heard = [each.method for each in desk.wire.heard if each.is_write or each.query.get("sort_by", "id") != "id"]
    assert heard[:5] == ["POST"] * 4 + ["GET"]
    assert desk.each_once(rows)
