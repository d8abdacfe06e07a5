"""What would deceive a reading back: clocks, other logins, namesakes, lists that move or are none."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from clocked import Clocked, clocked, is_read_back
from desk import SERVICE, services
from forwarder import Cut, Heard, Say
from test_settling import ANN, make, record

from bulkzcrm.errors import UsageError
from bulkzcrm.run import sending
from bulkzcrm.run.options import RunOptions

LOST, KEPT = Cut(applied=False), Cut(applied=True)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Clocked]:
    async with clocked(tmp_path / "a desk") as desk:
        yield desk


def losing(desk: Clocked, number: int, step: Cut = KEPT) -> None:
    """Lose the write of that number."""

    async def interfere(heard: Heard) -> Cut | None:
        return step if heard.is_write and len(desk.wire.writes) == number else None

    desk.wire.interfere = interfere


def all_once(desk: Clocked, rows: list[dict[str, str]]) -> None:
    assert desk.statuses == ["succeeded"] * len(rows)
    assert desk.each_once(rows)
    ids = [row["result_record_id"] for row in desk.results]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("step", [timedelta(hours=1), timedelta(minutes=6), timedelta(hours=-1)])
async def test_a_clock_that_is_set_just_before_a_create_is_lost(desk: Clocked, step: timedelta):
    async def interfere(heard: Heard) -> Cut | None:
        if heard.is_write and len(desk.wire.writes) == 1:
            desk.mine = step
        return KEPT if heard.is_write and len(desk.wire.writes) == 2 else None

    desk.wire.interfere = interfere
    await desk.run("create-services", services(20), RunOptions(batch_size=10, concurrency=1))
    all_once(desk, services(20))


@pytest.mark.parametrize("minutes", [6, 30, -30])
async def test_a_wrong_clock_where_no_answer_tells_the_time(
    desk: Clocked, minutes: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("bulkzcrm.transport._moment", lambda _: None)
    desk.mine = timedelta(minutes=minutes)
    desk.wire.script(KEPT)
    await desk.run("create-services", services(3))
    all_once(desk, services(3))


async def test_something_on_the_way_that_refuses_and_has_another_time(desk: Clocked):
    date = {"Date": format_datetime(desk.now + timedelta(hours=1), usegmt=True)}
    desk.wire.script(Say(429, b"busy", date), KEPT)
    await desk.run("create-services", services(20))
    all_once(desk, services(20))


@pytest.mark.parametrize("form", ["NFC", "NFKC"])
async def test_an_organisation_that_writes_names_in_its_own_way(desk: Clocked, form: Any):
    rows = [{**row, "Service_Name": f"Cafe\u0301\u200b {number}"} for number, row in enumerate(services(3))]

    async def interfere(heard: Heard) -> Cut | None:
        store = desk.sandbox._running().organisation.store
        with store.transaction():
            for each in desk.sandbox.services():
                if str(each["id"]) > SERVICE.format(999) and not heard.is_write:
                    name = unicodedata.normalize(form, str(each["Service_Name"])).replace("\u200b", "")
                    store.put_service({**store.service(str(each["id"])), "Service_Name": name})
        return KEPT if heard.is_write and len(desk.wire.writes) == 1 else None

    desk.wire.interfere = interfere
    await desk.run("create-services", rows)
    assert desk.statuses == ["succeeded"] * 3
    assert len(desk.created) == 3


async def test_records_that_were_renamed_meanwhile_are_shown_and_not_made_twice(desk: Clocked):
    async def interfere(heard: Heard) -> Cut | None:
        store = desk.sandbox._running().organisation.store
        if is_read_back(heard):
            with store.transaction():
                for each in made(desk):
                    kept = store.service(str(each["id"]))
                    store.put_service({**kept, "Service_Name": f"SVC-{each['Service_Name']}"})
        return KEPT if heard.is_write and len(desk.wire.writes) == 1 else None

    desk.wire.interfere = interfere
    await desk.run("create-services", services(3))
    assert len(desk.created) == 3
    assert desk.statuses == ["unknown"] * 3
    shown = [each in row["result_message"] for row in desk.results for each in desk.created]
    assert not any(shown)
    for each, row in zip(made(desk), desk.results, strict=True):
        assert str(each["id"]) in row["result_message"]


async def test_what_is_like_a_lost_row_and_has_a_row_of_its_own_does_not_matter(desk: Clocked):
    """All rows of a price list may have one duration and one price."""
    rows = [{**row, "Price": "10"} for row in services(40)]
    losing(desk, 2, LOST)
    await desk.run("create-services", rows, RunOptions(batch_size=10, concurrency=1))
    all_once(desk, rows)


async def test_what_another_run_has_in_doubt_does_not_matter_either(desk: Clocked):
    runs = []
    for first, step in ((1, KEPT), (11, LOST)):
        desk.lose(step)
        rows = [{**row, "Price": "10"} for row in services(10, first=first)]
        runs.append(await desk.begin("create-services", rows))
        await desk.carry_on()
    desk.wire.script()
    for desk.last in reversed(runs):
        await desk.carry_on()
        assert desk.statuses == ["succeeded"] * 10
    assert len(set(desk.created)) == len(desk.created) == 20


async def test_two_runs_of_one_row_one_of_which_was_carried_out(desk: Clocked):
    desk.lose(KEPT)
    first = await desk.begin("create-services", services(1))
    await desk.carry_on()
    desk.pace.seconds += 150
    desk.lose(LOST)
    second = await desk.begin("create-services", services(1), RunOptions(again=True))
    await desk.carry_on()
    desk.wire.script()
    ids = []
    for desk.last in (second, first):
        await desk.carry_on()
        ids += [row["result_record_id"] for row in desk.results]
    assert len(set(ids)) == len(desk.created) == 2


async def test_two_runs_of_equal_rows_both_of_which_were_carried_out(desk: Clocked):
    runs = []
    for _ in range(2):
        desk.lose(KEPT)
        runs.append(await desk.begin("create-services", services(3), RunOptions(again=True)))
        await desk.carry_on()
    desk.wire.script()
    ids = []
    for desk.last in runs:
        await desk.carry_on()
        assert desk.statuses == ["succeeded"] * 3
        ids += [row["result_record_id"] for row in desk.results]
    assert len(set(ids)) == len(desk.created) == 6


async def test_an_equal_record_that_was_there_before_the_run_is_not_taken_on_resume(desk: Clocked):
    (before,) = make(desk, record())
    desk.pace.seconds += 120
    desk.lose(LOST)
    await desk.run("create-services", services(1))
    desk.wire.script()
    await desk.carry_on()
    assert desk.results[0]["result_record_id"] != before
    assert len(desk.created) == 2


async def test_deletions_between_the_pages_do_not_hide_a_record(desk: Clocked):
    pages: list[str] = []

    def delete(count: int) -> None:
        store = desk.sandbox._running().organisation.store
        newer = [each for each in desk.sandbox.services() if str(each["Service_Name"]).startswith("Newer")]
        with store.transaction():
            for each in sorted(newer, key=lambda each: (each["Created_Time"], each["id"]))[-count:]:
                store.execute("DELETE FROM services WHERE id = ?", (int(str(each["id"])),))

    async def interfere(heard: Heard) -> Cut | None:
        if heard.is_write and len(desk.wire.writes) == 1:
            return KEPT
        if is_read_back(heard):
            pages.append(heard.query["page"])
            if pages == ["1"]:
                desk.pace.seconds += 1
                for part in range(5):
                    make(desk, *(record(Service_Name=f"Newer {part} {number}") for number in range(100)))
            if pages == ["1", "2", "3"]:
                delete(110)
            if pages[-2:] == ["1", "2"] and pages.count("1") == 2:
                delete(300)
        return None

    desk.wire.interfere = interfere
    await desk.run("create-services", services(1))
    assert desk.created.count("Service 00001") == 1
    assert desk.statuses == ["succeeded"]


async def test_equal_rows_that_are_read_back_on_different_pages(desk: Clocked, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sending, "_BATCHES_READ_BACK", 2)
    monkeypatch.setattr(sending, "_DOUBTS_IN_A_ROW", 1_000)
    steps = [KEPT, LOST, KEPT, LOST, LOST, KEPT, KEPT, LOST]
    rows = services(4) * 2

    async def interfere(heard: Heard) -> Cut | None:
        return steps.pop(0) if heard.is_write and steps else None

    desk.wire.interfere = interfere
    await desk.run("create-services", rows, RunOptions(batch_size=1, concurrency=1, allow_duplicates=True))
    all_once(desk, rows)


async def test_another_login_that_resumes_makes_nothing_twice_and_shows_what_others_made(desk: Clocked):
    desk.lose(KEPT)
    await desk.run("create-services", services(3))

    async def as_ann(heard: Heard) -> Say | None:
        if heard.query.get("type") == "CurrentUser":
            return Say(200, {"users": [{"id": ANN, "full_name": "Ann"}]})
        return None

    desk.wire.interfere = as_ann
    # Other credentials, as far as anybody can tell.
    desk.connection = replace(desk.connection, accounts_url=desk.sandbox.url)
    await desk.carry_on()
    assert desk.each_once(services(3))
    assert desk.statuses == ["unknown"] * 3
    assert all(str(each["id"]) in row["result_message"] for each, row in zip(made(desk), desk.results, strict=True))


def made(desk: Clocked) -> list[Any]:
    return [each for each in desk.sandbox.services() if str(each["id"]) > SERVICE.format(999)]


LISTS: dict[str, Any] = {
    "an error with 200": {"code": "INTERNAL_ERROR", "details": {}, "message": "", "status": "error"},
    "an empty object": {},
    "nothing for a list": {"data": None},
    "a text for a list": {"data": "busy"},
    "entries that are none": {"data": [None]},
    "an empty page that goes on": {"data": [], "info": {"more_records": True}},
}


@pytest.mark.parametrize("body", LISTS.values(), ids=LISTS)
async def test_what_is_no_list_proves_nothing_absent(desk: Clocked, body: Any):
    async def interfere(heard: Heard) -> Say | Cut | None:
        if is_read_back(heard):
            return Say(200, body)
        return KEPT if heard.is_write and len(desk.wire.writes) == 1 else None

    desk.wire.interfere = interfere
    ending = await desk.run("create-services", services(3))
    assert desk.statuses == ["unknown"] * 3
    assert ending.summary.resume
    desk.wire.script()
    await desk.carry_on()
    all_once(desk, services(3))


async def test_a_list_in_another_order_proves_nothing_absent(desk: Clocked):
    old = {"id": SERVICE.format(1), "Service_Name": "x", "Created_Time": "2001-01-01T00:00:00+00:00"}
    new = {"id": SERVICE.format(2), "Service_Name": "y", "Created_Time": desk.now.isoformat()}

    async def interfere(heard: Heard) -> Say | Cut | None:
        if is_read_back(heard):
            return Say(200, {"data": [old, new], "info": {"more_records": False}})
        return KEPT if heard.is_write and len(desk.wire.writes) == 1 else None

    desk.wire.interfere = interfere
    await desk.run("create-services", services(3))
    assert desk.statuses == ["unknown"] * 3
    assert Counter(heard.method for heard in desk.wire.writes) == {"POST": 1}


async def test_the_same_content_is_refused_also_where_an_organisation_was_not_known_by_name(desk: Clocked):
    desk.connection = replace(desk.connection, org_id=None)

    async def no_org(heard: Heard) -> Say | None:
        return Say(401, {"code": "OAUTH_SCOPE_MISMATCH", "details": {}, "message": ""}) if heard.path == "org" else None

    await desk.run("create-services", services(3))
    desk.wire.interfere = no_org
    with pytest.raises(UsageError, match="same content"):
        await desk.run("create-services", services(3))
    assert desk.each_once(services(3))


async def test_a_run_that_is_not_finished_is_to_be_resumed_and_not_begun_again(desk: Clocked):
    desk.lose(LOST)
    first = await desk.begin("create-services", services(3))
    await desk.carry_on()
    with pytest.raises(UsageError) as refused:
        await desk.run("create-services", services(3))
    assert f"bulkzcrm resume {first}" in str(refused.value)
    assert "--again" not in str(refused.value)


async def test_a_run_that_sent_nothing_does_not_lock_an_older_one_out(desk: Clocked):
    rows = [*services(2), {**services(1)[0], "Duration": "for ever"}]
    first = await desk.begin("create-services", rows, RunOptions(max_errors="0"))
    await desk.carry_on()
    await desk.run("create-services", rows, RunOptions(max_errors="0", again=True))
    assert not desk.wire.writes
    desk.last = first
    await desk.carry_on()
    assert desk.each_once(rows[:2])
