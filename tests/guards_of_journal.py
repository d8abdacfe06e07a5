"""The guards of the journal and of the report: what is written is written whole, in order, and by whoever may."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

import pytest
from guards import KILLED, Guard

from bulkzcrm.journal import (
    BatchState,
    Journal,
    JournalWriter,
    Progress,
    RowOutcome,
    opening,
    repeats,
    row_writes,
    runs,
)
from bulkzcrm.journal import batches as batches_of
from bulkzcrm.journal.database import Database
from bulkzcrm.report import files
from bulkzcrm.send import Ledger


def _write_whoever_it_is(patch: pytest.MonkeyPatch) -> None:
    hold = runs.hold

    def held(database: Database, run: str, _epoch: int, now_ms: int) -> Any:
        return hold(database, run, runs.find(database, run).epoch, now_ms)

    patch.setattr(runs, "hold", held)


def _claim_what_others_have(patch: pytest.MonkeyPatch) -> None:
    claim = runs.claim

    def claimed(database: Database, run: str, owners: Sequence[str], now_ms: int, lease_ms: int) -> int | None:
        holder = runs.find(database, run).owner
        return claim(database, run, [*owners, *([holder] if holder else [])], now_ms, lease_ms)

    patch.setattr(runs, "claim", claimed)


def _write_outcomes_after_the_state(patch: pytest.MonkeyPatch) -> None:
    async def in_two(
        ledger: Ledger,
        number: int,
        outcomes: Sequence[RowOutcome],
        http_status: int | None = None,
        *,
        patient: bool = False,
    ) -> None:
        del http_status, patient
        now = Progress.SENDING

        def state(journal: Journal) -> None:
            nonlocal now
            with journal._holding(ledger._run, ledger._epoch):
                batch = batches_of.find(journal._database, ledger._run, number)
                now = Progress.IN_DOUBT if batch.state is BatchState.IN_DOUBT else Progress.SENDING
                batches_of._moved(journal._database, ledger._run, number, BatchState.ANSWERED)
                batches_of._note_answer(journal._database, batch, ledger._moment(), None)

        def rest(journal: Journal) -> None:
            with journal._holding(ledger._run, ledger._epoch):
                row_writes.write_outcomes(journal._database, ledger._run, number, now, outcomes)

        await ledger._writer.do(state)
        await ledger._writer.do(rest)

    patch.setattr(Ledger, "answered", in_two)


def _recover_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Journal, "recover", lambda *_facts: [])


def _allow_every_move(of: ModuleType) -> Callable[[pytest.MonkeyPatch], None]:
    return lambda patch: patch.setattr(of, "require_move", lambda *_facts: None)


def _answer_some_rows(patch: pytest.MonkeyPatch) -> None:
    def marked(
        database: Database, run: str, number: int, outcomes: Sequence[RowOutcome], *, answered_ms: int, http_status: Any
    ) -> None:
        now = batches_of._row_state(batches_of.find(database, run, number))
        batch = batches_of._moved(database, run, number, BatchState.ANSWERED)
        row_writes.write_outcomes(database, run, number, now, outcomes)
        batches_of._note_answer(database, batch, answered_ms, http_status)

    patch.setattr(batches_of, "mark_answered", marked)


def _finish_with_rows_left(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(runs, "UNFINISHED", frozenset({Progress.UNKNOWN}))


def _send_during_ingest(patch: pytest.MonkeyPatch) -> None:
    def held(database: Database, run: str, epoch: int, now_ms: int, _allowed: Any) -> None:
        runs.hold(database, run, epoch, now_ms)

    patch.setattr(runs, "hold_in", held)


def _forget_what_was_sent(patch: pytest.MonkeyPatch) -> None:
    def dropped(database: Database, run: str, _state: Any) -> None:
        database.change("DELETE FROM run WHERE id = ?", (run,))

    patch.setattr(runs, "drop", dropped)


def _take_rows_twice(patch: pytest.MonkeyPatch) -> None:
    def taken(database: Database, run: str, ordinals: Sequence[int], retry_run: str) -> None:
        database.change_many(
            "INSERT OR IGNORE INTO retried_row (run, ordinal, retry_run) VALUES (?, ?, ?)",
            ((run, ordinal, retry_run) for ordinal in ordinals),
        )

    patch.setattr(repeats, "take", taken)


def _say_done_before_the_commit(patch: pytest.MonkeyPatch) -> None:
    def committed(writer: JournalWriter, group: Sequence[Any]) -> None:
        with suppress(BaseException), writer._journal.transaction():
            for work in group:
                work.attempt(writer._journal)
                work.announce()
            if threading.current_thread() is not threading.main_thread():
                # As slow as disks may be.
                time.sleep(0.05)

    patch.setattr(JournalWriter, "_commit", committed)


def _keep_half_of_what_failed(patch: pytest.MonkeyPatch) -> None:
    def undone(database: Database, level: int) -> None:
        with suppress(sqlite3.Error):
            if level:
                database._connection.execute(f"ROLLBACK TO level_{level}")
                database._connection.execute(f"RELEASE level_{level}")
            elif database.in_transaction:
                database._connection.execute("ROLLBACK")

    patch.setattr(Database, "_undo", undone)


def _commit_piece_by_piece(patch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def none(_database: Database) -> Iterator[None]:
        yield

    patch.setattr(Database, "transaction", none)


def _with_other_pragma(sql: str) -> Callable[[pytest.MonkeyPatch], None]:
    def remove(patch: pytest.MonkeyPatch) -> None:
        configure = opening._configure

        def configured(connection: sqlite3.Connection) -> None:
            configure(connection)
            connection.execute(sql)

        patch.setattr(opening, "_configure", configured)

    return remove


def _use_a_log_with_any_version(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(opening, "_FIRST_SAFE_WAL", (3, 7, 0))


def _open_whatever_it_is(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(opening, "_refuse_foreign", lambda _connection, _path: None)


def _let_others_read(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(opening, "keep_private", lambda _path: None)


def _write_reports_in_place(patch: pytest.MonkeyPatch) -> None:
    fill = files._fill

    def target_of(aside: Path) -> Path:
        # `.NAME.SUFFIX.OWNER.HEX.part`
        return aside.with_name(".".join(aside.name.removeprefix(".").split(".")[:2]))

    def filled(aside: Path, write: Callable[[BinaryIO], None]) -> None:
        target_of(aside).unlink(missing_ok=True)
        fill(target_of(aside), write)

    patch.setattr(files, "_fill", filled)
    patch.setattr(files, "_put_in_place", lambda _aside, target, _replace: files.Placed(target))


GUARDS = (
    Guard(
        name="who has lost a run writes nothing more of it",
        remove=_write_whoever_it_is,
        noticed_by=[
            "test_claim.py::test_a_zombie_that_wakes_up_after_its_run_was_taken_over_sends_nothing_and_writes_nothing",
            "journal/test_journal_runs.py::test_whoever_lost_the_lease_writes_nothing",
        ],
    ),
    Guard(
        name="a run that another process is at work on is not taken",
        remove=_claim_what_others_have,
        noticed_by=[
            "test_resume.py::test_a_second_process_is_refused_while_the_first_is_at_work",
            "journal/test_journal_runs.py::test_a_live_lease_keeps_others_out_until_it_is_over",
        ],
    ),
    Guard(
        name="outcomes and the state of their batch are one transaction",
        remove=_write_outcomes_after_the_state,
        noticed_by=[f"{KILLED}create"],
    ),
    Guard(
        name="what was in flight is recovered before anything is sent",
        remove=_recover_nothing,
        noticed_by=[f"{KILLED}create"],
    ),
    Guard(
        name="a batch moves only as the table of moves allows",
        remove=_allow_every_move(batches_of),
        noticed_by=["journal/test_journal_batches.py::test_what_is_in_doubt_or_answered_is_not_called_not_applied"],
    ),
    Guard(
        name="a row moves only as the table of moves allows",
        remove=_allow_every_move(row_writes),
        noticed_by=[
            "journal/test_journal_rows.py::test_a_row_cannot_be_settled_as_something_that_only_an_answer_proves",
            "journal/test_journal_batches.py::test_an_answer_needs_one_fitting_outcome_for_each_row",
        ],
    ),
    Guard(
        name="a run moves only as the table of moves allows",
        remove=_allow_every_move(runs),
        noticed_by=["journal/test_journal_runs.py::test_a_run_that_is_finished_stays_so"],
    ),
    Guard(
        name="an answer gives every row of its batch an outcome",
        remove=_answer_some_rows,
        noticed_by=["journal/test_journal_batches.py::test_an_answer_needs_one_fitting_outcome_for_each_row"],
    ),
    Guard(
        name="no run is finished while a row has not ended",
        remove=_finish_with_rows_left,
        noticed_by=["journal/test_journal_runs.py::test_a_run_is_not_finished_while_a_row_has_not_ended"],
    ),
    Guard(
        name="nothing is sent before the whole source is read",
        remove=_send_during_ingest,
        noticed_by=["journal/test_journal_runs.py::test_a_run_does_not_send_before_the_whole_source_is_read"],
    ),
    Guard(
        name="a run of which something was sent is not forgotten",
        remove=_forget_what_was_sent,
        noticed_by=["journal/test_journal_runs.py::test_a_run_of_which_something_was_sent_is_not_dropped"],
    ),
    Guard(
        name="two retries do not take the same row",
        remove=_take_rows_twice,
        noticed_by=["test_resume.py::test_of_two_retries_that_read_the_same_rows_the_second_is_forgotten"],
    ),
    Guard(
        name="nobody hears of a write before it is committed",
        remove=_say_done_before_the_commit,
        noticed_by=["journal/test_journal_writer.py::test_every_intent_is_on_the_disk_before_its_await_returns"],
    ),
    Guard(
        name="a transaction happens as a whole or not at all",
        remove=_commit_piece_by_piece,
        noticed_by=["journal/test_journal_batches.py::test_writes_of_one_transaction_happen_together_or_not_at_all"],
    ),
    Guard(
        name="what cannot be undone alone is undone with all around it",
        remove=_keep_half_of_what_failed,
        noticed_by=["test_disk_faults.py::test_what_cannot_be_undone_alone_is_undone_with_all_that_is_around_it"],
    ),
    Guard(
        name="a commit outlives a power cut (synchronous = FULL)",
        remove=_with_other_pragma("PRAGMA synchronous = NORMAL"),
        noticed_by=["journal/test_journal_opening.py::test_commits_are_durable_and_references_hold"],
    ),
    Guard(
        name="a write-ahead log is used only where it cannot corrupt",
        remove=_use_a_log_with_any_version,
        noticed_by=["journal/test_journal_opening.py::test_a_write_ahead_log_is_used_only_where_it_cannot_corrupt"],
    ),
    Guard(
        name="foreign and newer files are refused and left untouched",
        remove=_open_whatever_it_is,
        noticed_by=[
            "journal/test_journal_opening.py::test_another_programs_database_is_refused_and_left_untouched",
            "journal/test_journal_opening.py::test_a_newer_journal_is_refused_and_left_untouched",
        ],
    ),
    Guard(
        name="the journal is its owner's alone",
        remove=_let_others_read,
        noticed_by=["journal/test_journal_opening.py::test_a_journal_that_others_could_read_is_taken_away_from_them"],
    ),
    Guard(
        name="a report is written aside and put in place as a whole",
        remove=_write_reports_in_place,
        noticed_by=[
            "report/test_report_files.py::test_nothing_stands_under_the_name_before_the_file_is_whole",
            "report/test_report_files.py::test_when_writing_breaks_off_the_older_file_stays_and_nothing_else_is_left",
        ],
    ),
)
