"""A run that stopped, was interrupted or killed is carried on with: nothing is lost, and nothing is sent twice."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from desk import NOW, SERVICE, Desk, desk_at, services, write_csv
from forwarder import Cut, Heard, Say, until
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bulkzcrm.errors import ConfigurationError, JournalError, UsageError
from bulkzcrm.journal import BatchState, Journal, RunState
from bulkzcrm.model import Status
from bulkzcrm.report import State
from bulkzcrm.run.engine import begin, carry_on
from bulkzcrm.run.lease import LEASE_MS
from bulkzcrm.run.options import RunOptions
from bulkzcrm.run.origin import Origin
from bulkzcrm.run.retrying import failed_origin
from bulkzcrm.sandbox import Fault, Faults, SandboxOptions, seed
from bulkzcrm.spec.operations import OPERATIONS

SMALL = RunOptions(batch_size=10, concurrency=2)
UPDATE = OPERATIONS["update-services"]
NOW_MS = int(NOW.timestamp() * 1000)
TOO_MANY = Say(429, {"code": "TOO_MANY_REQUESTS", "details": {}, "message": "too many", "status": "error"})


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_at(tmp_path / "a desk") as desk:
        yield desk


# -- a process that is gone


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(after=st.integers(1, 5), applied=st.booleans(), create=st.booleans())
async def test_a_run_whose_process_died_in_a_request_is_finished_by_resume(
    tmp_path_factory: pytest.TempPathFactory, after: int, *, applied: bool, create: bool
):
    """Cancelling stands for dying: nothing of what was under way gets the chance to say how it ended."""
    async with desk_at(tmp_path_factory.mktemp("desk")) as desk:
        dying = asyncio.Event()

        async def die(heard: Heard) -> Cut | None:
            if heard.is_write and len(desk.wire.writes) >= after:
                dying.set()
                return Cut(applied=applied)
            return None

        desk.wire.interfere = die
        rows = services(60) if create else [{"id": SERVICE.format(at), "Duration": "35"} for at in range(1, 11)]
        options = RunOptions(batch_size=10 if create else 2, concurrency=2)
        await desk.begin("create-services" if create else "update-services", rows, options)
        await die_when(desk, dying)
        assert desk.journalled.state is RunState.SENDING
        desk.wire.script()
        ending = await desk.carry_on()
        assert len(set(desk.created)) == len(desk.created)
        assert not create or desk.each_once(rows)
        assert desk.statuses == ["succeeded"] * len(rows)
        assert ending.summary.state is State.FINISHED


async def die_when(desk: Desk, moment: asyncio.Event) -> None:
    """Carry on with the last run until a moment, and then no further."""
    journal = Journal.open(desk.home)
    operation = OPERATIONS[journal.run(desk.last).operation]
    work = asyncio.create_task(carry_on(journal, desk.last, operation, desk.around(), resume=""))
    waiting = asyncio.create_task(moment.wait())
    await asyncio.wait({work, waiting}, return_when=asyncio.FIRST_COMPLETED)
    assert not work.done(), "the run has ended before it could die"
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    journal.close()


KILLED = """
import asyncio, sys
from pathlib import Path
from bulkzcrm.config import load_connection
from bulkzcrm.journal import Journal
from bulkzcrm.run.engine import begin, carry_on
from bulkzcrm.run.options import RunOptions
from bulkzcrm.run.retrying import failed_origin
from bulkzcrm.run.sources import origin_of
from bulkzcrm.run.surroundings import Surroundings
from bulkzcrm.spec.operations import OPERATIONS
import os

async def main():
    home, source, run, folder = sys.argv[1:]
    connection = load_connection(profile=None, environ=os.environ, home=Path(home))
    around = Surroundings(home=Path(home), connection=connection)
    options = RunOptions(batch_size=10, concurrency=2)
    operation = OPERATIONS["create-services"]
    with Journal.open(Path(home)) as journal:
        if not journal.runs():
            await begin(journal, origin_of(source, options), operation, options, around, run=run, folder=Path(folder))
        await carry_on(journal, run, operation, around, resume="")

asyncio.run(main())
"""


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
@pytest.mark.parametrize("after", [1, 4])
async def test_a_process_that_is_killed_leaves_a_run_that_another_one_finishes(desk: Desk, after: int):
    rows = services(60)
    desk.last = "20300107-093001-abcdef"
    source = write_csv(desk.folder / "source.csv", rows)
    process: asyncio.subprocess.Process

    async def kill(heard: Heard) -> None:
        if heard.is_write and len(desk.wire.writes) == after:
            os.kill(process.pid, signal.SIGKILL)
            await process.wait()

    desk.wire.interfere = kill
    environ = {
        **os.environ,
        **desk.sandbox.environment(),
        "BULKZCRM_API_DOMAIN": desk.wire.url,
        "BULKZCRM_ACCOUNTS_URL": desk.wire.url,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, str(desk.home), str(source), desk.last, str(desk.output), env=environ
    )
    assert await process.wait() == -signal.SIGKILL
    await until(lambda: desk.wire.in_flight == 0)
    desk.wire.script()
    await desk.carry_on()
    assert desk.each_once(rows)
    assert desk.statuses == ["succeeded"] * 60


# -- who may carry on


async def test_a_second_process_is_refused_while_the_first_is_at_work(desk: Desk):
    await desk.begin("create-services", services(3))
    parent = f"{socket.gethostname()}/{os.getppid()}/0123abcd"
    with Journal.open(desk.home) as journal:
        journal.release(desk.last, journal.run(desk.last).epoch)
        journal.claim(desk.last, parent, NOW_MS, LEASE_MS)
    with pytest.raises(UsageError, match="Another process is at work"):
        await desk.carry_on()
    assert desk.wire.heard == []


async def test_a_claim_of_a_process_that_has_died_need_not_be_waited_for(desk: Desk):
    rows = services(3)
    await desk.begin("create-services", rows)
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
    await process.wait()
    with Journal.open(desk.home) as journal:
        journal.release(desk.last, journal.run(desk.last).epoch)
        journal.claim(desk.last, f"{socket.gethostname()}/{process.pid}/0123abcd", NOW_MS, LEASE_MS)
    await desk.carry_on()
    assert desk.each_once(rows)


async def test_a_claim_on_another_machine_is_waited_for_until_it_runs_out(desk: Desk):
    rows = services(3)
    await desk.begin("create-services", rows)
    with Journal.open(desk.home) as journal:
        journal.release(desk.last, journal.run(desk.last).epoch)
        journal.claim(desk.last, "elsewhere.invalid/1/0123abcd", NOW_MS - LEASE_MS - 1, LEASE_MS)
    await desk.carry_on()
    assert desk.each_once(rows)


async def test_who_has_lost_the_run_to_another_sends_nothing_more(desk: Desk):
    rows = services(60)
    await desk.begin("create-services", rows, RunOptions(batch_size=10, concurrency=1))

    async def take_over(heard: Heard) -> None:
        if heard.is_write and len(desk.wire.writes) == 2:
            with Journal.open(desk.home) as journal:
                assert journal.claim(desk.last, "b", NOW_MS + 10 * LEASE_MS, LEASE_MS)
                journal.release(desk.last, journal.run(desk.last).epoch)

    desk.wire.interfere = take_over
    with pytest.raises(Exception, match="taken over"):
        await desk.carry_on()
    assert len(desk.wire.writes) == 2
    desk.wire.script()
    await desk.carry_on()
    assert desk.statuses == ["succeeded"] * 60
    assert desk.each_once(rows)
    assert len(set(desk.created)) == len(desk.created) == 60


async def test_another_organisation_cannot_resume_a_run(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    desk.wire.script(*[TOO_MANY] * 1000)
    await desk.run("create-services", services(3), RunOptions(max_wait=1))
    organisation = seed.organisation

    def another(organisation_id: str, edition: str) -> dict[str, object]:
        return {**organisation(organisation_id, edition), "zgid": "69999999999", "company_name": "Elsewhere"}

    monkeypatch.setattr(seed, "organisation", another)
    desk.wire.script()
    with pytest.raises(ConfigurationError, match=r"belongs to Bright Home Services \(60001234567\)"):
        await desk.carry_on()
    assert len(desk.created) == 0
    monkeypatch.undo()
    await desk.carry_on()
    assert len(desk.created) == 3, "the refusal has cost nothing"


async def test_another_server_cannot_resume_a_run(desk: Desk):
    desk.wire.script(*[TOO_MANY] * 1000)
    await desk.run("create-services", services(3), RunOptions(max_wait=1))
    elsewhere = replace(desk.connection, api_domain=desk.sandbox.url)
    with pytest.raises(ConfigurationError, match="belongs to an organisation at"):
        await desk.carry_on(connection=elsewhere)


# -- what resuming does


async def test_a_new_run_that_is_refused_leaves_nothing_behind(desk: Desk):
    await desk.begin("create-services", services(3))
    elsewhere = replace(desk.connection, api_domain=desk.sandbox.url)
    with pytest.raises(ConfigurationError):
        await desk.carry_on(connection=elsewhere)
    with Journal.open(desk.home) as journal:
        assert journal.runs() == []


async def test_resuming_needs_the_source_no_more(desk: Desk):
    rows = services(30)

    async def stop(heard: Heard) -> None:
        if heard.is_write:
            desk.stop.again()

    desk.wire.interfere = stop
    await desk.run("create-services", rows, SMALL)
    for source in desk.folder.glob("source*.csv"):
        source.unlink()
    desk.wire.script()
    await desk.carry_on()
    assert desk.each_once(rows)


async def test_resuming_counts_errors_afresh(desk: Desk):
    refused = {"code": "INVALID_DATA", "details": {"api_name": "Price"}, "message": "", "status": "error"}
    desk.wire.script(*[Say(400, {"data": [refused] * 10})] * 3)
    tight = RunOptions(batch_size=10, concurrency=1, max_errors="12")
    ending = await desk.run("create-services", services(60), tight)
    assert (len(desk.wire.writes), ending.summary.state) == (2, State.STOPPED)
    ending = await desk.carry_on()
    assert ending.summary.state is State.FINISHED
    assert ending.summary.counts[Status.REJECTED] == 30


async def test_resuming_reads_the_organisation_again(desk: Desk):
    """What a row leaves out is what the service holds now, not what it held when the run began."""
    rows = [{"id": SERVICE.format(number), "Duration": "35"} for number in (2, 4)]

    async def stop(heard: Heard) -> None:
        if heard.is_write:
            desk.stop.again()

    desk.wire.interfere = stop
    await desk.run("update-services", rows, RunOptions(batch_size=1, concurrency=1))
    store = desk.sandbox._running().organisation.store
    with store.transaction():
        store.put_service({**store.service(SERVICE.format(4)), "Location": "Business Address"})
    desk.wire.script()
    await desk.carry_on()
    assert desk.wire.writes[-1].records[0]["Location"] == "Business Address"
    assert desk.service(4)["Location"] == "Business Address"


async def test_requests_and_batches_of_all_attempts_are_counted_together(desk: Desk):
    async def stop(heard: Heard) -> None:
        if heard.is_write:
            desk.stop.again()

    desk.wire.interfere = stop
    await desk.run("create-services", services(20), RunOptions(batch_size=10, concurrency=1))
    desk.wire.script()
    ending = await desk.carry_on()
    assert ending.summary.requests == len(desk.wire.heard)
    assert ending.summary.batches == len([batch for batch in desk.batches if batch.state is not BatchState.DISSOLVED])


async def test_a_finished_run_has_nothing_left_to_resume(desk: Desk):
    ending = await desk.run("create-services", services(2))
    assert ending.summary.resume is None


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), updates=st.booleans())
async def test_through_any_weather_no_record_is_made_twice_and_no_row_is_lost(
    tmp_path_factory: pytest.TempPathFactory, seed: int, *, updates: bool
):
    # A bare error that meets a row alone is a verdict on that row, and no bad weather.
    fair = {Fault.LATENCY, Fault.BARE_ERROR} if updates else {Fault.LATENCY}
    weather = {fault: 0.03 for fault in Fault if fault not in fair}
    faults = Faults(probability=weather, seed=seed, delay_s=0)
    options = SandboxOptions(token_throttle=None)
    async with desk_at(tmp_path_factory.mktemp("desk"), faults=faults, options=options) as desk:
        rows = services(60)
        if updates:
            rows = [{"id": SERVICE.format(number), "Duration": "35"} for number in range(1, 11)]
        size = RunOptions(batch_size=1 if updates else 6)
        ending = await desk.run("update-services" if updates else "create-services", rows, size)
        for _ in range(20):
            if ending.summary.state is State.FINISHED:
                break
            ending = await desk.carry_on()
        assert ending.summary.rows == len(rows) == sum(ending.summary.counts.values())
        if updates:
            assert desk.statuses == ["succeeded"] * 10
            return
        assert len(set(desk.created)) == len(desk.created)
        for row in desk.results:
            if row["result_status"] == "succeeded":
                assert row["Service_Name"] in desk.created
            elif row["result_status"] == "rejected":
                assert row["Service_Name"] not in desk.created
            else:
                assert row["result_status"] == "unknown"
        assert ending.summary.state is State.FINISHED
        assert "unsent" not in desk.statuses


# -- a retry


async def begin_retry(journal: Journal, desk: Desk, origin: Origin) -> str:
    """Take the rows of a retry into the journal, as a process does that is killed right afterwards."""
    run = "20300107-093100-retry"
    folder = desk.folder / "retried"
    await begin(journal, origin, UPDATE, RunOptions(), desk.around(), run=run, folder=folder)
    return run


async def test_the_rows_of_a_retry_are_its_own_from_the_instant_from_which_it_can_be_resumed(desk: Desk):
    await desk.run("update-services", [{"id": SERVICE.format(1), "Duration": "5"}])
    with Journal.open(desk.home) as journal:
        retry = await begin_retry(journal, desk, failed_origin(journal, journal.run(desk.last), ""))
        assert journal.run(retry).state is RunState.INGESTED
        with pytest.raises(UsageError, match="no failed row left"):
            failed_origin(journal, journal.run(desk.last), "")


async def test_of_two_retries_that_read_the_same_rows_the_second_is_forgotten(desk: Desk):
    first = (await desk.run("update-services", [{"id": SERVICE.format(1), "Duration": "5"}])).summary.run or ""
    other = (await desk.run("update-services", [{"id": SERVICE.format(1), "Duration": "35"}])).summary.run or ""
    with Journal.open(desk.home) as journal:
        origin = failed_origin(journal, journal.run(first), "")

        def meanwhile() -> str:
            journal.mark_taken_by_retry(first, [row.ordinal for row in journal.failed_rows(first)], other)
            return origin.content_hash()

        with pytest.raises(JournalError, match="Another retry of the run"):
            await begin_retry(journal, desk, replace(origin, content_hash=meanwhile))
        assert {run.id for run in journal.runs(limit=9)} == {first, other}
