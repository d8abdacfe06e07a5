"""Records → batches: as full as they may be, in source order, nothing left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

__all__ = ["batches"]

_T = TypeVar("_T")


def batches(records: Iterable[_T], size: int) -> Iterator[tuple[_T, ...]]:
    """Yield batches of `size` records, the last one perhaps smaller; put together again they are the records.

    `size` is at least 1.
    """
    if size < 1:
        raise ValueError("A batch holds at least one record.")
    batch: list[_T] = []
    for record in records:
        batch.append(record)
        if len(batch) == size:
            yield tuple(batch)
            batch = []
    if batch:
        yield tuple(batch)
