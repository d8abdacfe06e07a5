"""An answer's body, read strictly: what is not exactly JSON, or says a thing twice, is no evidence at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NoReturn, TypeAlias

import msgspec
from msgspec import Struct, field

from bulkzcrm.model import Json

__all__ = [
    "LONGEST_ID",
    "Bare",
    "Body",
    "Element",
    "Elements",
    "Told",
    "Unreadable",
    "exact_id",
    "read_body",
]

LONGEST_ID = 20
"""Digits."""
_MULTIPLE = "MULTIPLE_OR_MULTI_ERRORS"
_OLD_TOO_MANY = 429
_DEEPEST = 5
_MOST_ERRORS = 50
_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


class Told(Struct, frozen=True, gc=False):
    """One error as the server tells it."""

    code: str
    details: Mapping[str, Json] = field(default_factory=dict)
    message: str = ""


class Element(Struct, frozen=True, gc=False):
    """What the server says about one record, or about the whole request.

    `status` is `success`, `error`, another word (`?` for what is no text), or blank where there is none. `errors` has
    what `told` consists of: several where the server found several, else just `told`. `action` is what an upsert did,
    `insert` or `update`, else blank. `has_code` tells that the code is given as the API gives it: as a text under its
    own name, or as the number 429 of older answers; others who answer on the way write JSON of their own.
    """

    status: str
    told: Told
    errors: tuple[Told, ...]
    action: str = ""
    has_code: bool = False


class Elements(Struct, frozen=True):
    """A body that judges records one by one, in order."""

    elements: tuple[Element, ...]


class Bare(Struct, frozen=True):
    """A body that says one thing, with a code, about the whole request."""

    element: Element


class Unreadable(Struct, frozen=True):
    """A body that says nothing usable; `reason` is a clause that follows "the answer"."""

    reason: str


Body: TypeAlias = Elements | Bare | Unreadable


def read_body(body: bytes, wrapper: str) -> Body:
    """Read an answer's body; `wrapper` is the key under which records are judged (`data`)."""
    if not body.strip():
        return Unreadable("is empty")
    try:
        value = _decode(body)
    except (ValueError, ArithmeticError, RecursionError):
        return Unreadable("is no proper JSON")
    if not isinstance(value, dict):
        return Unreadable("is not of the API's form")
    wrapped = value.get(wrapper)
    if isinstance(wrapped, dict):
        wrapped = [wrapped]
    if isinstance(wrapped, list):
        return Elements(tuple([_element(entry) for entry in wrapped]))
    element = _element(value)
    return Bare(element) if element.told.code else Unreadable("is not of the API's form")


def exact_id(value: Json) -> str | None:
    """Return an exact record id as text, `None` for anything else: a float has lost digits, and `true` is no number."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value)
    is_exact = 0 < len(text) <= LONGEST_ID and text.isascii() and text.isdigit() and text[0] != "0"
    return text if is_exact else None


def _decode(body: bytes) -> Json:
    """Decode a body; objects come as `dict`, arrays as `list`. Raises `ValueError` for what is no proper JSON."""
    try:
        known: Json = _decoder.decode(body)
        # What is the same when it is written again says nothing twice; whatever is not is read with more care.
        if _encoder.encode(known) == body.strip():
            return known
    except (ValueError, ArithmeticError, RecursionError):
        pass
    return _decode_with_care(body)


def _decode_with_care(body: bytes) -> Json:
    text = body.decode("utf-8")
    value: Json = json.loads(
        text, parse_float=Decimal, parse_constant=_refuse_constant, object_pairs_hook=_without_duplicates
    )
    if "\\ud" in text.casefold():
        json.dumps(value, ensure_ascii=False, default=str).encode("utf-8")  # fails on half of a surrogate pair
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _without_duplicates(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return members


def _element(value: Json) -> Element:
    if not isinstance(value, dict):
        return Element(status="", told=Told(""), errors=())
    told = _told(value)
    status = value.get("status")
    errors: list[Told] = []
    _collect(value, errors, depth=0)
    return Element(
        status=status if isinstance(status, str) else "" if status is None else "?",
        told=told,
        errors=tuple(errors),
        action=str(value.get("action") or ""),
        has_code=_has_code(value),
    )


def _collect(value: Mapping[str, Json], into: list[Told], *, depth: int) -> None:
    """Gather the errors of an element, those inside an error of several included."""
    told = _told(value)
    inner = _inner_errors(value, told) if told.code == _MULTIPLE and depth < _DEEPEST else []
    for error in inner:
        _collect(error, into, depth=depth + 1)
    if not inner and len(into) < _MOST_ERRORS:
        into.append(told)


def _inner_errors(value: Mapping[str, Json], told: Told) -> list[Mapping[str, Json]]:
    listed = told.details.get("errors") or value.get("errors")
    if not isinstance(listed, list):
        return []
    return [error for error in listed if isinstance(error, dict) and _told(error).code]


def _told(value: Mapping[str, Json]) -> Told:
    """Read code, details and message; older answers give the code as a number and its name as `error`."""
    message = value.get("message") or value.get("error_info") or value.get("error_description")
    return Told(_code(value), _details(value.get("details")), message if isinstance(message, str) else "")


def _code(value: Mapping[str, Json]) -> str:
    code, error = value.get("code"), value.get("error")
    if isinstance(code, str) and code.strip():
        return code.strip()
    if isinstance(error, str) and error.strip():
        return error.strip()
    return str(code) if isinstance(code, int) and not isinstance(code, bool) else ""


def _has_code(value: Mapping[str, Json]) -> bool:
    code = value.get("code")
    if isinstance(code, str):
        return bool(code.strip())
    return code == _OLD_TOO_MANY and value.get("error") == "TOO_MANY_REQUESTS"


def _details(value: Json) -> Mapping[str, Json]:
    if isinstance(value, list):
        value = next((entry for entry in value if isinstance(entry, dict)), None)
    return value if isinstance(value, dict) else {}
