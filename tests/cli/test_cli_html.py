"""The page for people and the causes, as commands make them: what a run tells, its page tells in the same words."""

from __future__ import annotations

import csv
import html
import json
import re
import shlex
import signal
from pathlib import Path

import pytest
from forwarder import Heard, Say
from old_formats import write_as_before
from terminal import SERVICES, Served, Terminal, services

from bulkzcrm.journal import Journal
from bulkzcrm.journal.place import FILE_NAME

BAD = "{},60,Client Address,Nobody {},Every Business Days,50\n"
SHORT = "{},{},Client Address,tom.weber@brighthome.example,Every Business Days,50\n"
MIXED = services("A", "B") + "".join(BAD.format(name, name) for name in "CDE") + SHORT.format("F", 5)
HTML = ("--format", "html")
SANDBOX = ("run", "create-services", "rows.csv", "--sandbox", "--output", "out")
BUSY = Say(429, {"code": "TOO_MANY_REQUESTS", "details": {}, "message": "slow down", "status": "error"})


def page_of(path: str | Path) -> str:
    return Path(path).read_text("utf-8")


def commands_in(page: str) -> list[str]:
    return [html.unescape(found) for found in re.findall(r'<div class="command"><code>(.*?)</code>', page, re.DOTALL)]


def rows_in(page: str) -> list[list[object]]:
    slabs = re.findall(r'<script type="application/json" class="slab">(.*?)</script>', page)
    return [row for slab in slabs for row in json.loads(slab)]


@pytest.fixture
def mixed(terminal: Terminal) -> Terminal:
    terminal.write("rows.csv", MIXED)
    return terminal


# -- causes


def test_the_summary_tells_the_causes_and_they_add_up(mixed: Terminal):
    ended = mixed.type(*SANDBOX, "--json")
    causes = ended.object["causes"]
    assert [(cause["code"], cause["status"], cause["count"], cause["rows"]) for cause in causes] == [
        ("NAME_NOT_FOUND", "invalid", 3, [4, 5, 6]),
        ("INVALID_DATA", "invalid", 1, [7]),
    ]
    assert causes[0]["message"] == "The organisation has nothing called “…” for Members."
    assert causes[1]["remedy"] == "Give a whole number from 15 to 1440."
    assert sum(cause["count"] for cause in causes) == ended.object["rows"] - ended.object["succeeded"]
    assert json.loads((mixed.folder / "out/summary.json").read_bytes())["causes"] == causes


def test_the_terminal_tells_the_largest_causes_on_standard_error_alone(mixed: Terminal):
    ended = mixed.type(*SANDBOX)
    assert "What went wrong:\n  3 rows (4, 5, 6), invalid NAME_NOT_FOUND: The organisation has" in ended.err
    assert "  row 7 (cell B7), invalid INVALID_DATA: Duration is …; it must lie between 15 and 1440." in ended.err
    assert "What went wrong" not in ended.out
    # What a terminal shows is often kept as a log, which shall hold no value of a row.
    assert "Nobody" not in ended.err
    assert ended.err.index("What went wrong") < ended.err.index("To mend")
    quiet = mixed.type(*SANDBOX[:-1], "quiet", "--quiet")
    assert quiet.err == ""


def test_where_all_is_well_nothing_is_said_of_causes(terminal: Terminal):
    terminal.write("rows.csv", services("A"))
    ended = terminal.type(*SANDBOX, "--json")
    assert ended.object["causes"] == []
    assert "went wrong" not in ended.err


def test_of_many_causes_the_first_are_told_and_the_others_are_counted(terminal: Terminal):
    lines = [
        ",60,Client Address,tom.weber@brighthome.example,Every Business Days,50\n",
        "A,5,Client Address,tom.weber@brighthome.example,Every Business Days,50\n",
        "B,60,Nowhere,tom.weber@brighthome.example,Every Business Days,50\n",
        "C,60,Client Address,nobody,Every Business Days,50\n",
        "D,60,Client Address,tom.weber@brighthome.example,Never,50\n",
        "E,60,Client Address,tom.weber@brighthome.example,Every Business Days,-1\n",
        "F,,Client Address,tom.weber@brighthome.example,Every Business Days,50\n",
        "G,60,,tom.weber@brighthome.example,Every Business Days,50\n",
        "H,60,Client Address,,Every Business Days,50\n",
        "I,60,Client Address,tom.weber@brighthome.example,,50\n",
        "J,60,Client Address,tom.weber@brighthome.example,Every Business Days,\n",
    ]
    terminal.write("rows.csv", SERVICES + "".join(lines))
    ended = terminal.type(*SANDBOX)
    assert ended.err.count("\n  row ") == 8
    assert "  and 3 other causes of 3 rows, in results.csv\n" in ended.err


# -- the page


def test_a_run_writes_the_page_on_request_and_names_it(mixed: Terminal):
    plain = mixed.type(*SANDBOX[:-1], "plain", "--json")
    assert "results_html" not in plain.object["files"]
    assert "as a page" not in plain.err
    ended = mixed.type(*SANDBOX, *HTML, "--json")
    page = page_of(ended.object["files"]["results_html"])
    assert ended.object["files"]["results_html"] == str(mixed.folder / "out/results.html")
    assert "4 of 6 rows did not succeed" in page
    assert "Bright Home Services" in page
    assert ended.object["run"] in page
    assert f"All of it as a page: {mixed.folder / 'out/results.html'}\n" in ended.err
    assert [row[1] for row in rows_in(page)] == ["succeeded"] * 2 + ["invalid"] * 4


def test_the_page_says_the_commands_that_the_terminal_says(mixed: Terminal):
    ended = mixed.type(*SANDBOX, *HTML, "--date-format", "dmy")
    (said,) = [line.strip() for line in ended.err.splitlines() if line.startswith("  bulkzcrm run")]
    page = page_of(mixed.folder / "out/results.html")
    assert commands_in(page)[0] == said
    assert "To mend: 4 rows in failed.csv. Correct them there, then:" in page
    words = shlex.split(commands_in(page)[-1])
    again = mixed.type(*words[1:])
    assert (words[1], again.status) == ("report", 0)


def test_a_stopped_run_says_how_it_is_resumed_and_the_page_is_made_anew_then(connected: Terminal, served: Served):
    connected.write("rows.csv", services(*"ABC"))
    served.wire.script(Say(403, {"code": "NO_PERMISSION", "details": {}, "message": "no", "status": "error"}))
    ended = connected.type("run", "create-services", "rows.csv", "--yes", "--output", "out", *HTML)
    page = page_of(connected.folder / "out/results.html")
    assert commands_in(page)[0] == ended.last
    assert "Stopped with 3 of 3 rows left to settle" in page
    resumed = connected.type(*shlex.split(ended.last)[1:], "--json")
    page = page_of(resumed.object["files"]["results_html"])
    assert "All 3 rows succeeded" in page
    assert not [command for command in commands_in(page) if "resume" in command]


def test_a_check_has_a_page_too_and_says_what_only_the_organisation_can_tell(mixed: Terminal):
    ended = mixed.type("check", "create-services", "rows.csv", "--output", "out", *HTML)
    assert "What went wrong:\n  row 7 (cell B7), invalid INVALID_DATA" in ended.err
    page = page_of(mixed.folder / "out/results.html")
    assert "1 of 6 rows is not valid" in page
    assert "What only the organisation can tell" in page
    assert "Nothing was sent." in page
    assert commands_in(page) == []


def test_report_writes_the_page_of_any_run(mixed: Terminal):
    run = mixed.type(*SANDBOX, "--json").object["run"]
    assert not (mixed.folder / "out/results.html").exists()
    ended = mixed.type("report", run, *HTML, "--output", "elsewhere", "--json")
    page = page_of(ended.object["files"]["results_html"])
    assert f"bulkzcrm report {run} --format html --output" in page
    assert [row[0] for row in rows_in(page)] == [2, 3, 4, 5, 6, 7]


def test_a_retry_and_the_steps_of_a_job_write_it_as_well(mixed: Terminal):
    run = mixed.type(*SANDBOX, *HTML, "--json").object["run"]
    retried = mixed.type("retry", run, "--output", "again", "--json")
    assert (mixed.folder / "again/results.html").exists(), retried.err
    mixed.write(
        "job.toml",
        'name = "two"\nformat = "html"\nmask = true\non_failed_rows = "continue"\n'
        + '[[step]]\noperation = "create-services"\nsource = "rows.csv"\n' * 2,
    )
    job = mixed.type("run", "--job", "job.toml", "--sandbox", "--output", "job", "--allow-duplicates", "--json")
    pages = [page_of(step["files"]["results_html"]) for step in job.object["steps"]]
    assert len(pages) == 2
    assert all("Values are hidden in this page" in page for page in pages)


# -- hiding values


def test_values_are_hidden_in_the_page_alone_and_by_whoever_writes_it_again(mixed: Terminal):
    ended = mixed.type(*SANDBOX, *HTML, "--mask")
    page = page_of(mixed.folder / "out/results.html")
    for value in ("tom.weber", "Nobody", "Client Address"):
        assert value not in page
        assert value in (mixed.folder / "out/results.csv").read_text("utf-8")
    (said,) = [line for line in ended.err.splitlines() if line.startswith("  bulkzcrm run")]
    assert "--mask" in said
    run = ended.out.split()[1]
    mixed.type("report", run, *HTML)
    assert "Nobody" not in page_of(mixed.folder / "out/results.html")


def test_a_page_can_be_masked_when_it_is_written_again(mixed: Terminal):
    run = mixed.type(*SANDBOX, *HTML, "--json").object["run"]
    assert "Nobody C" in page_of(mixed.folder / "out/results.html")
    mixed.type("report", run, *HTML, "--mask")
    page = page_of(mixed.folder / "out/results.html")
    assert "Nobody C" not in page
    assert commands_in(page)[-1].endswith("--mask")


# -- requests over time


def counted(terminal: Terminal, run: str) -> tuple[int, int]:
    """How many requests the journal has counted of a run over time, and how many were turned away."""
    with Journal.open(terminal.home) as journal:
        seconds = journal.traffic(run)
    return sum(each.requests for each in seconds), sum(each.throttled for each in seconds)


def test_requests_over_time_are_all_that_the_run_has_made(connected: Terminal, served: Served):
    connected.write("rows.csv", services(*"ABCDE"))
    served.wire.script(BUSY)
    ended = connected.type("run", "create-services", "rows.csv", "--yes", "--output", "out", "--json", *HTML)
    assert counted(connected, ended.object["run"]) == (ended.object["requests"], 1)
    assert "1 turned away with 429" in page_of(ended.object["files"]["results_html"])


def test_requests_over_time_are_right_after_resuming(connected: Terminal, served: Served):
    connected.write("rows.csv", services(*"ABCDE"))

    async def interrupt(heard: Heard) -> None:
        if heard.is_write and len(served.wire.writes) == 2:
            signal.raise_signal(signal.SIGINT)

    served.wire.interfere = interrupt
    sizes = ("--batch-size", "1", "--concurrency", "1")
    ended = connected.type("run", "create-services", "rows.csv", "--yes", "--output", "out", "--json", *sizes)
    assert (ended.status, ended.object["succeeded"]) == (130, 2)
    assert counted(connected, ended.object["run"]) == (ended.object["requests"], 0)
    served.wire.script()
    resumed = connected.type(*shlex.split(ended.last)[1:], "--json")
    assert resumed.object["requests"] > ended.object["requests"]
    assert counted(connected, ended.object["run"]) == (resumed.object["requests"], 0)


def test_requests_of_an_older_program_are_told_apart(connected: Terminal, served: Served):
    """The former format of the journal has none of them; a run that was stopped in it goes on in the present one."""
    connected.write("rows.csv", services(*"ABCDE"))

    async def interrupt(heard: Heard) -> None:
        if heard.is_write and len(served.wire.writes) == 2:
            signal.raise_signal(signal.SIGINT)

    served.wire.interfere = interrupt
    sizes = ("--batch-size", "1", "--concurrency", "1")
    ended = connected.type("run", "create-services", "rows.csv", "--yes", "--output", "out", "--json", *sizes, *HTML)
    assert "further request" not in page_of(connected.folder / "out/results.html")
    with Journal.open(connected.home) as journal:
        before = write_as_before(journal, connected.folder / "before")
    before.replace(connected.home / FILE_NAME)
    served.wire.script()
    resumed = connected.type(*shlex.split(ended.last)[1:], "--json")
    assert served.created == list("ABCDE")
    known, _ = counted(connected, ended.object["run"])
    assert 0 < known < resumed.object["requests"]
    said = f"Of {resumed.object['requests'] - known} further requests it is not known when they were made."
    assert said in page_of(connected.folder / "out/results.html")


def test_corrections_in_the_failed_file_are_left_alone_and_the_page_names_the_new_one(mixed: Terminal):
    run = mixed.type(*SANDBOX, *HTML, "--json").object["run"]
    (mixed.folder / "out/failed.csv").write_text("mine")
    mixed.type("report", run, *HTML)
    assert (mixed.folder / "out/failed.csv").read_text() == "mine"
    assert "failed (2).csv" in commands_in(page_of(mixed.folder / "out/results.html"))[0]


@pytest.mark.parametrize(
    "value",
    [
        'a"SECRETVALUE',
        'a" SECRETVALUE "b',
        "a”SECRETVALUE",
        "a” SECRETVALUE “b",
        "“SECRETVALUE",
        '"SECRETVALUE"',
        "”SECRETVALUE“",
    ],
)
def test_a_value_with_quotation_marks_in_it_is_hidden_as_a_whole(terminal: Terminal, value: str):
    columns = ("Location", "Duration", "Price", "Members")
    whole = {"Location": "Client Address", "Duration": "60", "Price": "5", "Members": "tom.weber@brighthome.example"}
    with (terminal.folder / "quotes.csv").open("w", encoding="utf-8", newline="") as stream:
        lines = csv.writer(stream)
        lines.writerow(["Service_Name", "Availability_Type", *columns])
        lines.writerows(
            [f"Row of {wrong}", "Every Business Days", *(whole | {wrong: value}).values()] for wrong in columns
        )
    ending = terminal.type(
        *("run", "create-services", "quotes.csv", "--sandbox", "--mask", "--format", "html", "-o", "out", "--verbose")
    )
    assert "4 rows: 4 invalid" in ending.out
    assert "SECRET" not in ending.err
    for name in ("summary.json", "results.html", "run.log"):
        assert "SECRET" not in (terminal.folder / "out" / name).read_text("utf-8"), name
