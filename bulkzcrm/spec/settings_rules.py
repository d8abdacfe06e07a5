"""The rules that the business-hours page states about one record, each with the page's own code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bulkzcrm.spec.facts import Broken, Facts, Rule
from bulkzcrm.spec.fields import WEEKDAYS

__all__ = ["BUSINESS_HOURS_RULES", "FIVE_DAYS"]

FIVE_DAYS: Final = 5
"""How many business days a week of type 24*5 has."""

_PAGE: Final = "update-business-hours"


def _absent(facts: Facts, name: str) -> bool:
    # What is there now never stands in for what the row leaves out: the page wants these in the request.
    return facts.given.get(name) in (None, "", [])


def _days_given(facts: Facts) -> Broken | None:
    kind = facts.given.get("type")
    if kind not in ("24*5", "custom") or not _absent(facts, "business_days"):
        return None
    return Broken(
        f"type is {kind}, and then business_days must be given, but it is blank.",
        "List the business days, for example Mon-Fri.",
    )


def _sameness_given(facts: Facts) -> Broken | None:
    if facts.given.get("type") != "custom" or not _absent(facts, "same_as_everyday"):
        return None
    return Broken(
        "type is custom, and then same_as_everyday must say yes or no, but it is blank.",
        "Write yes and fill in daily_timing, or write no and fill in a column for each weekday.",
    )


def _daily_given(facts: Facts) -> Broken | None:
    if facts.given.get("same_as_everyday") is not True or not _absent(facts, "daily_timing"):
        return None
    return Broken(
        "same_as_everyday is yes, and then daily_timing must be given, but it is blank.",
        "Write the hours of every day in daily_timing, for example 09:00-18:00.",
    )


def _custom_given(facts: Facts) -> Broken | None:
    if facts.given.get("same_as_everyday") is not False or not all(_absent(facts, day) for day in WEEKDAYS):
        return None
    return Broken(
        "same_as_everyday is no, and then each business day's hours must be given, but no weekday column has any.",
        "Fill in the weekday columns, for example 10:00-17:00, or closed.",
        field="Monday",
    )


def _five_days(facts: Facts) -> Broken | None:
    days = facts.given.get("business_days")
    if facts.given.get("type") != "24*5" or not isinstance(days, Sequence) or isinstance(days, str):
        return None
    if len(days) in (0, FIVE_DAYS):
        return None
    return Broken(
        f"type is 24*5, but business_days names {len(days)} days.",
        f"Name exactly {FIVE_DAYS} days, or choose the type custom.",
    )


BUSINESS_HOURS_RULES: Final[tuple[Rule, ...]] = (
    Rule(
        name="business days given",
        code="DEPENDENT_FIELD_MISSING",
        field="business_days",
        looks_at=("type", "business_days"),
        says="business_days must be given when type is 24*5 or custom.",
        page=_PAGE,
        judge=_days_given,
    ),
    Rule(
        name="same_as_everyday given",
        code="DEPENDENT_FIELD_MISSING",
        field="same_as_everyday",
        looks_at=("type", "same_as_everyday"),
        says="same_as_everyday must be given when type is custom.",
        page=_PAGE,
        judge=_sameness_given,
    ),
    Rule(
        name="daily timing given",
        code="DEPENDENT_FIELD_MISSING",
        field="daily_timing",
        looks_at=("same_as_everyday", "daily_timing"),
        says="daily_timing must be given when same_as_everyday is yes.",
        page=_PAGE,
        judge=_daily_given,
    ),
    Rule(
        name="weekday timings given",
        code="DEPENDENT_FIELD_MISSING",
        field="Monday",
        looks_at=("same_as_everyday", *WEEKDAYS),
        says="The weekday columns must give hours when same_as_everyday is no.",
        page=_PAGE,
        judge=_custom_given,
    ),
    Rule(
        name="five days a week",
        code="INVALID_DATA",
        field="business_days",
        looks_at=("type", "business_days"),
        says="business_days must name exactly five days when type is 24*5.",
        page=_PAGE,
        judge=_five_days,
    ),
)
