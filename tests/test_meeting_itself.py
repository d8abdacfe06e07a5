"""A plain create is refused for a record that it has made itself, later than anybody could have waited for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from desk import Desk, desk_at, services
from forwarder import Cut, Heard, Say, until
from test_settling import ANN, is_read_back, make

from bulkzcrm.answers import Judged, Rejected, Sent, Written, read_answer
from bulkzcrm.journal import Progress
from bulkzcrm.model import Status
from bulkzcrm.report import State
from bulkzcrm.run.options import RunOptions
from bulkzcrm.sandbox import SandboxOptions

UNIQUE_NAME = SandboxOptions(unique_field="Service_Name")
FORBIDDEN = Say(401, {"code": "OAUTH_SCOPE_MISMATCH", "details": {}, "message": "", "status": "error"})
FAILED = Say(500, {"code": "INTERNAL_ERROR", "details": {}, "message": "internal", "status": "error"})

Arrives = Callable[[Desk, Heard], object]


def as_sent(desk: Desk, heard: Heard) -> list[str]:
    return make(desk, *heard.records)


def arriving(desk: Desk, arrives: Arrives = as_sent, *, by_id: Say | None = None) -> None:
    """Lose the first create, and let it arrive only when it is sent a second time; single records are read as told."""
    lost: list[Heard] = []
    arrived: list[object] = []

    async def interfere(heard: Heard) -> Say | Cut | None:
        if by_id is not None and heard.path.startswith("Services__s/") and not heard.is_write:
            return by_id
        if not heard.is_write:
            return None
        if not lost:
            lost.append(heard)
            return Cut(applied=False)
        if not arrived:
            arrived.append(arrives(desk, lost[0]))
        return None

    desk.wire.interfere = interfere


async def test_a_row_that_is_refused_for_its_own_late_record_has_succeeded(tmp_path: Path):
    async with desk_at(tmp_path, options=UNIQUE_NAME) as desk:
        rows = services(3, Unavailable_From="now", Status="Not in Use")
        arriving(desk)
        ending = await desk.run("create-services", rows)
        assert desk.statuses == ["succeeded"] * 3
        assert ending.summary.state is State.FINISHED
        assert desk.each_once(rows)
        made = {str(each["Service_Name"]): str(each["id"]) for each in desk.sandbox.services()}
        assert [row["result_record_id"] for row in desk.results] == [made[row["Service_Name"]] for row in rows]


@pytest.mark.parametrize("dialect", ["bare", "short"])
async def test_it_has_succeeded_too_where_the_whole_batch_is_refused_for_its_sake(tmp_path: Path, dialect: Any):
    async with desk_at(tmp_path, options=SandboxOptions(unique_field="Service_Name", dialect=dialect)) as desk:
        arriving(desk)
        await desk.run("create-services", services(3))
        assert desk.statuses == ["succeeded"] * 3
        assert desk.each_once(services(3))


def by_somebody_else(desk: Desk, heard: Heard) -> list[str]:
    return make(desk, *heard.records, by=ANN)


def with_another_price(desk: Desk, heard: Heard) -> list[str]:
    return make(desk, *({**each, "Price": 99} for each in heard.records))


def long_ago(desk: Desk, heard: Heard) -> list[str]:
    ids = make(desk, *heard.records)
    organisation = desk.sandbox._running().organisation
    with organisation.store.transaction():
        for each in ids:
            service = organisation.store.service(each)
            organisation.store.put_service({**service, "Created_Time": "2001-01-01T09:00:00+05:30"})
    return ids


@pytest.mark.parametrize("arrives", [by_somebody_else, with_another_price, long_ago])
async def test_a_row_that_is_refused_for_the_record_of_somebody_else_is_rejected(tmp_path: Path, arrives: Arrives):
    ids: list[str] = []

    def arrived(desk: Desk, heard: Heard) -> None:
        ids.extend(arrives(desk, heard))  # type: ignore[call-overload]

    async with desk_at(tmp_path, options=UNIQUE_NAME) as desk:
        arriving(desk, arrived)
        await desk.run("create-services", services(2))
        assert desk.statuses == ["rejected"] * 2
        assert [row["result_code"] for row in desk.results] == ["DUPLICATE_DATA"] * 2
        assert all(each in row["result_message"] for each, row in zip(ids, desk.results, strict=True))


async def test_a_record_that_another_row_has_is_not_its_own(tmp_path: Path):
    """The organisation takes two values for one that we take for two: there the server names the other row's record."""
    async with desk_at(tmp_path, options=UNIQUE_NAME) as desk:
        rows = services(1) * 2
        desk.wire.script(None, Cut(applied=False))
        options = RunOptions(allow_duplicates=True, batch_size=1, concurrency=1)
        await desk.run("create-services", rows, options)
        assert desk.statuses == ["succeeded", "rejected"]
        assert desk.each_once(rows[:1])


async def test_a_record_that_the_same_answer_gives_to_another_row_is_not_its_own(tmp_path: Path):
    async with desk_at(tmp_path, options=UNIQUE_NAME) as desk:
        rows = services(1) * 2
        desk.wire.script(Cut(applied=False))
        await desk.run("create-services", rows, RunOptions(allow_duplicates=True))
        assert desk.statuses == ["succeeded", "rejected"]
        assert desk.each_once(rows[:1])


async def test_of_two_equal_rows_one_has_the_record_whose_answer_is_still_on_its_way(tmp_path: Path):
    """One row's request has made it; the other's is refused for it, and looks at it before the first one is told."""
    async with desk_at(tmp_path, options=UNIQUE_NAME) as desk:
        rows = services(1) * 2
        lost: list[Heard] = []

        async def interfere(heard: Heard) -> Say | Cut | None:
            if not heard.is_write:
                return None
            if len(lost) < 2:
                lost.append(heard)
                return Cut(applied=False)
            if desk.created:
                return None
            (made,) = make(desk, *heard.records)
            await until(lambda: len(desk.wire.writes) > 3 and under_way(desk) < 2)
            return Say(
                201, {"data": [{"code": "SUCCESS", "details": {"id": made}, "message": "", "status": "success"}]}
            )

        desk.wire.interfere = interfere
        options = RunOptions(allow_duplicates=True, batch_size=1, concurrency=2)
        ending = await desk.run("create-services", rows, options)
        assert sorted(desk.statuses) == ["rejected", "succeeded"]
        assert ending.summary.state is State.FINISHED
        assert desk.each_once(rows[:1])


def under_way(desk: Desk) -> int:
    return sum(row.status is Progress.SENDING for row in desk.stored)


async def test_a_record_that_was_there_before_the_run_is_not_its_own(tmp_path: Path):
    async with desk_at(tmp_path, options=UNIQUE_NAME) as desk:
        await desk.run("create-services", services(1))
        desk.wire.script(Cut(applied=False))
        await desk.run("create-services", services(1), RunOptions(again=True))
        assert desk.statuses == ["rejected"]


async def test_a_row_that_was_never_sent_before_is_rejected_without_another_look(tmp_path: Path):
    async with desk_at(tmp_path, options=UNIQUE_NAME) as desk:
        await desk.run("create-services", services(1))
        reads = len(desk.wire.reads)
        await desk.run("create-services", services(1), RunOptions(again=True))
        assert desk.statuses == ["rejected"]
        assert not [path for path in desk.wire.reads[reads:] if path.startswith("Services__s/")]


@pytest.mark.parametrize("by_id", [FORBIDDEN, FAILED, Say(204)], ids=["forbidden", "failing", "not shown"])
async def test_a_row_whose_record_cannot_be_looked_at_is_read_back_later(tmp_path: Path, by_id: Say):
    async with desk_at(tmp_path, options=UNIQUE_NAME) as desk:
        arriving(desk, by_id=by_id)
        ending = await desk.run("create-services", services(2), RunOptions(max_wait=5))
        assert desk.statuses == ["unknown"] * 2
        assert ending.summary.state is State.STOPPED
        desk.wire.script()
        ending = await desk.carry_on()
        assert desk.statuses == ["succeeded"] * 2
        assert ending.summary.state is State.FINISHED
        assert desk.each_once(services(2))
        assert any(map(is_read_back, desk.wire.heard))


async def test_what_the_answer_says_of_others_is_written_though_a_record_cannot_be_looked_at(tmp_path: Path):
    async with desk_at(tmp_path, options=UNIQUE_NAME) as desk:
        arriving(desk, lambda desk, heard: make(desk, heard.records[0]), by_id=FORBIDDEN)
        ending = await desk.run("create-services", services(3))
        assert desk.statuses == ["unknown", "succeeded", "succeeded"]
        assert ending.summary.state is State.STOPPED
        desk.wire.script()
        await desk.carry_on()
        assert desk.statuses == ["succeeded"] * 3
        assert desk.each_once(services(3))


async def test_a_row_that_nobody_can_tell_of_is_unknown_until_it_can_be_read(tmp_path: Path):
    async with desk_at(tmp_path, options=UNIQUE_NAME) as desk:
        arriving(desk)
        lost_and_late = desk.wire.interfere

        async def and_forbidden(heard: Heard) -> Say | Cut | None:
            late = len(desk.wire.writes) > 1
            return FORBIDDEN if late and not heard.is_write else await lost_and_late(heard)

        desk.wire.interfere = and_forbidden
        ending = await desk.run("create-services", services(2))
        assert desk.statuses == ["unknown"] * 2
        assert ending.summary.counts[Status.UNKNOWN] == 2
        assert ending.summary.state is State.STOPPED
        desk.wire.script()
        await desk.carry_on()
        assert desk.statuses == ["succeeded"] * 2
        assert desk.each_once(services(2))


async def test_it_is_so_after_a_resume_as_well(tmp_path: Path):
    """The row came back as absent, and the run was stopped before it went again."""
    async with desk_at(tmp_path, options=UNIQUE_NAME) as desk:
        lost: list[Heard] = []

        async def lose_and_stop(heard: Heard) -> Say | Cut | None:
            if not heard.is_write:
                return None
            lost.append(heard)
            if len(lost) == 1:
                return Cut(applied=False)
            desk.stop.drain()
            return Say(429, {"code": "TOO_MANY_REQUESTS"})

        desk.wire.interfere = lose_and_stop
        await desk.run("create-services", services(2))
        assert desk.statuses == ["unsent"] * 2
        ids = make(desk, *lost[0].records)
        desk.wire.script()
        await desk.carry_on()
        assert desk.statuses == ["succeeded"] * 2
        assert [row["result_record_id"] for row in desk.results] == ids


@pytest.mark.parametrize(
    ("details", "existing"),
    [
        ({"id": "111"}, "111"),
        ({"id": 5545974000002183001}, "5545974000002183001"),
        ({"duplicate_record": {"id": "222"}}, "222"),
        ({"id": "111", "duplicate_record": {"id": "222"}}, "111"),
        ({"id": 1.5, "duplicate_record": {"id": "222"}}, "222"),
        ({"duplicate_record": "222"}, ""),
        ({}, ""),
    ],
)
def test_the_record_is_told_wherever_the_answer_names_it(details: Mapping[str, Any], existing: str):
    import json

    error = {"code": "DUPLICATE_DATA", "details": {"api_name": "Service_Name", **details}, "status": "error"}
    sent = Sent(records=[{}], ids=[None], wrapper="data", creates=True, safe_to_repeat=False)
    for status, body in ((207, {"data": [error]}), (400, {"data": [error]}), (400, error)):
        reading = read_answer(sent, status, json.dumps(body).encode())
        assert isinstance(reading, Judged | Written)
        (verdict,) = reading.verdicts
        assert isinstance(verdict, Rejected)
        assert verdict.existing == existing


def test_another_refusal_names_no_such_record():
    body = b'{"data": [{"code": "INVALID_DATA", "details": {"id": "111"}, "status": "error"}]}'
    sent = Sent(records=[{}], ids=[None], wrapper="data", creates=True, safe_to_repeat=False)
    reading = read_answer(sent, 400, body)
    assert isinstance(reading, Judged | Written)
    assert getattr(reading.verdicts[0], "existing", None) == ""
