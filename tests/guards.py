"""What a guard is, how it is taken away from the program in memory, and how it is found out what notices that.

A guard is a piece of the program that does nothing as long as nothing goes wrong. Without it an ordinary run still ends
well (`an_ordinary_run`), and what stands in `noticed_by` fails.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from crash_points import Scenario, distinct, played, zombies
from crash_worlds import CREATE, UPDATE, worlds
from oracle import Findings

TESTS = Path(__file__).parent

KILLED, SUSPENDED = "killed: ", "suspended: "
"""Before the name of one of `crash_worlds`: the program dies, or stands still until others took over, at some point."""


PATIENCE_S = 60
"""A test that has not ended by then fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """One guard. `noticed_by` are tests, by their places below this folder, and worlds (see `KILLED`); each must fail.

    `remove` puts in its place, by attributes of the program, what would be there had nobody thought of the guard.
    """

    name: str
    remove: Callable[[pytest.MonkeyPatch], None]
    noticed_by: Sequence[str]


@dataclass(slots=True)
class Noticed:
    """What became of one watch: how it failed (blank: it did not), and the seconds that it took."""

    watch: str
    how: str = ""
    seconds: float = 0.0


@dataclass(eq=False, slots=True)
class _Listener:
    """Hears from pytest what its tests came to; what fails before or after a test's own body has proved nothing."""

    found: dict[str, Noticed] = field(default_factory=dict)
    amiss: list[str] = field(default_factory=list)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = report.nodeid.partition("[")[0]
        noticed = self.found.setdefault(name, Noticed(name))
        noticed.seconds += report.duration
        if report.failed and report.when == "call":
            noticed.how = noticed.how or _told(report)
            if _is_the_removals_own(report):
                self.amiss.append(f"the removal itself fails: {_told(report)}")
        elif report.failed or report.skipped:
            self.amiss.append(f"{report.nodeid} {report.outcome} in {report.when}")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.amiss.append(f"{report.nodeid} cannot be read")


def _is_the_removals_own(report: pytest.TestReport) -> bool:
    """Tell whether what took the guard away names what the program does not have any more: that notices nothing."""
    crash = getattr(report.longrepr, "reprcrash", None)
    return (
        crash is not None
        and Path(crash.path).name.startswith("guards_of_")
        and crash.message.startswith(("AttributeError", "ImportError", "NameError", "TypeError"))
    )


def _told(report: pytest.TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message if crash else report.longrepr).partition("\n")[0]


def watched(watches: Sequence[str], scratch: Path, *, patience_s: int = PATIENCE_S) -> tuple[list[Noticed], list[str]]:
    """Let each watch look, and return what each has noticed, and what kept any of them from looking."""
    listener = _Listener()
    tests = [f"{TESTS.name}/{each}" for each in watches if not each.startswith((KILLED, SUSPENDED))]
    found = [_in_world(each) for each in watches if each.startswith((KILLED, SUSPENDED))]
    if tests:
        # What the worlds need is imported already; its assertions then speak less plainly, and that is all.
        quietly = ["-q", "--no-header", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
        quietly += [f"--timeout={patience_s}"]
        pytest.main([*quietly, f"--rootdir={TESTS.parent}", f"--basetemp={scratch}", *tests], plugins=[listener])
    run = listener.found
    listener.amiss += [f"{each} was not run" for each in tests if each.partition("[")[0] not in run]
    return [*found, *run.values()], listener.amiss


def _in_world(watch: str) -> Noticed:
    """Play a world's scenarios, one death or suspension each, until one ends badly."""
    plan = next(each for each in worlds() if each.name == watch.partition(": ")[2])
    begun = time.perf_counter()
    noticed = Noticed(watch)
    (life,), findings = played(Scenario(plan))
    noticed.how = _said(findings)
    if watch.startswith(SUSPENDED):
        scenarios = zombies(plan)
    else:
        scenarios = [Scenario(plan, (point,)) for point in distinct(life.points)]
    for scenario in scenarios:
        if noticed.how:
            break
        try:
            _, findings = played(scenario)
            noticed.how = _said(findings)
        except Exception as error:  # noqa: BLE001 - a program without a guard may fail in any way
            noticed.how = f"{type(error).__name__}: {error}"
    noticed.seconds = time.perf_counter() - begun
    return noticed


def _said(findings: Findings) -> str:
    if findings.is_well:
        return ""
    return f"{findings.lost} lost, {findings.doubled} doubled. {' '.join(findings.untrue)}".strip()


def an_ordinary_run() -> str:
    """Say what goes wrong where nothing does but that rows are invalid or refused; blank, if all is well."""
    for plan in (CREATE, UPDATE):
        try:
            _, findings = played(Scenario(plan))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            return f"{plan.name}: {type(error).__name__}: {error}"
        if not findings.is_well:
            return f"{plan.name}: {_said(findings)}"
    return ""
