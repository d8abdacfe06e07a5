"""One case of the promises: a source, options, faults and an interruption; and what came of it when it was run."""

from __future__ import annotations

import asyncio
import csv
import json
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import anyio.lowlevel
from hypothesis import strategies as st
from promise_rows import (
    NOW,
    RULES,
    SEEDED,
    STOCKED,
    Place,
    Says,
    business_hours,
    changes,
    new_place,
    new_service,
    new_status,
    only_place,
    preferences,
    rule_place,
    rule_status,
    service_place,
    sheet_of,
    some_names,
    templates,
)
from promise_sources import Source, written

from bulkzcrm.config import Connection, load_connection
from bulkzcrm.errors import RefusedError
from bulkzcrm.events import BatchAnswered, Connected, Event, RowsJudged, SendingStarted
from bulkzcrm.journal import Journal
from bulkzcrm.run.engine import begin, carry_on
from bulkzcrm.run.options import RunOptions
from bulkzcrm.run.reporting import Ending
from bulkzcrm.run.signals import StopSignal
from bulkzcrm.run.sources import origin_of
from bulkzcrm.run.surroundings import Surroundings
from bulkzcrm.sandbox import Fault, Faults, Sandbox, SandboxOptions
from bulkzcrm.spec.operations import OPERATIONS

WRITE_FAULTS: Final = (
    Fault.TOO_MANY_REQUESTS,
    Fault.SERVER_ERROR_BEFORE,
    Fault.SERVER_ERROR_AFTER,
    Fault.INTERNAL_ERROR_400_BEFORE,
    Fault.INTERNAL_ERROR_400_AFTER,
    Fault.CUT_BEFORE,
    Fault.CUT_AFTER,
    Fault.CUT_BODY,
    Fault.WRONG_LENGTH,
    Fault.NOT_JSON_BEFORE,
    Fault.NOT_JSON_AFTER,
    Fault.EXPIRED_TOKEN,
    Fault.BARE_ERROR,
    Fault.REDIRECT,
)
READ_FAULTS: Final = (
    Fault.TOO_MANY_REQUESTS,
    Fault.SERVER_ERROR_BEFORE,
    Fault.CUT_BEFORE,
    Fault.CUT_BODY,
    Fault.NOT_JSON_BEFORE,
    Fault.EXPIRED_TOKEN,
)
_MILESTONES: Final = (Connected, RowsJudged, SendingStarted, BatchAnswered)


@dataclass(frozen=True, slots=True)
class Interruption:
    """At the so-manieth event of a kind, the run is asked to stop, told to end at once, or killed."""

    how: str
    event: type[Event]
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All that one run depends on. `stock` is how many services there are besides the seeded ones."""

    operation: str
    source: Source
    options: RunOptions
    sandbox: SandboxOptions
    faults: tuple[Fault | None, ...] = ()
    read_faults: tuple[Fault | None, ...] = ()
    interruption: Interruption | None = None
    stock: int = 0

    @property
    def is_calm(self) -> bool:
        """Whether nothing keeps a row from being judged by what it says alone."""
        return not (self.faults or self.read_faults or self.interruption or self.options.max_errors)


@dataclass(frozen=True, slots=True)
class Subject:
    """What an operation's lines are made of."""

    sound: Callable[[st.DrawFn], Says]
    place: Callable[[st.DrawFn, int, int], Place]
    most: int
    fields: tuple[str, ...] = ()


SUBJECTS: Final[Mapping[str, Subject]] = {
    "update-services": Subject(changes, service_place, len(SEEDED), ("id", "Service_Name")),
    "set-service-status": Subject(new_status, service_place, len(SEEDED), ("id", "Service_Name", "Status")),
    "set-scoring-rule-status": Subject(rule_status, rule_place, len(RULES), ("id", "name", "module", "Status")),
    "update-business-hours": Subject(business_hours, only_place, 3),
    "update-service-preferences": Subject(preferences, only_place, 3),
}
_MANDATORY: Final = ("Service_Name", "Duration", "Location", "Members", "Availability_Type", "Price")


@st.composite
def creating(draw: st.DrawFn) -> Case:
    """A run that creates services."""
    carried = draw(st.integers(0, 3))
    found = templates(draw, new_service, creates=True, carried=carried)
    count = draw(st.sampled_from([3, 8, 12, 5, 25, 140, 2, 1, 230, 0]))
    names = some_names(draw)
    places = [new_place(draw, number, names) for number in range(1, count + 1)]
    fields = list(dict.fromkeys([*_MANDATORY, *(name for each in found for name in each.says)]))
    source = written(draw, sheet_of(draw, found, places, fields, carried))
    return _case(draw, "create-services", source, stock=0)


@st.composite
def changing(draw: st.DrawFn, *operations: str) -> Case:
    """A run that changes what there is."""
    operation = draw(st.sampled_from(operations))
    subject = SUBJECTS[operation]
    carried = draw(st.integers(0, 2))
    found = templates(draw, subject.sound, creates=False, carried=carried)
    stock = draw(st.sampled_from([0, 0, 0, 130])) if subject.place is service_place else 0
    count = draw(st.sampled_from([subject.most, 3, 2, 5, 1, subject.most + 1, 0])) + stock
    places = [subject.place(draw, number, stock) for number in range(count)]
    fields = list(dict.fromkeys([*subject.fields, *(name for each in found for name in each.says)]))
    source = written(draw, sheet_of(draw, found, places, fields, carried))
    return _case(draw, operation, source, stock=stock)


def _case(draw: st.DrawFn, operation: str, source: Source, *, stock: int) -> Case:
    creates = OPERATIONS[operation].creates
    is_small = len(source.rows) <= 25
    sizes = [1, 2, 3, 7, 100, None] if is_small else [10, 37, 100, None]
    options = RunOptions(
        **source.reading,
        batch_size=draw(st.sampled_from(sizes)),
        concurrency=draw(st.sampled_from([1, 2, None])),
        allow_duplicates=draw(st.booleans()),
        max_errors=draw(st.sampled_from([None, None, None, "0", "2", "30%"])) if is_small else None,
        triggers=draw(st.booleans()),
    )
    sandbox = SandboxOptions(
        dialect=draw(st.sampled_from(["full", "full", "bare", "short"])),
        list_subforms=draw(st.booleans()),
        edition=draw(st.sampled_from(["free", "enterprise"])),
        active_service_limit=draw(st.sampled_from([9999, 9999, 14])),
        active_rule_limit=draw(st.sampled_from([5, 2])),
        # Reads of single services go at once, and more of them than a token is good for could use up the next one, too.
        token_calls=draw(st.sampled_from([None, None, 7 if creates else 150])),
        token_throttle=None,
    )
    troubled = draw(st.booleans())
    # Only an update can tell that an answer names records that it was not about.
    troubles = WRITE_FAULTS if creates else (*WRITE_FAULTS, Fault.OTHER_IDS)
    interrupted = draw(st.sampled_from([False, False, False, True]))
    return Case(
        operation=operation,
        source=source,
        options=options,
        sandbox=sandbox,
        faults=tuple(draw(st.lists(st.none() | st.sampled_from(troubles), max_size=7))) if troubled else (),
        read_faults=tuple(draw(st.lists(st.none() | st.sampled_from(READ_FAULTS), max_size=3))) if troubled else (),
        interruption=draw(_interruptions()) if interrupted else None,
        stock=stock,
    )


@st.composite
def _interruptions(draw: st.DrawFn) -> Interruption:
    how = draw(st.sampled_from(["drain", "abort", "kill"]))
    return Interruption(how, draw(st.sampled_from(_MILESTONES)), draw(st.integers(1, 3)))


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
        failed_columns, *failed = _csv(folder / "failed.csv")
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


__all__ = ["Case", "RefusedError", "Report", "Stage", "World", "changing", "creating", "stage_of"]
