"""100,000 rows through a storm of faults, and each of them once: `python -m tests.fault_storm`.

The sandbox is a process of its own that fails one write in six, in half of those cases after it has done the work; it
lets an access token live for twenty calls and takes three requests at once. The command line works against it, and is
killed three times in one of the storms. In the end the sandbox's own store is held against the source and the report.
Exit status 1 if a row is lost, doubled, or not reported as what it is.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import math
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bulkzcrm.sandbox import Fault, Faults, Sandbox, SandboxOptions
from bulkzcrm.sandbox.seed import services as seeded
from bulkzcrm.sandbox.server import ServedRequest
from bulkzcrm.sandbox.store import Store

CHANCES = {
    Fault.SERVER_ERROR_BEFORE: 0.025,
    Fault.SERVER_ERROR_AFTER: 0.025,
    Fault.TOO_MANY_REQUESTS: 0.05,
    Fault.CUT_BEFORE: 0.03,
    Fault.CUT_AFTER: 0.03,
}
LATENCY_S = 0.02
"""Seconds that a request takes at least: without it, hardly two would ever be in flight together."""
LIST_MOST = 100_000
"""Records that a list of the API shows at most, so that no more can be looked up by name."""
PAGE = 200
STORMS = ("create", "update", "kill", "kill-update")
KILLS = 3
FIRST_STOCKED = 5_545_974_000_003_000_000
COLUMNS = ("Duration", "Location", "Members", "Availability_Type")
FIXED = ("60", "Client Address", "tom.weber@brighthome.example", "Every Business Days")


class Weather(Faults):
    """Faults by chance that are counted."""

    def __init__(self, seed: int) -> None:
        super().__init__(probability=CHANCES, seed=seed, latency_s=LATENCY_S)
        self.dealt: Counter[str] = Counter()

    def next_fault(self, *, is_write: bool) -> Fault | None:
        fault = super().next_fault(is_write=is_write)
        if fault is not None:
            self.dealt[fault.value] += 1
        return fault


@dataclass
class Account(deque[ServedRequest]):
    """Counts requests as they are served, and keeps none."""

    requests: Counter[str] = field(default_factory=Counter)

    def append(self, served: ServedRequest) -> None:
        kind = "write" if served.method != "GET" else _kind_of_read(served)
        self.requests[kind] += 1
        self.requests[f"status {served.status}"] += 1
        if kind == "read back" and "page=1&" in f"{served.query}&":
            self.requests["readings"] += 1
        if kind != "write" and served.status in (200, 204) and not self.requests["write"]:
            self.requests["needed"] += 1


def _kind_of_read(served: ServedRequest) -> str:
    if "sort_by=Created_Time" in served.query:
        return "read back"
    if "/Services__s/" in served.path:
        return "read by id"
    return "list" if served.path.endswith("/Services__s") else "setting"


async def serve(state: Path, stock: int, seed: int) -> None:
    """Serve until standard input is closed; every line that comes in is answered with what was served so far."""
    weather, account = Weather(seed), Account()
    options = SandboxOptions(
        concurrency=3, token_calls=20, token_throttle=None, active_service_limit=10_000_000, credit_limit=1_000_000_000
    )
    async with Sandbox(state, options=options, faults=weather) as sandbox:
        running = sandbox._running()
        running.server.requests = account
        store = running.organisation.store
        pattern = store.services()[0]
        with store.transaction():
            for number in range(stock):
                store.put_service({**pattern, "id": str(FIRST_STOCKED + number), "Service_Name": name(number)})
        sys.stdout.write(json.dumps(sandbox.environment()) + "\n")
        sys.stdout.flush()
        while await asyncio.to_thread(sys.stdin.readline):
            told = {**account.requests, **weather.dealt, "tokens": sandbox.token_requests}
            sys.stdout.write(json.dumps(told) + "\n")
            sys.stdout.flush()


def name(number: int) -> str:
    return f"Storm {number:06}"


class Server:
    """The sandbox's process, as this one sees it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.environ: dict[str, str] = json.loads(self._line())

    def account(self) -> Counter[str]:
        assert self._process.stdin is not None
        self._process.stdin.write("?\n")
        self._process.stdin.flush()
        return Counter(json.loads(self._line()))

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("The sandbox's process has ended.")
        return line


@contextmanager
def serving(state: Path, stock: int, seed: int) -> Iterator[Server]:
    words = [sys.executable, __file__, "--serve", str(state), "--rows", str(stock), "--seed", str(seed)]
    pipe = subprocess.PIPE
    with (
        # It complains of every connection that a killed process leaves behind.
        state.with_name("sandbox.log").open("w") as log,
        subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=log, text=True) as process,  # noqa: S603
    ):
        try:
            yield Server(process)
        finally:
            process.communicate(timeout=60)


@dataclass
class Found:
    """How a storm went."""

    title: str
    rows: int
    account: Counter[str] = field(default_factory=Counter)
    batches: int = 0
    seconds: float = 0.0
    peak_mib: float = 0.0
    kills: int = 0
    lost: int = 0
    doubled: int = 0
    untrue: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.doubled or self.untrue)

    @property
    def requests(self) -> int:
        return sum(count for kind, count in self.account.items() if kind.startswith("status "))

    @property
    def least(self) -> int:
        """Requests that a run without a fault needs: what it read before it wrote, and its batches."""
        return self.account["needed"] + self.batches

    def lines(self) -> Iterator[str]:
        seen = self.account
        doubts = sum(seen[fault] for fault in CHANCES if fault is not Fault.TOO_MANY_REQUESTS)
        yield f"{self.title}: rows {self.rows}, lost {self.lost}, doubled {self.doubled}, kills {self.kills}"
        yield f"  requests {self.requests}, at least needed {self.least}, ratio {self.requests / self.least:.2f}"
        yield (
            f"  writes {seen['write']} (batches {self.batches}, in doubt {doubts}, throttled {seen['status 429']}, "
            f"token expired {seen['status 401']}), tokens {seen['tokens']}"
        )
        yield (
            f"  read back {seen['readings']} times on {seen['read back']} pages, pages of the list {seen['list']}, "
            f"read by id {seen['read by id']}"
        )
        yield (
            f"  seconds {self.seconds:.1f}, rows a second {self.rows / self.seconds:.0f}, "
            f"peak memory {self.peak_mib:.0f} MiB"
        )
        yield from (f"  wrong: {told}" for told in self.untrue[:10])


@dataclass
class Storm:
    """One source through one operation on an organisation of its own, in a storm."""

    folder: Path
    title: str
    operation: str
    rows: int
    options: argparse.Namespace
    kills: int = 0

    def weather(self) -> Found:
        """Go through the storm and see what is left."""
        self.folder.mkdir()
        found = Found(self.title, self.rows, batches=math.ceil(self.rows / self.options.batch_size))
        source, state = self._source(), self.folder / "organisation.sqlite3"
        stock = self.rows if self.updates else 0
        with serving(state, stock, self.options.seed) as server:
            begun = time.monotonic()
            summary = self._finish(source, server, found)
            found.seconds = time.monotonic() - begun
            found.account = server.account()
        self._compare(state, summary, found)
        return found

    @property
    def updates(self) -> bool:
        return self.operation != "create-services"

    def _source(self) -> Path:
        path = self.folder / "source.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["id" if self.updates else "Service_Name", *COLUMNS, "Price"])
            for number in range(self.rows):
                writer.writerow([FIRST_STOCKED + number if self.updates else name(number), *FIXED, number + 1])
        return path

    def _finish(self, source: Path, server: Server, found: Found) -> dict[str, Any]:
        """Run, kill at writes spread over the whole, and carry on until it says that it has finished."""
        dice = random.Random(self.options.seed)  # noqa: S311 - repeatable on purpose
        moments = [found.batches * (kill + dice.uniform(0.2, 0.9)) / self.kills for kill in range(self.kills)]
        pace = ["--quiet-period", str(self.options.quiet_period), "--json", "--quiet", "--yes"]
        words = ["run", self.operation, str(source), "--batch-size", str(self.options.batch_size), *pace]
        while True:
            status, summary, said = self._live(words, server, moments[0] if moments else None, found)
            if status is None:
                moments.pop(0)
                found.kills += 1
            else:
                if status != 0:
                    found.untrue.append(f"{words[0]} ended with {status}: {said}")
                return summary
            words = ["resume", *pace]

    def _live(
        self, words: Sequence[str], server: Server, moment: float | None, found: Found
    ) -> tuple[int | None, dict[str, Any], str]:
        """Let a process live to its end, or until the server has had so many writes."""
        around = {name: value for name, value in os.environ.items() if not name.startswith("BULKZCRM_")}
        around |= {
            **server.environ,
            "PYTHONIOENCODING": "utf-8",
            "BULKZCRM_HOME": str(self.folder / "home of the tool"),
        }
        out, err = self.folder / "out.txt", self.folder / "err.txt"
        with out.open("wb") as told, err.open("wb") as complained:
            process = subprocess.Popen(  # noqa: S603 - a program of ours
                [sys.executable, "-m", "bulkzcrm", *words],
                cwd=self.folder,
                env=around,
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=complained,
            )
            try:
                killed = moment is not None and self._kill_at(process, server, moment)
                found.peak_mib = max(found.peak_mib, ended(process))
            finally:
                process.kill()
        said = err.read_text(encoding="utf-8")
        if killed:
            return None, {}, said
        return process.returncode, json.loads(out.read_bytes() or b"{}"), said

    @staticmethod
    def _kill_at(process: subprocess.Popen[bytes], server: Server, moment: float) -> bool:
        while server.account()["write"] < moment:
            try:
                process.wait(timeout=0.02)
            except subprocess.TimeoutExpired:
                continue
            return False
        process.kill()
        return True

    def _compare(self, state: Path, summary: Mapping[str, Any], found: Found) -> None:
        store = Store(state)
        try:
            made = [each for each in store.services() if str(each["Service_Name"]).startswith("Storm ")]
        finally:
            store.close()
        prices = {name(number): number + 1 for number in range(self.rows)}
        there = [(str(each["Service_Name"]), str(each["id"]), each["Price"]) for each in made]
        counts = Counter(called for called, _, _ in there)
        ids = {called: record_id for called, record_id, price in there if price == prices.get(called)}
        found.lost = len(prices.keys() - ids.keys())
        found.doubled = counts.total() - len(counts)
        found.untrue += [f"Nobody asked for {each}." for each in sorted(counts.keys() - prices.keys())]
        if not summary.get("files"):
            return
        if summary["state"] != "finished" or summary["succeeded"] != self.rows or summary["rows"] != self.rows:
            found.untrue.append(f"The summary says: {summary}.")
        with Path(summary["files"]["results"]).open(encoding="utf-8-sig", newline="") as file:
            reported = list(csv.DictReader(file))
        if len(reported) != self.rows:
            found.untrue.append(f"The report has {len(reported)} rows.")
        for number, row in enumerate(reported):
            if row["result_status"] != "succeeded" or row["result_record_id"] != ids.get(name(number)):
                found.untrue.append(f"Row {row['result_row']} is reported as {row}.")


def ended(process: subprocess.Popen[bytes]) -> float:
    """Wait for a process; return the most memory that it held, in MiB, where the system tells."""
    if sys.platform == "win32":
        process.wait()
        return 0.0
    if process.returncode is not None:
        return 0.0
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return used.ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)


def storm(folder: Path, options: argparse.Namespace) -> Storm:
    """Return the storm that was asked for."""
    looked_up = (LIST_MOST - len(seeded())) // PAGE * PAGE
    fewer = options.rows // 5
    title, operation, rows, kills = {
        "create": ("creates", "create-services", options.rows, 0),
        "update": ("updates", "update-services", min(options.rows, looked_up), 0),
        "kill": ("creates, killed", "create-services", fewer, KILLS),
        "kill-update": ("updates, killed", "update-services", fewer, KILLS),
    }[options.storm]
    return Storm(folder / options.storm, title, operation, rows, options, kills)


def parsed(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="fault_storm", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--batch-size", type=int, default=100)
    parser.add_argument("--quiet-period", type=float, default=2.0, help="seconds before a lost create is read back")
    parser.add_argument("--storm", choices=STORMS, help="one of them instead of all")
    parser.add_argument("--quick", action="store_true", help="2,000 rows in small batches")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(list(words))
    if options.quick:
        options.rows, options.batch_size, options.quiet_period = 2_000, 25, 0.3
    return options


def main(words: Sequence[str]) -> int:
    """Do it and print the account."""
    options = parsed(words)
    if options.serve:
        asyncio.run(serve(options.serve, options.rows, options.seed))
        return 0
    if options.storm is None:
        # Each from a process of its own, since Linux counts what the parent holds towards the peak of its children.
        each_one = [[sys.executable, __file__, *words, "--storm", each] for each in STORMS]
        return max(subprocess.run(command, check=False).returncode for command in each_one)  # noqa: S603
    with tempfile.TemporaryDirectory(prefix="fault storm ", ignore_cleanup_errors=True) as folder:
        found = storm(Path(folder), options).weather()
    sys.stdout.write("\n".join(found.lines()) + "\n")
    return 0 if found.is_good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
