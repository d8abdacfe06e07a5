"""Two lost creates of one name, of which one was made: each gets its own record or none, wherever the other waits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from desk import Desk, desk_at, services
from forwarder import Cut, Heard
from test_settling import make, record

from bulkzcrm.report import State
from bulkzcrm.run import sending
from bulkzcrm.run.options import RunOptions

ANOTHER = "patricia.boyle@brighthome.example"
AGAIN = RunOptions(again=True)


def lose(desk: Desk, *, applied: bool) -> None:
    """Lose the next write, and interrupt the run."""
    desk.renew_stop()
    lost: list[Heard] = []

    async def interfere(heard: Heard) -> Cut | None:
        if not heard.is_write or lost:
            return None
        lost.append(heard)
        desk.stop.drain()
        return Cut(applied=applied)

    desk.wire.interfere = interfere


def made(desk: Desk) -> list[tuple[str, str, str]]:
    """Return name, description and only member of each service that was made."""
    there = [each for each in desk.sandbox.services() if str(each["Service_Name"]).startswith("Service 0")]
    return sorted((str(each["Service_Name"]), str(each.get("Description") or ""), member_of(each)) for each in there)


def member_of(service: Mapping[str, object]) -> str:
    (member,) = service["Members"]  # type: ignore[misc]
    return str(member["Members"]["name"])


@pytest.mark.parametrize("changes", [{"Members": ANOTHER}, {"Description": "says more"}], ids=["differs", "says more"])
@pytest.mark.parametrize("first_applied", [False, True], ids=["second made", "first made"])
async def test_runs_that_are_in_doubt_for_one_name_do_not_take_each_others_record(
    tmp_path: Path, changes: Mapping[str, str], *, first_applied: bool
):
    async with desk_at(tmp_path) as desk:
        lose(desk, applied=first_applied)
        first = await desk.begin("create-services", services(1))
        await desk.carry_on()
        lose(desk, applied=not first_applied)
        second = await desk.begin("create-services", services(1, **changes), AGAIN)
        await desk.carry_on()
        desk.wire.script()
        ids = set()
        for run in (first, second):
            desk.last = run
            ending = await desk.carry_on()
            assert ending.summary.state is State.FINISHED
            assert desk.statuses == ["succeeded"]
            ids.add(desk.results[0]["result_record_id"])
        assert len(ids) == 2
        name = "Service 00001"
        wanted = [(name, "", "Tom Weber"), (name, changes.get("Description", ""), "Patricia Boyle")]
        if "Members" not in changes:
            wanted = [(name, "", "Tom Weber"), (name, "says more", "Tom Weber")]
        assert made(desk) == sorted(wanted)


async def test_rows_of_one_run_that_are_read_back_apart_do_not_take_each_others_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sending, "_BATCHES_READ_BACK", 1)
    async with desk_at(tmp_path) as desk:
        desk.wire.script(Cut(applied=False), Cut(applied=True))
        rows = services(1) + services(1, Members=ANOTHER)
        await desk.run("create-services", rows, RunOptions(batch_size=1, concurrency=1))
        assert desk.statuses == ["succeeded"] * 2
        assert len({row["result_record_id"] for row in desk.results}) == 2
        name = "Service 00001"
        assert made(desk) == [(name, "", "Patricia Boyle"), (name, "", "Tom Weber")]


async def test_a_record_with_other_members_made_meanwhile_is_not_taken_for_a_lost_one(tmp_path: Path):
    """The list shows nobody's members: whoever has made it with the same login, somewhere else, it is not the row's."""
    async with desk_at(tmp_path) as desk:
        lose(desk, applied=False)
        run = await desk.begin("create-services", services(1))
        await desk.carry_on()
        desk.wire.script()
        here, desk.folder = desk.folder, tmp_path / "elsewhere"
        desk.folder.mkdir()
        desk.renew_stop()
        await desk.run("create-services", services(1, Members=ANOTHER))
        by_hand = desk.results[0]["result_record_id"]
        desk.folder, desk.last = here, run
        await desk.carry_on()
        assert desk.results[0]["result_record_id"] != by_hand
        assert desk.statuses == ["unknown"], "what differs may be its own that the organisation has changed"


async def test_a_record_that_may_be_either_ones_is_left_to_people_by_both(tmp_path: Path):
    """The organisation writes the text in its own way, which agrees with both rows, and with both equally well."""
    async with desk_at(tmp_path) as desk:
        runs = []
        for text in ("one two", "one\ttwo"):
            lose(desk, applied=False)
            runs.append(await desk.begin("create-services", services(1, Description=text), AGAIN))
            await desk.carry_on()
        desk.wire.script()
        make(desk, record(Description="one  two"))
        statuses = []
        for run in runs:
            desk.last = run
            await desk.carry_on()
            statuses += desk.statuses
        assert statuses == ["unknown", "unknown"]
