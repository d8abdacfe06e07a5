"""Workbooks to fill in: what is made for an operation is taken as it is, and says how it is filled in."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet
from terminal import Served, Terminal

from bulkzcrm.spec.operations import OPERATIONS

HARMLESS = {name: {"unchanged": 1} for name in OPERATIONS} | {"create-services": {"succeeded": 1}}


def made(terminal: Terminal, operation: str, *words: str) -> Path:
    ending = terminal.type("template", operation, "-o", "filled in.xlsx", *words)
    assert ending.status == 0, ending.err
    assert ending.out == f"{terminal.folder / 'filled in.xlsx'}\n"
    assert f"bulkzcrm check {operation}" in ending.err
    return terminal.folder / "filled in.xlsx"


def first_sheet(path: Path) -> Worksheet:
    return openpyxl.load_workbook(path).worksheets[0]


def column(sheet: Worksheet, header: str) -> str:
    return next(cell.column_letter for cell in sheet[1] if cell.value == header)


def choices(path: Path, header: str) -> list[str]:
    """What the drop-down list of a column offers."""
    workbook = openpyxl.load_workbook(path)
    sheet = workbook.worksheets[0]
    letter = column(sheet, header)
    (check,) = [
        each for each in sheet.data_validations.dataValidation if f"{letter}2" in each.cells and each.type == "list"
    ]
    where, _, cells = check.formula1.lstrip("=").partition("!")
    return [row[0].value for row in workbook[where][cells.replace("$", "")]]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_is_made_with_an_organisation_is_taken_as_it_is(terminal: Terminal, operation: str):
    made(terminal, operation, "--sandbox")
    ending = terminal.type("run", operation, "filled in.xlsx", "--sandbox", "--json")
    assert ending.status == 0, ending.err
    counts = {name: count for name in ("succeeded", "unchanged", "invalid") if (count := ending.object[name])}
    assert counts == HARMLESS[operation]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_is_made_without_one_is_valid_by_itself(terminal: Terminal, operation: str):
    path = made(terminal, operation)
    ending = terminal.type("check", operation, path.name, "--json")
    # What would change the organisation's settings is shown in the help alone.
    assert (ending.status, ending.object["valid"]) == (0, not OPERATIONS[operation].single), ending.err
    sheet = first_sheet(path)
    for cell, each in zip(sheet[1], OPERATIONS[operation].fields, strict=True):
        assert cell.value == each.label
        assert each.about in cell.comment.text


def test_lists_offer_what_the_organisation_has(terminal: Terminal, served: Served):
    terminal.environ = served.environ
    terminal.home.mkdir()
    keys = ("API_DOMAIN", "CLIENT_ID", "CLIENT_SECRET", "REFRESH_TOKEN")
    table = "".join(f'{key.lower()} = "{served.environ[f"BULKZCRM_{key}"]}"\n' for key in keys)
    (terminal.home / "profiles.toml").write_text(f"[main]\n{table}")
    path = made(terminal, "create-services", "--profile", "main")
    members = choices(path, "Members")
    assert "patricia.boyle@brighthome.example" in members
    # Neither who is inactive nor who has not confirmed may be a member.
    assert not any(name in " ".join(members) for name in ("omar", "lena"))
    assert choices(path, "Tax") == ["Sales Tax - 2.0 %", "Vat - 0.8 %", "Service Tax - 5.0 %"]
    assert choices(path, "Job Sheet Section") == ["Standard", "Extended"]
    assert "Client Address" in choices(path, "Location")
    assert served.created == []


def test_ids_that_are_typed_into_a_template_stay_what_they_are(terminal: Terminal):
    path = made(terminal, "update-services")
    workbook = openpyxl.load_workbook(path)
    sheet = workbook.worksheets[0]
    letter = column(sheet, "Record Id")
    assert sheet.column_dimensions[letter].number_format == "@"
    assert sheet[f"{letter}2"].number_format == "@"


def test_a_template_that_was_filled_in_is_run(terminal: Terminal):
    path = made(terminal, "create-services", "--sandbox")
    workbook = openpyxl.load_workbook(path)
    sheet = workbook.worksheets[0]
    for number, name in enumerate(("Hedge Trimming", "Lawn Mowing"), start=2):
        for cell in sheet[2]:
            sheet.cell(number, cell.column, cell.value)
        sheet[f"{column(sheet, 'Service Name')}{number}"] = name
    workbook.save(path)
    ending = terminal.type("run", "create-services", path.name, "--sandbox", "--json")
    assert (ending.status, ending.object["succeeded"]) == (0, 2), ending.err


def test_the_help_names_every_field_and_rule_as_the_sheet_does(terminal: Terminal):
    path = made(terminal, "update-services")
    told = "\n".join(
        str(cell.value)
        for row in openpyxl.load_workbook(path)["How to fill this in"].iter_rows()
        for cell in row
        if cell.value
    )
    assert all(each.label in told for each in OPERATIONS["update-services"].fields)
    assert told.count("•") == len(OPERATIONS["update-services"].rules)
    assert "Available_Till" not in told
    assert "Available Till must be later than Available From." in told


@pytest.mark.parametrize(
    ("words", "pieces"),
    [
        (("create-service",), ["Did you mean create-services?"]),
        (("create-services", "-o", "there.xlsx"), ["is there already", "--output"]),
        (("create-services", "-o", "a.csv"), [".xlsx"]),
        (("create-services", "-o", "no/such/there.xlsx/a.xlsx"), ["cannot be written"]),
        (("create-services", "--profile", "nobody"), ["nobody"]),
    ],
)
def test_what_cannot_be_made_is_refused_with_its_cure(terminal: Terminal, words, pieces):
    terminal.write("there.xlsx", "mine")
    (terminal.folder / "no").write_text("a file")
    ending = terminal.type("template", *words)
    assert ending.status in (2, 3)
    assert all(piece in ending.why for piece in pieces), ending.why
    assert (terminal.folder / "there.xlsx").read_text() == "mine"
