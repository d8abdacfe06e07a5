"""Nothing leaves, and nothing is written, that is no longer ours to send."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import anyio
import pytest
from desk import NOW, SERVICE, Desk, desk_at, services
from forwarder import Heard, until
from hypothesis import given, settings
from hypothesis import strategies as st
from wires import WatchedWire

from bulkzcrm.clock import milliseconds
from bulkzcrm.journal import Journal, LostLeaseError
from bulkzcrm.report import files
from bulkzcrm.run.engine import carry_on
from bulkzcrm.run.lease import LEASE_MS
from bulkzcrm.send import Claim
from bulkzcrm.spec.certainty import Observed
from bulkzcrm.spec.operations import OPERATIONS
from bulkzcrm.wire import NotSentError

RUN = "20300107-093001-abcdef"


class Leased:
    """A journal of one run, its claim, and the time."""

    def __init__(self, now_ms: int = 0) -> None:
        self.now_ms = now_ms

    def clock(self) -> datetime:
        return datetime(2030, 1, 1, tzinfo=UTC) + timedelta(milliseconds=self.now_ms)


async def begun(desk: Desk, operation: str = "create-services") -> str:
    rows = services(3) if operation == "create-services" else [{"id": SERVICE.format(2), "Duration": "35"}]
    return await desk.begin(operation, rows)


async def test_nothing_may_leave_before_a_lease_is_on_the_disk():
    with pytest.raises(NotSentError) as held_back:
        Claim(RUN, 1, lease_ms=1000).may_leave()
    assert held_back.value.observed is Observed.NOT_WRITTEN


async def test_a_request_may_leave_until_the_lease_ends_and_no_moment_longer():
    time = Leased()
    claim = Claim(RUN, 1, lease_ms=1000, clock=time.clock)
    claim.extended(milliseconds(time.clock()) + 1000)
    time.now_ms = 999
    claim.may_leave()
    time.now_ms = 1000
    with pytest.raises(NotSentError):
        claim.may_leave()


async def test_a_lease_that_was_written_after_the_clock_was_set_back_ends_as_early_as_it_says():
    """Other processes judge by what is written."""
    time = Leased(500_000)
    claim = Claim(RUN, 1, lease_ms=1000, clock=time.clock)
    claim.extended(milliseconds(time.clock()) + 1000)
    time.now_ms = 0
    claim.extended(milliseconds(time.clock()) + 1000)
    time.now_ms = 1000
    with pytest.raises(NotSentError):
        claim.may_leave()


@pytest.fixture(scope="module")
def one_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a journal that has a run."""
    folder = tmp_path_factory.mktemp("a desk")

    async def make() -> None:
        async with desk_at(folder) as desk:
            await begun(desk)

    asyncio.run(make())
    return folder / "home of the tool"


@settings(max_examples=25, deadline=None)
@given(steps=st.lists(st.integers(-3000, 3000), min_size=1, max_size=12))
def test_never_may_a_request_leave_at_a_moment_at_which_another_process_can_claim_the_run(
    one_run: Path, steps: list[int]
):
    """Whichever way the clock goes."""
    time = Leased(10_000_000)
    with Journal.open(one_run) as journal:
        journal.claim(RUN, "first", 0, 0, dead_owner=journal.run(RUN).owner)
        epoch = journal.claim(RUN, "first", milliseconds(time.clock()), 1000)
        assert epoch is not None
        claim = Claim(RUN, epoch, lease_ms=1000, clock=time.clock)
        claim.extended(claim.extend(journal))
        for place, step in enumerate(steps):
            time.now_ms += step
            if place % 3 == 1:
                claim.extended(claim.extend(journal))
            try:
                claim.may_leave()
            except NotSentError:
                continue
            assert journal.claim(RUN, "second", milliseconds(time.clock()), 1000) is None


def suspended_before_its_first_write(meanwhile: Callable[[], None]) -> WatchedWire:
    def sleep(number: int, url: str) -> str:
        if number == 1:
            meanwhile()
        return url

    return WatchedWire(before_write=sleep)


@pytest.mark.parametrize("operation", ["create-services", "update-services"])
async def test_a_zombie_that_wakes_up_after_its_run_was_taken_over_sends_nothing_and_writes_nothing(
    tmp_path: Path, operation: str
):
    async with desk_at(tmp_path) as desk:
        run = await begun(desk, operation)
        now = [NOW]
        left: list[object] = []

        def taken_over() -> None:
            now[0] += timedelta(minutes=10)
            with Journal.open(desk.home) as journal:
                epoch = journal.claim(run, "another", milliseconds(now[0]), 60_000)
                assert epoch is not None
                journal.recover(run, epoch)
                left.extend([journal.run(run), journal.rows(run, 0, 10), journal.batches(run)])

        wire = suspended_before_its_first_write(taken_over)
        around = replace(desk.around(), clock=lambda: now[0], wire=lambda: wire)
        with Journal.open(desk.home) as journal:
            with pytest.raises(LostLeaseError):
                await carry_on(journal, run, OPERATIONS[operation], around, resume="")
            assert [journal.run(run), journal.rows(run, 0, 10), journal.batches(run)] == left
        assert (wire.writes, desk.wire.writes) == (1, [])


@pytest.mark.parametrize("operation", ["create-services", "update-services"])
async def test_a_sleeper_whose_run_nobody_took_holds_back_the_request_and_goes_on_with_a_new_lease(
    tmp_path: Path, operation: str
):
    async with desk_at(tmp_path) as desk:
        run = await begun(desk, operation)
        now = [NOW]

        def slept() -> None:
            now[0] += timedelta(minutes=10)

        wire = suspended_before_its_first_write(slept)
        around = replace(desk.around(), clock=lambda: now[0], wire=lambda: wire)
        with Journal.open(desk.home) as journal:
            await carry_on(journal, run, OPERATIONS[operation], around, resume="")
        assert (wire.writes, len(desk.wire.writes)) == (2, 1)
        assert set(desk.statuses) == {"succeeded"}


async def test_who_lost_the_run_while_it_wrote_the_report_puts_none_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async with desk_at(tmp_path) as desk:
        run = await begun(desk)
        fill = files._fill

        def taken_over_meanwhile(aside: Path, write: Callable[[BinaryIO], None]) -> None:
            fill(aside, write)
            with Journal.open(desk.home) as journal:
                journal.claim(run, "another", milliseconds(NOW) + 600_000, 60_000)

        monkeypatch.setattr(files, "_fill", taken_over_meanwhile)
        with Journal.open(desk.home) as journal, pytest.raises(LostLeaseError):
            await carry_on(journal, run, OPERATIONS["create-services"], desk.around(), resume="")
        assert [path.name for path in desk.output.iterdir() if path.suffix == ".csv"] == []


async def test_a_run_is_renewed_while_its_process_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("bulkzcrm.run.keeping.BEAT_S", 0.001)
    monkeypatch.setattr("bulkzcrm.run.keeping.RENEW_S", 0.001)
    async with desk_at(tmp_path) as desk:
        run = await begun(desk)
        now = [NOW]
        claims: list[int | None] = []

        async def slow(heard: Heard) -> None:
            if not heard.is_write:
                return
            with Journal.open(desk.home) as journal:
                for _ in range(2):
                    now[0] += timedelta(seconds=40)
                    whole = milliseconds(now[0]) + LEASE_MS
                    with anyio.move_on_after(4):
                        await until(lambda whole=whole: (journal.run(run).lease_until_ms or 0) >= whole)
                    claims.append(journal.claim(run, "another", milliseconds(now[0]), LEASE_MS))

        desk.wire.interfere = slow
        with Journal.open(desk.home) as journal:
            around = replace(desk.around(), clock=lambda: now[0])
            await carry_on(journal, run, OPERATIONS["create-services"], around, resume="")
        assert claims == [None] * 2
        assert set(desk.statuses) == {"succeeded"}
