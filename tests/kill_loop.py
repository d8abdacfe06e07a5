"""Kills real processes at random moments and lets `resume` finish their work: `python -m tests.kill_loop --kills 300`.

The command line runs against a sandbox that is a process of its own, and is killed now and then as well. In the end the
sandbox's own list is held against the sources: every row of every run is there, and once. Exit status 1 if it is not.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import shlex
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bulkzcrm.journal import BatchState, Journal, Run, RunState
from bulkzcrm.sandbox.store import Store

COLUMNS = ("Service_Name", "Duration", "Location", "Members", "Availability_Type", "Price")
TOOL = (sys.executable, "-m", "bulkzcrm")
STAMINA = 25
"""How often one run is carried on with at most; who is never finished is as bad as who loses a row."""
LIFETIME_S = 90.0
CONNECTED = "Organisation:"
"""What a command says when it has found out whom it is talking to."""
RUNS_A_SCENE = 8
MOST_KILLS_A_RUN = 10


class BrokenPromiseError(Exception):
    """Something that may not happen, whatever is killed."""


@dataclass
class Tally:
    """What happened, and what was found in the end."""

    runs: int = 0
    rows: int = 0
    lost: int = 0
    doubled: int = 0
    servers_killed: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def lines(self, seconds: float) -> Iterator[str]:
        where = ", ".join(f"{moment} {count}" for moment, count in sorted(self.kills.items()))
        yield f"kills {self.kills.total()} ({where}); sandbox killed {self.servers_killed} times"
        yield f"runs {self.runs}, rows {self.rows}, lost {self.lost}, doubled {self.doubled}, seconds {seconds:.0f}"
        yield from (f"broken: {told}" for told in self.broken)


class Server:
    """A sandbox process that can be killed and started again from its state file, on the same port."""

    def __init__(self, folder: Path, latency_s: float) -> None:
        self.state = folder / "organisation.sqlite3"
        self.environ: dict[str, str] = {}
        self._folder = folder
        self._latency_s = latency_s
        self._port = 0
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        words = ["--state", self.state, "--port", self._port, "--latency", self._latency_s, "--no-token-throttle"]
        words += ["--active-services", 10_000_000, "--credits", 1_000_000_000]
        with (self._folder / "sandbox.log").open("a") as log:
            self._process = subprocess.Popen(  # noqa: S603 - a program of ours
                [*TOOL, "sandbox", *map(str, words)], stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert self._process.stdout is not None
        lines = [self._process.stdout.readline() for _ in range(7)]
        if not all(lines):
            raise BrokenPromiseError(f"the sandbox does not start: {(self._folder / 'sandbox.log').read_text()}")
        # On PowerShell the lines have another beginning; the name and the value stand in both.
        pairs = [shlex.split(line.removeprefix("export ").removeprefix("$env:"))[0:3] for line in lines]
        self.environ = dict("".join(pair).split("=", 1) for pair in pairs)
        self._port = int(self.environ["BULKZCRM_API_DOMAIN"].rpartition(":")[2])

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


@dataclass(frozen=True)
class Ended:
    """How a process ended, and what it said; `status` is None for one that was killed."""

    status: int | None
    err: str


@dataclass(frozen=True)
class Source:
    """A file with rows, and what the organisation shall hold when they are all applied: prices by names."""

    path: Path
    operation: str
    prices: dict[str, int]


class Scene:
    """One organisation, one home of the tool, and runs one after the other, each killed now and then."""

    def __init__(self, folder: Path, dice: random.Random, tally: Tally, options: argparse.Namespace) -> None:
        folder.mkdir()
        self._folder = folder
        self._home = folder / "home of the tool"
        self._dice = dice
        self._tally = tally
        self._options = options
        self._server = Server(folder, options.latency)
        self._expected: dict[str, int] = {}
        self._ids: dict[str, str] = {}
        self._usual_s = {"start": 0.5, "work": 0.5}
        self._price = 0

    def play(self) -> None:
        """Play runs until there are enough kills, then look into the organisation."""
        self._server.start()
        try:
            for number in range(RUNS_A_SCENE):
                self._carry_through(self._source(number))
                if self._tally.kills.total() >= self._options.kills:
                    break
        finally:
            self._server.kill()
        self._compare()

    def _source(self, number: int) -> Source:
        """Write a source: new services, or new prices for some that are there."""
        updates = bool(self._ids) and self._dice.random() < self._options.updates
        count = self._options.rows
        names = (
            self._dice.sample(sorted(self._ids), min(count, len(self._ids)))
            if updates
            else [f"Service {self._folder.name}.{number}.{row:03}" for row in range(count)]
        )
        prices = {name: self._price + at for at, name in enumerate(names, start=1)}
        self._price += len(names)
        path = self._folder / f"source {number}.csv"
        fixed = ("60", "Client Address", "tom.weber@brighthome.example", "Every Business Days")
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["id", *COLUMNS[1:]] if updates else COLUMNS)
            writer.writerows([self._ids[name] if updates else name, *fixed, prices[name]] for name in names)
        return Source(path, "update-services" if updates else "create-services", prices)

    def _carry_through(self, source: Source) -> None:
        """Run a source, carry on after every kill, and take the report of the end."""
        self._tally.runs += 1
        self._tally.rows += len(source.prices)
        kills, said = 0, ""
        for _ in range(STAMINA):
            run = self._last_run(source)
            if run is not None and run.state is RunState.FINISHED:
                break
            words = self._words(source, run)
            may_kill = kills < MOST_KILLS_A_RUN and self._tally.kills.total() < self._options.kills
            ended = self._live(words, killed=may_kill and self._dice.random() < 0.95)
            said = ended.err
            if ended.status is None:
                kills += 1
                self._tally.kills[self._moment(source, said)] += 1
            elif ended.status not in (0, 3) or "Traceback" in said:
                raise BrokenPromiseError(f"{shlex.join(words)} ended with {ended.status}: {said}")
        else:
            raise BrokenPromiseError(f"{source.path} was not finished after {STAMINA} times: {said}")
        self._expected |= source.prices
        self._read_report(source)

    def _words(self, source: Source, run: Run | None) -> list[str]:
        pace = ["--quiet-period", str(self._options.quiet_period), "--max-wait", "60", "--yes", "--json"]
        if run is not None:
            return ["resume", run.id, *pace]
        size = str(self._options.batch_size)
        return ["run", source.operation, str(source.path), "--batch-size", size, *pace]

    def _live(self, words: Sequence[str], *, killed: bool) -> Ended:
        """Start a process, and kill it at a random moment of its life, unless it has ended by then."""
        # Most kills are aimed behind the first words of the organisation: more is at stake there than before.
        early = killed and self._dice.random() < 0.3
        aim = self._usual_s["start" if early else "work"] * self._dice.uniform(0, 0.9)
        server_dies = self._dice.random() < self._options.server_kills
        begun = time.monotonic()
        with self._started(words) as (process, _, err):
            if not early:
                while process.poll() is None and CONNECTED not in err.read_text():
                    time.sleep(0.005)
            connected = time.monotonic()
            if server_dies and lasts(process, aim * self._dice.random()):
                self._server.kill()
                self._tally.servers_killed += 1
                time.sleep(self._dice.uniform(0, 0.2))
                self._server.start()
            was_killed = killed and lasts(process, max(0.0, aim - (time.monotonic() - connected)))
            if was_killed:
                process.kill()
            status = process.wait(timeout=LIFETIME_S)
        if not (early or was_killed or server_dies):
            self._usual_s = {"start": connected - begun, "work": time.monotonic() - connected}
        return Ended(None if was_killed else status, err.read_text())

    @contextmanager
    def _started(self, words: Sequence[str]) -> Iterator[tuple[subprocess.Popen[bytes], Path, Path]]:
        around = {name: value for name, value in os.environ.items() if not name.startswith("BULKZCRM_")}
        around |= {**self._server.environ, "BULKZCRM_HOME": str(self._home), "PYTHONIOENCODING": "utf-8"}
        out, err = self._folder / "out.txt", self._folder / "err.txt"
        with out.open("wb") as told, err.open("wb") as complained:
            streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": told, "stderr": complained}
            process = subprocess.Popen([*TOOL, *words], cwd=self._folder, env=around, **streams)  # noqa: S603 - ours
            try:
                yield process, out, err
            finally:
                process.kill()
                process.wait()

    def _last_run(self, source: Source) -> Run | None:
        """Return the run of a source that can be carried on with or has finished."""
        if not self._home.exists():
            return None
        with Journal.open(self._home) as journal:
            found = [run for run in journal.runs(limit=STAMINA) if run.source == str(source.path)]
        return next((run for run in found if run.state is not RunState.INGESTING), None)

    def _moment(self, source: Source, said: str) -> str:
        """Say what the process was at when it was killed, as the journal and its own words show it."""
        if not (self._home / "journal.sqlite3").exists():
            return "start"
        with Journal.open(self._home) as journal:
            run = next((run for run in journal.runs(limit=1) if run.source == str(source.path)), None)
            if run is None or (run.state is not RunState.INGESTING and not said):
                return "start"
            if run.state is RunState.INGESTING:
                return "ingest"
            if CONNECTED not in said:
                return "reading"
            if run.state is not RunState.SENDING:
                return "judging" if run.state is RunState.INGESTED else "report"
            if journal.batches(run.id, {BatchState.SENDING}, limit=1):
                return "in flight"
            return "settling" if journal.batches(run.id, {BatchState.IN_DOUBT}, limit=1) else "between requests"

    def _read_report(self, source: Source) -> None:
        """Hold the report against the source; where none was written to its end, it is written anew."""
        run = self._last_run(source)
        if run is None:
            raise BrokenPromiseError(f"the journal knows no run of {source.path}")
        summary = self._summary(run)
        with Path(summary["files"]["results"]).open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        if len(rows) != len(source.prices) or summary["succeeded"] != len(rows):
            self._tally.broken.append(f"the report of {run.id} does not say that all rows succeeded: {summary}")
        if source.operation == "create-services":
            self._ids |= {row["Service_Name"]: row["result_record_id"] for row in rows}

    def _summary(self, run: Run) -> dict[str, Any]:
        written = Path(run.output or "") / "summary.json"
        if written.exists():
            found: dict[str, Any] = json.loads(written.read_bytes())
            if found["state"] == "finished":
                return found
        with self._started(["report", run.id, "--json"]) as (process, out, err):
            status = process.wait(timeout=LIFETIME_S)
        if status != 0:
            raise BrokenPromiseError(f"there is no report of {run.id}: {err.read_text()}")
        anew: dict[str, Any] = json.loads(out.read_text())
        return anew

    def _compare(self) -> None:
        """Hold the organisation's own list against what all sources asked for."""
        store = Store(self._server.state)
        try:
            found = [each for each in store.services() if str(each["Service_Name"]).startswith("Service ")]
        finally:
            store.close()
        counts = Counter(str(each["Service_Name"]) for each in found)
        held = {(str(each["Service_Name"]), str(each["id"]), int(float(str(each["Price"])))) for each in found}
        wanted = {(name, self._ids.get(name, ""), price) for name, price in self._expected.items()}
        self._tally.lost += len(wanted - held)
        self._tally.doubled += sum(counts.values()) - len(counts)
        self._tally.broken += [f"nobody asked for {name}" for name in sorted(set(counts) - set(self._expected))]


def lasts(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Wait so long; tell whether the process is still there."""
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return True
    return False


def kill_until(folder: Path, options: argparse.Namespace) -> Tally:
    """Play scenes until there were enough kills."""
    tally = Tally()
    dice = random.Random(options.seed)  # noqa: S311 - repeatable on purpose
    scene = 0
    while tally.kills.total() < options.kills and not tally.broken:
        scene += 1
        try:
            Scene(folder / str(scene), dice, tally, options).play()
        except BrokenPromiseError as error:
            tally.broken.append(str(error))
    return tally


def parsed(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="kill_loop", description=__doc__)
    parser.add_argument("--kills", type=int, default=300, help="how many processes are killed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=int, default=60, help="rows of a source")
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--latency", type=float, default=0.03, help="seconds that the sandbox takes for a request")
    parser.add_argument("--quiet-period", type=float, default=0.5)
    parser.add_argument("--updates", type=float, default=0.4, help="share of runs that update instead of create")
    parser.add_argument("--server-kills", type=float, default=0.1, help="how often the sandbox is killed, too")
    return parser.parse_args(list(words))


def main(words: Sequence[str]) -> int:
    """Do it and print the account."""
    options = parsed(words)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kill loop ", ignore_cleanup_errors=True) as folder:
        tally = kill_until(Path(folder), options)
        for line in tally.lines(time.monotonic() - begun):
            sys.stdout.write(line + "\n")
    return 1 if tally.lost or tally.doubled or tally.broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
