"""What a person meets who resumes: a source that is no longer what it was, a signal, a journal that is read-only."""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from forwarder import Cut, Heard, Say
from terminal import Ended, Served, Terminal, ended, services

from bulkzcrm.cli.options import given_options
from bulkzcrm.journal import Journal

posix = pytest.mark.skipif(os.name != "posix", reason="signals of this kind are POSIX's")
unless_root = pytest.mark.skipif(
    os.name != "posix" or os.geteuid() == 0, reason="root may write what is read-only for everybody else"
)
NAMES = [f"Service {number}" for number in range(6)]
CHANGED = services("Quite another")
ONE_BY_ONE = ("--batch-size", "1", "--concurrency", "1")


@pytest.fixture
def stopped(connected: Terminal, served: Served) -> Callable[..., str]:
    """Begin a run of `good.csv` that stops before its first write, because the server is down; return its id."""

    def stop(source: str | Path = "good.csv", stdin: bytes = b"") -> str:
        connected.write("good.csv", services(*NAMES))

        async def refuse(heard: Heard) -> Say:
            return Say(503)

        async def let_pass(heard: Heard) -> None:
            return None

        served.wire.interfere = refuse
        ending = connected.type(
            "run", "create-services", str(source), "--yes", "--json", "--max-wait", "0", *ONE_BY_ONE, stdin=stdin
        )
        assert (ending.status, ending.object["unsent"]) == (3, len(NAMES)), ending.err
        served.wire.interfere = let_pass
        return str(ending.object["run"])

    return stop


def resumed(terminal: Terminal, served: Served, *words: str) -> Ended:
    """Resume; every row of the source as it was is sent, and sent once."""
    ending = terminal.type("resume", "--yes", "--json", "--max-wait", "60", *words)
    assert (ending.status, ending.object["succeeded"]) == (0, len(NAMES)), ending.err
    assert sorted(served.created) == NAMES
    return ending


# -- the source


def test_nothing_is_said_of_a_source_that_is_as_it_was(connected: Terminal, served: Served, stopped):
    stopped()
    ending = resumed(connected, served)
    assert "good.csv has changed" not in ending.err
    assert "no longer" not in ending.err


@pytest.mark.parametrize("content", [CHANGED, services(*NAMES, "One more"), ""])
def test_a_source_that_has_changed_is_told_and_never_mixed_in(
    connected: Terminal, served: Served, stopped, content: str
):
    stopped()
    connected.write("good.csv", content)
    ending = resumed(connected, served, "--quiet")
    assert f"Warning: {connected.folder / 'good.csv'} has changed since the run was begun." in ending.err


@pytest.mark.parametrize("as_folder", [False, True])
def test_a_source_that_is_gone_is_merely_noted(connected: Terminal, served: Served, stopped, *, as_folder: bool):
    stopped()
    file = connected.folder / "good.csv"
    shutil.move(file, connected.folder / "moved.csv")
    if as_folder:
        file.mkdir()
    ending = resumed(connected, served)
    assert f"Note: {file} is no longer there. It is not needed" in ending.err


def test_the_source_is_the_one_that_was_read_and_not_one_of_that_name_in_the_folder_of_today(
    connected: Terminal, served: Served, stopped
):
    stopped()
    connected.folder /= "another folder"
    connected.folder.mkdir()
    connected.write("good.csv", CHANGED)
    assert "has changed" not in resumed(connected, served).err


def test_of_standard_input_nothing_can_be_told(connected: Terminal, served: Served, stopped):
    stopped("-", services(*NAMES).encode())
    connected.write("-", CHANGED)
    ending = resumed(connected, served)
    assert "has changed" not in ending.err
    assert "no longer" not in ending.err


def test_a_frame_and_a_stream_are_no_files_that_could_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from bulkzcrm.run.options import RunOptions
    from bulkzcrm.run.sources import origin_of

    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.csv").write_text(services(*NAMES))
    assert origin_of(io.BytesIO(services(*NAMES).encode()), RunOptions()).file is None
    assert origin_of("missing.csv", RunOptions()).file is None
    assert origin_of("there.csv", RunOptions()).file == tmp_path / "there.csv"


# -- options


@pytest.mark.parametrize("name", ["max_wait", "quiet_period"])
def test_no_time_at_all_is_a_time_that_can_be_asked_for(name: str):
    assert given_options({name: 0.0}) == {name: 0.0}
    assert given_options({name: None, "again": False, "mapping": (), "ignored": ()}) == {}


def test_options_of_a_run_that_another_process_is_at_work_on_are_left_alone(
    connected: Terminal, served: Served, stopped
):
    run = stopped()
    with Journal.open(connected.home) as journal:
        epoch = journal.claim(run, "elsewhere.invalid/1/0123abcd", 0, 10**15)
        refused = connected.type("resume", run, "--yes", "--concurrency", "7")
        assert (refused.status, f"Another process is at work on the run {run}" in refused.why) == (2, True)
        kept = journal.run(run)
        assert (kept.options["concurrency"], kept.epoch) == (1, epoch)
        assert epoch is not None
        journal.release(run, epoch)
    resumed(connected, served, "--concurrency", "7")


def test_a_job_that_another_process_is_at_work_on_is_refused_as_a_whole(connected: Terminal, served: Served):
    connected.write("good.csv", services(*NAMES))
    connected.write("more.csv", services("One more"))
    step = '[[step]]\noperation = "create-services"\nsource = "{}.csv"\n'
    connected.write("job.toml", f'name = "both"\nyes = true\n{step.format("good")}{step.format("more")}')
    served.wire.script(Cut(applied=False), *[Say(503)] * 100)
    begun = connected.type("run", "--job", "job.toml", "--json", "--max-wait", "0", "--quiet-period", "0")
    assert begun.status == 3, begun.err
    served.wire.script()
    with Journal.open(connected.home) as journal:
        first = begun.object["steps"][0]["run"]
        epoch = journal.claim(first, "elsewhere.invalid/1/0123abcd", 0, 10**15)
        refused = connected.type("resume", "--json", "--max-wait", "60")
        assert (refused.status, refused.object["state"]) == (2, "refused"), refused.err
        assert f"Another process is at work on the run {first}" in refused.why
        assert {run.options["max_wait"] for run in journal.runs()} == {"0.0"}, "all or none"
        assert epoch is not None
        journal.release(first, epoch)
    ending = connected.type("resume", "--json", "--max-wait", "60")
    assert ending.status == 0, ending.err
    assert served.created == [*NAMES, "One more"]


# -- signals


@posix
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_wait_before_a_lost_create_is_read_back_and_resume_settles_it(
    connected: Terminal, served: Served, sent: signal.Signals
):
    connected.write("good.csv", services(*NAMES))
    served.wire.script(*[None] * 5, Cut(applied=True))
    words = ("run", "create-services", "good.csv", "--yes", "--json", "--quiet-period", "1000", *ONE_BY_ONE)
    with connected.start(*words) as process:
        read_until(process, b"Waiting")
        process.send_signal(sent)
        ending = ended(process)
    told = ending.object
    assert (ending.status, told["state"], told["unknown"], told["succeeded"]) == (130, "interrupted", 1, 5), ending.err
    assert ending.last == told["resume"]
    served.wire.script()
    resumed(connected, served, "--quiet-period", "0.1")


def read_until(process: subprocess.Popen[bytes], words: bytes) -> None:
    assert process.stderr is not None
    seen = b""
    while words not in seen:
        more = process.stderr.read1(1000)  # type: ignore[attr-defined]  # a BufferedReader
        assert more, seen.decode()
        seen += more


# -- the journal


@unless_root
def test_a_journal_that_has_become_read_only_is_refused_and_works_again_once_it_may_be_written(
    connected: Terminal, served: Served, stopped
):
    stopped()
    journal = connected.home / "journal.sqlite3"
    for mode, folder_mode in ((0o400, 0o700), (0o600, 0o500)):
        journal.chmod(mode)
        connected.home.chmod(folder_mode)
        refused = connected.type("resume", "--yes", "--json")
        assert (refused.status, refused.object["state"]) == (2, "refused")
        assert str(journal) in refused.why
        assert "Traceback" not in refused.err
    connected.home.chmod(0o700)
    resumed(connected, served)
