"""Every single way in which a rule of `bulkzcrm.spec` is turned into a wrong one, to see whether anything notices.

A flip is applied in this process and taken back. `caught_by` asks the cases that concern it first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any, Final

import pytest
from agreement import BASES, Case, at_edge, client_says, departure, edges_of
from edges import Edge
from golden_rows import ROWS, departure_from
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from two_sides import API, TwoSides
from worlds import world

from bulkzcrm.spec import completion, settings_rules
from bulkzcrm.spec.facts import Facts, Rule
from bulkzcrm.spec.fields import WEEKDAYS, Field, Kind
from bulkzcrm.spec.operation import Operation, Request
from bulkzcrm.spec.operations import OPERATIONS
from bulkzcrm.spec.organisation import Reading

_NUMBERS: Final = ("maximum_length", "maximum_values", "minimum", "maximum", "maximum_digits", "maximum_places")
_EXTRA: Final = (
    "Elsewhere",
    "-",
    "no such thing",
    "Weekends",
    "Specific",
    "Perhaps",
    "None",
    "24*6",
    "Funday",
    "asleep",
)
_DRAWN: Final = 3
"""Cases at each side of an edge."""
_SPELLINGS: Final = 8
"""Cases where it matters how a choice is spelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """One rule made wrong. `about` is the field or rule that it concerns."""

    title: str
    operation: str
    about: str
    apply: Callable[[pytest.MonkeyPatch], None]


def flips() -> Iterator[Flip]:
    """All of them, one at a time."""
    for operation in tuple(OPERATIONS.values()):
        for each in operation.fields:
            yield from _of_field(operation, each)
        for rule in operation.rules:
            if any(operation.field(name) for name in rule.looks_at):
                yield from _of_rule(operation, rule)
        yield from _of_operation(operation)
    yield from _of_completion()
    for days in (settings_rules.FIVE_DAYS - 1, settings_rules.FIVE_DAYS + 1):
        yield Flip(
            title=f"FIVE_DAYS is {days}",
            operation="update-business-hours",
            about="five days a week",
            apply=lambda patch, days=days: patch.setattr(settings_rules, "FIVE_DAYS", days),
        )


def _flip(operation: Operation, title: str, about: str, **changed: Any) -> Flip:
    other = replace(operation, **changed)
    return Flip(
        title=f"{operation.name}: {title}",
        operation=operation.name,
        about=about,
        apply=lambda patch: patch.setitem(OPERATIONS, operation.name, other),
    )


def _of_field(operation: Operation, each: Field) -> Iterator[Flip]:
    def flip(what: str, **changed: Any) -> Flip:
        others = tuple(replace(each, **changed) if other is each else other for other in operation.fields)
        return _flip(operation, f"{each.name} {what}", each.name, fields=others)

    if each.mandatory:
        yield flip("is not mandatory", mandatory=False)
    if each.never_empty:
        yield flip("can be emptied", never_empty=False)
    for choice in each.choices:
        rest = tuple(other for other in each.choices if other != choice)
        aliases = {alias: own for alias, own in each.aliases.items() if own != choice}
        yield flip(f"cannot be {choice}", choices=rest, aliases=aliases)
    if each.choices and not each.open_choices:
        yield flip("can be more", choices=(*each.choices, *_EXTRA))
    if each.open_choices:
        yield flip("cannot be more", open_choices=False)
    for name in _NUMBERS:
        limit = getattr(each, name)
        for other in () if limit is None else (limit - 1, limit + 1):
            # A cell names each day once, so that a limit beyond seven is none.
            if not (each.kind is Kind.DAYS and other > len(WEEKDAYS)):
                yield flip(f"has {name} {other}", **{name: other})


def _of_rule(operation: Operation, rule: Rule) -> Iterator[Flip]:
    def flip(what: str, **changed: Any) -> Flip:
        others = tuple(replace(rule, **changed) if other is rule else other for other in operation.rules)
        return _flip(operation, f"“{rule.name}” {what}", rule.name, rules=others)

    def elsewhere(facts: Facts) -> Any:
        broken = rule.judge(facts)
        return broken and replace(broken, field="nowhere")

    def never(facts: Facts) -> None:
        del facts

    yield flip("never breaks", judge=never)
    yield flip("has another code", code="ANOTHER_CODE")
    yield flip("names another field", judge=elsewhere)


def _of_operation(operation: Operation) -> Iterator[Flip]:
    # Users are read for the names of members, too, so that a rule that forgot to ask for them would still have them.
    for reading in {reading for rule in operation.rules for reading in rule.needs} - {Reading.USERS}:
        if any(operation.field(name) for rule in operation.rules if reading in rule.needs for name in rule.looks_at):
            rules = tuple(replace(rule, needs=tuple(set(rule.needs) - {reading})) for rule in operation.rules)
            yield _flip(operation, f"no rule needs the {reading.value}", reading.value, rules=rules)
    for other in (operation.maximum - 1, operation.maximum + 1):
        yield _flip(operation, f"takes {other} records", "maximum", maximum=other)
    yield _flip(operation, "creates, or no longer does", "creates", creates=not operation.creates)
    # An id finds its record whether it stands in `find_by` or not; there it is for the messages.
    for name in set(operation.find_by) - {"id"}:
        rest = tuple(other for other in operation.find_by if other != name)
        yield _flip(operation, f"does not find by {name}", name, find_by=rest)
    for name in operation.defaults:
        rest = {other: value for other, value in operation.defaults.items() if other != name}
        yield _flip(operation, f"has no default for {name}", name, defaults=rest)
    if operation.find_by:
        yield _flip(operation, "renames, or no longer does", "Service_Name", renames=not operation.renames)


def _of_completion() -> Iterator[Flip]:
    # Availability_Type goes along with its dependents, too.
    for name in set(completion.UPDATE_MANDATORY) - {"Availability_Type"}:
        rest = tuple(other for other in completion.UPDATE_MANDATORY if other != name)
        yield Flip(
            title=f"an update need not send {name}",
            operation="update-services",
            about=name,
            apply=lambda patch, rest=rest: patch.setattr(completion, "UPDATE_MANDATORY", rest),
        )
    for controlling, choices in completion.DEPENDENTS.items():
        for chosen, dependents in choices.items():
            for name in dependents:
                rest = {**choices, chosen: tuple(other for other in dependents if other != name)}
                wrong = {**completion.DEPENDENTS, controlling: rest}
                yield Flip(
                    title=f"an update that sends {chosen} need not send {name}",
                    operation="update-services",
                    about=name,
                    apply=lambda patch, wrong=wrong: patch.setattr(completion, "DEPENDENTS", wrong),
                )


def caught_by(flip: Flip) -> str | None:
    """Name the first golden pair or case of agreement that fails under the flip, or nothing."""
    _sound_request(flip.operation)
    nearest = sorted(checks(), key=lambda each: each.distance(flip))
    with pytest.MonkeyPatch.context() as patch:
        flip.apply(patch)
        if told := wrong_maximum(flip.operation) or wrong_effect(flip.operation):
            return f"agreement: {told}"
        return next((each.title for each in nearest if each.fails()), None)


def wrong_maximum(operation: str) -> str | None:
    """Say how the operation's maximum is not the most that the server takes, or nothing."""
    maximum, request = OPERATIONS[operation].maximum, OPERATIONS[operation].request
    if OPERATIONS[operation].path.startswith("settings"):
        return None if maximum == 1 else f"one request takes 1 record, not {maximum}"
    sides, sent = _sound_request(operation)
    made = [request(sent.body["data"] * count, triggers=True) for count in (maximum, maximum + 1)]
    accepted = [sides.server(each.method, API + each.path, each.body).accepts for each in made]
    return None if accepted == [True, False] else f"{maximum} records are not the most that the server takes"


def wrong_effect(operation: str) -> str | None:
    """Say how the operation is taken for one that creates though it does not, or the other way round; or nothing."""
    sides, sent = _sound_request(operation)
    after = sides.server(sent.method, API + sent.path, sent.body).holds
    creates = len(after["services"]) > len(sides.services())
    return (
        None if OPERATIONS[operation].creates == creates else f"a request {'makes' if creates else 'makes no'} record"
    )


@cache
def _sound_request(operation: str) -> tuple[TwoSides, Request]:
    """A request that our client sends, unflipped, and that the server accepts."""
    for edge, refused, case in corpus(operation):
        if not refused and edge.in_world == "seeded":
            request = client_says(case).request
            if request is not None:
                return world(case.world), request
    raise LookupError(operation)


@dataclass(frozen=True, slots=True)
class Check:
    """Something that can notice a flip: what it is about, and what it finds amiss."""

    title: str
    operation: str
    about: str
    departs: Callable[[], str | None]

    def fails(self) -> bool:
        try:
            return self.departs() is not None
        except Exception:  # noqa: BLE001 -- a rule that is wrong may fail in any way, and has then been noticed
            return True

    def distance(self, flip: Flip) -> int:
        return 2 * (self.operation != flip.operation) + (flip.about not in self.about)


@cache
def checks() -> tuple[Check, ...]:
    """All golden pairs, and some cases at each side of each edge; those that fail unflipped are left out."""
    return tuple(each for each in _all_checks() if not each.fails())


@cache
def failing() -> tuple[str, ...]:
    """The titles of the checks that fail unflipped."""
    sound = {each.title for each in checks()}
    return tuple(each.title for each in _all_checks() if each.title not in sound)


@cache
def _all_checks() -> tuple[Check, ...]:
    pairs = [
        Check(f"golden: {pair.title}", pair.operation, " ".join(pair.row), partial(departure_from, pair))
        for pair in ROWS
    ]
    cases = [
        Check(
            f"agreement: {operation}, {edge.title}, {'refused' if refused else 'accepted'}",
            operation,
            edge.rule,
            partial(departure, case, edge, refused=refused),
        )
        for operation in BASES
        for edge, refused, case in corpus(operation)
    ]
    return (*pairs, *cases)


@cache
def corpus(operation: str) -> tuple[tuple[Edge, bool, Case], ...]:
    """Some cases at each side of each edge of an operation, always the same ones."""
    return tuple(
        (edge, refused, case)
        for edge in edges_of(operation)
        for refused in (True, False)
        for case in drawn(at_edge(operation, edge, refused=refused), _SPELLINGS if "choices" in edge.rule else _DRAWN)
    )


def drawn(cases: st.SearchStrategy[Case], count: int) -> list[Case]:
    """The first few that hypothesis draws."""
    found: list[Case] = []

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases)
    def keep(case: Case) -> None:
        found.append(case)

    keep()
    return found
