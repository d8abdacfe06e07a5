"""All guards, and what becomes of the program without each of them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

import guards_of_borders
import guards_of_folders
import guards_of_giving_back
import guards_of_ids
import guards_of_journal
import guards_of_matching
import guards_of_pruning
import guards_of_repeating
import guards_of_reports
import guards_of_sending
import guards_of_settling
import guards_of_sharing
import pytest
from guards import TESTS, Guard, Noticed, an_ordinary_run, watched

GUARDS: tuple[Guard, ...] = (
    *guards_of_sending.GUARDS,
    *guards_of_repeating.GUARDS,
    *guards_of_settling.GUARDS,
    *guards_of_matching.GUARDS,
    *guards_of_journal.GUARDS,
    *guards_of_pruning.GUARDS,
    *guards_of_reports.GUARDS,
    *guards_of_folders.GUARDS,
    *guards_of_giving_back.GUARDS,
    *guards_of_ids.GUARDS,
    *guards_of_sharing.GUARDS,
    *guards_of_borders.GUARDS,
)

_LINES_KEPT = 5
_IMPATIENCE_S = 10
"""Without some guards a test would wait for ever."""


@dataclass(slots=True)
class Trial:
    """What came of one guard's removal, or of none: who has noticed what, and what makes the trial worthless."""

    name: str
    noticed: list[Noticed] = field(default_factory=list)
    amiss: list[str] = field(default_factory=list)

    @property
    def survivors(self) -> list[str]:
        """The watches that were to notice, and did not."""
        return [each.watch for each in self.noticed if not each.how]


def without(name: str) -> Trial:
    """Take a guard away from this very process, for good, and look what happens."""
    guard = next(each for each in GUARDS if each.name == name)
    with _aside() as (scratch, said):
        guard.remove(pytest.MonkeyPatch())
        wrong = an_ordinary_run()
        noticed, amiss = watched(guard.noticed_by, scratch, patience_s=_IMPATIENCE_S)
    told = [f"an ordinary run ends badly: {wrong}"] if wrong else []
    return Trial(name, noticed, [*told, *amiss, *(said.getvalue().splitlines()[-_LINES_KEPT:] if amiss else [])])


def untouched(watches: Sequence[str]) -> Trial:
    """Look at what guards are to be noticed by, with all guards in place."""
    with _aside() as (scratch, said):
        wrong = an_ordinary_run()
        noticed, amiss = watched(watches, scratch)
    told = [f"an ordinary run ends badly: {wrong}"] if wrong else []
    failed = [f"{each.watch}: {each.how}" for each in noticed if each.how]
    last = said.getvalue().splitlines()[-_LINES_KEPT:] if amiss else []
    return Trial("all guards in place", noticed, [*told, *amiss, *failed, *last])


@contextmanager
def _aside() -> Iterator[tuple[Path, StringIO]]:
    """Keep away what tests leave behind and what they say: that some of them fail is no news."""
    os.chdir(TESTS.parent)
    said = StringIO()
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(said), redirect_stderr(said):
        # Examples that fail here would be tried again for ever by those who have all guards.
        os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = folder
        yield Path(folder) / "scratch", said
