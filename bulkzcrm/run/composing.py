"""Pending rows → records as they go over the wire: resolved, completed from the current records, and read where needed.

Reads are as few as can be: the list once; a service by its id only when its row will be sent, does not give a value
that must be sent, and the list does not show it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import anyio
from msgspec import Struct, structs

from bulkzcrm.client import Client
from bulkzcrm.errors import BulkzcrmError
from bulkzcrm.exact_json import encode_exactly
from bulkzcrm.journal import Progress, RowOutcome, RowSettlement, StoredRow, WaitingBlock
from bulkzcrm.lookup import Directory, Resolved
from bulkzcrm.model import Problem, Record
from bulkzcrm.readings import list_pages, read_service
from bulkzcrm.run.judging import Judge
from bulkzcrm.run.writing import BlockWriter
from bulkzcrm.send import Sendable
from bulkzcrm.spec.moments import Moments, at_moment
from bulkzcrm.spec.organisation import Current, Organisation, Reading

__all__ = ["Composed", "Composer", "Looked"]


@dataclass(frozen=True, slots=True)
class Composed:
    """What became of a page of rows: records to send, rows settled without sending, and what was there before.

    `stranded` are rows in doubt that cannot go again, by their batches: each with what is to be written of it unless
    its record is found.
    """

    sendable: tuple[Sendable, ...]
    settled: tuple[RowSettlement, ...]
    before: dict[int, Record]
    stranded: Mapping[int, Sequence[tuple[Sendable, RowOutcome]]]


class Looked(Struct, frozen=True):
    """Rows with their names resolved, in the same order, and the ids of the records of which something is lacking."""

    rows: Sequence[StoredRow]
    resolved: Sequence[Resolved]
    lacking: Sequence[str]


class Composer:
    """Makes pending rows ready to be sent."""

    def __init__(self, judge: Judge, organisation: Organisation, client: Client) -> None:
        self._judge = judge
        self._operation = judge.operation
        self._organisation = organisation
        self._client = client
        self._directory = Directory(judge.operation, organisation)
        self._moments = Moments(judge.operation.fields)
        as_given = judge.operation.sent_as_given and judge.keys is None
        looked_at = self._directory.resolves | self._moments.names
        self._writer = BlockWriter(self._as_given, looked_at) if as_given else None

    def write(self, waiting: WaitingBlock) -> tuple[list[Sendable], list[int]]:
        """Return those rows of a block that can be sent as they are, and the places of all others."""
        if self._writer is None:
            return [], list(waiting.ordinals)
        return self._writer.write(waiting)

    def _as_given(self, part: Record) -> Record | None:
        """Return what a part of a new record is sent as; `None` where that is not certain, or not yet."""
        resolved = self._directory.resolve(part)
        given, late = self._judge.in_zone(resolved.given)
        completed = self._operation.complete(given, resolved.current, self._organisation)
        is_certain = not (resolved.problems or late or self._moments.says_now(completed.record))
        return completed.record if is_certain else None

    async def compose(self, rows: Sequence[StoredRow], once_in_doubt: Collection[int] = ()) -> Composed:
        """Compose rows in their order, reading by id what the list did not show (see `composed`)."""
        looked = self.look(rows)
        return self.composed(looked, await self.read_by_id(looked.lacking), once_in_doubt)

    def look(self, rows: Sequence[StoredRow]) -> Looked:
        """Resolve the names in rows, and find out what has to be read by id: records that must be sent in whole."""
        resolved = [self._directory.resolve(row.record or {}) for row in rows]
        lacking = [
            each.current.id
            for each in resolved
            # What is new, or shown in whole, lacks nothing.
            if each.current is not None and each.current.silent and not each.problems
            if self._operation.complete(each.given, each.current, self._organisation).lacks
        ]
        return Looked(rows, resolved, lacking)

    def composed(self, looked: Looked, whole: Mapping[str, Current], once_in_doubt: Collection[int] = ()) -> Composed:
        """Compose rows in their order; `whole` are the records that were read by their ids.

        Of batches that were `once_in_doubt` a request may have been carried out after it was read back as absent: a row
        of them that is as wanted by now has succeeded.
        """
        sendable: list[Sendable] = []
        settled: list[RowSettlement] = []
        before: dict[int, Record] = {}
        stranded: dict[int, list[tuple[Sendable, RowOutcome]]] = {}
        for row, resolved in zip(looked.rows, looked.resolved, strict=True):
            given, current, problems = self._judged(row, resolved, whole)
            completed = None if problems else self._operation.complete(given, current, self._organisation)
            if completed is not None and completed.changed and completed.lacks:
                problems = (_gone(row, ", ".join(sorted(completed.lacks))),)
            if completed is None or problems:
                if row.status is Progress.IN_DOUBT and row.batch is not None:
                    stranded.setdefault(row.batch, []).append(self._stranded(row, problems))
                else:
                    settled.append(self._invalid(row, problems))
                continue
            if not completed.changed:
                status = Progress.SUCCEEDED if row.batch in once_in_doubt else Progress.UNCHANGED
                settled.append(_as_wanted(row, status, current.id if current else ""))
                continue
            if current is not None and current.record and not self._operation.creates:
                before[row.ordinal] = current.record
            record_id = "" if self._operation.creates else str(completed.record.get("id") or "")
            record = completed.record
            if self._judge.keys is not None:
                record = {**record, self._judge.keys.name: self._judge.keys.value(row, record)}
            sendable.append(
                Sendable(
                    ordinal=row.ordinal,
                    number=row.number,
                    said=encode_exactly(record),
                    record_id=record_id,
                    says_now=self._moments.says_now(record),
                    sent_before=row.attempts > 0,
                    in_doubt=row.status is Progress.IN_DOUBT,
                )
            )
        return Composed(tuple(sendable), tuple(settled), before, stranded)

    def _stranded(self, row: StoredRow, problems: Sequence[Problem]) -> tuple[Sendable, RowOutcome]:
        """Return a row whose earlier request may have been carried out, and what is known of it: nothing."""
        record, keys = row.record or {}, self._judge.keys
        if keys is not None:
            record = {**record, keys.name: keys.value(row, record)}
        said = encode_exactly(record)
        sendable = Sendable(ordinal=row.ordinal, number=row.number, said=said, record_id="", in_doubt=True)
        told = tuple(self._judge.with_cell(_stands_open(problem), row.number) for problem in problems)
        return sendable, RowOutcome(ordinal=row.ordinal, status=Progress.UNKNOWN, problems=told)

    def _invalid(self, row: StoredRow, problems: Sequence[Problem]) -> RowSettlement:
        return RowSettlement(
            ordinal=row.ordinal,
            status=Progress.INVALID,
            problems=tuple(self._judge.with_cell(problem, row.number) for problem in problems),
            identity=row.identity,
            fingerprint=row.fingerprint,
        )

    def _judged(
        self, row: StoredRow, resolved: Resolved, whole: Mapping[str, Current]
    ) -> tuple[Record, Current | None, tuple[Problem, ...]]:
        """Return the row's values, its record as far as it is known, and what is wrong with the two together.

        A record read by its id shows what the list kept silent, so rules that abstained before are asked again.
        """
        current = _as_whole(resolved.current, whole)
        if current is not resolved.current:
            given, problems = self._judge.weigh(row, structs.replace(resolved, current=current))
            return given, current, problems
        given, late = self._judge.in_zone(resolved.given)
        return given, current, (*resolved.problems, *late)

    async def read_by_id(self, record_ids: Iterable[str]) -> dict[str, Current]:
        """Read services, all at once; those that are not there are left out."""
        found: dict[str, Current] = {}
        failures: list[BulkzcrmError] = []
        wanted = dict.fromkeys(record_ids)
        if not wanted:
            return found

        async def read(record_id: str) -> None:
            try:
                service = await read_service(self._client, record_id)
            except BulkzcrmError as error:
                failures.append(error)
                group.cancel_scope.cancel()
            else:
                if service is not None:
                    found[record_id] = service

        async with anyio.create_task_group() as group:
            for record_id in wanted:
                group.start_soon(read, record_id)
        if failures:
            # One is enough to stop for; a task group would have wrapped it in a group of exceptions.
            raise failures[0]
        return found

    async def holds(self, rows: Sequence[StoredRow], refresh: Callable[[], Awaitable[Organisation]]) -> frozenset[int]:
        """Read the current records again, and return the rows (ordinals) that they already agree with.

        A new record has none: one that is known by its unique field is simply sent again.
        """
        if self._operation.creates:
            return frozenset()
        by_id = self._best_read_by_id(rows)
        if not by_id:
            self._organisation = await refresh()
            self._directory = Directory(self._operation, self._organisation)
        whole = await self.read_by_id(by_id or self._silent(rows))
        agreeing = set()
        for row in rows:
            resolved = self._directory.resolve(row.record or {})
            given, problems = self._judge.in_zone(resolved.given)
            current = _as_whole(resolved.current, whole)
            if resolved.problems or problems or (by_id and current is resolved.current):
                continue
            if not self._operation.complete(given, current, self._organisation).changed:
                agreeing.add(row.ordinal)
        return frozenset(agreeing)

    def as_sent(self, record: Record, sent: datetime) -> Record:
        """Return a row's record as it was sent at that moment by the server's clock, as far as it can be told now.

        A name that has meanwhile gone from the organisation is left out.
        """
        given, _ = self._judge.in_zone(self._directory.resolve(record).given)
        completed = self._operation.complete(given, None, self._organisation)
        return at_moment(self._operation.fields, completed.record, sent, self._organisation.zone)

    def record_id(self, row: StoredRow) -> str:
        """Return the id of the record that a row means, as last read; blank where there is none."""
        current = self._directory.resolve(row.record or {}).current
        return current.id if current else ""

    def _best_read_by_id(self, rows: Sequence[StoredRow]) -> list[str]:
        """Return the ids of the services of these rows, if reading each is no dearer than reading the list of all."""
        services = self._organisation.services
        if self._operation.current is not Reading.SERVICES or services is None:
            return []
        found = [self._directory.resolve(row.record or {}).current for row in rows]
        ids = [current.id for current in found if current is not None]
        return ids if len(ids) <= list_pages(len(services)) + len(self._silent(rows)) else []

    def _silent(self, rows: Sequence[StoredRow]) -> list[str]:
        """Return the ids of the records of which a row gives what the list does not show."""
        silent = []
        for row in rows:
            resolved = self._directory.resolve(row.record or {})
            if resolved.current is not None and not resolved.current.silent.isdisjoint(resolved.given):
                silent.append(resolved.current.id)
        return silent


def _as_whole(current: Current | None, whole: Mapping[str, Current]) -> Current | None:
    """Return a record as it was read by its id, where it was, else as the list shows it."""
    return whole.get(current.id, current) if whole and current is not None else current


def _as_wanted(row: StoredRow, status: Progress, record_id: str) -> RowSettlement:
    return RowSettlement(
        ordinal=row.ordinal,
        status=status,
        identity=row.identity,
        fingerprint=row.fingerprint,
        record_id=record_id,
    )


def _stands_open(problem: Problem) -> Problem:
    """Return why a row cannot go again of which an earlier request was lost."""
    return replace(
        problem,
        message=f"This row was sent, its answer was lost, and it cannot be sent again as it is: {problem.message}",
        remedy="Look in the organisation whether it was carried out. If it was not, mend the row and send it in a file "
        f"of its own. {problem.remedy}",
    )


def _gone(row: StoredRow, fields: str) -> Problem:
    return Problem(
        code="INVALID_DATA",
        field="id",
        message=f"The service of row {row.number} could not be read by its id, and {fields} must be sent with it.",
        remedy="Check that the service still exists, or give these values in the row.",
    )
