"""Works measured in turn, round after round, each in a fresh process and an empty folder, forwards and backwards."""

from __future__ import annotations

import atexit
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from .figures import Figure, Line, figure_of
from .processes import Sample, command_cpu, measured
from .serving import serving
from .sources import Source
from .standin import Settings

__all__ = ["Group", "Work", "measure_group"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One thing to measure. `does` is a function of a file here (`ours.check_source`), or `command` a command's words.

    With a `source` it gets its path, and with `counted` how many of its rows are good and bad; `seeded`, the number of
    the round. With a `server` it gets the address, and in the end the server must have got every good row, and once.
    With `learned`, an earlier run has found out how many requests at once such a server bears. `tree` holds the
    `bulkzcrm` that is measured.
    """

    label: str
    does: str = ""
    command: Sequence[str] = ()
    arguments: Mapping[str, Any] = field(default_factory=dict)
    source: Source | None = None
    counted: bool = True
    seeded: bool = False
    server: Settings | None = None
    learned: Settings | None = None
    tree: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Works that are measured in turn, and the lines of the table that come of them. `rounds` overrides the usual."""

    name: str
    works: Sequence[Work]
    lines: Sequence[Line]
    rounds: int | None = None


def measure_group(group: Group, rounds: int, tree: Path) -> tuple[list[Figure], dict[str, list[Sample]]]:
    """Measure all rounds and work the figures out. Works that name no tree measure this one."""
    samples: dict[str, list[Sample]] = {work.label: [] for work in group.works}
    for number in range(group.rounds or rounds):
        # Backwards every other time, so that a machine that grows slower is not unfair to whoever comes last.
        for work in group.works if number % 2 == 0 else reversed(group.works):
            sample = measure(work if work.tree else replace(work, tree=tree), number)
            samples[work.label].append(sample)
            sys.stderr.write(
                f"{group.name} {number + 1}: {work.label}: {sample.wall:.2f} s, {sample.cpu:.2f} s of CPU,"
                f" {sample.peak_mb:.0f} MB\n"
            )
    return [figure_of(line, samples) for line in group.lines], samples


def measure(work: Work, number: int) -> Sample:
    """Measure once. Raises `AssertionError` when the server has not got what it should, `RuntimeError` on failure."""
    with tempfile.TemporaryDirectory(prefix="bulkzcrm-bench-") as name:
        folder = Path(name)
        if work.command:
            return command_cpu(list(work.command), folder=folder, tree=work.tree)
        if work.learned is not None:
            shutil.copytree(_learned(work.learned.limit, work.learned.edition, work.tree), folder / "home")
        arguments = dict(work.arguments) | ({"seed": number} if work.seeded else {})
        if work.source is not None:
            arguments["source"] = str(work.source.path)
            if work.counted:
                arguments |= {"good": work.source.good, "bad": work.source.bad}
        if work.server is None:
            return measured(work.does, arguments, folder=folder, tree=work.tree)
        with serving(work.server, work.tree) as server:
            where: dict[str, Any] = (
                {"environ": server.environ} if work.does.startswith(("ours", "report")) else {"url": server.url}
            )
            sample = measured(work.does, {**arguments, **where}, folder=folder, tree=work.tree)
            account = server.account()
            expected = work.source.good if work.source is not None and "ingest" not in work.does else 0
            if account.doubled or account.created != expected:
                raise AssertionError(f"{work.label}: {account}, and {expected} rows were to come")
            # The rows that are wrong stand evenly among the others, and batches are filled up.
            size = work.arguments.get("options", {}).get("batch_size", 100)
            if work.does == "ours.run_source" and account.writes != -(-expected // size):
                raise AssertionError(f"{work.label}: {account}, and batches of {size} rows were to come")
            return sample


@cache
def _learned(limit: int, edition: str, tree: Path | None) -> Path:
    """Have the tool find out, from a first 429 on, what a server bears, and return the home that knows."""
    source = Source(form="csv", rows=6_000, bad_one_in=0)
    folder = Path(tempfile.mkdtemp(prefix="bulkzcrm-bench-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with serving(Settings(limit=limit, edition=edition, turned_away=1, latency_s=0.02), tree) as server:
        arguments = {
            "source": str(source.path),
            "good": source.good,
            "bad": source.bad,
            "options": {"batch_size": 10},
            "environ": server.environ,
        }
        measured("ours.run_source", arguments, folder=folder, tree=tree)
    return folder / "home"
