"""JSON text in and out with exact numbers: a price never passes through a binary float."""

from __future__ import annotations

import json
import re
import secrets
from decimal import Decimal
from typing import TypeAlias

Json: TypeAlias = dict[str, object]

# A string that no request can hold marks the decimals, which the standard encoder cannot write as numbers.
_MARK = secrets.token_hex(16)
_MARKED = re.compile(f'"{_MARK}:([^"]+)"')


def dumps(value: object) -> str:
    """Write a value as compact ASCII JSON; a Decimal becomes a number with all its digits."""
    text = json.dumps(value, default=_mark, separators=(",", ":"))
    return _MARKED.sub(r"\1", text)


def loads(text: str | bytes) -> object:
    """Read JSON; fractions become Decimal. Raises ValueError for what is no JSON, NaN and Infinity included."""
    try:
        value: object = json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError("The JSON is nested too deeply.") from error
    return value


def loads_object(text: str | bytes) -> Json:
    """Read JSON that must be an object. Raises ValueError otherwise."""
    value = loads(text)
    if not isinstance(value, dict):
        raise ValueError("The JSON is no object.")  # noqa: TRY004 -- one exception for every unusable text
    return value


def _mark(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{_MARK}:{value:f}"
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON value.")
