"""Ids that lost digits, and an organisation, a source or a second call that makes it hard to tell whose they were."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path

import pytest
from forwarder import Say
from hypothesis import given
from hypothesis import strategies as st
from terminal import Served, Terminal, services
from test_cli_repair_ids import MADE, one_made, told, workbook

from bulkzcrm.run.lost_digits import what_is_left

__all__ = ["one_made"]


def rows_of(terminal: Terminal, folder: str = "out") -> list[dict[str, str]]:
    with Path(terminal.folder / folder / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@given(st.integers(10**17, 10**19 - 1), st.sampled_from([0, 1]))
def test_an_id_fits_whichever_way_a_half_is_rounded(number: int, up: int):
    length = len(str(number))
    unit = 10 ** (length - 15)
    half = number // unit * unit + unit // 2
    shown = str(number // unit + up)
    if len(shown) > 15 or shown.endswith("0"):
        return
    left = what_is_left(f"{shown[0]}.{shown[1:]}E+{length - 1}")
    assert left is not None
    assert left.fits(str(half))


def test_two_rows_that_lost_the_digits_of_one_record_are_told(terminal: Terminal, one_made: Served):
    source = workbook(terminal, (float(MADE), "Hedge Trimming", 75), (float(MADE), "hedge trimming", 80))
    ending = terminal.type("run", "update-services", source, "--yes", "--repair-ids", "--output", "out")
    assert ending.status == 1
    assert [row["result_code"] for row in rows_of(terminal)] == ["", "DUPLICATE_ROW"]


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("Nummer,Bezeichnung,Price", ("--map", "Nummer=id", "--map", "Bezeichnung=Service_Name")),
        ("Nummer,Bezeichnung,Price", ("--map", "A=id", "--map", "B=Service_Name")),
        ("Record Id,Note,Price", ("--set", "Service_Name=Hedge Trimming")),
    ],
)
def test_columns_that_were_matched_by_hand_serve_as_well(
    terminal: Terminal, one_made: Served, header: str, words: tuple[str, ...]
):
    terminal.write("a.csv", f"{header}\n5.54597400000219E+18,Hedge Trimming,75\n")
    ending = terminal.type("run", "update-services", "a.csv", "--yes", "--repair-ids", "--output", "out", *words)
    assert ending.status == 0, ending.err
    assert rows_of(terminal)[0]["result_record_id"] == MADE


def test_json_lines_and_scientific_text_are_the_same_number(terminal: Terminal, one_made: Served):
    rows = [{"id": Decimal("5.54597400000219E+18"), "Service_Name": "Hedge Trimming", "Price": 75}]
    text = json.dumps({**rows[0], "id": 0}).replace('"id": 0', '"id": 5.54597400000219E+18')
    terminal.write("a.jsonl", text + "\n")
    ending = terminal.type("run", "update-services", "a.jsonl", "--yes", "--repair-ids", "--output", "out")
    assert ending.status == 0, ending.err


def test_a_rule_of_another_module_is_never_switched(terminal: Terminal, served: Served):
    terminal.environ = served.environ
    rules = served.ask(lambda sandbox: sandbox.scoring_rules())
    hot = next(rule for rule in rules if rule["name"] == "Hot leads")
    other = next(name for name in ("Deals", "Accounts") if name != hot["module"]["api_name"])
    rule_id = str(hot["id"])
    head = f"{rule_id[0]}.{rule_id[1:15]}E+{len(rule_id) - 1}"
    terminal.write("a.csv", f"id,name,module,Status\n{head},Hot leads,{other},active\n")
    ending = terminal.type("run", "set-scoring-rule-status", "a.csv", "--yes", "--repair-ids", "--output", "out")
    assert ending.status == 1, ending.err
    assert rows_of(terminal)[0]["result_status"] == "invalid"


def test_what_was_taken_is_kept_when_the_run_is_resumed_and_when_it_is_given_back(terminal: Terminal, one_made: Served):
    source = workbook(terminal, (float(MADE), "Hedge Trimming", 75), (None, "Nobody", 75))
    one_made.wire.script(*[Say(403, {"code": "NO_PERMISSION", "details": {}, "message": "no", "status": "error"})] * 1)
    stopped = terminal.type("run", "update-services", source, "--yes", "--repair-ids", "--output", "out")
    assert stopped.status == 3, stopped.err
    assert rows_of(terminal)[0]["result_status"] == "unsent"
    resumed = terminal.type("resume", "--yes")
    assert resumed.status == 1, resumed.err
    row = rows_of(terminal)[0]
    assert (row["result_status"], row["result_record_id"]) == ("succeeded", MADE)
    assert "--repair-ids" in resumed.err
    given_back = terminal.type("run", "update-services", "out/results.csv", "--yes", "--repair-ids", "--json")
    assert given_back.object["rows"] == 1


def test_a_rejected_row_whose_id_was_taken_is_retried_with_the_same_id(terminal: Terminal, one_made: Served):
    source = workbook(terminal, (float(MADE), "Hedge Trimming", 75))
    refused = {"code": "INVALID_DATA", "details": {"api_name": "Price"}, "message": "no", "status": "error"}
    one_made.wire.script(Say(202, {"data": [refused]}))
    first = terminal.type("run", "update-services", source, "--yes", "--repair-ids", "--output", "out")
    assert (first.status, rows_of(terminal)[0]["result_status"]) == (1, "rejected"), first.err
    again = terminal.type("retry", "--yes", "--json")
    assert (again.status, again.object["succeeded"]) == (0, 1)


def test_a_record_that_may_not_be_listed_leaves_its_id_alone(terminal: Terminal, one_made: Served):
    source = workbook(terminal, (float(MADE), "Hedge Trimming", 75))
    terminal.write("b.csv", services("Hedge Trimming"))
    assert terminal.type("run", "create-services", "b.csv", "--yes", "--again").status == 0
    # Two records of one name, whose digits are the same as far as they are left.
    ending = terminal.type("run", "update-services", source, "--yes", "--repair-ids", "--output", "out")
    assert ending.status == 1
    assert (told(terminal)["result_code"], MADE in told(terminal)["result_fix"]) == ("ID_PRECISION_LOST", False)


def test_too_many_invalid_rows_are_counted_after_ids_were_taken(terminal: Terminal, one_made: Served):
    source = workbook(terminal, (float(MADE), "Hedge Trimming", 75))
    ending = terminal.type("run", "update-services", source, "--yes", "--repair-ids", "--max-errors", "0")
    assert ending.status == 0, ending.err


def test_an_id_that_excel_has_rounded_into_plain_digits_is_no_record(terminal: Terminal, one_made: Served):
    rounded = MADE[:15] + "0000"
    terminal.write("a.csv", f"Record Id,Service Name,Price\n{rounded},Hedge Trimming,75\n")
    ending = terminal.type("run", "update-services", "a.csv", "--yes", "--repair-ids", "--output", "out")
    row = rows_of(terminal)[0]
    assert (ending.status, row["result_status"]) == (1, "invalid")
    assert "rounded" in row["result_fix"]


@given(st.integers(10**17, 10**19 - 1))
def test_an_id_fits_what_is_shown_of_the_binary_number_that_it_has_become(number: int):
    left = what_is_left(f"{float(number):.14E}")
    assert left is None or left.length != len(str(number)) or left.fits(str(number))
