"""A desk at which tests run the real engine against a sandbox, in a time of their own that never makes anybody wait."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import anyio.lowlevel
from forwarder import Forwarder, forwarding

from bulkzcrm.config import Connection, load_connection
from bulkzcrm.events import Event, Noted
from bulkzcrm.journal import Batch, BatchState, Journal, Run, StoredRow
from bulkzcrm.run.engine import begin, carry_on
from bulkzcrm.run.options import RunOptions
from bulkzcrm.run.reporting import Ending
from bulkzcrm.run.signals import StopSignal
from bulkzcrm.run.sources import origin_of
from bulkzcrm.run.surroundings import Preview, Surroundings
from bulkzcrm.sandbox import Faults, Sandbox, SandboxOptions
from bulkzcrm.spec.operations import OPERATIONS

NOW = datetime(2030, 1, 7, 9, 30, tzinfo=UTC)
"""A Monday; 15:00 where the sandbox's organisation is."""

SERVICE = "5545974000002183{:03}"
TOM = "tom.weber@brighthome.example"


class Pace:
    """A time that passes only where somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += max(0.0, seconds)
        await anyio.lowlevel.checkpoint()

    def monotonic(self) -> float:
        return self.seconds


def services(count: int, *, first: int = 1, **changes: str) -> list[dict[str, str]]:
    """Rows of services that can be created."""
    return [
        {
            "Service_Name": f"Service {number:05}",
            "Duration": "60",
            "Location": "Client Address",
            "Members": TOM,
            "Availability_Type": "Every Business Days",
            "Price": f"{number}",
            **changes,
        }
        for number in range(first, first + count)
    ]


@dataclass
class Desk:
    folder: Path
    sandbox: Sandbox
    wire: Forwarder
    connection: Connection
    pace: Pace = field(default_factory=Pace)
    events: list[Event] = field(default_factory=list)
    previews: list[Preview] = field(default_factory=list)
    stop: StopSignal = field(init=False)
    last: str = ""
    _runs: int = 0

    def __post_init__(self) -> None:
        self.renew_stop()

    def renew_stop(self) -> StopSignal:
        self.stop = StopSignal(sleep=self.pace.sleep)
        return self.stop

    @property
    def home(self) -> Path:
        return self.folder / "home of the tool"

    def around(self, connection: Connection | None = None) -> Surroundings:
        return Surroundings(
            home=self.home,
            connection=connection or self.connection,
            announce=self.events.append,
            confirm=self.previews.append,
            clock=lambda: NOW,
            stop=self.stop,
            monotonic=self.pace.monotonic,
        )

    async def begin(self, operation: str, rows: Iterable[Mapping[str, str]], options: RunOptions | None = None) -> str:
        """Take rows into the journal as a run that can be carried on with, and return its id."""
        self._runs += 1
        self.last = f"20300107-0930{self._runs:02}-abcdef"
        source = write_csv(self.folder / f"source {self._runs}.csv", list(rows))
        chosen = options or RunOptions()
        with Journal.open(self.home) as journal:
            await begin(
                journal,
                origin_of(str(source), chosen),
                OPERATIONS[operation],
                chosen,
                self.around(),
                run=self.last,
                folder=self.output,
            )
        return self.last

    async def run(self, operation: str, rows: Iterable[Mapping[str, str]], options: RunOptions | None = None) -> Ending:
        await self.begin(operation, rows, options)
        return await self.carry_on()

    async def carry_on(self, *, connection: Connection | None = None) -> Ending:
        """Do what is left of the last run; a stop that was asked for earlier is forgotten."""
        if self.stop.requested:
            self.renew_stop()
        with Journal.open(self.home) as journal:
            operation = OPERATIONS[journal.run(self.last).operation]
            return await carry_on(
                journal, self.last, operation, self.around(connection), resume=f"bulkzcrm resume {self.last}"
            )

    @property
    def output(self) -> Path:
        return self.folder / "reports" / self.last

    @property
    def results(self) -> list[dict[str, str]]:
        with (self.output / "results.csv").open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))

    @property
    def statuses(self) -> list[str]:
        return [row["result_status"] for row in self.results]

    @property
    def journalled(self) -> Run:
        with Journal.open(self.home) as journal:
            return journal.run(self.last)

    @property
    def stored(self) -> list[StoredRow]:
        with Journal.open(self.home) as journal:
            return journal.rows(self.last, 0, 100_000)

    @property
    def batches(self) -> list[Batch]:
        with Journal.open(self.home) as journal:
            return journal.batches(self.last, set(BatchState))

    @property
    def warnings(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, Noted) and event.warning]

    @property
    def created(self) -> list[str]:
        """Names of the services that were made, in the order in which they were."""
        return [str(each["Service_Name"]) for each in self.sandbox.services() if str(each["id"]) > SERVICE.format(999)]

    def service(self, number: int) -> Mapping[str, object]:
        return next(each for each in self.sandbox.services() if each["id"] == SERVICE.format(number))

    def each_once(self, rows: Sequence[Mapping[str, str]]) -> bool:
        """Whether every row's service was created exactly once, and nothing else."""
        return Counter(self.created) == Counter(row["Service_Name"] for row in rows)


def write_csv(path: Path, rows: Sequence[Mapping[str, str]]) -> Path:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path


@asynccontextmanager
async def desk_at(
    folder: Path,
    *,
    options: SandboxOptions | None = None,
    faults: Faults | None = None,
    state: Path | None = None,
) -> AsyncIterator[Desk]:
    """Set up a desk; everything of it goes into `folder`."""
    folder.mkdir(exist_ok=True)
    async with (
        Sandbox(state, options=options, faults=faults, clock=lambda: NOW) as sandbox,
        forwarding(sandbox.url) as wire,
    ):
        environ = {**sandbox.environment(), "BULKZCRM_API_DOMAIN": wire.url, "BULKZCRM_ACCOUNTS_URL": wire.url}
        connection = load_connection(profile=None, environ=environ, home=folder / "home of the tool")
        yield Desk(folder, sandbox, wire, connection)
