"""A row whose request was lost cannot be sent again as it is: what became of it is found out, or is not known."""

from __future__ import annotations

from pathlib import Path

from desk import TOM, Desk, desk_at, services
from forwarder import Cut, Heard, Say

from bulkzcrm.report import State
from bulkzcrm.run.options import RunOptions
from bulkzcrm.sandbox import SandboxOptions

KEY = "Import_Key"
KEYED = RunOptions(unique_field=KEY)
WITH_KEY = SandboxOptions(unique_field=KEY)
ANN = {
    "id": "5545974000000999001",
    "full_name": "Ann Other",
    "email": "ann@elsewhere.example",
    "status": "active",
    "confirm": True,
}


def lose_and_stop(desk: Desk, *, applied: bool = True) -> None:
    lost: list[Heard] = []

    async def interfere(heard: Heard) -> Cut | None:
        if not heard.is_write or lost:
            return None
        lost.append(heard)
        desk.stop.drain()
        return Cut(applied=applied)

    desk.wire.interfere = interfere


def without_tom(desk: Desk) -> None:
    """Let the organisation have no such user any more."""

    async def interfere(heard: Heard) -> Say | None:
        return Say(200, {"users": [ANN], "info": {"more_records": False}}) if heard.path == "users" else None

    desk.wire.interfere = interfere


async def test_a_keyed_create_that_is_there_has_succeeded(tmp_path: Path):
    async with desk_at(tmp_path, options=WITH_KEY) as desk:
        lose_and_stop(desk)
        await desk.run("create-services", services(2), KEYED)
        assert desk.statuses == ["unknown"] * 2
        without_tom(desk)
        ending = await desk.carry_on()
        assert desk.statuses == ["succeeded"] * 2
        assert ending.summary.state is State.FINISHED
        assert {row["result_record_id"] for row in desk.results} == {
            str(each["id"]) for each in desk.sandbox.services() if each["Service_Name"] in desk.created
        }
        assert not (desk.output / "failed.csv").exists() or "Service 0" not in (desk.output / "failed.csv").read_text()


async def test_a_keyed_create_that_is_not_there_is_not_known(tmp_path: Path):
    async with desk_at(tmp_path, options=WITH_KEY) as desk:
        lose_and_stop(desk, applied=False)
        await desk.run("create-services", services(1), KEYED)
        without_tom(desk)
        await desk.carry_on()
        assert desk.statuses == ["unknown"], "the lost request may still arrive"
        (row,) = desk.results
        assert row["result_code"] == "NAME_NOT_FOUND"
        assert TOM in row["result_message"]


async def test_an_update_that_can_no_longer_be_sent_is_not_known(tmp_path: Path):
    async with desk_at(tmp_path) as desk:
        lose_and_stop(desk)
        name = str(desk.service(1)["Service_Name"])
        await desk.run("update-services", [{"Service_Name": name, "Price": "777", "Members": TOM}])
        without_tom(desk)
        await desk.carry_on()
        assert desk.statuses == ["unknown"]
        assert desk.results[0]["result_code"] == "NAME_NOT_FOUND"
        assert str(desk.service(1)["Price"]) == "777"


async def test_a_row_that_was_never_sent_is_simply_invalid(tmp_path: Path):
    async with desk_at(tmp_path, options=WITH_KEY) as desk:
        lose_and_stop(desk)
        await desk.run("create-services", services(2), RunOptions(unique_field=KEY, batch_size=1, concurrency=1))
        without_tom(desk)
        await desk.carry_on()
        assert desk.statuses == ["succeeded", "invalid"]
