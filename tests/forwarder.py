"""A server on loopback between the tool and its sandbox: it hears every API request, and may answer in its stead."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import aiohttp
from aiohttp import web

TOKENS = "/oauth/"
API = "/crm/v8/"

_PASSED = ("Location", "Date", "Content-Type", "X-API-CREDITS-REMAINING")


@dataclass(frozen=True)
class Heard:
    method: str
    path: str
    """Below the API's version."""
    query: Mapping[str, str]
    body: Any

    @property
    def is_write(self) -> bool:
        return self.method != "GET"

    @property
    def records(self) -> list[Any]:
        return self.body["data"]


@dataclass(frozen=True)
class Say:
    """An answer in the sandbox's stead; a body that is no bytes goes out as JSON."""

    status: int
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class Cut:
    """The connection is cut instead of an answer; `applied` lets the sandbox do what was asked first."""

    def __init__(self, *, applied: bool) -> None:
        self.applied = applied


class _BrokenError(Exception):
    """The sandbox has cut the connection."""


async def _once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    # aiohttp would send a PUT again by itself, which must not pass for the tool's doing.
    try:
        return await send(request)
    except aiohttp.ClientError as error:
        raise _BrokenError from error


Interference = Callable[[Heard], Awaitable[Say | Cut | None]]


async def _let_pass(heard: Heard) -> Say | Cut | None:
    return None


@dataclass
class Forwarder:
    url: str = ""
    heard: list[Heard] = field(default_factory=list)
    interfere: Interference = _let_pass
    tokens: Say | None = None
    """What every request for a token is answered, instead of asking the sandbox."""
    in_flight: int = 0
    most_in_flight: int = 0

    @property
    def writes(self) -> list[Heard]:
        return [heard for heard in self.heard if heard.is_write]

    @property
    def reads(self) -> list[str]:
        return [heard.path for heard in self.heard if not heard.is_write]

    def script(self, *steps: Say | Cut | None, reads: bool = False) -> None:
        """Interfere with the next writes (or reads), one step each; `None` lets one through."""
        waiting = list(steps)

        async def next_step(heard: Heard) -> Say | Cut | None:
            return waiting.pop(0) if waiting and heard.is_write is not reads else None

        self.interfere = next_step


@asynccontextmanager
async def forwarding(target: str) -> AsyncIterator[Forwarder]:
    """Serve on a free port, forwarding to `target`."""
    forwarder = Forwarder()
    async with aiohttp.ClientSession(auto_decompress=False, middlewares=(_once,)) as session:

        async def serve(request: web.Request) -> web.StreamResponse:
            body = await request.read()
            if request.path.startswith(TOKENS):
                return await forward(request, body) if forwarder.tokens is None else said(forwarder.tokens)
            heard = Heard(
                method=request.method,
                path=request.path.removeprefix(API),
                query=dict(request.query),
                body=json.loads(body, parse_float=Decimal) if body else None,
            )
            forwarder.heard.append(heard)
            forwarder.in_flight += 1
            forwarder.most_in_flight = max(forwarder.most_in_flight, forwarder.in_flight)
            try:
                step = await forwarder.interfere(heard)
                if isinstance(step, Say):
                    return said(step)
                if step is None:
                    return await forward(request, body)
                if step.applied:
                    await forward(request, body)
                return cut(request)
            except _BrokenError:
                return cut(request)
            finally:
                forwarder.in_flight -= 1

        def cut(request: web.Request) -> web.Response:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()

        def said(step: Say) -> web.Response:
            return web.Response(status=step.status, body=step.content, headers=step.headers)

        async def forward(request: web.Request, body: bytes) -> web.Response:
            kept = ("authorization", "content-type", "x-crm-org")
            headers = {name: value for name, value in request.headers.items() if name.lower() in kept}
            async with session.request(
                request.method, target + request.raw_path, data=body, headers=headers, allow_redirects=False
            ) as answer:
                try:
                    content = await answer.read()
                except aiohttp.ClientPayloadError as error:
                    raise _BrokenError from error
                passed = {name: answer.headers[name] for name in _PASSED if name in answer.headers}
                return web.Response(status=answer.status, body=content, headers=passed)

        application = web.Application(client_max_size=2**26)
        application.router.add_route("*", "/{path:.*}", serve)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        forwarder.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield forwarder
        finally:
            await runner.cleanup()


async def until(condition: Callable[[], object]) -> None:
    """Let others work until a condition holds; the test's own timeout bounds it."""
    while not condition():  # noqa: ASYNC110  what is waited for happens in code that knows no event of ours
        await asyncio.sleep(0.001)
