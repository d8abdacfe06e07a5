"""Rows that came back from a doubt: how many of them go together, and what is said when the server fails on them again.

They go in ever smaller batches, so that a row the server cannot take soon stands alone and its neighbours get through.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from bulkzcrm.cells import counted
from bulkzcrm.errors import UnreachableError
from bulkzcrm.journal import StoredRow
from bulkzcrm.send import Sendable

__all__ = ["NAMED", "by_size", "failing_on"]

NAMED = 5
"""So many rows are named at most."""


def by_size(
    sendable: Sequence[Sendable], rows: Sequence[StoredRow], carried: Mapping[int, int], most: int
) -> Iterator[tuple[int, Iterator[Sendable]]]:
    """Yield what is made of these rows, neighbours together that go in batches of one size: 1 to `most` records.

    `carried` tells how many rows the batches had with which they were in doubt until they were read back.
    """
    sizes = {row.ordinal: _size(row, carried, most) for row in rows}
    yield from groupby(sendable, lambda each: sizes[each.ordinal])


def _size(row: StoredRow, carried: Mapping[int, int], most: int) -> int:
    # What was lost once is mostly the connection's fault and no row's: only from the second attempt on is the batch
    # itself halved, however small it was.
    size = carried.get(row.batch) if row.batch is not None else None
    if size is None:
        return most
    return max(1, (most if row.attempts == 1 else min(size, most)) // 2)


def failing_on(rows: Sequence[StoredRow], count: int) -> UnreachableError:
    """Return the error that names the first of `count` rows which no request has brought through."""
    named = ", ".join(str(row.number) for row in rows[:NAMED])
    more = f" and {count - NAMED:,} more" if count > NAMED else ""
    one = count == 1
    return UnreachableError(
        f"{counted(count, 'row')} {'is' if one else 'are'} left, and the server has failed on every request that "
        f"carried {'it' if one else 'them'}: {'row' if one else 'rows'} {named}{more}.",
        "Resume later. If the server fails again, look for what sets "
        f"{'this row' if one else 'these rows'} apart; or leave {'it' if one else 'them'} out: do not resume this run "
        f"any more, and send {'the row' if one else 'the rows'}, mended, in a file of {'its' if one else 'their'} own.",
    )
