"""One batch on its way: sent, answered, tried again, split, or left in doubt, and every step durable before the next.

What may be sent again is decided here and nowhere else: what was certainly not applied, and every operation that is
safe to repeat, after its records have been read again. A create whose answer was lost is never sent again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
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
)
from bulkzcrm.client import Client
from bulkzcrm.errors import BulkzcrmError, CredentialsRefusedError, UnreachableError
from bulkzcrm.events import BatchAnswered, Listener
from bulkzcrm.journal import Progress, RowOutcome
from bulkzcrm.model import Problem, Record
from bulkzcrm.retry import Cause
from bulkzcrm.send.ledger import Ledger
from bulkzcrm.send.patience import Patience
from bulkzcrm.send.sendable import Budget, Sendable
from bulkzcrm.spec.facts import NOW
from bulkzcrm.spec.fields import Kind
from bulkzcrm.spec.limits import write_cost
from bulkzcrm.spec.operation import Operation
from bulkzcrm.transport import Answer, LostError, NotSentError

__all__ = ["Sender"]

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_DOUBTS_IN_A_ROW = 3
"""So many creates in a row without a trustworthy answer, and the server is taken to be in trouble."""
_A_MOMENT_AGO = timedelta(minutes=1)

Recheck = Callable[[Sequence[Sendable]], Awaitable[frozenset[int]]]
"""Reads records again and returns the rows (ordinals) that already are as they should be."""


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
        self._go_on = go_on
        self._locate = locate
        self._zone = zone or UTC
        self._triggers = triggers
        self._moments = [each.name for each in operation.fields if each.kind is Kind.DATETIME]
        self._doubts = 0

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
            waiting[:0] = await self._deliver_part(part.rows, number, part.patience)

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
                    self._doubts = 0
                    await self._ledger.not_applied(number, status)
                    return [_Part(piece, Patience(self._client), number) for piece in _parts(part, reading)]
                case RefreshToken():
                    await self._ledger.not_applied(number, status)
                    if patience.refreshed or answer is None:
                        raise CredentialsRefusedError(
                            "The server refuses a fresh access token.",
                            "Check that data centre and credentials belong together, log in again, then resume.",
                        )
                    await self._client.refresh(answer)
                    patience.refreshed = True
                case TryAgain(certain_not_applied=True):
                    await self._ledger.not_applied(number, status)
                    cause = Cause.THROTTLED if reading.throttled else Cause.NOT_SENT if answer is None else Cause.SERVER
                    await patience.wait(cause, reading.reason, reading.retry_after)
                case TryAgain() | Doubt():
                    await self._in_doubt(part, number, (), status)
                    if self._operation.creates:
                        return []
                    await patience.wait(Cause.LOST if answer is None else Cause.SERVER, reading.reason)
                    rest = await self._settle_by_reading(part, number)
                    if not rest:
                        return []
                    if len(rest) < len(part):
                        return [_Part(rest, patience, number)]
                    await self._ledger.plan_again(number)
                case _:
                    assert_never(reading)

    async def _attempt(self, part: Sequence[Sendable], number: int) -> tuple[Answer | None, Reading]:
        """Make one request of the batch, and say what it proves."""
        # The intent is written when there is room for the request and not before: what still stands in the queue when
        # the process dies has certainly not left.
        async with self._client.turn():
            self._go_on()
            records = [self._at_this_moment(each.record) for each in part]
            request = self._operation.request(records, triggers=self._triggers)
            body = _ENCODER.encode(request.body) if request.body is not None else None
            await self._ledger.sending(
                number, [each.ordinal for each in part], hashlib.sha256(body or request.path.encode()).hexdigest()
            )
            try:
                answer = await self._client.exchange(
                    request.method, request.path, body=body, cost=write_cost(len(part))
                )
            except NotSentError as error:
                return None, TryAgain(throttled=False, certain_not_applied=True, reason=str(error))
            except LostError as error:
                return None, Doubt(str(error))
            except BulkzcrmError:
                # No token could be had, so nothing has left.
                await self._ledger.not_applied(number)
                raise
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

    def _at_this_moment(self, record: Record) -> Record:
        """Put the moment of sending where the row says "now"."""
        if not any(record.get(name) == NOW for name in self._moments):
            return record
        moment = (self._client.now() - _A_MOMENT_AGO).astimezone(self._zone)
        return {
            name: _iso(moment) if name in self._moments and value == NOW else value for name, value in record.items()
        }

    async def _judged(
        self, part: Sequence[Sendable], number: int, judged: Judged, status: int | None, patience: Patience
    ) -> list[Sendable]:
        """Write the verdicts; return the rows that have to go again, once it is their time to."""
        outcomes = []
        doubtful: list[Sendable] = []
        again: list[Sendable] = []
        reason = ""
        for each, verdict in zip(part, judged.verdicts, strict=True):
            match verdict:
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
        if doubtful:
            await self._in_doubt(part, number, outcomes, status)
        else:
            self._doubts = 0
            await self._ledger.answered(number, outcomes, status)
        self._budget.spend(rejected)
        readable = [] if self._operation.creates else doubtful
        if again or readable:
            await patience.wait(Cause.SERVER if readable else Cause.THROTTLED, reason)
        if readable:
            again += await self._settle_by_reading(readable, number, goes_on=True)
        return sorted(again, key=lambda each: each.ordinal)

    def _outcome(self, each: Sendable, verdict: Succeeded | Rejected) -> RowOutcome:
        if isinstance(verdict, Succeeded):
            record_id = verdict.record_id or each.record_id
            return RowOutcome(ordinal=each.ordinal, status=Progress.SUCCEEDED, record_id=record_id)
        problems = tuple(self._locate(problem, each.number) for problem in verdict.problems)
        return RowOutcome(ordinal=each.ordinal, status=Progress.REJECTED, problems=problems, record_id=each.record_id)

    async def _in_doubt(
        self, part: Sequence[Sendable], number: int, known: Sequence[RowOutcome], status: int | None
    ) -> None:
        await self._ledger.in_doubt(number, known, status)
        if not self._operation.creates:
            return
        self._doubts += 1
        self._budget.spend(len(part) - len(known))
        if self._doubts >= _DOUBTS_IN_A_ROW:
            raise UnreachableError(
                f"{self._doubts} batches in a row were sent without a trustworthy answer.",
                "Nothing more is sent, so that no further rows become unknown; resume when the server is well again.",
            )

    async def _settle_by_reading(
        self, doubtful: Sequence[Sendable], number: int, *, goes_on: bool = False
    ) -> list[Sendable]:
        """Read the records of rows in doubt; return the rows that are not yet as they should be.

        Where none of them is, the batch is left as it stands, unless it `goes_on` in another one.
        """
        agreeing = await self._recheck(doubtful)
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


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
