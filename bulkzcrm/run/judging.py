"""Rows held against the organisation: names resolved, rules judged, and what is already as wanted; nothing is sent."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

from msgspec import structs

from bulkzcrm.blocks import Block
from bulkzcrm.convert import localise
from bulkzcrm.events import Listener
from bulkzcrm.journal import JournalReader, NewRow, Progress, RowSettlement, StoredRow
from bulkzcrm.lookup import NEW, Directory, Resolved
from bulkzcrm.model import Json, Problem, Record
from bulkzcrm.run.keys import Keys
from bulkzcrm.run.screening import IsFlawless, Screen
from bulkzcrm.spec.facts import Facts
from bulkzcrm.spec.fields import Field, Kind
from bulkzcrm.spec.operation import Operation
from bulkzcrm.spec.organisation import Current, Named, Organisation
from bulkzcrm.spec.values import fingerprint, name_of, names_of
from bulkzcrm.validate import Validator

__all__ = ["Judge", "Verdicts", "first_identities", "first_identity"]


@dataclass(slots=True)
class Verdicts:
    """What judging a run found, besides what it wrote to the journal."""

    abstained: set[str] = field(default_factory=set)
    """Names of rules that could not be judged for at least one row."""
    becoming_active: int = 0
    """Rows that would make a service active."""
    namesakes: dict[str, Collection[str]] = field(default_factory=dict)
    """Name of a row that is to be created and has made nothing yet → ids of the records that have it already."""
    sent_before: set[str] = field(default_factory=set)
    """Names of rows that are to be created and may have been already: a record of the name may be theirs."""


def first_identities(operation: Operation, block: Block) -> Sequence[str | None]:
    """Return `first_identity` of each row of a block that is not apart."""
    if operation.creates:
        return block.each(operation.named_by, _names)
    if "id" in operation.find_by:
        return block.each("id", lambda ids: [None if record_id is None else str(record_id) for record_id in ids])
    return [None] * block.rows


def _names(values: Iterable[Json]) -> list[str | None]:
    return [name or None for name in names_of([str(value or "") for value in values])]


def first_identity(operation: Operation, record: Record) -> str | None:
    """Return what a record is known by, as far as it is known without the organisation: an id, a new record's name."""
    if operation.creates:
        return name_of(record, operation.named_by) or None
    found = record.get("id") if "id" in operation.find_by else None
    return None if found is None else str(found)


_localised = lru_cache(maxsize=1_000)(localise)
"""Rows that follow each other often name the same moments."""


@dataclass(kw_only=True)
class Judge:
    """Judges the rows of one run.

    `organisation` is `None` in `check`: then what needs it is left open. `letters` maps fields to the letters of their
    columns. `now` is the moment of judging. `keys` are the values of the unique field, where there is one.
    """

    operation: Operation
    organisation: Organisation | None
    letters: Mapping[str, str]
    now: datetime
    time_zone: ZoneInfo | None
    allow_duplicates: bool = False
    keys: Keys | None = None
    announce: Listener
    verdicts: Verdicts = field(default_factory=Verdicts)

    def at_once(self, row: NewRow) -> NewRow:
        """Judge a row on its way into the journal, where there is no organisation to be read first."""
        settled = self.row(row)
        if settled is None:
            return row
        return structs.replace(
            row,
            status=settled.status,
            problems=settled.problems,
            identity=settled.identity,
            fingerprint=settled.fingerprint,
        )

    def unproven(self, block: Block, plain: Collection[int]) -> Collection[int]:
        """Return which rows of a block, by their places in it, have to be looked at one by one.

        None of the `plain` ones is apart or was sent before, or has a problem so far. Those that are proven to be right
        stay as they are.
        """
        if self._screen is None:
            return plain
        unproven = self._screen.unproven(block, plain)
        proven = [place for place in plain if place not in unproven] if unproven else plain
        default = self.operation.defaults.get("Status")
        becoming_active = block.each("Status", lambda values: [value is None or value == default for value in values])
        self.verdicts.becoming_active += sum(map(becoming_active.__getitem__, proven))
        if self._names_there:
            names = block.each(self.operation.named_by, lambda values: values)
            for place in proven:
                self._note_namesakes({self.operation.named_by: names[place]})
        return unproven

    @cached_property
    def _screen(self) -> Screen | None:
        """What proves many rows at once; of what is to be changed, each row is another one."""
        if not self.operation.creates or self.keys is not None:
            return None
        asked = tuple(rule for rule in self.operation.rules if self.organisation is not None or not rule.needs)
        return Screen(replace(self.operation, rules=asked), self._flawless_by)

    def _flawless_by(self, validator: Validator, fields: Collection[str]) -> IsFlawless:
        is_named = not self._directory.resolves.isdisjoint(fields)
        is_timed = any(each.name in fields for each in self._moments)

        def is_flawless(record: Record) -> bool:
            given, problems = record, False
            if is_named:
                resolved = self._directory.resolve(record)
                given, problems = resolved.given, bool(resolved.problems)
            if is_timed:
                given, late = self.in_zone(given)
                problems = problems or bool(late)
            judgement = validator(self._facts(given, NEW))
            self.verdicts.abstained.update(judgement.abstained)
            return not (problems or judgement.problems)

        return is_flawless

    @cached_property
    def _directory(self) -> Directory:
        return Directory(self.operation, self.organisation)

    @cached_property
    def _validator(self) -> Validator:
        return Validator(self.operation)

    def row(self, row: NewRow) -> RowSettlement | None:
        """Judge one row that was never sent, and return what is to be written of it, if anything."""
        if row.record is None:
            return None
        unreadable = frozenset(problem.field for problem in row.problems) if row.problems else frozenset()
        resolved = self._directory.resolve(row.record, unreadable)
        given, problems = self.weigh(row, resolved)
        if problems:
            return None if problems == row.problems else self._settled(row, Progress.INVALID, problems=problems)
        return self._valid(row, resolved, given)

    def weigh(self, row: NewRow, resolved: Resolved) -> tuple[Record, tuple[Problem, ...]]:
        """Return the row's values, date-times with their offsets, and all that is wrong with them, by cell."""
        given, late = self.in_zone(resolved.given)
        facts = self._facts(given, resolved.current)
        beside = (*row.problems, *resolved.problems, *late, *(self.keys.problems(row, given) if self.keys else ()))
        judgement = self._validator(facts, beside=tuple(dict.fromkeys(beside)) if beside else ())
        if judgement.abstained:
            self.verdicts.abstained.update(judgement.abstained)
        if not judgement.problems:
            return given, ()
        problems = (self.with_cell(problem, row.number) for problem in judgement.problems)
        return given, tuple(dict.fromkeys(problems))

    def _facts(self, given: Record, current: Current | None) -> Facts:
        return Facts(
            given=given,
            current=current,
            now=self.now,
            zone=self._business_zone,
            organisation=self.organisation,
            defaults=self.operation.defaults,
        )

    def _valid(self, row: NewRow, resolved: Resolved, given: Record) -> RowSettlement | None:
        """Settle a row without problems: already as wanted, or still to be sent under its identity."""
        record_id = resolved.current.id if resolved.current else ""
        known = self.organisation is not None and (resolved.current is not None or self.operation.single)
        if known and not self.operation.creates and self.organisation is not None:
            completed = self.operation.complete(given, resolved.current, self.organisation)
            if not completed.changed:
                return self._settled(row, Progress.UNCHANGED, identity=resolved.identity, record_id=record_id)
        if self.operation.creates:
            if given.get("Status", self.operation.defaults.get("Status")) == self.operation.defaults.get("Status"):
                self.verdicts.becoming_active += 1
            self._note_namesakes(given)
            name = row.identity or first_identity(self.operation, given)
            # Only rows of one name can say the same: for all others, what they say need not be summed up.
            print_now = self.keys.fingerprint(given) if self._is_keyed and self.keys else row.fingerprint
            if (name, print_now) == (row.identity, row.fingerprint):
                return None
            return self._settled(row, Progress.PENDING, identity=name, fingerprint=print_now)
        if resolved.identity == (row.identity or ""):
            return None
        return self._settled(row, Progress.PENDING, identity=resolved.identity)

    def note_sent(self, journal: JournalReader, run: str, rows: Sequence[StoredRow]) -> None:
        """Note the names of rows that may have made a record; those that were only turned away have not."""
        numbers = {row.batch for row in rows if row.batch is not None}
        once_in_doubt = journal.once_in_doubt(run, numbers) if numbers else set()
        requests = {number: journal.batch(run, number).attempt for number in numbers - once_in_doubt}
        for row in rows:
            # All its requests were those of this batch, none of which was ever in doubt.
            if row.batch in requests and requests[row.batch] >= row.attempts:
                self._note_namesakes(row.record or {})
            else:
                self.verdicts.sent_before.add(name_of(row.record or {}, self.operation.named_by))

    def _note_namesakes(self, given: Record) -> None:
        if self._names_there and (there := self._namesakes(given)):
            self.verdicts.namesakes[name_of(given, self.operation.named_by)] = there

    def _namesakes(self, given: Record) -> Collection[str]:
        """Return the ids of the organisation's records that have the name of this one."""
        there = self._names_there
        if isinstance(there, Named):
            return there.namesakes(given)
        name, named_by = name_of(given, self.operation.named_by), self.operation.named_by
        return [current.id for current in there.values() if name_of(current.record, named_by) == name]

    @cached_property
    def _names_there(self) -> Mapping[str, Current]:
        """The organisation's records, nothing where they were not read."""
        return (self.organisation.services or {}) if self.organisation else {}

    @property
    def _is_keyed(self) -> bool:
        """Whether the source says by which value each record is known; no two rows may have the same."""
        return self.keys is not None and self.keys.by_source

    def _settled(
        self,
        row: NewRow,
        status: Progress,
        *,
        problems: tuple[Problem, ...] = (),
        identity: str | None = None,
        fingerprint: bytes | None = None,
        record_id: str = "",
    ) -> RowSettlement:
        return RowSettlement(
            ordinal=row.ordinal,
            status=status,
            problems=problems,
            identity=identity or None,
            fingerprint=fingerprint,
            record_id=record_id,
        )

    @cached_property
    def _business_zone(self) -> ZoneInfo | None:
        """Return the zone of "today": that of the business hours, else the one that date-times without offset take."""
        hours = self.organisation.business_hours if self.organisation else None
        return (hours.zone if hours else None) or self._zone

    @cached_property
    def _zone(self) -> ZoneInfo | None:
        return self.time_zone or (self.organisation.zone if self.organisation else None)

    @cached_property
    def _moments(self) -> list[Field]:
        return [each for each in self.operation.fields if each.kind is Kind.DATETIME]

    def in_zone(self, given: Record) -> tuple[Record, Sequence[Problem]]:
        """Give date-times without an offset that of the organisation, where it is known."""
        zone = self._zone
        if zone is None:
            return given, ()
        placed, problems = given, []
        for each in self._moments:
            value = given.get(each.name)
            if not isinstance(value, str):
                continue
            local = _localised(value, zone)
            if local == value:
                continue
            placed = dict(placed)
            if isinstance(local, str):
                placed[each.name] = local
            else:
                said, complaint = local.message(each.label), local.complaint
                problems.append(Problem(code=complaint.code, field=each.name, message=said, remedy=complaint.remedy))
                del placed[each.name]
        return placed, problems

    def with_cell(self, problem: Problem, number: int) -> Problem:
        """Name the cell of the source in a problem of the row of that number, where its field has a column."""
        if problem.code == "MANDATORY_NOT_FOUND" and problem.field in self.operation.find_by and not problem.cell:
            # Of the fields that can find a record, the one to fill in is the one that has a column.
            there = [name for name in self.operation.find_by if name in self.letters]
            problem = replace(problem, field=there[0]) if there else problem
        letter = self.letters.get(problem.field, "")
        return replace(problem, cell=f"{letter}{number}") if letter and not problem.cell else problem

    def content(self, row: StoredRow) -> bytes:
        """Sum up what a row says."""
        given, _ = self.in_zone(self._directory.resolve(row.record or {}).given)
        return fingerprint(self.operation.fields, given)
