"""An answer's body, read strictly: what is not exactly JSON, or says a thing twice, is no evidence at all."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NoReturn, TypeAlias

from bulkzcrm.model import Json

__all__ = ["Bare", "Body", "Element", "Elements", "Told", "Unreadable", "read_body"]

_MULTIPLE = "MULTIPLE_OR_MULTI_ERRORS"
_OLD_TOO_MANY = 429
_DEEPEST = 5
_MOST_ERRORS = 50


@dataclass(frozen=True, slots=True)
class Told:
    """One error as the server tells it."""

    code: str
    details: Mapping[str, Json] = field(default_factory=dict)
    message: str = ""


@dataclass(frozen=True, slots=True)
class Element:
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


@dataclass(frozen=True, slots=True)
class Elements:
    """A body that judges records one by one, in order."""

    elements: tuple[Element, ...]


@dataclass(frozen=True, slots=True)
class Bare:
    """A body that says one thing, with a code, about the whole request."""

    element: Element


@dataclass(frozen=True, slots=True)
class Unreadable:
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
    if not isinstance(value, Mapping):
        return Unreadable("is not of the API's form")
    wrapped = value.get(wrapper)
    if isinstance(wrapped, Mapping):
        wrapped = [wrapped]
    if isinstance(wrapped, Sequence) and not isinstance(wrapped, str):
        return Elements(tuple(_element(entry) for entry in wrapped))
    element = _element(value)
    return Bare(element) if element.told.code else Unreadable("is not of the API's form")


def _decode(body: bytes) -> Json:
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
    if not isinstance(value, Mapping):
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
    if not isinstance(listed, Sequence) or isinstance(listed, str):
        return []
    return [error for error in listed if isinstance(error, Mapping) and _told(error).code]


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
    if isinstance(value, Sequence) and not isinstance(value, str):
        value = next((entry for entry in value if isinstance(entry, Mapping)), None)
    return value if isinstance(value, Mapping) else {}
