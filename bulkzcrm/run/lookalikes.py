"""Records that agree with a lost one in all but the name: a workflow, or a person, may have renamed it meanwhile.

Only what can be compared at a glance counts. Such a record proves nothing, but beside it a row is not simply absent.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Final, TypeAlias, final

from bulkzcrm.model import Json
from bulkzcrm.send.matching import Lost, Matched, name_of
from bulkzcrm.spec.fields import Kind
from bulkzcrm.spec.operation import Operation
from bulkzcrm.spec.organisation import Current
from bulkzcrm.spec.values import comparable

__all__ = ["Lookalikes"]

_AT_A_GLANCE: Final = frozenset({Kind.MONEY, Kind.MINUTES, Kind.CHOICE})
_SHOWN: Final = ("id", "Created_Time", "Created_By")
_MOST: Final = 1_000
"""So many are kept; beyond them it is plain that nobody can tell."""

_Shape: TypeAlias = tuple[Hashable, ...]


@final
class Lookalikes:
    """Looks at records as they are read, and keeps what may be a lost one under another name."""

    def __init__(self, operation: Operation, lost: Sequence[Lost]) -> None:
        self._named_by = operation.named_by
        self._fields = [each for each in operation.fields if each.mandatory and each.kind in _AT_A_GLANCE]
        self._shapes = {self._shape(each.record) for each in lost}
        self._names = {name_of(each.record, self._named_by) for each in lost}
        self._found: dict[str, tuple[_Shape, Current]] = {}

    @property
    def ids(self) -> list[str]:
        """The ids of what was kept."""
        return list(self._found)

    def look_at(self, entry: Mapping[str, Json]) -> None:
        """Keep a record of another name that is like a lost one."""
        shape = self._shape(entry)
        if len(self._found) >= _MOST or shape not in self._shapes or name_of(entry, self._named_by) in self._names:
            return
        shown = {name: entry.get(name) for name in (*_SHOWN, self._named_by)}
        self._found[str(entry.get("id"))] = shape, Current(shown)

    def named(self, ids: Collection[str]) -> dict[str, str]:
        """Return the names of those that were kept, id by id."""
        return {each: str(self._found[each][1].record.get(self._named_by) or "") for each in ids}

    def record(self, record_id: str) -> Current:
        """Return one that was kept, as far as it is told to people."""
        return self._found[record_id][1]

    def set_apart(self, matched: Matched, lost: Sequence[Lost], unexplained: Collection[str]) -> None:
        """Call rows ambiguous that are not found and that one of these records may be."""
        by_shape: dict[_Shape, list[str]] = {}
        for record_id in unexplained:
            by_shape.setdefault(self._found[record_id][0], []).append(record_id)
        for row in lost:
            candidates = by_shape.get(self._shape(row.record))
            if candidates and row.ordinal in matched.absent:
                matched.absent.remove(row.ordinal)
                matched.ambiguous[row.ordinal] = tuple(candidates)

    def _shape(self, record: Mapping[str, Json]) -> _Shape:
        return tuple(comparable(each.kind, record.get(each.name)) for each in self._fields)
