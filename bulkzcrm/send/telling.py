"""What is told of an answer to people who watch: how many rows it was good for, and how the sending goes."""

from __future__ import annotations

from collections import Counter

from bulkzcrm.answers import Doubt, Judged, Reading, Rejected, Succeeded, TryAgain, Uncertain, Verdict, Written
from bulkzcrm.events import BatchAnswered
from bulkzcrm.limiter import Limiter
from bulkzcrm.transport import Answer

__all__ = ["told_of"]


def told_of(number: int, rows: int, answer: Answer, reading: Reading, limiter: Limiter, spent: int) -> BatchAnswered:
    """Return the event for an answer to a batch of so many rows; `spent` are the credits of this call so far."""
    kinds = Counter[type[Verdict]](map(type, reading.verdicts) if isinstance(reading, Judged) else ())
    unproven = isinstance(reading, Doubt) or (isinstance(reading, TryAgain) and not reading.certain_not_applied)
    return BatchAnswered(
        batch=number,
        rows=rows,
        succeeded=rows if isinstance(reading, Written) else kinds[Succeeded],
        rejected=kinds[Rejected],
        unknown=rows if unproven else kinds[Uncertain],
        status=answer.status,
        seconds=answer.elapsed,
        in_flight=limiter.in_flight,
        limit=limiter.limit,
        credits=spent,
    )
