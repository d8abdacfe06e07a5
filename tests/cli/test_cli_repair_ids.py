"""Ids that a spreadsheet program has rounded: what is proposed, what is taken on demand, and what never is."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from terminal import Served, Terminal, services

from bulkzcrm.run.lost_digits import what_is_left

MADE = "5545974000002190001"


@pytest.fixture
def one_made(terminal: Terminal, served: Served) -> Served:
    """An organisation with a service whose first digits no other one has."""
    terminal.environ = served.environ
    terminal.write("new.csv", services("Hedge Trimming"))
    assert terminal.type("run", "create-services", "new.csv", "--yes").status == 0
    return served


def workbook(terminal: Terminal, *rows: tuple[object, ...]) -> str:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Record Id", "Service Name", "Price"])
    for row in rows:
        sheet.append(list(row))
    book.save(terminal.folder / "changes.xlsx")
    return "changes.xlsx"


def told(terminal: Terminal, folder: str = "out") -> dict[str, str]:
    import csv

    with Path(terminal.folder / folder / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        return next(csv.DictReader(file))


def test_an_id_that_can_mean_but_one_record_is_proposed_and_on_demand_taken(terminal: Terminal, one_made: Served):
    source = workbook(terminal, (float(MADE), "Hedge Trimming", 75))
    words = ("update-services", source, "--yes", "--output")
    first = terminal.type("run", *words, "out")
    assert first.status == 1
    assert "--repair-ids" in first.err
    row = told(terminal)
    assert (row["result_status"], row["result_code"]) == ("invalid", "ID_PRECISION_LOST")
    assert MADE in row["result_fix"]
    assert "--repair-ids" in row["result_fix"]
    second = terminal.type("run", *words, "again", "--repair-ids")
    assert second.status == 0, second.err
    assert f"row 2: {MADE}" in second.err
    row = told(terminal, "again")
    assert (row["result_status"], row["result_record_id"]) == ("succeeded", MADE)


def test_a_retry_can_take_what_was_proposed(terminal: Terminal, one_made: Served):
    terminal.write("a.csv", "Record Id,Service Name,Price\n5.54597400000219E+18,Hedge Trimming,75\n")
    assert terminal.type("run", "update-services", "a.csv", "--yes").status == 1
    ending = terminal.type("retry", "--repair-ids", "--yes", "--json")
    assert (ending.status, ending.object["succeeded"]) == (0, 1)


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (5.545974000002190001e18, "Hedge Trimmings"),  # another name
        (5.545974000002190001e18, None),  # none
        (5.545974000002290001e18, "Hedge Trimming"),  # other digits
        (5.545974000002190001e17, "Hedge Trimming"),  # another length
        (5.545974000002183001e18, "AC Repair"),  # several have these digits
    ],
)
def test_what_is_not_certain_is_never_taken(terminal: Terminal, one_made: Served, number: float, name: str | None):
    source = workbook(terminal, (number, name, 75))
    ending = terminal.type("run", "update-services", source, "--yes", "--repair-ids", "--output", "out")
    assert ending.status == 1
    row = told(terminal)
    assert (row["result_status"], row["result_code"]) == ("invalid", "ID_PRECISION_LOST")
    assert ("5545974000002183001" in row["result_fix"]) == (name == "AC Repair")


def test_too_few_digits_prove_nothing(terminal: Terminal, one_made: Served):
    terminal.write("a.csv", "Record Id,Service Name,Price\n5.54597E+18,Hedge Trimming,75\n")
    ending = terminal.type("run", "update-services", "a.csv", "--yes", "--repair-ids", "--output", "out")
    assert (ending.status, told(terminal)["result_code"]) == (1, "ID_PRECISION_LOST")


def test_what_else_is_wrong_in_the_row_stays_wrong(terminal: Terminal, one_made: Served):
    source = workbook(terminal, (float(MADE), "Hedge Trimming", "much"))
    ending = terminal.type("run", "update-services", source, "--yes", "--repair-ids", "--output", "out")
    row = told(terminal)
    assert (ending.status, row["result_status"], row["result_code"]) == (1, "invalid", "INVALID_DATA")
    assert row["result_field"] == "Price"


def test_two_rows_that_mean_the_same_record_are_told(terminal: Terminal, one_made: Served):
    source = workbook(terminal, (float(MADE), "Hedge Trimming", 75), (MADE, None, 80))
    ending = terminal.type("run", "update-services", source, "--yes", "--repair-ids", "--json")
    assert ending.status == 1
    assert (ending.object["succeeded"], ending.object["invalid"]) == (1, 1)


@given(st.integers(10**17, 10**19 - 1))
def test_an_id_always_fits_what_a_spreadsheet_program_has_made_of_it(number: int):
    text = str(number)
    typed = float(text[:15].ljust(len(text), "0"))
    for value in (float(number), typed, f"{text[0]}.{text[1:15]}E+{len(text) - 1}"):
        left = what_is_left(value)
        if left is None:  # in scientific notation, zeros at the end are not written
            assert isinstance(value, str)
            assert text[14] == "0"
        else:
            assert left.fits(text)


@given(st.integers(2 * 10**17, 9 * 10**18), st.integers(2_000, 10**15), st.sampled_from([1, -1]))
def test_an_id_that_is_too_far_away_never_fits(number: int, away: int, direction: int):
    left = what_is_left(float(number))
    assert left is not None
    other = number + direction * max(away, 10 ** (len(str(number)) - 15) * 2)
    assert not left.fits(str(other))
