"""A server that answers at once and correctly, in a process of its own: it costs the client as little as a server can.

It judges nothing: whatever is created is answered with success and a new id, after `latency_s`, while not more than
`limit` requests are in flight (else 429). Reads are answered with what the sandbox answered to them once, at the start.
Every service that is created is ticked off by the number at the end of its name, so that a row that came twice, or not
at all, shows in the account. Run as a program: settings as JSON in the first argument, then one line in, one line out.
"""

from __future__ import annotations

import asyncio
import json
import sys
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import msgspec

from bulkzcrm.sandbox import Sandbox, SandboxOptions

__all__ = ["Account", "Settings", "Stand"]

_READS = (
    "org",
    "users?type=AllUsers",
    "users?type=CurrentUser",
    "settings/fields?module=Services__s",
    "settings/business_hours",
    "settings/service_preferences",
    "Services__s?fields=Service_Name,Status&per_page=200",
)
_FIRST_ID = 5545974000009000001
_DETAILS = (
    '"Modified_Time":"2030-01-07T15:00:00+05:30","Modified_By":{"name":"Patricia Boyle","id":"5545974000000393001"},'
    '"Created_Time":"2030-01-07T15:00:00+05:30","Created_By":{"name":"Patricia Boyle","id":"5545974000000393001"}'
)
_TOO_MANY = b'{"code":"TOO_MANY_REQUESTS","details":{},"message":"too many at once","status":"error"}'
_NOT_FOUND = b'{"code":"INVALID_URL_PATTERN","details":{},"message":"there is nothing here","status":"error"}'
_PHRASES = {200: "OK", 201: "Created", 404: "Not Found", 429: "Too Many Requests"}


class Settings(msgspec.Struct, kw_only=True):
    """How it serves. `turned_away` requests are answered 429 first, whatever else. `keep` keeps what is created."""

    latency_s: float = 0.0
    limit: int = 1000
    turned_away: int = 0
    edition: str = "enterprise"
    keep: bool = False


class Account(msgspec.Struct, kw_only=True):
    """What was served. `doubled` counts services whose number had come before."""

    created: int = 0
    doubled: int = 0
    writes: int = 0
    throttled: int = 0
    reads: int = 0
    most_at_once: int = 0


class _Named(msgspec.Struct):
    Service_Name: str


class _Body(msgspec.Struct):
    data: list[_Named]


class Stand:
    """All connections' common state."""

    def __init__(self, settings: Settings, reads: dict[str, bytes]) -> None:
        self.settings = settings
        self.account = Account()
        self.kept: list[Any] = []
        self._reads = reads
        self._decoder = msgspec.json.Decoder(_Body)
        self._seen = bytearray(10_000_000)
        self._at_once = 0

    def enter(self) -> bool:
        """Count a write in; false when there are too many."""
        if self.settings.turned_away > 0:
            self.settings.turned_away -= 1
        elif self._at_once < self.settings.limit:
            self._at_once += 1
            self.account.most_at_once = max(self.account.most_at_once, self._at_once)
            return True
        self.account.throttled += 1
        return False

    def create(self, body: bytes) -> bytes:
        """Tick off what is created, count the request out, and say so for each record."""
        records = self._decoder.decode(body).data
        if self.settings.keep:
            self.kept += json.loads(body)["data"]
        first = _FIRST_ID + self.account.created
        for record in records:
            number = int(record.Service_Name[-7:])
            self.account.doubled += self._seen[number]
            self._seen[number] = 1
        self.account.created += len(records)
        self.account.writes += 1
        self._at_once -= 1
        return (
            '{"data":['
            + ",".join(
                f'{{"code":"SUCCESS","details":{{{_DETAILS},"id":"{first + place}"}},'
                '"message":"record added","status":"success"}'
                for place in range(len(records))
            )
            + "]}"
        ).encode()

    def read(self, target: str) -> tuple[int, bytes]:
        """Answer a read with what the sandbox said."""
        self.account.reads += 1
        answer = self._reads.get(_key(target))
        return (404, _NOT_FOUND) if answer is None else (200, answer)


def _key(target: str) -> str:
    parts = urlsplit(target)
    return f"{parts.path.partition('/crm/')[2].partition('/')[2]} {parse_qs(parts.query).get('type', [''])[0]}"


class _Connection(asyncio.Protocol):
    """Just enough HTTP: requests with a Content-Length, one after the other, on connections that stay open."""

    def __init__(self, stand: Stand) -> None:
        self._stand = stand
        self._waiting = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        while (end := self._waiting.find(b"\r\n\r\n")) >= 0:
            head = self._waiting[:end]
            length = _content_length(head)
            if len(self._waiting) < end + 4 + length:
                return
            body = self._waiting[end + 4 : end + 4 + length]
            self._waiting = self._waiting[end + 4 + length :]
            self._serve(head, body)

    def _serve(self, head: bytes, body: bytes) -> None:
        method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        if target.startswith("/oauth/v2/token"):
            origin = next(line[5:].strip() for line in head.decode().split("\r\n") if line[:5].lower() == "host:")
            self._say(200, json.dumps(_token(origin)).encode())
        elif method == "GET":
            self._say(*self._stand.read(target))
        elif not self._stand.enter():
            self._say(429, _TOO_MANY)
        elif self._stand.settings.latency_s > 0:
            loop = asyncio.get_running_loop()
            loop.call_later(self._stand.settings.latency_s, self._created, body)
        else:
            self._created(body)

    def _created(self, body: bytes) -> None:
        self._say(201, self._stand.create(body))

    def _say(self, status: int, body: bytes) -> None:
        head = (
            f"HTTP/1.1 {status} {_PHRASES[status]}\r\nContent-Type: application/json;charset=UTF-8\r\n"
            f"Content-Length: {len(body)}\r\nDate: {formatdate(usegmt=True)}\r\n\r\n"
        )
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(head.encode() + body)


def _content_length(head: bytes) -> int:
    lower = head.lower()
    at = lower.find(b"\r\ncontent-length:")
    return int(lower[at + 17 :].split(b"\r\n", 1)[0]) if at >= 0 else 0


def _token(host: str) -> dict[str, str | int]:
    token = f"1000.{'a' * 32}.{'b' * 32}"
    return {"access_token": token, "api_domain": f"http://{host}", "token_type": "Bearer", "expires_in": 3600}


async def _recorded(edition: str) -> tuple[dict[str, bytes], dict[str, str]]:
    """Ask the sandbox all that a run reads, and return its answers and the environment that leads to it."""
    answers = {}
    async with Sandbox(options=SandboxOptions(edition=edition)) as sandbox, aiohttp.ClientSession() as session:  # type: ignore[arg-type]
        environ = sandbox.environment()
        form = {
            "grant_type": "refresh_token",
            "client_id": environ["BULKZCRM_CLIENT_ID"],
            "client_secret": environ["BULKZCRM_CLIENT_SECRET"],
            "refresh_token": environ["BULKZCRM_REFRESH_TOKEN"],
        }
        async with session.post(f"{sandbox.url}/oauth/v2/token", data=form) as answer:
            token = (await answer.json())["access_token"]
        for read in _READS:
            url = f"{sandbox.url}/crm/v8/{read}"
            async with session.get(url, headers={"Authorization": f"Zoho-oauthtoken {token}"}) as answer:
                answer.raise_for_status()
                answers[_key(url)] = await answer.read()
    return answers, environ


async def _main(settings: Settings) -> None:
    reads, environ = await _recorded(settings.edition)
    stand = Stand(settings, reads)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(stand), "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    environ |= {"BULKZCRM_API_DOMAIN": url, "BULKZCRM_ACCOUNTS_URL": url}
    _tell(environ)
    while line := await asyncio.to_thread(sys.stdin.readline):
        _tell(stand.kept if line.strip() == "kept" else msgspec.to_builtins(stand.account))
    server.close()


def _tell(told: object) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_main(msgspec.json.decode(sys.argv[1], type=Settings)))
