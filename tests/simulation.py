"""The real engine in a world of its own, where a program can be killed at every point and started again.

    world = World(plan, folder)         a journal, an organisation, a source; nothing has happened yet
    life = world.live()                 one program from start to end: `bulkzcrm run`, or `resume` where there is a run
    life = world.live(kill_at=n)        the same, killed at the n-th point that it passes (`life.points` names them)
    life = world.live(suspend_at=n, meanwhile=do)       the same, suspended there while `do` lets others live
    world.finish()                      as many lives as it takes, without further kills
    world.findings()                    what the organisation holds and the report says, against what the plan expects

A point lies before every statement that changes the journal (and so after the one before it), before and after every
end of a transaction that has changed something, and at every boundary that a request crosses.
Killed means dead: whatever the program still tries raises `Killed` again, its open transaction is undone, and only
what had left already goes on to the organisation. Time is virtual (`virtual_time`), there are no sockets
(`simulated_server`), and everything is done in one thread: the same plan passes the same points each time.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import socket
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from oracle import Expected, Findings, compare
from simulated_server import ENVIRONMENT, Fate, SimulatedServer, SimulatedWire
from virtual_time import VirtualTime, live, single_threaded, standing_still

from bulkzcrm.config import load_connection
from bulkzcrm.errors import BulkzcrmError
from bulkzcrm.events import Event
from bulkzcrm.journal import Journal, Run, RunState
from bulkzcrm.journal.database import Database
from bulkzcrm.journal.opening import open_temporary
from bulkzcrm.run.engine import begin, carry_on
from bulkzcrm.run.options import RunOptions
from bulkzcrm.run.reporting import Ending, project
from bulkzcrm.run.sources import origin_of
from bulkzcrm.run.surroundings import Surroundings
from bulkzcrm.sandbox import Fault, Faults, SandboxOptions
from bulkzcrm.spec.operations import OPERATIONS

RESTART_S = 0.5
"""Seconds between a death and the next start: the sooner, the more is still under way."""

_MOST_LIVES = 12
_TEMPORARY_TABLE = "repeated_row"


class Killed(BaseException):
    """The program is dead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A small world: what is to be done, what goes wrong besides being killed, and what must come of it.

    `faults` are met by the writes that arrive at the sandbox, one each; `fates` befall writes on their way, by number
    from 1 in all the lives together. `late_s` is when a late request arrives, in seconds after its departure.
    `is_known_dead` tells whether whoever comes next can see that the program has died; otherwise its claim has to run
    out. `loses_all` tells that what a program had under way when it was killed never arrives.
    """

    name: str
    operation: str
    rows: Sequence[Mapping[str, str]]
    expected: Sequence[Expected]
    options: RunOptions = field(default_factory=RunOptions)
    faults: Sequence[Fault | None] = ()
    fates: Mapping[int, Fate] = field(default_factory=dict)
    sandbox: SandboxOptions = field(default_factory=SandboxOptions)
    late_s: float = 18.0
    server_ahead_s: float = 0.0
    is_known_dead: bool = True
    loses_all: bool = False


@dataclass(slots=True)
class Life:
    """One program: the points that it has passed, and how it ended.

    `ending` is missing where it was killed, and where it ended with an `error` instead (a claim that others have).
    """

    world: World
    kill_at: int | None = None
    suspend_at: int | None = None
    meanwhile: Callable[[], None] = lambda: None
    points: list[str] = field(default_factory=list)
    is_killed: bool = False
    ending: Ending | None = None
    was_suspended: bool = False
    error: BulkzcrmError | None = None

    def point(self, title: str, *, dying: Callable[[], None] = lambda: None) -> None:
        """Pass a point, or die there; `dying` says what else happens then."""
        if self.is_killed:
            raise Killed
        self.points.append(title)
        if len(self.points) == self.kill_at:
            self.is_killed = True
            dying()
            self.world.bury()
            raise Killed
        # Whoever stands still in the middle of a transaction keeps all others waiting: nothing can happen meanwhile.
        if len(self.points) == self.suspend_at and not self.world.is_in_transaction:
            self.was_suspended = True
            with standing_still():
                self.meanwhile()


class _Connection:
    """The journal's connection, as one life holds it."""

    def __init__(self, real: sqlite3.Connection, life: Life) -> None:
        self._real = real
        self._life = life
        # Temporary tables are a connection's own; the lives share one, so each gets them under a name of its own.
        self._own_table = f"{_TEMPORARY_TABLE}_{id(life):x}"
        self.row_factory: object = None
        self._has_changed = False

    @property
    def in_transaction(self) -> bool:
        return self._real.in_transaction and not self._life.is_killed

    def execute(self, sql: str, parameters: Any = ()) -> sqlite3.Cursor:
        own = sql.replace(_TEMPORARY_TABLE, self._own_table)
        return self._passing(sql, lambda: self._real.execute(own, parameters))

    def executemany(self, sql: str, parameters: Iterable[Any]) -> sqlite3.Cursor:
        return self._passing(sql, lambda: self._real.executemany(sql, parameters))

    def close(self) -> None:
        """Leave it open: the next life finds in it what was committed."""

    def _passing(self, sql: str, do: Any) -> Any:
        if self._life.is_killed:
            raise Killed
        verb = " ".join(sql.split(None, 3)[:3])
        changes = verb.startswith(("INSERT", "UPDATE", "DELETE"))
        ends = verb == "COMMIT" and self._has_changed
        if changes or ends:
            self._life.point(f"before {verb}")
        done = do()
        if ends:
            self._life.point("after COMMIT")
        if changes or not self._real.in_transaction:
            self._has_changed = changes
        return done


class _Journal(Journal):
    """A journal that several may have open at once, as a file allows: they write one after the other."""

    def beside(self) -> _Journal:
        return _Journal(Database(self._database._connection, "of the simulation"), None, self._clock_ms)


class World:
    """Everything that outlives a program: the journal, the organisation, the files, and the time."""

    def __init__(self, plan: Plan, folder: Path, *, seed: int = 0) -> None:
        self.plan = plan
        self.folder = folder
        self.time = VirtualTime()
        self.server = SimulatedServer(
            self.time, options=plan.sandbox, faults=Faults(plan.faults), ahead_s=plan.server_ahead_s
        )
        self.lives: list[Life] = []
        self.events: list[Event] = []
        self.writes = 0
        self._seed = seed
        self._real = open_temporary()
        self._real.row_factory = sqlite3.Row
        self._begun = 0
        self._source = _write_csv(folder / "source.csv", plan.rows)
        self._connection = load_connection(profile=None, environ=ENVIRONMENT, home=folder / "home")

    def close(self) -> None:
        """Let go of everything, the files included."""
        self._real.close()
        self.server.store.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- what can be done to it ------------------------------------------------------------------------------------

    def live(
        self,
        kill_at: int | None = None,
        *,
        suspend_at: int | None = None,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> Life:
        """Live through one program: it begins the run, or carries on with it; perhaps it is killed on the way."""
        if self.lives:
            self.time.pass_by(RESTART_S)
        life = Life(self, kill_at, suspend_at, meanwhile)
        self.lives.append(life)
        number = len(self.lives)
        # A process of this very machine and number is known to have ended; of another machine's nobody knows.
        host, process = (socket.gethostname(), os.getpid()) if self.plan.is_known_dead else (f"machine-{number}", 1)
        with single_threaded(f"{host}/{process}/{number}", self._seed + number):
            try:
                live(self.time, lambda: self._program(life))
            except BulkzcrmError as error:
                life.error = error
            except BaseException:
                # What a dead program raises on its way out is nothing to anybody.
                if not life.is_killed:
                    raise
        return life

    def finish(self, *, most_lives: int = _MOST_LIVES) -> None:
        """Start the program until it has nothing left to do, or has been started too often."""
        for _ in range(most_lives):
            if self.is_finished:
                return
            life = self.live()
            if life.error is not None:
                self._wait_for_lease(life.error)

    @property
    def run(self) -> Run | None:
        """The run as the journal knows it; nothing while none can be carried on with."""
        runs = [each for each in self.journal().runs() if each.state is not RunState.INGESTING]
        return runs[0] if runs else None

    @property
    def is_finished(self) -> bool:
        """Whether the run is over."""
        return self.run is not None and self.run.state is RunState.FINISHED

    @property
    def is_in_transaction(self) -> bool:
        """Whether somebody is in the middle of a transaction."""
        return self._real.in_transaction

    def journal(self, life: Life | None = None) -> Journal:
        """The journal, as a life holds it, or (without one) somebody who only looks."""
        connection: Any = _Connection(self._real, life or Life(self))
        return _Journal(Database(connection, "of the simulation"), None, self.time.now_ms)

    def findings(self) -> Findings:
        """Compare what is there with what must be there, after everything that will ever arrive has arrived."""
        self.server.catch_up(to_the_end=True)
        run = self.run
        if run is None:
            return Findings(untrue=["There is no run."])
        report = self._report(run)
        unfinished = [] if self.is_finished else [f"The run does not come to its end: {run.stopped_because}"]
        return compare(self.plan.expected, self.server.seeded, self.server.records(), report).plus(
            [*unfinished, *_untrue_counts(self.folder / run.id, len(self.plan.rows))]
        )

    def bury(self) -> None:
        """Do what the system does when a process dies."""
        if self._real.in_transaction:
            self._real.rollback()
        self.server.catch_up()
        if self.plan.loses_all:
            self.server.lose_what_is_under_way()

    def left_behind(self) -> bytes:
        """Digest all from which the future follows: two worlds of one plan that leave the same behind go on alike."""
        standing = (self.time.seconds, len(self.lives), self.writes, self._begun, self.server.under_way())
        digest = hashlib.sha256(repr(standing).encode())
        digest.update(self._real.serialize())
        digest.update(self.server.store._connection.serialize())
        for path in sorted(self.folder.rglob("*")):
            digest.update(str(path.relative_to(self.folder)).encode())
            digest.update(path.read_bytes() if path.is_file() else b"")
        return digest.digest()

    # -- how it is done --------------------------------------------------------------------------------------------

    async def _program(self, life: Life) -> None:
        plan = self.plan
        operation = OPERATIONS[plan.operation]
        around = Surroundings(
            home=self.folder / "home",
            connection=self._connection,
            announce=self.events.append,
            clock=self.time.now,
            monotonic=lambda: self.time.seconds,
            wire=lambda: SimulatedWire(
                server=self.server,
                life=life,
                time=self.time,
                fate_of=self._next_fate,
                timeout_s=plan.options.timeout,
                late_s=plan.late_s,
            ),
        )
        journal = self.journal(life)
        run = journal.latest_resumable()
        if run is None:
            self._begun += 1
            name = f"{self.time.now():%Y%m%d-%H%M%S}-{self._begun:06}"
            origin = origin_of(str(self._source), plan.options)
            await begin(journal, origin, operation, plan.options, around, run=name, folder=self.folder / name)
        else:
            name = run.id
        life.ending = await carry_on(journal, name, operation, around, resume=f"bulkzcrm resume {name}")

    def _next_fate(self) -> Fate | None:
        self.writes += 1
        return self.plan.fates.get(self.writes)

    def _wait_for_lease(self, refused: BulkzcrmError) -> None:
        run = self.run
        until = run.lease_until_ms if run is not None else None
        if until is None or until <= self.time.now_ms():
            raise refused
        self.time.pass_by((until - self.time.now_ms()) / 1000)

    def _report(self, run: Run) -> list[dict[str, str]]:
        last = self.lives[-1]
        folder = self.folder / run.id
        if last.ending is None:
            # The program was killed between the run's end and its report: `bulkzcrm report` writes it.
            project(self.journal(), run, folder, resume=None)
        with (folder / "results.csv").open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))


def _untrue_counts(folder: Path, rows: int) -> list[str]:
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    counts = {name: summary[name] for name in ("succeeded", "unchanged", "invalid", "rejected", "unknown", "unsent")}
    if summary["rows"] == rows == sum(counts.values()):
        return []
    return [f"The summary counts {counts} of {summary['rows']} rows; the source has {rows}."]


def _write_csv(path: Path, rows: Sequence[Mapping[str, str]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path
