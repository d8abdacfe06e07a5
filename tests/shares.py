"""Several runs on one organisation, each with a share of it, in a time that passes only when a test says so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import anyio.lowlevel
from anyio.abc import TaskGroup

from bulkzcrm.events import Event
from bulkzcrm.journal import Journal, Organisation
from bulkzcrm.redact import Secret
from bulkzcrm.sharing import Share, Terms
from bulkzcrm.tokens import Token
from bulkzcrm.transport import Answer

ORGANISATION = "5545974000000020005"
BEGIN = datetime(2030, 1, 7, 9, 32, tzinfo=UTC)


async def quiet() -> None:
    """Let every task go as far as it can without time passing."""
    for _ in range(20):
        await anyio.lowlevel.checkpoint()


@dataclass
class Crowd:
    """Requests of one run: they stand at its gate, are in flight until they are told to end, and come again."""

    share: Share
    group: TaskGroup
    inside: int = 0
    _ends: anyio.Semaphore = field(default_factory=lambda: anyio.Semaphore(0))
    _scopes: list[anyio.CancelScope] = field(default_factory=list)
    _at_meter: int = 0

    async def come(self, number: int) -> None:
        for _ in range(number):
            self.group.start_soon(self._work)
        await self.settled()

    async def end(self, number: int) -> None:
        """End so many of those that are in flight."""
        for _ in range(min(number, self.inside)):
            self._ends.release()
        await self.settled()

    async def go(self) -> None:
        """Take all away."""
        for scope in self._scopes:
            scope.cancel()
        await self.settled()

    async def settled(self) -> None:
        """Let every request go as far as it can without time passing."""
        still = 0
        while still < 2:
            await quiet()
            still = 0 if self._at_meter else still + 1

    async def _admitted(self) -> bool:
        self._at_meter += 1
        try:
            return await self.share.admit(1)
        finally:
            self._at_meter -= 1

    async def _work(self) -> None:
        with anyio.CancelScope() as scope:
            self._scopes.append(scope)
            while True:
                async with self.share.limiter.slot():
                    if not await self._admitted():
                        continue
                    self.inside += 1
                    try:
                        await self._ends.acquire()
                        self.share.spent(1, None)
                        self.share.limiter.clean()
                    finally:
                        self.inside -= 1
                        self.share.release(1)


@dataclass
class Machine:
    """A journal and its clock, and by how much that is wrong. `dead` are the owners whose processes have ended."""

    journal: Journal
    group: TaskGroup
    now: datetime = BEGIN
    ahead: timedelta = timedelta()
    dead: set[str] = field(default_factory=set)
    shares: list[Share] = field(default_factory=list)
    crowds: list[Crowd] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    _passed: anyio.Event = field(default_factory=anyio.Event)

    def clock(self) -> datetime:
        return self.now + self.ahead

    @property
    def now_ms(self) -> int:
        return int(self.clock().timestamp() * 1000)

    def seconds(self) -> float:
        return self.now.timestamp()

    def pass_(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self._passed.set()
        self._passed = anyio.Event()

    async def sleep(self, seconds: float) -> None:
        until = self.now + timedelta(seconds=seconds)
        while self.now < until:
            await self._passed.wait()

    def share(self, ceiling: int = 6, **terms: object) -> Share:
        made = Share(
            self.journal,
            ORGANISATION,
            Terms(**{"ceiling": ceiling, "most": ceiling, **terms}),
            announce=self.events.append,
            clock=self.clock,
            monotonic=self.seconds,
            sleep=self.sleep,
            is_dead=self.dead.__contains__,
        )
        self.shares.append(made)
        return made

    async def joined(self, ceiling: int = 6, **terms: object) -> Share:
        """Return a share that has joined; who joins first ranks first."""
        share = self.share(ceiling, **terms)
        await share.join()
        self.pass_(0.001)
        return share

    async def crowd(self, share: Share, number: int) -> Crowd:
        """Let so many requests stand at the gate of a share."""
        made = Crowd(share, self.group)
        self.crowds.append(made)
        await made.come(number)
        return made

    async def beats(self, *shares: Share, rounds: int = 3) -> None:
        """Let all of them beat in turn, once a second."""
        for _ in range(rounds):
            for share in shares:
                await share.beat()
            self.pass_(1)
            for crowd in self.crowds:
                await crowd.settled()

    def held(self, *shares: Share) -> list[int]:
        """Return what each holds as the journal knows it."""
        with self.journal.transaction():
            holdings = {
                each.owner: each.held for each in self.journal.shares(ORGANISATION).standing(self.now_ms).holdings
            }
        return [holdings.get(each.owner, 0) for each in shares]

    def credits(self) -> int:
        with self.journal.transaction():
            return sum(each.used for each in self.journal.shares(ORGANISATION).spendings(self.now_ms))


@asynccontextmanager
async def machine(folder: Path, *, learned: int | None = 50) -> AsyncIterator[Machine]:
    with Journal.open(folder / "home of all runs") as journal:
        if learned is not None:
            journal.learn(Organisation(id=ORGANISATION, learned_limit=learned))
        async with anyio.create_task_group() as group:
            made = Machine(journal, group)
            try:
                yield made
            finally:
                group.cancel_scope.cancel()
                for share in made.shares:
                    await share.leave()


def answer(status: int = 200, remaining: int | None = None, body: bytes = b"{}") -> Answer:
    return Answer(
        status=status,
        body=body,
        token=Token(value=Secret("1000." + "a" * 32 + "." + "b" * 32), renew_at=0.0, expires_at=0.0),
        server_time=None,
        credits_remaining=remaining,
        retry_after=None,
        elapsed=0.1,
    )
