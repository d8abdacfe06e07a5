"""One look at the organisation for lost creates: what was made since, whose it is, and which rows it may be of.

Nothing is decided and nothing is written here. What somebody else accounts for, or made, is nobody's candidate.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeAlias, final

from anyio import to_thread

from bulkzcrm.client import Client
from bulkzcrm.clock import Clock, instant, milliseconds
from bulkzcrm.journal import Doubted, Journal, JournalWriter, Run
from bulkzcrm.readings import moment, read_created_since
from bulkzcrm.run.composing import Composer
from bulkzcrm.run.lookalikes import Lookalikes
from bulkzcrm.send.matching import Lost, Matched, Others, match, name_of
from bulkzcrm.spec.operation import Operation
from bulkzcrm.spec.organisation import Current

__all__ = ["Looking", "Seen", "Sought"]

_SKEW = timedelta(hours=24)
"""How far the moments of creation may be off from the time at which a request left, whatever clocks were wrong."""
_APART_MS = 30_000
"""Of two records made further apart than this, by the times of their answers, the list shows the later one first."""
_AT_ONCE = 100
"""So many records are asked for at once; the limiter lets them leave one after the other."""
_ANSWERED_AROUND_MS = 300_000
"""Around its request and its answer a record was made, where ids can come a second time."""

_Accounts: TypeAlias = Mapping[str, tuple[str, int, int]]
"""Id of a record → the run that has it, and when its batch was sent and answered (milliseconds)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What is looked for: lost creates, the first of which left at `first_ms` by the server's clock.

    `identities` are those of their rows. The records `excluded` were there before, whatever they look like; since
    `known_ms`, by the computer's clock, others may have come that are not among them.
    """

    lost: Sequence[Lost]
    identities: frozenset[str]
    first_ms: int
    excluded: frozenset[str]
    known_ms: int

    @property
    def since(self) -> datetime:
        """From when on a record may be one of them."""
        return instant(self.first_ms) - _SKEW


@dataclass(frozen=True, slots=True)
class Seen:
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
    doubted: frozenset[tuple[str, int, int]]
    """Rows elsewhere of which it was not known what they had made."""
    missing: frozenset[int]
    """Places of rows that another reading might show: absent ones, and those that may have been renamed."""


@final
class Looking:
    """Looks for lost creates of one run, as often as it is asked to.

    `is_own_login`, `ids_recur` and `clock` are as in `Settling`.
    """

    def __init__(
        self,
        operation: Operation,
        run: Run,
        writer: JournalWriter,
        client: Client,
        composer: Composer,
        *,
        is_own_login: bool,
        ids_recur: bool,
        clock: Clock,
    ) -> None:
        self._operation = operation
        self._run = run
        self._writer = writer
        self._client = client
        self._composer = composer
        self._is_own_login = is_own_login
        self._ids_recur = ids_recur
        self._clock = clock
        self._whole: dict[str, Current] = {}

    async def look(self, sought: Sought, user: str) -> Seen:
        """Read what was made since the first of them left; `user` is who reads, blank where the server does not tell.

        Raises what `Client.read` raises.
        """
        lost = sought.lost
        names = {name_of(each.record, self._operation.named_by) for each in lost}
        # Who makes this run's records is learned from others than those that are looked for.
        own = user if self._is_own_login else ""
        lookalikes = Lookalikes(self._operation, lost)
        recent, everything = await read_created_since(
            self._client,
            sought.since,
            landmarks=await self._made_before(sought),
            wanted=(lambda record: name_of(record, self._operation.named_by) in names) if own else None,
            look_at=lookalikes.look_at,
        )
        namesakes = [each for each in recent if name_of(each.record, self._operation.named_by) in names]
        taken = await self._accounted_for([each.id for each in recent], sought)
        maker = own or _maker(recent, taken, self._run.id)
        free = [each for each in namesakes if self._is_free(each, taken, sought) and _made_by(each, maker)]
        whole, unseen = await self._in_full(free, lost)
        # After all was read: who sends later has made nothing of it. At one moment: who is in doubt no more has taken
        # what is its own.
        doubted, taken = await self._writer.do(lambda journal: self._standing(journal, free, sought))
        free = [each for each in free if self._is_free(each, taken, sought)]
        whole = [each for each in whole if self._is_free(each, taken, sought)]
        # Claims are told by the computer's own clock, whatever the server's says.
        now_ms = milliseconds(self._clock())
        busy = await self._writer.do(lambda journal: journal.under_way_elsewhere(self._run, sought.identities, now_ms))
        # Where nobody can tell who sent the run, what others made may be its own, too.
        others = [] if maker else [each for each in whole if not user or _created_by(each) != user]
        not_mine = {each.id for each in others}
        mine = [each for each in whole if each.id not in not_mine]
        # Rows of one name are many comparisons, and nothing else shall wait for them.
        matched = await to_thread.run_sync(
            partial(
                match,
                lost,
                mine,
                self._operation.fields,
                self._operation.named_by,
                others=self._others(doubted),
                defaults=self._operation.defaults,
            )
        )
        if user:
            self._set_apart(matched, lost, others)
        missing = frozenset(matched.absent)
        renamed = await self._renamed(lookalikes, sought, maker) if matched.absent else []
        lookalikes.set_apart(matched, lost, renamed)
        there = {name_of(each.record, self._operation.named_by) for each in whole}
        foreign = set() if user else {name_of(each.record, self._operation.named_by) for each in others}
        unsure = foreign | {name_of({self._operation.named_by: each}, self._operation.named_by) for each in busy}
        contested = {
            each.ordinal
            for each in lost
            if (name := name_of(each.record, self._operation.named_by)) in unseen or (name in unsure and name in there)
        }
        return Seen(
            matched,
            frozenset(each.id for each in free),
            everything,
            frozenset(contested),
            {each.id: each for each in whole} | {each: lookalikes.record(each) for each in renamed},
            maker_known=not foreign,
            doubted=frozenset(each.key for each in doubted),
            missing=missing,
        )

    async def is_own(self, record_id: str, sought: Sought, user: str) -> bool | None:
        """Tell whether a record is the only one sought, made when nobody looked any more; `None` if that stays open.

        Raises what `Client.read` raises, and `CredentialsRefusedError` where single records may not be read.
        """
        record = (await self._composer.read_by_id([record_id])).get(record_id)
        if record is None:
            return None
        made = moment(record.record.get("Created_Time"))
        agrees = match(sought.lost, [record], self._operation.fields, self._operation.named_by).found
        if not agrees or (made is not None and made < sought.since):
            return False
        ours = {each.ordinal for each in sought.lost}

        def accounts(journal: Journal) -> tuple[_Accounts, bool]:
            taken = journal.accounted_for(self._run, [record_id], milliseconds(sought.since))
            # At one moment: whoever is in doubt may be told of the record next.
            since_ms = min(sought.first_ms, sought.known_ms)
            return taken, bool(journal.in_doubt_elsewhere(self._run, sought.identities, ours, since_ms))

        taken, is_contested = await self._writer.do(accounts)
        if not self._is_free(record, taken, sought):
            return False
        maker = _created_by(record)
        if is_contested or not user or not maker:
            return None
        # Who has sent the run before may have been somebody else.
        return True if maker == user else False if self._is_own_login else None

    def is_stale(self, journal: Journal, seen: Seen, sought: Sought) -> bool:
        """Tell whether it stands otherwise by now with others; asked in the transaction that believes in it."""
        there = [seen.records[each] for each in seen.namesakes if each in seen.records]
        doubted, taken = self._standing(journal, there, sought)
        is_taken = any(not self._is_free(each, taken, sought) for each in there)
        return is_taken or seen.doubted != {each.key for each in doubted}

    def _standing(
        self, journal: Journal, records: Sequence[Current], sought: Sought
    ) -> tuple[list[Doubted], _Accounts]:
        """Return which other rows of these names are in doubt (on other pages, in other runs), and who has what."""
        ours = [each.ordinal for each in sought.lost]
        since_ms = min(sought.first_ms, sought.known_ms)
        doubted = journal.in_doubt_elsewhere(self._run, sought.identities, ours, since_ms)
        taken = journal.accounted_for(self._run, [each.id for each in records], milliseconds(sought.since))
        return doubted, taken

    def _others(self, doubted: Sequence[Doubted]) -> Others:
        sent = [(each.is_left, self._composer.as_sent(each.record, instant(each.sent_ms))) for each in doubted]
        return Others(
            rivals=[record for is_left, record in sent if not is_left],
            left=[record for is_left, record in sent if is_left],
        )

    async def _renamed(self, lookalikes: Lookalikes, sought: Sought, maker: str) -> list[str]:
        """Return the lookalikes made by us since the first was lost for which neither a row nor a doubt accounts."""
        taken = await self._accounted_for(lookalikes.ids, sought)
        free = []
        for record_id in lookalikes.ids:
            record = lookalikes.record(record_id)
            made = moment(record.record.get("Created_Time"))
            is_new = made is not None and milliseconds(made) >= sought.first_ms - _ANSWERED_AROUND_MS
            if is_new and self._is_free(record, taken, sought) and _made_by(record, maker):
                free.append(record_id)
        named_by = self._operation.named_by
        names = {record_id: name_of({named_by: name}, named_by) for record_id, name in lookalikes.named(free).items()}
        doubted = await self._writer.do(
            lambda journal: journal.in_doubt_elsewhere(self._run, set(names.values()), (), sought.first_ms)
        )
        explained = {each.identity for each in doubted}
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

    async def _made_before(self, sought: Sought) -> set[str]:
        since_ms, before_ms = milliseconds(sought.since), sought.first_ms - _APART_MS
        return await self._writer.do(lambda journal: journal.answered_before(self._run, since_ms, before_ms))

    async def _accounted_for(self, record_ids: Collection[str], sought: Sought) -> _Accounts:
        since_ms = milliseconds(sought.since)
        return await self._writer.do(lambda journal: journal.accounted_for(self._run, record_ids, since_ms))

    def _is_free(self, record: Current, taken: _Accounts, sought: Sought) -> bool:
        """Tell whether nobody accounts for a record: no row has it, and it was not there before."""
        if record.id in sought.excluded:
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

    async def _in_full(self, namesakes: Sequence[Current], lost: Sequence[Lost]) -> tuple[list[Current], set[str]]:
        """Read by id the records of which the list is silent about something that was sent.

        Also where one row and one record bear a name: with another one of its name it might have been made elsewhere.
        Returns the names, besides, of those that are not shown by their ids, and so are nobody's for now.
        """
        given = {name for each in lost for name, value in each.record.items() if value is not None}
        known = {each.id: self._whole[each.id] for each in namesakes if each.id in self._whole}
        lacking = [each.id for each in namesakes if each.id not in known and not each.silent.isdisjoint(given)]
        for first in range(0, len(lacking), _AT_ONCE):
            known |= await self._composer.read_by_id(lacking[first : first + _AT_ONCE])
        self._whole = known
        hidden = {each for each in lacking if each not in known}
        unseen = {name_of(each.record, self._operation.named_by) for each in namesakes if each.id in hidden}
        return [known.get(each.id, each) for each in namesakes if each.id not in hidden], unseen


def _maker(recent: Sequence[Current], taken: _Accounts, run: str) -> str:
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
