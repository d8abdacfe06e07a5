"""The values of the unique field by which the records of a run are known, where there is one (`--unique-field`).

A row's value is the source's own, or made of the run's id and the row's place: the same whenever the row is sent, and
nobody else's. What the organisation has already under a row's value is left alone: the row is not sent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from bulkzcrm.errors import UsageError
from bulkzcrm.journal import NewRow
from bulkzcrm.model import Json, Problem, Record
from bulkzcrm.spec.operation import Operation
from bulkzcrm.spec.organisation import Organisation, Unique

__all__ = ["Keys", "keys_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The values of the rows of one run in the field `name`.

    `by_source` tells that the source, or a constant, gives them. Until the organisation was read, `unique` is `None`:
    then values are equal only if they are so letter by letter.
    """

    name: str
    run: str
    by_source: bool
    unique: Unique | None = None
    taken: Mapping[str, str] = field(default_factory=dict)
    """What the organisation had under a value before: its id."""

    def value(self, row: NewRow, given: Record) -> str:
        """Return the value that a row is sent with."""
        return str(given[self.name]) if self.by_source else _made(self.run, row.ordinal)

    def comparable(self, record: Mapping[str, Json]) -> str:
        """Return what stands for a record's value where the organisation compares it; blank where there is none."""
        return _folded(str(record.get(self.name) or ""), self.unique)

    def fingerprint(self, given: Record) -> bytes:
        """Return 16 bytes that rows of the same value share."""
        text = f"{self.name} {self.comparable(given)}"
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()

    def problems(self, row: NewRow, given: Record) -> Iterator[Problem]:
        """Yield what is wrong with the value of a row that was never sent."""
        if self.by_source and given.get(self.name) is None:
            if not any(problem.field == self.name for problem in row.problems):
                yield Problem(
                    code="MANDATORY_NOT_FOUND",
                    field=self.name,
                    message=f"{self.name} is blank, and it is what this row's record is to be known by.",
                    remedy="Fill in a value that no other record has.",
                )
            return
        existing = self.taken.get(_folded(self.value(row, given), self.unique))
        if existing is not None:
            yield Problem(
                code="DUPLICATE_DATA",
                field=self.name,
                message=f"The organisation has a record with this {self.name} already; its id is {existing}.",
                remedy="Give the row a value that no record has, or delete it; to change that record, use an update.",
            )

    def repeats(self, first_number: int) -> Problem:
        """Return the problem of a row whose value an earlier row has."""
        return Problem(
            code="DUPLICATE_ROW",
            field=self.name,
            message=f"This row has the same {self.name} as row {first_number}, which comes first.",
            remedy="Give every row a value of its own.",
        )


def keys_of(
    operation: Operation, organisation: Organisation | None, run: str, *, given: Collection[str], rows: int = 0
) -> Keys | None:
    """Return the values for a run of so many rows, nothing for an operation without a unique field.

    `given` are the fields that the source or a constant gives. Raises `UsageError` when no record may be sent with that
    field of the organisation.
    """
    name, by_source = operation.key, operation.key in given
    if not name:
        return None
    if organisation is None:
        return Keys(name=name, run=run, by_source=by_source)
    unique = _unique(organisation, name, longest="" if by_source else _made(run, rows))
    found = ((current.record.get(name), current.id) for current in (organisation.services or {}).values())
    taken = {_folded(str(value), unique): record_id for value, record_id in found if value is not None}
    return Keys(name=name, run=run, by_source=by_source, unique=unique, taken=taken)


def _unique(organisation: Organisation, name: str, *, longest: str) -> Unique:
    """Return what the organisation says of its unique field; `longest` is the longest value that is made for a row."""
    fields = organisation.unique_fields or {}
    unique = fields.get(name)
    if unique is None:
        there = f"The unique fields are: {', '.join(sorted(fields))}." if fields else "There is none."
        raise UsageError(
            f"{name} is no single-line text field in which the organisation forbids duplicate values. {there}",
            "In Zoho CRM's setup, set the field to “Do not allow duplicate values”, or name another --unique-field.",
        )
    if unique.length is not None and len(longest) > unique.length:
        raise UsageError(
            f"{name} holds {unique.length} characters, and the values that are made for it have up to {len(longest)}.",
            f"Give the source a column {name} with values of its own, or make the field longer in Zoho CRM's setup.",
        )
    return unique


def _made(run: str, ordinal: int) -> str:
    return f"{run}-{ordinal}"


def _folded(text: str, unique: Unique | None) -> str:
    stripped = text.strip()
    return stripped if unique is None or unique.case_sensitive else stripped.casefold()
