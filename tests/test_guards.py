"""The guards that `remove_guards` takes away are there to be taken away, and what is to notice it is there, too."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest
from all_guards import GUARDS, Trial
from crash_worlds import worlds
from guards import KILLED, SUSPENDED, TESTS, Guard, Noticed, an_ordinary_run


@cache
def found_in(path: Path) -> frozenset[str]:
    """The tests of a file, those of a class with its name before theirs."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        inside = node.body if isinstance(node, ast.ClassDef) else [node]
        before = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        found |= {before + each.name for each in inside if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}
    return frozenset(found)


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_a_guard_can_be_taken_away_and_given_back(guard: Guard):
    """An attribute that the program has no more would be an error here."""
    with pytest.MonkeyPatch.context() as patch:
        guard.remove(patch)


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_what_is_to_notice_a_guard_is_there(guard: Guard):
    assert guard.noticed_by
    for watch in guard.noticed_by:
        if watch.startswith((KILLED, SUSPENDED)):
            assert watch.partition(": ")[2] in {plan.name for plan in worlds()}
        else:
            file, _, test = watch.partition("::")
            assert test.partition("[")[0] in found_in(TESTS / file)


def test_no_two_guards_have_the_same_name():
    assert len({guard.name for guard in GUARDS}) == len(GUARDS)


def test_an_ordinary_run_is_well_and_a_program_that_is_merely_broken_is_found_out():
    assert an_ordinary_run() == ""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bulkzcrm.send.Ledger.answered", None)
        assert "create" in an_ordinary_run()


def test_what_does_not_fail_has_survived():
    trial = Trial("a guard", [Noticed("one", "failed", 0.1), Noticed("another")])
    assert trial.survivors == ["another"]
