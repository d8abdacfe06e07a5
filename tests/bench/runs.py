"""The figures of whole runs: against the same work by hand and by the vendor's SDK, at 200 ms, and in memory."""

from __future__ import annotations

from dataclasses import replace

from .figures import Line, Target
from .rounds import Group, Work
from .scale import Scale
from .sources import Source
from .standin import Settings

__all__ = ["adaptive", "memory", "running", "sending"]

_PHASES = ("ingest", "judge", "send", "report")
_LATENCY_S = 0.2
_LIMITS = (3, 5, 10, 25)
_LATENCIES = ("50 ms", "200 ms", "2 s", "changing")
"""The names of those in `adaptive`, which needs the limiter that is measured, and so is not imported here."""


def running(scale: Scale) -> Group:
    """A run at zero latency, where nothing is waited for and everything costs."""
    csv = Source(form="csv", rows=scale.rows)
    varied = replace(csv, varied=True)
    at_once = Settings()
    run = Work(label="run", does="ours.run_source", source=csv, server=at_once)
    sdk = Work(label="SDK", does="sdk.run_by_sdk", source=csv, server=at_once, arguments={"threads": 1})
    return Group(
        name="run",
        works=(
            run,
            Work(label="by hand", does="baseline.run_by_hand", source=csv, server=at_once),
            Work(label="safely", does="promises.run_safely_by_hand", source=csv, server=at_once),
            replace(run, label="run, varied", source=varied),
            Work(label="by hand, varied", does="baseline.run_by_hand", source=varied, server=at_once),
            replace(run, label="without sync", arguments={"durable": False}),
            sdk,
            replace(sdk, label="SDK, 10 threads", arguments={"threads": 10}),
        ),
        lines=(
            _against("run.wall", "whole run / by hand, wall", "by hand", "wall", Target(required=2.0, aim=1.3)),
            _against("run.cpu", "whole run / by hand, CPU", "by hand", "cpu", Target(required=2.0, aim=1.3)),
            _against("run.safely", "  whole run / by hand with the same promises, wall", "safely", "wall"),
            _against("run.safely.cpu", "  the same in CPU", "safely", "cpu"),
            Line(
                name="run.varied",
                title="  whole run / by hand where hardly two cells are alike, CPU",
                work="run, varied",
                take="cpu",
                over=("by hand, varied", "cpu"),
            ),
            _against(
                "run.durable",
                "durable journal / none, whole run, wall",
                "without sync",
                "wall",
                Target(required=1.25, aim=1.1),
            ),
            Line(
                name="run.sdk",
                title="the vendor's SDK, ten threads / whole run, wall a row",
                work="SDK, 10 threads",
                take="wall_per_row",
                over=("run", "wall_per_row"),
                target=Target(required=10, aim=20, at_least=True),
            ),
            Line(
                name="run.sdk.cpu",
                title="the vendor's SDK, one by one / whole run, CPU a row",
                work="SDK",
                take="cpu_per_row",
                over=("run", "cpu_per_row"),
                target=Target(required=8, aim=14, at_least=True),
            ),
            *(
                Line(
                    name=f"run.cpu.{phase}",
                    title=f"  CPU a row of a whole run: {phase}",
                    work="run",
                    take=f"{phase}:cpu",
                    over=csv.rows / 1e6,
                    unit="µs",
                )
                for phase in _PHASES
            ),
            Line(
                name="run.journal",
                title="  journal, bytes a row",
                work="run",
                take="journal bytes",
                over=float(csv.rows),
                unit="B",
            ),
        ),
    )


def _against(name: str, title: str, other: str, take: str, target: Target | None = None) -> Line:
    return Line(name=name, title=title, work="run", take=take, over=(other, take), target=target)


def sending(scale: Scale) -> Group:
    """The phase that sends, at 200 ms. The vendor takes 10 writes at once of more than ten records, and 25 of others.

    So 25 at once are measured as a user can have them, with ten records each, and with a hundred, by telling the tool
    another limit than the vendor's.
    """
    big = Source(form="csv", rows=scale.batches * 100, bad_one_in=0)
    small = Source(form="csv", rows=scale.batches * 10, bad_one_in=0)
    many = Settings(latency_s=_LATENCY_S, limit=25, edition="ultimate")
    ten = Work(label="10 at once", does="ours.run_source", source=big, server=Settings(latency_s=_LATENCY_S, limit=10))
    learned = replace(ten, server=many, learned=many)

    def against_ideal(work: str, at_once: int, title: str, target: Target) -> Line:
        ideal = scale.batches * _LATENCY_S / at_once
        return Line(name=f"sending.{work}", title=title, work=work, take="send", over=ideal, target=target)

    of_25 = Target(required=1.15, aim=1.06)
    return Group(
        name="sending",
        works=(
            ten,
            replace(learned, label="25 at once", source=small, arguments={"options": {"batch_size": 10}}),
            replace(learned, label="25 big ones", arguments={"at_once": 25}),
        ),
        lines=(
            against_ideal(
                "10 at once",
                10,
                f"sending {scale.batches:,} batches at 200 ms / ideal, 10 at once",
                Target(required=1.08, aim=1.03),
            ),
            against_ideal("25 at once", 25, "  25 at once, learned limit, batches of 10 records", of_25),
            against_ideal("25 big ones", 25, "  25 at once, learned limit, batches of 100 records", of_25),
            Line(
                name="sending.cpu",
                title="  CPU a row while sending, 10 at once",
                work="10 at once",
                take="send:cpu",
                over=big.rows / 1e6,
                unit="µs",
            ),
        ),
    )


def memory(scale: Scale) -> Group:
    """The most memory that a process ever has; measured once, since it hardly differs from run to run."""
    big, workbook = Source(form="csv", rows=scale.big), Source(form="xlsx", rows=scale.big)
    lines = Source(form="jsonl", rows=scale.big)
    run = Work(label="big", does="ours.run_source", source=big, server=Settings())
    return Group(
        name="memory",
        rounds=1,
        works=(
            replace(run, label="small", source=Source(form="csv", rows=scale.small)),
            run,
            replace(run, label="workbook", does="ours.command", source=workbook, arguments={"formats": "csv,xlsx"}),
            Work(label="lines", does="ours.check_source", source=lines),
        ),
        lines=(
            Line(
                name="memory.csv",
                title=f"peak memory: run of a CSV of {scale.big:,} rows",
                work="big",
                take="peak_mb",
                target=Target(required=100, aim=60),
                unit="MB",
            ),
            Line(
                name="memory.growth",
                title=f"  beyond that of {scale.small:,} rows",
                work="big",
                take="peak_mb",
                over=("small", "peak_mb"),
                less=True,
                target=Target(required=10, aim=0),
                unit="MB",
            ),
            Line(
                name="memory.xlsx",
                title=f"peak memory: run of an XLSX of {scale.big:,} rows, XLSX report",
                work="workbook",
                take="peak_mb",
                target=Target(required=200, aim=130),
                unit="MB",
            ),
            Line(
                name="memory.jsonl",
                title=f"  `check` of JSON Lines of {scale.big:,} rows",
                work="lines",
                take="peak_mb",
                unit="MB",
            ),
        ),
    )


def adaptive(scale: Scale) -> Group:
    """Servers that bear a few requests at once; of each the worst of several latencies."""
    del scale
    lines = []
    for limit in _LIMITS:
        lines += [
            Line(
                name=f"adaptive.{limit}.throughput",
                title=f"a server that bears {limit}: throughput after 20 rounds / ideal",
                work="limiter",
                take=f"{limit}: throughput",
                target=Target(required=0.9, aim=0.95, at_least=True),
            ),
            *(
                Line(
                    name=f"adaptive.{limit}.{latency}",
                    title=f"  at a latency of {latency}" if latency != "changing" else "  while the latency changes",
                    work="limiter",
                    take=f"{limit}: throughput, {latency}",
                )
                for latency in _LATENCIES
            ),
            Line(
                name=f"adaptive.{limit}.turned-away",
                title=f"a server that bears {limit}: requests turned away, in 100",
                work="limiter",
                take=f"{limit}: turned away",
                over=0.01,
                target=Target(required=2, aim=1),
            ),
        ]
    works = (Work(label="limiter", does="adaptive.find_limits", seeded=True),)
    return Group(name="adaptive", works=works, lines=lines)
