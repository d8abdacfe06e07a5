"""One cell can hold a list: semicolons and line breaks separate, commas only where they cannot belong to an entry."""

from __future__ import annotations

import re

__all__ = ["date_entries", "entries", "entries_with_commas"]

_LONGEST_DATE = 64
_SEPARATORS = re.compile(r"[;\r\n]+")
_SEPARATORS_AND_COMMA = re.compile(r"[;,\r\n]+")
_YEAR = re.compile(r"[0-9]{4}(?![0-9])(?!\s?[/.\-])")
"""The part behind the comma of `March 31, 2026`; `2026-03-31` stands for itself."""
_WEEKDAY = re.compile(r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*", re.IGNORECASE)


def entries(text: str) -> list[str]:
    """Split at semicolons and line breaks; blank entries are dropped, outer blanks removed."""
    return _parts(_SEPARATORS, text)


def entries_with_commas(text: str) -> list[str]:
    """Split at commas, too."""
    return _parts(_SEPARATORS_AND_COMMA, text)


def date_entries(text: str) -> list[str]:
    """Split a list of dates at commas, too, but not inside `March 31, 2026` or `Tuesday, March 31, 2026`."""
    if "," not in text:
        return entries(text)
    joined: list[str] = []
    for entry in entries(text):
        continues = False
        for part in _parts(_SEPARATORS_AND_COMMA, entry):
            if (
                joined
                and len(joined[-1]) <= _LONGEST_DATE
                and (continues or (_YEAR.match(part) and not _ends_with_year(joined[-1])))
            ):
                joined[-1] = f"{joined[-1]}, {part}"
            else:
                joined.append(part)
            continues = _WEEKDAY.fullmatch(part) is not None
    return joined


def _ends_with_year(part: str) -> bool:
    return len(part) >= 4 and part[-4:].isdigit()


def _parts(separators: re.Pattern[str], text: str) -> list[str]:
    return [part for raw in separators.split(text) if (part := raw.strip())]
