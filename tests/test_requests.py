"""What is written, value by value: what the row changes, what the pages demand beside it, and what was there before."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from desk import NOW, SERVICE, Desk, desk_at
from forwarder import Heard, Say

from bulkzcrm.journal import Journal
from bulkzcrm.model import Status
from bulkzcrm.run.options import RunOptions

LIST = "Services__s"
HOURS = "settings/business_hours"
WEEK = {"type": "custom", "week_starts_on": "Monday"}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_at(tmp_path / "a desk") as desk:
        yield desk


def out_of_use(*numbers: int) -> list[dict[str, str]]:
    return [{"id": SERVICE.format(number), "Status": "Not in Use", "Unavailable_From": "now"} for number in numbers]


async def test_ids_are_sent_as_texts(desk: Desk):
    await desk.run("update-services", [{"id": SERVICE.format(5), "Duration": "35", "Tax": "Vat - 0.8 %"}])
    (record,) = desk.wire.writes[0].records

    def check(value: Any, key: str) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                check(inner, name)
        elif isinstance(value, list):
            for inner in value:
                check(inner, key)
        elif key == "id":
            assert isinstance(value, str)
            assert len(value) == 19

    check(record, "")


async def test_members_that_are_there_already_keep_their_row_ids(desk: Desk):
    before = {row["Members"]["id"]: row["id"] for row in desk.service(5)["Members"]}
    await desk.run("update-services", [{"id": SERVICE.format(5), "Duration": "35"}])
    sent = {row["Members"]["id"]: row["id"] for row in desk.wire.writes[0].records[0]["Members"]}
    after = {row["Members"]["id"]: row["id"] for row in desk.service(5)["Members"]}
    assert before == sent == after


async def test_now_is_the_moment_of_sending_by_the_servers_clock_less_one_minute(desk: Desk):
    await desk.run("set-service-status", out_of_use(2))
    (record,) = desk.wire.writes[0].records
    assert record["Unavailable_From"] == "2030-01-07T14:59:00+05:30"
    assert NOW.hour == 9


async def test_now_follows_a_server_whose_clock_goes_wrong(desk: Desk):
    async def clock(heard: Heard) -> Say | None:
        if heard.path != f"{LIST}/{SERVICE.format(2)}":
            return None
        service = {**desk.service(2), "Price": 1}
        return Say(200, {"data": [service]}, {"Date": "Mon, 07 Jan 2030 12:00:00 GMT"})

    desk.wire.interfere = clock
    await desk.run("set-service-status", out_of_use(2))
    (record,) = desk.wire.writes[0].records
    assert record["Unavailable_From"] == "2030-01-07T17:29:00+05:30"


async def test_an_update_sends_what_the_row_changes_what_the_page_demands_and_nothing_else(desk: Desk):
    await desk.run("update-services", [{"id": SERVICE.format(1), "Price": "99.90", "Description": ""}])
    (record,) = desk.wire.writes[0].records
    assert set(record) == {"id", "Duration", "Location", "Members", "Availability_Type", "Available_Days", "Price"}
    assert record["Price"] == Decimal("99.9")


async def test_a_value_that_the_service_has_already_is_not_a_change(desk: Desk):
    rows = [
        {"id": SERVICE.format(1), "Price": "230.660", "Duration": "1h", "Available_Days": "tue, mon"},
        {"id": SERVICE.format(2), "Price": "120.00", "Duration": "90", "Available_Days": ""},
    ]
    await desk.run("update-services", rows)
    assert desk.statuses == ["unchanged", "unchanged"]


async def test_the_record_as_it_was_before_is_kept(desk: Desk):
    was = desk.service(2)
    await desk.run("set-service-status", out_of_use(2))
    with Journal.open(desk.home) as journal:
        (row,) = journal.rows(desk.last, 0, 10)
    assert row.before is not None
    assert {name: row.before[name] for name in ("id", "Status", "Duration")} == {
        name: was[name] for name in ("id", "Status", "Duration")
    }
    assert [member["Members"]["id"] for member in row.before["Members"]] == [  # type: ignore[index,union-attr]  JSON
        member["Members"]["id"]
        for member in was["Members"]  # type: ignore[attr-defined]  JSON
    ]


@pytest.mark.parametrize(
    ("operation", "row", "kept"),
    [
        ("update-service-preferences", {"job_sheet_enabled": "no"}, {"job_sheet_enabled": True}),
        ("set-scoring-rule-status", {"id": "4876876000000965528", "Status": "active"}, {"active": False}),
        (
            "update-business-hours",
            {**WEEK, "business_days": "Mon;Tue", "same_as_everyday": "yes", "daily_timing": "09:00-18:00"},
            {"daily_timing": ("09:00", "19:00")},
        ),
    ],
)
async def test_settings_as_they_were_before_are_kept(
    desk: Desk, operation: str, row: Mapping[str, str], kept: Mapping[str, object]
):
    await desk.run(operation, [row])
    (stored,) = desk.stored
    assert stored.before is not None
    for name, value in kept.items():
        was = stored.before[name]
        assert (tuple(was) if isinstance(was, list) else was) == value


async def test_a_first_before_image_survives_a_resume(desk: Desk):
    async def trouble(heard: Heard) -> Say | None:
        return Say(500, b"") if heard.is_write else None

    desk.wire.interfere = trouble
    await desk.run("update-services", [{"id": SERVICE.format(2), "Duration": "35"}], RunOptions(max_wait=5))
    store = desk.sandbox._running().organisation.store
    with store.transaction():
        store.put_service({**store.service(SERVICE.format(2)), "Duration": 200})
    desk.wire.script()
    await desk.carry_on()
    assert desk.stored[0].before is not None
    assert desk.stored[0].before["Duration"] == 90


@pytest.mark.parametrize(("type_now", "sent"), [("24_by_7", "24_by_5"), ("24*7", "24*5"), ("custom", "24*5")])
async def test_the_type_of_business_hours_is_spelled_as_the_organisation_spells_it(
    desk: Desk, type_now: str, sent: str
):
    async def spelled(heard: Heard) -> Say | None:
        if heard.path != HOURS:
            return None
        if heard.is_write:
            told = {"code": "SUCCESS", "details": {"id": heard.body["business_hours"]["id"]}, "status": "success"}
            return Say(200, {"business_hours": {**told, "message": ""}})
        return Say(200, {"business_hours": {**desk.sandbox.business_hours(), "type": type_now}})

    desk.wire.interfere = spelled
    row = {"type": "24_by_5", "week_starts_on": "Monday", "business_days": "Mon-Fri"}
    await desk.run("update-business-hours", [row])
    assert desk.wire.writes[0].body["business_hours"]["type"] == sent
    assert desk.statuses == ["succeeded"]


async def test_a_day_that_closes_repeats_the_timing_that_it_has(desk: Desk):
    custom = {
        **WEEK,
        "business_days": "Mon;Tue;Wed",
        "same_as_everyday": "no",
        "Monday": "09:00-18:00",
        "Tuesday": "10:00-17:00",
        "Wednesday": "09:00-18:00",
    }
    await desk.run("update-business-hours", [custom])
    assert desk.statuses == ["succeeded"]
    row = {**custom, "Monday": "", "Tuesday": "closed", "Wednesday": ""}
    await desk.run("update-business-hours", [row])
    (request,) = [heard for heard in desk.wire.writes if "custom_timing" in heard.body["business_hours"]][1:]
    assert request.body["business_hours"]["custom_timing"] == [
        {"days": "Tuesday", "business_timing": ["10:00", "17:00"], "_delete": None}
    ]
    assert request.body["business_hours"]["id"] == "3652397000001438001"


async def test_counts_of_the_preview_are_those_of_the_run(desk: Desk):
    rows = out_of_use(2, 3, 4)
    rows += [{"id": SERVICE.format(6), "Status": "Not in Use", "Unavailable_From": "now"}]
    rows += [{"id": SERVICE.format(999), "Status": "Not in Use", "Unavailable_From": "now"}]
    ending = await desk.run("set-service-status", rows, RunOptions(batch_size=2))
    (preview,) = desk.previews
    assert (preview.to_send, preview.unchanged, preview.invalid, preview.batches) == (3, 1, 1, 2)
    assert ending.summary.counts == {
        Status.SUCCEEDED: 3,
        Status.UNCHANGED: 1,
        Status.INVALID: 1,
        Status.REJECTED: 0,
        Status.UNKNOWN: 0,
        Status.UNSENT: 0,
    }
