"""The guards of ids that have lost digits: what has to be certain before one is taken."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from guards import Guard

from bulkzcrm.journal import row_writes
from bulkzcrm.run import lost_digits

TAKEN = "cli/test_cli_repair_ids.py::test_what_is_not_certain_is_never_taken"


def _take_any_length(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(lost_digits.Left, "fits", lambda left, record_id: record_id.startswith(left.digits))


def _take_any_name(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(lost_digits, "folded", lambda _text: "")


def _let_every_invalid_row_go(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(row_writes, "_REPAIRABLE", "' OR '' = '")


def _removed(remove: Callable[[pytest.MonkeyPatch], None], name: str, *noticed_by: str) -> Guard:
    return Guard(name=name, remove=remove, noticed_by=noticed_by)


GUARDS = (
    _removed(_take_any_length, "an id is taken only where it has as many digits", TAKEN),
    _removed(_take_any_name, "an id is taken only where the name agrees", TAKEN),
    _removed(
        _let_every_invalid_row_go,
        "of invalid rows only those are sent after all whose id was found",
        "journal/test_journal_rows.py::test_an_invalid_row_may_be_told_of_more_problems_but_not_become_valid",
    ),
)
