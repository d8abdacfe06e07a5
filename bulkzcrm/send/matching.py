"""What was sent without a trustworthy answer, held against what is there: found, absent, or ambiguous, never guessed.

Pure. Records without an id of their own are matched as a multiset on what was sent: of rows that say the same, as many
were made as there are records that agree, and which of them is which makes no difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bulkzcrm.model import Json, Record
from bulkzcrm.spec.fields import Field, Kind
from bulkzcrm.spec.organisation import Current
from bulkzcrm.spec.values import fingerprint, same

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


def name_of(record: Mapping[str, Json], named_by: str) -> str:
    """Return what stands for a record's name in comparisons: case and runs of white space do not count."""
    return " ".join(str(record.get(named_by) or "").split()).casefold()


def match(lost: Sequence[Lost], there: Sequence[Current], fields: Sequence[Field], named_by: str) -> Matched:
    """Match lost records with those that may have come of them.

    `there` are the records that nobody else accounts for. A record agrees with what was sent if every field that was
    sent has the value that was sent; fields that were not sent may hold anything, since the server fills some of them.
    A record of the same name that agrees with nothing is a stranger: beside it, a row that is not found is ambiguous,
    because the organisation may have changed what was sent.
    """
    matched = Matched()
    candidates = _by_name(there, named_by)
    groups: dict[str, list[Lost]] = {}
    for each in sorted(lost, key=lambda each: each.ordinal):
        groups.setdefault(name_of(each.record, named_by), []).append(each)
    for name, rows in groups.items():
        _match_namesakes(matched, rows, candidates.get(name, []), fields)
    return matched


def _by_name(there: Sequence[Current], named_by: str) -> dict[str, list[Current]]:
    names: dict[str, list[Current]] = {}
    for current in sorted(there, key=lambda current: (len(current.id), current.id)):
        names.setdefault(name_of(current.record, named_by), []).append(current)
    return names


def _match_namesakes(matched: Matched, rows: Sequence[Lost], there: Sequence[Current], fields: Sequence[Field]) -> None:
    """Match rows of one name with the records of that name, both in their order."""
    alike: dict[bytes, list[Lost]] = {}
    for row in rows:
        alike.setdefault(fingerprint(fields, row.record), []).append(row)
    fitting: dict[bytes, list[Current]] = {key: [] for key in alike}
    unclear: list[str] = []
    for current in there:
        kinds = _best([(_agreement(each[0].record, current, fields), key) for key, each in alike.items()])
        if len(kinds) == 1:
            fitting[kinds[0]].append(current)
        else:
            unclear.append(current.id)
    for key, same_rows in alike.items():
        ids = [current.id for current in fitting[key]]
        if len(ids) > len(same_rows):
            matched.ambiguous.update({row.ordinal: tuple(ids) for row in same_rows})
            continue
        matched.found.update({row.ordinal: record_id for row, record_id in zip(same_rows, ids, strict=False)})
        left = [row.ordinal for row in same_rows[len(ids) :]]
        if unclear:
            matched.ambiguous.update(dict.fromkeys(left, tuple(unclear)))
        else:
            matched.absent.update(left)


def _best(agreements: Sequence[tuple[int | None, bytes]]) -> list[bytes]:
    """Return what a record agrees with most closely: several where they agree equally well, none where none does."""
    most = max((closeness for closeness, _ in agreements if closeness is not None), default=None)
    return [key for closeness, key in agreements if most is not None and closeness == most]


def _agreement(sent: Record, current: Current, fields: Sequence[Field]) -> int | None:
    """Return how many fields that were sent the record shows as they were sent; nothing if one of them differs."""
    shown = 0
    for each in fields:
        value = sent.get(each.name)
        if value is None or each.name in current.silent:
            continue
        if not _agrees(each.kind, value, current.record.get(each.name)):
            return None
        shown += 1
    return shown


def _agrees(kind: Kind, sent: Json, shown: Json) -> bool:
    if kind is Kind.TEXT:
        # The server may trim a text, and writes line ends in its own way.
        return str(sent).split() == str(shown if shown is not None else "").split()
    return same(kind, sent, shown)
