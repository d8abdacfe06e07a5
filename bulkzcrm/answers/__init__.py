"""What an answer of the API proves about each record that was sent, and about the run."""

from bulkzcrm.answers.nouns import (
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
    Verdict,
    Written,
)
from bulkzcrm.answers.reading import read_answer, without_answer

__all__ = [
    "Doubt",
    "Judged",
    "NotApplied",
    "Reading",
    "RefreshToken",
    "Rejected",
    "Sent",
    "Split",
    "StopRun",
    "Succeeded",
    "TryAgain",
    "Uncertain",
    "Verdict",
    "Written",
    "read_answer",
    "without_answer",
]
