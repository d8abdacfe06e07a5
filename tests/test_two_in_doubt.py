"""Two lost creates of one name, of which one was made: each gets its own record or none, wherever the other waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from desk import NOW, Desk, desk_at, services
from forwarder import Cut, Heard, Say, forwarding
from test_settling import is_read_back, make, record

from bulkzcrm.config import Connection, load_connection
from bulkzcrm.report import State
from bulkzcrm.run import sending
from bulkzcrm.run.options import RunOptions
from bulkzcrm.run.settling import Settling
from bulkzcrm.run.surroundings import Surroundings
from bulkzcrm.sandbox import Sandbox

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


@pytest.mark.parametrize("extra", [{"Status": "Available"}, {"Job_Sheet_Required": "No"}, {"Description": "standard"}])
async def test_what_the_organisation_fills_in_makes_no_record_a_row_of_its_own(
    tmp_path: Path, extra: Mapping[str, str]
):
    """One row says what the other one gets anyway: both records fit the row that says more."""
    async with desk_at(tmp_path) as desk:

        async def interfere(heard: Heard) -> Cut | None:
            if heard.is_write and len(desk.wire.writes) == 1:
                make(desk, *({**each, **extra} for each in heard.records))
                return Cut(applied=False)
            return None

        desk.wire.interfere = interfere
        rows = services(1) + services(1, **extra)
        ending = await desk.run("create-services", rows)
        assert desk.statuses == ["succeeded", "succeeded"]
        assert len({row["result_record_id"] for row in desk.results}) == 2
        assert ending.summary.state is State.FINISHED
        assert len(desk.created) == 2


@pytest.mark.parametrize("extra", [{"Status": "Available"}, {"Job_Sheet_Required": "No"}])
async def test_a_row_that_was_left_to_people_keeps_no_record_from_another(tmp_path: Path, extra: Mapping[str, str]):
    """It will never claim the record that fits it best, so nobody else's row may be sent again for its sake."""
    async with desk_at(tmp_path) as desk:
        lose(desk, applied=False)
        await desk.begin("create-services", services(1, **extra))
        await desk.carry_on()
        desk.wire.script()
        make(desk, record(), record())
        await desk.carry_on()
        assert desk.statuses == ["unknown"]
        before = len(desk.created)
        lose(desk, applied=True)
        await desk.begin("create-services", services(1), AGAIN)
        await desk.carry_on()
        desk.wire.script()
        ending = await desk.carry_on()
        assert ending.summary.state is State.FINISHED
        assert len(desk.created) - before == 1


async def test_a_row_that_is_lost_while_another_run_reads_back_has_a_say(tmp_path: Path):
    """It is sent, made and lost between the two readings of a run that has a row of its name in doubt."""
    async with desk_at(tmp_path) as one, forwarding(one.sandbox.url) as wire:
        other = Desk(tmp_path, one.sandbox, wire, one.connection, _runs=50)
        lose(one, applied=False)
        await one.begin("create-services", services(1))
        await one.carry_on()
        looks, sent = 0, []

        async def interfere(heard: Heard) -> Cut | None:
            nonlocal looks
            if is_read_back(heard) and not sent:
                looks += 1
                if looks == 2:
                    sent.append(heard)
                    await other.begin("create-services", services(1, Description="says more"), AGAIN)
                    await other.carry_on()
            elif heard.is_write and len(sent) == 1:
                sent.append(heard)
                other.stop.drain()
                return Cut(applied=True)
            return None

        one.wire.interfere = interfere
        await one.carry_on()
        one.wire.script()
        await other.carry_on()
        assert (one.statuses, other.statuses) == (["succeeded"], ["succeeded"])
        name = "Service 00001"
        assert made(one) == [(name, "", "Tom Weber"), (name, "says more", "Tom Weber")]


@pytest.mark.parametrize("other", ["Cafe\u0301 1", "Caf\u00e9\u200b 1"], ids=["decomposed", "with a sign unseen"])
async def test_names_that_a_server_takes_for_one_are_one(tmp_path: Path, other: str):
    async with desk_at(tmp_path) as desk:
        runs = []
        for name, more, applied in (("Caf\u00e9 1", {}, False), (other, {"Description": "says more"}, True)):
            lose(desk, applied=applied)
            runs.append(await desk.begin("create-services", services(1, Service_Name=name, **more), AGAIN))
            await desk.carry_on()
        desk.wire.script()
        for run in runs:
            desk.last = run
            await desk.carry_on()
            assert desk.statuses == ["succeeded"]
        there = [each for each in desk.sandbox.services() if str(each["Service_Name"]).startswith("Caf")]
        assert sorted(str(each.get("Description") or "") for each in there) == ["", "says more"]


async def test_a_record_that_is_listed_and_not_shown_is_nobodys_yet(tmp_path: Path):
    """It has other members, which the list does not show; by its id there is nothing."""
    async with desk_at(tmp_path) as desk:
        lose(desk, applied=False)
        await desk.begin("create-services", services(1))
        await desk.carry_on()
        desk.wire.script()
        (hidden,) = make(desk, record(Members=[{"Members": {"id": desk.sandbox.users()[0]["id"]}}]))

        async def hide(heard: Heard) -> Say | None:
            return Say(204) if heard.path.endswith(hidden) else None

        desk.wire.interfere = hide
        ending = await desk.carry_on()
        assert desk.statuses == ["unknown"]
        assert ending.summary.state is State.STOPPED, "it is looked for again when the run is resumed"
        assert desk.created == ["Service 00001"]


@pytest.mark.parametrize("changes", [{}, {"Description": "says more"}], ids=["equal", "says more"])
async def test_who_takes_its_record_while_another_reads_leaves_the_other_its_own(
    tmp_path: Path, changes: Mapping[str, str]
):
    """Both were made; the other run settles between the list and the records that are read by their ids."""
    async with desk_at(tmp_path) as one, forwarding(one.sandbox.url) as wire:
        other = Desk(tmp_path, one.sandbox, wire, one.connection, _runs=50)
        other.wire = one.wire
        for desk, more in ((one, {}), (other, changes)):
            lose(desk, applied=True)
            await desk.begin("create-services", services(1, **more), AGAIN)
            await desk.carry_on()
        listed: list[Heard] = []
        let_in: list[Heard] = []

        async def interfere(heard: Heard) -> None:
            if is_read_back(heard):
                listed.append(heard)
            elif listed and not let_in and not heard.is_write and heard.path.startswith("Services__s/"):
                let_in.append(heard)
                await other.carry_on()

        one.wire.interfere = interfere
        await one.carry_on()
        assert let_in
        assert (one.statuses, other.statuses) == (["succeeded"], ["succeeded"])
        assert one.results[0]["result_record_id"] != other.results[0]["result_record_id"]
        assert len(one.created) == 2


def let_in_before_writing(other: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the other run carry on once, between what this one has read and what it writes about it."""
    write, let_in = Settling._write, []

    async def write_late(settling: Settling, *facts: Any) -> Any:
        if not let_in:
            let_in.append(True)
            await other.carry_on()
        return await write(settling, *facts)

    monkeypatch.setattr(Settling, "_write", write_late)


async def test_a_record_that_another_run_takes_at_the_last_moment_is_not_taken_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Two equal rows, one record; the other run takes it between this one's reading and its writing."""
    async with desk_at(tmp_path) as one, forwarding(one.sandbox.url) as wire:
        other = Desk(tmp_path, one.sandbox, wire, one.connection, _runs=50)
        other.wire = one.wire
        for desk, applied in ((other, False), (one, True)):
            lose(desk, applied=applied)
            await desk.begin("create-services", services(1), AGAIN)
            await desk.carry_on()
        one.wire.script()
        let_in_before_writing(other, monkeypatch)
        await one.carry_on()
        assert (one.statuses, other.statuses) == (["succeeded"], ["succeeded"])
        assert one.results[0]["result_record_id"] != other.results[0]["result_record_id"]
        assert len(one.created) == 2


async def test_nothing_is_believed_that_another_run_has_changed_since_it_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """What fits whom depends on who else waits: between the reading and the writing the other run settles."""
    async with desk_at(tmp_path) as one, forwarding(one.sandbox.url) as wire:
        other = Desk(tmp_path, one.sandbox, wire, one.connection, _runs=50)
        other.wire = one.wire
        for desk, rows in (
            (one, services(1) + services(1, Description="x")),
            (other, services(1, Job_Sheet_Required="No") + services(1, Description="y")),
        ):
            lose(desk, applied=False)
            await desk.begin("create-services", rows, AGAIN)
            await desk.carry_on()
        one.wire.script()
        for text, sheet in (("x", "No"), ("y", "No"), ("y", "Yes")):
            (made_id,) = make(one, record(Description=text))
            organisation = one.sandbox._running().organisation
            with organisation.store.transaction():
                service = organisation.store.service(made_id)
                organisation.store.put_service({**service, "Job_Sheet_Required": sheet})
        let_in_before_writing(other, monkeypatch)
        await one.carry_on()
        rows_of_both = [row for desk in (one, other) for row in desk.results]
        ids = [row["result_record_id"] for row in rows_of_both if row["result_status"] == "succeeded"]
        assert len(ids) == len(set(ids))
        assert len(one.created) <= 4, "three were made, of four rows"
        sent_again = [row for row in rows_of_both if row["result_attempts"] == "2"]
        assert len(sent_again) <= 1


class LaterAndLater(Desk):
    """A desk whose clock moves on whenever it is looked at."""

    def around(self, connection: Connection | None = None) -> Surroundings:
        return replace(super().around(connection), clock=moving_on)


_LOOKS = count(1)


def moving_on() -> datetime:
    return NOW + timedelta(seconds=2 * next(_LOOKS))


async def test_a_record_that_came_before_a_row_was_sent_is_not_the_rows(tmp_path: Path):
    """It was made after this run had read the organisation, by one of two rows that were left to people since."""
    async with Sandbox(clock=moving_on) as sandbox, forwarding(sandbox.url) as wire:
        environ = {**sandbox.environment(), "BULKZCRM_API_DOMAIN": wire.url, "BULKZCRM_ACCOUNTS_URL": wire.url}
        connection = load_connection(profile=None, environ=environ, home=tmp_path / "home of the tool")
        desk = LaterAndLater(tmp_path, sandbox, wire, connection)
        writes: list[Heard] = []

        async def interfere(heard: Heard) -> Cut | None:
            if not heard.is_write:
                return None
            writes.append(heard)
            if len(writes) == 2:
                make(desk, record(Description="one  two"))
            of_the_name = [each for each in writes if each.records[0]["Service_Name"] == "Service 00001"]
            is_lost = len(writes) <= 3 or (of_the_name[-1] is heard and len(of_the_name) == 3)
            return Cut(applied=False) if is_lost else None

        desk.wire.interfere = interfere
        texts = services(1, Description="one two") + services(1, Description="one\ttwo")
        await desk.run("create-services", texts + services(2)[::-1], RunOptions(batch_size=1, concurrency=1))
        assert desk.statuses == ["unknown", "unknown", "succeeded", "unknown"]
