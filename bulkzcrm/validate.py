"""Records → problems: applies what the operation declares, and knows no rule itself.

All problems of a record are found, in the order of the operation's fields. A rule that would need what was not read
abstains, and its name is kept, so that nobody believes it was checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from bulkzcrm.model import Json, Problem
from bulkzcrm.spec.facts import Facts, NotKnownError, Rule
from bulkzcrm.spec.fields import Field
from bulkzcrm.spec.operation import Operation

__all__ = ["Judgement", "validate"]

_SHOWN = 60
"""How many characters of a value a message shows."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is wrong with a record, and the names of the rules that could not be judged."""

    problems: tuple[Problem, ...]
    abstained: tuple[str, ...] = ()


def validate(operation: Operation, facts: Facts, *, beside: Sequence[Problem] = ()) -> Judgement:
    """Judge one record by the operation's fields and rules.

    `beside` are problems that the row already has (from conversion, or from names): a rule is not asked about a field
    that could not be read, since whatever it said would follow from that.
    """
    unreadable = {problem.field for problem in beside}
    problems = [
        problem
        for each in operation.fields
        if each.name in facts.given
        for problem in _beyond_limits(each, facts.given[each.name])
    ]
    abstained = []
    for rule in operation.rules:
        if not _concerns(rule, operation, facts) or not unreadable.isdisjoint(rule.looks_at):
            continue
        try:
            broken = rule.judge(facts)
        except NotKnownError:
            abstained.append(rule.name)
            continue
        if broken is not None:
            problems.append(
                Problem(
                    code=rule.code,
                    field=broken.field or rule.field,
                    message=broken.message,
                    remedy=broken.remedy,
                )
            )
    # What is wrong with the shape of the whole row leads: the values may stand under the wrong headers.
    order = {"": -1} | {each.name: place for place, each in enumerate(operation.fields)}
    merged = sorted((*beside, *problems), key=lambda problem: order.get(problem.field, len(order)))
    return Judgement(tuple(merged), tuple(abstained))


def _concerns(rule: Rule, operation: Operation, facts: Facts) -> bool:
    return operation.creates or any(name in facts.given for name in rule.looks_at)


def _beyond_limits(each: Field, value: Json) -> Iterator[Problem]:
    """Yield a problem for each limit of the field that the value oversteps."""
    if value is None:
        return
    if each.maximum_length is not None and isinstance(value, str) and len(value) > each.maximum_length:
        yield _problem(
            each,
            f"{each.name} has {len(value):,} characters; at most {each.maximum_length:,} are allowed.",
            "Shorten the text.",
        )
    if each.maximum_values is not None and _count(value) > each.maximum_values:
        yield _problem(
            each,
            f"{each.name} lists {_count(value)} entries; at most {each.maximum_values} are allowed.",
            "Take entries out of the cell until it fits.",
        )
    if isinstance(value, int) and not isinstance(value, bool):
        yield from _beyond_range(each, value)
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        # A whole amount comes back from the journal as the equal int.
        yield from _beyond_digits(each, Decimal(value))


def _count(value: Json) -> int:
    return len(value) if isinstance(value, Sequence) and not isinstance(value, str) else 0


def _beyond_range(each: Field, value: int) -> Iterator[Problem]:
    low, high = each.minimum, each.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        yield _problem(
            each,
            f"{each.name} is {str(value)[:_SHOWN]}; it must lie between {low} and {high}.",
            f"Give a whole number from {low} to {high}.",
        )


def _beyond_digits(each: Field, value: Decimal) -> Iterator[Problem]:
    whole, _, places = format(value, "f").lstrip("-").partition(".")
    if each.maximum_digits is not None and len(whole.lstrip("0")) > each.maximum_digits:
        yield _problem(
            each,
            f"{each.name} has {len(whole)} digits before the point; at most {each.maximum_digits} are allowed.",
            "Give a smaller amount.",
        )
    if each.maximum_places is not None and len(places.rstrip("0")) > each.maximum_places:
        yield _problem(
            each,
            f"{each.name} ({str(value)[:_SHOWN]}) has more than {each.maximum_places} digits after the point.",
            "Round the amount.",
        )


def _problem(each: Field, message: str, remedy: str) -> Problem:
    return Problem(code="INVALID_DATA", field=each.name, message=message, remedy=remedy)
