"""Every state that the journal knows and every move between two of them; a move that is not in these tables is refused.

The order is law: a batch is *planned*, then *sending* (durable before the request leaves), then *answered* (together
with the outcomes of its rows). A batch that was *sending* when its process died is *in doubt*, never *not applied*.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from bulkzcrm.journal.failures import IllegalMoveError
from bulkzcrm.model import Status

__all__ = [
    "BATCH_MOVES",
    "RESUMABLE",
    "ROW_MOVES",
    "RUN_MOVES",
    "UNFINISHED",
    "BatchState",
    "Progress",
    "RunState",
    "reported",
    "reported_counts",
    "require_move",
]


class RunState(StrEnum):
    """How far a run has come."""

    INGESTING = "ingesting"  #: the source is being read; nothing was sent, nothing to resume
    INGESTED = "ingested"  #: every row is in the journal; nothing was sent
    SENDING = "sending"  #: batches may be under way
    FINISHED = "finished"  #: every row has ended
    STOPPED = "stopped"  #: gave up with rows still to do
    INTERRUPTED = "interrupted"  #: a signal ended it with rows still to do


class BatchState(StrEnum):
    """How far a batch has come."""

    PLANNED = "planned"  #: its rows are chosen; no request has left since
    SENDING = "sending"  #: a request may have left
    ANSWERED = "answered"  #: no row of it is under way or in doubt any more
    NOT_APPLIED = "not_applied"  #: the request certainly changed nothing; its rows are pending again
    IN_DOUBT = "in_doubt"  #: for at least one row it cannot be told whether the request was applied
    DISSOLVED = (
        "dissolved"  #: none of its rows is left to send: they went to other batches, or turned out not to need sending
    )


class Progress(StrEnum):
    """How far a row has come: a status of the report, or one of three that come before it."""

    PENDING = "pending"  #: still to be sent (the report says `unsent`)
    SENDING = "sending"  #: in a request that may have left (the report says `unknown`)
    IN_DOUBT = "in_doubt"  #: sent without a trustworthy answer, still to be settled (the report says `unknown`)
    SUCCEEDED = "succeeded"  #: the API said so, for this row
    UNCHANGED = "unchanged"  #: already as wanted; not sent
    INVALID = "invalid"  #: local problems; not sent
    REJECTED = "rejected"  #: the API refused this row
    UNKNOWN = "unknown"  #: settling was tried and stayed ambiguous


RUN_MOVES: Mapping[RunState, frozenset[RunState]] = {
    RunState.INGESTING: frozenset({RunState.INGESTED}),
    # A run of which no row needs sending is over without `sending`.
    RunState.INGESTED: frozenset({RunState.SENDING, RunState.FINISHED, RunState.STOPPED, RunState.INTERRUPTED}),
    # To itself: a killed process leaves `sending`, and the next one takes it up.
    RunState.SENDING: frozenset({RunState.SENDING, RunState.FINISHED, RunState.STOPPED, RunState.INTERRUPTED}),
    # Straight to another end: a resumed run may be stopped again before it sends, or turn out to have nothing to send.
    RunState.STOPPED: frozenset({RunState.SENDING, RunState.FINISHED, RunState.STOPPED, RunState.INTERRUPTED}),
    RunState.INTERRUPTED: frozenset({RunState.SENDING, RunState.FINISHED, RunState.STOPPED, RunState.INTERRUPTED}),
    RunState.FINISHED: frozenset(),
}

BATCH_MOVES: Mapping[BatchState, frozenset[BatchState]] = {
    BatchState.PLANNED: frozenset({BatchState.SENDING, BatchState.DISSOLVED}),
    BatchState.SENDING: frozenset({BatchState.ANSWERED, BatchState.NOT_APPLIED, BatchState.IN_DOUBT}),
    # Planned again: what was in doubt has been read back and is absent; or it is safe to repeat, and goes again now.
    BatchState.IN_DOUBT: frozenset({BatchState.ANSWERED, BatchState.PLANNED}),
    BatchState.NOT_APPLIED: frozenset({BatchState.PLANNED, BatchState.SENDING, BatchState.DISSOLVED}),
    BatchState.ANSWERED: frozenset(),
    BatchState.DISSOLVED: frozenset(),
}

ROW_MOVES: Mapping[Progress, frozenset[Progress]] = {
    # To succeeded: what was in doubt was not there when it was read back, and is there before the row goes again.
    Progress.PENDING: frozenset(
        {Progress.PENDING, Progress.SENDING, Progress.INVALID, Progress.UNCHANGED, Progress.SUCCEEDED}
    ),
    Progress.SENDING: frozenset({Progress.SUCCEEDED, Progress.REJECTED, Progress.PENDING, Progress.IN_DOUBT}),
    Progress.IN_DOUBT: frozenset({Progress.SUCCEEDED, Progress.REJECTED, Progress.PENDING, Progress.UNKNOWN}),
    # To itself: rules that need the organisation may find more that is wrong. To pending: the organisation tells which
    # record an id can only have meant that had lost digits.
    Progress.INVALID: frozenset({Progress.INVALID, Progress.PENDING}),
    Progress.SUCCEEDED: frozenset(),
    # That it repeats an earlier row is known only once every row has been judged.
    Progress.UNCHANGED: frozenset({Progress.INVALID}),
    Progress.REJECTED: frozenset(),
    Progress.UNKNOWN: frozenset(),
}

RESUMABLE: frozenset[RunState] = frozenset(
    {RunState.INGESTED, RunState.SENDING, RunState.STOPPED, RunState.INTERRUPTED}
)
"""Runs that `resume` can carry on with."""

UNFINISHED: frozenset[Progress] = frozenset({Progress.PENDING, Progress.SENDING, Progress.IN_DOUBT})
"""Rows that have not ended: a run that has any cannot be `finished`."""

_REPORTED: Mapping[Progress, Status] = {
    Progress.PENDING: Status.UNSENT,
    Progress.SENDING: Status.UNKNOWN,
    Progress.IN_DOUBT: Status.UNKNOWN,
    Progress.SUCCEEDED: Status.SUCCEEDED,
    Progress.UNCHANGED: Status.UNCHANGED,
    Progress.INVALID: Status.INVALID,
    Progress.REJECTED: Status.REJECTED,
    Progress.UNKNOWN: Status.UNKNOWN,
}

_State = TypeVar("_State", RunState, BatchState, Progress)


def require_move(moves: Mapping[_State, frozenset[_State]], now: _State, wanted: _State, what: str) -> None:
    """Raise `IllegalMoveError` unless the table has the move; `what` names the thing that moves (`Batch 7`)."""
    if wanted not in moves[now]:
        raise IllegalMoveError(f"{what} is {now.replace('_', ' ')} and cannot become {wanted.replace('_', ' ')}.")


def reported(progress: Progress, *, checking: bool = False) -> Status:
    """Return the status that the report shows; with `checking` a pending row is `valid` instead of `unsent`."""
    if checking and progress is Progress.PENDING:
        return Status.VALID
    return _REPORTED[progress]


def reported_counts(counts: Mapping[Progress, int]) -> dict[Status, int]:
    """Add up counts of rows under the six statuses of the report, each of which is a key."""
    totals: dict[Status, int] = {status: 0 for status in Status if status is not Status.VALID}
    for progress, count in counts.items():
        totals[reported(progress)] += count
    return totals
