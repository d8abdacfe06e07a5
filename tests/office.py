"""A machine on which somebody begins, kills, resumes and retries several runs, while others work in the organisation.

    office = Office(folder, sandbox=..., deaths_are_known=...)
    office.begin(errand, trouble)       a program that begins a run, and carries on with it
    office.carry_on(run, trouble)       a program that resumes one
    office.retry(run, trouble)          a program that retries what failed
    office.both(first, second)          two programs at once: each the name of a run and its trouble
    office.report(run)                  the rows of its report, written again from the journal

It is the world of `simulation` with more than one run in it; what goes wrong in a program is its `Trouble`.
"""

from __future__ import annotations

import csv
import itertools
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import anyio
import pytest
from simulated_server import Fate, SimulatedWire
from simulation import RESTART_S, Life, Plan, World
from virtual_time import live, single_threaded, standing_still
from witness import Witness

from bulkzcrm.errors import BulkzcrmError
from bulkzcrm.journal import Journal, Run, RunState
from bulkzcrm.journal.states import RESUMABLE
from bulkzcrm.run.engine import begin, carry_on
from bulkzcrm.run.options import RunOptions
from bulkzcrm.run.origin import Origin
from bulkzcrm.run.reporting import Ending, project
from bulkzcrm.run.retrying import failed_origin, retry_options
from bulkzcrm.run.signals import StopSignal
from bulkzcrm.run.sources import origin_of
from bulkzcrm.run.surroundings import Surroundings
from bulkzcrm.sandbox import Fault, Faults, SandboxOptions
from bulkzcrm.sharing import Share
from bulkzcrm.spec.operations import OPERATIONS

LATE_S = 18.0
"""When a late request arrives, in seconds after its departure: within the quiet period of every errand."""

_NO_PLAN = Plan(name="several runs", operation="create-services", rows=[], expected=[], late_s=LATE_S)


class Act(StrEnum):
    """What happens while a program is at some point."""

    DRAIN = "somebody asks it to stop"
    ABORT = "somebody asks it twice"
    CLOCK_AHEAD = "the computer's clock is put ahead by an hour"
    CLOCK_BACK = "the computer's clock is put back by an hour"
    NAP = "it stands still for half a minute"
    SLEEP = "it stands still for ten minutes"
    EDIT = "somebody edits the newest service"
    NAMESAKE = "somebody makes a service of the newest one's name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What goes wrong in the life of one program.

    It is killed at its `kill_at`-th place, or at the `kill_at_write`-th boundary that a write crosses. `acts` happen at
    places by their number; `fates` befall its writes in their order, `faults` and `read_faults` those that arrive.
    """

    kill_at: int | None = None
    kill_at_write: int | None = None
    acts: Mapping[int, Act] = field(default_factory=dict)
    fates: Sequence[Fate | None] = ()
    faults: Sequence[Fault | None] = ()
    read_faults: Sequence[Fault | None] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What a run is begun with."""

    operation: str
    rows: Sequence[Mapping[str, str]]
    options: RunOptions


class Program(Life):
    """One program with its trouble; `run` is the run that it works on, once there is one.

    It can be killed, suspended, or met by something, only where that leaves something else behind than a point before:
    after a transaction, and where a request crosses a boundary. These are its places.
    """

    def __init__(self, office: Office, trouble: Trouble, suspend_at: int | None, meanwhile: Callable[[], None]) -> None:
        super().__init__(office)
        self.run = ""
        self.stop: StopSignal | None = None
        self.fates = deque(trouble.fates)
        self._office = office
        self._trouble = trouble
        self._suspend_at = suspend_at
        self._meanwhile = meanwhile
        self._places = 0
        self._boundaries = 0

    def point(self, title: str, *, dying: Callable[[], None] = lambda: None) -> None:
        """Pass a point, at which something may happen."""
        if self.is_killed or not title.startswith(("after", "request")):
            super().point(title, dying=dying)
            return
        self._places += 1
        if title.startswith("request") and "(GET" not in title and "/token" not in title:
            self._boundaries += 1
            if self._boundaries == self._trouble.kill_at_write:
                self.kill_at = len(self.points) + 1
        if self._places == self._trouble.kill_at:
            self.kill_at = len(self.points) + 1
        super().point(title, dying=dying)
        act = self._trouble.acts.get(self._places)
        if act is not None:
            self._office.happen(act, self.stop)
        if self._places == self._suspend_at:
            self.was_suspended = True
            with standing_still():
                self._meanwhile()


class Office(World):
    """Everything that outlives a program. `deaths_are_known` tells whether others can see that a program has died."""

    def __init__(self, folder: Path, *, sandbox: SandboxOptions, ahead_s: float, deaths_are_known: bool) -> None:
        super().__init__(_NO_PLAN, folder)
        self.server.store.close()
        self.witness = Witness(self.time, options=sandbox, ahead_s=ahead_s)
        self.server = self.witness
        self.clock_off = timedelta()
        self.is_broken = False
        self._deaths_are_known = deaths_are_known
        self._living: set[str] = set()
        self._programs = 0

    def now(self) -> datetime:
        """Tell the moment by the computer's clock."""
        return self.time.now() + self.clock_off

    def now_ms(self) -> int:
        """Tell it in milliseconds since 1970."""
        return int(self.now().timestamp() * 1000)

    def journal(self, life: Life | None = None) -> Journal:
        """The journal, as a program holds it, or (without one) somebody who only looks."""
        journal = super().journal(life)
        journal._clock_ms = self.now_ms
        return journal

    def happen(self, act: Act, stop: StopSignal | None = None) -> None:
        """Let something happen, perhaps to a program that can be asked to stop."""
        match act:
            case Act.DRAIN | Act.ABORT:
                if stop is not None:
                    stop.drain()
                    if act is Act.ABORT:
                        stop.abort()
            case Act.CLOCK_AHEAD | Act.CLOCK_BACK:
                self.clock_off += timedelta(hours=1 if act is Act.CLOCK_AHEAD else -1)
            case Act.NAP | Act.SLEEP:
                self.time.pass_by(30 if act is Act.NAP else 600)
            case Act.EDIT:
                self.witness.edit_newest()
            case Act.NAMESAKE:
                self.witness.make_namesake()

    # -- programs --------------------------------------------------------------------------------------------------

    def begin(self, errand: Errand, trouble: Trouble) -> Program:
        """Live through `bulkzcrm run`."""
        source = self.folder / f"source {len(self.lives)}.csv"
        _write_csv(source, errand.rows)
        return self.play(
            trouble,
            lambda program: self._new_run(
                program, self.journal(program), origin_of(str(source), errand.options), errand
            ),
        )

    def carry_on(
        self,
        run: str,
        trouble: Trouble,
        *,
        suspend_at: int | None = None,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> Program:
        """Live through `bulkzcrm resume RUN`, perhaps suspended for a while."""
        return self.play(trouble, lambda program: self._carry_on(program, run), suspend_at, meanwhile)

    def retry(self, run: str, trouble: Trouble) -> Program:
        """Live through `bulkzcrm retry RUN`."""

        async def retrying(program: Program) -> Ending:
            journal = self.journal(program)
            earlier = journal.run(run)
            options = retry_options(earlier, RunOptions.from_json(earlier.options))
            origin = failed_origin(journal, earlier, resume=f"bulkzcrm resume {run}")
            return await self._new_run(
                program, journal, origin, Errand(operation=earlier.operation, rows=(), options=options)
            )

        return self.play(trouble, retrying)

    def both(self, first: tuple[str, Trouble], second: tuple[str, Trouble]) -> tuple[Program, Program]:
        """Live through `bulkzcrm resume` of two runs at once, by turns at every request and every wait."""
        programs = [Program(self, trouble, None, lambda: None) for _, trouble in (first, second)]

        async def together() -> None:
            async with anyio.create_task_group() as group:
                for program, (run, _) in zip(programs, (first, second), strict=True):
                    group.start_soon(self._alone, program, lambda it, run=run: self._carry_on(it, run))

        faults = [fault for _, trouble in (first, second) for fault in trouble.faults]
        self._live(programs, together, faults, first[1].read_faults)
        return programs[0], programs[1]

    def play(
        self,
        trouble: Trouble,
        work: Callable[[Program], Awaitable[Ending]],
        suspend_at: int | None = None,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> Program:
        """Live through one program."""
        program = Program(self, trouble, suspend_at, meanwhile)
        self._live([program], lambda: self._alone(program, work), trouble.faults, trouble.read_faults)
        return program

    def report(self, run: str) -> list[dict[str, str]]:
        """Write a run's report again, and read it."""
        journal = self.journal()
        folder = self.folder / run
        project(journal, journal.run(run), folder, resume=None)
        return read_csv(folder / "results.csv")

    @property
    def runs(self) -> list[Run]:
        """The runs that came through ingest, oldest first."""
        return [each for each in reversed(self.journal().runs()) if each.state is not RunState.INGESTING]

    @property
    def resumable(self) -> list[str]:
        """The runs that can be resumed, oldest first."""
        return [each.id for each in self.runs if each.state in RESUMABLE]

    # -- how it is done --------------------------------------------------------------------------------------------

    def _live(
        self,
        programs: Sequence[Program],
        work: Callable[[], Coroutine[Any, Any, None]],
        faults: Sequence[Fault | None],
        read_faults: Sequence[Fault | None],
    ) -> None:
        if self.lives:
            self.time.pass_by(RESTART_S)
        self.lives += programs
        self._programs += 1
        owner = f"machine/{self._programs}"
        before, self.witness.service.faults = self.witness.service.faults, Faults(faults, read_script=read_faults)
        self._living.add(owner)
        try:
            with single_threaded(owner, self._programs), self._known_dead(owner):
                live(self.time, work)
        except BaseException:
            self.is_broken = True
            raise
        finally:
            self._living.remove(owner)
            self.witness.service.faults = before

    @contextmanager
    def _known_dead(self, owner: str) -> Iterator[None]:
        """Have programs find out about one another as the office allows, and share under names of their own."""
        shares = itertools.count(1)

        def is_dead(name: str | None) -> bool:
            whose = "/".join((name or "").split("/")[:2])
            return self._deaths_are_known and whose not in self._living

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("bulkzcrm.run.lease.dead", is_dead)
            patch.setitem(Share.__init__.__kwdefaults__, "is_dead", is_dead)
            patch.setattr("bulkzcrm.sharing.share.owner_name", lambda: f"{owner}/share {next(shares)}")
            yield

    async def _alone(self, program: Program, work: Callable[[Program], Awaitable[Ending]]) -> None:
        try:
            program.ending = await work(program)
        except BulkzcrmError as error:
            if not program.is_killed:
                program.error = error
        except BaseException:
            # What a dead program raises on its way out is nothing to anybody.
            if not program.is_killed:
                raise

    async def _new_run(self, program: Program, journal: Journal, origin: Origin, errand: Errand) -> Ending:
        name = f"{self.time.now():%Y%m%d-%H%M%S}-{self._programs:06}"
        program.run = name
        operation = OPERATIONS[errand.operation]
        around = self._around(program)
        await begin(journal, origin, operation, errand.options, around, run=name, folder=self.folder / name)
        return await carry_on(journal, name, operation, around, resume=f"bulkzcrm resume {name}")

    async def _carry_on(self, program: Program, run: str) -> Ending:
        program.run = run
        journal = self.journal(program)
        operation = OPERATIONS[journal.run(run).operation]
        return await carry_on(journal, run, operation, self._around(program), resume=f"bulkzcrm resume {run}")

    def _around(self, program: Program) -> Surroundings:
        program.stop = StopSignal()
        return Surroundings(
            home=self.folder / "home",
            connection=self._connection,
            clock=self.now,
            monotonic=lambda: self.time.seconds,
            stop=program.stop,
            wire=lambda: SimulatedWire(
                server=self.witness.seen_by(lambda: program.run),
                life=program,
                time=self.time,
                fate_of=lambda: program.fates.popleft() if program.fates else None,
                timeout_s=5.0,
                late_s=LATE_S,
            ),
        )


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _write_csv(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
