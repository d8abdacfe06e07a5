"""One batch on its way: sent, answered, tried again, split, or left in doubt, and every step durable before the next.

What may be sent again is decided here and nowhere else: what was certainly not applied, and every operation that is
safe to repeat, after its records have been read again. A create whose answer was lost is left in doubt, and so is what
repeating does not help: whoever sends the run reads it back before any of its rows goes again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import tzinfo
from typing import assert_never, final

from bulkzcrm.answers import (
    Doubt,
    Judged,
    Reading,
    RefreshToken,
    Sent,
    Split,
    StopRun,
    TryAgain,
    Written,
    read_answer,
    without_answer,
)
from bulkzcrm.client import Client
from bulkzcrm.errors import StoppedError
from bulkzcrm.events import Listener
from bulkzcrm.journal import Progress, RowOutcome
from bulkzcrm.model import Problem
from bulkzcrm.retry import Cause
from bulkzcrm.send.drafts import Draft, Drafting, Request
from bulkzcrm.send.ledger import Ledger
from bulkzcrm.send.patience import Patience
from bulkzcrm.send.precedence import Precedence
from bulkzcrm.send.refusals import Refusals
from bulkzcrm.send.repeats import Repeats
from bulkzcrm.send.sendable import Budget, LookUp, Recheck, Sendable
from bulkzcrm.send.splitting import Part, alone, pieces
from bulkzcrm.send.telling import told_of
from bulkzcrm.send.verdicts import sort_out
from bulkzcrm.spec.limits import write_cost
from bulkzcrm.spec.operation import Operation
from bulkzcrm.transport import Answer, LostError, NotSentError

__all__ = ["Sender"]

_REPEATED_IN_DOUBT = 3
"""So many attempts of one batch end in doubt and bring nothing, and others get their turn before it."""


@final
class Sender:
    """Delivers the batches of one run; several may be under way at once.

    `go_on` is asked before each request and raises when no further one may leave; `may_begin` before the first request
    of a batch, which is not begun where it says no. `locate` names the cell of a problem of the row of that number.
    For `quiet_s` seconds a lost request may still be carried out.
    """

    def __init__(
        self,
        operation: Operation,
        client: Client,
        ledger: Ledger,
        precedence: Precedence,
        *,
        budget: Budget,
        announce: Listener,
        recheck: Recheck,
        look_up: LookUp,
        go_on: Callable[[], None],
        may_begin: Callable[[], bool],
        locate: Callable[[Problem, int], Problem],
        quiet_s: float,
        zone: tzinfo | None = None,
        triggers: bool = True,
    ) -> None:
        self._operation = operation
        self._client = client
        self._ledger = ledger
        self._precedence = precedence
        self._budget = budget
        self._announce = announce
        self._recheck = recheck
        self._go_on = go_on
        self._may_begin = may_begin
        self._locate = locate
        self._drafting = Drafting(operation, zone=zone, triggers=triggers)
        self._fields = tuple(each.name for each in operation.fields)
        self._repeats = Repeats(operation, announce)
        self._refusals = Refusals(
            client,
            ledger,
            self._repeats,
            is_new=operation.creates,
            budget=budget,
            recheck=recheck,
            look_up=look_up,
            go_on=go_on,
            quiet_s=quiet_s,
        )
        self.answered = 0
        """Batches of which something has become known: a trustworthy answer for a row, or a record that was found."""
        self.doubts = 0
        """Batches left in doubt, in a row."""
        self.open_doubts = 0
        """Batches left in doubt and not read back yet."""
        self.doubt_left: float | None = None
        """When the last request left that was left in doubt, in seconds that never go back (`Client.monotonic`)."""
        self._departures: dict[int, float] = {}
        self._is_over = False

    def draft(self, batch: Sequence[Sendable]) -> Draft:
        """Write the request of a batch ahead of its turn, as far as that goes."""
        return self._drafting.draft(batch)

    async def deliver(self, batch: Draft) -> None:
        """Deliver a batch and all the parts that it has to be split into.

        Raises:
            StoppedError: no further batch will fare better now; rows that were not applied are pending again.
            LostLeaseError: another process has taken the run over.
        """
        waiting = [Part(batch, Patience(self._client))]
        while waiting:
            part = waiting.pop(0)
            try:
                waiting[:0] = await self._deliver_part(part)
            finally:
                self._departures.pop(part.number, None)

    async def _deliver_part(self, whole: Part) -> list[Part]:
        """Deliver one batch until it is answered; return the parts that are left to deliver."""
        part, patience = whole.rows, whole.patience
        while True:
            made = await self._attempt(whole)
            if made is None:
                return []
            answer, reading = made
            number = whole.number
            status = answer.status if answer else None
            match reading:
                case Written():
                    await self._all_written(part, number, reading, status)
                    return []
                case Judged():
                    rest = await self._judged(part, number, reading, status, patience)
                    return [Part(self.draft(rest), patience, number)] if rest else []
                case StopRun():
                    self._is_over = True
                    await self._not_applied(part, number, status)
                    raise reading.error()
                case Split() if len(part) == 1:
                    await self._judged(part, number, alone(reading), status, patience)
                    return []
                case Split():
                    self._trust()
                    await self._not_applied(part, number, status)
                    return [Part(self.draft(piece), Patience(self._client), number) for piece in pieces(part, reading)]
                case RefreshToken():
                    await self._not_applied(part, number, status)
                    if answer is not None:
                        await self._client.refresh(answer, patience.renewals)
                        patience.renewals += 1
                case TryAgain(certain_not_applied=True):
                    await self._not_applied(part, number, status)
                    cause = Cause.THROTTLED if reading.throttled else Cause.NOT_SENT if answer is None else Cause.SERVER
                    await patience.wait(cause, reading.reason, reading.retry_after)
                case TryAgain() | Doubt():
                    self._repeats.lost(part, self._client.monotonic())
                    if await self._left_in_doubt(number, (), status, patience):
                        return []
                    await patience.wait(Cause.LOST if answer is None else Cause.SERVER, reading.reason)
                    rest = await self._settle_by_reading(part, number)
                    if not rest:
                        return []
                    if len(rest) < len(part):
                        patience.doubts = 0
                        return [Part(self.draft(rest), patience, number)]
                case _:
                    assert_never(reading)

    async def _attempt(self, whole: Part) -> tuple[Answer | None, Reading] | None:
        """Make one request of the batch, and say what it proves; nothing where the batch is not to be begun."""
        with self._precedence.in_line() as stood:
            # The intent is written when there is room for the request and not before: what still stands in the queue
            # when the process dies has certainly not left.
            async with self._client.turn(write_cost(len(whole.rows))):
                with self._precedence.ahead() as has_left:
                    try:
                        made = await self._exchange(whole, stood, has_left)
                    except (NotSentError, LostError) as error:
                        return None, without_answer(error.observed, error.reason)
        if made is None:
            return None
        # Nobody else gets on before what the answer says is handed to the journal, so that no more batches are between
        # intent and outcome there than may be in flight; unless what refused rows have written before is looked up.
        request, answer = made
        self._precedence.answered(self._client.monotonic() - self._departures[whole.number])
        sent = Sent(
            records=request.records,
            ids=[each.record_id or None for each in whole.rows],
            wrapper=self._operation.wrapper,
            creates=self._operation.creates,
            safe_to_repeat=self._operation.safe_to_repeat,
            fields=self._fields,
            scopes=self._operation.scopes_needed,
        )
        reading = read_answer(sent, answer.status, answer.body)
        rows = len(whole.rows)
        self._announce(told_of(whole.number, rows, answer, reading, self._client.limiter, self._client.credits))
        return answer, reading

    async def _exchange(
        self, whole: Part, stood: Callable[[], None], has_left: Callable[[], None]
    ) -> tuple[Request, Answer] | None:
        """Write the intent and make the request, whose turn it is; nothing where the batch is not to be begun."""
        part = whole.rows
        # A token may take minutes; between the intent and the departure nothing may take long.
        token = await self._client.ready()
        self._go_on()
        ordinals = [each.ordinal for each in part]
        if not whole.number:
            if whole.parent is None and (self._is_over or not self._may_begin()):
                return None
            in_doubt = [each.ordinal for each in part if self._repeats.is_in_doubt(each)]
            whole.number = await self._ledger.plan(whole.parent, in_doubt)
        number = whole.number
        moment = self._client.now()
        request = self._drafting.written(whole.draft, moment)
        stood()
        await self._ledger.sending(number, ordinals, request.digest, moment)
        answer = await self._client.exchange(
            request.method,
            request.path,
            body=request.body,
            cost=write_cost(len(part)),
            token=token,
            may_leave=lambda: self._leave(number, has_left),
        )
        return request, answer

    async def _not_applied(self, part: Sequence[Sendable], number: int, status: int | None) -> None:
        """Write that a request changed nothing; rows in doubt are so still, since an earlier one may yet arrive."""
        pending = [
            RowOutcome(ordinal=each.ordinal, status=Progress.PENDING)
            for each in part
            if not self._repeats.is_in_doubt(each)
        ]
        if len(pending) == len(part):
            await self._ledger.not_applied(number, status)
        else:
            await self._ledger.in_doubt(number, pending, status)

    def _leave(self, number: int, has_left: Callable[[], None]) -> None:
        self._ledger.may_leave()
        self._departures[number] = self._client.monotonic()
        has_left()

    async def _all_written(self, part: Sequence[Sendable], number: int, written: Written, status: int | None) -> None:
        """Write that every row has succeeded."""
        outcomes = [
            RowOutcome(ordinal=each.ordinal, status=Progress.SUCCEEDED, record_id=record_id or each.record_id)
            for each, record_id in zip(part, written.ids, strict=True)
        ]
        await self._ledger.answered(number, outcomes, status, patient=self._precedence.is_wanted)
        self._trust()

    async def _judged(
        self, part: Sequence[Sendable], number: int, judged: Judged, status: int | None, patience: Patience
    ) -> list[Sendable]:
        """Write the verdicts; return the rows that have to go again, once it is their time to."""
        pairs = list(zip(part, judged.verdicts, strict=True))
        there = await self._refusals.written_before(pairs)
        found = sort_out(pairs, there, self._repeats, self._locate)
        self._repeats.lost(found.doubtful, self._client.monotonic())
        too_many = self._too_many(found.rejected)
        is_left = False
        if found.doubtful:
            is_left = await self._left_in_doubt(number, found.outcomes, status, patience)
        elif found.refused:
            await self._ledger.in_doubt(number, found.outcomes, status)
            self._trust()
        else:
            await self._ledger.answered(number, found.outcomes, status, patient=self._precedence.is_wanted)
            self._trust()
        self._repeats.tell_of_changed(pairs)
        if too_many is not None:
            raise too_many
        if found.refused and not is_left:
            with patience.aside():
                self.open_doubts += not await self._refusals.settle(found.refused, number)
        readable = [] if is_left else found.doubtful
        again = found.again
        if again or readable:
            await patience.wait(Cause.SERVER if readable else Cause.THROTTLED, found.reason)
        if readable:
            again = [*again, *await self._settle_by_reading(readable, number)]
        return sorted(again, key=lambda each: each.ordinal)

    def _too_many(self, rejected: int) -> StoppedError | None:
        """Return what stops the run, if more rows have gone wrong than may, and begin no other batch meanwhile."""
        try:
            self._budget.spend(rejected)
        except StoppedError as error:
            self._is_over = True
            return error
        return None

    async def _left_in_doubt(
        self, number: int, known: Sequence[RowOutcome], status: int | None, patience: Patience
    ) -> bool:
        """Write that rows are in doubt, and tell whether they are left so.

        That is: whether repeating them is not safe, or has brought nothing. Settings go one at a time and in their
        order, so that none of them gives way to another.
        """
        self.answered += any(outcome.status is not Progress.PENDING for outcome in known)
        patience.doubts += 1
        is_left = not self._operation.safe_to_repeat or (
            patience.doubts >= _REPEATED_IN_DOUBT and not self._operation.one_at_a_time
        )
        if is_left:
            # Counted before it is written: the place in flight is free by now, and who stands ready asks at once.
            left = self._departures.get(number, self._client.monotonic())
            self.doubt_left = max(left, self.doubt_left or left)
            self.doubts += 1
            self.open_doubts += 1
        await self._ledger.in_doubt(number, known, status)
        return is_left

    def _trust(self) -> None:
        self.answered += 1
        self.doubts = 0

    async def _settle_by_reading(self, doubtful: Sequence[Sendable], number: int) -> list[Sendable]:
        """Read the records of rows in doubt; return the rows that are not yet as they should be, and stay in doubt."""
        agreeing = await self._recheck(doubtful)
        self.answered += bool(agreeing)
        if agreeing:
            outcomes = [
                RowOutcome(ordinal=each.ordinal, status=Progress.SUCCEEDED, record_id=each.record_id)
                for each in doubtful
                if each.ordinal in agreeing
            ]
            await self._ledger.settle_doubts(number, outcomes)
        return [each for each in doubtful if each.ordinal not in agreeing]
