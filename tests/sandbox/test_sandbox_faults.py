"""Faults on demand: what the client sees, and whether the change was made."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import pytest
from sandbox_api import AC_REPAIR, HOURS, HOURS_ID, SERVICES, Api, Reply, change, running, service, until

from bulkzcrm.sandbox import Fault, Faults

READ = f"{SERVICES}?fields=id"


def made(api: Api) -> int:
    return len(api.sandbox.services()) - 12


@pytest.mark.parametrize(
    ("fault", "status", "code", "services"),
    [
        (Fault.TOO_MANY_REQUESTS, 429, "TOO_MANY_REQUESTS", 0),
        (Fault.SERVER_ERROR_BEFORE, 500, "INTERNAL_ERROR", 0),
        (Fault.SERVER_ERROR_AFTER, 500, "INTERNAL_ERROR", 2),
        (Fault.INTERNAL_ERROR_400_BEFORE, 400, "INTERNAL_ERROR", 0),
        (Fault.INTERNAL_ERROR_400_AFTER, 400, "INTERNAL_ERROR", 2),
        (Fault.EXPIRED_TOKEN, 401, "INVALID_TOKEN", 0),
        (Fault.BARE_ERROR, 400, "INVALID_DATA", 0),
    ],
)
async def test_a_fault_with_a_bare_answer(fault: Fault, status: int, code: str, services: int) -> None:
    async with running(faults=Faults([fault])) as api:
        reply = await api.create(service(), service())
        assert (reply.status, reply.body["code"], made(api)) == (status, code, services)
        if fault is Fault.EXPIRED_TOKEN:
            assert (await api.call("GET", READ)).status == 401
            await api.log_in()
        assert (await api.create(service())).status == 201


@pytest.mark.parametrize(("fault", "services"), [(Fault.NOT_JSON_BEFORE, 0), (Fault.NOT_JSON_AFTER, 1)])
async def test_a_gateways_page_is_no_json(fault: Fault, services: int) -> None:
    async with running(faults=Faults([fault])) as api:
        reply = await api.create(service())
        assert (reply.status, reply.headers["Content-Type"], made(api)) == (502, "text/html", services)
        assert reply.body.startswith(b"<html>")


@pytest.mark.parametrize(("fault", "services"), [(Fault.CUT_BEFORE, 0), (Fault.CUT_AFTER, 1)])
async def test_a_cut_connection_tells_nothing(fault: Fault, services: int) -> None:
    async with running(faults=Faults([fault])) as api:
        with pytest.raises(aiohttp.ClientConnectionError):
            await api.create(service())
        assert made(api) == services
        assert [served.status for served in api.sandbox.requests] == [None]
        assert (await api.create(service())).status == 201


async def test_a_body_can_break_off_in_the_middle() -> None:
    async with running(faults=Faults([Fault.CUT_BODY])) as api:
        with pytest.raises((aiohttp.ClientPayloadError, aiohttp.ClientConnectionError)):
            await api.create(service())
        assert made(api) == 1


@pytest.mark.parametrize("fault", [Fault.SLOW_BODY, Fault.LATENCY])
async def test_a_slow_answer_is_a_whole_answer(fault: Fault) -> None:
    async with running(faults=Faults([fault], delay_s=0.05)) as api:
        before = time.monotonic()
        reply = await api.create(service(), service())
        assert time.monotonic() - before >= 0.045
        assert (reply.status, reply.codes) == (201, ["SUCCESS", "SUCCESS"])


async def test_every_request_can_be_slow() -> None:
    async with running(faults=Faults(latency_s=0.03)) as api:
        before = time.monotonic()
        await api.call("GET", READ)
        assert time.monotonic() - before >= 0.025


async def test_an_answer_can_be_one_element_short() -> None:
    async with running(faults=Faults([Fault.WRONG_LENGTH, Fault.WRONG_LENGTH])) as api:
        assert len((await api.create(service(), service())).elements) == 1
        assert (await api.create(service())).elements == []
        assert made(api) == 3


async def test_an_answer_can_name_other_records() -> None:
    async with running(faults=Faults([Fault.OTHER_IDS, Fault.OTHER_IDS])) as api:
        reply = await api.update(change(), change("1"))
        assert reply.codes == ["SUCCESS", "INVALID_DATA"]
        assert reply.elements[0]["details"]["id"] != AC_REPAIR
        hours = {"id": HOURS_ID, "type": "24*7", "week_starts_on": "Monday"}
        saved = await api.call("PUT", HOURS, {"business_hours": hours})
        assert saved.body["business_hours"]["details"]["id"] != HOURS_ID


async def test_a_request_can_be_sent_elsewhere() -> None:
    async with running(faults=Faults([Fault.REDIRECT])) as api:
        reply = await api.create(service())
        assert (reply.status, reply.headers["Location"], made(api)) == (302, "https://elsewhere.invalid/crm", 0)


async def test_a_script_counts_writes_and_reads_apart_and_can_be_added_to() -> None:
    async with running(faults=Faults([None, Fault.TOO_MANY_REQUESTS])) as api:
        statuses = [(await api.create(service())).status, (await api.call("GET", READ)).status]
        statuses.append((await api.create(service())).status)
        api.sandbox.faults.add(None, Fault.SERVER_ERROR_BEFORE)
        api.sandbox.faults.add_for_reads(Fault.NOT_JSON_BEFORE)
        statuses += [(await api.create(service())).status for _ in range(3)]
        statuses += [(await api.call("GET", READ)).status for _ in range(2)]
        assert statuses == [201, 200, 429, 201, 500, 201, 502, 200]


async def test_a_request_that_is_not_authorised_meets_no_fault() -> None:
    async with running(faults=Faults([Fault.TOO_MANY_REQUESTS])) as api:
        assert (await api.call("POST", SERVICES, {"data": [service()]}, authorization="")).status == 401
        assert (await api.create(service())).status == 429


async def test_faults_can_be_replaced_while_the_sandbox_runs(api: Api) -> None:
    api.sandbox.set_faults(Faults([Fault.TOO_MANY_REQUESTS]))
    assert (await api.create(service())).status == 429


async def test_the_die_is_the_same_for_the_same_seed() -> None:
    chances = {Fault.TOO_MANY_REQUESTS: 0.3, Fault.SERVER_ERROR_AFTER: 0.2}

    async def statuses(seed: int) -> list[int]:
        async with running(faults=Faults(probability=chances, seed=seed)) as api:
            assert (await api.call("GET", READ)).status == 200
            return [(await api.create(service())).status for _ in range(40)]

    first = await statuses(7)
    assert first == await statuses(7) != await statuses(8)
    assert set(first) == {201, 429, 500}


def test_reads_meet_the_die_only_when_asked_for() -> None:
    certain = {Fault.TOO_MANY_REQUESTS: 1.0}
    assert Faults(probability=certain).next_fault(is_write=False) is None
    assert Faults(probability=certain, reads=True).next_fault(is_write=False) is Fault.TOO_MANY_REQUESTS


@pytest.mark.parametrize("chances", [{Fault.LATENCY: -0.1}, {Fault.LATENCY: 0.6, Fault.REDIRECT: 0.6}])
def test_impossible_probabilities_are_refused(chances: dict[Fault, float]) -> None:
    with pytest.raises(ValueError, match="at most 1 together"):
        Faults(probability=chances)


async def test_a_client_that_goes_away_early_leaves_the_change_made_and_the_sandbox_well() -> None:
    async with running(faults=Faults([Fault.LATENCY], delay_s=0.2)) as api:
        asked: asyncio.Task[Reply] = asyncio.create_task(api.create(service()))
        await until(lambda: made(api) == 1)
        asked.cancel()
        assert (await api.create(service())).status == 201
        assert made(api) == 2
