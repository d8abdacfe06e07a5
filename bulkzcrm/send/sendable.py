"""What is sent, and how much may go wrong before sending stops."""

from __future__ import annotations

from dataclasses import dataclass

from bulkzcrm.cells import counted
from bulkzcrm.errors import StoppedError
from bulkzcrm.model import Record

__all__ = ["Budget", "Sendable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sendable:
    """One row ready to be sent: its place in the run, its number in the source, and its record as the API takes it.

    `record_id` is the id that the answer must name; blank where the record is new or has none.
    `sent_before` tells that an earlier call has made a request with the row.
    """

    ordinal: int
    number: int
    record: Record
    record_id: str
    sent_before: bool = False


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
