"""What is sent, and how much may go wrong before sending stops."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

from msgspec import Struct

from bulkzcrm.cells import counted
from bulkzcrm.errors import StoppedError
from bulkzcrm.exact_json import decode_exactly
from bulkzcrm.model import Record

__all__ = ["Budget", "LookUp", "Recheck", "Sendable"]


class Sendable(Struct, frozen=True, gc=False):
    """One row ready to be sent: its place in the run, its number in the source, and its record as the API takes it.

    `said` is the record as JSON, to be changed only where it `says_now`. `record_id` is the id that the answer must
    name; blank where the record is new or has none. `sent_before` tells that an earlier request has carried the row;
    `in_doubt` that one was lost which may still be carried out, though nothing was to be seen of it when the record was
    read again.
    """

    ordinal: int
    number: int
    said: bytes
    record_id: str = ""
    says_now: bool = False
    sent_before: bool = False
    in_doubt: bool = False

    @property
    def record(self) -> Record:
        """The record, read anew each time."""
        return cast("Record", decode_exactly(self.said))


Recheck: TypeAlias = Callable[[Sequence[Sendable]], Awaitable[frozenset[int]]]
"""Reads records again and returns the rows (ordinals) that already are as they should be."""

LookUp: TypeAlias = Callable[[Sequence[tuple[Sendable, str]], Collection[str]], Awaitable[Mapping[int, str | None]]]
"""Looks up what rows that are refused now have written before, if anything: each with the id that its refusal names.

It is told the ids that the same answer gives to other rows. Returns the ids of the records that are there, by their
rows (ordinals), and `None` where that cannot be told.
"""


@dataclass(slots=True)
class Budget:
    """How many rows may end invalid, rejected or unknown; `limit` `None` means any number."""

    limit: int | None
    spent: int = 0
    told: str = ""
    """The limit as the user wrote it."""

    def spend(self, rows: int) -> None:
        """Count rows that went wrong. Raises `StoppedError` when there are more than allowed."""
        self.spent += rows
        if self.limit is not None and self.spent > self.limit:
            raise StoppedError(
                f"{counted(self.spent, 'row')} went wrong, more than --max-errors {self.told or self.limit} allows "
                f"({self.limit:,}).",
                "Look at their messages in the report; resume to go on with the other rows.",
            )
