"""Where an answer points: its `json_path` and `api_name`, read as row, top-level field and value of the record."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from bulkzcrm.model import Json, Record
from bulkzcrm.spec.codes.nouns import Family

__all__ = ["Place", "place_of", "row_named"]

_STEP = re.compile(r"\[\s*(\d{1,6}|\*)\s*\]|([^\s.\[\]$][^.\[\]]*)")
_WRAPPERS = frozenset(Family)
_PARENTS = {"From": "Available_Timings", "To": "Available_Timings"}
"""Leaves that stand inside one field only, for answers that give no path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What an answer points at.

    `row` is the record's number in the request, from 0, where the path has one (`[*]` has none). `steps` lead from the
    record to the value, names and list positions; `leaf` is the answer's own `api_name`.
    """

    leaf: str
    row: int | None = None
    steps: tuple[str | int, ...] = ()

    @property
    def shown(self) -> str:
        """The path inside the record, as a person reads it (`Available_Timings[0].To`)."""
        text = ""
        for step in self.steps:
            text += f"[{step}]" if isinstance(step, int) else f".{step}"
        return text.removeprefix(".")

    def field(self, record: Record, fields: Collection[str]) -> str:
        """Return the top-level field to mend, in the spelling of `fields` where it is one of them.

        Blank when the whole record or request is meant. A custom business timing belongs to the field named after its
        day, where there is such a field.
        """
        names = [step for step in self.steps if isinstance(step, str)]
        top = names[0] if names else _PARENTS.get(self.leaf, self.leaf.split(".")[0])
        if top in _WRAPPERS:
            return ""
        spellings = {name.casefold(): name for name in fields}
        if top == "custom_timing":
            top = spellings.get(self._day(record).casefold(), top)
        return spellings.get(top.casefold(), top)

    def value(self, record: Record) -> Json:
        """Return what the record holds at this place, `None` if it holds nothing there."""
        found: Json = record
        for step in self.steps:
            if isinstance(step, str) and isinstance(found, Mapping):
                found = found.get(step)
            elif isinstance(step, int) and isinstance(found, Sequence) and not isinstance(found, str):
                found = found[step] if step < len(found) else None
            else:
                return None
        return found if self.steps else None

    def _day(self, record: Record) -> str:
        timing = Place(leaf="", steps=self.steps[:2]).value(record)
        day = timing.get("days") if isinstance(timing, Mapping) else None
        return day if isinstance(day, str) else ""


def place_of(details: Mapping[str, Json]) -> Place:
    """Read where the `details` of an answer point; without a usable path only the leaf is known."""
    leaf, path = details.get("api_name"), details.get("json_path")
    leaf = leaf.strip()[:100] if isinstance(leaf, str) else ""
    if not isinstance(path, str) or not path.startswith("$"):
        return Place(leaf=leaf)
    steps: list[str | int] = [_step(index, name) for index, name in _STEP.findall(path[:500])]
    if not steps or steps[0] not in _WRAPPERS:
        return Place(leaf=leaf, steps=tuple(steps))
    match steps[1:]:
        case [int(row), *inside]:
            return Place(leaf=leaf, row=row, steps=tuple(inside))
        case ["*", *inside] | inside:
            return Place(leaf=leaf, steps=tuple(inside))


def row_named(details: Mapping[str, Json]) -> int | None:
    """Return the number, from 0, of the record that the `details` of an answer name by their path; `None` for none."""
    return place_of(details).row


def _step(index: str, name: str) -> str | int:
    if index:
        return index if index == "*" else int(index)
    return name.strip()
