from __future__ import annotations

import pytest

from bulkzcrm.journal import BatchState, IllegalMoveError, Progress, RunState, reported, reported_counts
from bulkzcrm.journal.states import BATCH_MOVES, RESUMABLE, ROW_MOVES, RUN_MOVES, UNFINISHED, require_move
from bulkzcrm.model import Status


@pytest.mark.parametrize(("moves", "states"), [(RUN_MOVES, RunState), (BATCH_MOVES, BatchState), (ROW_MOVES, Progress)])
def test_every_state_has_its_line_in_the_table(moves, states):
    assert set(moves) == set(states)


def test_every_state_of_a_batch_but_the_last_leads_to_an_end():
    ends = {state for state, moves in BATCH_MOVES.items() if not moves}
    assert ends == {BatchState.ANSWERED, BatchState.DISSOLVED}
    assert all(moves for state, moves in BATCH_MOVES.items() if state not in ends)


def test_a_batch_in_doubt_is_never_simply_sent_again():
    assert BatchState.SENDING not in BATCH_MOVES[BatchState.IN_DOUBT]
    assert BatchState.NOT_APPLIED not in BATCH_MOVES[BatchState.IN_DOUBT]
    assert Progress.SENDING not in ROW_MOVES[Progress.IN_DOUBT]


def test_a_row_that_has_ended_is_sent_no_more():
    for progress in set(Progress) - UNFINISHED - {Progress.INVALID}:
        assert not ROW_MOVES[progress] - {progress, Progress.INVALID}


def test_an_invalid_row_has_not_been_sent_and_may_turn_out_to_be_right():
    assert ROW_MOVES[Progress.INVALID] == {Progress.INVALID, Progress.PENDING}


def test_only_a_row_that_was_never_sent_turns_out_invalid_after_all():
    assert {now for now, moves in ROW_MOVES.items() if Progress.INVALID in moves} == {
        Progress.PENDING,
        Progress.INVALID,
        Progress.UNCHANGED,
    }


def test_a_run_that_can_be_resumed_can_send():
    for state in RESUMABLE:
        assert RunState.SENDING in RUN_MOVES[state]


def test_a_move_outside_the_table_is_refused_in_words():
    with pytest.raises(IllegalMoveError, match="Batch 7 is not applied and cannot become answered"):
        require_move(BATCH_MOVES, BatchState.NOT_APPLIED, BatchState.ANSWERED, "Batch 7")


def test_a_pending_row_shows_as_unsent_and_one_under_way_or_in_doubt_as_unknown():
    assert reported(Progress.PENDING) is Status.UNSENT
    assert reported(Progress.SENDING) is Status.UNKNOWN
    assert reported(Progress.IN_DOUBT) is Status.UNKNOWN


def test_a_pending_row_shows_as_valid_in_a_check():
    assert reported(Progress.PENDING, checking=True) is Status.VALID
    assert reported(Progress.INVALID, checking=True) is Status.INVALID


def test_reported_counts_have_all_six_statuses_and_add_up():
    counts = {progress: place for place, progress in enumerate(Progress, start=1)}
    totals = reported_counts(counts)
    assert set(totals) == set(Status) - {Status.VALID}
    assert sum(totals.values()) == sum(counts.values())
