"""Credits and concurrency: what a request costs, when it is one too many, and how that is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from sandbox_api import PREFERENCES, SERVICES, Api, Clock, running, service, until

from bulkzcrm.sandbox import Fault, Faults

READ = f"{SERVICES}?fields=id"


@pytest.mark.parametrize(("records", "credits_"), [(1, 1), (10, 1), (11, 2), (100, 10)])
async def test_a_write_costs_one_credit_per_ten_records(api: Api, records: int, credits_: int) -> None:
    await api.create(*[service()] * records)
    assert api.sandbox.credits_spent == credits_


async def test_a_read_and_a_setting_cost_one_credit_and_tokens_none(api: Api) -> None:
    await api.token_request()
    await api.call("GET", READ)
    await api.call("PUT", PREFERENCES, {"service_preferences": {"job_sheet_enabled": True}})
    assert api.sandbox.credits_spent == 2


async def test_credits_run_out_and_come_back_after_24_hours() -> None:
    clock = Clock()
    async with running(clock=clock, credit_limit=10, token_life_s=10**6) as api:
        assert (await api.create(*[service()] * 60)).status == 201
        clock.move(hours=1)
        assert (await api.create(*[service()] * 40)).status == 201
        refused = await api.call("GET", READ)
        assert (refused.status, refused.body["code"], refused.body["details"]) == (429, "TOO_MANY_REQUESTS", {})
        assert len(api.sandbox.services()) == 112
        clock.move(hours=23)
        assert (await api.create(*[service()] * 60)).status == 201
        assert (await api.call("GET", READ)).status == 429


async def test_what_is_left_is_told_once_half_is_spent() -> None:
    async with running(credit_limit=4) as api:
        told = [(await api.call("GET", READ)).headers.get("X-API-CREDITS-REMAINING") for _ in range(5)]
        assert told == [None, "2", "1", "0", "0"]


@pytest.mark.parametrize(("edition", "limit"), [("free", 5), ("standard", 10), ("professional", 15), ("ultimate", 25)])
async def test_the_edition_limits_the_requests_in_flight(edition: str, limit: int) -> None:
    async with running(edition=edition) as api, _requests_in_flight(api, limit) as waiting:
        assert (await api.create(service())).body["code"] == "TOO_MANY_REQUESTS"
        assert (await api.call("GET", READ)).status == 429
        assert (await api.token_request()).status == 200
        assert await waiting() == [201] * limit
        assert (await api.create(service())).status == 201


async def test_the_limit_can_be_set() -> None:
    async with running(concurrency=1) as api, _requests_in_flight(api, 1) as waiting:
        assert (await api.create(service())).status == 429
        assert await waiting() == [201]


@asynccontextmanager
async def _requests_in_flight(api: Api, number: int) -> AsyncIterator[Callable[[], Awaitable[list[int]]]]:
    """Requests whose bodies are kept waiting: the sandbox has them all and can answer none."""
    release = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        text = json.dumps({"data": [service()]}).encode()
        yield text[:5]  # the client sends the head of a request with the first bytes of its body
        await release.wait()
        yield text[5:]

    async def one() -> int:
        headers = {"Authorization": f"Zoho-oauthtoken {api.token}"}
        async with api.session.post(f"{api.sandbox.url}/crm/v8/{SERVICES}", data=body(), headers=headers) as response:
            return response.status

    async def finish() -> list[int]:
        release.set()
        return list(await asyncio.gather(*asked))

    asked = [asyncio.create_task(one()) for _ in range(number)]
    await until(lambda: api.sandbox.requests_in_flight == number)
    try:
        yield finish
    finally:
        await finish()


async def test_ten_big_writes_may_be_in_flight_and_small_ones_beside_them() -> None:
    async with running(faults=Faults([Fault.LATENCY] * 10, delay_s=0.5)) as api:
        big = [asyncio.create_task(api.create(*[service()] * 11)) for _ in range(10)]
        await until(lambda: api.sandbox.credits_spent == 20)
        assert (await api.create(*[service()] * 11)).status == 429
        assert (await api.create(*[service()] * 10)).status == 201
        assert [reply.status for reply in await asyncio.gather(*big)] == [201] * 10
        assert (await api.create(*[service()] * 11)).status == 201
