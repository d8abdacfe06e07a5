"""The guards of what lies in a report's folder: corrections, reports of others, and what killed reports have left."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from guards import Guard

from bulkzcrm.journal import Reports, Run, opening, runs
from bulkzcrm.report import files, summary, write
from bulkzcrm.run import engine, failed_file, folders, reporting
from bulkzcrm.run.failed_file import FailedFile

CORRECTIONS = "test_failed_file.py::"
FOLDERS = "test_report_folders.py::"
LEFT = "report/test_report_files.py::"
UPGRADES = "journal/test_journal_upgrades.py::"


def _keep_the_word_with_the_deed(patch: pytest.MonkeyPatch) -> None:
    """What the files hold is kept when they stand, and not before."""
    placing = Reports.placing

    @contextmanager
    def placed(of: Reports, run: str, revision: int, *, word: Callable[[Run], Any], **named: Any) -> Iterator[Run]:
        with placing(of, run, revision, **named) as found:
            yield found
            runs.update(of._database, run, {}, {"lookups": word(found)})

    patch.setattr(Reports, "placing", placed)


def _keep_the_latest(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(failed_file, "_MOST_HASHES", 1)


def _keep_one_folder(patch: pytest.MonkeyPatch) -> None:
    word = FailedFile.word

    def replaced(file: FailedFile, run: Run) -> Any:
        ((name, kept),) = word(file, run).items()
        assert isinstance(kept, dict)
        return {name: list(kept.values())[-1][-1]}

    patch.setattr(FailedFile, "word", replaced)


def _know_by_size_and_time(patch: pytest.MonkeyPatch) -> None:
    stat = Path.stat

    def looked(path: Path, **named: Any) -> os.stat_result:
        found = stat(path, **named)
        if not path.name.startswith("failed"):
            return found
        told = {"st_mtime_ns": found.st_mtime_ns, "st_atime_ns": 0, "st_ctime_ns": 0}
        return os.stat_result((found.st_mode, 0, 0, 0, 0, 0, found.st_size, 0, 0, 0), told)

    patch.setattr(Path, "stat", looked)


def _read_whatever_it_takes(patch: pytest.MonkeyPatch) -> None:
    free = FailedFile._free

    def unhurried(file: FailedFile, run: Run, *, briefly: bool) -> Any:
        del briefly
        return free(file, run, briefly=False)

    patch.setattr(FailedFile, "_free", unhurried)


def _replace_what_nobody_has_written(patch: pytest.MonkeyPatch) -> None:
    free = FailedFile._free

    def freed(file: FailedFile, run: Run, *, briefly: bool) -> Any:
        own = {each for hashes in failed_file._kept(run, file._kept_as).values() for each in hashes}
        return free(file, run, briefly=briefly) if own - {file._new} else ("failed.csv", None)

    patch.setattr(FailedFile, "_free", freed)


def _look_at_the_beginning_alone(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reporting, "refuse_taken", lambda *_folder, **_named: None)


def _begin_anywhere(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(engine, "refuse_folder_of_another", lambda *_facts: None)


def _look_once(patch: pytest.MonkeyPatch) -> None:
    refuse, asked = folders.refuse_folder_of_another, set[str]()

    def refused(journal: Any, folder: Path, run: str, now_ms: int) -> None:
        if run not in asked:
            asked.add(run)
            refuse(journal, folder, run, now_ms)

    patch.setattr(engine, "refuse_folder_of_another", refused)


def _compare_names(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(folders, "_are_one", lambda one, other: one == other)


def _take_a_check_for_nobody(patch: pytest.MonkeyPatch) -> None:
    run_of = summary._run_of
    patch.setattr(summary, "_run_of", lambda folder: run_of(folder) or None)


def _update_under_others(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(opening, "_refuse_while_at_work", lambda *_facts: None)


def _leave_what_was_left(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(write, "delete_leftovers", lambda _folder: None)


def _delete_whatever_it_is(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(files, "dead", lambda _owner: True)


def _removed(remove: Callable[[pytest.MonkeyPatch], None], name: str, *noticed_by: str) -> Guard:
    return Guard(name=name, remove=remove, noticed_by=list(noticed_by))


GUARDS = (
    _removed(
        _keep_the_word_with_the_deed,
        "what failed.csv will hold is on the disk before it stands",
        CORRECTIONS + "test_who_died_leaves_no_file_that_is_taken_for_corrections",
    ),
    _removed(
        _keep_the_latest,
        "the failed file of before is known as well as the new one",
        CORRECTIONS + "test_who_died_leaves_no_file_that_is_taken_for_corrections",
    ),
    _removed(
        _keep_one_folder,
        "the failed file is known in every folder",
        CORRECTIONS + "test_a_report_in_another_folder_changes_nothing_about_the_first",
    ),
    _removed(
        _know_by_size_and_time,
        "a failed file that was replaced is read once more",
        CORRECTIONS + "test_a_file_of_the_same_size_and_time_that_was_put_there_meanwhile_is_looked_at",
    ),
    _removed(
        _read_whatever_it_takes,
        "nobody waits while a large failed file is read",
        CORRECTIONS + "test_nobody_waits_while_a_large_file_is_read",
    ),
    _removed(
        _replace_what_nobody_has_written,
        "a failed file that the run has not written is left alone",
        CORRECTIONS + "test_a_file_that_the_run_has_not_written_is_left_alone",
        CORRECTIONS + "test_corrections_are_known_though_who_wrote_the_file_died_before_the_end",
        "test_reports_at_once.py::test_corrections_in_the_failed_file_of_another_report_are_left_alone",
    ),
    _removed(
        _look_at_the_beginning_alone,
        "no report takes the place of another run's",
        FOLDERS + "test_a_run_that_ends_later_leaves_the_report_of_another_one_alone",
        FOLDERS + "test_a_check_leaves_the_report_alone_that_a_run_puts_there_meanwhile",
    ),
    _removed(
        _take_a_check_for_nobody,
        "no report takes the place of a check's",
        FOLDERS + "test_a_run_leaves_the_report_of_a_check_alone",
    ),
    _removed(
        _begin_anywhere,
        "a run is refused a folder that another one at work has",
        FOLDERS + "test_a_run_is_refused_a_folder_in_which_another_one_will_write_its_report",
    ),
    _removed(
        _look_once,
        "of two runs that are given one folder at one moment one is refused",
        FOLDERS + "test_of_two_that_begin_at_one_moment_one_is_refused",
    ),
    _removed(
        _compare_names,
        "a folder is the same under another name",
        FOLDERS + "test_a_folder_is_the_same_under_another_name",
    ),
    _removed(
        _update_under_others,
        "a journal is not updated while an older program is at work in it",
        UPGRADES + "test_a_journal_is_not_updated_while_an_older_program_is_at_work_in_it",
    ),
    _removed(
        _leave_what_was_left,
        "what a killed report has left is deleted",
        LEFT + "test_a_report_tidies_up_after_one_that_was_killed",
    ),
    _removed(
        _delete_whatever_it_is,
        "what a living process writes aside is left alone",
        LEFT + "test_what_a_living_process_writes_is_left_alone",
    ),
)
