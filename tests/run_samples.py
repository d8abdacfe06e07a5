"""Runs every sample and every job in a sandbox and compares their reports with `tests/expected`.

python -m tests.run_samples [--years-ahead N]    prints a line for each; exit status 1 if any differs
python -m tests.run_samples --write              takes today's reports for the expected ones, for you to look through
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import io
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bulkzcrm.cli import main as bulkzcrm
from bulkzcrm.cli.session import at
from bulkzcrm.clock import Clock, system_clock

PROJECT = Path(__file__).resolve().parent.parent
EXPECTED = PROJECT / "tests" / "expected"
_DAYS_A_YEAR = 365.2425


@dataclass(frozen=True, slots=True)
class Sample:
    """A file of `samples/`, the operation that it is for, and the exit status with which a run of it ends."""

    file: str
    operation: str
    exit_status: int

    @property
    def words(self) -> list[str]:
        return ["run", self.operation, str(PROJECT / "samples" / self.file), "--sandbox"]

    @property
    def expected(self) -> dict[str, Path]:
        return {"results.csv": EXPECTED / f"{self.file.removesuffix('.csv')}.csv"}


@dataclass(frozen=True, slots=True)
class JobFile:
    """A file of `jobs/` and the operations of its steps; all of them succeed."""

    file: str
    operations: tuple[str, ...]
    exit_status: int = 0

    @property
    def words(self) -> list[str]:
        return ["run", "--job", str(PROJECT / "jobs" / self.file), "--sandbox"]

    @property
    def expected(self) -> dict[str, Path]:
        steps = [f"{number}-{operation}" for number, operation in enumerate(self.operations, start=1)]
        return {f"{step}/results.csv": EXPECTED / "jobs" / self.file / f"{step}.csv" for step in steps}


SAMPLES = (
    Sample("services.csv", "create-services", 0),
    Sample("services.xlsx", "create-services", 0),
    Sample("services-with-mistakes.csv", "create-services", 1),
    Sample("services-with-mistakes.xlsx", "create-services", 1),
    Sample("update-services.csv", "update-services", 0),
    Sample("update-services-with-mistakes.csv", "update-services", 1),
    Sample("update-services-with-mistakes.xlsx", "update-services", 1),
    Sample("service-status.csv", "set-service-status", 0),
    Sample("service-status-with-mistakes.csv", "set-service-status", 1),
    Sample("scoring-rules.csv", "set-scoring-rule-status", 0),
    Sample("scoring-rules-with-mistakes.csv", "set-scoring-rule-status", 1),
    Sample("business-hours.csv", "update-business-hours", 0),
    Sample("business-hours-with-mistakes.csv", "update-business-hours", 1),
    Sample("service-preferences.csv", "update-service-preferences", 0),
    Sample("service-preferences-with-mistakes.csv", "update-service-preferences", 1),
)

JOBS = (
    JobFile("import.toml", ("create-services",)),
    JobFile("status-change.toml", ("set-service-status",)),
    JobFile(
        "migration.toml",
        ("update-service-preferences", "update-business-hours", "create-services", "set-scoring-rule-status"),
    ),
)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, and what it said."""

    exit_status: int
    out: str
    err: str


def command(words: Sequence[str], home: Path, clock: Clock, settings: Mapping[str, str] | None = None) -> Ended:
    """Run a command in this process, with a home of its own and by the given clock.

    `settings` are environment variables that the tool goes by; of those that are there already it sees none.
    """
    out, err = io.StringIO(), io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        at(clock),
    ):
        patch.setattr(os, "environ", environment(home, settings))
        try:
            bulkzcrm(list(words))
        except SystemExit as left:
            return Ended(int(left.code or 0), out.getvalue(), err.getvalue())
    raise AssertionError("Every command leaves with an exit status.")


def environment(home: Path, settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process's environment with no other settings of the tool than its home and those given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BULKZCRM_")}
    return {**kept, **(settings or {}), "BULKZCRM_HOME": str(home)}


def differences(sample: Sample | JobFile, folder: Path, clock: Clock) -> Iterator[str]:
    """Run a sample or a job; `folder` receives the report. Yield what is not as expected."""
    ended = command([*sample.words, "--output", str(folder)], folder.parent / "home", clock)
    if ended.exit_status != sample.exit_status:
        yield f"exit status {ended.exit_status} instead of {sample.exit_status}: {ended.err}"
    for name, expected in sample.expected.items():
        yield from _compared(folder / name, expected)


def _compared(actual: Path, expected: Path) -> Iterator[str]:
    for file in (actual, expected):
        if not file.exists():
            yield f"there is no {file}"
            return
    if actual.read_bytes() != expected.read_bytes():
        wanted, found = (file.read_text(encoding="utf-8-sig").splitlines() for file in (expected, actual))
        yield "\n".join(difflib.unified_diff(wanted, found, "expected", "found", lineterm="", n=0))


def _write(sample: Sample | JobFile, folder: Path, clock: Clock) -> Iterator[str]:
    command([*sample.words, "--output", str(folder)], folder.parent / "home", clock)
    for name, expected in sample.expected.items():
        expected.parent.mkdir(parents=True, exist_ok=True)
        expected.write_bytes((folder / name).read_bytes())
    yield from ()


def main(arguments: list[str] | None = None) -> int:
    """Run all; return the exit status."""
    parser = argparse.ArgumentParser(description="Run all samples and jobs in a sandbox and compare their reports.")
    parser.add_argument("--years-ahead", type=int, default=0, metavar="N", help="as if it were N years later")
    parser.add_argument("--write", action="store_true", help="take the reports for the expected ones")
    given = parser.parse_args(arguments)
    clock = years_ahead(given.years_ahead)
    run: Callable[[Sample | JobFile, Path, Clock], Iterator[str]] = _write if given.write else differences
    failed = 0
    for sample in (*SAMPLES, *JOBS):
        with tempfile.TemporaryDirectory() as scratch:
            found = list(run(sample, Path(scratch) / "report", clock))
        failed += bool(found)
        _say("\n".join([f"{'DIFFERS' if found else 'ok':8}{sample.file}", *found]))
    _say(f"{len(SAMPLES)} samples and {len(JOBS)} jobs, {failed} of them not as expected, on {clock():%Y-%m-%d}")
    return 1 if failed else 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def years_ahead(years: int) -> Clock:
    """Return a clock that is so many years ahead of the machine's."""
    ahead = timedelta(days=round(years * _DAYS_A_YEAR))

    def clock() -> datetime:
        return system_clock() + ahead

    return clock


if __name__ == "__main__":
    sys.exit(main())
