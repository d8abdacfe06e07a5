"""The intent to send a new batch, by one stroke, and the rows that wait to be sent."""

from __future__ import annotations

from dataclasses import replace

import pytest
from journal_samples import RUN, SHA, ingested, new_row, send, sending, statuses, succeed

from bulkzcrm.journal import BatchState, IllegalMoveError, Intent, Progress, RowSettlement, RunState


def intent(number: int, ordinals: list[int], parent: int | None = None) -> Intent:
    return Intent(number=number, ordinals=ordinals, parent=parent, body_sha256=SHA, sent_ms=1_000)


def test_it_leaves_what_planning_and_sending_leave(journal):
    sending(journal)
    sending(journal, run="another")
    journal.send_batch(RUN, 0, intent(1, [1, 2, 4]))
    send(journal, [1, 2, 4], run="another")
    (one,), (other,) = journal.batches(RUN), journal.batches("another")
    assert replace(one, run="another") == other
    assert journal.rows(RUN) == journal.rows("another")
    assert statuses(journal) == ["sending", "sending", "pending", "sending"]


def test_its_answer_is_written_like_any_other(journal):
    sending(journal)
    journal.send_batch(RUN, 0, intent(1, [1, 2]))
    journal.mark_answered(RUN, 0, 1, succeed([1, 2]), answered_ms=2_000, http_status=201)
    answered = journal.batch(RUN, 1)
    assert (answered.state, answered.answered_ms, answered.http_status) == (BatchState.ANSWERED, 2_000, 201)


@pytest.mark.parametrize(
    "ordinals", [[], [1, 1], [4, 5], [2, 3]], ids=["none", "one twice", "one not there", "one under way"]
)
def test_only_rows_that_wait_can_be_sent_and_each_once(journal, ordinals):
    sending(journal)
    send(journal, [3])
    before = journal.rows(RUN), journal.batches(RUN)
    with pytest.raises(IllegalMoveError):
        journal.send_batch(RUN, 0, intent(2, ordinals))
    assert (journal.rows(RUN), journal.batches(RUN)) == before


def test_pending_rows_between_those_of_the_batch_stay_where_they_are(journal):
    sending(journal, 6)
    journal.send_batch(RUN, 0, intent(1, [1, 3, 4, 6]))
    assert statuses(journal) == ["sending", "pending", "sending", "sending", "pending", "sending"]
    assert [row.attempts for row in journal.rows(RUN)] == [1, 0, 1, 1, 0, 1]


def test_a_batch_that_loses_its_last_rows_to_another_dissolves(journal):
    sending(journal)
    journal.plan_batch(RUN, 0, [1, 2, 3])
    journal.send_batch(RUN, 0, intent(2, [1, 2], parent=1))
    assert journal.batch(RUN, 1).state is BatchState.PLANNED
    journal.send_batch(RUN, 0, intent(3, [3, 4], parent=1))
    assert journal.batch(RUN, 1).state is BatchState.DISSOLVED
    assert journal.last_batch(RUN) == 3


def test_nothing_is_sent_before_the_run_is_sending_nor_after(journal):
    ingested(journal, [new_row(1)])
    with pytest.raises(IllegalMoveError):
        journal.send_batch(RUN, 0, intent(1, [1]))
    journal.set_state(RUN, 0, RunState.STOPPED)
    with pytest.raises(IllegalMoveError):
        journal.send_batch(RUN, 0, intent(1, [1]))
    assert journal.last_batch(RUN) == 0


def test_rows_that_wait_come_in_source_order_without_what_nobody_needs_who_sends(journal):
    sending(journal, 6)
    journal.keep_before_images(RUN, 0, {1: {"Price": 1}})
    journal.settle_rows(RUN, 0, [RowSettlement(ordinal=2, status=Progress.INVALID)])
    journal.mark_in_doubt(RUN, 0, send(journal, [3, 5]))
    journal.mark_not_applied(RUN, 0, send(journal, [4]), answered_ms=1)
    pending, both = {Progress.PENDING}, {Progress.PENDING, Progress.IN_DOUBT}
    assert [row.ordinal for row in journal.rows_without_cells(RUN, 0, 10)] == [1, 4, 6]
    assert [row.ordinal for row in journal.rows_without_cells(RUN, 1, 3, both)] == [3, 4, 5]
    assert [row.ordinal for row in journal.rows_without_cells(RUN, 0, 10, pending, attempts=0)] == [1, 6]
    (whole,), (lean,) = journal.rows(RUN, 0, 1), journal.rows_without_cells(RUN, 0, 1)
    assert whole.cells
    assert whole.before
    assert (lean.cells, lean.before) == ((), None)
    for name in ("ordinal", "number", "record", "identity", "fingerprint", "status", "problems", "batch", "attempts"):
        assert getattr(lean, name) == getattr(whole, name)
