"""Values taken out of what a report says, for readers who must not see them, and for logs, which shall not hold them.

A value that is masked is five dots, however long it is; a longer word keeps its first and its last letter, an id its
last three digits. In sentences all that is quoted is a value, every address and id, the name before an id, what is
suggested in place of a value, and every number that is not told as a limit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

__all__ = ["GAP", "masked", "masked_fix", "masked_message", "without_values"]

GAP: Final = "…"
"""Stands for a value that has been left out."""

_DOTS: Final = "•••••"
_SHORTEST_WORD: Final = 5
_SHORTEST_VALUE: Final = 3
_SHORTEST_ID: Final = 15
_LONGEST: Final = 2_000
"""Characters of a message that are shown where values are hidden."""

_Hide: TypeAlias = Callable[[str], str]
"""Makes of a value what stands in its place."""

# Each begins where it cannot have begun before: a cell of half a million characters is looked through once.
_QUOTED = re.compile(r"“([^“”]*)”|\"([^\"]*)\"")
_ADDRESS = re.compile(r"(?<![^\s@()<>“”\";,•…])[^\s@()<>“”\";,•…]+@[^\s@()<>“”\";,•…]+")
_ID = re.compile(r"\d{15,20}", re.ASCII)
_BEFORE_ID = re.compile(r" \((?=•|…|\d{15})", re.ASCII)
_NOT_IN_A_NAME = re.compile(r"[.;:,()“”]")
_SUGGESTED = re.compile(r"(Did you mean |can mean \d+: | name is in: ).*?(?=\?|\.(?:\s|$)|$)", re.IGNORECASE)
_NUMBER = re.compile(
    r"(\(\d{1,2}\) |between \d[\d,]* and \d[\d,]*|from \d[\d,]* to \d[\d,]*|(?:at most|at least|only|than) \d[\d,]*\b)"
    r"|(?<![\w•])\d(?:[\d.,:/+TZ-]*\d)?",
    re.ASCII,
)
"""A number; first what counts problems or is a limit, which is the same for all rows."""
_ENTRIES = re.compile(r"[;\n]")


def masked(text: str) -> str:
    """Return what is shown for a value; blank stays blank."""
    bare = text.strip()
    if not bare:
        return ""
    if bare.isascii() and bare.isdecimal() and len(bare) >= _SHORTEST_ID:
        return _DOTS + bare[-3:]
    if len(bare) >= _SHORTEST_WORD and bare[0].isalpha() and bare[-1].isalpha():
        return bare[0] + _DOTS + bare[-1]
    return _DOTS


def masked_message(text: str, values: Iterable[str] = ()) -> str:
    """Return what is shown of a message about a row that holds these values."""
    return _without_numbers(masked_fix(text, values), masked)


def masked_fix(text: str, values: Iterable[str] = ()) -> str:
    """Return what is shown of what is to be done about such a row; its numbers are limits, and stay."""
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}{GAP}"
    pieces = {piece.strip() for value in values for piece in (value, *_ENTRIES.split(value))}
    for piece in sorted(pieces, key=len, reverse=True):
        if len(piece) >= _SHORTEST_VALUE and piece in text:
            text = re.sub(rf"(?<!\w){re.escape(piece)}(?!\w)", masked(piece), text)
    return _hidden(text, masked)


def without_values(text: str, *, numbers: bool = True) -> str:
    """Return a text with `GAP` for every value; with `numbers` for every one of them, too, that is not a limit."""
    bare = _hidden(text, lambda _: GAP)
    return _without_numbers(bare, lambda _: GAP) if numbers else bare


def _hidden(text: str, hide: _Hide) -> str:
    # Of what shall not even be hinted at, nothing is given to whoever hides it.
    wholly = hide("") or _DOTS
    text = _QUOTED.sub(lambda found: f"“{hide(found[1] or found[2] or '')}”", text)
    text = _without_names(text, wholly)
    text = _ID.sub(lambda found: hide(found[0]), text)
    text = _ADDRESS.sub(wholly, text)
    return _SUGGESTED.sub(rf"\1{wholly}", text)


def _without_names(text: str, instead: str) -> str:
    """Leave out the words before each id in brackets."""
    *before, last = _BEFORE_ID.split(text)
    return "".join(f"{_without_last_words(part)}{instead} (" for part in before) + last if before else text


def _without_last_words(part: str) -> str:
    end = max((found.end() for found in _NOT_IN_A_NAME.finditer(part)), default=0)
    return part[:end] + (" " if part[end : end + 1].isspace() else "")


def _without_numbers(text: str, hide: _Hide) -> str:
    return _NUMBER.sub(lambda found: found[1] or hide(found[0]), text)
