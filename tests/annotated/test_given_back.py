"""A report that comes back as a source: rows that are done, or belong to others, are no rows of the new run."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from terminal import Terminal
from workbooks import MEMBER

from bulkzcrm.library import check
from bulkzcrm.model import Status

HEADER = "Service_Name,Duration,Location,Members,Availability_Type,Price,result_row,result_status,result_code\n"


def line(name: str, status: str, code: str = "") -> str:
    return f"{name},60,Client Address,{MEMBER},Every Business Days,5,9,{status},{code}\n"


def report(terminal: Terminal, *lines: str, header: str = HEADER) -> str:
    return terminal.write("results.csv", header + "".join(lines))


def counted(terminal: Terminal, *words: str) -> tuple[int, str]:
    """How many rows a check has, and what it says."""
    ending = terminal.type("check", "create-services", "results.csv", "--json", *words)
    assert ending.status in {0, 1}, ending.err
    return ending.object["rows"], ending.err


@pytest.mark.parametrize(
    ("status", "code", "taken"),
    [
        ("succeeded", "SUCCESS", 0),
        ("unchanged", "", 0),
        ("unknown", "", 0),
        ("unsent", "", 0),
        ("invalid", "INVALID_DATA", 1),
        ("invalid", "DUPLICATE_ROW", 0),
        ("rejected", "DUPLICATE_DATA", 1),
        ("valid", "", 1),
        ("", "", 1),
        (" Succeeded ", "", 0),
    ],
)
def test_what_is_taken_goes_by_the_status(terminal: Terminal, status: str, code: str, taken: int):
    report(terminal, line("A", status, code), line("B", "valid"))
    assert counted(terminal)[0] == taken + 1


def test_a_note_tells_how_many_rows_are_left_out_and_why(terminal: Terminal):
    statuses = ["succeeded", "succeeded", "unchanged", "unknown", "unsent", "invalid"]
    lines = [line(f"S{place}", status) for place, status in enumerate(statuses)]
    report(terminal, *lines, line("T", "invalid", "DUPLICATE_ROW"))
    rows, told = counted(terminal)
    assert rows == 1
    assert (
        "Note: The source has results of an earlier run. 6 rows are left out: 3 done already (succeeded or unchanged), "
        "2 that only `bulkzcrm resume` may carry on with (unknown or unsent), 1 repeating an earlier row. To have such "
        "a row taken all the same, clear its result_status; not that of unknown and unsent rows, which would then be "
        "made twice."
    ) in told


def test_where_all_is_done_there_is_nothing_to_do_and_no_warning(terminal: Terminal):
    report(terminal, line("A", "succeeded"))
    ending = terminal.type("run", "create-services", "results.csv", "--sandbox", "--json")
    assert (ending.status, ending.object["rows"]) == (0, 0)
    assert "1 row is left out: 1 done already" in ending.err
    assert "has a header and no rows" not in ending.err


def test_left_out_rows_stand_in_no_report_and_the_others_keep_their_numbers(terminal: Terminal):
    report(terminal, line("A", "succeeded"), line("B", "invalid"), line("C", "unchanged"), line("D", "rejected"))
    terminal.type("check", "create-services", "results.csv", "-o", "out")
    lines = (terminal.folder / "out/results.csv").read_text("utf-8-sig").splitlines()
    assert [text.split(",")[0] for text in lines[1:]] == ["B", "D"]
    assert [text.split(",")[6] for text in lines[1:]] == ["3", "5"]


def test_a_status_that_is_none_is_refused_with_its_cell(terminal: Terminal):
    report(terminal, line("A", "succeeded"), line("B", "done!"))
    ending = terminal.type("run", "create-services", "results.csv", "--sandbox")
    assert ending.status == 2
    assert "Cell H3 of results.csv holds “done!”, which is no result_status" in ending.why
    assert "or clear the cell to have the row taken" in ending.why


@pytest.mark.parametrize(
    "header",
    [
        HEADER.replace("result_row", "row"),
        HEADER.replace("result_status", "Result_Status"),
        HEADER.replace("_row", "_Row"),
    ],
)
def test_without_our_columns_it_is_a_source_like_any_other(terminal: Terminal, header: str):
    report(terminal, line("A", "succeeded"), line("B", "whatever"), header=header)
    assert counted(terminal)[0] == 2


def test_two_columns_of_statuses_are_refused(terminal: Terminal):
    report(terminal, line("A", "succeeded", "invalid"), header=HEADER.replace("result_code", "result_status"))
    ending = terminal.type("check", "create-services", "results.csv")
    assert ending.status == 2
    assert "several columns called result_status, H and I" in ending.why


def test_repeated_rows_are_taken_where_they_are_allowed(terminal: Terminal):
    report(terminal, line("A", "succeeded"), line("A", "invalid", "DUPLICATE_ROW"))
    assert counted(terminal)[0] == 0
    assert counted(terminal, "--allow-duplicates")[0] == 1


def test_failed_csv_is_given_back_as_ever(terminal: Terminal):
    terminal.write(
        "a.csv", HEADER.partition(",result")[0] + "\n" + "A,x,Client Address,m@x.example,Every Business Days,5\n"
    )
    terminal.type("check", "create-services", "a.csv", "-o", "out")
    ending = terminal.type("check", "create-services", "out/failed.csv", "--json", "-o", "again")
    assert (ending.object["rows"], ending.object["invalid"]) == (1, 1)
    assert "left out" not in ending.err


def test_the_same_report_is_not_sent_twice_by_accident(connected: Terminal):
    report(connected, line("A", "succeeded"), line("B", "invalid"))
    assert connected.type("run", "create-services", "results.csv", "--yes").status == 0
    ending = connected.type("run", "create-services", "results.csv", "--yes")
    assert ending.status == 2
    assert "--again" in ending.why


async def test_a_frame_that_was_a_report_is_given_back_as_well(tmp_path: Path):
    names = HEADER.strip().split(",")
    lines = [line("A", "succeeded"), line("B", "invalid")]
    frame = pd.DataFrame([text.strip().split(",") for text in lines], columns=names)
    summary = await check("create-services", frame, folder=tmp_path / "checked")
    assert (summary.rows, summary.counts[Status.VALID]) == (1, 1)


RESULTS = (*HEADER.strip().split(",")[-3:], "result_field", "result_cell", "result_message")


@pytest.mark.parametrize("deleted", ["result_row", "result_status"])
def test_a_report_some_of_whose_columns_are_deleted_is_refused(connected: Terminal, deleted: str):
    names = [name for name in RESULTS if name != deleted]
    own = HEADER.partition(",result")[0]
    told = {"result_row": "2", "result_status": "succeeded"}
    cells = line("A", "", "").split(",")[:6] + [told.get(name, "") for name in names]
    connected.write("results.csv", f"{own},{','.join(names)}\n{','.join(cells)}\n")
    ending = connected.type("run", "create-services", "results.csv", "--yes")
    assert ending.status == 2
    assert f"has columns of a report, such as {names[0]}, but no column {deleted}" in ending.why
    assert "delete all its result columns" in ending.why


def test_a_done_row_that_was_copied_to_be_a_new_one_is_told(terminal: Terminal):
    first, last = line("A", "succeeded"), line("B", "invalid").replace(",9,", ",3,")
    report(terminal, first, last, first.replace("A,", "New,"), first.replace("A,", "Newer,"))
    rows, told = counted(terminal)
    assert rows == 1
    assert (
        "Warning: 2 rows that are left out have the result_row of another one, first row 4. A row that was copied to "
        "be a new one is taken once its result_status is cleared."
    ) in told


@pytest.mark.parametrize("number", ["", "x", "9" * 30, "-1", "1.5"])
def test_a_result_row_that_is_no_number_hinders_nothing(terminal: Terminal, number: str):
    odd = line("A", "succeeded").replace(",9,", f",{number},")
    report(terminal, odd, odd, line("B", "invalid"))
    rows, told = counted(terminal)
    assert rows == 1
    assert "have the result_row" not in told
