"""How batches leave: full, in order, through one gate, and again where that is certain to do no harm."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from desk import NOW, SERVICE, Desk, desk_at, services
from forwarder import Cut, Heard, Say, until

from bulkzcrm.events import BatchAnswered, Waiting
from bulkzcrm.journal import Journal
from bulkzcrm.model import Status
from bulkzcrm.report import State
from bulkzcrm.run.engine import carry_on
from bulkzcrm.run.options import RunOptions
from bulkzcrm.sandbox import Fault, Faults, SandboxOptions
from bulkzcrm.spec.operations import OPERATIONS

TOO_MANY = Say(429, {"code": "TOO_MANY_REQUESTS", "details": {}, "message": "too many", "status": "error"})


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_at(tmp_path / "a desk") as desk:
        yield desk


def sizes(desk: Desk) -> list[int]:
    return [len(heard.records) for heard in desk.wire.writes]


async def test_batches_are_full_and_in_source_order(desk: Desk):
    rows = services(250)
    ending = await desk.run("create-services", rows, RunOptions(concurrency=1))
    assert sizes(desk) == [100, 100, 50]
    assert desk.created == [row["Service_Name"] for row in rows]
    assert (ending.summary.state, ending.summary.batches) == (State.FINISHED, 3)


async def test_rows_that_are_not_sent_leave_no_gap_in_a_batch(desk: Desk):
    rows = services(23)
    for number in (0, 3, 4, 5, 11):
        rows[number]["Duration"] = "soon"
    await desk.run("create-services", rows, RunOptions(batch_size=6, concurrency=1))
    assert sizes(desk) == [6, 6, 6]
    assert [row["result_batch"] for row in desk.results[-3:]] == ["3", "3", "3"]


@pytest.mark.parametrize(("asked", "expected"), [(7, [7, 7, 6]), (100, [20]), (1000, [20])])
async def test_batch_size_is_a_ceiling_below_that_of_the_operation(desk: Desk, asked: int, expected: list[int]):
    await desk.run("create-services", services(20), RunOptions(batch_size=asked, concurrency=1))
    assert sizes(desk) == expected


@pytest.mark.parametrize(
    ("edition", "batch_size", "concurrency", "most"),
    [
        ("free", 11, None, 5),
        ("enterprise", 11, None, 10),
        ("enterprise", 10, None, 20),
        ("enterprise", 10, 3, 3),
        ("free", 10, 50, 5),
    ],
)
async def test_no_more_requests_are_in_flight_than_edition_and_option_allow(
    tmp_path: Path, edition: str, batch_size: int, concurrency: int | None, most: int
):
    async with desk_at(tmp_path, options=SandboxOptions(edition=edition, active_service_limit=9999)) as desk:
        rows = services(batch_size * 30)

        async def hold(heard: Heard) -> None:
            if heard.is_write:
                await asyncio.sleep(0.02)

        desk.wire.interfere = hold
        await desk.run("create-services", rows, RunOptions(batch_size=batch_size, concurrency=concurrency))
        assert 2 < desk.wire.most_in_flight <= most, "the gate begins low and opens by itself"
        assert desk.each_once(rows)


async def test_operations_that_take_one_record_go_one_at_a_time_in_source_order(desk: Desk):
    rules = [("4876876000000965528", "active"), ("4876876000000965529", "inactive"), ("4876876000000965531", "active")]

    async def hold(heard: Heard) -> None:
        await asyncio.sleep(0.005 if heard.method == "PUT" else 0)

    desk.wire.interfere = hold
    await desk.run("set-scoring-rule-status", [{"id": each, "Status": status} for each, status in rules])
    assert [(heard.method, heard.path.split("/")[3]) for heard in desk.wire.writes] == [
        ("PUT" if status == "active" else "DELETE", each) for each, status in rules
    ]
    assert desk.wire.most_in_flight == 1


async def test_a_pause_asked_by_the_server_holds_for_all_workers(desk: Desk):
    asked = replace(TOO_MANY, headers={"Retry-After": "40"})
    desk.wire.script(asked)
    rows = services(200)
    ending = await desk.run("create-services", rows, RunOptions(batch_size=10))
    assert desk.pace.seconds >= 40
    assert len(desk.wire.writes) == 21
    assert desk.each_once(rows)
    assert ending.summary.counts[Status.SUCCEEDED] == 200
    assert ending.summary.requests == len(desk.wire.heard)


async def test_the_limit_that_was_learned_is_kept_for_the_organisation(desk: Desk):
    desk.wire.script(TOO_MANY)
    await desk.run("create-services", services(1))
    desk.events.clear()

    async def hold(heard: Heard) -> None:
        await asyncio.sleep(0.02)

    desk.wire.interfere = hold
    await desk.run("create-services", services(10, first=101), RunOptions(batch_size=1))
    limits = [event.limit for event in desk.events if isinstance(event, BatchAnswered)]
    assert 3 in limits, "it grows by one a round; a limit that nobody has learned would double from 2 to 4"


@pytest.mark.parametrize(
    "step",
    [
        TOO_MANY,
        Say(429, b"<html>slow down</html>"),
        Say(429),
        Say(429, {"code": 429, "error": "TOO_MANY_REQUESTS", "details": [], "error_info": "Many requests fired"}),
        Say(207, {"data": [{"code": "TOO_MANY_REQUESTS", "details": {}, "message": "", "status": "error"}] * 3}),
    ],
)
async def test_a_throttled_create_goes_again_and_is_made_once(desk: Desk, step: Say):
    desk.wire.script(step, step)
    rows = services(3)
    await desk.run("create-services", rows)
    assert desk.each_once(rows)
    assert {row["result_attempts"] for row in desk.results} == {"3"}
    assert len(desk.batches) == 1


async def test_rows_that_alone_were_throttled_go_again_without_the_others(desk: Desk):
    async def mixed(heard: Heard) -> Say | None:
        if len(heard.records if heard.is_write else []) < 3:
            return None
        good = {"code": "SUCCESS", "details": {"id": SERVICE.format(900)}, "message": "", "status": "success"}
        bad = {"code": "TOO_MANY_REQUESTS", "details": {}, "message": "", "status": "error"}
        return Say(207, {"data": [bad, good, bad]})

    desk.wire.interfere = mixed
    rows = services(3)
    ending = await desk.run("create-services", rows)
    assert desk.created == [rows[0]["Service_Name"], rows[2]["Service_Name"]]
    assert desk.statuses == ["succeeded"] * 3
    assert ending.summary.state is State.FINISHED


async def test_being_throttled_for_longer_than_max_wait_leaves_rows_unsent(desk: Desk):
    desk.wire.script(*[TOO_MANY] * 1000)
    rows = services(3)
    ending = await desk.run("create-services", rows, RunOptions(max_wait=90))
    assert ending.summary.state is State.STOPPED
    assert desk.statuses == ["unsent"] * 3
    assert desk.pace.seconds < 90 + 61
    assert "max-wait" in (ending.summary.stopped_because or "")
    assert ending.summary.resume
    desk.wire.script()
    await desk.carry_on()
    assert desk.each_once(rows)


async def test_waiting_for_a_turn_does_not_count_as_waiting_for_the_server(desk: Desk):
    """A batch that stood in the queue for longer than max-wait still has all of it when it is turned away."""

    async def slow(heard: Heard) -> Say | None:
        if heard.is_write:
            desk.pace.seconds += 400
            turned_away.append(heard)
            if len(turned_away) == 4:
                return TOO_MANY
        return None

    turned_away: list[Heard] = []
    desk.wire.interfere = slow
    rows = services(50)
    await desk.run("create-services", rows, RunOptions(batch_size=10, max_wait=300))
    assert desk.each_once(rows)


async def test_a_server_that_cannot_be_reached_leaves_rows_unsent(desk: Desk):
    rows = services(3)
    await desk.begin("create-services", rows)

    async def hang_up(heard: Heard) -> Cut | None:
        return Cut(applied=False) if heard.is_write else None

    desk.wire.interfere = hang_up
    ending = await desk.carry_on()
    assert ending.summary.counts[Status.SUCCEEDED] == 0
    assert ending.summary.state is State.STOPPED


async def test_waits_are_announced_with_their_reason(desk: Desk):
    desk.wire.script(TOO_MANY)
    await desk.run("create-services", services(1))
    assert [event for event in desk.events if isinstance(event, Waiting)]


async def test_ten_workers_whose_token_dies_renew_it_once(desk: Desk):
    rows = services(100)
    await desk.begin("create-services", rows, RunOptions(batch_size=10))
    gathered = asyncio.Event()
    count = itertools.count(1)

    async def die_together(heard: Heard) -> None:
        if heard.is_write and not gathered.is_set():
            if next(count) == 2:
                desk.sandbox.expire_tokens()
                gathered.set()
            await gathered.wait()

    desk.wire.interfere = die_together
    before = desk.sandbox.token_requests
    await desk.carry_on()
    assert desk.each_once(rows)
    # One for the reads at the beginning, one for all workers together.
    assert desk.sandbox.token_requests - before == 2


@pytest.mark.parametrize("code", ["INVALID_TOKEN", "AUTHENTICATION_FAILURE"])
async def test_a_token_that_is_refused_even_when_fresh_stops_the_run_before_anything_is_written(desk: Desk, code: str):
    async def refuse(heard: Heard) -> Say | None:
        told = {"code": code, "details": {}, "message": "no", "status": "error"}
        return Say(401, told) if heard.is_write else None

    desk.wire.interfere = refuse
    ending = await desk.run("create-services", services(30), RunOptions(batch_size=10, concurrency=1))
    assert len(desk.wire.writes) == 2, "one try with the old token, one with the fresh one"
    assert desk.statuses == ["unsent"] * 30
    assert ending.summary.state is State.STOPPED


async def test_tokens_that_live_for_a_few_requests_only_make_a_run_slower_and_nothing_else(tmp_path: Path):
    async with desk_at(tmp_path, options=SandboxOptions(token_calls=4, token_throttle=None)) as desk:
        rows = services(100)
        await desk.run("create-services", rows, RunOptions(batch_size=10, concurrency=1))
        assert desk.each_once(rows)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, {"code": "OAUTH_SCOPE_MISMATCH", "details": {}, "message": "Unauthorized", "status": "error"}),
        (403, {"code": "NO_PERMISSION", "details": {"permissions": ["x"]}, "message": "denied", "status": "error"}),
        (400, {"code": "INVALID_MODULE", "details": {}, "message": "no such module", "status": "error"}),
        (404, {"code": "INVALID_URL_PATTERN", "details": {}, "message": "nothing here", "status": "error"}),
        (400, {"code": "SOMETHING_NEW", "details": {}, "message": "never heard of it", "status": "error"}),
    ],
)
async def test_what_no_row_can_mend_stops_the_run_with_every_row_unsent(desk: Desk, status: int, body: object):
    async def refuse(heard: Heard) -> Say | None:
        return Say(status, body) if heard.is_write else None

    desk.wire.interfere = refuse
    ending = await desk.run("create-services", services(300), RunOptions(batch_size=10))
    assert set(desk.statuses) == {"unsent"}
    assert len(desk.wire.writes) <= 20, "what waited for its turn stays at home"
    assert ending.summary.state is State.STOPPED
    assert ending.summary.stopped_because


async def test_credits_that_are_used_up_stop_the_run(tmp_path: Path):
    async with desk_at(tmp_path, options=SandboxOptions(credit_limit=8)) as desk:
        chosen = RunOptions(batch_size=10, concurrency=1, max_wait=30, leave_credits="0")
        ending = await desk.run("create-services", services(50), chosen)
        reads = len(desk.wire.reads)
        assert desk.statuses == ["succeeded"] * 10 * (8 - reads) + ["unsent"] * (50 - 10 * (8 - reads))
        assert ending.summary.state is State.STOPPED
        assert desk.sandbox.credits_spent == 8


@pytest.mark.parametrize("triggers", [True, False])
async def test_no_triggers_is_said_in_every_request_and_otherwise_nothing_is(desk: Desk, *, triggers: bool):
    await desk.run("create-services", services(3), RunOptions(batch_size=2, triggers=triggers))
    for heard in desk.wire.writes:
        assert heard.body.get("trigger", "not said") == ("not said" if triggers else [])
    assert [preview.triggers for preview in desk.previews] == [triggers]


async def test_an_estimate_of_credits_counts_ten_records_as_one_and_reads_too(desk: Desk):
    ending = await desk.run("create-services", services(25), RunOptions(batch_size=25))
    assert ending.summary.credits_estimated == desk.sandbox.credits_spent == len(desk.wire.reads) + 3


async def test_a_slow_answer_is_waited_for(tmp_path: Path):
    faults = Faults([Fault.SLOW_BODY, Fault.LATENCY], delay_s=0.05)
    async with desk_at(tmp_path, faults=faults) as desk:
        rows = services(4)
        await desk.run("create-services", rows, RunOptions(batch_size=2))
        assert desk.statuses == ["succeeded"] * 4


async def test_what_now_meant_in_a_row_can_be_told_from_the_journal_to_the_second(desk: Desk):
    """Whatever the fraction of the second at which the batch was sent, and whatever the computer's own clock says."""
    rows = services(3, Status="Not in Use", Unavailable_From="now")
    await desk.begin("create-services", rows, RunOptions(batch_size=1, concurrency=1))
    ticks = itertools.count()
    around = replace(desk.around(), clock=lambda: NOW + timedelta(minutes=7, milliseconds=333.337 * next(ticks)))
    with Journal.open(desk.home) as journal:
        await carry_on(journal, desk.last, OPERATIONS["create-services"], around, resume="")
    written = [datetime.fromisoformat(heard.records[0]["Unavailable_From"]) for heard in desk.wire.writes]
    sent = [datetime.fromtimestamp((batch.sent_ms or 0) // 1000, UTC) for batch in desk.batches]
    assert written == [moment - timedelta(minutes=1) for moment in sent]
    assert len(written) == 3


async def test_until_gives_others_their_turn():
    done = asyncio.Event()
    asyncio.get_running_loop().call_soon(done.set)
    await until(done.is_set)
