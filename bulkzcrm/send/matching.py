"""What was sent without a trustworthy answer, held against what is there: found, absent, or ambiguous, never guessed.

Pure. Records without an id of their own are matched as a multiset on what was sent: of rows that say the same, as many
were made as there are records that agree, and which of them is which makes no difference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from bulkzcrm.model import Json, Record
from bulkzcrm.spec.fields import Field, Kind
from bulkzcrm.spec.organisation import Current
from bulkzcrm.spec.values import comparable, fingerprint, name_of, plain, same

__all__ = ["Lost", "Matched", "match", "name_of"]


@dataclass(frozen=True, slots=True)
class Lost:
    """One record that was sent and whose answer is missing: the place of its row, and the record as it was sent."""

    ordinal: int
    record: Record


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
    rivals: Sequence[Record] = (),
) -> Matched:
    """Match lost records with those that may have come of them.

    `there` are the records that nobody else accounts for; `rivals` are lost, too, but waited for elsewhere (on another
    page, or by another run), and what may be one of theirs is not taken from them. A record agrees with what was sent
    if every field that was sent has the value that was sent; fields that were not sent may hold anything, since the
    server fills some of them. A record of the same name that agrees with nothing is a stranger: beside it, a row that
    is not found is ambiguous, because the organisation may have changed what was sent.
    """
    matched = Matched()
    candidates = _by_name(there, named_by)
    groups: dict[str, list[Lost]] = {}
    for each in sorted(lost, key=lambda each: each.ordinal):
        groups.setdefault(name_of(each.record, named_by), []).append(each)
    waiting: dict[str, list[Record]] = {}
    for record in rivals:
        waiting.setdefault(name_of(record, named_by), []).append(record)
    for name, rows in groups.items():
        _match_namesakes(matched, rows, waiting.get(name, []), candidates.get(name, []), fields)
    return matched


def _by_name(there: Sequence[Current], named_by: str) -> dict[str, list[Current]]:
    names: dict[str, list[Current]] = {}
    for current in sorted(there, key=lambda current: (len(current.id), current.id)):
        names.setdefault(name_of(current.record, named_by), []).append(current)
    return names


def _match_namesakes(
    matched: Matched,
    rows: Sequence[Lost],
    rivals: Sequence[Record],
    there: Sequence[Current],
    fields: Sequence[Field],
) -> None:
    """Match rows of one name with the records of that name, both in their order."""
    kinds = {fingerprint(fields, record): record for record in (*rivals, *(row.record for row in rows))}
    alike: dict[bytes, list[Lost]] = {key: [] for key in kinds}
    for row in rows:
        alike[fingerprint(fields, row.record)].append(row)
    elsewhere = Counter(fingerprint(fields, record) for record in rivals)
    fitting: dict[bytes, list[Current]] = {key: [] for key in kinds}
    unclear: list[str] = []
    index = _Index(kinds, fields)
    for current in there:
        best = _best([(_agreement(kinds[key], current, fields), key) for key in index.near(current)])
        if len(best) == 1:
            fitting[best[0]].append(current)
        else:
            unclear.append(current.id)
    for key, waited_for in elsewhere.items():
        if not alike[key] and len(fitting[key]) > waited_for:
            # Not all of these can be the rivals' own.
            unclear += [current.id for current in fitting[key]]
    for key, same_rows in alike.items():
        ids = [current.id for current in fitting[key]]
        # Of records that are alike it does not matter who gets which, so rivals find theirs among the rest.
        if len(ids) > len(same_rows) + elsewhere[key]:
            matched.ambiguous.update({row.ordinal: tuple(ids) for row in same_rows})
            continue
        matched.found.update({row.ordinal: record_id for row, record_id in zip(same_rows, ids, strict=False)})
        left = [row.ordinal for row in same_rows[len(ids) :]]
        if unclear:
            matched.ambiguous.update(dict.fromkeys(left, tuple(unclear)))
        else:
            matched.absent.update(left)


class _Index:
    """Finds those of many records of one name that have a chance to agree with what is there."""

    def __init__(self, records: Mapping[bytes, Record], fields: Sequence[Field]) -> None:
        numbers = [each for each in fields if each.kind in {Kind.MONEY, Kind.MINUTES}]
        self._fields = [
            each for each in numbers if all(record.get(each.name) is not None for record in records.values())
        ]
        self._all = list(records)
        self._keys: dict[tuple[Hashable, ...], list[bytes]] = {}
        for key, record in records.items():
            self._keys.setdefault(self._of(record), []).append(key)

    def near(self, current: Current) -> list[bytes]:
        """Return the keys of the records that agree in their numbers; all where these are not shown."""
        if any(each.name in current.silent for each in self._fields):
            return self._all
        return self._keys.get(self._of(current.record), [])

    def _of(self, record: Mapping[str, Json]) -> tuple[Hashable, ...]:
        return tuple(comparable(each.kind, record.get(each.name)) for each in self._fields)


def _best(agreements: Sequence[tuple[tuple[int, int] | None, bytes]]) -> list[bytes]:
    """Return what a record agrees with most closely: several where they agree equally well, none where none does."""
    most = max((closeness for closeness, _ in agreements if closeness is not None), default=None)
    return [key for closeness, key in agreements if most is not None and closeness == most]


def _agreement(sent: Record, current: Current, fields: Sequence[Field]) -> tuple[int, int] | None:
    """Return how many fields that were sent the record shows, and how many to the letter; nothing if one differs."""
    shown = exact = 0
    for each in fields:
        value = sent.get(each.name)
        if value is None or each.name in current.silent:
            continue
        if not _agrees(each.kind, value, current.record.get(each.name)):
            return None
        shown += 1
        exact += each.kind is not Kind.TEXT or value == current.record.get(each.name)
    return shown, exact


def _agrees(kind: Kind, sent: Json, shown: Json) -> bool:
    if kind is Kind.TEXT:
        # The server may trim a text, and writes line ends in its own way.
        return plain(str(sent)) == plain(str(shown if shown is not None else ""))
    return same(kind, sent, shown)
