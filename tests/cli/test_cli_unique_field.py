"""`--unique-field` as a person types it: rehearsed, checked, told in the mending command, kept by resume and retry."""

from __future__ import annotations

import asyncio
import csv
import shlex
from pathlib import Path

import pytest
from terminal import Ended, Terminal, services

from bulkzcrm.sandbox import Sandbox, SandboxOptions

BAD_MEMBER = "Spoiled,60,Client Address,nobody@brighthome.example,Every Business Days,50\n"
KEYED = ("--unique-field", "Import_Key")


def keys_in(folder: Path) -> list[object]:
    """The values in the sandbox of a run."""

    async def look() -> list[object]:
        async with Sandbox(folder / "sandbox.sqlite3", options=SandboxOptions(unique_field="Import_Key")) as sandbox:
            return [each["Import_Key"] for each in sandbox.services()[12:]]

    return asyncio.run(look())


def offered(ending: Ended) -> list[str]:
    lines = ending.err.splitlines()
    return shlex.split(lines[next(at for at, line in enumerate(lines) if line.startswith("To mend:")) + 1])[1:]


def test_a_rehearsal_has_the_field_that_is_named(terminal: Terminal):
    terminal.write("new.csv", services("A", "B"))
    told = terminal.type("run", "create-services", "new.csv", "--sandbox", *KEYED, "--json", "-o", "out").object
    assert (told["state"], told["succeeded"]) == ("finished", 2)
    assert keys_in(terminal.folder / "out") == [f"{told['run']}-1", f"{told['run']}-2"]


def test_the_mending_command_names_the_field_and_mends(terminal: Terminal):
    terminal.write("bad.csv", services("A") + BAD_MEMBER)
    ending = terminal.type("run", "create-services", "bad.csv", "--sandbox", *KEYED, "-o", "out")
    words = offered(ending)
    assert words[words.index("--unique-field") + 1] == "Import_Key"
    failed = terminal.folder / "out" / "failed.csv"
    failed.write_bytes(failed.read_bytes().replace(b"nobody@", b"tom.weber@"))
    told = terminal.type(*words, "--json", "-o", "mended").object
    assert (told["state"], told["succeeded"]) == ("finished", 1)


def test_resume_goes_on_with_the_field_that_the_run_has(terminal: Terminal):
    terminal.write("bad.csv", services("A") + BAD_MEMBER)
    words = ("run", "create-services", "bad.csv", "--sandbox", *KEYED, "--max-errors", "0", "-o", "out")
    first = terminal.type(*words, "--json")
    assert (first.status, first.object["unsent"]) == (3, 1)
    second = terminal.type(*shlex.split(first.last)[1:], "--json").object
    assert (second["state"], second["succeeded"]) == ("finished", 1)
    assert keys_in(terminal.folder / "out") == [f"{second['run']}-1"]


def test_retry_goes_on_with_the_field_that_the_run_has(terminal: Terminal):
    terminal.write("bad.csv", services("A") + BAD_MEMBER)
    first = terminal.type("run", "create-services", "bad.csv", "--sandbox", *KEYED, "--json").object
    again = terminal.type("retry", first["run"], "--json", "-o", "again")
    assert (again.status, again.object["invalid"]) == (1, 1)
    assert "--unique-field" in offered(again)


def test_check_finds_what_can_be_found_without_the_organisation(terminal: Terminal):
    header, *rows = services("A", "B", "C").splitlines()
    table = [f"{header},Import Key", *(f"{row},{key}" for row, key in zip(rows, ("k", "k", ""), strict=True))]
    terminal.write("new.csv", "\n".join(table))
    told = terminal.type("check", "create-services", "new.csv", *KEYED, "--json", "-o", "out").object
    assert (told["valid"], told["invalid"]) == (1, 2)
    assert any("Import_Key" in sentence for sentence in told["not_checked"])
    with (terminal.folder / "out" / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        found = [(row["result_code"], row["result_cell"]) for row in csv.DictReader(file)]
    assert found == [("", ""), ("DUPLICATE_ROW", "G3"), ("MANDATORY_NOT_FOUND", "G4")]


@pytest.mark.parametrize("name", ["Duration", "no name", "Created_By"])
def test_a_name_that_cannot_be_is_refused_and_leaves_nothing(terminal: Terminal, name: str):
    terminal.write("new.csv", services("A"))
    ending = terminal.type("run", "create-services", "new.csv", "--sandbox", "--unique-field", name)
    assert ending.status == 2
    assert "--unique-field" in ending.err
    assert [path.name for path in terminal.folder.iterdir()] == ["new.csv"]


def test_an_operation_that_creates_nothing_has_no_unique_field(terminal: Terminal):
    terminal.write("list.csv", "id,Duration\n5545974000002183001,45\n")
    ending = terminal.type("check", "update-services", "list.csv", *KEYED)
    assert (ending.status, "--unique-field" in ending.why) == (2, True)


def test_a_job_names_the_field_in_its_steps(terminal: Terminal):
    terminal.write("new.csv", services("A", "B"))
    terminal.write("more.csv", services("C"))
    terminal.write("list.csv", "id,Duration\n5545974000002183001,45\n")
    terminal.write(
        "job.toml",
        """
        [[step]]
        operation = "update-services"
        source = "list.csv"
        [[step]]
        operation = "create-services"
        source = "new.csv"
        unique_field = "Import_Key"
        [[step]]
        operation = "create-services"
        source = "more.csv"
        """,
    )
    told = terminal.type("run", "--job", "job.toml", "--sandbox", "--json", "-o", "out").object
    assert [step["succeeded"] for step in told["steps"]] == [1, 2, 1]
    keys = keys_in(terminal.folder / "out")
    assert keys == [f"{told['steps'][1]['run']}-1", f"{told['steps'][1]['run']}-2", None]
    ending = terminal.type("run", "--job", "job.toml", "--sandbox", *KEYED, "-o", "again")
    assert (ending.status, "in the steps that create" in ending.err) == (2, True)
