"""What somebody types who has never seen the tool: each mistake is told with what to type instead."""

from __future__ import annotations

import pytest
from terminal import Terminal, services

from bulkzcrm.spec.operations import OPERATIONS

DATES = (
    "Service_Name;Duration;Location;Members;Availability_Type;Price;Available_From;Available_Till\n"
    "A;90;Client Address;Tom Weber;Specific Date Range;99,5;01.02.2099;03.02.2099\n"
)


def test_an_output_that_is_a_file_is_called_one(terminal: Terminal):
    terminal.write("a.csv", services("A"))
    for command in (("run", "--sandbox"), ("check",)):
        ending = terminal.type(command[0], "create-services", "a.csv", *command[1:], "--output", "a.csv")
        assert (ending.status, "is a file" in ending.why, "--output" in ending.why) == (2, True, True), ending.err


def test_operation_and_source_the_wrong_way_round_are_told(terminal: Terminal):
    terminal.write("a.csv", services("A"))
    for command in ("run", "check"):
        ending = terminal.type(command, "a.csv", "create-services")
        assert ending.status == 2
        assert f"bulkzcrm {command} create-services a.csv" in ending.why, ending.why


@pytest.mark.parametrize("words", [("template",), ("report",)])
def test_a_word_that_is_missing_is_told_with_what_it_may_be(terminal: Terminal, words: tuple[str, ...]):
    ending = terminal.type(*words)
    assert ending.status == 2
    hint = "create-services" if words == ("template",) else "bulkzcrm runs"
    assert hint in ending.err, ending.err
    assert OPERATIONS


def test_what_only_an_option_mends_is_told_with_that_option(terminal: Terminal):
    terminal.write("a.csv", DATES)
    ending = terminal.type("run", "create-services", "a.csv", "--sandbox")
    assert ending.status == 1
    assert "--date-format dmy" in ending.err, ending.err


def test_a_cause_names_its_field_though_it_names_no_value(terminal: Terminal):
    source = services("A", "B").replace("tom.weber@brighthome.example", "Alex Kumar", 1)
    terminal.write("a.csv", source.replace("tom.weber@brighthome.example", "Omar Haddad"))
    ending = terminal.type("run", "create-services", "a.csv", "--sandbox")
    causes = [line for line in ending.err.splitlines() if line.startswith("  row ")]
    assert len(causes) == 2
    assert all("Members: " in line for line in causes), causes
    assert not any("Kumar" in line or "Haddad" in line for line in causes)
