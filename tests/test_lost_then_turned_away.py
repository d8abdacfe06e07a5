"""A write that is safe to repeat was lost once; whatever keeps it from being repeated, it may arrive late: unknown."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from desk import SERVICE, Desk, desk_at, services
from forwarder import Cut, Heard, Say
from wires import WatchedWire

from bulkzcrm.journal import BatchState, Progress
from bulkzcrm.model import Status
from bulkzcrm.report import State
from bulkzcrm.run.options import RunOptions
from bulkzcrm.sandbox import SandboxOptions

KEY = "Import_Key"
RULES = ["4876876000000965528", "4876876000000965529"]
THROTTLED = {"code": "TOO_MANY_REQUESTS", "details": {}, "message": "too many", "status": "error"}
TOO_MANY = Say(429, THROTTLED)
FORBIDDEN = Say(403, {"code": "NO_PERMISSION", "details": {}, "message": "permission denied", "status": "error"})
BRIEF = RunOptions(max_wait=30)

Step = Callable[[Desk, Heard], Say | Cut | None]


def durations(*numbers: int) -> list[dict[str, str]]:
    return [{"id": SERVICE.format(number), "Duration": "35"} for number in numbers]


def switches() -> list[dict[str, str]]:
    return [{"id": RULES[0], "Status": "active"}, {"id": RULES[1], "Status": "inactive"}]


ERRANDS: Mapping[str, tuple[str, list[dict[str, str]], RunOptions]] = {
    "updates": ("update-services", durations(2, 3), BRIEF),
    "upserts": ("create-services", services(2), replace(BRIEF, unique_field=KEY)),
}
errands = pytest.mark.parametrize("errand", ERRANDS.values(), ids=ERRANDS)


@asynccontextmanager
async def at_desk(folder: Path) -> AsyncIterator[Desk]:
    async with desk_at(folder, options=SandboxOptions(unique_field=KEY)) as desk:
        yield desk


def lose_first(desk: Desk, then: Step) -> list[Heard]:
    """Lose the first write, which the server then has still before it, and let `then` answer every later one."""
    lost: list[Heard] = []

    async def interfere(heard: Heard) -> Say | Cut | None:
        if not heard.is_write:
            return None
        if not lost:
            lost.append(heard)
            return Cut(applied=False)
        return then(desk, heard)

    desk.wire.interfere = interfere
    return lost


def throttle(_desk: Desk, _heard: Heard) -> Say:
    return TOO_MANY


def throttle_each_row(_desk: Desk, heard: Heard) -> Say:
    return Say(207, {"data": [THROTTLED] * len(heard.records)})


def forbid(_desk: Desk, _heard: Heard) -> Say:
    return FORBIDDEN


def refuse_the_token(desk: Desk, _heard: Heard) -> Say:
    desk.wire.tokens = Say(200, {"error": "invalid_code"})
    return Say(401, {"code": "INVALID_TOKEN", "details": {}, "message": "", "status": "error"})


def throttle_and_interrupt(desk: Desk, _heard: Heard) -> Say:
    desk.stop.drain()
    return TOO_MANY


def refuse_the_batch(desk: Desk, _heard: Heard) -> Say:
    """It is split, and its parts are not let through."""
    desk.wire.script(*[TOO_MANY] * 1000)
    told = {"code": "INVALID_DATA", "details": {"api_name": "Price"}, "message": "", "status": "error"}
    return Say(400, told)


def is_all_in_doubt(desk: Desk) -> bool:
    """Whether the journal has all rows in doubt, each in a batch that is."""
    in_doubt = {batch.number for batch in desk.batches if batch.state is BatchState.IN_DOUBT}
    return all(row.status is Progress.IN_DOUBT and row.batch in in_doubt for row in desk.stored)


async def settles(desk: Desk, rows: Sequence[Mapping[str, str]]) -> None:
    """Resume, and see that everything ends well."""
    desk.wire.tokens = None
    desk.wire.script()
    ending = await desk.carry_on()
    assert ending.summary.state is State.FINISHED
    assert desk.statuses == ["succeeded"] * len(rows)
    if "Service_Name" in rows[0]:
        assert desk.each_once(rows)
    else:
        assert {desk.service(int(row["id"][-3:]))["Duration"] for row in rows} == {35}


@errands
@pytest.mark.parametrize(
    "trouble",
    [throttle, throttle_each_row, forbid, refuse_the_token, throttle_and_interrupt, refuse_the_batch],
)
async def test_what_was_lost_once_and_only_turned_away_since_is_unknown(
    tmp_path: Path, errand: tuple[str, list[dict[str, str]], RunOptions], trouble: Step
):
    operation, rows, options = errand
    async with at_desk(tmp_path) as desk:
        lose_first(desk, trouble)
        ending = await desk.run(operation, rows, options)
        assert desk.statuses == ["unknown"] * 2
        assert ending.summary.counts[Status.UNKNOWN] == 2
        assert ending.summary.state is (State.INTERRUPTED if trouble is throttle_and_interrupt else State.STOPPED)
        assert ending.summary.resume
        assert is_all_in_doubt(desk)
        assert all("still be on its way" in row["result_message"] for row in desk.results)
        assert all("Resume" in row["result_fix"] for row in desk.results)
        await settles(desk, rows)


@errands
async def test_what_was_lost_once_and_cannot_even_leave_any_more_is_unknown(
    tmp_path: Path, errand: tuple[str, list[dict[str, str]], RunOptions]
):
    operation, rows, options = errand
    async with at_desk(tmp_path) as desk:
        desk.wire.script(Cut(applied=False))
        nobody = "http://127.0.0.1:9/"
        wire = WatchedWire(before_write=lambda number, url: url if number == 1 else nobody)
        around = desk.around
        desk.around = lambda connection=None: replace(around(connection), wire=lambda: wire)
        await desk.run(operation, rows, options)
        assert wire.writes > 2
        assert desk.statuses == ["unknown"] * 2
        desk.around = around
        await settles(desk, rows)


async def test_what_is_read_again_and_not_there_yet_is_unknown_until_it_goes(tmp_path: Path):
    """Somebody interrupts the run while the record is read."""
    rows = durations(2, 3)
    async with at_desk(tmp_path) as desk:

        async def lose_and_interrupt(heard: Heard) -> Cut | None:
            if desk.wire.writes and not heard.is_write:
                desk.stop.drain()
            return Cut(applied=False) if heard.is_write else None

        desk.wire.interfere = lose_and_interrupt
        ending = await desk.run("update-services", rows, BRIEF)
        assert ending.summary.state is State.INTERRUPTED
        assert len(desk.wire.writes) == 1
        assert desk.statuses == ["unknown"] * 2
        assert is_all_in_doubt(desk)
        await settles(desk, rows)


@errands
async def test_a_lost_write_that_arrives_after_the_run_has_given_up_belies_no_report(
    tmp_path: Path, errand: tuple[str, list[dict[str, str]], RunOptions]
):
    operation, rows, options = errand
    async with at_desk(tmp_path) as desk:
        lost = lose_first(desk, throttle)
        await desk.run(operation, rows, options)
        assert desk.statuses == ["unknown"] * 2
        await arrive(desk, lost)
        writes = len(desk.wire.writes)
        await settles(desk, rows)
        assert (len(desk.wire.writes) == writes) is (operation == "update-services"), "what holds by now is not sent"


async def arrive(desk: Desk, lost: Sequence[Heard]) -> None:
    """Let the server carry out what was lost."""
    import json

    from bulkzcrm.sandbox.organisation import Call
    from bulkzcrm.sandbox.service_writes import update, upsert

    organisation = desk.sandbox._running().organisation
    for heard in lost:
        body = json.dumps(heard.body, default=str).encode()
        with organisation.store.transaction():
            write = update if heard.method == "PUT" else upsert
            write(organisation, Call(path_id=None, query={}, body=body))


@errands
async def test_a_resumed_run_says_so_too_of_rows_that_an_earlier_process_has_lost(
    tmp_path: Path, errand: tuple[str, list[dict[str, str]], RunOptions]
):
    """They are read again, are not there yet, and are not let through."""
    operation, rows, options = errand
    async with at_desk(tmp_path) as desk:

        async def lose(heard: Heard) -> Cut | None:
            return Cut(applied=False) if heard.is_write else None

        desk.wire.interfere = lose
        await desk.run(operation, rows, options)
        assert desk.statuses == ["unknown"] * 2
        for trouble in (throttle, forbid, throttle_and_interrupt):
            lose_first(desk, trouble).append(desk.wire.heard[0])
            await desk.carry_on()
            assert desk.statuses == ["unknown"] * 2, trouble
            assert is_all_in_doubt(desk)
        await settles(desk, rows)


async def test_rows_of_a_lost_batch_whose_turn_has_not_come_again_are_unknown_too(tmp_path: Path):
    """On resume they wait in the journal behind the batch with which the run stops."""
    rows = services(60)
    options = RunOptions(max_wait=5, unique_field=KEY, batch_size=10, concurrency=1)
    async with at_desk(tmp_path) as desk:

        async def lose(heard: Heard) -> Cut | None:
            return Cut(applied=False) if heard.is_write else None

        desk.wire.interfere = lose
        await desk.run("create-services", rows, options)
        lost = desk.statuses.count("unknown")
        assert lost > 10
        lose_first(desk, forbid).append(desk.wire.heard[0])
        await desk.carry_on()
        assert desk.statuses.count("unknown") == lost
        await settles(desk, rows)


async def test_only_those_rows_are_unknown_that_were_lost(tmp_path: Path):
    """Of one batch, the answer tells one row, leaves one open, and turns one away before it was looked at."""
    good = {"code": "SUCCESS", "details": {"id": SERVICE.format(2)}, "message": "", "status": "success"}
    failed = {"code": "INTERNAL_ERROR", "details": {}, "message": "failed", "status": "error"}
    async with at_desk(tmp_path) as desk:
        desk.wire.script(Say(207, {"data": [good, failed, THROTTLED]}), *[TOO_MANY] * 1000)
        await desk.run("update-services", durations(2, 3, 4), BRIEF)
        assert desk.statuses == ["succeeded", "unknown", "unsent"]
        desk.wire.script()
        ending = await desk.carry_on()
        assert ending.summary.state is State.FINISHED
        assert desk.statuses == ["succeeded"] * 3


async def test_what_has_been_turned_away_and_never_lost_is_unsent(tmp_path: Path):
    async with at_desk(tmp_path) as desk:
        desk.wire.script(*[TOO_MANY] * 1000)
        await desk.run("update-services", durations(2, 3), BRIEF)
        await desk.carry_on()
        assert desk.statuses == ["unsent"] * 2
        desk.wire.script()
        await desk.carry_on()
        assert desk.statuses == ["succeeded"] * 2


async def test_a_setting_that_was_lost_keeps_its_place_before_the_others(tmp_path: Path):
    async with at_desk(tmp_path) as desk:
        lose_first(desk, throttle)
        await desk.run("set-scoring-rule-status", switches(), BRIEF)
        assert desk.statuses == ["unknown", "unsent"]
        writes = len(desk.wire.writes)
        desk.wire.script()
        ending = await desk.carry_on()
        assert ending.summary.state is State.FINISHED
        assert desk.statuses == ["succeeded"] * 2
        assert [heard.path.split("/")[3] for heard in desk.wire.writes[writes:]] == RULES


async def test_a_lost_row_that_can_no_longer_be_sent_is_told_why(tmp_path: Path):
    """Somebody has deleted the service before the run is resumed."""
    rows = [{"id": SERVICE.format(1), "Status": "Not in Use", "Unavailable_From": "2029-12-01T09:00:00+05:30"}]
    async with at_desk(tmp_path) as desk:
        lose_first(desk, throttle)
        await desk.run("set-service-status", rows, BRIEF)
        assert desk.statuses == ["unknown"]

        async def gone(heard: Heard) -> Say | None:
            return Say(204) if heard.path.startswith("Services__s/") else None

        desk.wire.interfere = gone
        ending = await desk.carry_on()
        assert desk.statuses == ["unknown"], "it may have been carried out before that"
        assert ending.summary.state is State.FINISHED
