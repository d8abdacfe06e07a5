"""Commands typed for workbooks, and what comes of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
from package_rules import look_over
from terminal import Ended, Terminal

__all__ = ["Report", "checked", "ran"]


@dataclass(frozen=True)
class Report:
    """How a command ended, and the workbook that it has written."""

    ended: Ended
    path: Path

    @property
    def is_copy(self) -> bool:
        return "is a table of its own" not in self.ended.err

    @property
    def sheet(self) -> Any:
        """The first sheet."""
        return openpyxl.load_workbook(self.path).worksheets[0]


def checked(terminal: Terminal, name: str, *words: str, into: str = "out", suffix: str = "xlsx") -> Report:
    """`bulkzcrm check create-services`."""
    return _typed(terminal, "check", name, into, suffix, words)


def ran(terminal: Terminal, name: str, *words: str, into: str = "out", suffix: str = "xlsx") -> Report:
    """`bulkzcrm run create-services --sandbox`."""
    return _typed(terminal, "run", name, into, suffix, ("--sandbox", *words))


def _typed(terminal: Terminal, verb: str, name: str, into: str, suffix: str, words: tuple[str, ...]) -> Report:
    ended = terminal.type(verb, "create-services", name, "--format", "xlsx", "-o", into, *words)
    assert ended.status in {0, 1}, ended.err
    report = Report(ended, terminal.folder / into / f"results.{suffix}")
    look_over(report.path)
    return report
