"""Requests of one organisation through one gate: limited, counted, with a token that is refreshed when it has to be.

A read goes again until it is answered, refused, or `max_wait` seconds have passed. A write is one attempt and no more:
whether it may go again is for the sender to decide.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import final

import anyio
import msgspec

from bulkzcrm.clock import Clock, system_clock
from bulkzcrm.errors import CredentialsRefusedError, StoppedError, UnreachableError
from bulkzcrm.events import Listener, Waiting
from bulkzcrm.limiter import Limiter
from bulkzcrm.model import Json
from bulkzcrm.retry import Cause, GiveUp, decide
from bulkzcrm.transport import Answer, LostError, NotSentError, Transport

__all__ = ["Client", "ReadRefusedError", "decode", "retry_after"]

_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_AUTH_CODES = frozenset({"INVALID_TOKEN", "AUTHENTICATION_FAILURE", "INVALID_OAUTHTOKEN"})
_SCOPE_CODES = frozenset({"OAUTH_SCOPE_MISMATCH", "NO_PERMISSION", "FEATURE_NOT_SUPPORTED", "NOT_SUPPORTED"})


class ReadRefusedError(Exception):
    """The credentials do not allow a reading; whether that matters is for the caller to say."""


def decode(body: bytes) -> object:
    """Decode an answer: exact decimals, whole numbers exact. Raises `ValueError` when it is no JSON."""
    try:
        return _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(str(error)) from error


@final
class Client:
    """One organisation's API, as seen by one run."""

    def __init__(
        self,
        transport: Transport,
        limiter: Limiter,
        *,
        max_wait: float,
        announce: Listener,
        clock: Clock = system_clock,
        sleep: Callable[[float], Awaitable[object]] = anyio.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        random: Random | None = None,
    ) -> None:
        self.limiter = limiter
        self.max_wait = max_wait
        self.credits = 0
        self.sleep = sleep
        self.monotonic = monotonic
        self.random = random or Random()  # noqa: S311 - spreads retries, guards nothing
        self.announce = announce
        self._transport = transport
        self._clock = clock
        self._ahead = timedelta(0)

    @property
    def requests(self) -> int:
        """How many API requests have left, answered or not; those for tokens do not count."""
        return self._transport.requests

    def now(self) -> datetime:
        """Return the time by the server's clock, as far as an answer has told it."""
        return self._clock() + self._ahead

    def turn(self) -> AbstractAsyncContextManager[None]:
        """Wait for a place in flight and hold it; whoever has one may `exchange`."""
        return self.limiter.slot()

    async def exchange(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        cost: int = 1,
    ) -> Answer:
        """Make one attempt, `cost` credits worth, within a `turn`. Raises what `Transport.send` raises."""
        before = self.requests
        try:
            answer = await self._transport.send(method, path, query=query, body=body)
        finally:
            # Only what has left costs anything.
            self.credits += cost if self.requests > before else 0
        if answer.server_time is not None:
            self._ahead = answer.server_time - self._clock()
        if answer.status == 429:
            self.limiter.throttled(retry_after(answer))
        else:
            self.limiter.clean()
        return answer

    async def refresh(self, answer: Answer) -> None:
        """Get another token than the one that this answer refused; in single flight with all who ask.

        Raises `CredentialsRefusedError`, or `UnreachableError` when it has been tried for `max_wait` seconds.
        """
        attempt = 0
        begun: float | None = None
        while True:
            attempt += 1
            try:
                await self._transport.tokens.refresh(answer.token)
            except NotSentError as error:
                begun = self.monotonic() if begun is None else begun
                await self.wait(attempt, Cause.NOT_SENT, begun=begun, retry_after=None, reason=str(error))
            else:
                return

    async def read(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, Json] | None:
        """Return what a GET shows, nothing for "no content".

        Raises:
            ReadRefusedError: the token's scopes or the user's rights do not allow it.
            CredentialsRefusedError: a fresh token is refused, too.
            UnreachableError: no usable answer within `max_wait` seconds.
            StoppedError: the server answers with something that no read of ours should get.
        """
        attempt = 0
        refreshed = False
        begun: float | None = None
        while True:
            asked = None
            try:
                async with self.turn():
                    answer = await self.exchange("GET", path, query=query)
            except NotSentError as error:
                cause, reason = Cause.NOT_SENT, str(error)
            except LostError as error:
                cause, reason = Cause.LOST, str(error)
            else:
                if answer.status == 401 and _code(answer.body) in _AUTH_CODES:
                    if refreshed:
                        raise CredentialsRefusedError(
                            "The server refuses a fresh access token.",
                            "Check that the profile's data centre and credentials belong together, then log in again.",
                        )
                    refreshed = True
                    await self.refresh(answer)
                    continue
                if answer.status == 429:
                    cause, reason = Cause.THROTTLED, "the organisation's limit of requests is reached"
                    asked = retry_after(answer)
                elif answer.status >= 500:
                    cause, reason = Cause.SERVER, f"the server answers {answer.status}"
                else:
                    return _content(path, answer)
            attempt += 1
            refreshed = False
            # Standing in the queue, and the attempt that has just failed, are no part of the waiting.
            begun = self.monotonic() if begun is None else begun
            await self.wait(attempt, cause, begun=begun, retry_after=asked, reason=reason)

    async def wait(self, attempt: int, cause: Cause, *, begun: float, retry_after: float | None, reason: str) -> None:
        """Wait before the next attempt. Raises `UnreachableError` when it has been tried for long enough."""
        decision = decide(
            attempt,
            cause,
            waited=self.monotonic() - begun,
            max_wait=self.max_wait,
            retry_after=retry_after,
            random=self.random,
        )
        if isinstance(decision, GiveUp):
            raise UnreachableError(
                f"{decision.reason} ({reason})", "Carry on later with the resume command, or give a longer --max-wait."
            )
        if decision.after_s > 0:
            self.announce(Waiting(seconds=decision.after_s, reason=reason))
            await self.sleep(decision.after_s)


def _content(path: str, answer: Answer) -> dict[str, Json] | None:
    if answer.status in (204, 304):
        return None
    try:
        content = decode(answer.body)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise StoppedError(
            f"GET {path} is answered with {answer.status} and something that is no JSON object.",
            "Check the API domain and any proxy between you and the server, then resume.",
        )
    if answer.status == 200:
        return content
    code, message = str(content.get("code") or ""), str(content.get("message") or "")
    if code in _SCOPE_CODES or answer.status in (401, 403):
        raise ReadRefusedError(f"{code}: {message}")
    raise StoppedError(
        f"GET {path} is refused with {answer.status} {code}: {message}.",
        f"See `bulkzcrm explain {code}`, mend the cause, then resume." if code else "Mend the cause, then resume.",
    )


def _code(body: bytes) -> str:
    try:
        content = decode(body)
    except ValueError:
        return ""
    return str(content.get("code") or "") if isinstance(content, dict) else ""


def retry_after(answer: Answer) -> float | None:
    """Return the seconds that a 429 asks to wait, where it says so (a header, or `details.retry_after`)."""
    if answer.retry_after is not None:
        return answer.retry_after
    try:
        content = decode(answer.body)
    except ValueError:
        return None
    details = content.get("details") if isinstance(content, dict) else None
    seconds = details.get("retry_after") if isinstance(details, dict) else None
    return float(seconds) if isinstance(seconds, int | Decimal) and not isinstance(seconds, bool) else None
