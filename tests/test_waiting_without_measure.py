"""An answer that asks for a wait beyond all measure, or holds numbers that nothing can hold, is one like others."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from desk import Desk, desk_at, services
from forwarder import Heard, Say

from bulkzcrm.report import State
from bulkzcrm.run.options import RunOptions

HUGE = "9" * 400


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_at(tmp_path / "a desk") as desk:
        yield desk


@pytest.mark.parametrize("wait", ["9" * 30, "86400", "1e300"])
async def test_a_pause_is_never_longer_than_max_wait(desk: Desk, wait: str):
    """Also where the answer judges the record in a way that proves nothing, so that the wait itself is not weighed."""
    unclear = {"service_preferences": {"code": "DUPLICATE_DATA", "status": "failure", "message": "", "details": {}}}
    desk.wire.script(Say(429, unclear, {"Retry-After": wait}))
    ending = await desk.run("update-service-preferences", [{"job_sheet_enabled": "false"}], RunOptions(max_wait=60))
    assert desk.pace.seconds <= 2 * 60 + 1
    assert ending.summary.state in {State.FINISHED, State.STOPPED}


@pytest.mark.parametrize("wait", [HUGE, f"-{HUGE}", "1e400", "-1", "0", "true", '"soon"', "[]"])
async def test_a_wait_that_is_no_time_does_not_count(desk: Desk, wait: str):
    body = f'{{"code": "TOO_MANY_REQUESTS", "details": {{"retry_after": {wait}}}, "message": "", "status": "error"}}'
    desk.wire.script(Say(429, body.encode()))
    rows = services(2)
    ending = await desk.run("create-services", rows)
    assert ending.summary.state is State.FINISHED
    assert desk.each_once(rows)


@pytest.mark.parametrize("number", ["1E999999999999999999999", HUGE * 20, "-1E-999999999999999999999"])
async def test_a_number_that_none_can_hold_makes_an_answer_that_is_no_json(desk: Desk, number: str):
    async def absurd(heard: Heard) -> Say | None:
        return Say(200, f'{{"org": [{{"id": {number}}}]}}'.encode()) if heard.path == "org" else None

    desk.wire.interfere = absurd
    ending = await desk.run("create-services", services(1))
    assert ending.summary.state is State.STOPPED
    assert "no JSON" in json.dumps(ending.summary.stopped_because)
    assert not desk.wire.writes
