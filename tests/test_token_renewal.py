"""A token is renewed once for everybody, in its own time, and never between the intent to send and the departure."""

from __future__ import annotations

import asyncio
import itertools
import json
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from desk import NOW, Desk, desk_at, services
from forwarder import Heard, Say
from loopback import HANG, connection, response, serving, token_reply
from wires import WatchedWire

from bulkzcrm.client import Client
from bulkzcrm.errors import StoppedError, UnreachableError
from bulkzcrm.events import Event, Waiting
from bulkzcrm.journal import Journal
from bulkzcrm.limiter import Limiter
from bulkzcrm.report import State
from bulkzcrm.run.engine import carry_on
from bulkzcrm.run.options import RunOptions
from bulkzcrm.sandbox import SandboxOptions
from bulkzcrm.spec.operations import OPERATIONS
from bulkzcrm.transport import LostError, NotSentError, Transport
from bulkzcrm.wire import Reply

DENIED = Say(400, {"error": "Access Denied", "status": "failure", "error_description": "too many requests"})


class Process:
    """A `renewing_process`, and what it says."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def says(self) -> str:
        assert self._process.stdout is not None
        return (await self._process.stdout.readline()).decode().strip()

    def ask(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")

    async def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert await self._process.wait() == 0


async def started(home: Path, url: str) -> Process:
    return Process(
        await asyncio.create_subprocess_exec(
            sys.executable,
            str(Path(__file__).with_name("renewing_process.py")),
            str(home),
            url,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
    )


class SlowAccounts:
    """An accounts server that gives a token to nobody before it is told to, a new one each time."""

    def __init__(self) -> None:
        self.asked = 0
        self.may_answer = asyncio.Event()
        self.was_asked = asyncio.Event()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while head := await reader.readline():
                length = 0
                while (line := await reader.readline()).strip():
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                await reader.readexactly(length)
                assert head.startswith(b"POST /oauth/")
                self.asked += 1
                self.was_asked.set()
                await self.may_answer.wait()
                writer.write(token_reply(f"1000.{self.asked:032x}.{'b' * 32}"))
                await writer.drain()
            writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as listener:
            yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"


async def test_four_processes_that_start_together_without_a_token_ask_for_one(tmp_path: Path):
    """So do four whose token is refused at the same moment."""
    accounts = SlowAccounts()
    async with accounts.serving() as url:
        processes = await asyncio.gather(*(started(tmp_path, url) for _ in range(4)))
        assert [await each.says() for each in processes] == ["here"] * 4
        for renewals in (1, 2):
            for each in processes:
                each.ask()
            await accounts.was_asked.wait()
            assert [await each.says() for each in processes] == ["asking"] * 4
            accounts.may_answer.set()
            got = {await each.says() for each in processes}
            assert got == {f"1000.{renewals:032x}.{'b' * 32}"}
            assert accounts.asked == renewals
            accounts.may_answer.clear()
            accounts.was_asked.clear()
        await asyncio.gather(*(each.end() for each in processes))


async def carried_on(desk: Desk, listen: Callable[[Event], None]) -> State:
    around = replace(desk.around(), announce=listen)
    with Journal.open(desk.home) as journal:
        operation = OPERATIONS[journal.run(desk.last).operation]
        ending = await carry_on(journal, desk.last, operation, around, resume=f"bulkzcrm resume {desk.last}")
    return ending.summary.state


async def die_together(desk: Desk) -> None:
    """Let the first ten writes meet a token that is dead."""
    gathered = asyncio.Event()

    async def expire(heard: Heard) -> None:
        if heard.is_write and not gathered.is_set():
            if len(desk.wire.writes) == 2:
                desk.sandbox.expire_tokens()
                desk.wire.tokens = DENIED
                gathered.set()
            await gathered.wait()

    desk.wire.interfere = expire


async def test_a_throttled_renewal_is_waited_for_once_by_all_workers(tmp_path: Path):
    async with desk_at(tmp_path / "a desk") as desk:
        rows = services(100)
        await desk.begin("create-services", rows, RunOptions(batch_size=10))
        await die_together(desk)
        waits: list[Waiting] = []

        def listen(event: Event) -> None:
            if isinstance(event, Waiting) and "access tokens" in event.reason:
                waits.append(event)
                desk.wire.tokens = None

        assert await carried_on(desk, listen) is State.FINISHED
        assert [each.seconds for each in waits] == [600]
        assert desk.each_once(rows)


async def test_a_throttled_renewal_beyond_max_wait_stops_the_run_and_says_when_to_resume(tmp_path: Path):
    async with desk_at(tmp_path / "a desk") as desk:
        rows = services(100)
        await desk.begin("create-services", rows, RunOptions(batch_size=10, max_wait=300))
        await die_together(desk)
        assert await carried_on(desk, desk.events.append) is State.STOPPED
        assert "Wait 10 minutes (until " in (desk.journalled.stopped_because or "")
        assert not [event for event in desk.events if isinstance(event, Waiting)]
        assert set(desk.statuses) == {"unsent"}
        desk.wire.tokens = None
        await desk.carry_on()
        assert desk.each_once(rows)


async def test_an_account_that_stays_throttled_stops_the_run_after_max_wait(tmp_path: Path):
    async with desk_at(tmp_path / "a desk", options=SandboxOptions(token_throttle=1)) as desk:
        await desk.begin("create-services", services(30), RunOptions(batch_size=10, concurrency=1))

        async def expire(heard: Heard) -> None:
            if heard.is_write:
                desk.sandbox.expire_tokens()

        desk.wire.interfere = expire
        assert await carried_on(desk, desk.events.append) is State.STOPPED
        assert [event.seconds for event in desk.events if isinstance(event, Waiting)] == [600]
        assert set(desk.statuses) == {"unsent"}
        assert desk.sandbox.token_requests == 3


async def test_a_run_that_waits_for_a_token_ends_as_soon_as_it_is_asked_to(tmp_path: Path):
    async with desk_at(tmp_path / "a desk") as desk:
        await desk.begin("create-services", services(10))
        desk.wire.tokens = DENIED
        waits: list[Event] = []

        def listen(event: Event) -> None:
            if isinstance(event, Waiting):
                waits.append(event)
                desk.stop.drain()

        assert await carried_on(desk, listen) is State.INTERRUPTED
        assert len(waits) == 1
        assert desk.wire.heard == []


@pytest.mark.parametrize(("refusal", "asked", "waits"), [("Access Denied", 2, [600]), ("invalid_code", 1, [])])
async def test_those_who_wait_together_for_a_token_share_the_refusal(
    tmp_path: Path, refusal: str, asked: int, waits: list[int]
):
    answer = response(200, json.dumps({"error": refusal}).encode())
    async with serving(lambda _: answer, tokens=False) as server:
        async with Transport(connection(tmp_path, server.url)) as crm:
            client, slept = client_of(crm, max_wait=900)
            refused = await asyncio.gather(*(client.ready() for _ in range(20)), return_exceptions=True)
        assert all(isinstance(each, StoppedError) for each in refused)
        assert (len(server.token_requests), slept) == (asked, waits)


def client_of(crm: Transport, max_wait: float) -> tuple[Client, list[float]]:
    """A client in a time of its own, and the seconds that it sleeps."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    client = Client(
        crm,
        Limiter(5),
        max_wait=max_wait,
        announce=[].append,
        sleep=sleep,
        monotonic=lambda: sum(slept),
    )
    return client, slept


async def test_no_token_is_renewed_between_the_intent_to_send_and_the_departure(tmp_path: Path):
    async with desk_at(tmp_path / "a desk", options=SandboxOptions(token_throttle=None)) as desk:
        rows = services(30)
        await desk.begin("create-services", rows, RunOptions(batch_size=10, concurrency=1))
        in_flight: list[int] = []

        def too_old_for_the_next_request(reply: Reply) -> Reply:
            with closing(sqlite3.connect(desk.home / "journal.sqlite3")) as journal:
                in_flight.extend(*journal.execute("SELECT COUNT(*) FROM batch WHERE state = 'sending'"))
            return replace(reply, body=json.dumps({**json.loads(reply.body), "expires_in": 0.001}).encode())

        wire = WatchedWire(after_token=too_old_for_the_next_request)
        ticks = itertools.count()
        around = replace(desk.around(), wire=lambda: wire, clock=lambda: NOW + timedelta(milliseconds=10 * next(ticks)))
        with Journal.open(desk.home) as journal:
            await carry_on(journal, desk.last, OPERATIONS["create-services"], around, resume="")
        assert desk.each_once(rows)
        assert set(in_flight) == {0}
        assert len(in_flight) == len(desk.wire.heard), "one token for each request"


async def test_no_request_waits_for_ever_not_even_one_for_a_token(tmp_path: Path):
    async with serving(lambda _: HANG, tokens=False) as server:
        async with Transport(connection(tmp_path, server.url), timeout_s=0.05) as crm:
            with pytest.raises(NotSentError, match="in time"):
                await crm.send("POST", "Services__s", body=b"{}")
        assert len(server.token_requests) == 1
        assert server.api_requests == []


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
async def test_no_request_of_the_api_waits_for_ever(tmp_path: Path, method: str):
    async with serving(lambda _: HANG) as server:
        async with Transport(connection(tmp_path, server.url), timeout_s=0.05) as crm:
            with pytest.raises(LostError, match="in time"):
                await crm.send(method, "Services__s")
        assert len(server.api_requests) == 1


@pytest.mark.parametrize("tokens", [True, False])
async def test_a_reading_that_is_never_answered_is_given_up_after_max_wait(tmp_path: Path, *, tokens: bool):
    async with serving(lambda _: HANG, tokens=tokens) as server:
        async with Transport(connection(tmp_path, server.url), timeout_s=0.02) as crm:
            client, slept = client_of(crm, max_wait=20)
            with pytest.raises(UnreachableError):
                await client.read("org")
        assert sum(slept) == pytest.approx(20)


async def test_many_who_share_tokens_of_a_few_calls_all_get_their_answer(tmp_path: Path):
    """A token that others have used up has expired; nobody's credentials are wrong."""
    async with desk_at(tmp_path / "a desk", options=SandboxOptions(token_throttle=None, token_calls=7)) as desk:
        async with Transport(desk.connection) as crm:
            client, _ = client_of(crm, max_wait=60)
            answers = await asyncio.gather(*(client.read("org") for _ in range(60)))
        assert all(answer is not None and answer["org"] for answer in answers)
