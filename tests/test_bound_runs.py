"""To which organisation a run is held, where the organisation itself may not always be read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from desk import Desk, desk_at, services
from forwarder import Heard, Say

from bulkzcrm.errors import BulkzcrmError, ConfigurationError
from bulkzcrm.run.options import RunOptions

SCOPE_MISSING = Say(401, {"code": "OAUTH_SCOPE_MISMATCH", "details": {}, "message": "no", "status": "error"})


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk that is not told whose organisation it works on."""
    async with desk_at(tmp_path / "a desk") as desk:
        desk.connection = replace(desk.connection, org_id=None)
        yield desk


def without_org(*, unless_call: int = 0) -> Callable[[Heard], Awaitable[Say | None]]:
    """The organisation itself may not be read, but at one reading."""
    call = 0

    async def refuse(heard: Heard) -> Say | None:
        nonlocal call
        if heard.path != "org":
            return Say(429) if heard.is_write else None
        call += 1
        return None if call == unless_call else SCOPE_MISSING

    return refuse


async def test_a_run_whose_organisation_could_not_be_read_is_bound_to_it_once_it_can_be(desk: Desk):
    desk.wire.interfere = without_org()
    await desk.run("create-services", services(3), RunOptions(max_wait=1))
    assert desk.journalled.organisation_id == ""
    desk.wire.script()
    ending = await desk.carry_on()
    assert desk.statuses == ["succeeded"] * 3
    assert (desk.journalled.organisation_id, ending.summary.organisation) == ("60001234567", "Bright Home Services")


async def test_a_run_stays_unbound_as_long_as_its_organisation_cannot_be_read(desk: Desk):
    desk.wire.interfere = without_org()
    await desk.run("create-services", services(3), RunOptions(max_wait=1))
    await desk.carry_on()
    assert (desk.journalled.organisation_id, desk.statuses) == ("", ["unsent"] * 3)


async def test_a_run_whose_organisation_can_no_longer_be_checked_names_the_scope_and_the_other_way(desk: Desk):
    desk.wire.interfere = without_org(unless_call=1)
    await desk.run("create-services", services(3), RunOptions(max_wait=1))
    with pytest.raises(ConfigurationError) as refused:
        await desk.carry_on()
    assert "belongs to Bright Home Services (60001234567)" in refused.value.message
    assert "another" not in refused.value.message
    assert "ZohoCRM.org.READ" in refused.value.cure
    assert "BULKZCRM_ORG_ID" in refused.value.cure
    desk.wire.interfere = without_org()
    await desk.carry_on(connection=replace(desk.connection, org_id="60001234567"))
    desk.wire.script()
    await desk.carry_on()
    assert desk.statuses == ["succeeded"] * 3


async def test_a_run_that_is_bound_by_the_other_id_of_its_organisation_goes_on_once_it_can_be_read(desk: Desk):
    other_id = desk.sandbox._running().organisation.options.organisation_id
    desk.connection = replace(desk.connection, org_id=other_id)
    desk.wire.interfere = without_org()
    await desk.run("create-services", services(3), RunOptions(max_wait=1))
    assert desk.journalled.organisation_id == other_id
    desk.wire.script()
    await desk.carry_on()
    assert desk.statuses == ["succeeded"] * 3


async def test_the_same_content_is_refused_before_the_organisation_is_read(tmp_path: Path):
    async with desk_at(tmp_path) as desk:
        await desk.run("create-services", services(2))
        heard = len(desk.wire.heard)
        with pytest.raises(BulkzcrmError) as refused:
            await desk.run("create-services", services(2))
        assert "--again" in refused.value.cure
        assert [each.path for each in desk.wire.heard[heard:]] == ["org"]
