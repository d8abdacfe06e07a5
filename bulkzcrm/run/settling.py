"""Creates whose answer was lost, read back: found ones get their id, absent ones go again, ambiguous ones are shown.

Nothing is read before the quiet period is over, since a request may be carried out after everybody has given it up, and
nothing counts as absent unless two readings, some time apart, show the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import final

from anyio import to_thread

from bulkzcrm.cells import counted
from bulkzcrm.client import Client, ReadRefusedError
from bulkzcrm.clock import Clock, milliseconds
from bulkzcrm.errors import CredentialsRefusedError
from bulkzcrm.events import Listener, Noted, ReadBack, Waiting
from bulkzcrm.journal import Batch, Journal, JournalWriter, Progress, RowOutcome, Run, StoredRow
from bulkzcrm.lookup import folded
from bulkzcrm.model import Problem
from bulkzcrm.readings import moment, read_created_since, read_current_user
from bulkzcrm.run.composing import Composer
from bulkzcrm.run.lease import LEASE_MS
from bulkzcrm.run.lookalikes import Lookalikes
from bulkzcrm.send.matching import Lost, Matched, match, name_of
from bulkzcrm.spec.operation import Operation
from bulkzcrm.spec.organisation import READ_SCOPES, Current, Reading
from bulkzcrm.spec.values import fingerprint

__all__ = ["NAMESAKES", "Settled", "Settling", "quiet_period"]

NAMESAKES = "namesakes"
"""Under this word a run keeps the ids of records that had the name of one of its rows before it began."""

_SHORTEST_QUIET_S = 120.0
"""An API call that takes longer than this has never been reported; the server has then given it up, too."""
_QUIET_IN_SANDBOX_S = 2.0
_SHORTEST_GAP_S = 1.0
_READINGS = 5
"""So many times the organisation is read at most while what it shows goes on changing."""
_SKEW = timedelta(hours=24)
"""How far the moments of creation may be off from the time at which a request left, whatever clocks were wrong."""
_APART_MS = 30_000
"""Of two records made further apart than this, by the times of their answers, the list shows the later one first."""
_ANSWERED_AROUND_MS = 300_000
"""Around its request and its answer a record was made, where ids can come a second time."""

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


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one reading of the organisation shows of the rows in doubt."""

    matched: Matched
    namesakes: frozenset[str]
    """Ids of the records that bear a name that was sent."""
    everything: frozenset[str]
    """Ids of all records of the time: a reading that lacks some of an earlier one may have skipped others, too."""
    contested: frozenset[int]
    """Places of rows of which another run has one of the same name in flight."""
    records: Mapping[str, Current]
    maker_known: bool
    missing: frozenset[int]
    """Places of rows that another reading might show: absent ones, and those that may have been renamed."""


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
        self._quiet_s = quiet_s
        self._known_before = frozenset(known_before)
        self._is_own_login = is_own_login
        self._ids_recur = ids_recur
        listed = run.lookups.get(NAMESAKES)
        self._namesakes_before = frozenset(map(str, listed)) if isinstance(listed, list | tuple) else frozenset()
        self._excluded: frozenset[str] = frozenset()
        self._clock = clock
        self._announce = announce
        self._whole: dict[str, Current] = {}
        self._begun = client.monotonic()

    async def settle(self, batches: Sequence[Batch], *, of_this_call: bool, last_left: float | None = None) -> Settled:
        """Settle what can be settled of batches in doubt, all of which were sent by this call, or not all of them.

        `last_left` is when the last of them left that this call has sent (`Client.monotonic`).

        Raises what `Client.read` raises, a refusal excepted.
        """
        self._excluded = self._namesakes_before | (self._known_before if of_this_call else frozenset())
        doubtful = {batch.number: await self._doubtful(batch.number) for batch in batches}
        rows = [row for of_batch in doubtful.values() for row in of_batch]
        sent = {batch.number: batch.sent_ms or self._now_ms() for batch in batches}
        earlier_ms = None if of_this_call else max(sent.values())
        await self._wait_until_quiet(last_left, earlier_ms, len(rows))
        rivals = await self._rivals(rows)
        lost = [
            Lost(row.ordinal, self._composer.as_sent(row, _instant(sent[row.batch or 0])), rivals[self._content(row)])
            for row in rows
        ]
        identities = {row.identity for row in rows if row.identity is not None}
        try:
            seen, steady = await self._read_until_steady(lost, sent, identities)
        except (ReadRefusedError, CredentialsRefusedError) as error:
            scope = READ_SCOPES[Reading.SERVICES]
            return Settled(left=f"What became of them may not be read ({error}); the scope {scope} allows it.")
        undecided = seen.contested if steady else seen.contested | seen.missing
        decided = {
            number: of_batch
            for number, of_batch in doubtful.items()
            if undecided.isdisjoint(row.ordinal for row in of_batch)
        }
        settled = await self._write(decided, seen, min(sent.values()))
        if len(decided) < len(doubtful):
            settled += Settled(left=_UNSTEADY if seen.maker_known else _MAKER_UNKNOWN)
        self._tell(settled)
        return settled

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

    async def _rivals(self, rows: Sequence[StoredRow]) -> Counter[bytes]:
        """Count the rows of the same content that are in doubt on other pages, or in other runs."""
        identities = {row.identity for row in rows if row.identity is not None}
        ours = [row.ordinal for row in rows]
        found = await self._writer.do(lambda journal: journal.in_doubt_elsewhere(self._run, identities, ours))
        return Counter(fingerprint(self._operation.fields, record) for _, record in found)

    def _content(self, row: StoredRow) -> bytes:
        return fingerprint(self._operation.fields, row.record or {})

    async def _read_until_steady(
        self, lost: Sequence[Lost], sent: Mapping[int, int], identities: Collection[str]
    ) -> tuple[_Seen, bool]:
        """Read until two readings in a row show the same, or every row is found; tell whether it came to that."""
        user = await self._current_user()
        seen = await self._look(lost, sent, identities, user)
        for _ in range(_READINGS - 1):
            if not seen.missing and not seen.contested:
                return seen, True
            await self._pause(max(_SHORTEST_GAP_S, self._quiet_s / 2), "what is absent is looked for a second time")
            before, seen = seen, await self._look(lost, sent, identities, user)
            if seen.namesakes == before.namesakes and seen.everything >= before.everything and not seen.contested:
                return seen, True
        return seen, False

    async def _current_user(self) -> str:
        try:
            return await read_current_user(self._client)
        except ReadRefusedError:
            return ""

    async def _look(
        self, lost: Sequence[Lost], sent: Mapping[int, int], identities: Collection[str], user: str
    ) -> _Seen:
        first_ms = min(sent.values())
        since = _instant(first_ms) - _SKEW
        names = {name_of(each.record, self._operation.named_by) for each in lost}
        # Who makes this run's records is learned from others than those that are looked for.
        own = user if self._is_own_login else ""
        lookalikes = Lookalikes(self._operation, lost)
        recent, everything = await read_created_since(
            self._client,
            since,
            landmarks=await self._made_before(since, first_ms - _APART_MS),
            wanted=(lambda record: name_of(record, self._operation.named_by) in names) if own else None,
            look_at=lookalikes.look_at,
        )
        namesakes = [each for each in recent if name_of(each.record, self._operation.named_by) in names]
        taken = await self._accounted_for([each.id for each in recent], since)
        maker = own or _maker(recent, taken, self._run.id)
        free = [each for each in namesakes if self._is_free(each, taken) and _made_by(each, maker)]
        whole = await self._in_full(free, lost)
        # Claims are told by the computer's own clock, whatever the server's says.
        now_ms = milliseconds(self._clock())
        busy = await self._writer.do(lambda journal: journal.under_way_elsewhere(self._run, identities, now_ms))
        # Where nobody can tell who sent the run, what others made may be its own, too.
        others = [] if maker else [each for each in whole if not user or _created_by(each) != user]
        not_mine = {each.id for each in others}
        mine = [each for each in whole if each.id not in not_mine]
        # Rows of one name are many comparisons, and nothing else shall wait for them.
        matched = await to_thread.run_sync(match, lost, mine, self._operation.fields, self._operation.named_by)
        if user:
            self._set_apart(matched, lost, others)
        missing = frozenset(matched.absent)
        renamed = await self._renamed(lookalikes, since, first_ms, maker) if matched.absent else []
        lookalikes.set_apart(matched, lost, renamed)
        there = {name_of(each.record, self._operation.named_by) for each in whole}
        foreign = set() if user else {name_of(each.record, self._operation.named_by) for each in others}
        unsure = foreign | {name_of({self._operation.named_by: each}, self._operation.named_by) for each in busy}
        contested = {
            each.ordinal
            for each in lost
            if (name := name_of(each.record, self._operation.named_by)) in unsure and name in there
        }
        return _Seen(
            matched,
            frozenset(each.id for each in free),
            everything,
            frozenset(contested),
            {each.id: each for each in whole} | {each: lookalikes.record(each) for each in renamed},
            maker_known=not foreign,
            missing=missing,
        )

    async def _renamed(self, lookalikes: Lookalikes, since: datetime, first_ms: int, maker: str) -> list[str]:
        """Return the lookalikes made by us since the first was lost for which neither a row nor a doubt accounts."""
        taken = await self._accounted_for(lookalikes.ids, since)
        free = []
        for record_id in lookalikes.ids:
            record = lookalikes.record(record_id)
            made = moment(record.record.get("Created_Time"))
            is_new = made is not None and milliseconds(made) >= first_ms - _ANSWERED_AROUND_MS
            if is_new and self._is_free(record, taken) and _made_by(record, maker):
                free.append(record_id)
        names = {record_id: folded(name) for record_id, name in lookalikes.named(free).items()}
        doubtful = await self._writer.do(lambda journal: journal.in_doubt_elsewhere(self._run, set(names.values()), ()))
        explained = {identity for identity, _ in doubtful}
        return [record_id for record_id in free if names[record_id] not in explained]

    def _set_apart(self, matched: Matched, lost: Sequence[Lost], others: Sequence[Current]) -> None:
        """Call rows ambiguous that are not found, and of whose name another user has made a record."""
        names: dict[str, list[str]] = {}
        for each in others:
            names.setdefault(name_of(each.record, self._operation.named_by), []).append(each.id)
        for row in lost:
            candidates = names.get(name_of(row.record, self._operation.named_by))
            if candidates and row.ordinal in matched.absent:
                matched.absent.remove(row.ordinal)
                matched.ambiguous[row.ordinal] = tuple(candidates)

    async def _made_before(self, since: datetime, before_ms: int) -> set[str]:
        since_ms = milliseconds(since)
        return await self._writer.do(lambda journal: journal.answered_before(self._run, since_ms, before_ms))

    async def _accounted_for(self, record_ids: Collection[str], since: datetime) -> dict[str, tuple[str, int, int]]:
        since_ms = milliseconds(since)
        return await self._writer.do(lambda journal: journal.accounted_for(self._run, record_ids, since_ms))

    def _is_free(self, record: Current, taken: Mapping[str, tuple[str, int, int]]) -> bool:
        """Tell whether nobody accounts for a record: no row has it, and it was not there before."""
        if record.id in self._excluded:
            return False
        if record.id not in taken:
            return True
        run, sent_ms, answered_ms = taken[record.id]
        made = moment(record.record.get("Created_Time"))
        # A stand-in that was begun anew gives its ids a second time; then the record of that id is another one.
        return (
            self._ids_recur
            and run != self._run.id
            and made is not None
            and not (sent_ms - _ANSWERED_AROUND_MS <= milliseconds(made) <= answered_ms + _ANSWERED_AROUND_MS)
        )

    async def _in_full(self, namesakes: Sequence[Current], lost: Sequence[Lost]) -> list[Current]:
        """Read by id the records of which the list is silent about something that decides whose they are.

        Where one row and one record bear a name that no other one bears, there is nothing left to decide.
        """
        given = {name for each in lost for name, value in each.record.items() if value is not None}
        bearers = Counter(
            name_of(record, self._operation.named_by)
            for record in (*(each.record for each in lost), *(each.record for each in namesakes))
        )
        lacking = [
            each.id
            for each in namesakes
            if each.id not in self._whole
            and bearers[name_of(each.record, self._operation.named_by)] > 2
            and not each.silent.isdisjoint(given)
        ]
        self._whole |= await self._composer.read_by_id(lacking)
        return [self._whole.get(each.id, each) for each in namesakes]

    async def _write(self, decided: Mapping[int, Sequence[StoredRow]], seen: _Seen, first_sent_ms: int) -> Settled:
        """Write what became of the rows of batches, those aside of which another run has a record meanwhile."""
        answered_ms = self._now_ms()
        since_ms = milliseconds(_instant(first_sent_ms) - _SKEW)

        def write(journal: Journal) -> Settled:
            taken = journal.accounted_for(self._run, seen.matched.found.values(), since_ms)
            settled = Settled()
            for number, rows in decided.items():
                outcomes = [self._outcome(row, seen) for row in rows]
                ids = {outcome.record_id for outcome in outcomes if outcome.record_id}
                if any(record_id in taken and not self._is_free(seen.records[record_id], taken) for record_id in ids):
                    settled += Settled(left=_UNSTEADY)
                    continue
                journal.mark_answered(self._run.id, self._epoch, number, outcomes, answered_ms=answered_ms)
                statuses = [outcome.status for outcome in outcomes]
                settled += Settled(
                    found=statuses.count(Progress.SUCCEEDED),
                    absent=statuses.count(Progress.PENDING),
                    ambiguous=statuses.count(Progress.UNKNOWN),
                )
            return settled

        return await self._writer.do(write)

    def _outcome(self, row: StoredRow, seen: _Seen) -> RowOutcome:
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


def _maker(recent: Sequence[Current], taken: Mapping[str, tuple[str, int, int]], run: str) -> str:
    """Return who makes this run's records, learned from one whose answer came; blank where there is none."""
    for each in recent:
        if each.id in taken and taken[each.id][0] == run and (maker := _created_by(each)):
            return maker
    return ""


def _made_by(record: Current, maker: str) -> bool:
    shown = _created_by(record)
    return not maker or not shown or shown == maker


def _created_by(record: Current) -> str:
    maker = record.record.get("Created_By")
    return str(maker.get("id") or "") if isinstance(maker, Mapping) else ""


def _ambiguity(candidates: Sequence[Current]) -> Problem:
    shown = ", ".join(f"{each.id} (made {each.record.get('Created_Time')})" for each in candidates[:_READINGS])
    more = f" and {len(candidates) - _READINGS} more" if len(candidates) > _READINGS else ""
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


def _instant(moment_ms: int) -> datetime:
    return datetime.fromtimestamp(moment_ms / 1000, UTC)
