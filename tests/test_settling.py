"""Lost creates are read back: found ones succeed, absent ones go again, ambiguous ones are shown, none is guessed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from desk import NOW, TOM, Desk, desk_at, services
from forwarder import Cut, Heard, Say, forwarding

from bulkzcrm.config import load_connection
from bulkzcrm.model import Status
from bulkzcrm.report import State
from bulkzcrm.run.options import RunOptions
from bulkzcrm.run.settling import quiet_period
from bulkzcrm.sandbox import Fault, Faults, Sandbox, SandboxOptions
from bulkzcrm.sandbox.jsontext import dumps
from bulkzcrm.sandbox.organisation import Call
from bulkzcrm.sandbox.service_writes import create

ANN = "4876876000000225020"
LOST = Cut(applied=False)
KEPT = Cut(applied=True)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_at(tmp_path / "a desk") as desk:
        yield desk


def record(**changes: Any) -> dict[str, Any]:
    return {
        "Service_Name": "Service 00001",
        "Duration": 60,
        "Location": "Client Address",
        "Members": [{"Members": {"id": tom()}}],
        "Availability_Type": "Every Business Days",
        "Price": 1,
        **changes,
    }


def tom() -> str:
    from bulkzcrm.sandbox import seed

    return next(str(user["id"]) for user in seed.users() if user["email"] == TOM)


def make(desk: Desk, *records: Mapping[str, Any], by: str | None = None) -> list[str]:
    """Let somebody make services in the organisation, and return their ids."""
    organisation = desk.sandbox._running().organisation
    with organisation.store.transaction():
        body = json.dumps({"data": list(records)}).encode()
        answer = create(organisation, Call(path_id=None, query={}, body=body))
        ids = [element["details"]["id"] for element in json.loads(dumps(answer.body))["data"]]
        if by is not None:
            for service_id in ids:
                service = organisation.store.service(service_id)
                organisation.store.put_service({**service, "Created_By": {"id": by, "name": "Somebody"}})
    return ids


def is_read_back(heard: Heard) -> bool:
    return heard.query.get("sort_by") == "Created_Time"


def read_backs(desk: Desk) -> int:
    return sum(map(is_read_back, desk.wire.heard))


@pytest.mark.parametrize(
    ("asked", "timeout", "in_sandbox", "expected"),
    [(None, 120, False, 120), (None, 300, False, 300), (None, 5, False, 120), (None, 120, True, 2), (7, 300, False, 7)],
)
def test_the_quiet_period_is_what_is_asked_for_else_two_minutes_or_the_timeout_and_short_in_a_sandbox(
    asked: float | None, timeout: float, *, in_sandbox: bool, expected: float
):
    assert quiet_period(asked, timeout, in_sandbox=in_sandbox) == expected


async def test_what_is_found_is_read_once_and_nothing_is_sent_again(desk: Desk):
    desk.wire.script(KEPT)
    await desk.run("create-services", services(3))
    assert desk.statuses == ["succeeded"] * 3
    assert read_backs(desk) == 1
    assert len(desk.wire.writes) == 1


async def test_what_is_absent_is_looked_for_twice_before_it_is_sent_again(desk: Desk):
    desk.wire.script(LOST)
    await desk.run("create-services", services(3), RunOptions(quiet_period=40))
    assert desk.statuses == ["succeeded"] * 3
    assert read_backs(desk) == 2
    assert desk.pace.slept[:2] == [40, 20]
    assert desk.each_once(services(3))


@pytest.mark.parametrize("late_by", [10, 39, 55])
async def test_a_create_that_is_carried_out_late_is_found_and_not_made_twice(desk: Desk, late_by: int):
    """The server goes on working on a request after the connection has gone."""
    waiting: list[Heard] = []

    def catch_up() -> None:
        while waiting and desk.pace.seconds >= late_by:
            make(desk, *waiting.pop().records)

    async def late(heard: Heard) -> Cut | None:
        catch_up()
        if heard.is_write and not waiting and not desk.created:
            waiting.append(heard)
            return LOST
        return None

    desk.wire.interfere = late
    await desk.run("create-services", services(3), RunOptions(quiet_period=40))
    # However early the run was over: the server still carries out what it was given.
    desk.pace.seconds += late_by
    catch_up()
    assert desk.each_once(services(3))
    assert desk.statuses == ["succeeded"] * 3


async def test_of_a_batch_that_was_written_in_part_only_the_rest_goes_again(desk: Desk):
    async def half(heard: Heard) -> Cut | None:
        if heard.is_write and not desk.created:
            make(desk, *heard.records[:2])
            return LOST
        return None

    desk.wire.interfere = half
    await desk.run("create-services", services(5))
    assert [len(heard.records) for heard in desk.wire.writes] == [5, 3]
    assert desk.each_once(services(5))
    assert [row["result_attempts"] for row in desk.results] == ["1", "1", "2", "2", "2"]


async def test_equal_rows_are_matched_as_a_multiset(desk: Desk):
    async def two_of_three(heard: Heard) -> Cut | None:
        if heard.is_write and not desk.created:
            make(desk, *heard.records[:2])
            return LOST
        return None

    desk.wire.interfere = two_of_three
    rows = services(1) * 3
    await desk.run("create-services", rows, RunOptions(allow_duplicates=True))
    assert desk.each_once(rows)
    assert desk.statuses == ["succeeded"] * 3
    assert len({row["result_record_id"] for row in desk.results}) == 3


async def test_rows_of_one_name_that_differ_only_in_what_a_list_is_silent_about_are_told_apart(desk: Desk):
    rows = [*services(1), *services(1, Members="priya.iyer@brighthome.example")]

    async def second_only(heard: Heard) -> Cut | None:
        if heard.is_write and not desk.created:
            make(desk, heard.records[1])
            return LOST
        return None

    members = {str(user["email"]): str(user["id"]) for user in desk.sandbox.users()}
    other = next(email for email in members if email != TOM and _may_be_member(desk, email))
    rows[1]["Members"] = other
    desk.wire.interfere = second_only
    await desk.run("create-services", rows)
    assert [row["result_attempts"] for row in desk.results] == ["2", "1"]
    by_id = {str(each["id"]): each for each in desk.sandbox.services()}
    for row, email in zip(desk.results, (TOM, other), strict=True):
        assert by_id[row["result_record_id"]]["Members"][0]["Members"]["id"] == members[email]


def _may_be_member(desk: Desk, email: str) -> bool:
    user = next(user for user in desk.sandbox.users() if user["email"] == email)
    return user["status"] == "active" and user["confirm"] is True


async def test_a_record_of_another_user_is_not_taken_for_the_rows_own(desk: Desk):
    async def somebody_else(heard: Heard) -> Cut | None:
        if heard.is_write and not desk.created:
            make(desk, *heard.records, by=ANN)
            return LOST
        return None

    desk.wire.interfere = somebody_else
    await desk.run("create-services", services(2))
    assert len(desk.wire.writes) == 2
    assert len(desk.created) == 4
    makers = {str(each["id"]): each["Created_By"]["id"] for each in desk.sandbox.services()}
    assert ANN not in {makers[row["result_record_id"]] for row in desk.results}


async def test_more_records_than_rows_are_ambiguous_and_shown(desk: Desk):
    ids: list[str] = []

    async def twice(heard: Heard) -> Cut | None:
        if heard.is_write and not ids:
            ids.extend(make(desk, heard.records[0], heard.records[0]))
            return LOST
        return None

    desk.wire.interfere = twice
    ending = await desk.run("create-services", services(2))
    assert desk.statuses == ["unknown", "succeeded"]
    assert all(each in desk.results[0]["result_message"] for each in ids)
    assert desk.results[0]["result_fix"]
    assert ending.summary.state is State.FINISHED
    assert ending.summary.counts[Status.UNKNOWN] == 1


async def test_a_record_of_the_same_name_with_other_content_makes_an_absent_row_ambiguous(desk: Desk):
    """A workflow may have changed what was sent as soon as it was there."""
    ids: list[str] = []

    async def changed(heard: Heard) -> Cut | None:
        if heard.is_write and not ids:
            ids.extend(make(desk, {**heard.records[0], "Price": 99}))
            return LOST
        return None

    desk.wire.interfere = changed
    await desk.run("create-services", services(2))
    assert desk.statuses == ["unknown", "succeeded"]
    assert ids[0] in desk.results[0]["result_message"]
    assert len(desk.created) == 2


async def test_a_record_that_was_there_before_is_nobodys(desk: Desk):
    make(desk, record())
    desk.wire.script(LOST)
    await desk.run("create-services", services(1))
    assert desk.statuses == ["succeeded"]
    assert len(desk.created) == 2


async def test_a_record_that_another_row_has_is_not_taken_twice(desk: Desk):
    rows = services(1) * 2
    desk.wire.script(None, LOST)
    options = RunOptions(allow_duplicates=True, batch_size=1, concurrency=1)
    await desk.run("create-services", rows, options)
    assert desk.each_once(rows)
    assert len({row["result_record_id"] for row in desk.results}) == 2


async def test_a_record_that_another_run_made_is_not_taken(desk: Desk):
    await desk.run("create-services", services(2))
    desk.wire.script(LOST)
    await desk.run("create-services", services(2), RunOptions(again=True))
    assert desk.statuses == ["succeeded"] * 2
    assert len(desk.created) == 4


async def test_rows_whose_reading_is_refused_stay_unknown_until_it_is_allowed(desk: Desk):
    refused = Say(401, {"code": "OAUTH_SCOPE_MISMATCH", "details": {}, "message": "", "status": "error"})

    async def lose_and_refuse(heard: Heard) -> Cut | Say | None:
        if is_read_back(heard):
            return refused
        return KEPT if heard.is_write and len(desk.wire.writes) == 1 else None

    desk.wire.interfere = lose_and_refuse
    ending = await desk.run("create-services", services(20), RunOptions(batch_size=10, concurrency=1))
    assert desk.statuses == ["unknown"] * 10 + ["succeeded"] * 10
    assert ending.summary.state is State.STOPPED
    assert "ZohoCRM.modules.services.READ" in (ending.summary.stopped_because or "")
    desk.wire.script()
    ending = await desk.carry_on()
    assert desk.statuses == ["succeeded"] * 20
    assert ending.summary.state is State.FINISHED
    assert desk.each_once(services(20))


async def test_who_made_a_record_is_learned_from_rows_whose_answer_came(desk: Desk):
    refused = Say(401, {"code": "OAUTH_SCOPE_MISMATCH", "details": {}, "message": "", "status": "error"})

    async def lose_and_refuse(heard: Heard) -> Cut | Say | None:
        if heard.query.get("type") == "CurrentUser":
            return refused
        return KEPT if heard.is_write and len(desk.wire.writes) == 2 else None

    desk.wire.interfere = lose_and_refuse
    await desk.run("create-services", services(20), RunOptions(batch_size=10, concurrency=1))
    assert desk.statuses == ["succeeded"] * 20


async def test_where_nobody_can_tell_who_made_a_record_it_is_not_taken(desk: Desk):
    refused = Say(401, {"code": "OAUTH_SCOPE_MISMATCH", "details": {}, "message": "", "status": "error"})

    async def lose_and_refuse(heard: Heard) -> Cut | Say | None:
        if heard.query.get("type") == "CurrentUser":
            return refused
        return KEPT if heard.is_write else None

    desk.wire.interfere = lose_and_refuse
    ending = await desk.run("create-services", services(2))
    assert desk.statuses == ["unknown"] * 2
    assert "ZohoCRM.users.READ" in (ending.summary.stopped_because or "")
    desk.wire.script()
    await desk.carry_on()
    assert desk.statuses == ["succeeded"] * 2
    assert desk.each_once(services(2))


async def test_now_is_matched_by_the_moment_at_which_it_was_sent(desk: Desk):
    desk.wire.script(KEPT)
    rows = services(2, Status="Temporarily Unavailable", Unavailable_From="now", Unavailable_Till="2030-02-01 10:00")
    await desk.run("create-services", rows)
    assert desk.statuses == ["succeeded"] * 2
    assert len(desk.wire.writes) == 1


async def test_a_lost_create_that_the_server_would_have_refused_is_sent_again_and_rejected(desk: Desk):
    rows = [*services(1), *services(1, first=2, Duration="15")]
    desk.wire.script(LOST)
    await desk.run("create-services", rows)
    assert desk.statuses[0] == "succeeded"
    assert desk.each_once(rows[: len(desk.created)])


async def test_ambiguous_rows_count_against_max_errors(desk: Desk):
    made: list[str] = []

    async def changed(heard: Heard) -> Cut | None:
        if heard.is_write and not made:
            made.extend(make(desk, *({**each, "Price": 999} for each in heard.records[:5])))
            return LOST
        return None

    desk.wire.interfere = changed
    ending = await desk.run("create-services", services(10), RunOptions(max_errors="4"))
    assert desk.statuses == ["unknown"] * 5 + ["unsent"] * 5
    assert "--max-errors" in (ending.summary.stopped_because or "")


async def test_lost_creates_settle_within_max_errors_that_count_only_what_stays_unknown(tmp_path: Path):
    async with desk_at(tmp_path, faults=Faults([Fault.CUT_AFTER, Fault.CUT_BEFORE])) as desk:
        rows = services(30)
        ending = await desk.run("create-services", rows, RunOptions(batch_size=10, max_errors="0"))
        assert ending.summary.state is State.FINISHED
        assert desk.each_once(rows)


async def test_a_record_that_two_pages_show_because_others_were_made_meanwhile_is_one_record(desk: Desk):
    async def lose_and_crowd(heard: Heard) -> Cut | None:
        if is_read_back(heard) and heard.query.get("page") == "2":
            make(desk, *(record(Service_Name=f"Newer {number}") for number in range(100)))
        return KEPT if heard.is_write and len(desk.wire.writes) == 1 else None

    desk.wire.interfere = lose_and_crowd
    await desk.run("create-services", services(230), RunOptions(batch_size=50, concurrency=1))
    assert desk.statuses == ["succeeded"] * 230


@pytest.mark.parametrize(("seconds_apart", "pages"), [(60, 3), (1, 6)])
async def test_reading_back_ends_below_what_was_answered_well_before_the_lost_create(
    tmp_path: Path, seconds_apart: int, pages: int
):
    """Of two records that are made one after the other, the server may show the first as the later one."""
    passed = timedelta()

    async def lose_the_last(heard: Heard) -> Cut | None:
        nonlocal passed
        if heard.is_write:
            passed += timedelta(seconds=seconds_apart)
        return KEPT if heard.is_write and len(desk.wire.writes) == 10 else None

    async with (
        Sandbox(options=SandboxOptions(active_service_limit=5_000), clock=lambda: NOW + passed) as sandbox,
        forwarding(sandbox.url) as wire,
    ):
        environ = {**sandbox.environment(), "BULKZCRM_API_DOMAIN": wire.url, "BULKZCRM_ACCOUNTS_URL": wire.url}
        connection = load_connection(profile=None, environ=environ, home=tmp_path / "home of the tool")
        desk = Desk(tmp_path, sandbox, wire, connection)
        wire.interfere = lose_the_last
        await desk.run("create-services", services(1000), RunOptions(batch_size=100, concurrency=1))
        assert desk.statuses == ["succeeded"] * 1000
        assert sum(map(is_read_back, wire.heard)) == pages


async def test_each_record_that_is_found_is_read_by_its_id_once(desk: Desk):
    """The list shows nobody's members, and with other members a record is somebody else's."""
    desk.wire.script(KEPT)
    await desk.run("create-services", services(30))
    assert desk.statuses == ["succeeded"] * 30
    read = [heard.path for heard in desk.wire.heard if not heard.is_write and "Services__s/" in heard.path]
    assert len(read) == len(set(read)) == 30


async def test_rows_are_sent_to_the_last_where_reading_back_much_is_refused(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("bulkzcrm.run.sending._ROWS_SINCE_DOUBT", 20)
    refused = Say(401, {"code": "OAUTH_SCOPE_MISMATCH", "details": {}, "message": "", "status": "error"})

    async def lose_and_refuse(heard: Heard) -> Cut | Say | None:
        if is_read_back(heard):
            return refused
        return KEPT if heard.is_write and len(desk.wire.writes) == 1 else None

    desk.wire.interfere = lose_and_refuse
    await desk.run("create-services", services(80), RunOptions(batch_size=10, concurrency=1))
    assert desk.statuses == ["unknown"] * 10 + ["succeeded"] * 70


async def test_much_is_read_back_before_more_is_sent(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("bulkzcrm.run.sending._ROWS_SINCE_DOUBT", 20)
    desk.wire.script(KEPT)
    await desk.run("create-services", services(80), RunOptions(batch_size=10, concurrency=1))
    order = [heard.is_write for heard in desk.wire.heard if heard.is_write or is_read_back(heard)]
    assert desk.statuses == ["succeeded"] * 80
    assert False in order[2:6]
