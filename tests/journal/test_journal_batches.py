from __future__ import annotations

import subprocess
import sys

import pytest
from journal_samples import LATE, RUN, SHA, ingested, new_row, send, sending, statuses, succeed

from bulkzcrm.errors import UsageError
from bulkzcrm.journal import BatchState, IllegalMoveError, Journal, Progress, RowOutcome, RunState


def outcome(ordinal: int, status: Progress) -> RowOutcome:
    return RowOutcome(ordinal=ordinal, status=status)


def test_a_batch_is_planned_then_sending_then_answered(journal):
    sending(journal)
    number = journal.plan_batch(RUN, 0, [1, 2])
    planned = journal.batch(RUN, number)
    assert (planned.state, planned.size, planned.attempt, planned.sent_ms) == (BatchState.PLANNED, 2, 0, None)
    assert statuses(journal) == ["pending"] * 4
    journal.mark_sending(RUN, 0, number, ordinals=[2, 1], body_sha256=SHA, sent_ms=1_000)
    sent = journal.batch(RUN, number)
    assert (sent.state, sent.attempt, sent.body_sha256, sent.sent_ms) == (BatchState.SENDING, 1, SHA, 1_000)
    assert statuses(journal) == ["sending", "sending", "pending", "pending"]
    journal.mark_answered(RUN, 0, number, succeed([1, 2]), answered_ms=2_000, http_status=201)
    answered = journal.batch(RUN, number)
    assert (answered.state, answered.answered_ms, answered.http_status) == (BatchState.ANSWERED, 2_000, 201)
    assert [row.record_id for row in journal.batch_rows(RUN, number)] == ["5545974000000393001", "5545974000000393002"]


def test_batches_are_numbered_from_one_in_each_run(journal):
    sending(journal)
    assert [journal.plan_batch(RUN, 0, [ordinal]) for ordinal in (1, 2, 3)] == [1, 2, 3]
    sending(journal, run="another")
    assert journal.plan_batch("another", 0, [1]) == 1


def test_a_batch_that_does_not_exist_is_refused_in_words(journal):
    sending(journal)
    with pytest.raises(UsageError, match="has no batch 9"):
        journal.batch_rows(RUN, 9)


@pytest.mark.parametrize("ordinals", [[], [1, 1], [1, 99]], ids=["none", "one twice", "one that is not there"])
def test_a_batch_is_planned_only_from_rows_that_are_there_once(journal, ordinals):
    sending(journal)
    with pytest.raises(IllegalMoveError):
        journal.plan_batch(RUN, 0, ordinals)
    assert journal.batches(RUN) == []


def test_a_row_under_way_is_in_no_other_batch(journal):
    sending(journal)
    send(journal, [1, 2])
    with pytest.raises(IllegalMoveError, match="1 rows"):
        journal.plan_batch(RUN, 0, [2, 3])
    assert journal.rows(RUN)[2].batch is None


@pytest.mark.parametrize("ordinals", [[1], [1, 2, 3], [1, 3], []])
def test_a_request_carries_exactly_the_rows_of_its_batch(journal, ordinals):
    sending(journal)
    number = journal.plan_batch(RUN, 0, [1, 2])
    with pytest.raises(IllegalMoveError, match="exactly"):
        journal.mark_sending(RUN, 0, number, ordinals=ordinals, body_sha256=SHA, sent_ms=1)
    assert journal.batch(RUN, number).state is BatchState.PLANNED


def test_a_batch_is_not_sent_twice_at_once(journal):
    sending(journal)
    number = send(journal, [1])
    with pytest.raises(IllegalMoveError, match="is sending"):
        journal.mark_sending(RUN, 0, number, ordinals=[1], body_sha256=SHA, sent_ms=1)
    assert journal.rows(RUN)[0].attempts == 1


@pytest.mark.parametrize(
    "outcomes",
    [
        [],
        succeed([1]),
        succeed([1, 2, 3]),
        [*succeed([1]), *succeed([1])],
        [*succeed([1]), outcome(2, Progress.IN_DOUBT)],
        [*succeed([1]), outcome(2, Progress.UNCHANGED)],
        [*succeed([1]), outcome(2, Progress.UNKNOWN)],
    ],
    ids=["none", "one missing", "one too many", "one twice", "in doubt", "not sent", "settled before it is in doubt"],
)
def test_an_answer_needs_one_fitting_outcome_for_each_row(journal, outcomes):
    sending(journal)
    number = send(journal, [1, 2])
    with pytest.raises(IllegalMoveError):
        journal.mark_answered(RUN, 0, number, outcomes, answered_ms=2_000)
    assert statuses(journal)[:2] == ["sending", "sending"]
    assert journal.batch(RUN, number).state is BatchState.SENDING


def test_a_batch_that_was_not_applied_is_sent_again_with_one_attempt_more(journal):
    sending(journal)
    number = send(journal, [1, 2])
    journal.mark_not_applied(RUN, 0, number, answered_ms=2_000, http_status=429, problems=(LATE,))
    assert [(row.status, row.problems) for row in journal.batch_rows(RUN, number)] == [(Progress.PENDING, (LATE,))] * 2
    journal.mark_sending(RUN, 0, number, ordinals=[1, 2], body_sha256=SHA, sent_ms=3_000)
    again = journal.batch(RUN, number)
    assert (again.attempt, again.sent_ms, again.answered_ms, again.http_status) == (2, 3_000, None, None)
    journal.mark_answered(RUN, 0, number, succeed([1, 2]), answered_ms=4_000)
    assert [(row.attempts, row.problems) for row in journal.batch_rows(RUN, number)] == [(2, ())] * 2


def test_a_batch_is_split_into_parts_that_take_its_rows(journal):
    sending(journal)
    whole = send(journal, [1, 2, 3, 4])
    journal.mark_not_applied(RUN, 0, whole, answered_ms=2_000, http_status=400)
    left = journal.plan_batch(RUN, 0, [1, 2], parent=whole)
    assert journal.batch(RUN, whole).state is BatchState.NOT_APPLIED
    right = journal.plan_batch(RUN, 0, [3, 4], parent=whole)
    assert journal.batch(RUN, whole).state is BatchState.DISSOLVED
    assert [journal.batch(RUN, part).parent for part in (left, right)] == [whole, whole]
    assert [row.ordinal for row in journal.batch_rows(RUN, right)] == [3, 4]


def test_rows_that_an_answer_left_pending_go_into_a_new_batch(journal):
    sending(journal)
    number = send(journal, [1, 2])
    journal.mark_answered(RUN, 0, number, [*succeed([1]), outcome(2, Progress.PENDING)], answered_ms=2_000)
    assert journal.plan_batch(RUN, 0, [2], parent=number) == 2
    assert journal.batch(RUN, number).state is BatchState.ANSWERED


def test_a_batch_in_doubt_is_settled_row_by_row(journal):
    sending(journal)
    number = send(journal, [1, 2, 3, 4])
    journal.mark_in_doubt(RUN, 0, number, succeed([1]), problems=(LATE,), answered_ms=2_000, http_status=500)
    assert statuses(journal) == ["succeeded", "in_doubt", "in_doubt", "in_doubt"]
    assert journal.rows(RUN)[1].problems == (LATE,)
    settled = [*succeed([2]), outcome(3, Progress.PENDING), outcome(4, Progress.UNKNOWN)]
    journal.mark_answered(RUN, 0, number, settled, answered_ms=9_000)
    assert statuses(journal) == ["succeeded", "succeeded", "pending", "unknown"]
    again = send(journal, [3])
    journal.mark_answered(RUN, 0, again, succeed([3]), answered_ms=9_500)
    journal.set_state(RUN, 0, RunState.FINISHED)


def test_a_batch_in_doubt_of_which_everything_is_known_is_no_batch_in_doubt(journal):
    sending(journal)
    number = send(journal, [1])
    with pytest.raises(IllegalMoveError, match="no row left"):
        journal.mark_in_doubt(RUN, 0, number, succeed([1]))


def test_a_batch_in_doubt_is_sent_again_only_after_it_was_planned_again(journal):
    sending(journal)
    number = send(journal, [1, 2])
    journal.mark_in_doubt(RUN, 0, number, succeed([1]))
    with pytest.raises(IllegalMoveError, match="in doubt"):
        journal.mark_sending(RUN, 0, number, ordinals=[2], body_sha256=SHA, sent_ms=1)
    journal.plan_again(RUN, 0, number)
    assert statuses(journal)[:2] == ["succeeded", "pending"]
    journal.mark_sending(RUN, 0, number, ordinals=[2], body_sha256=SHA, sent_ms=1)
    assert [row.attempts for row in journal.batch_rows(RUN, number)] == [1, 2]


def test_of_a_batch_in_doubt_some_rows_may_be_settled_and_the_others_stay_in_doubt(journal):
    sending(journal)
    number = send(journal, [1, 2])
    journal.mark_in_doubt(RUN, 0, number, answered_ms=2_000, http_status=500)
    journal.settle_doubts(RUN, 0, number, succeed([2]), answered_ms=3_000)
    assert statuses(journal)[:2] == ["in_doubt", "succeeded"]
    assert journal.batch(RUN, number).state is BatchState.IN_DOUBT
    journal.settle_doubts(RUN, 0, number, succeed([1]), answered_ms=4_000)
    settled = journal.batch(RUN, number)
    assert (settled.state, settled.answered_ms, settled.http_status) == (BatchState.ANSWERED, 4_000, None)


def test_only_what_is_in_doubt_can_be_settled_so(journal):
    sending(journal)
    number = send(journal, [1])
    with pytest.raises(IllegalMoveError, match="not in doubt"):
        journal.settle_doubts(RUN, 0, number, succeed([1]), answered_ms=3_000)


def test_rows_in_doubt_are_planned_in_another_batch_and_stay_in_doubt_until_it_goes(journal):
    sending(journal)
    number = send(journal, [1, 2, 3])
    journal.mark_in_doubt(RUN, 0, number, [outcome(3, Progress.PENDING)])
    first = journal.plan_batch(RUN, 0, [1, 3], number, in_doubt=[1])
    assert statuses(journal)[:3] == ["in_doubt", "in_doubt", "pending"]
    assert [journal.batch(RUN, each).state for each in (number, first)] == [BatchState.IN_DOUBT] * 2
    second = journal.plan_batch(RUN, 0, [2], number, in_doubt=[2])
    states = [journal.batch(RUN, each).state for each in (number, first, second)]
    assert states == [BatchState.ANSWERED, BatchState.IN_DOUBT, BatchState.IN_DOUBT]
    with pytest.raises(IllegalMoveError, match="in doubt"):
        journal.mark_sending(RUN, 0, first, ordinals=[1, 3], body_sha256=SHA, sent_ms=1)
    journal.plan_again(RUN, 0, first)
    journal.mark_sending(RUN, 0, first, ordinals=[1, 3], body_sha256=SHA, sent_ms=1)
    assert statuses(journal)[:3] == ["sending", "in_doubt", "sending"]


@pytest.mark.parametrize("in_doubt", [[], [2], [1, 2]])
def test_whoever_plans_rows_knows_which_of_them_are_in_doubt(journal, in_doubt):
    sending(journal)
    journal.mark_in_doubt(RUN, 0, send(journal, [1]))
    before = (journal.rows(RUN), journal.batches(RUN))
    with pytest.raises(IllegalMoveError, match="not pending"):
        journal.plan_batch(RUN, 0, [1, 2], in_doubt=in_doubt)
    assert (journal.rows(RUN), journal.batches(RUN)) == before


def test_what_is_in_doubt_or_answered_is_not_called_not_applied(journal):
    """Its rows would be in doubt for ever, in a batch that nobody looks at any more."""
    sending(journal)
    doubtful, answered = send(journal, [1]), send(journal, [2])
    journal.mark_in_doubt(RUN, 0, doubtful)
    journal.mark_answered(RUN, 0, answered, succeed([2]), answered_ms=1)
    for number in (doubtful, answered):
        with pytest.raises(IllegalMoveError, match="cannot become not applied"):
            journal.mark_not_applied(RUN, 0, number, answered_ms=2)
    assert statuses(journal)[:2] == ["in_doubt", "succeeded"]


def test_a_record_id_that_is_known_outlives_an_answer_without_one(journal):
    sending(journal, 1)
    number = send(journal, [1])
    journal.mark_answered(
        RUN, 0, number, [RowOutcome(ordinal=1, status=Progress.PENDING, record_id="5545974000000393001")], answered_ms=1
    )
    journal.mark_in_doubt(RUN, 0, send(journal, [1]))
    assert journal.rows(RUN)[0].record_id == "5545974000000393001"


def test_batches_are_listed_by_state_and_by_pages(journal):
    sending(journal, 6)
    numbers = [send(journal, [ordinal]) for ordinal in range(1, 6)]
    journal.mark_answered(RUN, 0, numbers[1], succeed([2]), answered_ms=1)
    under_way = {BatchState.SENDING}
    assert [batch.number for batch in journal.batches(RUN, under_way, limit=2)] == [1, 3]
    assert [batch.number for batch in journal.batches(RUN, under_way, after_number=3)] == [4, 5]
    assert [batch.number for batch in journal.batches(RUN)] == numbers


def test_recovering_puts_in_doubt_what_was_in_flight_and_nothing_else(journal):
    sending(journal, 5)
    answered, lost, doubtful = send(journal, [1]), send(journal, [2]), send(journal, [3])
    journal.mark_answered(RUN, 0, answered, succeed([1]), answered_ms=1)
    journal.mark_in_doubt(RUN, 0, doubtful)
    journal.plan_batch(RUN, 0, [4])
    epoch = journal.claim(RUN, "the next process", 0, 60_000)
    assert [batch.number for batch in journal.recover(RUN, epoch)] == [lost, doubtful]
    assert statuses(journal) == ["succeeded", "in_doubt", "in_doubt", "pending", "pending"]
    assert [batch.number for batch in journal.recover(RUN, epoch)] == [lost, doubtful]


def test_nothing_is_planned_or_sent_once_the_run_has_stopped_but_answers_are_taken(journal):
    sending(journal)
    number = send(journal, [1])
    planned = journal.plan_batch(RUN, 0, [2])
    journal.set_state(RUN, 0, RunState.STOPPED, "Enough errors.")
    with pytest.raises(IllegalMoveError):
        journal.plan_batch(RUN, 0, [3])
    with pytest.raises(IllegalMoveError):
        journal.mark_sending(RUN, 0, planned, ordinals=[2], body_sha256=SHA, sent_ms=1)
    journal.mark_answered(RUN, 0, number, succeed([1]), answered_ms=1)
    assert statuses(journal)[0] == "succeeded"


DYING = """
import os, sys
from pathlib import Path
from journal_samples import RUN, send, sending, succeed
from bulkzcrm.journal import Journal

journal = Journal.open(Path(sys.argv[1]))
sending(journal)
first, second = send(journal, [1]), send(journal, [2])
journal.mark_answered(RUN, 0, first, succeed([1]), answered_ms=1)
with journal.transaction():
    journal.mark_answered(RUN, 0, second, succeed([2]), answered_ms=1)
    send(journal, [3])
    os._exit(9)
"""


def test_a_process_that_dies_leaves_what_it_committed_and_nothing_half(home, request):
    died = subprocess.run(  # noqa: S603  the program stands above
        [sys.executable, "-c", DYING, str(home)], cwd=request.path.parent, check=False, timeout=30
    )
    assert died.returncode == 9
    with Journal.open(home) as journal:
        assert statuses(journal) == ["succeeded", "sending", "pending", "pending"]
        assert [batch.number for batch in journal.recover(RUN, 0)] == [2]


def test_writes_of_one_transaction_happen_together_or_not_at_all(journal):
    ingested(journal, [new_row(1)])
    with pytest.raises(KeyError), journal.transaction():  # noqa: PT012  all of it is the point
        journal.set_state(RUN, 0, RunState.SENDING)
        journal.plan_batch(RUN, 0, [1])
        raise KeyError
    assert journal.run(RUN).state is RunState.INGESTED
    assert journal.batches(RUN) == []


def test_a_transaction_inside_another_is_undone_alone(journal):
    sending(journal)
    with journal.transaction():
        journal.plan_batch(RUN, 0, [1])
        with pytest.raises(IllegalMoveError):
            journal.plan_batch(RUN, 0, [2, 99])
        journal.plan_batch(RUN, 0, [3])
    assert [row.batch for row in journal.rows(RUN)] == [1, None, 2, None]
