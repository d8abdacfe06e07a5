"""The README is true: the commands and options that it names exist, and what it shows as code runs."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from bulkzcrm.cli import bulkzcrm

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
COMMANDS = bulkzcrm.list_commands(None)


def _options(command) -> set[str]:
    found = {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
    for inner in getattr(command, "commands", {}).values():
        found |= _options(inner)
    return found | {"--help"}


ALL_OPTIONS = set().union(*(_options(bulkzcrm.get_command(None, name)) for name in COMMANDS)) | {"--version"}


def test_every_command_is_told_of():
    for name in COMMANDS:
        assert f"bulkzcrm {name}" in README, f"the README does not show bulkzcrm {name}"


def test_every_option_named_in_the_readme_exists():
    prose = re.sub(r"```(?:sh|powershell)?\n.*?pip install.*?```", "", README, flags=re.DOTALL)
    for option in re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", prose):
        assert option in ALL_OPTIONS | {"--strict"}, f"the README names {option}, which no command has"


def test_every_command_line_in_the_readme_is_one_that_the_program_understands():
    for line in re.findall(r"^\s*(bulkzcrm .*)$", README, flags=re.MULTILINE):
        words = shlex.split(line, comments=True)
        command = bulkzcrm.get_command(None, words[1])
        assert command is not None, line
        for word in words[2:]:
            if word.startswith("--"):
                assert word in _options(command), line


def test_every_option_of_run_is_told_of():
    for option in _options(bulkzcrm.get_command(None, "run")) - {"--help", "-o", "-q", "-v", "-y"}:
        assert option in README, f"the README does not tell of {option}"


def test_the_files_that_the_readme_names_are_there():
    root = Path(__file__).parent.parent
    for name in re.findall(r"\b(?:samples|jobs)/[\w.-]+\w", README):
        assert (root / name).exists(), name


def test_the_example_for_programs_runs(tmp_path, monkeypatch):
    (code,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    source = Path(__file__).parent.parent / "samples" / "services.csv"
    if not source.exists():
        pytest.fail("samples/services.csv is missing")
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / "services.csv").write_bytes(source.read_bytes())
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})  # noqa: S102 - our own page
    assert (tmp_path / "checked" / "results.csv").exists()
