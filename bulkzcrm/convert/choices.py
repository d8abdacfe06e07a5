"""Closed choices come out in the API's own spelling, however a person wrote them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from bulkzcrm.convert.entries import entries_with_commas
from bulkzcrm.convert.values import ReadText, Refusal
from bulkzcrm.convert.words import BAD_BOOLEAN, BAD_DAY, unknown_choice
from bulkzcrm.spec.fields import WEEKDAYS, Field

__all__ = ["choice_reader", "read_boolean", "read_days"]

_BOOLEANS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
_ABBREVIATIONS = {day[:length].casefold(): day for day in WEEKDAYS for length in (2, 3, len(day))} | {
    "tues": "Tuesday",
    "weds": "Wednesday",
    "thur": "Thursday",
    "thurs": "Thursday",
}
_LONGEST_RANGE = 40
_RANGE = re.compile(r"\s*[-\u2010-\u2015\u2212]\s*|\s+to\s+", re.IGNORECASE)


def choice_reader(field: Field) -> ReadText:
    """Return a reader of the field's choices, ignoring case and spacing.

    Where the choices are yes and no, true, false, 1 and 0 are understood; where they are the days of the week, their
    abbreviations are. A field with open choices passes other texts on as written.
    """
    spellings = {_key(choice): choice for choice in field.choices}
    known = {
        **_implied(field.choices, spellings),
        **{_key(alias): own for alias, own in field.aliases.items()},
        **spellings,
    }
    names = list(spellings)

    def read(text: str) -> str | Refusal:
        key = _key(text)
        own = known.get(key)
        if own is not None:
            return own
        if field.open_choices:
            return text
        nearest = get_close_matches(key[:80], names, n=1)
        return Refusal(unknown_choice(field.choices, spellings[nearest[0]] if nearest else None), text)

    return read


def read_days(text: str) -> list[str] | Refusal:
    """Read days of the week and ranges of them (`Sat-Mon` runs over the end of the week), each day once."""
    days: dict[str, None] = {}
    for entry in entries_with_commas(text):
        day = _ABBREVIATIONS.get(entry.casefold())
        found = _range(entry) if day is None else (day,)
        if found is None:
            return Refusal(BAD_DAY, entry)
        days.update(dict.fromkeys(found))
    return list(days) or Refusal(BAD_DAY, text)


def read_boolean(text: str) -> bool | Refusal:
    """Read yes, no, true, false, 1 or 0, ignoring case."""
    value = _BOOLEANS.get(text.casefold())
    return Refusal(BAD_BOOLEAN, text) if value is None else value


def _key(text: str) -> str:
    return "".join(text.split()).casefold()


def _implied(choices: tuple[str, ...], spellings: Mapping[str, str]) -> Mapping[str, str]:
    if {"yes", "no"} <= spellings.keys():
        return {word: spellings["yes" if value else "no"] for word, value in _BOOLEANS.items()}
    return _ABBREVIATIONS if set(choices) == set(WEEKDAYS) else {}


def _range(entry: str) -> Sequence[str] | None:
    names = _RANGE.split(entry) if len(entry) <= _LONGEST_RANGE else []
    match [_ABBREVIATIONS.get(name.removesuffix(".").casefold()) for name in names]:
        case [str() as day]:
            return [day]
        case [str() as first, str() as last]:
            start = WEEKDAYS.index(first)
            length = (WEEKDAYS.index(last) - start) % 7 + 1
            return [WEEKDAYS[(start + step) % 7] for step in range(length)]
        case _:
            return None
