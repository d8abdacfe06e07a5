"""What commands say about themselves, and what they import for it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from terminal import Terminal, services

from bulkzcrm.cli import bulkzcrm
from bulkzcrm.spec.codes import CODES
from bulkzcrm.spec.operations import OPERATIONS


def every_command(command: click.Command, *words: str) -> Iterator[tuple[str, ...]]:
    yield words
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from every_command(found, *words, name)


COMMANDS = list(every_command(bulkzcrm))


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words) or "bulkzcrm")
def test_every_commands_help_says_what_it_does_and_gives_an_example(terminal: Terminal, words):
    ending = terminal.type(*words, "--help")
    assert (ending.status, ending.err) == (0, "")
    told = " ".join(ending.out.split())
    assert told.startswith(f"Usage: {' '.join(['bulkzcrm', *words])}")
    assert re.search(rf"(Examples?|account): {' '.join(['bulkzcrm', *words])}", told), told


def test_the_commands_of_the_contract_are_all_there():
    assert {words[0] for words in COMMANDS if words} == {
        *("run", "check", "resume", "retry", "runs", "report", "operations", "explain", "auth", "sandbox"),
        *("completion", "template"),
    }


TABLES = {"pandas", "numpy", "openpyxl"}
NETWORK = {"aiohttp", "bulkzcrm.wire", "bulkzcrm.run.engine", "bulkzcrm.sandbox"}
TELLING = {"rich", "structlog"}
LOOP = {"asyncio", "anyio"}


@pytest.mark.parametrize(
    ("words", "never"),
    [
        (("--help",), TABLES | NETWORK | TELLING | LOOP | {"msgspec", "bulkzcrm.run", "bulkzcrm.journal"}),
        (("run", "--help"), TABLES | NETWORK | TELLING),
        (("check", "create-services", "ten.csv", "--json"), TABLES | NETWORK | TELLING),
        (("operations", "create-services"), TABLES | NETWORK | TELLING | LOOP | {"bulkzcrm.run", "bulkzcrm.journal"}),
        (("explain", "INVALID_DATA"), TABLES | NETWORK | TELLING | LOOP | {"bulkzcrm.run", "bulkzcrm.journal"}),
        (("runs",), TABLES | NETWORK | TELLING | LOOP),
        (("report", "{run}", "--json"), TABLES | NETWORK | TELLING | LOOP),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, tuple) else "",
)
def test_what_a_command_has_no_need_of_is_not_imported(terminal: Terminal, words, never):
    terminal.write("ten.csv", services(*"ABCDEFGHIJ"))
    if "{run}" in words:
        done = terminal.type("run", "create-services", "ten.csv", "--sandbox", "--json")
        words = [word.format(run=done.object["run"]) for word in words]
    script = (
        "import atexit, sys\n"
        f"atexit.register(lambda: print('imported:', sorted({never!r} & sys.modules.keys()), file=sys.stderr))\n"
        f"from bulkzcrm.__main__ import main\nmain({list(words)!r})\n"
    )
    ending = terminal.run(program=[sys.executable, "-c", script])
    assert (ending.status, ending.last) == (0, "imported: []")


@pytest.mark.skipif(not hasattr(os, "wait4"), reason="what a process has cost is not told here")
def test_help_costs_little_more_than_python_itself(terminal: Terminal):
    def cost(*words: str) -> float:
        """Processor seconds, of which a busy machine takes no more than an idle one; at best, of a few tries."""
        costs = []
        for _ in range(5):
            with terminal.start(program=[sys.executable, *words], stdout=subprocess.DEVNULL) as process:
                _, _, used = os.wait4(process.pid, 0)
                process.returncode = 0
            costs.append(used.ru_utime + used.ru_stime)
        return min(costs)

    assert cost("-m", "bulkzcrm", "--help") - cost("-c", "pass") < 0.2


def test_operations_lists_all_six_and_describes_each(terminal: Terminal):
    listed = terminal.type("operations").out
    assert [line.split()[0] for line in listed.splitlines()] == list(OPERATIONS)
    for name, operation in OPERATIONS.items():
        told = terminal.type("operations", name)
        assert told.status == 0
        assert name in told.out
        for field in operation.fields:
            assert field.name in told.out
        for scope in (*operation.scopes_needed, *operation.scopes_helpful.values()):
            assert scope in told.out


def test_explain_knows_every_code_and_says_what_to_do(terminal: Terminal):
    for code in CODES:
        told = terminal.type("explain", str(code))
        assert (told.status, told.out.startswith(str(code))) == (0, True)
        assert "->" in told.out, told.out
    assert terminal.type("explain", "duplicate_row").out == terminal.type("explain", "DUPLICATE_ROW").out


@pytest.mark.parametrize(
    ("words", "pieces"),
    [
        (("run", "creat-services", "a.csv"), ["creat-services", "Did you mean create-services?"]),
        (("check", "services", "a.csv"), ["no operation services", "create-services"]),
        (("operations", "update-service"), ["Did you mean update-services?"]),
        (("explain", "NO_SUCH"), ["no code NO_SUCH"]),
        (("resume", "no-run"), ["no run no-run", "bulkzcrm runs"]),
        (("retry", "no-run"), ["no run no-run", "bulkzcrm runs"]),
        (("report", "no-run"), ["no run no-run", "bulkzcrm runs"]),
        (("resume",), ["no run that can be resumed"]),
        (("retry",), ["no run yet"]),
    ],
)
def test_what_there_is_not_is_named_with_what_there_is(terminal: Terminal, words, pieces):
    ending = terminal.type(*words)
    assert ending.status == 2
    assert all(piece in ending.why for piece in pieces), ending.why
    assert ending.out == ""


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("frobnicate",),
        ("run",),
        ("run", "create-services"),
        ("run", "create-services", "a.csv", "b.csv"),
        ("run", "create-services", "a.csv", "--job", "job.toml"),
        ("run", "create-services", "a.csv", "--concurrency", "0"),
        ("run", "create-services", "a.csv", "--batch-size", "many"),
        ("run", "create-services", "a.csv", "--timeout", "-1"),
        ("run", "create-services", "a.csv", "--timeout", "nan"),
        ("run", "create-services", "a.csv", "--max-wait", "inf"),
        ("runs", "--limit", "99999999999999999999"),
        ("run", "create-services", "a.csv", "--decimal", ";"),
        ("run", "create-services", "a.csv", "--date-format", "ddmmyy"),
        ("check", "create-services", "a.csv", "--profile", "main"),
        ("sandbox", "--port", "70000"),
        ("auth", "login", "--port", "many"),
    ],
)
def test_words_that_make_no_command_are_refused_with_the_usage(terminal: Terminal, words):
    terminal.write("a.csv", services("A"))
    ending = terminal.type(*words)
    assert ending.status == 2
    assert "Usage: bulkzcrm" in ending.err
    assert "Traceback" not in ending.err
    assert not terminal.home.exists()


def test_a_command_can_be_copied_from_what_the_tool_prints():
    from bulkzcrm.run.options import RunOptions, command_line

    options = RunOptions(
        mapping={'a "b" = c': "Price"}, constants={"Description": "it's; $HOME"}, time_zone="Asia/Kolkata"
    )
    words = options.arguments(of_the_source=True)
    if sys.platform != "win32":
        assert shlex.split(command_line(words)) == words
