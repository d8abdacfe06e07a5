"""The id under which a run is known: by it, runs sort in the order in which they began."""

from __future__ import annotations

import secrets

from bulkzcrm.run.surroundings import Surroundings

__all__ = ["new_run_id"]


def new_run_id(around: Surroundings) -> str:
    """Return an id; ids sort by the time at which runs began."""
    now = around.clock()
    # Three digits of 4096ths of the second keep the order of runs that a script begins close together.
    return f"{now:%Y%m%d-%H%M%S}-{now.microsecond * 4096 // 1_000_000:03x}{secrets.token_hex(3)}"
