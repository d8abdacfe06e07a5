"""What a shell is told when a person presses the tab key."""

from __future__ import annotations

import pytest
from terminal import Terminal, services


def completed(terminal: Terminal, words: str) -> list[str]:
    """What fish would offer behind these words."""
    typed, _, last = words.rpartition(" ")
    terminal.environ = {
        "_BULKZCRM_COMPLETE": "fish_complete",
        "COMP_WORDS": f"{typed} {last}".strip(),
        "COMP_CWORD": last,
    }
    ending = terminal.run()
    terminal.environ = {}
    assert ending.err == ""
    return [line.partition("\t")[0].removeprefix("plain,") for line in ending.out.splitlines() if line]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("bulkzcrm re", {"resume", "retry", "report"}),
        ("bulkzcrm run cre", {"create-services"}),
        ("bulkzcrm check set-", {"set-service-status", "set-scoring-rule-status"}),
        ("bulkzcrm operations update-s", {"update-services", "update-service-preferences"}),
        ("bulkzcrm explain dependent_", {"DEPENDENT_FIELD_MISSING", "DEPENDENT_MISMATCH", "DEPENDENT_SERVICE_ERROR"}),
        ("bulkzcrm run create-services a.csv --set Dur", {"Duration="}),
        ("bulkzcrm run create-services a.csv --map Minutes=dur", {"Minutes=Duration"}),
        ("bulkzcrm run create-services a.csv --format xlsx,c", {"xlsx,csv"}),
        ("bulkzcrm run create-services a.csv --profile b", {"berlin"}),
        ("bulkzcrm completion z", {"zsh"}),
    ],
)
def test_words_are_completed(terminal: Terminal, words: str, offered: set[str]):
    terminal.home.mkdir()
    (terminal.home / "profiles.toml").write_text('[berlin]\nclient_id = "1000.X"\n[mumbai]\nclient_id = "1000.Y"\n')
    assert set(completed(terminal, words)) == offered


def test_runs_are_completed_newest_first(terminal: Terminal):
    assert completed(terminal, "bulkzcrm report ") == []
    terminal.write("a.csv", services("A"))
    runs = [terminal.type("run", "create-services", "a.csv", "--sandbox", "--json").object["run"] for _ in range(2)]
    assert completed(terminal, "bulkzcrm report 2") == runs[::-1]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_is_taught(terminal: Terminal, shell: str):
    ending = terminal.run("completion", shell)
    assert (ending.status, "_BULKZCRM_COMPLETE" in ending.out) == (0, True)


@pytest.mark.parametrize(("typed", "meant"), [("rnu", "run"), ("chekc", "check"), ("repport", "report")])
def test_a_mistyped_command_is_told_the_right_one(terminal: Terminal, typed: str, meant: str):
    ending = terminal.type(typed)
    assert (ending.status, f"Did you mean {meant}?" in ending.err) == (2, True)
