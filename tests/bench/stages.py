"""The figures of single stages: starting up, checking, ingest, and workbooks in and out."""

from __future__ import annotations

from .figures import Line, Target
from .rounds import Group, Work
from .scale import Scale
from .sources import Source
from .standin import Settings

__all__ = ["checking", "ingest", "starting", "xlsx_reading", "xlsx_report"]

_BY_HAND_CPU = "  the same in CPU"


def starting(scale: Scale) -> Group:
    """What `--help` costs beyond an interpreter that does nothing; in CPU, so that a busy disk does not count."""
    line = Line(
        name="start.cpu",
        title="`--help`: CPU beyond the bare interpreter",
        work="--help",
        take="cpu",
        over=("pass", "cpu"),
        less=True,
        target=Target(required=0.2, aim=0.1),
        unit="s",
    )
    works = (
        Work(label="--help", command=("-m", "bulkzcrm", "--help")),
        Work(label="pass", command=("-c", "pass")),
    )
    return Group(name="start", works=works, lines=(line,), rounds=2 * scale.rounds)


def checking(scale: Scale) -> Group:
    """`check` with its report, against reading and converting alone."""
    csv, varied = Source(form="csv", rows=scale.rows), Source(form="csv", rows=scale.rows, varied=True)
    return Group(
        name="check",
        works=(
            Work(label="check", does="ours.check_source", source=csv),
            Work(label="by hand", does="baseline.check_by_hand", source=csv),
            Work(label="check, varied", does="ours.check_source", source=varied),
            Work(label="by hand, varied", does="baseline.check_by_hand", source=varied),
            Work(label="reading", does="ours.read_source", source=csv, counted=False),
            Work(label="csv.reader", does="limits.read_csv_alone", source=csv, counted=False),
        ),
        lines=(
            Line(
                name="check.wall",
                title="`check` of a CSV / csv.reader and conversion by hand",
                work="check",
                take="wall",
                over=("by hand", "wall"),
                target=Target(required=2.0, aim=1.4),
            ),
            Line(name="check.cpu", title=_BY_HAND_CPU, work="check", take="cpu", over=("by hand", "cpu")),
            Line(
                name="check.varied",
                title="  the same where hardly two cells are alike, wall",
                work="check, varied",
                take="wall",
                over=("by hand, varied", "wall"),
            ),
            Line(
                name="check.reading",
                title="  reading a CSV / csv.reader alone, CPU",
                work="reading",
                take="cpu",
                over=("csv.reader", "cpu"),
            ),
        ),
    )


def ingest(scale: Scale) -> Group:
    """The first phase of a run, into the durable journal."""
    csv = Source(form="csv", rows=scale.rows)
    return Group(
        name="ingest",
        works=(
            Work(label="ingest", does="ours.ingest_source", source=csv, server=Settings()),
            Work(label="by hand", does="baseline.ingest_by_hand", source=csv),
        ),
        lines=(
            Line(
                name="ingest.wall",
                title="ingest / by hand, one durable insert per 1,000 rows",
                work="ingest",
                take="wall",
                over=("by hand", "wall"),
                target=Target(required=2.0, aim=1.3),
            ),
            Line(name="ingest.cpu", title=_BY_HAND_CPU, work="ingest", take="cpu", over=("by hand", "cpu")),
        ),
    )


def xlsx_reading(scale: Scale) -> Group:
    """Reading a workbook, against what everybody reads them with."""
    xlsx = Source(form="xlsx", rows=scale.rows)
    return Group(
        name="xlsx-read",
        works=(
            Work(label="reading", does="ours.read_source", source=xlsx, counted=False),
            Work(label="openpyxl", does="limits.read_workbook_alone", source=xlsx, counted=False),
        ),
        lines=(
            Line(
                name="xlsx-read.wall",
                title="reading XLSX / openpyxl read-only alone",
                work="reading",
                take="wall",
                over=("openpyxl", "wall"),
                target=Target(required=1.3, aim=0.5),
            ),
            Line(name="xlsx-read.cpu", title=_BY_HAND_CPU, work="reading", take="cpu", over=("openpyxl", "cpu")),
        ),
    )


def xlsx_report(scale: Scale) -> Group:
    """Writing a workbook, against the quickest way that there is, and the quickest library that is well kept."""
    few = Source(form="csv", rows=1_000, bad_one_in=0)
    rows = {"rows": scale.rows}
    return Group(
        name="xlsx-report",
        works=(
            Work(label="report", does="report.write_report", source=few, server=Settings(), arguments=rows),
            Work(label="by hand", does="limits.write_by_hand", arguments=rows),
            Work(label="xlsxwriter", does="limits.write_by_xlsxwriter", arguments=rows),
        ),
        lines=(
            Line(
                name="xlsx-report.wall",
                title="XLSX report / the fastest writer alone (by hand)",
                work="report",
                take="wall",
                over=("by hand", "wall"),
                target=Target(required=1.3, aim=1.1),
            ),
            Line(name="xlsx-report.cpu", title=_BY_HAND_CPU, work="report", take="cpu", over=("by hand", "cpu")),
            Line(
                name="xlsx-report.library",
                title="  XLSX report / xlsxwriter, constant memory",
                work="report",
                take="wall",
                over=("xlsxwriter", "wall"),
            ),
        ),
    )
