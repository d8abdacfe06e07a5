"""What is measured is worth comparing: the works do the same, each row once, and every target has its figure."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from bulkzcrm.ingest import open_source
from bulkzcrm.journal.place import FILE_NAME

from .adaptive import LATENCIES, LIMITS, find_limits, simulated
from .benchmarks import groups
from .comparing import compared
from .journal import lines
from .limits import read_csv_alone, read_workbook_alone, report_lines, write_by_hand, write_by_xlsxwriter
from .processes import ROOT, measured
from .rounds import Work, measure
from .scale import FULL, QUICK
from .serving import serving
from .sources import COLUMNS, Source
from .standin import Settings, Stand
from .stopwatch import Stopwatch, peak_mb
from .trees import commit_name, committed


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The works write where they stand, and sources are kept in the folder for temporary files."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))


def test_a_source_has_as_many_bad_rows_as_it_says_and_the_same_rows_in_every_form() -> None:
    read = {}
    for source in (Source(form=form, rows=300) for form in ("csv", "jsonl", "xlsx")):
        with open_source(str(source.path)) as table:
            names = [column.name for column in table.columns]
            read[source.form] = [dict(zip(names, row.cells, strict=True)) for row in table.rows]
        assert len(read[source.form]) == 300
        assert (source.good, source.bad) == (297, 3)
    for name in ("Service_Name", "Status", "Available_Timings"):
        assert len({json.dumps([row[name] for row in rows]) for rows in read.values()}) == 1
    assert Source(form="csv", rows=300, bad_one_in=0).bad == 0


def test_of_a_varied_source_hardly_two_cells_of_a_column_are_alike() -> None:
    def different(*, varied: bool) -> dict[str, int]:
        path = Source(form="csv", rows=1000, varied=varied).path
        with path.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        return {name: len({row[name] for row in rows}) for name in COLUMNS}

    usual, all_else = different(varied=False), different(varied=True)
    free = ("Duration", "Members", "Available_From", "Available_Till", "Available_Timings", "Description")
    assert [name for name in free if all_else[name] < 6 * usual[name]] == []
    assert all_else["Unavailable_From"] == all_else["Cost Centre"] == 1000


def test_what_a_row_takes_in_the_journal_is_told_in_parts() -> None:
    source = Source(form="csv", rows=2000)
    Path("run").mkdir()
    with serving(Settings()) as server:
        arguments = {"source": str(source.path), "good": source.good, "bad": source.bad, "environ": server.environ}
        measured("ours.run_source", arguments, folder=Path("run"))
    (journal,) = Path("run").rglob(FILE_NAME)
    first, *others = lines(journal)
    assert first == "2,000 rows"
    told = {name: float(size) for size, _, name in (line.lstrip().partition("  ") for line in others)}
    in_tables = [size for name, size in told.items() if name.endswith("of it empty)")]
    assert not in_tables or told["the file"] / 2 < sum(in_tables) <= told["the file"]
    in_blocks = [size for name, size in told.items() if name.startswith("row_block: ")]
    assert len(in_blocks) == 5
    assert 20 < sum(in_blocks) < told["the file"]


@pytest.mark.parametrize("varied", [False, True])
def test_by_hand_the_same_records_are_made_as_by_the_tool(*, varied: bool) -> None:
    """And the server gets each good row once, from all of them."""
    source = Source(form="csv", rows=400, varied=varied)
    made = []
    for work in ("ours.run_source", "baseline.run_by_hand", "promises.run_safely_by_hand"):
        folder = Path(work)
        folder.mkdir()
        with serving(Settings(keep=True)) as server:
            where = {"environ": server.environ} if work.startswith("ours") else {"url": server.url}
            arguments = {"source": str(source.path), "good": source.good, "bad": source.bad, **where}
            sample = measured(work, arguments, folder=folder)
            account = server.account()
            assert (account.created, account.doubled, sample.rows) == (source.good, 0, source.rows)
            made.append(sorted(json.dumps(record, sort_keys=True) for record in server.kept()))
    assert made[0] == made[1] == made[2]
    for report in ("baseline.run_by_hand", "promises.run_safely_by_hand"):
        with (Path(report) / "by-hand.csv").open(encoding="utf-8-sig", newline="") as stream:
            statuses = [row["result_status"] for row in csv.DictReader(stream)]
        assert (statuses.count("succeeded"), statuses.count("invalid")) == (source.good, source.bad)


@pytest.mark.parametrize(
    "work",
    [
        Work(label="check", does="ours.check_source", source=Source(form="csv", rows=200)),
        Work(label="ingest", does="ours.ingest_source", source=Source(form="csv", rows=200), server=Settings()),
        Work(
            label="no sync",
            does="ours.run_source",
            source=Source(form="csv", rows=200),
            server=Settings(),
            arguments={"durable": False},
        ),
        Work(
            label="25 at once",
            does="ours.run_source",
            source=Source(form="csv", rows=200, bad_one_in=0),
            server=Settings(limit=25, edition="ultimate"),
            arguments={"at_once": 25},
        ),
        Work(
            label="workbook",
            does="ours.command",
            source=Source(form="xlsx", rows=200),
            server=Settings(),
            arguments={"formats": "csv,xlsx"},
        ),
        Work(
            label="report",
            does="report.write_report",
            source=Source(form="csv", rows=200, bad_one_in=0),
            server=Settings(),
            arguments={"rows": 400},
        ),
        Work(label="help", command=("-m", "bulkzcrm", "--help")),
    ],
    ids=lambda work: work.label,
)
def test_each_work_of_ours_can_be_measured(work: Work) -> None:
    sample = measure(work, 0)
    assert sample.cpu > 0
    assert sample.wall > 0
    assert sample.rows in (0, 200, 400)


def test_the_vendors_sdk_does_the_same_work() -> None:
    pytest.importorskip("zohocrmsdk")
    source = Source(form="csv", rows=200)
    work = Work(label="SDK", does="sdk.run_by_sdk", source=source, server=Settings(), arguments={"threads": 3})
    assert measure(work, 0).rows == 200


def test_a_work_that_fails_says_why() -> None:
    with pytest.raises(RuntimeError, match="There is no file"):
        measure(Work(label="x", does="ours.read_source", arguments={"source": "nowhere.csv"}), 0)


def test_a_row_that_comes_twice_and_one_too_many_at_once_show() -> None:
    stand = Stand(Settings(limit=1), {})
    body = b'{"data":[{"Service_Name":"A 0000007"},{"Service_Name":"B 0000007"}]}'
    assert stand.enter()
    assert not stand.enter()
    assert len(json.loads(stand.create(body))["data"]) == 2
    account = stand.account
    assert (account.created, account.doubled, account.throttled, account.most_at_once) == (2, 1, 1, 1)
    assert stand.enter()


def test_readers_and_writers_alone_read_and_write_everything() -> None:
    source = Source(form="csv", rows=50)
    assert read_csv_alone(Stopwatch(), source=str(source.path)) == 50
    assert read_workbook_alone(Stopwatch(), source=str(Source(form="xlsx", rows=50).path)) == 50
    for write in (write_by_hand, write_by_xlsxwriter):
        write(Stopwatch(), rows=1_200)
        with open_source("alone.xlsx", None) as table:
            cells = [row.cells for row in table.rows]
        assert len(cells) == 1_199  # the first one is taken for the header
        assert [str(cell or "") for cell in cells[0]] == [str(cell or "") for cell in report_lines()[1]]


def test_phases_add_up_to_the_whole() -> None:
    watch = Stopwatch()
    sum(range(100_000))
    watch.lap("first")
    watch.lap("second")
    watch.lap("first")
    watch.stop()
    wall = watch.wall
    watch.stop()
    assert watch.wall == wall
    assert 0 < sum(watch.phases.values()) <= wall
    assert set(watch.phases) == set(watch.phases_cpu) == {"first", "second"}
    assert peak_mb() > 10


@pytest.mark.parametrize("scale", [FULL, QUICK], ids=["full", "quick"])
def test_every_line_is_about_a_work_that_is_measured(scale: object) -> None:
    names = set()
    for group in groups(scale):  # type: ignore[arg-type]
        labels = {work.label for work in group.works}
        assert len(labels) == len(group.works)
        for line in group.lines:
            assert line.work in labels
            assert not isinstance(line.over, tuple) or line.over[0] in labels
            assert line.name not in names
            names.add(line.name)


def test_of_two_commits_only_what_is_ours_is_measured_in_both() -> None:
    groups_ = compared(groups(QUICK), Path("earlier"), Path("later"))
    works = [work for group in groups_ for work in group.works]
    assert {work.tree for work in works} == {Path("earlier"), Path("later")}
    assert not any(work.does.startswith(("baseline", "sdk", "limits", "promises")) for work in works)
    for group in groups_:
        labels = {work.label for work in group.works}
        assert {line.work for line in group.lines} | {str(line.over[0]) for line in group.lines} == labels  # type: ignore[index]
        assert all(line.target is None for line in group.lines)


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="there is no repository")
def test_a_commit_is_unpacked_and_what_is_none_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "tree"
    folder.mkdir()
    assert (committed("HEAD", folder) / "bulkzcrm" / "library.py").exists()
    assert commit_name("HEAD")
    with pytest.raises(ValueError, match="no-such-commit"):
        committed("no-such-commit", folder)


def test_the_limiter_never_meets_more_than_it_asks_for_and_the_same_dice_fall_alike() -> None:
    course = simulated(25, (0.2,), seed=1)
    assert course.share_turned_away == 0
    assert course.throughput == pytest.approx(1.0, abs=0.02)
    again = simulated(5, (0.2,), seed=1)
    assert again.answered == simulated(5, (0.2,), seed=1).answered
    assert again.turned_away > 0
    assert 0 < again.throughput <= 1.0


def test_of_every_server_and_latency_there_is_a_figure() -> None:
    (group,) = [group for group in groups(FULL) if group.name == "adaptive"]
    taken = {line.take for line in group.lines}
    assert {f"{limit}: throughput, {name}" for limit in LIMITS for name in LATENCIES} <= taken
    watch = Stopwatch()
    assert find_limits(watch, seed=1) > 10_000
    assert taken <= set(watch.phases)


def test_the_columns_are_fifteen() -> None:
    assert len(COLUMNS) == 15
