"""The guards of `runs prune`: nothing is deleted that is still needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from guards import Guard

from bulkzcrm.journal import Journal, NewRun, Progress, Pruning, Run, repeats, rows, runs
from bulkzcrm.journal.database import Database
from bulkzcrm.run import pruning

PRUNING = "cli/test_cli_pruning.py::"
MEANWHILE = "test_pruning_meanwhile.py::"


def _let_each_go_alone(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(pruning, "_families", lambda runs: [[run] for run in runs])


def _let_go_what_explains(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(pruning, "_may_explain", lambda _run, _doubtful: False)


def _let_go_what_was_just_before(patch: pytest.MonkeyPatch) -> None:
    may_explain = pruning._may_explain
    patch.setattr(
        pruning,
        "_may_explain",
        lambda run, doubtful: run.updated_ms >= doubtful.created_ms and may_explain(run, doubtful),
    )


def _doubt_what_is_in_flight_alone(patch: pytest.MonkeyPatch) -> None:
    def has_sent(of: Pruning, run: str) -> bool:
        counts = rows.count_by_status(of._database, run)
        return bool(counts[Progress.SENDING] + counts[Progress.IN_DOUBT])

    patch.setattr(Pruning, "has_sent", has_sent)


def _retry_what_is_gone(patch: pytest.MonkeyPatch) -> None:
    add, find = runs.add, runs.find

    def found(database: Database, run: str) -> Run:
        row = database.one("SELECT * FROM run WHERE id = ?", (run,))
        return find(database, run) if row is None else runs._run(row)

    def added(database: Database, new: NewRun, now_ms: int) -> None:
        with pytest.MonkeyPatch.context() as inside:
            inside.setattr(runs, "find", found)
            add(database, new, now_ms)

    patch.setattr(runs, "add", added)


def _take_rows_of_what_is_gone(patch: pytest.MonkeyPatch) -> None:
    def marked(journal: Journal, run: str, ordinals: Sequence[int], retry_run: str) -> None:
        with journal.transaction():
            repeats.take(journal._database, run, ordinals, retry_run)

    patch.setattr(Journal, "mark_taken_by_retry", marked)


def _prune_what_was_shown(patch: pytest.MonkeyPatch) -> None:
    prune = pruning.prune

    def pruned(journal: Journal, agreed: pruning.Plan, _again: Any, **named: Any) -> pruning.Pruned:
        return prune(journal, agreed, lambda: agreed, **named)

    patch.setattr(pruning, "prune", pruned)


def _remember_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(pruning, "_warns", lambda _run: False)


def _never_look_back(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Pruning, "begun", lambda _pruning: [])


GUARDS = (
    Guard(
        name="a run is pruned together with its job and its retries, or not at all",
        remove=_let_each_go_alone,
        noticed_by=[
            PRUNING + "test_a_run_and_its_retries_go_together",
            PRUNING + "test_the_steps_of_a_job_go_together",
        ],
    ),
    Guard(
        name="what may explain the records of a run in doubt is not pruned",
        remove=_let_go_what_explains,
        noticed_by=[PRUNING + "test_what_may_explain_the_records_of_a_run_in_doubt_stays"],
    ),
    Guard(
        name="what was made just before a run in doubt is not pruned",
        remove=_let_go_what_was_just_before,
        noticed_by=[PRUNING + "test_what_was_made_just_before_a_run_in_doubt_may_explain_its_records_too"],
    ),
    Guard(
        name="a run that has sent something may be in doubt, whatever its rows are now",
        remove=_doubt_what_is_in_flight_alone,
        noticed_by=[
            PRUNING + "test_what_may_explain_the_records_of_a_run_that_has_sent_something_stays",
            MEANWHILE + "test_another_runs_record_is_not_taken_for_a_lost_one_whoever_prunes_meanwhile",
        ],
    ),
    Guard(
        name="no retry is begun of a run that is pruned",
        remove=_retry_what_is_gone,
        noticed_by=[MEANWHILE + "test_rows_of_a_run_that_is_being_pruned_are_not_retried"],
    ),
    Guard(
        name="no rows are taken from a run that is pruned",
        remove=_take_rows_of_what_is_gone,
        noticed_by=[MEANWHILE + "test_rows_are_not_taken_from_a_run_that_is_being_pruned"],
    ),
    Guard(
        name="what may be pruned is looked at once more when it is",
        remove=_prune_what_was_shown,
        noticed_by=[MEANWHILE + "test_a_run_that_is_retried_since_it_was_shown_is_not_pruned"],
    ),
    Guard(
        name="that a create was sent is remembered when its run is pruned",
        remove=_remember_nothing,
        noticed_by=[PRUNING + "test_a_pruned_create_still_guards_against_a_second_import"],
    ),
    Guard(
        name="a pruning that broke off is finished by the next",
        remove=_never_look_back,
        noticed_by=[PRUNING + "test_what_breaks_off_is_finished_by_the_next"],
    ),
)
