"""The HTTP side: reads requests, keeps count of them, and sends answers whole, or as brokenly as a fault demands."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import partial

from aiohttp import web

from bulkzcrm.sandbox.answers import Answer, Refused
from bulkzcrm.sandbox.faults import Fault
from bulkzcrm.sandbox.jsontext import dumps
from bulkzcrm.sandbox.organisation import Call
from bulkzcrm.sandbox.quotas import Traffic
from bulkzcrm.sandbox.routes import Operation, Route, find
from bulkzcrm.sandbox.service import Service
from bulkzcrm.sandbox.service_writes import count_records
from bulkzcrm.sandbox.wounds import HTML, wounded

BODY_MOST_BYTES = 64 * 1024 * 1024
TOKEN_PATH = "/oauth/v2/token"  # noqa: S105 -- a path
REVOKE_PATH = "/oauth/v2/token/revoke"
CONSENT_PATH = "/oauth/v2/auth"
_REQUESTS_KEPT = 20_000
_JSON = "application/json;charset=UTF-8"
_RECORD_WRITES = (Operation.CREATE_SERVICES, Operation.UPSERT_SERVICES, Operation.UPDATE_SERVICES)
_CUT = (Fault.CUT_BEFORE, Fault.CUT_AFTER, Fault.LATE_COMMIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedRequest:
    """An API request that was served. `records`: how many it brought (0 for a read).

    `status` is the HTTP status that was sent, or None where the connection was cut instead.
    """

    method: str
    path: str
    query: str
    status: int | None
    records: int


class Server:
    """Answers requests of aiohttp's."""

    def __init__(self, service: Service, traffic: Traffic, clock: Callable[[], datetime]) -> None:
        """Stand on the service."""
        self.requests: deque[ServedRequest] = deque(maxlen=_REQUESTS_KEPT)
        self.token_requests = 0
        self._service = service
        self._traffic = traffic
        self._clock = clock
        self._late: dict[int, tuple[asyncio.TimerHandle, Callable[[], None]]] = {}
        self._late_number = 0

    def commit_what_is_late(self) -> None:
        """Apply now what was to be applied later."""
        for number in list(self._late):
            timer, commit = self._late.pop(number)
            timer.cancel()
            commit()

    def application(self) -> web.Application:
        """The application for aiohttp's runner."""
        application = web.Application(client_max_size=BODY_MOST_BYTES)
        application.router.add_route("*", "/{path:.*}", self._serve)
        return application

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if request.path == TOKEN_PATH and request.method == "POST":
            return await self._serve_token(request)
        if request.path == REVOKE_PATH and request.method == "POST":
            return await self._serve_revocation(request)
        if request.path == CONSENT_PATH and request.method == "GET":
            return self._serve_consent(request)
        try:
            route = find(request.method, request.path)
            with self._traffic.one():
                return await self._serve_route(request, route)
        except Refused as refusal:
            self._log(request, refusal.answer.status, 0)
            return self._whole(refusal.answer)

    async def _serve_token(self, request: web.Request) -> web.StreamResponse:
        self.token_requests += 1
        form = await request.post()
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        with self._service.organisation.store.transaction():
            answer = self._service.tokens.answer(fields, str(request.url.origin()))
        return self._whole(answer)

    async def _serve_revocation(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        # The vendor's page writes it into the address; in the body it is not seen on the way.
        fields = {**request.query, **{name: value for name, value in form.items() if isinstance(value, str)}}
        with self._service.organisation.store.transaction():
            return self._whole(self._service.tokens.revoke(fields))

    def _serve_consent(self, request: web.Request) -> web.StreamResponse:
        with self._service.organisation.store.transaction():
            there = self._service.tokens.authorise(request.query, str(request.url.origin()))
        if there is None:
            return web.Response(status=400, text="This client, answer or address is not known here.")
        return web.Response(status=302, headers={"Location": there})

    async def _serve_route(self, request: web.Request, route: Route) -> web.StreamResponse:
        faults = self._service.faults
        if faults.latency_s > 0:
            await asyncio.sleep(faults.latency_s)
        query = {name: request.query[name] for name in request.query}
        call = Call(path_id=route.path_id, query=query, body=await request.read())
        records = _records(route, call)
        with self._traffic.big_write(records):
            answer, fault = self._service.answer(route, call, request.headers.get("Authorization", ""), records)
            answer = wounded(answer, fault)
            if fault is Fault.LATENCY:
                await asyncio.sleep(faults.delay_s)
            if fault is Fault.LATE_COMMIT and route.operation.is_write:
                self._postpone(partial(self._service.commit_late, route, call, records), faults.delay_s)
            self._log(request, None if fault in _CUT else answer.status, records)
            return await self._send(request, answer, fault)

    def _postpone(self, commit: Callable[[], None], seconds: float) -> None:
        self._late_number += 1
        number = self._late_number

        def due() -> None:
            del self._late[number]
            commit()

        self._late[number] = (asyncio.get_running_loop().call_later(seconds, due), commit)

    async def _send(self, request: web.Request, answer: Answer, fault: Fault | None) -> web.StreamResponse:
        response = self._whole(answer, fault)
        match fault:
            case Fault.CUT_BEFORE | Fault.CUT_AFTER | Fault.LATE_COMMIT:
                _cut(request)
            case Fault.SLOW_BODY | Fault.CUT_BODY if isinstance(response.body, bytes):
                return await self._send_halves(request, response, response.body, fault)
            case _:
                pass
        return response

    async def _send_halves(
        self, request: web.Request, whole: web.Response, body: bytes, fault: Fault
    ) -> web.StreamResponse:
        response = web.StreamResponse(status=whole.status, headers=whole.headers)
        response.content_length = len(body)
        await response.prepare(request)
        await response.write(body[: len(body) // 2])
        if fault is Fault.CUT_BODY:
            _cut(request)
            return response
        await asyncio.sleep(self._service.faults.delay_s)
        await response.write(body[len(body) // 2 :])
        await response.write_eof()
        return response

    def _whole(self, answer: Answer, fault: Fault | None = None) -> web.Response:
        headers = {
            **answer.headers,
            **self._service.credits.headers(),
            "Date": format_datetime(self._clock().astimezone(UTC), usegmt=True),
        }
        if fault in (Fault.NOT_JSON_BEFORE, Fault.NOT_JSON_AFTER):
            return web.Response(
                status=answer.status, body=HTML.encode(), headers=headers | {"Content-Type": "text/html"}
            )
        if answer.body is None:
            return web.Response(status=answer.status, headers=headers)
        return web.Response(
            status=answer.status, body=dumps(answer.body).encode(), headers=headers | {"Content-Type": _JSON}
        )

    def _log(self, request: web.Request, status: int | None, records: int) -> None:
        served = ServedRequest(
            method=request.method, path=request.path, query=request.query_string, status=status, records=records
        )
        self.requests.append(served)


def _records(route: Route, call: Call) -> int:
    if route.operation in _RECORD_WRITES:
        return count_records(call.body, call.path_id)
    return int(route.operation.is_write)


def _cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
