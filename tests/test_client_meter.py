"""A client asks its meter before a request leaves and tells it afterwards, exactly once and whatever happens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest
from loopback import CUT, Asked, connection, response, serving

from bulkzcrm.client import Client
from bulkzcrm.errors import StoppedError
from bulkzcrm.events import Event
from bulkzcrm.limiter import Limiter
from bulkzcrm.transport import Answer, LostError, NotSentError, Transport

STOP = StoppedError("There are no credits.", "Come back tomorrow.")


@dataclass
class Meter:
    """Lets so many credits pass, and writes down what it hears."""

    credits: int = 100
    sends_back: int = 0
    gone: bool = False
    heard: list[tuple[str, int, int | None]] = field(default_factory=list)

    async def admit(self, cost: int) -> bool:
        if self.sends_back:
            self.sends_back -= 1
            return False
        if cost > self.credits:
            raise STOP
        self.credits -= cost
        self.heard.append(("admitted", cost, None))
        return True

    def spent(self, cost: int, answer: Answer | None) -> None:
        self.heard.append(("spent", cost, answer.status if answer else None))

    def release(self, cost: int) -> None:
        self.heard.append(("released", cost, None))

    async def go_on(self) -> None:
        if self.gone:
            raise STOP


@asynccontextmanager
async def client(
    folder: Path, meter: Meter, answer: Callable[[Asked], bytes], slept: list[float] | None = None
) -> AsyncIterator[Client]:
    events: list[Event] = []

    async def sleep(seconds: float) -> None:
        if slept is not None:
            slept.append(seconds)
        await anyio.lowlevel.checkpoint()

    async with serving(answer) as server, Transport(connection(folder, server.url)) as transport:
        made = Client(transport, Limiter(2), max_wait=60, announce=events.append, sleep=sleep)
        made.meter = meter
        yield made


def good(asked: Asked) -> bytes:
    return response(200, b'{"org": []}', X_API_CREDITS_REMAINING="77")


async def test_a_request_is_admitted_counted_and_released(tmp_path):
    meter = Meter()
    async with client(tmp_path, meter, good) as api:
        async with api.turn(10):
            await api.exchange("POST", "Services__s", body=b"{}", cost=10)
        assert meter.heard == [("admitted", 10, None), ("spent", 10, 200), ("released", 10, None)]
        assert (api.credits, api.credits_remaining) == (10, 77)


async def test_what_the_meter_refuses_never_leaves_and_holds_no_place(tmp_path):
    meter = Meter(credits=9)
    async with client(tmp_path, meter, good) as api:
        with pytest.raises(StoppedError, match="no credits"):
            async with api.turn(10):
                pytest.fail("It was let in.")
        assert (api.requests, api.credits, api.limiter.in_flight, meter.heard) == (0, 0, 0, [])
        meter.credits = 0
        with pytest.raises(StoppedError, match="no credits"):
            await api.read("org")


async def test_who_is_sent_back_queues_again(tmp_path):
    meter = Meter(sends_back=3)
    async with client(tmp_path, meter, good) as api:
        assert await api.read("org") == {"org": []}
        assert meter.heard == [("admitted", 1, None), ("spent", 1, 200), ("released", 1, None)]


async def test_an_answer_that_is_lost_has_cost_its_credits(tmp_path):
    meter = Meter()
    async with client(tmp_path, meter, lambda _: CUT) as api:
        with pytest.raises(LostError):
            async with api.turn(3):
                await api.exchange("POST", "Services__s", body=b"{}", cost=3)
        assert meter.heard == [("admitted", 3, None), ("spent", 3, None), ("released", 3, None)]
        assert api.credits == 3


async def test_a_request_that_was_held_back_in_the_last_moment_costs_nothing(tmp_path):
    meter = Meter()

    def hold_back() -> None:
        raise NotSentError("held back")

    async with client(tmp_path, meter, good) as api:
        with pytest.raises(NotSentError):
            async with api.turn(3):
                await api.exchange("POST", "Services__s", body=b"{}", cost=3, may_leave=hold_back)
        assert meter.heard == [("admitted", 3, None), ("released", 3, None)]
        assert api.credits == 0


async def test_nobody_waits_for_credits_that_are_gone(tmp_path):
    meter = Meter()
    slept: list[float] = []

    def throttle(asked: Asked) -> bytes:
        meter.gone = True
        return response(429, b'{"code": "TOO_MANY_REQUESTS"}')

    async with client(tmp_path, meter, throttle, slept) as api:
        with pytest.raises(StoppedError, match="no credits"):
            await api.read("org")
        assert api.requests == 1
        assert not slept
