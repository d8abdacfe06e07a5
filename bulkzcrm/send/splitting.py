"""What is left to deliver of a batch: its parts, where it was refused for the sake of some of its records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bulkzcrm.answers import Judged, Rejected, Split, Uncertain
from bulkzcrm.send.drafts import Draft
from bulkzcrm.send.patience import Patience
from bulkzcrm.send.sendable import Sendable

__all__ = ["Part", "alone", "pieces"]


@dataclass(slots=True)
class Part:
    """Rows to be delivered in a batch of their own, as a part of the batch `parent`.

    `number` is that of their batch, 0 until its first request is about to leave.
    """

    draft: Draft
    patience: Patience
    parent: int | None = None
    number: int = 0

    @property
    def rows(self) -> Sequence[Sendable]:
        """The rows, in their order."""
        return self.draft.rows


def pieces(part: Sequence[Sendable], split: Split) -> list[Sequence[Sendable]]:
    """Return the parts of a refused batch: the named records alone, then the others; nobody named, then halves."""
    if split.guilty and len(part) > 1:
        named = [[part[place]] for place in sorted(split.guilty)]
        rest = [each for place, each in enumerate(part) if place not in split.guilty]
        return [*named, *([rest] if rest else [])]
    half = len(part) // 2
    return [part[:half], part[half:]]


def alone(split: Split) -> Judged:
    """Return the verdict on a record that was refused although it stood alone."""
    problems = next(iter(split.guilty.values()), ())
    return Judged((Rejected(problems) if problems else Uncertain(split.reason),))
