"""A small client of the sandbox for these tests; it is nobody's production code and shares none."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp

from bulkzcrm.sandbox import Faults, Sandbox, SandboxOptions

SERVICES = "Services__s"
HOURS = "settings/business_hours"
PREFERENCES = "settings/service_preferences"
RULES = "settings/automation/scoring_rules"

PATRICIA, RAHUL, AISHA = "5545974000000393001", "5545974000000393002", "5545974000000393003"
OMAR_INACTIVE, LENA_UNCONFIRMED = "5545974000000393008", "5545974000000393009"
AC_REPAIR = "5545974000002183001"
DEEP_CLEANING = "5545974000002183007"
VAT = "5545974000000021003"
HOURS_ID = "3652397000001438001"


class Clock:
    """A clock that stands still until it is moved: a Wednesday noon in India."""

    def __init__(self) -> None:
        self.now = datetime(2090, 3, 1, 6, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **parts: float) -> None:
        self.now += timedelta(**parts)


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def elements(self) -> list[Any]:
        return list(self.body["data"])

    @property
    def codes(self) -> list[str]:
        return [element["code"] for element in self.body["data"]]

    @property
    def ids(self) -> list[str]:
        return [element["details"]["id"] for element in self.body["data"]]


class Api:
    """Speaks to one sandbox with one access token."""

    def __init__(self, sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
        self.sandbox = sandbox
        self.session = session
        self.token = ""

    async def token_request(self, **changes: str | None) -> Reply:
        environment = self.sandbox.environment()
        form = {
            "grant_type": "refresh_token",
            "refresh_token": environment["BULKZCRM_REFRESH_TOKEN"],
            "client_id": environment["BULKZCRM_CLIENT_ID"],
            "client_secret": environment["BULKZCRM_CLIENT_SECRET"],
        }
        wanted = {name: value for name, value in {**form, **changes}.items() if value is not None}
        async with self.session.post(f"{self.sandbox.url}/oauth/v2/token", data=wanted) as response:
            return Reply(response.status, json.loads(await response.read()), response.headers)

    async def log_in(self) -> None:
        self.token = (await self.token_request()).body["access_token"]

    async def call(
        self,
        method: str,
        path: str,
        content: object = None,
        *,
        raw: bytes | None = None,
        version: str = "v8",
        authorization: str | None = None,
    ) -> Reply:
        body = json.dumps(content).encode() if raw is None and content is not None else raw
        authorization = f"Zoho-oauthtoken {self.token}" if authorization is None else authorization
        headers = {"Authorization": authorization} if authorization else {}
        url = f"{self.sandbox.url}/crm/{version}/{path}"
        request = self.session.request(method, url, data=body, headers=headers, allow_redirects=False)
        async with request as response:
            data = await response.read()
            is_json = response.content_type == "application/json"
            return Reply(
                response.status, json.loads(data, parse_float=Decimal) if is_json else data, dict(response.headers)
            )

    async def create(self, *records: object, **beside: object) -> Reply:
        return await self.call("POST", SERVICES, {"data": list(records), **beside})

    async def update(self, *records: object, **beside: object) -> Reply:
        return await self.call("PUT", SERVICES, {"data": list(records), **beside})

    async def read(self, service_id: str) -> Any:
        return (await self.call("GET", f"{SERVICES}/{service_id}")).elements[0]


@asynccontextmanager
async def running(
    state: Path | None = None,
    *,
    faults: Faults | None = None,
    clock: Clock | None = None,
    **options: Any,
) -> AsyncIterator[Api]:
    """A running sandbox with these options, and a client that has a token."""
    sandbox = Sandbox(state, options=SandboxOptions(**options), faults=faults, clock=clock or Clock())
    async with sandbox, aiohttp.ClientSession() as session:
        api = Api(sandbox, session)
        await api.log_in()
        yield api


async def until(is_so: Callable[[], bool]) -> None:
    """Let the event loop turn until something is so; TimeoutError if it does not come about in 10 seconds."""
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110 -- the sandbox, in the same loop, raises no event for its tests
            await asyncio.sleep(0)


DROP = object()


def members(*ids: str) -> list[dict[str, Any]]:
    return [{"Members": {"id": user_id}} for user_id in ids]


def service(**changes: object) -> dict[str, Any]:
    """A sound new service with these changes; DROP leaves a key out."""
    record: dict[str, Any] = {
        "Service_Name": "Lawn Care",
        "Duration": 60,
        "Location": "Client Address",
        "Members": members(PATRICIA),
        "Availability_Type": "Every Business Days",
        "Price": 12.5,
    }
    return {key: value for key, value in {**record, **changes}.items() if value is not DROP}


def change(service_id: object = AC_REPAIR, **changes: object) -> dict[str, Any]:
    """A sound update with what the page makes mandatory, and with these changes."""
    record: dict[str, Any] = {
        "id": service_id,
        "Duration": 60,
        "Location": "Client Address",
        "Members": members(PATRICIA),
        "Availability_Type": "Every Business Days",
    }
    return {key: value for key, value in {**record, **changes}.items() if value is not DROP}
