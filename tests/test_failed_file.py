"""Corrections that somebody has made in `failed.csv`: no report takes their place, and none are seen where none are."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_reports_at_once import RUN, Other, once, other

from bulkzcrm.errors import OutputError
from bulkzcrm.journal import Journal, Progress, Reports, RowOutcome
from bulkzcrm.model import Problem
from bulkzcrm.report.write import Prepared
from bulkzcrm.run import failed_file
from bulkzcrm.run.failed_file import FailedFile
from bulkzcrm.run.reporting import Ending, project

__all__ = ["other"]

MENDED = "two hours of corrections"


def reject(process: Other, ordinal: int) -> None:
    """Have one more row refused, so that the next report has another `failed.csv`."""
    process.left.remove(ordinal)
    number = process.journal.plan_batch(RUN, 0, [ordinal])
    process.journal.mark_sending(RUN, 0, number, ordinals=[ordinal], body_sha256="ab", sent_ms=1)
    problems = (Problem(code="INVALID_DATA", field="Price", message="Wrong.", remedy="Mend it."),)
    refused = RowOutcome(ordinal=ordinal, status=Progress.REJECTED, problems=problems)
    process.journal.mark_answered(RUN, 0, number, [refused], answered_ms=2)


@pytest.fixture
def refused(other: Other) -> Other:
    reject(other, 5)
    return other


def mend(folder: Path) -> None:
    (folder / "failed.csv").write_text(MENDED)


def assert_left_alone(folder: Path, ending: Ending) -> None:
    assert (folder / "failed.csv").read_text() == MENDED
    assert ending.summary.files["failed"] == folder / "failed (2).csv"
    assert len(ending.notes) == 1
    assert "failed (2).csv" in ending.notes[0]


class _Killed(BaseException):
    pass


def _killed_after(work: Callable[..., Any]) -> Callable[..., Any]:
    def worked(*positional: Any, **named: Any) -> Any:
        work(*positional, **named)
        raise _Killed

    return worked


@pytest.mark.parametrize("error", [_Killed, OutputError("The disk is full.", "Make room.")])
def test_corrections_are_known_though_who_wrote_the_file_died_before_the_end(
    refused: Other, monkeypatch: pytest.MonkeyPatch, error: Any
):
    """All files stand; the journal has not been told, or the disk has refused to."""
    put_in_place = Prepared.put_in_place

    def placed(*positional: Any, **named: Any) -> None:
        put_in_place(*positional, **named)
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(Prepared, "put_in_place", placed)
        with pytest.raises((_Killed, OutputError)):
            refused.report()
    mend(refused.output)
    assert_left_alone(refused.output, refused.report())


@pytest.mark.parametrize("deed", ["before", "after"])
def test_who_died_leaves_no_file_that_is_taken_for_corrections(
    refused: Other, monkeypatch: pytest.MonkeyPatch, deed: str
):
    """What stands there may be the file of before, or the one that was about to take its place."""
    refused.report()
    reject(refused, 6)
    with monkeypatch.context() as patch:
        put_in_place = Prepared.put_in_place if deed == "after" else lambda *_, **__: None
        patch.setattr(Prepared, "put_in_place", _killed_after(put_in_place))
        with pytest.raises(_Killed):
            refused.report()
    reject(refused, 7)
    ending = refused.report()
    assert (ending.notes, ending.summary.files["failed"]) == ((), refused.output / "failed.csv")
    assert not (refused.output / "failed (2).csv").exists()


def test_corrections_saved_while_the_report_waits_for_the_journal_are_left_alone(
    refused: Other, monkeypatch: pytest.MonkeyPatch
):
    refused.report()
    reject(refused, 6)
    placing = Reports.placing

    def late(*positional: Any, **named: Any) -> Any:
        mend(refused.output)
        return placing(*positional, **named)

    monkeypatch.setattr(Reports, "placing", late)
    assert_left_alone(refused.output, refused.report())


def test_corrections_saved_between_the_word_and_the_deed_are_left_alone(
    refused: Other, monkeypatch: pytest.MonkeyPatch
):
    refused.report()
    reject(refused, 6)
    word = FailedFile.word

    def given(*positional: Any) -> Any:
        found = word(*positional)
        mend(refused.output)
        return found

    monkeypatch.setattr(FailedFile, "word", given)
    assert_left_alone(refused.output, refused.report())


def test_a_file_of_the_same_size_and_time_that_was_put_there_meanwhile_is_looked_at(
    refused: Other, monkeypatch: pytest.MonkeyPatch
):
    """Some programs save aside, rename, and set the time that the file had."""
    refused.report()
    reject(refused, 6)
    file = refused.output / "failed.csv"
    before, content = file.stat(), file.read_bytes().replace(b"Service", b"Servant")
    placing = Reports.placing

    def late(*positional: Any, **named: Any) -> Any:
        aside = file.with_name("aside")
        aside.write_bytes(content)
        os.utime(aside, ns=(before.st_atime_ns, before.st_mtime_ns))
        aside.replace(file)
        return placing(*positional, **named)

    monkeypatch.setattr(Reports, "placing", late)
    assert refused.report().summary.files["failed"].name == "failed (2).csv"
    assert file.read_bytes() == content


def test_nobody_waits_while_a_large_file_is_read(refused: Other, monkeypatch: pytest.MonkeyPatch):
    """One that is there for a moment only is taken for somebody's corrections instead."""
    refused.report()
    monkeypatch.setattr(failed_file, "_MOST_BYTES", 0)
    assert refused.report().notes == ()
    placing = Reports.placing

    def late(*positional: Any, **named: Any) -> Any:
        (refused.output / "failed.csv").touch()
        return placing(*positional, **named)

    monkeypatch.setattr(Reports, "placing", late)
    assert refused.report().summary.files["failed"].name == "failed (2).csv"


def test_a_report_in_another_folder_changes_nothing_about_the_first(refused: Other, tmp_path: Path):
    refused.report()
    reject(refused, 6)
    project(refused.journal, refused.run, tmp_path / "other", resume=None)
    reject(refused, 7)
    ending = refused.report()
    assert (ending.notes, ending.summary.files["failed"]) == ((), refused.output / "failed.csv")
    assert len((refused.output / "failed.csv").read_text("utf-8-sig").splitlines()) == 4
    mend(tmp_path / "other")
    assert_left_alone(tmp_path / "other", project(refused.journal, refused.run, tmp_path / "other", resume=None))


def test_a_folder_is_known_by_any_of_its_names_and_after_it_was_moved(refused: Other, tmp_path: Path):
    refused.report()
    refused.output.rename(tmp_path / "moved")
    (tmp_path / "link").symlink_to(tmp_path / "moved", target_is_directory=True)
    for name in ("link", "moved"):
        reject(refused, 6 if name == "link" else 7)
        assert project(refused.journal, refused.run, tmp_path / name, resume=None).notes == ()
    assert len(refused.run.lookups["failed_sha256"]) == 2


def test_a_file_that_the_run_has_not_written_is_left_alone(refused: Other):
    refused.output.mkdir()
    mend(refused.output)
    assert_left_alone(refused.output, refused.report())


def test_what_an_earlier_version_has_kept_is_understood(refused: Other):
    refused.report()
    ((_, (written,)),) = refused.run.lookups["failed_sha256"].items()
    refused.journal.update_run(RUN, 0, lookups={"failed_sha256": written})
    reject(refused, 6)
    assert refused.report().notes == ()
    refused.journal.update_run(RUN, 0, lookups={"failed_sha256": written})
    mend(refused.output)
    assert_left_alone(refused.output, refused.report())


def test_what_is_kept_of_the_files_does_not_grow_for_ever(refused: Other, tmp_path: Path):
    folders = [tmp_path / f"folder {number}" for number in range(25)]
    for folder in folders:
        project(refused.journal, refused.run, folder, resume=None)
    for ordinal in range(6, 12):
        reject(refused, ordinal)
        assert project(refused.journal, refused.run, folders[-1], resume=None).notes == ()
    kept = refused.run.lookups["failed_sha256"]
    assert len(kept) == 20
    assert list(kept)[-1] == str(folders[-1].resolve())
    assert max(map(len, kept.values())) == 4


def test_two_reports_at_once_do_not_take_each_other_s_file_for_corrections(refused: Other):
    with Journal.open(refused.home) as journal:
        next_reported = journal.next_reported
        meanwhile = once(refused.report)

        def slow(*positional: Any, **named: Any) -> Any:
            page = next_reported(*positional, **named)
            meanwhile()
            return page

        journal.next_reported = slow  # type: ignore[method-assign]
        assert project(journal, journal.run(RUN), refused.output, resume=None).notes == ()
