"""Where the cases of the promises are played: the real engine, a sandbox, and what came of it, read independently."""

from __future__ import annotations

import asyncio
import csv
import json
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import anyio.lowlevel
from promise_cases import Case
from promise_rows import NOW, SEEDED, STOCKED

from bulkzcrm.config import Connection, load_connection
from bulkzcrm.events import Event
from bulkzcrm.journal import Journal
from bulkzcrm.run.engine import begin, carry_on
from bulkzcrm.run.options import RunOptions
from bulkzcrm.run.reporting import Ending
from bulkzcrm.run.signals import StopSignal
from bulkzcrm.run.sources import origin_of
from bulkzcrm.run.surroundings import Surroundings
from bulkzcrm.sandbox import Faults, Sandbox
from bulkzcrm.spec.operations import OPERATIONS


@dataclass(frozen=True, slots=True)
class Report:
    """A report as it lies in its folder, read by nothing but the standard library."""

    ending: Ending
    columns: list[str]
    results: list[list[str]]
    failed_columns: list[str]
    failed: list[list[str]]
    summary: Mapping[str, Any]

    @classmethod
    def of(cls, ending: Ending, folder: Path) -> Report:
        columns, *results = _csv(folder / "results.csv")
        failed_columns, *failed = _csv(ending.summary.files["failed"])
        summary = json.loads((folder / "summary.json").read_bytes())
        return cls(ending, columns, results, failed_columns, failed, summary)

    def result(self, row: list[str]) -> dict[str, str]:
        """The ten values of a row."""
        return dict(zip(self.columns[-10:], row[-10:], strict=True))

    @property
    def verdicts(self) -> list[dict[str, str]]:
        return [self.result(row) for row in self.results]

    @property
    def statuses(self) -> list[str]:
        return [verdict["result_status"] for verdict in self.verdicts]


def _csv(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


@dataclass(frozen=True, slots=True)
class World:
    """What the organisation holds."""

    services: Mapping[str, Mapping[str, Any]]
    rules: Mapping[str, bool]
    hours: Mapping[str, Any]
    preferences: Mapping[str, Any]

    @classmethod
    def of(cls, sandbox: Sandbox) -> World:
        return cls(
            services={str(each["id"]): each for each in sandbox.services()},
            rules={str(each["id"]): each["active"] is True for each in sandbox.scoring_rules()},
            hours=sandbox.business_hours(),
            preferences=sandbox.preferences(),
        )


@dataclass(slots=True)
class Stage:
    """Where a case is played: a sandbox, and a time that passes only where somebody sleeps."""

    case: Case
    folder: Path
    sandbox: Sandbox
    connection: Connection
    before: World
    stop: StopSignal = field(init=False)
    seconds: float = 0.0
    _seen: int = 0
    _task: asyncio.Task[Ending] | None = None

    def __post_init__(self) -> None:
        self.stop = StopSignal(sleep=self._sleep)

    def _renew_stop(self) -> None:
        if self.stop.requested:
            self.stop = StopSignal(sleep=self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.seconds += max(0.0, seconds)
        await anyio.lowlevel.checkpoint()

    def around(self) -> Surroundings:
        return Surroundings(
            home=self.folder / "home",
            connection=self.connection,
            announce=self._hear,
            clock=lambda: NOW,
            stop=self.stop,
            monotonic=lambda: self.seconds,
        )

    def _hear(self, event: Event) -> None:
        interruption = self.case.interruption
        if interruption is None or not isinstance(event, interruption.event):
            return
        self._seen += 1
        if self._seen != interruption.count:
            return
        if threading.current_thread() is threading.main_thread():
            self._interrupt(interruption.how)
        else:
            self._loop.call_soon_threadsafe(self._interrupt, interruption.how)

    def _interrupt(self, how: str) -> None:
        match how:
            case "drain":
                self.stop.drain()
            case "abort":
                self.stop.abort()
            case _:
                assert self._task is not None
                self._task.cancel()

    @property
    def _loop(self) -> asyncio.AbstractEventLoop:
        assert self._task is not None
        return self._task.get_loop()

    async def begin(self, path: Path, run: str, options: RunOptions) -> None:
        """Take a source into the journal; a stop that was asked for earlier is forgotten."""
        self._renew_stop()
        self._task = asyncio.current_task()
        with Journal.open(self.folder / "home") as journal:
            await begin(
                journal,
                origin_of(str(path), options),
                OPERATIONS[self.case.operation],
                options,
                self.around(),
                run=run,
                folder=self.folder / run,
            )

    async def carry_on(self, run: str) -> Report | None:
        """Do what is left of a run; nothing when it was killed."""
        self._renew_stop()
        with Journal.open(self.folder / "home") as journal:
            operation = OPERATIONS[self.case.operation]
            self._task = asyncio.create_task(
                carry_on(journal, run, operation, self.around(), resume=f"bulkzcrm resume {run}")
            )
            await asyncio.wait([self._task])
            if self._task.cancelled():
                return None
            return Report.of(self._task.result(), self.folder / run)

    @property
    def world(self) -> World:
        return World.of(self.sandbox)

    def calm_down(self) -> None:
        """No more faults and interruptions."""
        self.sandbox.set_faults(Faults())
        self.case = replace(self.case, interruption=None)


@asynccontextmanager
async def stage_of(case: Case, folder: Path) -> AsyncIterator[Stage]:
    """Set up the organisation that a case needs."""
    faults = Faults(case.faults, read_script=case.read_faults, delay_s=0.0)
    async with Sandbox(options=case.sandbox, faults=faults, clock=lambda: NOW) as sandbox:
        _stock(sandbox, case.stock)
        connection = load_connection(profile=None, environ=sandbox.environment(), home=folder / "home")
        yield Stage(case, folder, sandbox, connection, World.of(sandbox))


def _stock(sandbox: Sandbox, count: int) -> None:
    """Give the organisation more services than it is seeded with."""
    assert sandbox._started is not None
    store = sandbox._started.organisation.store
    pattern = store.service(SEEDED[1])
    with store.transaction():
        for number in range(1, count + 1):
            store.put_service({**pattern, "id": str(STOCKED + number), "Service_Name": f"Stock {number:04}"})
