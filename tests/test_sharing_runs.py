"""Whole runs on an organisation whose credits are short, and runs that work on one organisation at the same time."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest
from desk import desk_at, services

from bulkzcrm.events import Waiting
from bulkzcrm.journal import Journal
from bulkzcrm.report import State
from bulkzcrm.run.engine import carry_on
from bulkzcrm.run.options import RunOptions
from bulkzcrm.sandbox import Faults, SandboxOptions
from bulkzcrm.spec.operations import OPERATIONS


async def test_a_run_stops_at_its_budget_says_when_to_resume_and_goes_on_with_another_one(tmp_path: Path):
    async with desk_at(tmp_path) as desk:
        options = RunOptions(batch_size=10, concurrency=1, max_credits=10)
        ending = await desk.run("create-services", services(100), options)
        reads = len(desk.wire.reads)
        assert desk.statuses == ["succeeded"] * 10 * (10 - reads) + ["unsent"] * (100 - 10 * (10 - reads))
        assert desk.sandbox.credits_spent == 10
        assert ending.summary.state is State.STOPPED
        assert "--max-credits" in (ending.summary.stopped_because or "")
        assert "2030-01-08" in (ending.summary.stopped_because or "")
        assert all(batch.attempt for batch in desk.batches if batch.sent_ms), "what was held back is no attempt"
        with Journal.open(desk.home) as journal:
            kept = RunOptions(batch_size=10, concurrency=1, max_credits=1000)
            journal.update_run(desk.last, journal.run(desk.last).epoch, options=kept.to_json())
        ending = await desk.carry_on()
        assert ending.summary.state is State.FINISHED
        assert desk.each_once(services(100))


async def test_what_an_earlier_run_has_spent_counts(tmp_path: Path):
    async with desk_at(tmp_path) as desk:
        await desk.run("create-services", services(50), RunOptions(batch_size=10))
        spent = desk.sandbox.credits_spent
        await desk.run("create-services", services(50, first=51), RunOptions(max_credits=spent + 3))
        assert set(desk.statuses) == {"unsent"}
        assert desk.sandbox.credits_spent <= spent + 3


async def test_credits_are_left_for_other_integrations(tmp_path: Path):
    async with desk_at(tmp_path, options=SandboxOptions(credit_limit=100)) as desk:
        chosen = RunOptions(batch_size=10, concurrency=2, leave_credits="40")
        ending = await desk.run("create-services", services(900), chosen)
        assert 55 <= desk.sandbox.credits_spent <= 60
        assert ending.summary.state is State.STOPPED
        assert "--leave-credits 40" in (ending.summary.stopped_because or "")


async def test_a_run_whose_credits_are_gone_stops_at_once_instead_of_trying_for_ten_minutes(tmp_path: Path):
    async with desk_at(tmp_path, options=SandboxOptions(credit_limit=45)) as desk:
        chosen = RunOptions(batch_size=100, concurrency=1, leave_credits="0", max_wait=600)
        ending = await desk.run("create-services", services(900), chosen)
        assert "used up" in (ending.summary.stopped_because or "")
        assert ending.summary.state is State.STOPPED
        assert not [event for event in desk.events if isinstance(event, Waiting)]
        assert [heard.status for heard in desk.sandbox.requests].count(429) == 1


@pytest.mark.parametrize("concurrency", [3, 10])
async def test_runs_at_the_same_time_stay_within_what_the_organisation_allows(tmp_path: Path, concurrency: int):
    """Where it allows less than its edition, both learn it together, and every row is made once all the same."""
    options = SandboxOptions(concurrency=concurrency, edition="free" if concurrency < 5 else "enterprise")
    async with desk_at(tmp_path, options=options, faults=Faults(latency_s=0.002)) as desk:
        chosen = RunOptions(batch_size=10)
        rows = [services(150), services(150, first=151)]
        runs = [await desk.begin("create-services", each, chosen) for each in rows]

        async def work(run: str) -> None:
            with Journal.open(desk.home) as journal:
                await carry_on(journal, run, OPERATIONS["create-services"], desk.around(), resume="resume")

        async with anyio.create_task_group() as group:
            for run in runs:
                group.start_soon(work, run)
        assert desk.each_once([*rows[0], *rows[1]])
        if concurrency == 10:
            assert 429 not in [heard.status for heard in desk.sandbox.requests]
