"""Rows of a block looked at together: which of them certainly have nothing wrong, whatever else is found in others.

Few combinations of values differ in what rules look at, and each different one is judged once. What is not certain is
left to whoever judges rows one by one, so that everything that is said of a row is said there and nowhere else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Final, TypeAlias, TypeVar, final

from msgspec import Struct

from bulkzcrm.blocks import Block, Strip
from bulkzcrm.exact_json import encode_exactly
from bulkzcrm.model import Json, Record
from bulkzcrm.spec.facts import Rule
from bulkzcrm.spec.fields import Field, Kind
from bulkzcrm.spec.operation import Operation
from bulkzcrm.validate import Validator

__all__ = ["IsFlawless", "Judging", "Screen"]

_T = TypeVar("_T")

IsFlawless: TypeAlias = Callable[[Record], bool]
"""Tells whether a new record that says this and nothing else has nothing wrong."""

Judging: TypeAlias = Callable[[Validator, Collection[str]], IsFlawless]
"""Returns what tells that of records that say something in these fields alone, by a validator's rules."""

_KNOWN: Final = 5_000
"""So many combinations of one group are remembered at most; most sources have a few hundred."""
_LONGEST: Final = 200
"""Bytes of a combination that is remembered; longer ones seldom come again, and would take all memory."""
_PLAIN_DIGITS: Final = (15, 2)
"""Digits that an amount has at most, before and after the point, if a text says it plainly."""


class _Group(Struct, frozen=True):
    """Fields that some rule looks at together, what judges them, and the combinations of values that were judged."""

    fields: tuple[str, ...]
    is_flawless: IsFlawless
    right: set[tuple[bytes, ...]]
    wrong: set[tuple[bytes, ...]]


@final
class Screen:
    """Screens the blocks of one run that makes new records; what was not met before is judged by `judging`."""

    def __init__(self, operation: Operation, judging: Judging) -> None:
        self._fields = {each.name: each for each in operation.fields}
        together = _looked_at_together(operation)
        self._groups = [
            _Group(fields, judging(_validator(operation, fields, rules), fields), set(), set())
            for fields, rules in together
        ]
        self._alone = {fields[0] for fields, rules in together if not rules}
        """Fields that no rule looks at."""

    def unproven(self, block: Block, rows: Collection[int]) -> set[int]:
        """Return which of the rows, by their places in the block, have to be looked at one by one.

        Of rows that are apart the block does not tell what they say: they are not for here. All others are left alone.
        """
        if not rows:
            return set()
        left_out = set(range(block.rows)).difference(rows) if len(rows) < block.rows else ()
        told = block.told()
        said = {name: _Said.of(strip) for name, strip in told.items() if not self._is_plainly_fine(strip)}
        found: set[int] = set()
        for group in self._groups:
            if any(name in said or name in block.constants for name in group.fields) or group.fields[0] not in told:
                found.update(self._unproven(group, said, block, left_out))
        return found.difference(left_out)

    def _is_plainly_fine(self, strip: Strip) -> bool:
        """Tell whether texts that say their values are within the limits of a field that no rule looks at."""
        field = self._fields[strip.field]
        if field.name not in self._alone or field.lookup is not None:
            return False
        match strip.said_plainly, field:
            case "text", Field(kind=Kind.TEXT, maximum_length=most):
                return most is None or max(map(len, filter(None, strip.cells)), default=0) <= most
            case "amount", Field(maximum_digits=int() as digits, maximum_places=int() as places):
                return digits >= _PLAIN_DIGITS[0] and places >= _PLAIN_DIGITS[1]
            case _:
                return False

    def _unproven(
        self, group: _Group, said: Mapping[str, _Said], block: Block, left_out: Collection[int]
    ) -> Iterable[int]:
        """Return rows of which a group's fields say what is not known to be right; some `left_out` may be among them.

        What only rows say that are left out is not judged.
        """
        names = [name for name in group.fields if name in said]
        columns = [said[name] for name in names]
        different = _different(columns, block.rows)
        marks = _combined([column.marks for column in columns], columns, different)
        if group.right.issuperset(marks):
            return ()
        new = {places: kind for places, kind in zip(different, marks, strict=True) if kind not in group.right}
        for places in _only_in(left_out, new.keys(), columns, block.rows) if left_out else ():
            del new[places]
        if not new:
            return ()
        constants = {name: block.constants[name] for name in group.fields if name in block.constants}
        values = _combined([column.values for column in columns], columns, [*new])
        of_wrong = {
            places
            for (places, kind), of_kind in zip(new.items(), values, strict=True)
            if not self._is_right(group, kind, constants, zip(names, of_kind, strict=True))
        }
        if not of_wrong:
            return ()
        return [row for row, places in enumerate(_places(columns, block.rows)) if places in of_wrong]

    def _is_right(
        self, group: _Group, kind: tuple[bytes, ...], constants: Record, said: Iterable[tuple[str, Json]]
    ) -> bool:
        """Tell whether nothing is wrong with a combination; what came of it is remembered, unless it is long."""
        if kind in group.right or kind in group.wrong:
            return kind in group.right
        is_right = group.is_flawless(constants | {name: value for name, value in said if value is not None})
        if sum(map(len, kind)) <= _LONGEST:
            known = group.right if is_right else group.wrong
            if len(known) >= _KNOWN:
                known.clear()
            known.add(kind)
        return is_right


def _looked_at_together(operation: Operation) -> list[tuple[tuple[str, ...], list[Rule]]]:
    """Return the largest groups of fields that a rule looks at together, each with its rules, and every other field."""
    order = [each.name for each in operation.fields]
    looked_at = [frozenset(rule.looks_at).intersection(order) for rule in operation.rules]
    largest = [each for each in dict.fromkeys(looked_at) if not any(each < other for other in looked_at)]
    groups: dict[frozenset[str], list[Rule]] = {each: [] for each in largest}
    for rule, fields in zip(operation.rules, looked_at, strict=True):
        next(rules for group, rules in groups.items() if fields <= group).append(rule)
    for name in order:
        if not any(name in group for group in largest):
            groups[frozenset({name})] = []
    return [(tuple(sorted(group, key=order.index)), rules) for group, rules in groups.items()]


def _validator(operation: Operation, fields: Sequence[str], rules: Sequence[Rule]) -> Validator:
    own = tuple(each for each in operation.fields if each.name in fields)
    return Validator(replace(operation, fields=own, rules=tuple(rules)))


class _Said(Struct, frozen=True):
    """The value of each cell of a strip, what stands for it, and which of them each row has; `None`: all the first."""

    values: Sequence[Json]
    marks: Sequence[bytes]
    places: Sequence[int] | None

    @classmethod
    def of(cls, strip: Strip) -> _Said:
        """Sum up a strip."""
        values = strip.all_values()
        places = None if len(strip.cells) == 1 else strip.codes or range(len(strip.cells))
        return cls(values, list(map(encode_exactly, values)), places)


def _places(columns: Sequence[_Said], rows: int) -> Iterable[tuple[int, ...]]:
    """Return for each row which values it has in those of the columns that have several."""
    varying = [column.places for column in columns if column.places is not None]
    return zip(*varying, strict=True) if varying else [()] * rows


def _only_in(
    some: Collection[int], combinations: AbstractSet[tuple[int, ...]], columns: Sequence[_Said], rows: int
) -> AbstractSet[tuple[int, ...]]:
    """Return which combinations only some of all rows have."""
    varying = [column.places for column in columns if column.places is not None]
    theirs = Counter(tuple([places[row] for places in varying]) for row in some)
    met = theirs.keys() & combinations

    def has_a_value_of_its_own(combination: tuple[int, ...]) -> bool:
        columns_of_it = zip(varying, combination, strict=True)
        return any(places.count(place) == sum(places[row] == place for row in some) for places, place in columns_of_it)

    if all(map(has_a_value_of_its_own, met)):
        return met
    # Seldom: each of its values stands in other rows, too.
    often = Counter(_places(columns, rows))
    return {combination for combination in met if often[combination] == theirs[combination]}


def _different(columns: Sequence[_Said], rows: int) -> Sequence[tuple[int, ...]]:
    """Return the combinations that differ."""
    varying = [column for column in columns if column.places is not None]
    if len(varying) == 1:
        return [(place,) for place in range(len(varying[0].marks))]
    return list(set(_places(varying, rows))) if varying else [()]


def _combined(
    things: Sequence[Sequence[_T]], columns: Sequence[_Said], different: Sequence[tuple[int, ...]]
) -> list[tuple[_T, ...]]:
    """Return for each of the combinations what all columns have for it; `things` are those of each, by its values."""
    if not columns:
        return [()] * len(different)
    places = iter(zip(*different, strict=True))
    return list(
        zip(
            *(
                [of_column[0]] * len(different) if column.places is None else map(of_column.__getitem__, next(places))
                for of_column, column in zip(things, columns, strict=True)
            ),
            strict=True,
        )
    )
