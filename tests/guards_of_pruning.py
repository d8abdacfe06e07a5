"""The guards of `runs prune`: nothing is deleted that is still needed."""

from __future__ import annotations

import pytest
from guards import Guard

from bulkzcrm.journal import Pruning
from bulkzcrm.run import pruning

PRUNING = "cli/test_cli_pruning.py::"


def _let_each_go_alone(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(pruning, "_families", lambda runs: [[run] for run in runs])


def _let_go_what_explains(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(pruning, "_may_explain", lambda _run, _doubtful: False)


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
