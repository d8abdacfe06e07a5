"""What an organisation may do at once and in a day (the vendor's page on API limits), as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["ACTIVE_SERVICES", "RECORDS_A_CREDIT", "concurrency_of", "daily_credits", "write_cost"]

ACTIVE_SERVICES: Final = 500
"""Active services in an organisation (create-services, note)."""

RECORDS_A_CREDIT: Final = 10
"""A write costs one credit for each ten records begun; every other request costs one."""

_MANY_RECORDS_AT_ONCE: Final = 10
"""Writes of more than ten records at once, in every edition."""

_UNKNOWN_EDITION: Final = 5


@dataclass(frozen=True, slots=True)
class _Edition:
    """What an edition allows: requests at once; credits in 24 hours, more for each user, and at most (no add-ons)."""

    at_once: int
    credits: int
    for_each_user: int
    most_credits: int | None


_FREE: Final = _Edition(5, 5_000, 0, 5_000)
_STANDARD: Final = _Edition(10, 50_000, 250, 100_000)
_PROFESSIONAL: Final = _Edition(15, 50_000, 500, 3_000_000)
_ENTERPRISE: Final = _Edition(20, 50_000, 1_000, 5_000_000)
_ULTIMATE: Final = _Edition(25, 50_000, 2_000, None)

_EDITIONS: Final[Mapping[str, _Edition]] = {
    "free": _FREE,
    "starter": _STANDARD,
    "standard": _STANDARD,
    "professional": _PROFESSIONAL,
    "enterprise": _ENTERPRISE,
    "zohooneenterprise": _ENTERPRISE,
    "zohoone": _ENTERPRISE,
    "ultimate": _ULTIMATE,
    "crmplus": _ULTIMATE,
}
"""By the vendor's `paid_type`."""


def concurrency_of(edition: str, *, many_records: bool) -> int:
    """Return how many requests may be in flight, for writes of more than ten records or for others."""
    known = _edition(edition)
    at_once = known.at_once if known else _UNKNOWN_EDITION
    return min(at_once, _MANY_RECORDS_AT_ONCE) if many_records else at_once


def daily_credits(edition: str, users: int) -> int | None:
    """Return the credits of any 24 hours for so many user licences, add-ons aside; `None` for an unknown edition."""
    known = _edition(edition)
    if known is None:
        return None
    credits_ = known.credits + known.for_each_user * max(0, users)
    return credits_ if known.most_credits is None else min(credits_, known.most_credits)


def _edition(name: str) -> _Edition | None:
    return _EDITIONS.get(name.casefold().replace(" ", ""))


def write_cost(records: int) -> int:
    """Return the credits that one write of so many records costs."""
    return max(1, -(-records // RECORDS_A_CREDIT))
