"""A row on which the server fails every time keeps no other row from its turn, in this call or in a later one."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Collection
from dataclasses import replace
from pathlib import Path

import pytest
from desk import SERVICE, Desk, desk_at, services
from forwarder import Cut, Heard, Say

from bulkzcrm.journal import Journal
from bulkzcrm.model import Status
from bulkzcrm.report import State
from bulkzcrm.run.engine import change_options
from bulkzcrm.run.options import RunOptions
from bulkzcrm.sandbox import SandboxOptions

FAILED = Say(500, {"code": "INTERNAL_ERROR", "details": {}, "message": "internal", "status": "error"})
TENS = RunOptions(batch_size=10, concurrency=1)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_at(tmp_path / "a desk", options=SandboxOptions(active_service_limit=5_000)) as desk:
        yield desk


def name(number: int) -> str:
    return f"Service {number:05}"


def fail_on(desk: Desk, guilty: Collection[int]) -> None:
    """Let the server fail on every write that carries one of these services; nothing of it is written."""
    names = {name(number) for number in guilty}

    async def fail(heard: Heard) -> Say | None:
        if heard.is_write and any(record.get("Service_Name") in names for record in heard.records):
            return FAILED
        return None

    desk.wire.interfere = fail


def unsent(desk: Desk) -> list[int]:
    return [place for place, status in enumerate(desk.statuses, start=1) if status == "unsent"]


def without(rows: list[dict[str, str]], guilty: Collection[int]) -> list[dict[str, str]]:
    names = {name(number) for number in guilty}
    return [row for row in rows if row["Service_Name"] not in names]


@pytest.mark.parametrize("guilty", [{5}, {40}, {5, 15, 25}, {1, 2, 3}, {5, 6, 7, 11, 12, 13}])
async def test_rows_on_which_the_server_fails_are_all_that_is_left(desk: Desk, guilty: set[int]):
    rows = services(40)
    fail_on(desk, guilty)
    ending = await desk.run("create-services", rows, TENS)
    assert unsent(desk) == sorted(guilty)
    assert desk.each_once(without(rows, guilty))
    assert ending.summary.state is State.STOPPED
    assert ending.summary.resume


async def test_the_reason_names_the_rows_and_says_how_many_they_are(desk: Desk):
    guilty = {3, 13, 14, 15, 23, 24, 33}
    fail_on(desk, guilty)
    ending = await desk.run("create-services", services(40), TENS)
    reason = ending.summary.stopped_because or ""
    assert "7 rows are left, and the server has failed on every request that carried them" in reason
    assert "rows 4, 14, 15, 16, 24 and 2 more" in reason, "as a spreadsheet program numbers them"
    assert "leave them out" in reason
    assert "Resume later" in reason


async def test_when_the_server_is_well_again_the_rest_follows(desk: Desk):
    rows = services(40)
    fail_on(desk, {5, 6})
    await desk.run("create-services", rows, TENS)
    desk.wire.script()
    ending = await desk.carry_on()
    assert ending.summary.state is State.FINISHED
    assert desk.each_once(rows)


async def test_few_rows_in_a_batch_that_could_hold_many_are_taken_apart_within_one_call(desk: Desk):
    rows = services(20)
    fail_on(desk, {7})
    await desk.run("create-services", rows, RunOptions(quiet_period=120))
    assert unsent(desk) == [7]
    assert desk.each_once(without(rows, {7}))


async def test_a_guilty_row_costs_few_requests(desk: Desk):
    rows = services(200)
    fail_on(desk, {30})
    await desk.run("create-services", rows, RunOptions(concurrency=1))
    assert unsent(desk) == [30]
    sent = [{str(record["Service_Name"]) for record in heard.records} for heard in desk.wire.writes]
    failed = [len(names) for names in sent if name(30) in names]
    assert failed[:7] == [100, 50, 25, 12, 6, 3, 1]
    assert len(sent) - len(failed) <= 10


async def test_rows_that_were_never_sent_go_before_rows_that_were(desk: Desk):
    fail_on(desk, {5, 15, 25})
    await desk.run("create-services", services(60), TENS)
    firsts = [int(heard.records[0]["Service_Name"][-5:]) for heard in desk.wire.writes]
    assert firsts[:6] == [1, 11, 21, 31, 41, 51]


async def test_however_short_the_patience_resuming_reaches_every_row(desk: Desk):
    rows, guilty = services(60), {1, 11, 21, 22, 31, 41, 51}
    fail_on(desk, guilty)
    await desk.run("create-services", rows, replace(TENS, max_wait=1))
    for _ in range(20):
        await desk.carry_on()
    assert unsent(desk) == sorted(guilty)
    assert desk.each_once(without(rows, guilty))


async def test_guilty_rows_that_stand_alone_are_no_wall_before_others_that_were_in_doubt(desk: Desk):
    """What was sent least often goes first, whatever its place in the source."""
    rows, guilty = services(40), {5, 6, 7}
    fail_on(desk, guilty)
    run = await desk.begin("create-services", rows, replace(TENS, max_wait=1))
    await desk.carry_on()
    with Journal.open(desk.home) as journal:
        change_options(journal, [run], lambda kept: replace(kept, batch_size=1), desk.around())
    for _ in range(2):
        await desk.carry_on()
    assert unsent(desk) == sorted(guilty)
    assert desk.each_once(without(rows, guilty))


async def test_a_server_that_fails_on_everything_blames_no_row(desk: Desk):
    async def trouble(heard: Heard) -> Say | None:
        return FAILED if heard.is_write else None

    desk.wire.interfere = trouble
    ending = await desk.run("create-services", services(200), replace(TENS, max_wait=60))
    assert unsent(desk) == list(range(1, 201))
    reason = ending.summary.stopped_because or ""
    assert "have been lost" in reason
    assert "leave them out" not in reason


async def test_what_was_turned_away_as_too_much_is_no_doubt_and_goes_in_full_batches(desk: Desk):
    async def throttle(heard: Heard) -> Say | None:
        return Say(429, {"code": "TOO_MANY_REQUESTS"}) if heard.is_write else None

    desk.wire.interfere = throttle
    await desk.run("create-services", services(20), replace(TENS, max_wait=5))
    desk.wire.script()
    before = len(desk.wire.writes)
    await desk.carry_on()
    assert [len(heard.records) for heard in desk.wire.writes[before:]] == [10, 10]
    assert desk.each_once(services(20))


async def test_throttled_batches_of_several_workers_are_not_sent_a_second_time_by_others(desk: Desk):
    """Rows that wait to be sent again look like rows that came back from a doubt."""
    seen: Counter[str] = Counter()

    async def trouble(heard: Heard) -> Say | Cut | None:
        if not heard.is_write:
            return None
        first = heard.records[0]["Service_Name"]
        seen[first] += 1
        if first == name(1) and seen[first] == 1:
            return Cut(applied=False)
        return Say(429, {"code": "TOO_MANY_REQUESTS"}) if seen[first] <= 2 else None

    desk.wire.interfere = trouble
    rows = services(80)
    ending = await desk.run("create-services", rows, RunOptions(batch_size=4, concurrency=5))
    assert ending.summary.state is State.FINISHED
    assert desk.each_once(rows)


async def test_answers_that_leave_one_row_open_are_progress(desk: Desk):
    """Every batch is written but for one row, of which the server says that it failed."""
    passed = 0

    async def leave_open(heard: Heard) -> Say | Cut | None:
        nonlocal passed
        if not heard.is_write or len(heard.records) == 1:
            return None
        from test_settling import make

        ids = make(desk, *heard.records[1:])
        passed += 1
        good = [{"code": "SUCCESS", "details": {"id": each}, "message": "", "status": "success"} for each in ids]
        return Say(207, {"data": [FAILED.body, *good]})

    desk.wire.interfere = leave_open
    rows = services(200)
    ending = await desk.run("create-services", rows, replace(TENS, max_wait=300, quiet_period=120))
    assert desk.each_once(rows)
    assert ending.summary.state is State.FINISHED


async def made(desk: Desk, count: int) -> list[str]:
    await desk.run("create-services", services(count))
    return [row["result_record_id"] for row in desk.results]


def fail_on_ids(desk: Desk, guilty: Collection[str]) -> None:
    async def fail(heard: Heard) -> Say | None:
        return FAILED if heard.is_write and any(record.get("id") in guilty for record in heard.records) else None

    desk.wire.interfere = fail


@pytest.mark.parametrize("places", [{4}, {4, 14, 24}, {0, 1, 2, 3}, {39}])
async def test_updates_on_which_the_server_fails_are_all_that_is_left(desk: Desk, places: set[int]):
    ids = await made(desk, 40)
    guilty = {ids[place] for place in places}
    fail_on_ids(desk, guilty)
    ending = await desk.run("update-services", [{"id": each, "Price": "7777"} for each in ids], TENS)
    assert ending.summary.state is State.STOPPED
    assert ending.summary.counts[Status.SUCCEEDED] == 40 - len(places)
    assert [place for place, status in enumerate(desk.statuses) if status in {"unknown", "unsent"}] == sorted(places)
    assert "unknown" in desk.statuses
    changed = {str(each["id"]) for each in desk.sandbox.services() if each.get("Price") == 7777}
    assert changed == set(ids) - guilty
    assert f"{len(places)} row" in (ending.summary.stopped_because or "")
    desk.wire.script()
    ending = await desk.carry_on()
    assert ending.summary.state is State.FINISHED
    assert desk.statuses == ["succeeded"] * 40


async def test_an_update_that_each_answer_leaves_open_keeps_no_other_from_its_turn(desk: Desk):
    guilty = SERVICE.format(2)

    async def leave_open(heard: Heard) -> Say | None:
        if not heard.is_write or all(record["id"] != guilty for record in heard.records):
            return None
        good = {"code": "SUCCESS", "message": "", "status": "success"}
        return Say(
            207,
            {
                "data": [
                    FAILED.body if record["id"] == guilty else {**good, "details": {"id": record["id"]}}
                    for record in heard.records
                ]
            },
        )

    desk.wire.interfere = leave_open
    rows = [{"id": SERVICE.format(number), "Duration": "35"} for number in range(2, 8)]
    ending = await desk.run("update-services", rows, RunOptions(batch_size=2, concurrency=1))
    assert desk.statuses == ["unknown"] + ["succeeded"] * 5
    assert ending.summary.state is State.STOPPED


async def test_updates_in_a_short_outage_all_get_through(desk: Desk):
    ids = await made(desk, 60)
    left = 25

    async def outage(heard: Heard) -> Say | None:
        nonlocal left
        left -= heard.is_write
        return FAILED if heard.is_write and left >= 0 else None

    desk.wire.interfere = outage
    rows = [{"id": each, "Price": "7777"} for each in ids]
    ending = await desk.run("update-services", rows, RunOptions(batch_size=10))
    assert ending.summary.state is State.FINISHED
    assert desk.statuses == ["succeeded"] * 60


async def test_settings_keep_their_order_whatever_the_server_fails_on(desk: Desk):
    async def fail(heard: Heard) -> Say | None:
        return FAILED if heard.is_write and "4876876000000965528" in heard.path else None

    desk.wire.interfere = fail
    rows = [
        {"id": "4876876000000965528", "Status": "active"},
        {"id": "4876876000000965529", "Status": "inactive"},
    ]
    ending = await desk.run("set-scoring-rule-status", rows, RunOptions(max_wait=30))
    assert desk.statuses == ["unknown", "unsent"]
    assert ending.summary.state is State.STOPPED
