"""While lost creates are read back the organisation goes on changing and other runs go on sending: none is guessed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

from desk import NOW, Desk, desk_at, services
from forwarder import Cut, Heard, Say
from test_settling import LOST, is_read_back, make

from bulkzcrm.journal import Journal
from bulkzcrm.run.engine import carry_on
from bulkzcrm.run.options import RunOptions
from bulkzcrm.run.signals import StopSignal
from bulkzcrm.spec.operations import OPERATIONS

ALIKE = RunOptions(again=True, allow_duplicates=True, concurrency=1, quiet_period=40)


async def carried_on(desk: Desk, run: str) -> None:
    """Carry on with a run as a process of its own would."""
    around = replace(desk.around(), stop=StopSignal(sleep=desk.pace.sleep))
    with Journal.open(desk.home) as journal:
        await carry_on(journal, run, OPERATIONS["create-services"], around, resume=f"bulkzcrm resume {run}")


def kept(desk: Desk, *runs: str) -> list[tuple[str, str]]:
    """The status and the record of each row of these runs."""
    with Journal.open(desk.home) as journal:
        return [(row.status, row.record_id or "") for run in runs for row in journal.rows(run, 0, 100)]


async def test_nothing_is_absent_while_records_go_on_appearing(tmp_path: Path):
    """A server that was given up may still be at work, one record after the other."""
    async with desk_at(tmp_path) as desk:
        waiting: list[dict[str, object]] = []
        readings = 0

        async def one_by_one(heard: Heard) -> Cut | None:
            nonlocal readings
            if heard.is_write and not readings:
                waiting.extend(heard.records)
                return LOST
            if is_read_back(heard):
                readings += 1
                if readings > 1 and waiting:
                    make(desk, waiting.pop(0))
            return None

        desk.wire.interfere = one_by_one
        await desk.run("create-services", services(3), RunOptions(quiet_period=40))
        while waiting:
            make(desk, waiting.pop(0))
        assert desk.each_once(services(3))
        assert desk.statuses == ["succeeded"] * 3
        assert len(desk.wire.writes) == 1


async def test_a_record_is_found_although_the_servers_clocks_disagree(tmp_path: Path):
    """The one that dates records may be behind the one that dates answers."""
    async with desk_at(tmp_path) as desk:

        async def dated_earlier(heard: Heard) -> Cut | None:
            if not heard.is_write or desk.created:
                return None
            store = desk.sandbox._running().organisation.store
            for service_id in make(desk, *heard.records):
                service = store.service(service_id)
                made = datetime.fromisoformat(str(service["Created_Time"])) - timedelta(minutes=4)
                with store.transaction():
                    store.put_service({**service, "Created_Time": made.isoformat()})
            return LOST

        desk.wire.interfere = dated_earlier
        await desk.run("create-services", services(2))
        assert desk.each_once(services(2))
        assert desk.statuses == ["succeeded"] * 2
        assert len(desk.wire.writes) == 1


async def test_a_record_that_may_be_another_runs_is_left_until_that_one_knows(tmp_path: Path):
    """The other one's record is there already, and its answer on the way."""
    async with desk_at(tmp_path) as desk:
        first = await desk.begin("create-services", services(1), ALIKE)
        second = await desk.begin("create-services", services(1), ALIKE)
        is_there, may_answer = asyncio.Event(), asyncio.Event()
        others: list[asyncio.Task[None]] = []
        readings = 0

        async def both(heard: Heard) -> Cut | Say | None:
            nonlocal readings
            if heard.is_write and len(desk.wire.writes) == 1:
                return LOST
            if heard.is_write and len(desk.wire.writes) == 2:
                (record_id,) = make(desk, *heard.records)
                is_there.set()
                await may_answer.wait()
                done = {"code": "SUCCESS", "details": {"id": record_id}, "message": "done", "status": "success"}
                return Say(201, {"data": [done]}, {"Date": format_datetime(NOW, usegmt=True)})
            if is_read_back(heard):
                readings += 1
                if readings == 1:
                    others.append(asyncio.create_task(carried_on(desk, second)))
                    await is_there.wait()
                if readings == 3:
                    may_answer.set()
                    await others[0]
            return None

        desk.wire.interfere = both
        await carried_on(desk, first)
        may_answer.set()
        await asyncio.gather(*others)
        (_, mine), (_, theirs) = found = kept(desk, first, second)
        assert [status for status, _ in found] == ["succeeded"] * 2
        assert mine != theirs
        assert desk.each_once(services(1) * 2)


async def test_a_record_that_another_run_has_made_meanwhile_is_not_taken(tmp_path: Path):
    async with desk_at(tmp_path) as desk:
        first = await desk.begin("create-services", services(2), ALIKE)
        second = await desk.begin("create-services", services(2), ALIKE)

        async def lose_and_let_the_other_one_in(heard: Heard) -> Cut | None:
            if not heard.is_write or len(desk.wire.writes) > 1:
                return None
            await carried_on(desk, second)
            return LOST

        desk.wire.interfere = lose_and_let_the_other_one_in
        await carried_on(desk, first)
        found = kept(desk, first, second)
        assert [status for status, _ in found] == ["succeeded"] * 4
        assert len({record_id for _, record_id in found}) == 4
        assert desk.each_once(services(2) * 2)


async def test_of_two_runs_that_read_the_same_record_back_one_takes_it(tmp_path: Path):
    """The other one has seen it, too, and finds it taken when it comes to write that down."""
    async with desk_at(tmp_path) as desk:
        second = await desk.begin("create-services", services(1) * 2, ALIKE)
        refused = Say(401, {"code": "OAUTH_SCOPE_MISMATCH", "details": {}, "message": "", "status": "error"})

        async def lose_and_refuse(heard: Heard) -> Cut | Say | None:
            return refused if is_read_back(heard) else LOST if heard.is_write else None

        desk.wire.interfere = lose_and_refuse
        await carried_on(desk, second)
        assert [status for status, _ in kept(desk, second)] == ["in_doubt"] * 2
        first = await desk.begin("create-services", services(1) * 2, ALIKE)
        is_taken = False

        async def lose_and_let_the_other_one_in(heard: Heard) -> Cut | None:
            nonlocal is_taken
            if heard.is_write and not desk.created:
                make(desk, *heard.records)
                return LOST
            if heard.path.startswith("Services__s/") and not is_taken:
                is_taken = True
                await carried_on(desk, second)
            return None

        desk.wire.interfere = lose_and_let_the_other_one_in
        await carried_on(desk, first)
        assert is_taken
        found = kept(desk, first, second)
        assert [status for status, _ in found] == ["succeeded"] * 4
        assert len({record_id for _, record_id in found}) == 4
        assert desk.each_once(services(1) * 4)
