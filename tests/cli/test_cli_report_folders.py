"""`report` into a folder that another run has, or has taken meanwhile."""

from __future__ import annotations

import shlex
import time
from pathlib import Path

import pytest
from terminal import Terminal, services

from bulkzcrm.journal import Journal, NewRun
from bulkzcrm.run import reporting
from bulkzcrm.run.folders import FolderTakenError

OTHER = "20990101-000000-abcdef"


@pytest.fixture
def run(terminal: Terminal) -> str:
    terminal.write("good.csv", services("A"))
    return str(terminal.type("run", "create-services", "good.csv", "--sandbox", "--json", "-o", "out").object["run"])


def test_no_report_is_written_into_the_folder_of_a_run_at_work(terminal: Terminal, run: str):
    folder = terminal.folder / "theirs"
    facts = {"operation": "create-services", "api_domain": "", "source": "a", "source_sha256": ""}
    with Journal.open(terminal.home) as journal:
        journal.add_run(NewRun(id=OTHER, columns=(), header_row=1, output=str(folder), **facts))
        journal.claim(OTHER, "elsewhere/1/ab", time.time_ns() // 1_000_000, 60_000)
    ending = terminal.type("report", run, "-o", "theirs")
    assert (ending.status, OTHER in ending.why, "--output" in ending.why) == (2, True, True)
    assert list(folder.iterdir()) == []
    assert terminal.type("report", run).status == 0


def test_the_command_that_is_named_writes_the_report_elsewhere(
    terminal: Terminal, run: str, monkeypatch: pytest.MonkeyPatch
):
    """Another run's report has come to stand there while this one was written."""

    def taken(folder: Path, of: str, *, checking: bool) -> None:
        assert not checking
        raise FolderTakenError(folder, of)

    with monkeypatch.context() as patch:
        patch.setattr(reporting, "refuse_taken", taken)
        ending = terminal.type("report", run, "-o", "new")
    assert ending.status == 3
    words = shlex.split(ending.last)
    assert words[0] == "bulkzcrm"
    assert terminal.type(*words[1:]).status == 0
    assert (terminal.folder / f"new-{run}" / "results.csv").exists()
