"""Kept matches of columns: what a file must never overwrite, and what a message calls them."""

from __future__ import annotations

import os
import tomllib

import pytest
from terminal import Terminal, services

SHEET = "Behandlung,Duration,Location,Members,Availability_Type,Price\n"
ROW = "A,60,Client Address,x@y.example,Every Business Days,5\n"
MAP = ("--map", "Behandlung=Service_Name")


@pytest.mark.parametrize("command", ["check", "run"])
def test_a_file_that_holds_something_else_is_never_overwritten(terminal: Terminal, command: str):
    source = terminal.write("a.csv", SHEET + ROW.replace("x@y.example", "tom.weber@brighthome.example"))
    sandbox = ("--sandbox",) if command == "run" else ()
    for name in ("a.csv", "notes.toml", "list.md"):
        if name != "a.csv":
            terminal.write(name, "# mine\n" if name == "list.md" else "mine = 1\n")
        before = (terminal.folder / name).read_bytes()
        ending = terminal.type(command, "create-services", source, *MAP, *sandbox, "--save-map", name)
        assert (terminal.folder / name).read_bytes() == before
        assert (ending.status, "--save-map" in ending.why, name in ending.why) == (2, True, True), ending.err
    assert not (terminal.folder / "bulkzcrm-runs").exists()


def test_a_place_that_cannot_be_written_is_told_before_anything_is_sent(terminal: Terminal):
    source = terminal.write("a.csv", services("A"))
    for name in ("a.csv/m.toml", "."):
        ending = terminal.type("run", "create-services", source, "--sandbox", "--save-map", name)
        assert (ending.status, "--save-map" in ending.why) == (2, True), ending.err
    assert not (terminal.folder / "bulkzcrm-runs").exists()


def test_an_older_file_of_matches_is_replaced(terminal: Terminal):
    source = terminal.write("a.csv", SHEET + ROW)
    words = ("check", "create-services", source, *MAP, "--save-map", "m.toml")
    assert terminal.type(*words).status == 0
    assert terminal.type(*words, "--set", "Job Sheet Required=No").status == 0
    assert tomllib.loads((terminal.folder / "m.toml").read_text())["set"] == {"Job_Sheet_Required": "No"}
    again = terminal.type("check", "create-services", source, "--map-file", "m.toml", "--save-map", "m.toml")
    assert again.status == 0, again.err


def test_what_does_not_fit_is_told_of_the_file_it_stands_in(terminal: Terminal):
    terminal.write("a.csv", SHEET + ROW)
    for text in ('[map]\n"Leistung" = "Service_Name"\n', '[set]\n"Nowhere" = "x"\n', 'ignore_column = ["Kosten"]\n'):
        terminal.write("m.toml", text)
        ending = terminal.type("check", "create-services", "a.csv", "--map-file", "m.toml")
        assert (ending.status, "m.toml" in ending.why) == (2, True), ending.why


def test_columns_of_the_same_header_beside_one_that_is_called_like_a_letter(terminal: Terminal):
    head = "Behandlung,Wert,Location,Members,Availability_Type,Wert,B\n"
    terminal.write("a.csv", head + ROW.replace("5\n", "5,999\n"))
    maps = (*MAP, "--map", "F=Price", "--set", "Duration=60", "--ignore-column", "G")
    first = terminal.type("check", "create-services", "a.csv", *maps, "--save-map", "m.toml")
    assert first.status == 0, first.err
    again = terminal.type("check", "create-services", "a.csv", "--map-file", "m.toml", "--save-map", "n.toml")
    assert again.status == 0, again.err
    assert (terminal.folder / "m.toml").read_text() == (terminal.folder / "n.toml").read_text()
    terminal.write("a.csv", head.replace("Wert,B", "Wert,F") + ROW.replace("5\n", "5,999\n"))
    third = terminal.type(
        "check", "create-services", "a.csv", *MAP, "--map", "F=Price", "--set", "Duration=60", "--save-map", "o.toml"
    )
    assert third.status == 0, third.err
    assert tomllib.loads((terminal.folder / "o.toml").read_text())["map"]["F"] == "Price"


def test_a_letter_that_is_another_columns_header_never_leads_there(terminal: Terminal):
    terminal.write(
        "a.csv",
        "Service_Name,Price,Duration,Location,Members,Price,Availability_Type,F\n"
        "A,1,60,Client Address,tom.weber@brighthome.example,5,Every Business Days,999\n",
    )
    words = ("run", "create-services", "a.csv", "--sandbox", "--ignore-column", "B", "--format", "jsonl")
    first = terminal.type(*words, "--save-map", "m.toml", "--json")
    assert first.object["succeeded"] == 1, first.err
    kept = tomllib.loads((terminal.folder / "m.toml").read_text())
    assert "F" not in kept["map"]
    again = terminal.type(
        "check", "create-services", "a.csv", "--map-file", "m.toml", "--ignore-column", "B", "--save-map", "n.toml"
    )
    assert again.status == 0, again.err
    assert tomllib.loads((terminal.folder / "n.toml").read_text()) == kept


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is forbidden to this user")
def test_a_folder_that_may_not_be_written_is_told_before_anything_is_sent(terminal: Terminal):
    source = terminal.write("a.csv", services("A"))
    closed = terminal.folder / "closed"
    closed.mkdir(mode=0o555)
    ending = terminal.type("run", "create-services", source, "--sandbox", "--save-map", "closed/m.toml")
    assert (ending.status, "--save-map" in ending.why) == (2, True), ending.err
    assert not (terminal.folder / "bulkzcrm-runs").exists()
