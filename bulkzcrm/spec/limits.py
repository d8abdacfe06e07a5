"""What an organisation may do at once and in a day (the vendor's page on API limits), as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["ACTIVE_SERVICES", "RECORDS_A_CREDIT", "concurrency_of", "write_cost"]

ACTIVE_SERVICES: Final = 500
"""Active services in an organisation (create-services, note)."""

RECORDS_A_CREDIT: Final = 10
"""A write costs one credit for each ten records begun; every other request costs one."""

_MANY_RECORDS_AT_ONCE: Final = 10
"""Writes of more than ten records at once, in every edition."""

_UNKNOWN_EDITION: Final = 5

_EDITIONS: Final[Mapping[str, int]] = {
    "free": 5,
    "starter": 10,
    "standard": 10,
    "professional": 15,
    "enterprise": 20,
    "zohooneenterprise": 20,
    "zohoone": 20,
    "ultimate": 25,
    "crmplus": 25,
}
"""The vendor's `paid_type` → requests at once."""


def concurrency_of(edition: str, *, many_records: bool) -> int:
    """Return how many requests may be in flight, for writes of more than ten records or for others."""
    at_once = _EDITIONS.get(edition.casefold().replace(" ", ""), _UNKNOWN_EDITION)
    return min(at_once, _MANY_RECORDS_AT_ONCE) if many_records else at_once


def write_cost(records: int) -> int:
    """Return the credits that one write of so many records costs."""
    return max(1, -(-records // RECORDS_A_CREDIT))
