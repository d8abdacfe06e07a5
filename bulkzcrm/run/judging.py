"""Rows held against the organisation: names resolved, rules judged, repeated rows found, and what is already as wanted.

Nothing is sent here. Rows are read from the journal and only those written back whose fate or identity changes, so that
it can be done again after a stop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from bulkzcrm.convert import localise
from bulkzcrm.events import Listener, Noted, RowsJudged
from bulkzcrm.journal import Duplicate, JournalReader, Progress, RowSettlement, StoredRow
from bulkzcrm.lookup import Directory, Resolved, folded
from bulkzcrm.model import Problem, Record
from bulkzcrm.run.keys import Keys
from bulkzcrm.send.matching import name_of
from bulkzcrm.spec.facts import NOW, Facts
from bulkzcrm.spec.fields import Kind
from bulkzcrm.spec.operation import Operation
from bulkzcrm.spec.organisation import Organisation
from bulkzcrm.spec.values import fingerprint
from bulkzcrm.validate import validate

__all__ = ["PAGE", "Judge", "Verdicts", "pages"]

PAGE = 500
"""Rows that are read from the journal, judged and written back at a time."""


@dataclass(slots=True)
class Verdicts:
    """What judging a run found, besides what it wrote to the journal."""

    abstained: set[str] = field(default_factory=set)
    """Names of rules that could not be judged for at least one row."""
    becoming_active: int = 0
    """Rows that would make a service active."""
    namesakes: set[str] = field(default_factory=set)
    """Ids of records that already have the name of a row that is to be created."""


def pages(journal: JournalReader, run: str, *statuses: Progress) -> Iterator[list[StoredRow]]:
    """Yield the rows of a run in these states, a page at a time, in source order."""
    after = 0
    while page := journal.rows(run, after, PAGE, statuses or None):
        after = page[-1].ordinal
        yield page


def _nobody_stops() -> None:
    """Go on, whatever happens."""


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

    def judge(
        self,
        journal: JournalReader,
        run: str,
        write: Callable[[Sequence[RowSettlement]], None],
        go_on: Callable[[], None] = _nobody_stops,
    ) -> Verdicts:
        """Judge every row that is not yet settled; `write` takes what changes, a page at a time.

        `go_on` is asked before each page and raises to end it there.
        """
        directory = Directory(self.operation, self.organisation)
        judged = 0
        for page in pages(journal, run, Progress.PENDING, Progress.INVALID):
            go_on()
            settlements = [settled for row in page if (settled := self._row(row, directory)) is not None]
            if settlements:
                write(settlements)
            judged += len(page)
            self.announce(RowsJudged(rows=judged))
        self._repeated(journal, run, write)
        self.announce(RowsJudged(rows=judged, final=True))
        return self.verdicts

    def _row(self, row: StoredRow, directory: Directory) -> RowSettlement | None:
        if row.record is None or row.attempts:
            return None
        unreadable = frozenset(problem.field for problem in row.problems)
        resolved = directory.resolve(row.record, unreadable)
        given, problems = self.weigh(row, resolved)
        if problems:
            return None if problems == row.problems else self._settled(row, Progress.INVALID, problems=problems)
        return self._valid(row, resolved, given)

    def weigh(self, row: StoredRow, resolved: Resolved) -> tuple[Record, tuple[Problem, ...]]:
        """Return the row's values, date-times with their offsets, and all that is wrong with them, by cell."""
        given, late = self.in_zone(resolved.given)
        facts = Facts(
            given=given,
            current=resolved.current,
            now=self.now,
            zone=self._business_zone(),
            organisation=self.organisation,
            defaults=self.operation.defaults,
        )
        beside = (*row.problems, *resolved.problems, *late, *(self.keys.problems(row, given) if self.keys else ()))
        judgement = validate(self.operation, facts, beside=tuple(dict.fromkeys(beside)))
        self.verdicts.abstained.update(judgement.abstained)
        problems = (self.with_cell(problem, row.number) for problem in judgement.problems)
        return given, tuple(dict.fromkeys(problems))

    def _valid(self, row: StoredRow, resolved: Resolved, given: Record) -> RowSettlement | None:
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
            self.verdicts.namesakes.update(self._names_there.get(name_of(given, self.operation.named_by), ()))
            name = folded(str(given.get(self.operation.named_by) or ""))
            print_now = self._print(given)
            if (name, print_now) == (row.identity, row.fingerprint):
                return None
            return self._settled(row, Progress.PENDING, identity=name, fingerprint=print_now)
        if resolved.identity == (row.identity or ""):
            return None
        return self._settled(row, Progress.PENDING, identity=resolved.identity)

    @cached_property
    def _names_there(self) -> dict[str, list[str]]:
        """The ids of the organisation's records by their names."""
        names: dict[str, list[str]] = {}
        for current in (self.organisation.services or {}).values() if self.organisation else ():
            names.setdefault(name_of(current.record, self.operation.named_by), []).append(current.id)
        return names

    def _print(self, given: Record) -> bytes | None:
        """Return what two rows share that must not both be sent; nothing where any two may."""
        if self.keys is not None and self.keys.by_source:
            return self.keys.fingerprint(given)
        return None if self.allow_duplicates else fingerprint(self.operation.fields, given)

    def _settled(
        self,
        row: StoredRow,
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
            record=row.record,
            problems=problems,
            identity=identity or None,
            fingerprint=fingerprint,
            record_id=record_id,
        )

    def _business_zone(self) -> ZoneInfo | None:
        """Return the zone of "today": that of the business hours, else the one that date-times without offset take."""
        hours = self.organisation.business_hours if self.organisation else None
        return (hours.zone if hours else None) or self._zone()

    def _zone(self) -> ZoneInfo | None:
        return self.time_zone or (self.organisation.zone if self.organisation else None)

    def in_zone(self, given: Record) -> tuple[Record, list[Problem]]:
        """Give date-times without an offset that of the organisation, where it is known."""
        zone = self._zone()
        if zone is None:
            return given, []
        placed, problems = dict(given), []
        for each in self.operation.fields:
            value = given.get(each.name)
            if each.kind is not Kind.DATETIME or not isinstance(value, str) or value == NOW:
                continue
            local = localise(value, zone)
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

    def _repeated(self, journal: JournalReader, run: str, write: Callable[[Sequence[RowSettlement]], None]) -> None:
        """Settle rows that repeat an earlier one; which is known only once every other problem is."""
        while found := self._duplicates(journal, run):
            rows = {row.ordinal: row for each in found for row in journal.rows(run, each.ordinal - 1, 1, None)}
            write(
                [
                    self._settled(
                        rows[each.ordinal], Progress.INVALID, problems=(self._repeats(rows[each.ordinal], each),)
                    )
                    for each in found
                ]
            )
        if self.operation.creates and not self.allow_duplicates:
            for each in journal.duplicates_by_identity(run, limit=1):
                (again,) = journal.rows(run, each.ordinal - 1, 1, None)
                self.announce(
                    Noted(
                        f"Row {again.number} has the same {self.operation.named_by} as row {each.first_number}, with "
                        "other content; such rows are sent."
                    )
                )

    def _duplicates(self, journal: JournalReader, run: str) -> list[Duplicate]:
        if self.operation.creates:
            return journal.duplicates_by_fingerprint(run, limit=PAGE)
        return journal.duplicates_by_identity(run, limit=PAGE)

    def _repeats(self, row: StoredRow, duplicate: Duplicate) -> Problem:
        if self.keys is not None and self.keys.by_source:
            return self.with_cell(self.keys.repeats(duplicate.first_number), row.number)
        given = row.record or {}
        # Of a setting that there is only once, no one field is to blame.
        fields = () if self.operation.single else self.operation.fields
        places = (*self.operation.find_by, *(each.name for each in fields))
        name = next((name for name in places if given.get(name) is not None and name in self.letters), "")
        if self.operation.creates:
            message = f"This row says the same as row {duplicate.first_number}, which is sent."
            remedy = "Delete one of them, or allow repeated records with --allow-duplicates."
        else:
            message = f"This row changes the same record as row {duplicate.first_number}, which comes first."
            remedy = "Put all changes of a record into one row."
        problem = Problem(code="DUPLICATE_ROW", field=name, message=message, remedy=remedy)
        return self.with_cell(problem, row.number)
