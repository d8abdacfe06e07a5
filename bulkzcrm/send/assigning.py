"""Records assigned to the kinds of rows that may have made them: as many as can be, and the closest where it matters.

Pure. A maximum matching by augmenting paths (Kuhn 1955), with kinds that take as many records as they have rows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from bulkzcrm.model import Record

__all__ = ["Fit", "Kind", "assign"]

Fit: TypeAlias = tuple[int, int]
"""How closely a record agrees: the greater the closer."""

_Key = TypeVar("_Key", bound=Hashable)


@dataclass(slots=True)
class Kind:
    """Rows that were lost and say the same: their places, and how many are waited for elsewhere, or left to people."""

    record: Record
    places: list[int] = field(default_factory=list)
    rivals: int = 0
    left: int = 0

    @property
    def rows(self) -> int:
        """How many records may have come of it."""
        return len(self.places) + self.rivals + self.left

    @property
    def is_claimed(self) -> bool:
        """Whether anybody will take what has come of it."""
        return bool(self.places or self.rivals)


def assign(
    kinds: Mapping[_Key, Kind], fits: Mapping[str, Mapping[_Key, Fit]]
) -> tuple[dict[_Key, list[str]], list[str]]:
    """Assign records, by their ids, to kinds; return those of each kind, and those that nobody can tell the rows of.

    `fits` names for each record, in order, the kinds that it agrees with. Unclear are strangers, which agree with none;
    those of which there are more than rows, with all others of the kinds that they fit best; and such as agree as well
    with a kind that has too few.
    """
    taken: dict[_Key, list[str]] = {key: [] for key in kinds}
    unclear = [record_id for record_id, near in fits.items() if not near]
    overfull: set[_Key] = set()
    full: set[_Key] = set()
    for record_id, near in fits.items():
        if not near:
            continue
        most = max(near.values())
        closest = [key for key in near if near[key] == most]
        free = next((key for key in closest if len(taken[key]) < kinds[key].rows), None)
        if free is not None:
            taken[free].append(record_id)
        elif not _make_room(record_id, kinds, fits, taken, full):
            # The rows of all kinds that it may be of have a record each; whose is too many is told where it fits best.
            unclear.append(record_id)
            overfull.update(closest)
    puzzling = {*unclear, *_contested(kinds, fits, taken), *(each for key in overfull for each in taken[key])}
    for key, ids in taken.items():
        taken[key] = [record_id for record_id in sorted(ids, key=_in_order) if record_id not in puzzling]
    return taken, [record_id for record_id in fits if record_id in puzzling]


def _make_room(
    record_id: str,
    kinds: Mapping[_Key, Kind],
    fits: Mapping[str, Mapping[_Key, Fit]],
    taken: dict[_Key, list[str]],
    full: set[_Key],
) -> bool:
    """Assign a record, others being moved to kinds that have rows left; tell whether that can be done.

    From kinds that are `full` no way leads to one with rows left: nothing of theirs will ever be moved again.
    """
    came_by: dict[_Key, tuple[str, _Key | None]] = {}
    waiting: deque[_Key] = deque()
    for key in sorted(fits[record_id].keys() - full, key=lambda key: (fits[record_id][key], repr(key)), reverse=True):
        came_by[key] = record_id, None
        waiting.append(key)
    while waiting:
        key = waiting.popleft()
        if len(taken[key]) < kinds[key].rows:
            _move_along(key, came_by, taken)
            return True
        for other in taken[key]:
            for further in fits[other]:
                if further not in came_by and further not in full:
                    came_by[further] = other, key
                    waiting.append(further)
    full.update(came_by)
    return False


def _move_along(key: _Key, came_by: Mapping[_Key, tuple[str, _Key | None]], taken: dict[_Key, list[str]]) -> None:
    goal: _Key | None = key
    while goal is not None:
        moved, origin = came_by[goal]
        taken[goal].append(moved)
        if origin is not None:
            taken[origin].remove(moved)
        goal = origin


def _contested(
    kinds: Mapping[_Key, Kind], fits: Mapping[str, Mapping[_Key, Fit]], taken: Mapping[_Key, list[str]]
) -> list[str]:
    """Return the records that may as well have come of a kind that has got too few.

    What has come of rows that nobody claims any more may be anybody's who has too few, however close it is to them.
    """
    wanting = {key for key, kind in kinds.items() if len(taken[key]) < kind.rows}
    return [
        record_id
        for key, ids in taken.items()
        for record_id in ids
        if any(
            other in wanting and other != key and (fit >= fits[record_id][key] or not kinds[key].is_claimed)
            for other, fit in fits[record_id].items()
        )
    ]


def _in_order(record_id: str) -> tuple[int, str]:
    return len(record_id), record_id
