"""The promises of DESIGN section 1, held against random sources, options, faults and interruptions.

Every case is run by the real engine against the sandbox; what it reports is compared with what the source held and with
what the sandbox holds now. Neither the source nor the expectation is made by our own code.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from promise_cases import Case, Interruption, changing, creating
from promise_desk import Report, Stage, World, stage_of
from promise_rows import AWAY, NOW
from promise_sources import Kind, Source, Told

from bulkzcrm.cli.results import exit_status
from bulkzcrm.defuse import undefuse
from bulkzcrm.events import Connected
from bulkzcrm.run.options import RunOptions
from bulkzcrm.sandbox import SandboxOptions

STATUSES = ("succeeded", "unchanged", "invalid", "rejected", "unknown", "unsent")
GOOD = {"succeeded", "unchanged"}
OPEN = {"unsent", "unknown"}
RESULT = (
    "result_row",
    "result_status",
    "result_code",
    "result_field",
    "result_cell",
    "result_message",
    "result_fix",
    "result_record_id",
    "result_batch",
    "result_attempts",
)
SERVICES = ("update-services", "set-service-status")
SETTINGS = ("set-scoring-rule-status", "update-business-hours", "update-service-preferences")

_SLOW_BY_NATURE = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
# Looking for a smaller example takes minutes: the long tests do.
quick = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=_SLOW_BY_NATURE,
)
thorough = settings(max_examples=1500, deadline=None, suppress_health_check=_SLOW_BY_NATURE)


@quick
@given(creating())
def test_promises_hold_when_services_are_created(case: Case):
    play(case, _creates)


@quick
@given(changing(*SERVICES))
def test_promises_hold_when_services_are_changed(case: Case):
    play(case, _changes_services)


@quick
@given(changing(*SETTINGS))
def test_promises_hold_when_settings_are_changed(case: Case):
    play(case, _changes_settings)


@pytest.mark.long
@pytest.mark.timeout(3600)
@thorough
@given(creating())
def test_promises_hold_when_services_are_created_in_many_ways(case: Case):
    play(case, _creates)


@pytest.mark.long
@pytest.mark.timeout(3600)
@thorough
@given(changing(*SERVICES))
def test_promises_hold_when_services_are_changed_in_many_ways(case: Case):
    play(case, _changes_services)


@pytest.mark.long
@pytest.mark.timeout(3600)
@thorough
@given(changing(*SETTINGS))
def test_promises_hold_when_settings_are_changed_in_many_ways(case: Case):
    play(case, _changes_settings)


Claim = Callable[[Case, Report, World, World], None]


def play(case: Case, holds: Claim) -> None:
    """Run a case, carry on until it is over, give back what failed; and check every promise after each step."""
    note(f"{case.operation} from {case.source.form}: {len(case.source.rows)} rows")

    async def whole(folder: Path) -> None:
        async with stage_of(case, folder) as stage:
            source = folder / f"a source{case.source.suffix}"
            source.write_bytes(case.source.content)
            await stage.begin(source, "first", case.options)
            first = await _step(stage, "first", holds, case.source.rows)
            stage.calm_down()
            last = await _to_its_end(stage, first, holds)
            _ends(case, last)
            await _given_back(stage, last)

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(whole(Path(folder)))


async def _step(stage: Stage, run: str, holds: Claim, rows: Sequence[Told]) -> Report | None:
    served = len(stage.sandbox.requests)
    report = await stage.carry_on(run)
    if report is None:
        return None
    _every_row_once(stage.case, report, rows)
    _counts_add_up(report)
    _failed_rows(report)
    _causes(report)
    _exit(report)
    if stage.case.interruption is None:
        _requests(stage, report, served)
    holds(stage.case, report, stage.before, stage.world)
    return report


async def _to_its_end(stage: Stage, report: Report | None, holds: Claim) -> Report:
    """Resume until nothing more can be done; rows that have ended stay as they are."""
    for _ in range(60):
        if report is not None and report.ending.summary.state.value == "finished":
            return report
        again = await _step(stage, "first", holds, stage.case.source.rows)
        assert again is not None
        if report is not None:
            _keeps(report, again)
            if "unsent" not in report.statuses and again.statuses == report.statuses:
                return again
        report = again
    raise AssertionError("The run never comes to its end.")


async def _given_back(stage: Stage, last: Report) -> None:
    """`failed.csv` is a source: those rows and no others, their cells as they were, and nothing is made twice."""
    world = stage.world
    options = RunOptions(allow_duplicates=stage.case.options.allow_duplicates)
    await stage.begin(last.ending.summary.files["failed"], "again", options)
    report = await stage.carry_on("again")
    assert report is not None
    assert report.columns == last.columns
    # A row of blank cells and a surplus is none in `failed.csv`, where only the columns have a place.
    kept = [row[:-10] for row in last.failed if any(cell.strip() for cell in row[:-10])]
    assert [row[:-10] for row in report.results] == kept
    _counts_add_up(report)
    _causes(report)
    made = len(stage.world.services) - len(world.services)
    if stage.case.operation == "create-services":
        assert made == report.statuses.count("succeeded")
    else:
        assert made == 0


# What every report must show.


def _every_row_once(case: Case, report: Report, rows: Sequence[Told]) -> None:
    header = [undefuse(name) for name in report.columns[:-10]]
    assert header == [_blank(name) for name in case.source.header]
    assert tuple(report.columns[-10:]) == RESULT
    assert [verdict["result_row"] for verdict in report.verdicts] == [str(row.number) for row in rows]
    for shown, row in zip(report.results, rows, strict=True):
        assert tuple(undefuse(cell) for cell in shown[:-10]) == row.cells
    assert set(report.statuses) <= set(STATUSES)


def _blank(text: str) -> str:
    return text if text.strip() else ""


def _counts_add_up(report: Report) -> None:
    counts = Counter(report.statuses)
    summary = report.summary
    assert {status: summary[status] for status in STATUSES} == {status: counts[status] for status in STATUSES}
    assert summary["rows"] == len(report.results)


def _failed_rows(report: Report) -> None:
    assert report.failed_columns == report.columns
    assert report.failed == [row for row in report.results if _is_failed(report.result(row))]


def _is_failed(verdict: Mapping[str, str]) -> bool:
    if verdict["result_status"] == "invalid":
        return verdict["result_code"] != "DUPLICATE_ROW"
    return verdict["result_status"] == "rejected"


def _causes(report: Report) -> None:
    for verdict in report.verdicts:
        if verdict["result_status"] in {"invalid", "rejected"}:
            assert all(verdict[name] for name in ("result_code", "result_message", "result_fix")), verdict
        elif verdict["result_status"] in OPEN:
            assert all(verdict[name] for name in ("result_message", "result_fix")), verdict


def _exit(report: Report) -> None:
    counts = Counter(report.statuses)
    state = report.summary["state"]
    expected = {"stopped": 3, "interrupted": 130, "finished": 0 if set(counts) <= GOOD else 1}
    assert exit_status(report.ending.summary) == expected[state]
    assert (state == "finished") == (not counts["unsent"] and not counts["unknown"]), counts
    assert (report.summary["resume"] is None) == (state == "finished")
    assert (report.summary["stopped_because"] is None) == (state == "finished")


def _requests(stage: Stage, report: Report, before: int) -> None:
    """What is told of requests is what the server has seen."""
    served = stage.sandbox.requests[before:]
    assert len(served) <= report.summary["requests"]
    carried = sum(request.records for request in stage.sandbox.requests)
    if before == 0:
        assert len(served) == report.summary["requests"]
        assert carried == sum(int(verdict["result_attempts"]) for verdict in report.verdicts)


def _keeps(report: Report, again: Report) -> None:
    """A row that has ended stays as it is, whatever is done with the run afterwards."""
    for old, new in zip(report.results, again.results, strict=True):
        match report.result(old)["result_status"]:
            case "unsent" | "unknown":
                pass
            case "invalid":
                # The organisation, once it has been read, may show that more is wrong.
                assert again.result(new)["result_status"] == "invalid"
            case _:
                assert old == new


def _ends(case: Case, last: Report) -> None:
    """In the end every row has ended; and what is known of it beforehand came true."""
    assert "unsent" not in last.statuses
    assert case.operation == "create-services" or "unknown" not in last.statuses
    for told, verdict in zip(case.source.rows, last.verdicts, strict=True):
        status, code = verdict["result_status"], verdict["result_code"]
        match told.line.kind:
            case Kind.BAD:
                assert status == "invalid", verdict
                assert verdict["result_attempts"] == "0"
            case Kind.SOUND if status == "invalid":
                assert code == "DUPLICATE_ROW", verdict
            case Kind.SOUND if case.is_calm and status == "rejected":
                assert code in {"LIMIT_EXCEEDED", "ACTIVE_STATE_LIMIT_EXCEEDED"}, verdict
            case _:
                pass


# What the organisation must hold.


def _creates(case: Case, report: Report, before: World, after: World) -> None:
    """What was created is what is reported as created, besides rows of which it is said that nobody knows."""
    made = {key: service for key, service in after.services.items() if key not in before.services}
    assert {key: after.services[key] for key in before.services} == dict(before.services)
    doubtful: Counter[str] = Counter()
    for told, verdict in zip(case.source.rows, report.verdicts, strict=True):
        if verdict["result_status"] == "unknown":
            doubtful[_name(case, told)] += 1
        if verdict["result_status"] == "succeeded":
            service = made.pop(verdict["result_record_id"])
            assert service["Service_Name"] == _name(case, told)
            _agrees(service, told.line.gives)
        assert verdict["result_status"] != "unchanged"
    applied = Counter(str(service["Service_Name"]) for service in made.values())
    assert applied <= doubtful, "made without being reported, or twice"


def _name(case: Case, told: Told) -> str:
    """The name that the row's service has, as its cell says it."""
    column = next(
        index
        for index, name in enumerate(case.source.header)
        if "".join(filter(str.isalnum, name)).casefold() == "servicename"
    )
    return told.cells[column].strip()


def _changes_services(case: Case, report: Report, before: World, after: World) -> None:
    """Only the services of rows that succeeded, or of which nobody knows, were touched; and they hold what rows say."""
    assert after.services.keys() == before.services.keys()
    touched = {key for key, service in after.services.items() if service != before.services[key]}
    allowed = set()
    for told, verdict in zip(case.source.rows, report.verdicts, strict=True):
        status, target = verdict["result_status"], told.line.target
        if status in {"succeeded", "unknown"}:
            assert target, "whose record nobody can tell"
            assert target not in allowed, "sent twice"
            allowed.add(target)
        if status in GOOD:
            assert verdict["result_record_id"] == target
            _agrees(after.services[target], told.line.gives)
        if status == "unchanged":
            assert target not in touched
            assert verdict["result_attempts"] == "0"
        if status == "succeeded":
            assert target in touched
    assert touched <= allowed


def _changes_settings(case: Case, report: Report, before: World, after: World) -> None:
    """Settings changed where a row succeeded, or nobody knows, and nowhere else."""
    assert after.services == before.services
    changed = {key for key, active in after.rules.items() if active != before.rules[key]}
    if (after.hours, after.preferences) != (before.hours, before.preferences):
        changed.add("the only one")
    allowed = set()
    for told, verdict in zip(case.source.rows, report.verdicts, strict=True):
        status, target = verdict["result_status"], told.line.target
        if status in {"succeeded", "unknown"}:
            assert target not in allowed, "sent twice"
            allowed.add(target)
        if status == "unchanged":
            assert verdict["result_attempts"] == "0"
        if status in GOOD:
            held = {"Status": "active" if after.rules.get(target) else "inactive"} | dict(after.hours)
            _agrees({**held, **after.preferences}, told.line.gives)
    assert changed <= allowed


def _agrees(record: Mapping[str, Any], gives: Mapping[str, Any]) -> None:
    """The record holds what a sound row gives."""
    for name, wanted in gives.items():
        held = record[name]
        match wanted:
            case set() if name in {"Members", "Tax"}:
                assert {_id(entry) for entry in held} == wanted
            case set():
                assert set(held) == wanted
            case Decimal():
                assert Decimal(str(held)) == wanted
            case datetime():
                assert datetime.fromisoformat(held) == wanted
            case str() if wanted == AWAY and name == "Unavailable_From":
                since = datetime.fromisoformat(held)
                assert since <= NOW, since
                assert NOW - since < timedelta(days=30_000)
            case _:
                assert held == wanted, name


def _id(entry: Mapping[str, Any]) -> str:
    return str(entry["Members"]["id"] if "Members" in entry else entry["id"])


@pytest.mark.parametrize("how", ["drain", "abort"])
async def test_a_run_stopped_before_its_rows_were_judged_is_finished_by_resume_though_none_needs_sending(
    tmp_path: Path, how: str
):
    source = Source("csv", ".csv", b"job_sheet_enabled\nyes\n", ("job_sheet_enabled",), (), {})
    case = Case(
        operation="update-service-preferences",
        source=source,
        options=RunOptions(),
        sandbox=SandboxOptions(),
        interruption=Interruption(how, Connected, 1),
    )
    async with stage_of(case, tmp_path) as stage:
        path = tmp_path / "source.csv"
        path.write_bytes(source.content)
        await stage.begin(path, "first", case.options)
        stopped = await stage.carry_on("first")
        assert stopped is not None
        assert (stopped.summary["state"], stopped.statuses) == ("interrupted", ["unsent"])
        finished = await stage.carry_on("first")
        assert finished is not None
        assert (finished.summary["state"], finished.statuses) == ("finished", ["unchanged"])
