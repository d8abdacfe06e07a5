"""The API of one organisation as one function: a request leaves once, and an `Answer` or its absence is told truly.

Nothing is tried again here and nothing is judged: a refusal, a redirect, a page of HTML is an `Answer` like any other.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Self, final
from urllib.parse import urlencode

import anyio

from bulkzcrm.auth import Token, TokenSource
from bulkzcrm.config import Connection
from bulkzcrm.redact import MASK
from bulkzcrm.wire import USER_AGENT, Exchange, LostError, NotSentError, Reply, Wire

__all__ = ["Answer", "LostError", "NotSentError", "Transport"]

_SHORTEST_TOKEN = 20
_LONGER_S = 30.0
_FARTHEST_S = 366 * 86_400
"""A date farther from this computer's clock than a year is nobody's time, whichever of the two is wrong."""
_METHOD = re.compile(r"[A-Z]+", re.ASCII)
_PATH = re.compile(r"(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_.-]+)*", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the server answered to one request.

    `token` is the one that was sent, for `TokenSource.refresh` in case it was refused. `server_time` is the server's
    clock (UTC; nothing where it is more than a year away from ours), `credits_remaining` the API credits left (the
    server tells it only once half of them are used), `retry_after` the seconds that it asks to wait, `elapsed` the
    seconds that the exchange took.
    """

    status: int
    body: bytes = field(repr=False)
    token: Token
    server_time: datetime | None
    credits_remaining: int | None
    retry_after: float | None
    elapsed: float


@final
class Transport:
    """A connection to one organisation; a context manager.

    `timeout_s` bounds each request as a whole. `wire` is what exchanges HTTP; a `Wire` unless somebody rehearses
    without sockets. `clock` gives seconds since 1970, `sleep` waits (for another process that is renewing the token).
    """

    def __init__(
        self,
        connection: Connection,
        *,
        timeout_s: float = 120.0,
        wire: Exchange | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[object]] = anyio.sleep,
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._wire: Exchange = wire or Wire(timeout_s=timeout_s, proxy=connection.proxy)
        self._base = f"{connection.api_domain}/crm/{connection.api_version}/"
        self._stack = AsyncExitStack()
        self._requests = 0
        self.tokens = TokenSource(
            connection,
            self._wire,
            clock=clock,
            sleep=sleep,
            # Whoever renews has this long for it, so that nobody loses patience while it still may end well.
            patience_s=timeout_s + _LONGER_S,
        )

    @property
    def requests(self) -> int:
        """How many API requests have left so far, answered or not; those for tokens do not count."""
        return self._requests

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self._wire)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        token: Token | None = None,
        may_leave: Callable[[], None] | None = None,
    ) -> Answer:
        """Send one request and return the answer, whatever it says.

        `path` is relative to the API's version (`settings/business_hours`), `body` is JSON, `token` is one at hand.
        `may_leave` is asked in the last moment before the first byte is written, and what it raises keeps the request
        from leaving. Raises NotSentError (certainly not applied; also when no token could be had for a passing reason),
        LostError (unknown), and from the token's renewal CredentialsRefusedError, UnreachableError and
        ConfigurationError (certainly not applied).
        """
        if not _METHOD.fullmatch(method) or not _PATH.fullmatch(path):
            raise ValueError(f"{method} {path} is no request of the API.")
        token = token or await self.tokens.token()

        def leave() -> None:
            if may_leave is not None:
                may_leave()
            self._requests += 1

        reply = await self._wire.exchange(
            method,
            self._base + path + (f"?{urlencode(query)}" if query else ""),
            headers=self._headers(token, with_body=body is not None),
            body=body,
            on_departure=leave,
        )
        return _answer(reply, token, self._clock())

    def _headers(self, token: Token, *, with_body: bool) -> dict[str, str]:
        headers = {
            "Authorization": f"Zoho-oauthtoken {token.value.reveal()}",
            "Accept": "application/json",
            "User-Agent": USER_AGENT,
        }
        if self._connection.org_id is not None:
            headers["X-CRM-ORG"] = self._connection.org_id
        if with_body:
            headers["Content-Type"] = "application/json"
        return headers


def _answer(reply: Reply, token: Token, now: float) -> Answer:
    server_time = _moment(reply.headers.get("date"))
    if server_time is not None and abs(server_time.timestamp() - now) > _FARTHEST_S:
        server_time = None
    return Answer(
        status=reply.status,
        body=_without(reply.body, token),
        token=token,
        server_time=server_time,
        credits_remaining=_whole(reply.headers.get("x-api-credits-remaining")),
        retry_after=_seconds(reply.headers.get("retry-after"), server_time),
        elapsed=reply.elapsed,
    )


def _without(body: bytes, token: Token) -> bytes:
    """Mask the token in an answer that echoes it: what a server says is shown, reported and journalled."""
    value = token.value.reveal()
    # No token is as short as a word, which could stand in a record.
    return body.replace(value.encode(), MASK.encode()) if len(value) >= _SHORTEST_TOKEN else body


def _moment(text: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text or "")
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _whole(text: str | None) -> int | None:
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def _seconds(text: str | None, now: datetime | None) -> float | None:
    """Read `Retry-After`, which is a number of seconds or a date (RFC 9110)."""
    try:
        seconds = float(text or "")
    except ValueError:
        until = _moment(text)
        if until is None or now is None:
            return None
        seconds = (until - now).total_seconds()
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
