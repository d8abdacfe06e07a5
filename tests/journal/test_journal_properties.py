"""A run is led through random moves, crashes and takeovers, while a plain model of it is kept beside the journal."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from journal_samples import RUN, SHA, ingested, new_row, succeed

from bulkzcrm.journal import (
    BatchState,
    IllegalMoveError,
    Intent,
    Journal,
    LostLeaseError,
    Progress,
    RowOutcome,
    RowSettlement,
    RunState,
)
from bulkzcrm.journal.states import UNFINISHED

ENDS_WHEN_SENDING = (Progress.SUCCEEDED, Progress.REJECTED, Progress.PENDING)
ENDS_WHEN_IN_DOUBT = (*ENDS_WHEN_SENDING, Progress.UNKNOWN)


class RunMachine(RuleBasedStateMachine):
    """The model: each row's status, attempts and batch, and each batch's state."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.journal = Journal.open(Path(self._folder.name))
        self.epoch = 0
        self.rows: dict[int, Progress] = {}
        self.attempts: Counter[int] = Counter()
        self.batch_of: dict[int, int] = {}
        self.batches: dict[int, BatchState] = {}

    def teardown(self) -> None:
        self.journal.close()
        self._folder.cleanup()

    @initialize(count=st.integers(1, 12))
    def begin(self, count: int) -> None:
        ingested(self.journal, [new_row(ordinal) for ordinal in range(1, count + 1)])
        self.journal.set_state(RUN, 0, RunState.SENDING)
        self.rows = dict.fromkeys(range(1, count + 1), Progress.PENDING)

    def ordinals(self, number: int, *statuses: Progress) -> list[int]:
        return [
            place for place, status in self.rows.items() if self.batch_of.get(place) == number and status in statuses
        ]

    def some_batch(self, data: st.DataObject, *states: BatchState) -> int | None:
        fitting = [number for number, state in self.batches.items() if state in states]
        return data.draw(st.sampled_from(fitting)) if fitting else None

    def dissolve(self) -> None:
        for number, state in self.batches.items():
            waits = state in {BatchState.PLANNED, BatchState.NOT_APPLIED}
            if waits and not self.ordinals(number, Progress.PENDING):
                self.batches[number] = BatchState.DISSOLVED

    @rule(data=st.data())
    def plan(self, data: st.DataObject) -> None:
        pending = [place for place, status in self.rows.items() if status is Progress.PENDING]
        if not pending:
            return
        chosen = data.draw(st.lists(st.sampled_from(pending), min_size=1, unique=True))
        number = self.journal.plan_batch(RUN, self.epoch, chosen)
        assert number == len(self.batches) + 1
        self.batches[number] = BatchState.PLANNED
        self.batch_of |= dict.fromkeys(chosen, number)
        self.dissolve()

    @rule(data=st.data())
    def send(self, data: st.DataObject) -> None:
        number = self.some_batch(data, BatchState.PLANNED, BatchState.NOT_APPLIED)
        if number is None:
            return
        carried = self.ordinals(number, Progress.PENDING)
        self.journal.mark_sending(RUN, self.epoch, number, ordinals=carried, body_sha256=SHA, sent_ms=1)
        self.batches[number] = BatchState.SENDING
        self.rows |= dict.fromkeys(carried, Progress.SENDING)
        self.attempts.update(carried)

    @rule(data=st.data())
    def send_at_once(self, data: st.DataObject) -> None:
        pending = [place for place, status in self.rows.items() if status is Progress.PENDING]
        if not pending:
            return
        chosen = data.draw(st.lists(st.sampled_from(pending), min_size=1, unique=True))
        number = self.journal.last_batch(RUN) + 1
        assert number == len(self.batches) + 1
        self.journal.send_batch(RUN, self.epoch, Intent(number=number, ordinals=chosen, body_sha256=SHA, sent_ms=1))
        self.batches[number] = BatchState.SENDING
        self.batch_of |= dict.fromkeys(chosen, number)
        self.rows |= dict.fromkeys(chosen, Progress.SENDING)
        self.attempts.update(chosen)
        self.dissolve()

    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        number = self.some_batch(data, BatchState.SENDING, BatchState.IN_DOUBT)
        if number is None:
            return
        in_doubt = self.batches[number] is BatchState.IN_DOUBT
        ends = st.sampled_from(ENDS_WHEN_IN_DOUBT if in_doubt else ENDS_WHEN_SENDING)
        ended = {place: data.draw(ends) for place in self.ordinals(number, Progress.SENDING, Progress.IN_DOUBT)}
        outcomes = [RowOutcome(ordinal=place, status=status) for place, status in ended.items()]
        self.journal.mark_answered(RUN, self.epoch, number, outcomes, answered_ms=2)
        self.batches[number] = BatchState.ANSWERED
        self.rows |= ended

    @rule(data=st.data())
    def learn_that_it_was_not_applied(self, data: st.DataObject) -> None:
        number = self.some_batch(data, BatchState.SENDING)
        if number is None:
            return
        self.journal.mark_not_applied(RUN, self.epoch, number, answered_ms=2, http_status=429)
        self.batches[number] = BatchState.NOT_APPLIED
        self.rows |= dict.fromkeys(self.ordinals(number, Progress.SENDING), Progress.PENDING)

    @rule(data=st.data())
    def lose_the_answer(self, data: st.DataObject) -> None:
        number = self.some_batch(data, BatchState.SENDING)
        if number is None:
            return
        carried = self.ordinals(number, Progress.SENDING)
        known = data.draw(st.lists(st.sampled_from(carried), max_size=len(carried) - 1, unique=True))
        self.journal.mark_in_doubt(RUN, self.epoch, number, succeed(known))
        self.batches[number] = BatchState.IN_DOUBT
        self.rows |= dict.fromkeys(carried, Progress.IN_DOUBT) | dict.fromkeys(known, Progress.SUCCEEDED)

    @rule(data=st.data())
    def find_that_it_is_absent(self, data: st.DataObject) -> None:
        number = self.some_batch(data, BatchState.IN_DOUBT)
        if number is None:
            return
        self.journal.plan_again(RUN, self.epoch, number)
        self.batches[number] = BatchState.PLANNED
        self.rows |= dict.fromkeys(self.ordinals(number, Progress.IN_DOUBT), Progress.PENDING)

    def close_settled(self) -> None:
        for number, state in self.batches.items():
            if state is BatchState.IN_DOUBT and not self.ordinals(number, Progress.IN_DOUBT):
                self.batches[number] = BatchState.ANSWERED

    @rule(data=st.data())
    def find_out_about_some(self, data: st.DataObject) -> None:
        number = self.some_batch(data, BatchState.IN_DOUBT)
        if number is None:
            return
        doubtful = self.ordinals(number, Progress.IN_DOUBT)
        found = data.draw(st.lists(st.sampled_from(doubtful), min_size=1, unique=True))
        ended = {place: data.draw(st.sampled_from(ENDS_WHEN_IN_DOUBT)) for place in found}
        outcomes = [RowOutcome(ordinal=place, status=status) for place, status in ended.items()]
        self.journal.settle_doubts(RUN, self.epoch, number, outcomes, answered_ms=2)
        self.rows |= ended
        self.close_settled()

    @rule(data=st.data())
    def plan_what_is_in_doubt(self, data: st.DataObject) -> None:
        doubtful = [place for place, status in self.rows.items() if status is Progress.IN_DOUBT]
        waiting = [place for place, status in self.rows.items() if status is Progress.PENDING]
        if not doubtful:
            return
        in_doubt = data.draw(st.lists(st.sampled_from(doubtful), min_size=1, unique=True))
        beside = data.draw(st.lists(st.sampled_from(waiting), unique=True)) if waiting else []
        number = self.journal.plan_batch(RUN, self.epoch, [*in_doubt, *beside], in_doubt=in_doubt)
        self.batches[number] = BatchState.IN_DOUBT
        self.batch_of |= dict.fromkeys([*in_doubt, *beside], number)
        self.dissolve()
        self.close_settled()

    @rule(data=st.data(), status=st.sampled_from([Progress.INVALID, Progress.UNCHANGED, Progress.PENDING]))
    def settle(self, data: st.DataObject, status: Progress) -> None:
        pending = [place for place, now in self.rows.items() if now is Progress.PENDING]
        if not pending:
            return
        place = data.draw(st.sampled_from(pending))
        self.journal.settle_rows(RUN, self.epoch, [RowSettlement(ordinal=place, status=status)])
        self.rows[place] = status
        self.dissolve()

    @rule(place=st.integers(1, 12), status=st.sampled_from(Progress))
    def settle_what_was_sent(self, place: int, status: Progress) -> None:
        if self.rows.get(place) in {None, Progress.PENDING, Progress.INVALID}:
            return
        if (self.rows[place], status) == (Progress.UNCHANGED, Progress.INVALID):
            return  # a row that repeats another is found out last
        with pytest.raises(IllegalMoveError):
            self.journal.settle_rows(RUN, self.epoch, [RowSettlement(ordinal=place, status=status)])

    @rule(data=st.data())
    def send_what_may_not_be_sent(self, data: st.DataObject) -> None:
        others = set(BatchState) - {BatchState.PLANNED, BatchState.NOT_APPLIED}
        number = self.some_batch(data, *sorted(others))
        if number is None:
            return
        with pytest.raises(IllegalMoveError):
            self.journal.mark_sending(
                RUN, self.epoch, number, ordinals=self.ordinals(number, *Progress), body_sha256=SHA, sent_ms=1
            )

    @rule()
    def die_and_let_another_process_take_over(self) -> None:
        self.journal.close()
        self.journal = Journal.open(Path(self._folder.name))
        claimed = self.journal.claim(RUN, f"process {self.epoch + 1}", self.epoch * 10, 5)
        assert claimed == self.epoch + 1
        with pytest.raises(LostLeaseError):
            self.journal.recover(RUN, self.epoch)
        self.epoch = claimed
        doubtful = self.journal.recover(RUN, self.epoch)
        for number, state in self.batches.items():
            if state is BatchState.SENDING:
                self.batches[number] = BatchState.IN_DOUBT
        self.rows = {
            place: Progress.IN_DOUBT if status is Progress.SENDING else status for place, status in self.rows.items()
        }
        assert [batch.number for batch in doubtful] == [
            number for number, state in self.batches.items() if state is BatchState.IN_DOUBT
        ]

    @precondition(lambda self: UNFINISHED & set(self.rows.values()))
    @rule()
    def finish_too_early(self) -> None:
        with pytest.raises(IllegalMoveError):
            self.journal.set_state(RUN, self.epoch, RunState.FINISHED)

    @invariant()
    def the_journal_says_what_the_model_says(self) -> None:
        if not self.rows:
            return
        read = self.journal.rows(RUN)
        assert {row.ordinal: row.status for row in read} == self.rows
        assert {row.ordinal: row.attempts for row in read} == {place: self.attempts[place] for place in self.rows}
        assert {row.ordinal: row.batch for row in read} == {place: self.batch_of.get(place) for place in self.rows}
        assert {batch.number: batch.state for batch in self.journal.batches(RUN)} == self.batches

    @invariant()
    def counts_add_up(self) -> None:
        if self.rows:
            counts = self.journal.count_by_status(RUN)
            assert sum(counts.values()) == len(self.rows)
            assert +Counter(counts) == Counter(self.rows.values())

    @invariant()
    def a_row_is_under_way_only_in_a_batch_that_is(self) -> None:
        for place, status in self.rows.items():
            if status in {Progress.SENDING, Progress.IN_DOUBT}:
                assert str(self.batches[self.batch_of[place]]) == str(status)


TestRunMachine = RunMachine.TestCase
TestRunMachine.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
