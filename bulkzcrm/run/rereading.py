"""Records read again for rows that may have been written or not: what holds has succeeded, the rest goes again.

For operations that may safely be repeated; creates are read back in `settling`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import final

from bulkzcrm.client import Client
from bulkzcrm.journal import Batch, JournalWriter, Progress, RowOutcome, Run, StoredRow
from bulkzcrm.readings import read_organisation, read_services
from bulkzcrm.run.composing import Composer
from bulkzcrm.run.keys import Keys
from bulkzcrm.send import Ledger, Sendable
from bulkzcrm.send.matching import Lost, match
from bulkzcrm.spec.moments import timeless
from bulkzcrm.spec.operation import Operation
from bulkzcrm.spec.organisation import Current, Organisation, Reading

__all__ = ["Rereading"]


@final
class Rereading:
    """Reads the records of one run's rows again; `organisation` is what was read of it, and is kept up to date.

    `keys` are the values of the unique field, where the run's records are known by one.
    """

    def __init__(
        self,
        operation: Operation,
        run: Run,
        writer: JournalWriter,
        client: Client,
        composer: Composer,
        ledger: Ledger,
        organisation: Organisation,
        keys: Keys | None,
    ) -> None:
        self._operation = operation
        self._run = run
        self._writer = writer
        self._client = client
        self._composer = composer
        self._ledger = ledger
        self._organisation = organisation
        self._keys = keys
        self.read: set[int] = set()
        """Batches in doubt whose records were read again: what is left of them is due to go again."""

    async def settle(self, batch: Batch) -> int:
        """Settle what holds of a batch in doubt: it has succeeded. Return how many rows do.

        The rest is due to go again. It is in doubt until then, since what does not hold yet may do so a moment later.
        """
        if batch.number in self.read:
            # It has not gone since, and is compared once more before it goes.
            return 0
        rows = await self._writer.do(lambda journal: journal.batch_rows(self._run.id, batch.number))
        doubtful = [row for row in rows if row.status is Progress.IN_DOUBT]
        agreeing = await self._composer.holds(doubtful, self._refresh)
        outcomes = [
            RowOutcome(ordinal=row.ordinal, status=Progress.SUCCEEDED, record_id=self._composer.record_id(row))
            for row in doubtful
            if row.ordinal in agreeing
        ]
        if outcomes:
            await self._ledger.settle_doubts(batch.number, outcomes)
        self.read.add(batch.number)
        return len(agreeing)

    async def holding(self, part: Sequence[Sendable]) -> frozenset[int]:
        """Read the records of a batch in doubt again; return the rows that are as they should be."""
        rows: list[StoredRow] = []
        for each in part:
            rows += await self._row(each.ordinal)
        return await self._composer.holds(rows, self._refresh)

    async def ids_by_key(
        self, refused: Sequence[tuple[Sendable, str]], others: Collection[str] = ()
    ) -> dict[int, str | None]:
        """Find the records of refused rows by their unique field, which no `others` can share.

        Where the source gives its values, somebody else may have made a record of one: it has to say what the row says.
        """
        del others
        if self._keys is None:
            return {}
        services = await read_services(self._client, self._keys.name)
        rows = {value: row for row, _ in refused if (value := self._keys.comparable(row.record))}
        found = ((rows.get(self._keys.comparable(each.record)), each) for each in services.values())
        return {row.ordinal: there.id for row, there in found if row is not None and self._is_its_own(row, there)}

    def _is_its_own(self, row: Sendable, there: Current) -> bool:
        """Tell whether a record that has the value of a row says what the row says; of a value made for it, it does."""
        if self._keys is not None and not self._keys.by_source:
            return True
        lost = [Lost(row.ordinal, timeless(self._operation.fields, row.record))]
        operation = self._operation
        return bool(match(lost, [there], operation.fields, operation.named_by, defaults=operation.defaults).found)

    async def _refresh(self) -> Organisation:
        """Read the current records anew, and nothing else; where that is not allowed, they stay unknown."""
        reading = self._operation.current
        if reading is not None and reading not in self._organisation.refused:
            fresh = await read_organisation(self._client, {reading: True})
            match reading:
                case Reading.SERVICES:
                    self._organisation.services = fresh.services
                case Reading.SCORING_RULES:
                    self._organisation.scoring_rules = fresh.scoring_rules
                case Reading.BUSINESS_HOURS:
                    self._organisation.business_hours = fresh.business_hours
                case _:
                    self._organisation.job_sheet_enabled = fresh.job_sheet_enabled
        return self._organisation

    async def _row(self, ordinal: int) -> list[StoredRow]:
        return await self._writer.do(lambda journal: journal.rows(self._run.id, ordinal - 1, 1))
