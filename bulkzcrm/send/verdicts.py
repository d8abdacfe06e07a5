"""The verdicts of one answer, by what follows from each: written down, left in doubt, looked at again, repeated."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import assert_never

from bulkzcrm.answers import NotApplied, Rejected, Succeeded, Uncertain, Verdict
from bulkzcrm.journal import Progress, RowOutcome
from bulkzcrm.model import Problem
from bulkzcrm.send.repeats import Repeats
from bulkzcrm.send.sendable import Sendable

__all__ = ["Sorted", "sort_out"]


@dataclass(slots=True)
class Sorted:
    """What is to be done with each row of a batch."""

    outcomes: list[RowOutcome] = field(default_factory=list)
    """To be written, of the rows of which something is certain."""
    doubtful: list[Sendable] = field(default_factory=list)
    refused: list[tuple[Sendable, RowOutcome]] = field(default_factory=list)
    """In doubt because of an earlier request of theirs, with the outcome of their refusal."""
    again: list[Sendable] = field(default_factory=list)
    """To be sent again."""
    reason: str = ""
    """Why some are in doubt, or go again."""

    @property
    def rejected(self) -> int:
        """How many rows end as rejected."""
        return sum(outcome.status is Progress.REJECTED for outcome in self.outcomes)


def sort_out(
    judged: Iterable[tuple[Sendable, Verdict]],
    there: Mapping[int, str | None],
    repeats: Repeats,
    locate: Callable[[Problem, int], Problem],
) -> Sorted:
    """Sort the verdicts of an answer.

    `there` has the ids of records that refused rows (ordinals) have written before; `None` where that cannot be told.
    """
    found = Sorted()
    for each, verdict in judged:
        match verdict:
            case Rejected() if record_id := there.get(each.ordinal):
                found.outcomes.append(RowOutcome(ordinal=each.ordinal, status=Progress.SUCCEEDED, record_id=record_id))
            case Rejected() if each.ordinal in there or repeats.met_itself(each, verdict):
                found.doubtful.append(each)
                found.reason = verdict.problems[0].message
            case Rejected() if repeats.is_in_doubt(each):
                found.refused.append((each, _rejected(each, verdict, locate)))
            case Rejected():
                found.outcomes.append(_rejected(each, verdict, locate))
            case Succeeded():
                record_id = verdict.record_id or each.record_id
                found.outcomes.append(RowOutcome(ordinal=each.ordinal, status=Progress.SUCCEEDED, record_id=record_id))
            case NotApplied() if repeats.is_in_doubt(each):
                found.doubtful.append(each)
                found.reason = verdict.reason
            case NotApplied():
                found.outcomes.append(RowOutcome(ordinal=each.ordinal, status=Progress.PENDING))
                found.again.append(each)
                found.reason = verdict.reason
            case Uncertain():
                found.doubtful.append(each)
                found.reason = verdict.reason
            case _:
                assert_never(verdict)
    return found


def _rejected(each: Sendable, verdict: Rejected, locate: Callable[[Problem, int], Problem]) -> RowOutcome:
    problems = tuple(locate(problem, each.number) for problem in verdict.problems)
    return RowOutcome(ordinal=each.ordinal, status=Progress.REJECTED, problems=problems, record_id=each.record_id)
