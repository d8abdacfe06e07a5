"""The guards of reports that are written while others write: each is of one moment, and never older than another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from guards import Guard

from bulkzcrm import library
from bulkzcrm.errors import UsageError
from bulkzcrm.journal import Journal, LostLeaseError, Reports, Run, report_pages, runs
from bulkzcrm.journal.codec import json_text
from bulkzcrm.journal.database import Database
from bulkzcrm.report.write import Prepared
from bulkzcrm.run.failed_file import FailedFile
from bulkzcrm.run.told import Told

MEANWHILE = "test_reports_at_once.py::"
RUNS = "journal/test_journal_runs.py::"


def _mind_no_change(patch: pytest.MonkeyPatch) -> None:
    placing = Reports.placing

    def placed(of: Reports, run: str, revision: int, **named: Any) -> Any:
        return placing(of, run, revision, **{**named, "unchanged": False})

    patch.setattr(Reports, "placing", placed)


def _copy_in_pieces(patch: pytest.MonkeyPatch) -> None:
    """The pages are asked for as before, but nothing was copied when they are."""

    patch.setattr(report_pages, "next_copied", report_pages.next_block)


def _mind_no_newer_report(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Reports, "_refuse_older", lambda *_facts: None)


def _leave_word_with_the_deed(patch: pytest.MonkeyPatch) -> None:
    placing = Reports.placing

    @contextmanager
    def placed(of: Reports, *positional: Any, **named: Any) -> Iterator[Run]:
        with of._database.transaction(), placing(of, *positional, **named) as found:
            yield found

    patch.setattr(Reports, "placing", placed)


def _ask_once(patch: pytest.MonkeyPatch) -> None:
    """Whether a newer report may stand is asked before the word of this one is left, and never again."""
    refuse, asked = Reports._refuse_older, dict[int, Reports]()

    def refused(of: Reports, run: str, revision: int) -> None:
        if id(of) not in asked:
            asked[id(of)] = of
            refuse(of, run, revision)

    patch.setattr(Reports, "_refuse_older", refused)


def _place_after_the_transaction(patch: pytest.MonkeyPatch) -> None:
    placing = Reports.placing

    @contextmanager
    def placed(of: Reports, *positional: Any, **named: Any) -> Iterator[Run]:
        with placing(of, *positional, **named) as found:
            pass
        yield found

    patch.setattr(Reports, "placing", placed)


def _report_whoever_it_is(patch: pytest.MonkeyPatch) -> None:
    held = Reports._held
    patch.setattr(Reports, "_held", lambda of, run, _epoch: held(of, run, None))


def _report_what_is_pruned(patch: pytest.MonkeyPatch) -> None:
    def held(of: Reports, run: str, epoch: int | None) -> Run:
        row = of._database.one("SELECT * FROM run WHERE id = ?", (run,))
        assert row is not None
        found = runs._run(row)
        if epoch is not None and found.epoch != epoch:
            raise LostLeaseError(run)
        return found

    patch.setattr(Reports, "_held", held)
    update = runs.update

    def updated(*facts: Any) -> None:
        with suppress(UsageError):
            update(*facts)

    patch.setattr(runs, "update", updated)


def _hold_up_for_as_long_as_it_takes(patch: pytest.MonkeyPatch) -> None:
    copy = Reports.copy
    patch.setattr(Reports, "copy", lambda of, run, *_patience_s, **_named: copy(of, run, 3_600))


def _change_unseen(patch: pytest.MonkeyPatch) -> None:
    hold = runs.hold

    def held(database: Database, run: str, epoch: int, now_ms: int) -> Any:
        before = runs.find(database, run).revision
        state = hold(database, run, epoch, now_ms)
        database.change("UPDATE run SET revision = ? WHERE id = ?", (before, run))
        return state

    patch.setattr(runs, "hold", held)


def _write_lookups_whole(patch: pytest.MonkeyPatch) -> None:
    update = runs.update

    def updated(database: Database, run: str, texts: Mapping[str, str | None], structures: Mapping[str, Any]) -> None:
        update(database, run, texts, {name: value for name, value in structures.items() if name != "lookups"})
        if structures.get("lookups") is not None:
            database.change("UPDATE run SET lookups = ? WHERE id = ?", (json_text(structures["lookups"]), run))

    patch.setattr(runs, "update", updated)


def _trust_the_name_of_before(patch: pytest.MonkeyPatch) -> None:
    names: dict[FailedFile, str] = {}
    name = FailedFile.name

    def named(file: FailedFile, run: Run, **named: Any) -> str:
        return names.setdefault(file, name(file, run, **named))

    patch.setattr(FailedFile, "name", named)


def _name_what_was_expected(patch: pytest.MonkeyPatch) -> None:
    summarise, done = Prepared._summarise, list[Prepared]()

    def summarised(prepared: Prepared, *positional: Any) -> None:
        if not any(each is prepared for each in done):
            done.append(prepared)
            summarise(prepared, *positional)

    patch.setattr(Prepared, "_summarise", summarised)


def _frame_page_by_page(patch: pytest.MonkeyPatch) -> None:
    def told(journal: Journal, run: str, *, checking: bool, from_copy: bool) -> Told:
        del from_copy
        return Told(journal, run, checking=checking, from_copy=False)

    patch.setattr(library, "Told", told)


def _removed(remove: Callable[[pytest.MonkeyPatch], None], name: str, *noticed_by: str) -> Guard:
    return Guard(name=name, remove=remove, noticed_by=list(noticed_by))


GUARDS = (
    _removed(
        _mind_no_change,
        "a report whose run has changed meanwhile is made anew",
        MEANWHILE + "test_a_report_of_a_run_that_is_at_work_all_the_time_is_of_one_moment",
    ),
    _removed(
        _copy_in_pieces,
        "the report of a run at work is of one moment",
        MEANWHILE + "test_a_report_of_a_run_that_is_at_work_all_the_time_is_of_one_moment",
    ),
    _removed(
        _frame_page_by_page,
        "the frame of a run at work is of one moment",
        MEANWHILE + "test_a_frame_of_a_run_at_work_is_of_one_moment",
    ),
    _removed(
        _mind_no_newer_report,
        "no report takes the place of a newer one",
        MEANWHILE + "test_a_report_never_takes_the_place_of_a_newer_one",
        MEANWHILE + "test_who_dies_while_a_report_is_put_in_place_leaves_word_of_it",
    ),
    _removed(
        _leave_word_with_the_deed,
        "a report is told of on the disk before its first file stands",
        MEANWHILE + "test_who_dies_while_a_report_is_put_in_place_leaves_word_of_it",
    ),
    _removed(
        _ask_once,
        "a newer report is looked for once more before the files are put in place",
        MEANWHILE + "test_a_newer_report_may_come_between_the_word_and_the_deed",
    ),
    _removed(
        _place_after_the_transaction,
        "nobody writes while a report is put in place",
        MEANWHILE + "test_nobody_writes_while_a_report_is_put_in_place",
    ),
    _removed(
        _report_whoever_it_is,
        "who has lost a run puts no report in place",
        "test_claim.py::test_who_lost_the_run_while_it_wrote_the_report_puts_none_in_place",
    ),
    _removed(
        _report_what_is_pruned,
        "a run that is pruned meanwhile is not reported",
        MEANWHILE + "test_a_run_that_is_pruned_while_it_is_reported_keeps_its_report",
    ),
    _removed(
        _hold_up_for_as_long_as_it_takes,
        "no run is held up for long by its report",
        MEANWHILE + "test_a_run_too_large_to_be_held_up_is_reported_when_it_stands_still",
    ),
    _removed(
        _change_unseen,
        "every write to a run moves its revision",
        RUNS + "test_every_write_to_a_run_moves_its_revision",
        MEANWHILE + "test_a_report_that_is_overtaken_is_made_anew",
    ),
    _removed(
        _write_lookups_whole,
        "what a run keeps is added to, and never written whole",
        RUNS + "test_what_is_kept_with_a_run_is_added_to_what_is_there",
        MEANWHILE + "test_a_report_during_the_confirmation_and_the_run_keep_what_the_other_one_has_written",
    ),
    _removed(
        _trust_the_name_of_before,
        "the failed file is looked at once more before it is replaced",
        "test_failed_file.py::test_corrections_saved_while_the_report_waits_for_the_journal_are_left_alone",
        "test_failed_file.py::test_corrections_saved_between_the_word_and_the_deed_are_left_alone",
    ),
    _removed(
        _name_what_was_expected,
        "the summary names the files as they are called",
        "report/test_report_write.py::test_the_summary_is_put_in_place_last_and_names_the_files_as_they_are_called",
    ),
)
