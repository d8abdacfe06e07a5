"""What was sent without a trustworthy answer, held against what is there: found, absent, or ambiguous, never guessed.

Pure. Records without an id of their own are matched as a multiset on what was sent: of rows that say the same, as many
were made as there are records that agree, and which of them is which makes no difference. As many rows as possible get
a record, so that none goes again beside one that may be its own and that nobody else explains.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from bulkzcrm.model import Json, Record
from bulkzcrm.send.assigning import Fit, Kind, assign
from bulkzcrm.spec.fields import Field
from bulkzcrm.spec.fields import Kind as FieldKind
from bulkzcrm.spec.organisation import Current
from bulkzcrm.spec.values import comparable, fingerprint, name_of, plain

__all__ = ["Lost", "Matched", "Others", "match", "name_of"]


@dataclass(frozen=True, slots=True)
class Lost:
    """One record that was sent and whose answer is missing: the place of its row, and the record as it was sent."""

    ordinal: int
    record: Record


@dataclass(frozen=True, slots=True)
class Others:
    """Records that were lost, too, and are not asked about.

    The `rivals` are waited for elsewhere (on another page, or by another run); those `left` were left to people as
    ambiguous, and nobody will ever claim what they have made.
    """

    rivals: Sequence[Record] = ()
    left: Sequence[Record] = ()


@dataclass(slots=True)
class Matched:
    """What became of lost records; every one of them is in exactly one of the three."""

    found: dict[int, str] = field(default_factory=dict)
    """Place of the row → id of its record."""
    absent: set[int] = field(default_factory=set)
    ambiguous: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """Place of the row → ids of the records that may or may not be its own."""


def match(
    lost: Sequence[Lost],
    there: Sequence[Current],
    fields: Sequence[Field],
    named_by: str,
    *,
    others: Others | None = None,
    defaults: Mapping[str, Json] | None = None,
) -> Matched:
    """Match lost records with those that may have come of them.

    `there` are the records that nobody else accounts for. A record agrees with what was sent if every field that was
    sent has the value that was sent, and the others their `defaults`, where there are such; fields besides may hold
    anything, since the server fills some of them. A record of the same name that agrees with nothing is a stranger:
    beside it, a row that is not found is ambiguous, because the organisation may have changed what was sent. So it is
    beside a record that agrees as well with a row of another kind, and where there are more records than rows.
    """
    matched = Matched()
    groups = _groups(lost, others or Others(), fields, named_by, defaults or {})
    candidates: dict[str, list[Current]] = {}
    for current in sorted(there, key=lambda current: (len(current.id), current.id)):
        candidates.setdefault(name_of(current.record, named_by), []).append(current)
    for name, kinds in groups.items():
        if any(kind.places for kind in kinds.values()):
            _match_namesakes(matched, kinds, candidates.get(name, []), fields)
    return matched


def _groups(
    lost: Sequence[Lost], others: Others, fields: Sequence[Field], named_by: str, defaults: Mapping[str, Json]
) -> dict[str, dict[bytes, Kind]]:
    """Return, for each name, the kinds of records that were sent: those of one kind say the same."""
    groups: dict[str, dict[bytes, Kind]] = {}

    def kind_of(sent: Record) -> Kind:
        record = {**defaults, **{name: value for name, value in sent.items() if value is not None}}
        kinds = groups.setdefault(name_of(record, named_by), {})
        return kinds.setdefault(fingerprint(fields, record), Kind(record))

    for each in sorted(lost, key=lambda each: each.ordinal):
        kind_of(each.record).places.append(each.ordinal)
    for record in others.rivals:
        kind_of(record).rivals += 1
    for record in others.left:
        kind_of(record).left += 1
    # In one order, from wherever it is looked at: several runs shall say the same of the same records.
    return {name: dict(sorted(kinds.items())) for name, kinds in groups.items()}


def _match_namesakes(
    matched: Matched, kinds: Mapping[bytes, Kind], there: Sequence[Current], fields: Sequence[Field]
) -> None:
    """Match rows of one name with the records of that name, both in their order."""
    index = _Index({key: kind.record for key, kind in kinds.items()}, fields)
    fits: dict[str, dict[bytes, Fit]] = {}
    for current in there:
        near = ((key, _agreement(kinds[key].record, current, fields)) for key in index.near(current))
        fits[current.id] = {key: fit for key, fit in near if fit is not None}
    assigned, unclear = assign(kinds, fits)
    for key, kind in kinds.items():
        own = assigned[key][: len(kind.places)]
        matched.found.update(zip(kind.places, own, strict=False))
        left = kind.places[len(own) :]
        if unclear:
            # What agrees best is told first, and of strangers all.
            told = tuple(sorted(unclear, key=lambda record_id: key not in fits[record_id]))
            matched.ambiguous.update(dict.fromkeys(left, told))
        else:
            matched.absent.update(left)


class _Index:
    """Finds those of many records of one name that have a chance to agree with what is there."""

    def __init__(self, records: Mapping[bytes, Record], fields: Sequence[Field]) -> None:
        self._fields = [
            each for each in fields if all(record.get(each.name) is not None for record in records.values())
        ]
        self._all = list(records)
        self._keys: dict[tuple[Hashable, ...], list[bytes]] = {}
        for key, record in records.items():
            self._keys.setdefault(self._of(record), []).append(key)

    def near(self, current: Current) -> list[bytes]:
        """Return the keys of the records that agree in what all of them say; all where that is not shown."""
        if any(each.name in current.silent for each in self._fields):
            return self._all
        return self._keys.get(self._of(current.record), [])

    def _of(self, record: Mapping[str, Json]) -> tuple[Hashable, ...]:
        return tuple(_shown(each.kind, record.get(each.name)) for each in self._fields)


def _agreement(sent: Record, current: Current, fields: Sequence[Field]) -> Fit | None:
    """Return how many fields that were sent the record shows, and how many to the letter; nothing if one differs."""
    shown = exact = 0
    for each in fields:
        value = sent.get(each.name)
        if value is None or each.name in current.silent:
            continue
        there = current.record.get(each.name)
        if _shown(each.kind, value) != _shown(each.kind, there):
            return None
        shown += 1
        exact += each.kind is not FieldKind.TEXT or value == there
    return shown, exact


def _shown(kind: FieldKind, value: Json) -> Hashable:
    """Return what stands for a value as the server may keep it: it may trim a text, and has line ends of its own."""
    if kind is FieldKind.TEXT:
        return plain(str(value if value is not None else ""))
    return comparable(kind, value)
