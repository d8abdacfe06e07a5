"""Creates whose answer was lost, read back: found ones get their id, absent ones go again, ambiguous ones are shown.

Nothing is read before the quiet period is over, since a request may be carried out after everybody has given it up, and
nothing counts as absent unless two readings, some time apart, show the same.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import final

from anyio import to_thread

from bulkzcrm.cells import counted
from bulkzcrm.client import Client, ReadRefusedError
from bulkzcrm.clock import Clock, instant, milliseconds
from bulkzcrm.errors import CredentialsRefusedError
from bulkzcrm.events import Listener, Noted, ReadBack, Waiting
from bulkzcrm.journal import Batch, Journal, JournalWriter, Progress, RowOutcome, Run, StoredRow
from bulkzcrm.model import Problem, Record
from bulkzcrm.readings import read_current_user
from bulkzcrm.run.composing import Composer
from bulkzcrm.run.lease import LEASE_MS
from bulkzcrm.run.looking import Looking, Seen, Sought
from bulkzcrm.send import Sendable
from bulkzcrm.send.matching import Lost, name_of
from bulkzcrm.spec.moments import timeless
from bulkzcrm.spec.operation import Operation
from bulkzcrm.spec.organisation import READ_SCOPES, Current, Reading

__all__ = ["NAMESAKES", "Settled", "Settling", "quiet_period"]

NAMESAKES = "namesakes"
"""Under this word a run keeps the ids of records that had the name of one of its rows before it began."""

_SHORTEST_QUIET_S = 120.0
"""An API call that takes longer than this has never been reported; the server has then given it up, too."""
_QUIET_IN_SANDBOX_S = 2.0
_SHORTEST_GAP_S = 1.0
_SHOWN = 5
"""So many records are shown for one row at most."""
_READINGS = 5
"""So many times the organisation is read at most while what it shows goes on changing."""

_UNSTEADY = "The organisation was changing all the while that they were read back."
_MAKER_UNKNOWN = (
    "There are records like them, but whether this run made those cannot be told: "
    f"resume with the login that sent them, or with the scope {READ_SCOPES[Reading.USERS]}."
)


def quiet_period(asked: float | None, timeout: float, *, in_sandbox: bool) -> float:
    """Return how many seconds pass after a create before it is read back (DESIGN, section 3)."""
    if asked is not None:
        return asked
    return _QUIET_IN_SANDBOX_S if in_sandbox else max(timeout, _SHORTEST_QUIET_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """How many rows in doubt were found, are absent (and pending again), and are ambiguous for good.

    `left` says why others are in doubt still; it is blank if none are.
    """

    found: int = 0
    absent: int = 0
    ambiguous: int = 0
    left: str = ""

    def __add__(self, other: Settled) -> Settled:
        """Add up two of them."""
        return Settled(
            found=self.found + other.found,
            absent=self.absent + other.absent,
            ambiguous=self.ambiguous + other.ambiguous,
            left=self.left or other.left,
        )


@final
class Settling:
    """Settles creates in doubt of one run; `quiet_s` is the quiet period in seconds.

    `known_before` are ids of records that were there before the first request of this call left. `is_own_login` tells
    that all of the run was sent with the credentials in use now. In a stand-in for the API `ids_recur` when it is begun
    anew. `clock` is the computer's.
    """

    def __init__(
        self,
        operation: Operation,
        run: Run,
        epoch: int,
        writer: JournalWriter,
        client: Client,
        composer: Composer,
        *,
        quiet_s: float,
        known_before: Collection[str],
        is_own_login: bool,
        ids_recur: bool,
        clock: Clock,
        announce: Listener,
    ) -> None:
        self._operation = operation
        self._run = run
        self._epoch = epoch
        self._writer = writer
        self._client = client
        self._composer = composer
        self._looking = Looking(
            operation, run, writer, client, composer, is_own_login=is_own_login, ids_recur=ids_recur, clock=clock
        )
        self._quiet_s = quiet_s
        self._known_before = known_before
        self._known_ids: frozenset[str] | None = None
        listed = run.lookups.get(NAMESAKES)
        self._namesakes_before = frozenset(map(str, listed)) if isinstance(listed, list | tuple) else frozenset()
        self._announce = announce
        self._begun = client.monotonic()

    async def settle(self, batches: Sequence[Batch], *, of_this_call: bool, last_left: float | None = None) -> Settled:
        """Settle what can be settled of batches in doubt, all of which were sent by this call, or not all of them.

        `last_left` is when the last of them left that this call has sent (`Client.monotonic`).

        Raises what `Client.read` raises, a refusal excepted.
        """
        doubtful = {batch.number: await self._doubtful(batch.number) for batch in batches}
        rows = [row for of_batch in doubtful.values() for row in of_batch]
        sent = {batch.number: batch.sent_ms or self._now_ms() for batch in batches}
        earlier_ms = None if of_this_call else max(sent.values())
        await self._wait_until_quiet(last_left, earlier_ms, len(rows))
        sought = Sought(
            lost=[Lost(row.ordinal, self._as_sent(row.record, sent[row.batch or 0])) for row in rows],
            identities=frozenset(row.identity for row in rows if row.identity is not None),
            first_ms=min(sent.values()),
            excluded=self._namesakes_before.union(await self._known() if of_this_call else ()),
            known_ms=self._run.created_ms,
        )
        settled: Settled | None = None
        for _ in range(_READINGS):
            try:
                settled = await self._settled_by_reading(doubtful, sought)
            except (ReadRefusedError, CredentialsRefusedError) as error:
                scope = READ_SCOPES[Reading.SERVICES]
                return Settled(left=f"What became of them may not be read ({error}); the scope {scope} allows it.")
            if settled is not None:
                break
        settled = settled or Settled(left=_UNSTEADY)
        self._tell(settled)
        return settled

    async def _settled_by_reading(self, doubtful: Mapping[int, Sequence[StoredRow]], sought: Sought) -> Settled | None:
        """Read them back and write what became of them; nothing where others have moved on in the meantime."""
        seen, steady = await self._read_until_steady(sought)
        undecided = seen.contested if steady else seen.contested | seen.missing
        decided = {
            number: of_batch
            for number, of_batch in doubtful.items()
            if undecided.isdisjoint(row.ordinal for row in of_batch)
        }
        settled = await self._write(decided, seen, sought)
        if settled is not None and len(decided) < len(doubtful):
            settled += Settled(left=_UNSTEADY if seen.maker_known else _MAKER_UNKNOWN)
        return settled

    async def own(self, refused: Sequence[tuple[Sendable, str]], others: Collection[str]) -> dict[int, str | None]:
        """Find the rows that are refused for a record which an earlier request of theirs has made after all.

        With each row comes the id that its refusal names; `others` are known to be other rows' own. Returns the id of
        each that is the row's own, and `None` where that cannot be told. Raises what `Client.read` raises.
        """
        user = await self._current_user()
        found: dict[int, str | None] = {}
        for each, record_id in refused:
            sought = Sought(
                lost=[Lost(each.ordinal, timeless(self._operation.fields, each.record))],
                identities=frozenset({name_of(each.record, self._operation.named_by)}),
                first_ms=self._run.created_ms,
                excluded=self._namesakes_before.union(others),
                known_ms=self._run.created_ms,
            )
            is_own = await self._looking.is_own(record_id, sought, user)
            if is_own is not False:
                found[each.ordinal] = record_id if is_own else None
        return found

    async def _known(self) -> frozenset[str]:
        """Return the ids of what was there before; until an answer is lost, nobody needs them in memory."""
        if self._known_ids is None:
            self._known_ids = await to_thread.run_sync(frozenset, self._known_before)
        return self._known_ids

    async def _doubtful(self, number: int) -> list[StoredRow]:
        rows = await self._writer.do(lambda journal: journal.batch_rows(self._run.id, number))
        return [row for row in rows if row.status is Progress.IN_DOUBT]

    async def _wait_until_quiet(self, last_left: float | None, earlier_ms: int | None, rows: int) -> None:
        """Wait until the quiet period is over for what this call has sent, and for what was sent before (its intent).

        What this call sends is timed by what no clock that is set can change.
        """
        seconds = 0.0 if last_left is None else last_left + self._quiet_s - self._client.monotonic()
        if earlier_ms is not None:
            # It left when it had stood still after its intent for as long as the claim lasted, at the latest; and in
            # any case before this call had the run.
            by_clock = self._quiet_s + LEASE_MS / 1000 - (self._now_ms() - earlier_ms) / 1000
            by_claim = self._begun + self._quiet_s - self._client.monotonic()
            seconds = max(seconds, min(by_clock, by_claim))
        if seconds > 0:
            reason = f"the answer for {counted(rows, 'row')} was lost; what became of them is read back then"
            await self._pause(seconds, reason)

    def _as_sent(self, record: Record | None, sent_ms: int) -> Record:
        return self._composer.as_sent(record or {}, instant(sent_ms))

    async def _read_until_steady(self, sought: Sought) -> tuple[Seen, bool]:
        """Read until two readings in a row show the same, or every row is found; tell whether it came to that."""
        user = await self._current_user()
        seen = await self._looking.look(sought, user)
        for _ in range(_READINGS - 1):
            if not seen.missing and not seen.contested:
                return seen, True
            await self._pause(max(_SHORTEST_GAP_S, self._quiet_s / 2), "what is absent is looked for a second time")
            before, seen = seen, await self._looking.look(sought, user)
            if seen.namesakes == before.namesakes and seen.everything >= before.everything and not seen.contested:
                return seen, True
        return seen, False

    async def _current_user(self) -> str:
        try:
            return await read_current_user(self._client)
        except ReadRefusedError:
            return ""

    async def _write(self, decided: Mapping[int, Sequence[StoredRow]], seen: Seen, sought: Sought) -> Settled | None:
        """Write what became of the rows of batches, unless others have moved on since it was read."""
        answered_ms = self._now_ms()

        def write(journal: Journal) -> Settled | None:
            if self._looking.is_stale(journal, seen, sought):
                return None
            settled = Settled()
            for number, rows in decided.items():
                outcomes = [self._outcome(row, seen) for row in rows]
                journal.mark_answered(self._run.id, self._epoch, number, outcomes, answered_ms=answered_ms)
                statuses = [outcome.status for outcome in outcomes]
                settled += Settled(
                    found=statuses.count(Progress.SUCCEEDED),
                    absent=statuses.count(Progress.PENDING),
                    ambiguous=statuses.count(Progress.UNKNOWN),
                )
            return settled

        return await self._writer.do(write)

    def _outcome(self, row: StoredRow, seen: Seen) -> RowOutcome:
        record_id = seen.matched.found.get(row.ordinal)
        if record_id is not None:
            return RowOutcome(ordinal=row.ordinal, status=Progress.SUCCEEDED, record_id=record_id)
        candidates = seen.matched.ambiguous.get(row.ordinal)
        if candidates is None:
            return RowOutcome(ordinal=row.ordinal, status=Progress.PENDING)
        return RowOutcome(
            ordinal=row.ordinal,
            status=Progress.UNKNOWN,
            problems=(_ambiguity([seen.records[candidate] for candidate in candidates]),),
        )

    async def _pause(self, seconds: float, reason: str) -> None:
        self._announce(Waiting(seconds=seconds, reason=reason))
        await self._client.sleep(seconds)

    def _tell(self, settled: Settled) -> None:
        told = [
            f"{counted(settled.found, 'row')} found" if settled.found else "",
            f"{counted(settled.absent, 'row')} absent and sent again" if settled.absent else "",
            f"{counted(settled.ambiguous, 'row')} ambiguous" if settled.ambiguous else "",
        ]
        if any(told):
            self._announce(ReadBack(found=settled.found, absent=settled.absent, ambiguous=settled.ambiguous))
            self._announce(Noted(f"Read back: {', '.join(each for each in told if each)}."))

    def _now_ms(self) -> int:
        return milliseconds(self._client.now())


def _ambiguity(candidates: Sequence[Current]) -> Problem:
    shown = ", ".join(f"{each.id} (made {each.record.get('Created_Time')})" for each in candidates[:_SHOWN])
    more = f" and {len(candidates) - _SHOWN} more" if len(candidates) > _SHOWN else ""
    one = len(candidates) == 1
    return Problem(
        code="",
        field="",
        message=(
            "This row was sent and its answer was lost. Read back, the organisation has "
            f"{'a record' if one else 'records'} of the same name made at that time, of which nobody can tell whether "
            f"{'it is' if one else 'one of them is'} this row's: {shown}{more}."
        ),
        remedy=(
            f"Look at {'this record' if one else 'these records'} in the organisation. If none is this row's, "
            "send the row in a file of its own with --again."
        ),
    )
