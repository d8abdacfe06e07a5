"""One batch on its way: sent, answered, tried again, split, or left in doubt, and every step durable before the next.

What may be sent again is decided here and nowhere else: what was certainly not applied, and every operation that is
safe to repeat, after its records have been read again. A create whose answer was lost is left in doubt, and so is what
repeating does not help: whoever sends the run reads it back before any of its rows goes again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import assert_never, final

import msgspec

from bulkzcrm.answers import (
    Doubt,
    Judged,
    NotApplied,
    Reading,
    RefreshToken,
    Rejected,
    Sent,
    Split,
    StopRun,
    Succeeded,
    TryAgain,
    Uncertain,
    read_answer,
    without_answer,
)
from bulkzcrm.client import Client
from bulkzcrm.events import BatchAnswered, Listener
from bulkzcrm.journal import Progress, RowOutcome
from bulkzcrm.model import Problem
from bulkzcrm.retry import Cause
from bulkzcrm.send.ledger import Ledger
from bulkzcrm.send.patience import Patience
from bulkzcrm.send.sendable import Budget, Sendable
from bulkzcrm.send.upserts import Upserts
from bulkzcrm.spec.limits import write_cost
from bulkzcrm.spec.moments import at_moment
from bulkzcrm.spec.operation import Operation
from bulkzcrm.transport import Answer, LostError, NotSentError

__all__ = ["Sender"]

_ENCODER = msgspec.json.Encoder(decimal_format="number")

_REPEATED_IN_DOUBT = 3
"""So many attempts of one batch end in doubt and bring nothing, and others get their turn before it."""

Recheck = Callable[[Sequence[Sendable]], Awaitable[frozenset[int]]]
"""Reads records again and returns the rows (ordinals) that already are as they should be."""

LookUp = Callable[[Sequence[Sendable]], Awaitable[Mapping[int, str]]]
"""Looks records up by their unique field, and returns the ids of those that are there, by their rows (ordinals)."""


@dataclass(frozen=True, slots=True)
class _Part:
    """Rows to be delivered in a batch of their own, as a part of the batch `parent`."""

    rows: Sequence[Sendable]
    patience: Patience
    parent: int | None = None


@final
class Sender:
    """Delivers the batches of one run; several may be under way at once.

    `go_on` is asked before each request and raises when no further one may leave. `locate` names the cell of a problem
    of the row of that number.
    """

    def __init__(
        self,
        operation: Operation,
        client: Client,
        ledger: Ledger,
        *,
        budget: Budget,
        announce: Listener,
        recheck: Recheck,
        look_up: LookUp,
        go_on: Callable[[], None],
        locate: Callable[[Problem, int], Problem],
        zone: tzinfo | None = None,
        triggers: bool = True,
    ) -> None:
        self._operation = operation
        self._client = client
        self._ledger = ledger
        self._budget = budget
        self._announce = announce
        self._recheck = recheck
        self._look_up = look_up
        self._go_on = go_on
        self._locate = locate
        self._zone = zone
        self._triggers = triggers
        self._upserts = Upserts(operation.key, announce)
        self.answered = 0
        """Batches of which something has become known: a trustworthy answer for a row, or a record that was found."""
        self.doubts = 0
        """Batches left in doubt, in a row."""
        self.open_doubts = 0
        """Batches left in doubt and not read back yet."""
        self.doubt_left: float | None = None
        """When the last request left that was left in doubt, in seconds that never go back (`Client.monotonic`)."""
        self._departures: dict[int, float] = {}

    async def deliver(self, batch: Sequence[Sendable]) -> None:
        """Deliver a batch and all the parts that it has to be split into.

        Raises:
            StoppedError: no further batch will fare better now; rows that were not applied are pending again.
            LostLeaseError: another process has taken the run over.
        """
        waiting = [_Part(batch, Patience(self._client))]
        while waiting:
            part = waiting.pop(0)
            number = await self._ledger.plan([each.ordinal for each in part.rows], part.parent)
            try:
                waiting[:0] = await self._deliver_part(part.rows, number, part.patience)
            finally:
                self._departures.pop(number, None)

    async def _deliver_part(self, part: Sequence[Sendable], number: int, patience: Patience) -> list[_Part]:
        """Deliver one batch until it is answered; return the parts that are left to deliver."""
        while True:
            answer, reading = await self._attempt(part, number)
            status = answer.status if answer else None
            match reading:
                case Judged():
                    rest = await self._judged(part, number, reading, status, patience)
                    return [_Part(rest, patience, number)] if rest else []
                case StopRun():
                    await self._ledger.not_applied(number, status)
                    raise reading.error()
                case Split() if len(part) == 1:
                    await self._judged(part, number, _alone(reading), status, patience)
                    return []
                case Split():
                    self._trust()
                    await self._ledger.not_applied(number, status)
                    return [_Part(piece, Patience(self._client), number) for piece in _parts(part, reading)]
                case RefreshToken():
                    await self._ledger.not_applied(number, status)
                    if answer is not None:
                        await self._client.refresh(answer, patience.renewals)
                        patience.renewals += 1
                case TryAgain(certain_not_applied=True):
                    await self._ledger.not_applied(number, status)
                    cause = Cause.THROTTLED if reading.throttled else Cause.NOT_SENT if answer is None else Cause.SERVER
                    await patience.wait(cause, reading.reason, reading.retry_after)
                case TryAgain() | Doubt():
                    self._upserts.lost(part)
                    if await self._left_in_doubt(number, (), status, patience):
                        return []
                    await patience.wait(Cause.LOST if answer is None else Cause.SERVER, reading.reason)
                    rest = await self._settle_by_reading(part, number)
                    if not rest:
                        return []
                    if len(rest) < len(part):
                        patience.doubts = 0
                        return [_Part(rest, patience, number)]
                    await self._ledger.plan_again(number)
                case _:
                    assert_never(reading)

    async def _attempt(self, part: Sequence[Sendable], number: int) -> tuple[Answer | None, Reading]:
        """Make one request of the batch, and say what it proves."""
        # The intent is written when there is room for the request and not before: what still stands in the queue when
        # the process dies has certainly not left.
        async with self._client.turn(write_cost(len(part))):
            # A token may take minutes; between the intent and the departure nothing may take long.
            token = await self._client.ready()
            self._go_on()
            moment = self._client.now()
            records = [at_moment(self._operation.fields, each.record, moment, self._zone) for each in part]
            request = self._operation.request(records, triggers=self._triggers)
            body = _ENCODER.encode(request.body) if request.body is not None else None
            digest = hashlib.sha256(body or request.path.encode()).hexdigest()
            await self._ledger.sending(number, [each.ordinal for each in part], digest, moment)
            try:
                answer = await self._client.exchange(
                    request.method,
                    request.path,
                    body=body,
                    cost=write_cost(len(part)),
                    token=token,
                    may_leave=lambda: self._leave(number),
                )
            except (NotSentError, LostError) as error:
                return None, without_answer(error.observed, error.reason)
        sent = Sent(
            records=records,
            ids=[each.record_id or None for each in part],
            wrapper=self._operation.wrapper,
            creates=self._operation.creates,
            safe_to_repeat=self._operation.safe_to_repeat,
            fields=tuple(each.name for each in self._operation.fields),
            scopes=self._operation.scopes_needed,
        )
        reading = read_answer(sent, answer.status, answer.body)
        self._tell(part, number, answer, reading)
        return answer, reading

    def _leave(self, number: int) -> None:
        self._ledger.may_leave()
        self._departures[number] = self._client.monotonic()

    async def _judged(
        self, part: Sequence[Sendable], number: int, judged: Judged, status: int | None, patience: Patience
    ) -> list[Sendable]:
        """Write the verdicts; return the rows that have to go again, once it is their time to."""
        outcomes = []
        doubtful: list[Sendable] = []
        again: list[Sendable] = []
        reason = ""
        there = await self._written_before(part, judged)
        for each, verdict in zip(part, judged.verdicts, strict=True):
            match verdict:
                case Rejected() if each.ordinal in there:
                    outcomes.append(
                        RowOutcome(ordinal=each.ordinal, status=Progress.SUCCEEDED, record_id=there[each.ordinal])
                    )
                case Rejected() if self._upserts.met_itself(each, verdict):
                    doubtful.append(each)
                    reason = verdict.problems[0].message
                case Succeeded() | Rejected():
                    outcomes.append(self._outcome(each, verdict))
                case NotApplied():
                    outcomes.append(RowOutcome(ordinal=each.ordinal, status=Progress.PENDING))
                    again.append(each)
                    reason = verdict.reason
                case Uncertain():
                    doubtful.append(each)
                    reason = verdict.reason
                case _:
                    assert_never(verdict)
        rejected = sum(outcome.status is Progress.REJECTED for outcome in outcomes)
        self._upserts.lost(doubtful)
        is_left = False
        if doubtful:
            is_left = await self._left_in_doubt(number, outcomes, status, patience)
        else:
            await self._ledger.answered(number, outcomes, status)
            self._trust()
        succeeded = zip(part, judged.verdicts, strict=True)
        self._upserts.tell_of_changed((each, verdict) for each, verdict in succeeded if isinstance(verdict, Succeeded))
        self._budget.spend(rejected)
        readable = [] if is_left else doubtful
        if again or readable:
            await patience.wait(Cause.SERVER if readable else Cause.THROTTLED, reason)
        if readable:
            again += await self._settle_by_reading(readable, number, goes_on=True)
        return sorted(again, key=lambda each: each.ordinal)

    async def _written_before(self, part: Sequence[Sendable], judged: Judged) -> Mapping[int, str]:
        """Look up those rows that are refused now and were in doubt before: what is there was written, then."""
        refused = [
            each
            for each, verdict in zip(part, judged.verdicts, strict=True)
            if isinstance(verdict, Rejected)
            and self._upserts.may_be_there(each)
            and not self._upserts.met_itself(each, verdict)
        ]
        return await self._look_up(refused) if refused else {}

    def _outcome(self, each: Sendable, verdict: Succeeded | Rejected) -> RowOutcome:
        if isinstance(verdict, Succeeded):
            record_id = verdict.record_id or each.record_id
            return RowOutcome(ordinal=each.ordinal, status=Progress.SUCCEEDED, record_id=record_id)
        problems = tuple(self._locate(problem, each.number) for problem in verdict.problems)
        return RowOutcome(ordinal=each.ordinal, status=Progress.REJECTED, problems=problems, record_id=each.record_id)

    async def _left_in_doubt(
        self, number: int, known: Sequence[RowOutcome], status: int | None, patience: Patience
    ) -> bool:
        """Write that rows are in doubt, and tell whether they are left so.

        That is: whether repeating them is not safe, or has brought nothing. Settings go one at a time and in their
        order, so that none of them gives way to another.
        """
        await self._ledger.in_doubt(number, known, status)
        self.answered += any(outcome.status is not Progress.PENDING for outcome in known)
        patience.doubts += 1
        if self._operation.safe_to_repeat and (self._operation.one_at_a_time or patience.doubts < _REPEATED_IN_DOUBT):
            return False
        left = self._departures.get(number, self._client.monotonic())
        self.doubt_left = max(left, self.doubt_left or left)
        self.doubts += 1
        self.open_doubts += 1
        return True

    def _trust(self) -> None:
        self.answered += 1
        self.doubts = 0

    async def _settle_by_reading(
        self, doubtful: Sequence[Sendable], number: int, *, goes_on: bool = False
    ) -> list[Sendable]:
        """Read the records of rows in doubt; return the rows that are not yet as they should be.

        Where none of them is, the batch is left as it stands, unless it `goes_on` in another one.
        """
        agreeing = await self._recheck(doubtful)
        self.answered += bool(agreeing)
        rest = [each for each in doubtful if each.ordinal not in agreeing]
        if agreeing or goes_on:
            outcomes = [
                RowOutcome(ordinal=each.ordinal, status=Progress.SUCCEEDED, record_id=each.record_id)
                if each.ordinal in agreeing
                else RowOutcome(ordinal=each.ordinal, status=Progress.PENDING)
                for each in doubtful
            ]
            await self._ledger.answered(number, outcomes)
        return rest

    def _tell(self, part: Sequence[Sendable], number: int, answer: Answer, reading: Reading) -> None:
        verdicts = reading.verdicts if isinstance(reading, Judged) else ()
        unproven = isinstance(reading, Doubt) or (isinstance(reading, TryAgain) and not reading.certain_not_applied)
        self._announce(
            BatchAnswered(
                batch=number,
                rows=len(part),
                succeeded=sum(isinstance(verdict, Succeeded) for verdict in verdicts),
                rejected=sum(isinstance(verdict, Rejected) for verdict in verdicts),
                unknown=len(part) if unproven else sum(isinstance(verdict, Uncertain) for verdict in verdicts),
                status=answer.status,
                seconds=answer.elapsed,
                in_flight=self._client.limiter.in_flight,
                limit=self._client.limiter.limit,
            )
        )


def _parts(part: Sequence[Sendable], split: Split) -> list[Sequence[Sendable]]:
    """Return the parts of a refused batch: the named records alone, then the others; nobody named, then halves."""
    if split.guilty and len(part) > 1:
        named = [[part[place]] for place in sorted(split.guilty)]
        rest = [each for place, each in enumerate(part) if place not in split.guilty]
        return [*named, *([rest] if rest else [])]
    half = len(part) // 2
    return [part[:half], part[half:]]


def _alone(split: Split) -> Judged:
    """Return the verdict on a record that was refused although it stood alone."""
    problems = next(iter(split.guilty.values()), ())
    return Judged((Rejected(problems) if problems else Uncertain(split.reason),))
