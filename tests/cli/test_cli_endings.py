"""How commands end: exit status, counts, the one JSON object, the next step."""

from __future__ import annotations

import csv
import io
import logging
import shlex
import signal
from pathlib import Path

import openpyxl
import pytest
from forwarder import Heard, Say
from terminal import KEYS, Ended, Served, Terminal, services, serving

from bulkzcrm.logs import logger, logging_to

BAD_MEMBER = "Spoiled,60,Client Address,nobody@brighthome.example,Every Business Days,50\n"


def results(folder: Path, name: str = "results.csv") -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def offered(ending: Ended) -> list[str]:
    """The words of the command that gives the mended failed.csv back."""
    lines = ending.err.splitlines()
    return shlex.split(lines[next(at for at, line in enumerate(lines) if line.startswith("To mend:")) + 1])[1:]


def test_a_run_whose_rows_all_succeed_ends_with_0_and_one_with_failed_rows_with_1(terminal: Terminal):
    terminal.write("good.csv", services("A", "B"))
    ending = terminal.type("run", "create-services", "good.csv", "--sandbox", "-o", "good")
    assert (ending.status, ending.out.splitlines()[0].partition(" finished: ")[2]) == (0, "2 rows: 2 succeeded")
    assert ending.out.splitlines()[1] == f"report: {terminal.folder / 'good' / 'results.csv'}"
    terminal.write("bad.csv", services("A", "B") + BAD_MEMBER)
    ending = terminal.type("run", "create-services", "bad.csv", "--sandbox", "-o", "bad")
    assert (ending.status, ending.out.splitlines()[0].partition(" finished: ")[2]) == (
        1,
        "3 rows: 2 succeeded, 1 invalid",
    )


def test_json_is_one_object_with_all_keys_in_order_and_equals_summary_json(terminal: Terminal):
    terminal.write("bad.csv", services("A") + BAD_MEMBER)
    ending = terminal.type("run", "create-services", "bad.csv", "--sandbox", "--json", "-o", "out")
    told = ending.object
    assert list(told) == KEYS
    assert told["state"] == "finished"
    assert told["rows"] == 2 == sum(told[name] for name in KEYS[6:12])
    assert all(Path(path).is_absolute() and Path(path).exists() for path in told["files"].values())
    assert set(told["files"]) == {"results", "failed", "summary", "log"}
    assert Ended(0, "".join((terminal.folder / "out/summary.json").read_text().split("\n")) + "\n", "").object == told


def test_check_has_the_further_keys_and_neither_a_run_nor_a_journal(terminal: Terminal):
    terminal.write("bad.csv", services("A") + "Spoiled,x,Client Address,,Every Business Days,50\n")
    ending = terminal.type("check", "create-services", "bad.csv", "--json")
    told = ending.object
    assert ending.status == 1
    assert list(told) == [*KEYS[:12], "valid", *KEYS[12:], "not_checked"]
    assert (told["run"], told["resume"], told["rows"], told["valid"], told["invalid"]) == (None, None, 2, 1, 1)
    assert told["not_checked"]
    assert not terminal.home.exists()


def test_a_refusal_tells_one_object_and_leaves_nothing_behind(terminal: Terminal):
    for words in (("run", "create-services", "none.csv", "--sandbox"), ("check", "create-services", "none.csv")):
        ending = terminal.type(*words, "--json")
        told = ending.object
        assert (ending.status, told["state"], told["rows"]) == (2, "refused", 0)
        assert told["stopped_because"] == ending.why
        assert list(terminal.folder.iterdir()) == []
    assert terminal.type("runs").out == "There are no runs yet.\n"


@pytest.mark.parametrize(
    "words",
    [
        ("run", "--json"),
        ("run", "create-services", "--json"),
        ("run", "create-services", "a.csv", "--json", "--bogus"),
        ("check", "create-services", "a.csv", "--json", "--header-row", "none"),
        ("resume", "--json"),
        ("resume", "no-run", "--json"),
        ("retry", "--json"),
        ("report", "no-run", "--json"),
        ("run", "--job", "none.toml", "--json"),
        ("auth", "status", "--json"),
    ],
)
def test_every_command_that_was_asked_for_json_tells_one_object_when_it_is_refused(terminal: Terminal, words):
    ending = terminal.type(*words)
    assert ending.status == 2
    assert ending.object.get("state", "refused") == "refused"
    assert ending.err


def test_a_run_that_stops_ends_with_3_and_its_last_line_resumes_it(connected: Terminal, served: Served):
    connected.write("good.csv", services("A", "B", "C"))
    served.wire.script(None, Say(403, {"code": "NO_PERMISSION", "details": {}, "message": "no", "status": "error"}))
    words = ("run", "create-services", "good.csv", "--yes", "--json", "--batch-size", "1", "--concurrency", "1")
    ending = connected.type(*words)
    told = ending.object
    assert (ending.status, told["state"], told["succeeded"], told["unsent"]) == (3, "stopped", 1, 2)
    assert told["stopped_because"] == ending.why
    assert ending.last == told["resume"] == f"bulkzcrm resume {told['run']}"

    ending = connected.type(*shlex.split(ending.last)[1:], "--json", "--yes")
    told = ending.object
    assert (ending.status, told["state"], told["succeeded"], told["resume"]) == (0, "finished", 3, None)
    assert sorted(served.created) == ["A", "B", "C"]


def test_resume_without_a_run_takes_the_latest_that_can_be_resumed(connected: Terminal, served: Served):
    served.wire.script(*[Say(403, {"code": "NO_PERMISSION", "details": {}, "message": "no", "status": "error"})] * 2)
    for name in ("first", "second"):
        connected.write(f"{name}.csv", services(name))
        assert connected.type("run", "create-services", f"{name}.csv", "--yes").status == 3
    for name in ("second", "first"):
        assert connected.type("resume", "--yes").status == 0
        assert served.created[-1] == name
    assert connected.type("resume", "--yes").why.startswith("There is no run that can be resumed.")


def test_without_a_terminal_nothing_is_sent_unless_yes_is_given(connected: Terminal, served: Served):
    connected.write("good.csv", services("A"))
    ending = connected.type("run", "create-services", "good.csv", "--json")
    assert (ending.status, ending.object["state"]) == (2, "refused")
    assert "--yes" in ending.why
    assert "Bright Home Services" in ending.err
    assert "1 row in 1 batch" in ending.err
    assert not served.wire.writes
    assert connected.type("runs").out == "There are no runs yet.\n"
    assert connected.type("run", "create-services", "good.csv", "--yes").status == 0
    assert served.created == ["A"]


def test_standard_input_is_a_source_and_needs_yes(connected: Terminal, served: Served):
    source = services("From a pipe").encode()
    assert "--yes" in connected.type("run", "create-services", "-", stdin=source).why
    ending = connected.type("run", "create-services", "-", "--yes", "--json", stdin=source)
    assert (ending.status, ending.object["succeeded"]) == (0, 1)
    assert served.created == ["From a pipe"]
    assert connected.type("check", "create-services", "-", stdin=b"").why.startswith("- is empty.")


def test_progress_goes_to_standard_error_and_quiet_and_verbose_change_how_much(terminal: Terminal):
    terminal.write("bad.csv", services("A") + BAD_MEMBER)
    words = ("run", "create-services", "bad.csv", "--sandbox")
    plain, quiet, verbose = (terminal.type(*words, *more) for more in ((), ("--quiet",), ("--verbose",)))
    assert "sending: 1 of 1 row" in plain.err
    assert "\x1b" not in plain.err + plain.out
    assert quiet.err == ""
    assert "batch=1" in verbose.err
    assert {ending.out.count("\n") for ending in (plain, quiet, verbose)} == {2}


def test_failed_csv_mended_goes_back_by_the_command_that_the_run_prints(terminal: Terminal):
    terminal.write(
        "odd names.csv",
        "Label;Duration;Place;Members;Availability Type;Price;From;Till;Note\n"
        "One;60;Client Address;tom.weber@brighthome.example;Specific Date Range;1,5;31/12/2098;31/12/2099;=SUM(A1)\n"
        "Two;60;Client Address;nobody;Specific Date Range;2,5;01/02/2098;31/12/2099;kept\n",
    )
    options = ("--map", "Label=Service_Name", "--map", "From=Available_From", "--map", "Till=Available_Till")
    more = (
        "--set",
        "Location=Client Address",
        "--set",
        "Description=a = b",
        "--ignore-column",
        "Place",
        "--decimal",
        ",",
    )
    ending = terminal.type("run", "create-services", "odd names.csv", "--sandbox", *options, *more, "-o", "an output")
    assert ending.status == 1, ending.err
    words = offered(ending)
    assert words[words.index("--date-format") + 1] == "dmy"
    failed = Path(words[2])
    assert [row["Label"] for row in results(failed.parent, "failed.csv")] == ["Two"]
    failed.write_text(failed.read_text("utf-8-sig").replace("nobody", "Tom Weber"), "utf-8-sig")
    again = terminal.type(*words, "--json", "-o", "again")
    assert (again.status, again.object["rows"], again.object["succeeded"]) == (0, 1, 1), again.err
    (row,) = results(terminal.folder / "again")
    assert (row["Label"], row["Note"], row["result_status"], "Place" in row) == ("Two", "kept", "succeeded", True)


def test_a_report_is_written_again_in_any_format_and_folder(terminal: Terminal):
    terminal.write("bad.csv", services("A") + BAD_MEMBER)
    run = terminal.type("run", "create-services", "bad.csv", "--sandbox", "--json").object["run"]
    first = (terminal.folder / "bulkzcrm-runs" / run / "results.csv").read_bytes()
    ending = terminal.type("report", run, "--format", "xlsx,jsonl", "-o", "elsewhere", "--json")
    told = ending.object
    assert (ending.status, told["run"], told["rows"]) == (0, run, 2)
    elsewhere = terminal.folder / "elsewhere"
    assert (elsewhere / "results.csv").read_bytes() == first
    assert len((elsewhere / "results.jsonl").read_text().splitlines()) == 2
    sheet = openpyxl.load_workbook(elsewhere / "results.xlsx").active
    assert [row[0] for row in sheet.iter_rows(values_only=True)] == ["Service_Name", "A", "Spoiled"]
    assert (
        f"{run}  finished     create-services  bad.csv to a sandbox: 1 succeeded, 1 invalid"
        in terminal.type("runs").out
    )
    assert terminal.type("runs", "--json").object["runs"][0]["run"] == run
    assert terminal.type("report", run, "--format", "pdf").status == 2


def test_a_folder_that_holds_another_runs_report_is_refused(terminal: Terminal):
    terminal.write("good.csv", services("A"))
    assert terminal.type("run", "create-services", "good.csv", "--sandbox", "-o", "out").status == 0
    before = {path.name: path.read_bytes() for path in (terminal.folder / "out").iterdir()}
    for words in (("run", "create-services", "good.csv", "--sandbox"), ("check", "create-services", "good.csv")):
        ending = terminal.type(*words, "-o", "out")
        assert (ending.status, "already holds the report of another run" in ending.why) == (2, True)
    assert {path.name: path.read_bytes() for path in (terminal.folder / "out").iterdir()} == before


def test_formats_are_refused_before_anything_is_sent_wherever_they_are_named(connected: Terminal, served: Served):
    connected.write("good.csv", services("A") + BAD_MEMBER)
    connected.write("job.toml", 'format = "pdf"\n[[step]]\noperation = "create-services"\nsource = "good.csv"\n')
    assert connected.type("run", "create-services", "good.csv", "--yes", "--format", "pdf").status == 2
    assert connected.type("run", "--job", "job.toml", "--yes").status == 2
    assert not served.wire.writes
    assert connected.type("run", "create-services", "good.csv", "--yes").status == 1
    assert connected.type("retry", "--yes", "--format", "pdf").status == 2
    assert len(served.wire.writes) == 1


def test_retry_takes_the_failed_rows_once_and_nothing_else(connected: Terminal, served: Served):
    doubled = services("A", "Twin", "Twin") + BAD_MEMBER
    connected.write("bad.csv", doubled)
    first = connected.type("run", "create-services", "bad.csv", "--yes", "--json").object
    assert (first["succeeded"], first["invalid"]) == (2, 2)
    second = connected.type("retry", first["run"], "--yes", "--json")
    told = second.object
    assert (second.status, told["rows"], told["invalid"]) == (1, 1, 1)
    (row,) = results(Path(told["files"]["results"]).parent)
    assert (row["Service_Name"], row["result_row"]) == ("Spoiled", "5")
    third = connected.type("retry", first["run"], "--yes")
    assert (third.status, third.why.startswith(f"The run {first['run']} has no failed row left to retry.")) == (2, True)
    latest = connected.type("retry", "--yes", "--json")
    assert (latest.status, latest.object["rows"]) == (1, 1)
    assert served.created == ["A", "Twin"]


def test_retry_refuses_a_run_that_can_be_resumed(connected: Terminal, served: Served):
    connected.write("good.csv", services("A"))
    served.wire.script(Say(403, {"code": "NO_PERMISSION", "details": {}, "message": "no", "status": "error"}))
    run = connected.type("run", "create-services", "good.csv", "--yes", "--json").object["run"]
    ending = connected.type("retry", run, "--yes")
    assert (ending.status, f"bulkzcrm resume {run}" in ending.why) == (2, True)


def test_a_create_of_the_same_content_needs_again(terminal: Terminal):
    with serving(organisation={"type": "production"}) as served:
        terminal.environ = served.environ
        terminal.write("good.csv", services("A"))
        terminal.write("copy.csv", services("A"))
        run = terminal.type("run", "create-services", "good.csv", "--yes", "--json").object["run"]
        ending = terminal.type("run", "create-services", "copy.csv", "--yes")
        assert (ending.status, run in ending.why, "--again" in ending.why) == (2, True, True)
        assert served.created == ["A"]
        assert terminal.type("run", "create-services", "copy.csv", "--yes", "--again").status == 0
        assert served.created == ["A", "A"]


def test_a_column_that_means_a_field_we_cannot_send_stops_the_run_unless_it_is_ignored(
    connected: Terminal, served: Served
):
    connected.write(
        "owned.csv", services("A").replace("Price\n", "Price,service owner,Color\n").replace("50\n", "50,Tom,red\n")
    )
    ending = connected.type("run", "create-services", "owned.csv", "--yes")
    assert (ending.status, "“service owner”" in ending.why, '--ignore-column "service owner"' in ending.why) == (
        2,
        True,
        True,
    )
    assert "“Color”" in ending.err
    assert not served.wire.writes
    assert connected.type("check", "create-services", "owned.csv").status == 0
    words = ("run", "create-services", "owned.csv", "--yes", "--ignore-column", "service owner", "-o", "out")
    assert connected.type(*words).status == 0
    assert results(connected.folder / "out")[0]["service owner"] == "Tom"


def test_max_errors_of_0_is_all_or_nothing_and_resume_sends_the_rest(connected: Terminal, served: Served):
    connected.write("bad.csv", services("A") + BAD_MEMBER)
    ending = connected.type("run", "create-services", "bad.csv", "--yes", "--json", "--max-errors", "0")
    assert (ending.status, ending.object["state"], ending.object["unsent"]) == (3, "stopped", 1)
    assert not served.wire.writes
    assert ending.last == ending.object["resume"]
    assert connected.type("resume", "--yes").status == 1
    assert served.created == ["A"]


def test_an_interruption_before_the_first_write_is_told_as_one(connected: Terminal, served: Served):
    connected.write("good.csv", services("A"))

    async def interrupt(heard: Heard) -> None:
        if len(served.wire.heard) == 1:
            signal.raise_signal(signal.SIGINT)

    served.wire.interfere = interrupt
    ending = connected.type("run", "create-services", "good.csv", "--yes", "--json")
    assert (ending.status, ending.object["state"]) == (130, "interrupted")
    assert not served.wire.writes


def test_a_command_leaves_no_log_open_for_those_after_it(terminal: Terminal):
    terminal.write("good.csv", services("A"))
    assert terminal.type("run", "create-services", "good.csv", "--sandbox", "-o", "out").status == 0
    before = (terminal.folder / "out/run.log").read_bytes()
    logging.getLogger("some.library").warning("of no run")
    logger().warning("of no run either")
    assert (terminal.folder / "out/run.log").read_bytes() == before
    assert not [each for each in logging.getLogger().handlers if type(each).__module__ == "bulkzcrm.logs"]
    inner = io.StringIO()
    with logging_to(None, stream=inner):
        logging.getLogger("some.library").warning("of this one")
    assert "a library reports" in inner.getvalue()


def test_corrections_in_failed_csv_survive_a_report_that_is_written_again(terminal: Terminal) -> None:
    terminal.write("bad.csv", services("A") + BAD_MEMBER)
    run = terminal.type("run", "create-services", "bad.csv", "--sandbox", "--json", "-o", "out").object["run"]
    failed = terminal.folder / "out" / "failed.csv"
    terminal.type("report", run)
    assert sorted(path.name for path in failed.parent.glob("failed*")) == ["failed.csv"]
    mended = failed.read_bytes().replace(b"Nobody", b"Patricia Boyle") + b"# corrected\r\n"
    failed.write_bytes(mended)
    again = terminal.type("report", run)
    assert failed.read_bytes() == mended
    assert (failed.parent / "failed (2).csv").exists()
    assert "failed.csv has been changed" in again.err


def test_an_organisation_other_than_the_one_that_was_named_is_never_written_to(connected: Terminal) -> None:
    connected.environ = {**connected.environ, "BULKZCRM_ORG_ID": "69999999999"}
    connected.write("good.csv", services("A"))
    ending = connected.type("run", "create-services", "good.csv", "--yes")
    assert ending.status == 2
    assert "69999999999" in ending.why
