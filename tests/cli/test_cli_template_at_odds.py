"""Templates of organisations with odd names, and templates that are written into other places."""

from __future__ import annotations

import shlex
from pathlib import Path

import openpyxl
import pytest
from forwarder import Heard, Say
from terminal import Served, Terminal

from bulkzcrm.spec.operations import OPERATIONS

ODD = ["=1+1", "Tab\x0bin it \x01", "+49", "@home", "'quoted", "a" * 300, "ünï 💡", "  blank ", "x\ny", "_x0041_"]


def with_profile(terminal: Terminal, served: Served) -> None:
    terminal.home.mkdir()
    keys = ("API_DOMAIN", "ACCOUNTS_URL", "CLIENT_ID", "CLIENT_SECRET", "REFRESH_TOKEN")
    table = "".join(f'{key.lower()} = "{served.environ[f"BULKZCRM_{key}"]}"\n' for key in keys)
    (terminal.home / "profiles.toml").write_text(f"[main]\n{table}")


def rule(number: int, name: str) -> dict[str, object]:
    module = {"api_name": "Leads", "id": "4876876000000002170"}
    return {"id": f"554597400000219{number:04}", "name": name, "active": True, "module": module}


@pytest.mark.parametrize("first", ODD)
def test_a_name_of_any_kind_is_offered_and_shown_as_what_it_is(terminal: Terminal, served: Served, first: str):
    with_profile(terminal, served)
    rules = [rule(number, name) for number, name in enumerate([first, *ODD])]

    async def interfere(heard: Heard) -> Say | None:
        if heard.path.endswith("scoring_rules") and not heard.is_write:
            return Say(200, {"scoring_rules": rules, "info": {"more_records": False, "count": len(rules), "page": 1}})
        return None

    served.wire.interfere = interfere
    ending = terminal.type("template", "set-scoring-rule-status", "--profile", "main", "-o", "t.xlsx")
    assert ending.status == 0, ending.err
    sheet = openpyxl.load_workbook(terminal.folder / "t.xlsx").worksheets[0]
    cell = next(cell for header, cell in zip(sheet[1], sheet[2], strict=True) if header.value == "Rule Name")
    assert cell.data_type == "s"
    ended = terminal.type("run", "set-scoring-rule-status", "t.xlsx", "--profile", "main", "--yes", "--json")
    assert (ended.object["rows"], ended.object["unchanged"]) == (1, 1), ended.err


@pytest.mark.parametrize("place", ["with blanks.xlsx", "new folder/t.xlsx", "../beside.xlsx"])
def test_the_command_that_is_named_finds_the_template(terminal: Terminal, place: str):
    ending = terminal.type("template", "create-services", "--sandbox", "-o", place)
    assert ending.status == 0, ending.err
    words = shlex.split(ending.err.partition("then: bulkzcrm ")[2])
    assert terminal.type(*words).status == 0
    assert Path(ending.out.rstrip("\n")) == terminal.folder / place


def test_a_place_that_cannot_be_written_is_told(terminal: Terminal):
    terminal.write("file", "x")
    ending = terminal.type("template", "create-services", "-o", "file/t.xlsx")
    assert (ending.status, "file" in ending.why, "--output" in ending.why) == (3, True, True)
    assert "report" not in ending.why


def test_a_profile_that_is_not_there_is_told_first(terminal: Terminal):
    assert terminal.type("template", "create-services").status == 0
    ending = terminal.type("template", "create-services", "--profile", "nope")
    assert (ending.status, "is there already" in ending.why) == (2, True)
    ending = terminal.type("template", "create-services", "--profile", "nope", "-o", "other.xlsx")
    assert (ending.status, "There is no profile nope" in ending.why) == (2, True)
    assert not (terminal.folder / "other.xlsx").exists()


@pytest.mark.parametrize("operation", [name for name, each in OPERATIONS.items() if not each.creates])
def test_a_forgotten_example_changes_nothing_in_an_organisation_that_was_not_read(
    terminal: Terminal, served: Served, operation: str
):
    assert terminal.type("template", operation, "-o", "t.xlsx").status == 0
    terminal.environ = served.environ
    ending = terminal.type("run", operation, "t.xlsx", "--yes", "--json")
    assert ending.status in (0, 1)
    assert ending.object["succeeded"] == 0
    help_sheet = openpyxl.load_workbook(terminal.folder / "t.xlsx")["How to fill this in"]
    examples = [row[4].value for row in help_sheet.iter_rows(min_row=10) if row[4].value is not None]
    assert examples
