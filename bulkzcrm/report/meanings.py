"""What each outcome of a row means, in the words that every report for people uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bulkzcrm.model import Status

__all__ = ["MEANINGS"]

MEANINGS: Final[Mapping[Status, str]] = {
    Status.SUCCEEDED: "the API said so, for this row",
    Status.UNCHANGED: "already as wanted; not sent",
    Status.VALID: "nothing wrong, as far as can be told without the organisation",
    Status.INVALID: "something is wrong in the row; not sent",
    Status.REJECTED: "the API refused this row",
    Status.UNKNOWN: "sent, and no trustworthy answer came",
    Status.UNSENT: "not written: the run stopped before",
}
