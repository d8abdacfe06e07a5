"""Records → problems: applies what the operation declares, and knows no rule itself.

All problems of a record are found, in the order of the operation's fields. A rule that would need what was not read
abstains, and its name is kept, so that nobody believes it was checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from operator import itemgetter
from typing import TypeAlias, final

from bulkzcrm.model import Json, Problem, Record
from bulkzcrm.spec.facts import Facts, NotKnownError, Rule
from bulkzcrm.spec.fields import Field
from bulkzcrm.spec.operation import Operation

__all__ = ["Judgement", "Validator", "validate"]

_Placed: TypeAlias = tuple[int, Rule]
"""A rule and its place among the operation's."""

_KINDS = 1_000
"""So many kinds of new records are remembered at most; most sources have a handful."""

_SHOWN = 60
"""How many characters of a value a message shows."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is wrong with a record, and the names of the rules that could not be judged."""

    problems: tuple[Problem, ...]
    abstained: tuple[str, ...] = ()


_FLAWLESS = Judgement(())


def validate(operation: Operation, facts: Facts, *, beside: Sequence[Problem] = ()) -> Judgement:
    """Judge one record; for many, a `Validator` is quicker."""
    return Validator(operation)(facts, beside=beside)


@final
class Validator:
    """Judges records by an operation's fields and rules, which are sorted once by what they ask about."""

    def __init__(self, operation: Operation) -> None:
        self._limited = [(each, fits) for each in operation.fields if (fits := _fits(each)) is not None]
        # What is wrong with the shape of the whole row leads: the values may stand under the wrong headers.
        self._order = {"": -1} | {each.name: place for place, each in enumerate(operation.fields)}
        self._creates = operation.creates
        self._rules = tuple(enumerate(operation.rules))
        self._always: list[_Placed] = []
        self._with_value: dict[str, list[_Placed]] = {}
        self._while: dict[str, dict[Json, list[_Placed]]] = {}
        self._known: dict[tuple[tuple[bool, ...], tuple[str | None, ...]], Sequence[_Placed]] = {}
        """Of new records that say something in the same fields, the rules that are asked."""
        for placed in self._rules:
            rule = placed[1]
            if rule.only_while is not None:
                name, value = rule.only_while
                self._while.setdefault(name, {}).setdefault(value, []).append(placed)
            elif rule.blank_is_fine and rule.field not in operation.defaults:
                self._with_value.setdefault(rule.field, []).append(placed)
            else:
                self._always.append(placed)

    def __call__(self, facts: Facts, *, beside: Sequence[Problem] = ()) -> Judgement:
        """Judge one record.

        `beside` are problems that the row already has (from conversion, or from names): a rule is not asked about a
        field that could not be read, since whatever it said would follow from that.
        """
        if not beside and (abstained := self._abstaining(facts)) is not None:
            return Judgement((), tuple(abstained)) if abstained else _FLAWLESS
        return self._found(facts, beside)

    def _abstaining(self, facts: Facts) -> Sequence[str] | None:
        """Return the names of the rules that abstain, if nothing is wrong with a record, as with most; else `None`."""
        given, unread = facts.given, facts.organisation is None
        for each, fits in self._limited:
            value = given.get(each.name)
            if value is not None and not fits(value):
                return None
        abstained: list[str] = []
        for _, rule in self._asked(facts):
            if rule.needs and unread:
                continue
            try:
                if rule.judge(facts) is not None:
                    return None
            except NotKnownError:
                abstained.append(rule.name)
        return abstained

    def _found(self, facts: Facts, beside: Sequence[Problem]) -> Judgement:
        """Find all that is wrong with a record."""
        given = facts.given
        problems: list[Problem] = []
        for each, fits in self._limited:
            value = given.get(each.name)
            if value is not None and not fits(value):
                problems += _beyond_limits(each, value)
        unreadable = {problem.field for problem in beside}
        abstained: list[str] = []
        broken: list[tuple[int, Problem]] = []
        for place, rule in self._asked(facts):
            if rule.needs and facts.organisation is None:
                continue
            if unreadable and not unreadable.isdisjoint(rule.looks_at):
                continue
            try:
                how = rule.judge(facts)
            except NotKnownError:
                abstained.append(rule.name)
                continue
            if how is not None:
                problem = Problem(code=rule.code, field=how.field or rule.field, message=how.message, remedy=how.remedy)
                broken.append((place, problem))
        problems += (problem for _, problem in sorted(broken, key=itemgetter(0)))
        merged = sorted((*beside, *problems), key=lambda problem: self._order.get(problem.field, len(self._order)))
        return Judgement(tuple(merged), tuple(abstained))

    def _asked(self, facts: Facts) -> Iterable[_Placed]:
        """Return the rules that may be broken, in any order; the same for all rows that say as much."""
        given = facts.given
        if not self._creates:
            return (placed for placed in self._rules if any(name in given for name in placed[1].looks_at))
        if facts.current is None or facts.current.record or facts.current.silent:
            return self._rules
        says = tuple([given.get(name) is not None for name in self._with_value])
        chosen = tuple([given.get(name, facts.defaults.get(name)) for name in self._while])
        kind = says, tuple([each if isinstance(each, str) else None for each in chosen])
        asked = self._known.get(kind)
        if asked is None:
            if len(self._known) >= _KINDS:
                self._known.clear()
            asked = self._known[kind] = self._asked_of_new(given, facts.defaults)
        return asked

    def _asked_of_new(self, given: Record, defaults: Mapping[str, Json]) -> Sequence[_Placed]:
        """Return the rules that a new record may break: it holds what the row says and the defaults, nothing else."""
        asked = self._always.copy()
        for name, rules in self._with_value.items():
            if given.get(name) is not None:
                asked += rules
        for name, by_value in self._while.items():
            value = given[name] if name in given else defaults.get(name)
            if isinstance(value, str):
                asked += by_value.get(value, ())
        return asked


def _fits(each: Field) -> Callable[[Json], bool] | None:
    """Return a quick test that only values within all limits of the field pass; nothing for a field without limits."""
    limits = (
        each.maximum_length,
        each.maximum_values,
        each.minimum,
        each.maximum,
        each.maximum_digits,
        each.maximum_places,
    )
    match limits:
        case (None, None, None, None, None, None):
            return None
        case (int() as most, None, None, None, None, None):
            return lambda value: isinstance(value, str) and len(value) <= most
        case (None, int() as most, None, None, None, None):
            return lambda value: isinstance(value, list) and len(value) <= most
        case (None, None, int() as low, int() as high, None, None):
            return lambda value: type(value) is int and low <= value <= high
        case (None, None, None, None, int() as digits, int() as places):
            return _fits_digits(digits, places)
        case _:
            return lambda _: False  # every value is looked at closely


def _fits_digits(digits: int, places: int) -> Callable[[Json], bool]:
    quanta = [Decimal(1).scaleb(-place) for place in range(places, -1, -1)]

    def fits(value: Json) -> bool:
        if not isinstance(value, Decimal) or value.adjusted() >= digits:
            return False
        return any(map(value.same_quantum, quanta))

    return fits


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
