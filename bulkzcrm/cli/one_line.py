"""A run in one line, as lists of runs show it."""

from __future__ import annotations

from bulkzcrm.journal import Run
from bulkzcrm.run.reporting import state_of

__all__ = ["in_a_line"]


def in_a_line(run: Run) -> str:
    """Return what a list says of a run."""
    where = "a sandbox" if run.sandbox else run.organisation or "no organisation yet"
    return f"{run.id}  {state_of(run).value:<11}  {run.operation}  {run.source} to {where}"
