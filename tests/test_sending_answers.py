"""Every shape of answer reaches the row that it is about, and a batch is split until the guilty rows stand alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from desk import SERVICE, Desk, desk_at, services
from forwarder import Heard, Say
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bulkzcrm.model import Status
from bulkzcrm.report import State
from bulkzcrm.run.options import RunOptions
from bulkzcrm.sandbox import SandboxOptions
from bulkzcrm.sandbox.options import Dialect

FULL = 500
"""Active services that the organisation may have; what is over that the sandbox refuses, row by row."""


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_at(tmp_path / "a desk") as desk:
        yield desk


def error(code: str, message: str = "no", **details: object) -> dict[str, Any]:
    return {"code": code, "details": details, "message": message, "status": "error"}


def success(record_id: str) -> dict[str, Any]:
    return {"code": "SUCCESS", "details": {"id": record_id}, "message": "record added", "status": "success"}


def refused_by_the_server(rows: Sequence[dict[str, str]], guilty: set[int]) -> None:
    """Make rows that nothing here can judge: the active services of a full organisation."""
    for number, row in enumerate(rows):
        row["Status"] = "Available" if number in guilty else "Not in Use"
        row["Unavailable_From"] = "" if number in guilty else "2029-12-01T09:00:00+05:30"


@pytest.mark.parametrize("dialect", ["full", "bare", "short"])
@pytest.mark.parametrize("guilty", [{0}, {19}, {3, 4, 11}, set(range(20)), set()])
async def test_exactly_the_guilty_rows_are_rejected_in_every_dialect(
    tmp_path: Path, dialect: Dialect, guilty: set[int]
):
    options = SandboxOptions(dialect=dialect, active_service_limit=11)
    async with desk_at(tmp_path, options=options) as desk:
        rows = services(20)
        refused_by_the_server(rows, guilty)
        ending = await desk.run("create-services", rows)
        assert [number for number, status in enumerate(desk.statuses) if status == "rejected"] == sorted(guilty)
        assert ending.summary.counts[Status.SUCCEEDED] == 20 - len(guilty)
        assert {row["result_code"] for row in desk.results if row["result_status"] == "rejected"} <= {"LIMIT_EXCEEDED"}
        assert sorted(desk.created) == sorted(row["Service_Name"] for at, row in enumerate(rows) if at not in guilty)
        assert ending.summary.state is State.FINISHED
        assert ending.summary.batches == len(desk.batches) == len(desk.wire.writes)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(guilty=st.sets(st.integers(0, 29), max_size=30), size=st.integers(1, 30))
async def test_splitting_without_any_hint_ends_with_the_guilty_rows_alone(
    tmp_path_factory: pytest.TempPathFactory, guilty: set[int], size: int
):
    names = {row["Service_Name"] for at, row in enumerate(services(30)) if at in guilty}

    async def refuse_as_a_whole(heard: Heard) -> Say | None:
        if heard.is_write and any(record["Service_Name"] in names for record in heard.records):
            return Say(400, error("INVALID_DATA", api_name="Price", json_path="$.data[*].Price"))
        return None

    async with desk_at(tmp_path_factory.mktemp("desk")) as desk:
        desk.wire.interfere = refuse_as_a_whole
        await desk.run("create-services", services(30), RunOptions(batch_size=size))
        assert {at for at, status in enumerate(desk.statuses) if status == "rejected"} == guilty
        assert len(desk.created) == 30 - len(guilty)


async def test_a_row_that_the_answer_names_by_number_is_sent_alone_first(desk: Desk):
    async def refuse(heard: Heard) -> Say | None:
        if not heard.is_write:
            return None
        names = [record["Service_Name"] for record in heard.records]
        if "Service 00008" in names:
            path = f"$.data[{names.index('Service 00008')}].Price"
            return Say(400, error("INVALID_DATA", api_name="Price", json_path=path))
        return None

    desk.wire.interfere = refuse
    await desk.run("create-services", services(10))
    assert [len(heard.records) for heard in desk.wire.writes] == [10, 1, 9]
    assert desk.statuses.index("rejected") == 7
    (row,) = [row for row in desk.results if row["result_status"] == "rejected"]
    assert (row["result_field"], row["result_cell"], row["result_attempts"]) == ("Price", "F9", "2")


async def test_a_number_that_lies_costs_requests_and_harms_no_row(desk: Desk):
    """The vendor's own samples name the wrong record now and then."""

    async def refuse(heard: Heard) -> Say | None:
        if heard.is_write and any(record["Service_Name"] == "Service 00008" for record in heard.records):
            return Say(400, error("INVALID_DATA", api_name="Price", json_path="$.data[0].Price"))
        return None

    desk.wire.interfere = refuse
    await desk.run("create-services", services(10))
    assert [status for status in desk.statuses if status != "succeeded"] == ["rejected"]
    assert desk.statuses[7] == "rejected"


async def test_a_forbidden_batch_with_a_code_of_a_row_is_split_and_does_not_stop_the_run(desk: Desk):
    async def refuse(heard: Heard) -> Say | None:
        if heard.is_write and any(record["Price"] == 3 for record in heard.records):
            return Say(403, error("NOT_ALLOWED", api_name="Job_Sheet_Required", json_path="$.data[*]"))
        return None

    desk.wire.interfere = refuse
    await desk.run("create-services", services(6))
    assert desk.statuses == ["succeeded", "succeeded", "rejected", "succeeded", "succeeded", "succeeded"]


async def test_verdicts_are_taken_by_position_whatever_the_paths_say(desk: Desk):
    bad = error("INVALID_DATA", api_name="Duration", json_path="$.data[0].Duration")
    desk.wire.script(Say(207, {"data": [success(SERVICE.format(901)), bad, success(SERVICE.format(902))]}))
    await desk.run("create-services", services(3))
    assert desk.statuses == ["succeeded", "rejected", "succeeded"]
    assert [row["result_record_id"] for row in desk.results] == [SERVICE.format(901), "", SERVICE.format(902)]


@pytest.mark.parametrize("status", [200, 201, 202, 207, 400, 403])
async def test_the_status_of_the_element_decides_and_not_that_of_the_answer(desk: Desk, status: int):
    desk.wire.script(Say(status, {"data": [success(SERVICE.format(901)), error("INVALID_DATA", api_name="Price")]}))
    await desk.run("create-services", services(2))
    assert desk.statuses == ["succeeded", "rejected"]


async def test_several_errors_of_one_row_are_all_told(desk: Desk):
    several = [error("INVALID_DATA", api_name="Duration"), error("INVALID_DATA", api_name="Price")]
    whole = {**error("MULTIPLE_OR_MULTI_ERRORS"), "errors": several}
    desk.wire.script(Say(400, {"data": [whole]}))
    await desk.run("create-services", services(1))
    (row,) = desk.results
    assert (row["result_status"], row["result_field"]) == ("rejected", "Duration")
    assert len(desk.stored[0].problems) == 2


async def test_a_permission_that_only_one_row_lacks_rejects_that_row(desk: Desk):
    desk.wire.script(Say(207, {"data": [success(SERVICE.format(901)), error("NO_PERMISSION")]}))
    await desk.run("create-services", services(2))
    assert desk.statuses == ["succeeded", "rejected"]


async def test_a_code_that_nobody_knows_is_shown_raw(desk: Desk):
    desk.wire.script(Say(207, {"data": [success(SERVICE.format(901)), error("BRAND_NEW", "the moon is wrong")]}))
    await desk.run("create-services", services(2))
    row = desk.results[1]
    assert (row["result_status"], row["result_code"]) == ("rejected", "BRAND_NEW")
    assert "the moon is wrong" in row["result_message"]


async def test_a_batch_too_large_for_the_server_is_halved(desk: Desk):
    async def small_server(heard: Heard) -> Say | None:
        return Say(413, b"<html>") if heard.is_write and len(heard.records) > 3 else None

    desk.wire.interfere = small_server
    rows = services(10)
    await desk.run("create-services", rows)
    assert desk.each_once(rows)
    assert desk.created == [row["Service_Name"] for row in rows]


async def test_parts_of_a_split_know_the_batch_that_they_came_from(desk: Desk):
    desk.wire.script(Say(400, error("INVALID_DATA", api_name="Price", json_path="$.data[1].Price")))
    await desk.run("create-services", services(3))
    assert [(batch.number, batch.parent, batch.size) for batch in desk.batches] == [(1, None, 3), (2, 1, 1), (3, 1, 2)]


async def test_a_refused_scoring_rule_is_told_of_its_own_row(desk: Desk):
    rows = [
        {"id": "4876876000000965528", "Status": "active"},
        {"id": "4876876000000965531", "Status": "active"},
    ]
    desk.wire.script(Say(400, error("INVALID_DATA", "invalid id", resource_path_index=3)))
    await desk.run("set-scoring-rule-status", rows)
    assert desk.statuses == ["rejected", "succeeded"]


@pytest.mark.parametrize("bare", [False, True])
async def test_refused_settings_are_told_of_their_row_wrapped_or_bare(desk: Desk, *, bare: bool):
    told = error("INVALID_DATA", api_name="job_sheet_enabled", expected_data_type="boolean")
    desk.wire.script(Say(400, told if bare else {"service_preferences": told}))
    await desk.run("update-service-preferences", [{"job_sheet_enabled": "no"}])
    assert [(row["result_status"], row["result_cell"]) for row in desk.results] == [("rejected", "A2")]
