"""What one element of an answer says: a success, or errors, each of which is about a record or about the request."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from typing import assert_never

from bulkzcrm.answers.body import Element, Told
from bulkzcrm.spec.codes import CODES, THROTTLING_CODES, Disposition

__all__ = ["Means", "is_error", "is_success", "meaning_of", "meanings_of"]


class Means(Enum):
    """What an error means for the record, or the request, that it is about."""

    ROW = auto()
    STOP = auto()
    UNKNOWN = auto()
    REFRESH = auto()
    THROTTLED = auto()
    TROUBLE = auto()


def is_success(element: Element) -> bool:
    """Tell whether an element says plainly that its record was written."""
    return element.status == "success" and element.told.code == "SUCCESS"


def is_error(element: Element) -> bool:
    """Tell whether an element says plainly that something is wrong, and what."""
    return element.status == "error" and bool(element.told.code) and element.told.code != "SUCCESS"


def meanings_of(errors: Sequence[Told]) -> set[Means]:
    """Return all that errors mean."""
    return {meaning_of(error) for error in errors}


def meaning_of(told: Told) -> Means:
    """Return what an error means, by its code."""
    known = CODES.get(told.code)
    if known is None or known.ours:
        return Means.UNKNOWN
    match known.disposition:
        case Disposition.FIX_ROW:
            return Means.ROW
        case Disposition.STOP_RUN:
            return Means.STOP
        case Disposition.REFRESH_TOKEN:
            return Means.REFRESH
        case Disposition.TRY_AGAIN:
            return Means.THROTTLED if told.code in THROTTLING_CODES else Means.TROUBLE
        case never:
            assert_never(never)
