"""Requests of one organisation through one gate: limited, counted, with a token that is refreshed when it has to be.

A read goes again until it is answered, refused, or `max_wait` seconds have passed. A write is one attempt and no more:
whether it may go again is for the sender to decide.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from random import Random
from typing import Protocol, final

import anyio

from bulkzcrm.auth import Token, TokensThrottledError
from bulkzcrm.clock import Clock, seconds, system_clock
from bulkzcrm.contents import ReadRefusedError, content_of, refuses_token, retry_after
from bulkzcrm.errors import BulkzcrmError, CredentialsRefusedError, UnreachableError
from bulkzcrm.events import Listener, Waiting
from bulkzcrm.limiter import Limiter
from bulkzcrm.model import Json
from bulkzcrm.retry import Cause, GiveUp, decide
from bulkzcrm.traffic import Traffic
from bulkzcrm.transport import Answer, LostError, NotSentError, Transport

__all__ = ["Client", "Meter", "ReadRefusedError"]

_CLOCKS_DIFFER_S = 1.0
"""By so much the seconds since 1970, by which tokens are counted, and those that never go back may disagree."""

_RENEWALS = 10
"""So often the token is renewed for one request at most; others may have used up each of them before it got there."""


class Meter(Protocol):
    """Who watches the credits of an organisation, and whether this process may still send to it."""

    async def admit(self, cost: int) -> bool:
        """Set credits aside for one request that has its place in flight; `False`: go and queue for a place again.

        Raises `StoppedError` when the budget does not allow it.
        """
        ...

    def spent(self, cost: int, answer: Answer | None) -> None:
        """Learn that a request has left, and its answer where one came. Raises nothing: what was sent was sent."""
        ...

    def release(self, cost: int) -> None:
        """Give back what `admit` has set aside: the request is over, or never left."""
        ...

    async def go_on(self) -> None:
        """Raise `StoppedError` when it is of no use to wait and try again: the credits are gone."""
        ...


@final
class _Unmetered:
    """Watches nothing."""

    async def admit(self, cost: int) -> bool:
        del cost
        return True

    def spent(self, cost: int, answer: Answer | None) -> None:
        del cost, answer

    def release(self, cost: int) -> None:
        del cost

    async def go_on(self) -> None:
        return


@final
class Client:
    """One organisation's API, as seen by one run.

    `limiter` and `meter` may be replaced while nothing is in flight. `credits_remaining` is what the last answer told.
    """

    def __init__(
        self,
        transport: Transport,
        limiter: Limiter,
        *,
        max_wait: float,
        announce: Listener,
        clock: Clock = system_clock,
        sleep: Callable[[float], Awaitable[object]] = anyio.sleep,
        monotonic: Callable[[], float] = seconds,
        random: Random | None = None,
    ) -> None:
        self.limiter = limiter
        self.meter: Meter = _Unmetered()
        self.max_wait = max_wait
        self.credits = 0
        self.traffic = Traffic()
        self.credits_remaining: int | None = None
        self.sleep = sleep
        self.monotonic = monotonic
        self.random = random or Random()  # noqa: S311 - spreads retries, guards nothing
        self.announce = announce
        self._transport = transport
        self._clock = clock
        self._told: tuple[datetime, float] | None = None
        """The server's time, and the seconds of `monotonic` at which it told them."""
        self._renewal = anyio.Lock()
        self._no_token: BulkzcrmError | None = None
        # Of a token that was used up, the last refusals may come when the next one is at work already.
        self._accepted: deque[Token] = deque(maxlen=_RENEWALS)

    @property
    def login(self) -> str:
        """A mark that stays the same for as long as the credentials do, and tells nothing about them."""
        return self._transport.tokens.mark

    @property
    def requests(self) -> int:
        """How many API requests have left, answered or not; those for tokens do not count."""
        return self._transport.requests

    def now(self) -> datetime:
        """Return the time by the server's clock, as far as it was told; setting the computer's does not change it."""
        if self._told is None:
            return self._clock()
        moment, at = self._told
        return moment + timedelta(seconds=self.monotonic() - at)

    @asynccontextmanager
    async def turn(self, cost: int = 1) -> AsyncIterator[None]:
        """Wait for a place in flight and for `cost` credits, and hold both; whoever has them may `exchange` once.

        Raises `StoppedError` when the credits may not be spent.
        """
        while True:
            async with self.limiter.slot():
                if not await self.meter.admit(cost):
                    continue
                try:
                    yield
                finally:
                    self.meter.release(cost)
                return

    async def exchange(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        cost: int = 1,
        token: Token | None = None,
        may_leave: Callable[[], None] | None = None,
    ) -> Answer:
        """Make one attempt, `cost` credits worth, within a `turn`, with a `token` that is `ready` if one is at hand.

        `may_leave` is asked in the last moment; what it raises keeps the request from leaving. Raises what
        `Transport.send` and `ready` raise.
        """
        token = token or await self.ready()
        left: float | None = None

        def leaving() -> None:
            nonlocal left
            if may_leave is not None:
                may_leave()
            left = self.monotonic()

        answer: Answer | None = None
        try:
            answer = await self._transport.send(method, path, query=query, body=body, token=token, may_leave=leaving)
            self._learn(answer)
        finally:
            # Only what has left costs anything.
            if left is not None:
                self.credits += cost
                took, status = self.monotonic() - left, None if answer is None else answer.status
                self.traffic.count(self._clock().timestamp(), took, status)
                self.meter.spent(cost, answer)
        return answer

    def _learn(self, answer: Answer) -> None:
        self.credits_remaining = answer.credits_remaining
        if answer.status != 401 and answer.token not in self._accepted:
            self._accepted.append(answer.token)
        if answer.server_time is not None and 200 <= answer.status < 300:
            # Refusals may come from something on the way, which has a clock of its own.
            self._told = answer.server_time, self.monotonic()
        if answer.status == 429:
            # Whoever waits for longer gives up anyway; the others shall not stand there for a day.
            asked = retry_after(answer)
            self.limiter.throttled(None if asked is None else min(asked, self.max_wait))
        else:
            self.limiter.clean()

    async def ready(self) -> Token:
        """Return an access token to send with; it may take minutes. Raises what `refresh` raises."""
        return await self._token(self._transport.tokens.token)

    async def refresh(self, answer: Answer, renewals: int = 0) -> None:
        """Get another token than the one that this answer refused; in single flight with all who ask.

        `renewals` is how often that was done for the same request already. Raises `CredentialsRefusedError`, also when
        a fresh token is refused that was never accepted, or `UnreachableError` when none can be had within `max_wait`
        seconds.
        """
        if renewals and (renewals >= _RENEWALS or answer.token not in self._accepted):
            raise CredentialsRefusedError(
                "The server refuses a fresh access token.",
                "Check that data centre and credentials belong together, log in again, then resume.",
            )
        await self._token(lambda: self._transport.tokens.refresh(answer.token))

    async def _token(self, get: Callable[[], Awaitable[Token]]) -> Token:
        """Get a token, one caller at a time; who stood in the queue meanwhile shares the outcome, failure included."""
        queued = self._renewal.locked()
        async with self._renewal:
            if queued and self._no_token is not None:
                raise self._no_token
            self._no_token = None
            try:
                return await self._patiently(get)
            except BulkzcrmError as error:
                self._no_token = error
                raise

    async def _patiently(self, get: Callable[[], Awaitable[Token]]) -> Token:
        attempt = 0
        begun: float | None = None
        while True:
            try:
                return await get()
            except TokensThrottledError as error:
                begun = self.monotonic() if begun is None else begun
                if self.monotonic() - begun + error.wait_s > self.max_wait + _CLOCKS_DIFFER_S:
                    raise
                await self._pause(error.wait_s, error.message)
            except NotSentError as error:
                attempt += 1
                begun = self.monotonic() if begun is None else begun
                await self.wait(attempt, Cause.NOT_SENT, begun=begun, retry_after=None, reason=str(error))

    async def read(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, Json] | None:
        """Return what a GET shows, nothing for "no content".

        Raises:
            ReadRefusedError: the token's scopes or the user's rights do not allow it.
            CredentialsRefusedError: a fresh token is refused, too.
            UnreachableError: no usable answer within `max_wait` seconds.
            StoppedError: the server answers with something that no read of ours should get.
        """
        attempt = 0
        renewals = 0
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
                if refuses_token(answer):
                    await self.refresh(answer, renewals)
                    renewals += 1
                    continue
                if answer.status == 429:
                    cause, reason = Cause.THROTTLED, "the organisation's limit of requests is reached"
                    asked = retry_after(answer)
                elif answer.status >= 500:
                    cause, reason = Cause.SERVER, f"the server answers {answer.status}"
                else:
                    return content_of(path, answer)
            attempt += 1
            renewals = 0
            # Standing in the queue, and the attempt that has just failed, are no part of the waiting.
            begun = self.monotonic() if begun is None else begun
            await self.wait(attempt, cause, begun=begun, retry_after=asked, reason=reason)

    async def wait(self, attempt: int, cause: Cause, *, begun: float, retry_after: float | None, reason: str) -> None:
        """Wait before the next attempt. Raises `UnreachableError` when it has been tried for long enough.

        Raises `StoppedError` at once where waiting is of no use.
        """
        await self.meter.go_on()
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
            await self._pause(decision.after_s, reason)

    async def _pause(self, seconds: float, reason: str) -> None:
        self.announce(Waiting(seconds=seconds, reason=reason))
        await self.sleep(seconds)
