"""What the answer does not prove is read: a create is read back before it goes again, and so is an update."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from desk import SERVICE, Desk, desk_at, services
from forwarder import Cut, Heard, Say

from bulkzcrm.journal import BatchState
from bulkzcrm.model import Status
from bulkzcrm.report import State
from bulkzcrm.run.options import RunOptions
from bulkzcrm.sandbox import Fault, Faults

INTERNAL_ERROR = {"code": "INTERNAL_ERROR", "details": {}, "message": "failed", "status": "error"}

LOST = [
    Fault.CUT_BEFORE,
    Fault.CUT_AFTER,
    Fault.CUT_BODY,
    Fault.SERVER_ERROR_BEFORE,
    Fault.SERVER_ERROR_AFTER,
    Fault.INTERNAL_ERROR_400_BEFORE,
    Fault.INTERNAL_ERROR_400_AFTER,
    Fault.NOT_JSON_BEFORE,
    Fault.NOT_JSON_AFTER,
    Fault.WRONG_LENGTH,
    Fault.REDIRECT,
]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_at(tmp_path / "a desk") as desk:
        yield desk


def durations(first: int, last: int, minutes: str = "35") -> list[dict[str, str]]:
    return [{"id": SERVICE.format(number), "Duration": minutes} for number in range(first, last + 1)]


@pytest.mark.parametrize("fault", LOST)
async def test_a_create_without_a_trustworthy_answer_is_read_back_and_ends_as_one_record_a_row(
    tmp_path: Path, fault: Fault
):
    async with desk_at(tmp_path, faults=Faults([fault])) as desk:
        rows = services(3)
        ending = await desk.run("create-services", rows)
        assert desk.statuses == ["succeeded"] * 3
        assert desk.each_once(rows)
        was_applied = fault.value.endswith("_after") or fault in (Fault.CUT_BODY, Fault.WRONG_LENGTH)
        assert len(desk.wire.writes) == (1 if was_applied else 2)
        assert [row["result_attempts"] for row in desk.results] == ["1" if was_applied else "2"] * 3
        assert ending.summary.state is State.FINISHED
        names = {str(each["id"]): each["Service_Name"] for each in desk.sandbox.services()}
        assert [names[row["result_record_id"]] for row in desk.results] == [row["Service_Name"] for row in rows]


async def test_a_lost_create_is_read_back_after_the_others_are_sent(tmp_path: Path):
    async with desk_at(tmp_path, faults=Faults([None, Fault.CUT_AFTER])) as desk:
        rows = services(30)
        ending = await desk.run("create-services", rows, RunOptions(batch_size=10, concurrency=1))
        assert desk.statuses == ["succeeded"] * 30
        assert desk.each_once(rows)
        assert ending.summary.state is State.FINISHED
        assert len(desk.wire.writes) == 3


async def test_only_the_rows_that_an_answer_leaves_open_are_unknown(desk: Desk):
    good = {"code": "SUCCESS", "details": {"id": SERVICE.format(900)}, "message": "", "status": "success"}
    bad = {"code": "INVALID_DATA", "details": {"api_name": "Price"}, "message": "", "status": "error"}
    desk.wire.script(Say(207, {"data": [good, INTERNAL_ERROR, bad]}))
    await desk.run("create-services", services(3))
    assert desk.statuses == ["succeeded", "succeeded", "rejected"]
    assert [[record["Service_Name"] for record in heard.records] for heard in desk.wire.writes[1:]] == [
        ["Service 00002"]
    ]


@pytest.mark.parametrize("fault", [*LOST, Fault.OTHER_IDS])
async def test_an_update_without_a_trustworthy_answer_is_read_again_and_ends_as_wanted(tmp_path: Path, fault: Fault):
    async with desk_at(tmp_path, faults=Faults([fault])) as desk:
        ending = await desk.run("update-services", durations(2, 5))
        assert desk.statuses == ["succeeded"] * 4
        assert {desk.service(number)["Duration"] for number in range(2, 6)} == {35}
        assert ending.summary.state is State.FINISHED
        was_applied = fault.value.endswith("_after") or fault in (Fault.CUT_BODY, Fault.WRONG_LENGTH, Fault.OTHER_IDS)
        assert len(desk.wire.writes) == (1 if was_applied else 2)
        assert [row["result_record_id"] for row in desk.results] == [SERVICE.format(number) for number in range(2, 6)]


async def test_of_a_lost_update_only_the_rows_that_do_not_hold_yet_are_sent_again(desk: Desk):
    """Part of the batch was written before the connection broke."""
    first: list[Heard] = []

    async def half(heard: Heard) -> Cut | None:
        if heard.is_write and not first:
            first.append(heard)
            with desk.sandbox._running().organisation.store.transaction():
                store = desk.sandbox._running().organisation.store
                store.put_service({**store.service(SERVICE.format(2)), "Duration": 35})
            return Cut(applied=False)
        return None

    desk.wire.interfere = half
    await desk.run("update-services", durations(2, 4))
    assert [[record["id"] for record in heard.records] for heard in desk.wire.writes] == [
        [SERVICE.format(2), SERVICE.format(3), SERVICE.format(4)],
        [SERVICE.format(3), SERVICE.format(4)],
    ]
    assert desk.statuses == ["succeeded"] * 3
    assert [row["result_attempts"] for row in desk.results] == ["1", "2", "2"]


async def test_rows_of_an_update_that_the_answer_leaves_open_are_read_again_in_the_same_run(desk: Desk):
    good = {"code": "SUCCESS", "details": {"id": SERVICE.format(2)}, "message": "", "status": "success"}
    desk.wire.script(Say(207, {"data": [good, INTERNAL_ERROR]}))
    await desk.run("update-services", durations(2, 3))
    assert desk.statuses == ["succeeded", "succeeded"]
    assert [record["id"] for record in desk.wire.writes[1].records] == [SERVICE.format(3)]


async def test_an_update_that_stays_in_doubt_for_longer_than_max_wait_is_unknown_and_resume_settles_it(desk: Desk):
    async def trouble(heard: Heard) -> Say | None:
        return Say(500, INTERNAL_ERROR) if heard.is_write else None

    desk.wire.interfere = trouble
    ending = await desk.run("update-services", durations(2, 3), RunOptions(max_wait=60))
    assert desk.statuses == ["unknown", "unknown"]
    assert ending.summary.state is State.STOPPED
    desk.wire.script()
    ending = await desk.carry_on()
    assert desk.statuses == ["succeeded", "succeeded"]
    assert ending.summary.state is State.FINISHED


async def test_many_lost_updates_at_once_do_not_disturb_each_other(tmp_path: Path):
    """Reading again takes a while, during which other batches are composed and read again, too."""
    async with desk_at(tmp_path) as desk:
        await desk.run("create-services", services(40))
        made = [str(each["id"]) for each in desk.sandbox.services()[12:]]
        lost: set[str] = set()

        async def lose_each_once(heard: Heard) -> Cut | None:
            if heard.method == "PUT" and heard.records[0]["id"] not in lost:
                lost.add(heard.records[0]["id"])
                return Cut(applied=len(lost) % 2 == 0)
            if "/" in heard.path:
                await asyncio.sleep(0.003)
            return None

        desk.wire.interfere = lose_each_once
        rows = [{"id": each, "Price": "77", "Available_Timings": "10:00-12:00"} for each in made]
        ending = await desk.run("update-services", rows, RunOptions(batch_size=2))
        assert set(desk.statuses) == {"succeeded"}
        assert {each["Price"] for each in desk.sandbox.services()[12:]} == {Decimal(77)}
        assert ending.summary.state is State.FINISHED


async def test_three_doubtful_creates_in_a_row_are_read_back_before_more_is_sent(desk: Desk):
    lost = Cut(applied=True)
    desk.wire.script(lost, lost, lost)
    rows = services(60)
    await desk.run("create-services", rows, RunOptions(batch_size=10, concurrency=1))
    heard = [each.method for each in desk.wire.heard if each.is_write or "sort_by" in each.query]
    assert heard[1:4] == ["POST"] * 3
    assert heard[4:] == ["GET", "POST", "POST", "POST"]
    assert desk.each_once(rows)
    assert set(desk.statuses) == {"succeeded"}


async def test_creates_that_are_never_answered_stop_the_run_after_max_wait_and_leave_nothing_unknown(desk: Desk):
    async def trouble(heard: Heard) -> Say | None:
        return Say(500, INTERNAL_ERROR) if heard.is_write else None

    desk.wire.interfere = trouble
    ending = await desk.run("create-services", services(100), RunOptions(batch_size=10, concurrency=1, max_wait=60))
    assert desk.statuses == ["unsent"] * 100
    assert ending.summary.state is State.STOPPED
    assert desk.pace.seconds < 120
    desk.wire.script()
    await desk.carry_on()
    assert desk.each_once(services(100))


async def test_doubts_that_do_not_follow_each_other_do_not_stop_the_run(desk: Desk):
    lost = Cut(applied=True)
    desk.wire.script(lost, lost, None, lost, lost, None)
    rows = services(60)
    await desk.run("create-services", rows, RunOptions(batch_size=10, concurrency=1))
    assert len(desk.wire.writes) == 6
    assert desk.each_once(rows)


async def test_a_doubtful_setting_is_read_again_and_not_sent_when_it_holds(desk: Desk):
    desk.wire.script(Cut(applied=True))
    await desk.run("update-service-preferences", [{"job_sheet_enabled": "no"}])
    assert desk.statuses == ["succeeded"]
    assert len(desk.wire.writes) == 1
    assert desk.sandbox.preferences() == {"job_sheet_enabled": False}


async def test_lost_business_hours_are_read_again(desk: Desk):
    row = {
        "type": "custom",
        "week_starts_on": "Monday",
        "business_days": "Mon;Tue;Wed;Thu;Fri",
        "same_as_everyday": "yes",
        "daily_timing": "10:00-18:00",
    }
    desk.wire.script(Cut(applied=False), Cut(applied=True))
    await desk.run("update-business-hours", [row])
    assert desk.statuses == ["succeeded"]
    assert len(desk.wire.writes) == 2
    assert desk.sandbox.business_hours()["daily_timing"] == ["10:00", "18:00"]


async def test_a_lost_switch_of_a_scoring_rule_is_read_again(desk: Desk):
    desk.wire.script(Cut(applied=True), Cut(applied=False))
    rows = [
        {"id": "4876876000000965528", "Status": "active"},
        {"id": "4876876000000965529", "Status": "inactive"},
    ]
    await desk.run("set-scoring-rule-status", rows)
    assert desk.statuses == ["succeeded", "succeeded"]
    assert [heard.method for heard in desk.wire.writes] == ["PUT", "DELETE", "DELETE"]


async def test_a_lost_update_that_cannot_be_read_again_is_sent_again(desk: Desk):
    """Reading scoring rules is helpful only; switching one twice leaves what switching it once leaves."""

    async def step(heard: Heard) -> Say | Cut | None:
        if heard.path == "settings/automation/scoring_rules":
            return Say(401, {"code": "OAUTH_SCOPE_MISMATCH", "details": {}, "message": "", "status": "error"})
        return Cut(applied=True) if heard.is_write and len(desk.wire.writes) == 1 else None

    desk.wire.interfere = step
    ending = await desk.run("set-scoring-rule-status", [{"id": "4876876000000965528", "Status": "active"}])
    assert desk.statuses == ["succeeded"]
    assert len(desk.wire.writes) == 2
    assert ending.summary.state is State.FINISHED


async def test_no_token_in_the_middle_of_a_run_leaves_rows_unsent_and_not_unknown(desk: Desk):
    rows = services(30)

    async def revoke(heard: Heard) -> None:
        if len(desk.wire.writes) == 2:
            desk.sandbox.expire_tokens()
            desk.wire.tokens = Say(200, {"error": "invalid_code"})

    desk.wire.interfere = revoke
    ending = await desk.run("create-services", rows, RunOptions(batch_size=10, concurrency=1))
    assert desk.statuses == ["succeeded"] * 10 + ["unsent"] * 20
    assert ending.summary.state is State.STOPPED
    desk.wire.tokens = None
    desk.wire.script()
    await desk.carry_on()
    assert desk.each_once(rows)


@pytest.mark.parametrize(
    ("limit", "sent"), [("0", 1), ("4", 1), ("5", 2), ("9", 2), ("10", 6), ("16%", 2), ("17%", 6), (None, 6)]
)
async def test_max_errors_stops_as_soon_as_more_rows_than_that_went_wrong(desk: Desk, limit: str | None, sent: int):
    """Ten of sixty rows are refused: the first half of each of the first two batches."""
    refused = {f"Service {number:05}" for number in (1, 2, 3, 4, 5, 11, 12, 13, 14, 15)}

    async def refuse(heard: Heard) -> Say | None:
        if not heard.is_write:
            return None
        good = {"code": "SUCCESS", "message": "", "status": "success"}
        bad = {"code": "INVALID_DATA", "details": {"api_name": "Price"}, "message": "", "status": "error"}
        names = [record["Service_Name"] for record in heard.records]
        return Say(
            207,
            {"data": [bad if name in refused else {**good, "details": {"id": f"90{name[-5:]}"}} for name in names]},
        )

    desk.wire.interfere = refuse
    ending = await desk.run("create-services", services(60), RunOptions(batch_size=10, concurrency=1, max_errors=limit))
    assert len(desk.wire.writes) == sent
    assert ending.summary.counts[Status.UNSENT] == 60 - 10 * sent
    assert (ending.summary.state is State.STOPPED) is (sent < 6)


async def test_no_error_allowed_means_all_or_nothing(desk: Desk):
    rows = services(20)
    rows[7]["Duration"] = "for ever"
    ending = await desk.run("create-services", rows, RunOptions(max_errors="0"))
    assert desk.wire.writes == []
    assert (ending.summary.state, ending.summary.counts[Status.UNSENT]) == (State.STOPPED, 19)
    await desk.carry_on()
    assert len(desk.created) == 19, "resume counts afresh"


async def test_rows_found_invalid_while_sending_count_against_max_errors(desk: Desk):
    """A service that was deleted meanwhile is found missing only when it is read by its id."""

    async def gone(heard: Heard) -> Say | None:
        return Say(204) if heard.path.startswith("Services__s/") else None

    desk.wire.interfere = gone
    rows = [{"id": SERVICE.format(number), "Status": "Not in Use", "Unavailable_From": "now"} for number in range(1, 6)]
    ending = await desk.run("set-service-status", rows, RunOptions(batch_size=1, concurrency=1, max_errors="1"))
    assert ending.summary.state is State.STOPPED
    assert 2 <= ending.summary.counts[Status.INVALID] < 5


async def test_an_answer_that_came_is_in_the_journal_with_its_batch(desk: Desk):
    desk.wire.script(None, Cut(applied=True))
    await desk.run("create-services", services(20), RunOptions(batch_size=10, concurrency=1))
    assert [(batch.state, batch.http_status) for batch in desk.batches] == [
        (BatchState.ANSWERED, 201),
        (BatchState.ANSWERED, None),
    ]
