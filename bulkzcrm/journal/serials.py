"""Where the rows of a run stand among those of all runs: one number says which row of which run it is."""

from __future__ import annotations

from typing import Final

from bulkzcrm.journal.database import Database

__all__ = ["ROWS", "base_of", "new_serial"]

ROWS: Final = 1 << 32
"""More rows than a run can have."""


def base_of(database: Database, run: str) -> int:
    """Return what is added to the ordinals of a run's rows, which makes them its alone; 0 where there is no run."""
    base = database.bases.get(run)
    if base is None:
        found = database.one("SELECT serial FROM run WHERE id = ?", (run,))
        if found is None:
            return 0
        base = database.bases[run] = int(found[0]) * ROWS
    return base


def new_serial(database: Database) -> int:
    """Return a serial that no run has, from 1."""
    highest = database.one("SELECT COALESCE(MAX(serial), 0) FROM run")
    return 1 if highest is None else int(highest[0]) + 1
