"""Pages from which the tests of the HTML report are made: the journal is left out, the rest is as in a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

from report_pages import paged
from report_samples import columns_named

from bulkzcrm.model import Column, Outcome, Problem, Status
from bulkzcrm.report import Causes, ReportRow, State, Summary, each_row, report_row
from bulkzcrm.report.html_report import Facts, write_html
from bulkzcrm.report.timeline import Timeline, timeline
from bulkzcrm.traffic import Second

BEGUN_MS = 1_794_391_200_000
COLUMNS = columns_named(
    "Service Name", "Duration", "Location", "Members", "Availability Type", "Available From", "Available Till", "Price"
)
NAMES = ("Deep Clean", "Boiler Check", "Window Wash", "Garden Care", "Lock Change", "Roof Survey")
TOWNS = ("Leeds", "Köln", "Pune", "Lyon", "Austin", "Porto")


def problem_of(number: int, kind: int) -> Problem:
    match kind:
        case 0:
            return Problem(
                code="INVALID_DATA",
                field="Available_Till",
                message=f"Available_Till (2030-03-{number % 28 + 1:02}) is not after Available_From (2030-04-01).",
                remedy="Give an Available_Till that is at least one day later than Available_From.",
                cell=f"G{number}",
            )
        case 1:
            return Problem(
                code="NAME_NOT_FOUND",
                field="Members",
                message=f"The organisation has nothing called “Person {number}” for Members. Did you mean Tom Weber?",
                remedy="Correct the name, or give the id.",
                cell=f"D{number}",
            )
        case 2:
            return Problem(
                code="DUPLICATE_DATA",
                field="Service_Name",
                message="Another service has this name already. Zoho said: “duplicate data”.",
                remedy="Give another name, or leave the row out.",
                cell=f"A{number}",
            )
        case _:
            return Problem(
                code="",
                field="",
                message="This row has not been written. The run stopped before: the credits of the day are used up.",
                remedy="Resume the run, which sends the row; do not send it by a run of its own.",
            )


def many_rows(count: int) -> Iterator[ReportRow]:
    """Rows as a large import has them: most are well, some are not, and the last were not sent."""
    chance = Random(count)  # noqa: S311 - repeatable on purpose
    for number in range(2, count + 2):
        kind = chance.choices((0, 1, 2, None), (2, 1, 1, 60))[0]
        if number > count - count // 50:
            outcome = Outcome(status=Status.UNSENT, problems=(problem_of(number, 3),))
        elif kind is None:
            outcome = Outcome(
                status=Status.SUCCEEDED,
                record_id=str(5545974000002190000 + number),
                batch=number // 100 + 1,
                attempts=1,
                code="SUCCESS",
            )
        elif kind == 2:
            outcome = Outcome(
                status=Status.REJECTED, problems=(problem_of(number, kind),), batch=number // 100 + 1, attempts=1
            )
        else:
            outcome = Outcome(status=Status.INVALID, problems=(problem_of(number, kind),))
        cells = (
            f"{chance.choice(NAMES)} {chance.choice(TOWNS)} {number}",
            str(chance.choice((30, 45, 60, 90))),
            "Client Address",
            f"Person {number}",
            "Specific Date Range",
            "2030-04-01",
            f"2030-03-{number % 28 + 1:02}",
            f"{chance.randint(20, 400)}.50",
        )
        yield report_row(number=number, cells=cells, outcome=outcome)


def busy(seconds: int) -> Timeline:
    """A run that sent so long, was throttled now and then, and rested for a night."""
    chance = Random(seconds)  # noqa: S311 - repeatable on purpose
    return timeline(
        Second(
            begin_ms=BEGUN_MS + 1000 * (second + (28_800 if second > seconds // 2 else 0)),
            requests=(count := chance.randint(5, 11)),
            throttled=chance.choice((0, 0, 0, 0, 3)),
            failed=chance.choice((0, 0, 0, 0, 0, 0, 1)),
            latency_ms=count * chance.randint(240, 520),
            slowest_ms=chance.randint(600, 2400),
        )
        for second in range(seconds)
    )


def summary_of(rows: Iterable[ReportRow], causes: Causes, **changes: object) -> Summary:
    """Count rows, as writing them does in a run."""
    counts: dict[Status, int] = {}
    for row in each_row(causes.watching(paged(rows))):
        status = Status(row.result[1])
        counts[status] = counts.get(status, 0) + 1
    facts: dict[str, object] = {
        "run": "20261112-090000-1f2e3d4a5",
        "operation": "create-services",
        "organisation": "Bright Home Services",
        "state": State.STOPPED if counts.get(Status.UNSENT) else State.FINISHED,
        "rows": sum(counts.values()),
        "counts": counts,
        "causes": causes.told(),
    }
    return Summary(**(facts | changes))


def facts_of(folder: Path, summary: Summary) -> Facts:
    return Facts(
        summary=replace(summary, files={"results": folder / "results.csv"}),
        operation="Create services, one a row.",
        source="prices.xlsx",
        begun_ms=BEGUN_MS,
        as_of_ms=BEGUN_MS + 300_000,
    )


def written_page(
    folder: Path,
    rows: Sequence[ReportRow],
    *,
    columns: Sequence[Column] = COLUMNS,
    most_rows: int = 50_000,
    facts: dict[str, object] | None = None,
    **changes: object,
) -> Path:
    """Write a page of these rows, and return its path."""
    causes = Causes()
    summary = summary_of(rows, causes, **changes)
    told = facts_of(folder, summary)
    path = folder / "results.html"
    with path.open("wb") as stream:
        write_html(stream, columns, lambda: paged(rows), causes, replace(told, **(facts or {})), most_rows=most_rows)
    return path
