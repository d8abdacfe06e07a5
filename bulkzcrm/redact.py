"""No secret is shown or written: a `Secret` hides itself, and `scrub` takes every known one out of a text.

`printable` does the same for what would steer a terminal.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from typing import final
from urllib.parse import quote, quote_plus

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ["MASK", "Secret", "printable", "register", "scrub"]

MASK = "***"

_SHORTEST = 6
"""Shorter values are not searched for in texts: they would blot out ordinary words, and no credential is so short."""

_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    # Access, refresh and grant tokens of the vendor all have this shape.
    (re.compile(r"\b1000\.[0-9a-f]{32}\.[0-9a-f]{32}(?![0-9a-f])", re.IGNORECASE), MASK),
    (re.compile(r"(?i)\b(Zoho-oauthtoken|Bearer)\s+[^\s\"',;}]+"), rf"\1 {MASK}"),
    (
        re.compile(r"(?i)(authorization[\"']?\s*[:=]\s*[\"']?(?:basic\s+)?)(?!Zoho-oauthtoken|Bearer)[^\s\"',;}]+"),
        rf"\1{MASK}",
    ),
    # Forms and query strings, then JSON and Python's repr. A colon alone is not enough: sentences have those.
    (re.compile(r"(?i)((?:_token|_secret|password)\s*=\s*[\"']?)[^\s\"'&,;}]+"), rf"\1{MASK}"),
    (re.compile(r"(?i)((?:_token|_secret|password)(?:\"\s*:\s*\"|'\s*:\s*'))[^\"']+"), rf"\1{MASK}"),
    (re.compile(r"(?i)([?&]code=)[^\s\"'&,;}]+"), rf"\1{MASK}"),
    (re.compile(r"(://)[^/\s\"'@]+@"), rf"\1{MASK}@"),
)


class _Registry:
    """The values to search for.

    They are searched for one by one: each new token would have a new expression compiled of all that there were, and
    whoever compiles expressions keeps them.
    """

    def __init__(self) -> None:
        self._values: set[str] = set()
        self._longest_first: list[str] = []

    def add(self, values: Iterable[str]) -> None:
        new = {value for value in values if len(value) >= _SHORTEST} - self._values
        if not new:
            return
        self._values |= new
        # So that a value that begins with another one goes as a whole.
        self._longest_first = sorted(self._values, key=lambda value: (-len(value), value))

    def mask(self, text: str) -> str:
        for value in self._longest_first:
            if value in text:
                text = text.replace(value, MASK)
        return text


_REGISTRY = _Registry()


def register(value: str) -> None:
    """Have `scrub` remove a value from now on, also where it is quoted for a URL, for JSON or by Python.

    Values of fewer than six characters are passed over.
    """
    _REGISTRY.add((value, quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1], repr(value)[1:-1]))


def printable(text: str) -> str:
    """Return a text without control characters: what stands in a spreadsheet must not steer anybody's terminal."""
    return "".join(character if character.isprintable() or character == "\n" else " " for character in text)


def scrub(text: str) -> str:
    """Return the text with every registered value, and whatever looks like a credential, replaced by `***`."""
    text = _REGISTRY.mask(text)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


@final
class Secret:
    """A text that shows itself as `***`; making one registers it with `scrub`.

    It can be compared and hashed, and is not pickled.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        register(value)

    def reveal(self) -> str:
        """Return the text itself, for the one place that sends it."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    @override
    def __eq__(self, other: object) -> bool:
        return self._value == other._value if isinstance(other, Secret) else NotImplemented

    @override
    def __hash__(self) -> int:
        return hash(self._value)

    @override
    def __str__(self) -> str:
        return MASK

    @override
    def __repr__(self) -> str:
        return MASK

    @override
    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("A Secret is not to be written anywhere.")
