"""What the HTML report says in sentences."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from bulkzcrm.cells import counted
from bulkzcrm.model import Status
from bulkzcrm.report.causes import Cause
from bulkzcrm.report.summary import State, Summary

__all__ = ["ORDER", "headline", "moment", "named_rows"]

ORDER: Final = (
    Status.SUCCEEDED,
    Status.UNCHANGED,
    Status.VALID,
    Status.INVALID,
    Status.REJECTED,
    Status.UNKNOWN,
    Status.UNSENT,
)
"""The statuses, from well to not begun."""

_EMPTY: Final = "The source has no rows"
_WELL: Final = (Status.SUCCEEDED, Status.UNCHANGED, Status.VALID)


def headline(summary: Summary) -> str:
    """Say in one sentence how it went."""
    well = sum(summary.counts.get(status, 0) for status in _WELL)
    rest = summary.rows - well
    if summary.not_checked is not None:
        if rest:
            return f"{_of(rest, summary.rows)} {'is' if rest == 1 else 'are'} not valid"
        return f"{_all(summary.rows)} {'is' if summary.rows == 1 else 'are'} valid" if summary.rows else _EMPTY
    open_rows = summary.counts.get(Status.UNSENT, 0) + summary.counts.get(Status.UNKNOWN, 0)
    if summary.state is not State.FINISHED and open_rows:
        how = "Interrupted" if summary.state is State.INTERRUPTED else "Stopped"
        return f"{how} with {_of(open_rows, summary.rows)} left to settle"
    if rest:
        return f"{_of(rest, summary.rows)} did not succeed"
    if not summary.rows:
        return _EMPTY
    return f"{_all(summary.rows)} {'ended as wanted' if summary.counts.get(Status.UNCHANGED) else 'succeeded'}"


def _of(some: int, rows: int) -> str:
    return f"{some:,} of {counted(rows, 'row')}"


def _all(rows: int) -> str:
    return "The only row" if rows == 1 else f"All {rows:,} rows"


def named_rows(cause: Cause) -> str:
    """Name the first rows of a cause: row 5, rows 5, 9 and 12, rows 5, 9, 12, 14, 20 and 36 more."""
    numbers = [str(number) for number in cause.rows]
    more = cause.count - len(numbers)
    if more:
        return f"rows {', '.join(numbers)} and {more:,} more"
    if len(numbers) == 1:
        return f"row {numbers[0]}"
    return f"rows {', '.join(numbers[:-1])} and {numbers[-1]}"


def moment(ms: int) -> str:
    """Return a moment in milliseconds UTC as people write it."""
    then = datetime.fromtimestamp(ms / 1000, UTC)
    return f"{then.day} {then:%b %Y, %H:%M} UTC"
