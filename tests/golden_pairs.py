"""The golden pairs: what the vendor's pages say, as data that neither our client nor our sandbox had a hand in.

`golden/README.md` describes the files. Both sides read them through `load`, so that a shorthand means the same to both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeGuard

import msgspec

from bulkzcrm.model import Json

FOLDER = Path(__file__).parent / "golden"
ANY = "<any>"
FIRST_EXTRA_USER = 5545974000000400001

_REPEATED = re.compile(r"<(\w)\*(\d+)>")
_MEMBERS = re.compile(r"<members\*(\d+)>")


class Local(StrEnum):
    """What our tool does with a row on `run`, before anything is sent."""

    SENDS = "sends"
    UNCHANGED = "unchanged"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class LocalProblem:
    """A problem that our tool must find; where the pages leave code or field open, any one of several will do."""

    codes: frozenset[str]
    fields: frozenset[str]


@dataclass(frozen=True, slots=True)
class Client:
    """What our tool does with the row; `problems` is empty unless the row is invalid."""

    verdict: Local
    problems: tuple[LocalProblem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request as it goes over the wire; `authorization` stands in for a valid access token.

    `<any>` in `body` stands for the id of a member's own row, which only a reading of the organisation can tell.
    """

    method: str
    path: str
    body: Json
    authorization: str | None

    def sendable(self) -> bytes | None:
        """The body as bytes, exact numbers and all, without the row ids that are not known here."""
        return None if self.body is None else _encoder.encode(_without_any(self.body))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the API answers.

    `api_names` is empty where the pages name none, and holds several where they leave it open.
    """

    status: int
    code: str | None
    api_names: frozenset[str]
    body: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenPair:
    """One file: a rule of the pages, a row, what our tool does with it, a request, and what the API answers."""

    operation: str
    name: str
    says: str
    page: str
    now: datetime
    organisation: Mapping[str, Any]
    row: Mapping[str, str] | None
    client: Client | None
    request: Request | None
    answer: Answer | None

    @property
    def title(self) -> str:
        """The pair's name in a list of tests."""
        return f"{self.operation}/{self.name}"


def load(folder: Path = FOLDER) -> list[GoldenPair]:
    """Read all pairs, by operation and name, with every shorthand written out; unknown keys are an error."""
    return [_pair(path) for path in sorted(folder.glob("*/*.json"))]


def extra_users(count: int) -> list[str]:
    """The ids of the active and confirmed users that an organisation with `extra_users` has besides the seeded ones."""
    return [str(FIRST_EXTRA_USER + number) for number in range(count)]


def difference(expected: Json, found: Json, *, extra_keys: bool, path: str = "$") -> str | None:
    """Say where `found` departs from `expected`, or nothing if it does not.

    `<any>` agrees with every value that is there. With `extra_keys`, `found` may hold keys that are not expected.
    Numbers agree by value, so that 80 and 80.00 are the same; true and 1 are not.
    """
    if expected == ANY:
        return None
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        surplus = set() if extra_keys else found.keys() - expected.keys()
        if surplus or expected.keys() - found.keys():
            return f"{path} has the keys {sorted(found)}, not {sorted(expected)}"
        parts = [(value, found[key], f"{path}.{key}") for key, value in expected.items()]
    elif _is_list(expected) and _is_list(found):
        if len(expected) != len(found):
            return f"{path} has {len(found)} values, not {len(expected)}"
        parts = [
            (value, other, f"{path}[{index}]") for index, (value, other) in enumerate(zip(expected, found, strict=True))
        ]
    else:
        alike = expected == found and isinstance(expected, bool) == isinstance(found, bool)
        return None if alike else f"{path} is {found!r}, not {expected!r}"
    told = (difference(value, other, extra_keys=extra_keys, path=place) for value, other, place in parts)
    return next((text for text in told if text), None)


class _ProblemText(msgspec.Struct, forbid_unknown_fields=True):
    code: str | list[str]
    field: str | list[str]


class _ClientText(msgspec.Struct, forbid_unknown_fields=True):
    sends: bool = False
    unchanged: bool = False
    invalid: list[_ProblemText] = []


class _RequestText(msgspec.Struct, forbid_unknown_fields=True):
    method: str
    path: str
    body: Any = None
    repeat: int = 1
    authorization: str | None = None


class _AnswerText(msgspec.Struct, forbid_unknown_fields=True):
    status: int
    code: str | None = None
    api_name: str | list[str] = []
    body: Any = None


class _Text(msgspec.Struct, forbid_unknown_fields=True):
    """A file as it stands."""

    says: str
    page: str
    now: str
    organisation: dict[str, Any] = {}
    row: dict[str, str] | None = None
    client: _ClientText | None = None
    request: _RequestText | None = None
    answer: _AnswerText | None = None


_decoder = msgspec.json.Decoder(_Text, float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


def _pair(path: Path) -> GoldenPair:
    text = _decoder.decode(path.read_bytes())
    return GoldenPair(
        operation=path.parent.name,
        name=path.stem,
        says=text.says,
        page=text.page,
        now=datetime.fromisoformat(text.now),
        organisation=text.organisation,
        row=None if text.row is None else {field: _cell(cell) for field, cell in text.row.items()},
        client=_client(text.client) if text.client else None,
        request=_request(text.request) if text.request else None,
        answer=_answer(text.answer) if text.answer else None,
    )


def _client(text: _ClientText) -> Client:
    [verdict] = [verdict for verdict in Local if getattr(text, verdict.value)]
    problems = (LocalProblem(_either(problem.code), _either(problem.field)) for problem in text.invalid)
    return Client(verdict, tuple(problems))


def _request(text: _RequestText) -> Request:
    body = _written_out(text.body)
    if text.repeat > 1 and isinstance(body, dict):
        body = {"data": body["data"] * text.repeat}
    return Request(method=text.method, path=text.path, body=body, authorization=text.authorization)


def _answer(text: _AnswerText) -> Answer:
    return Answer(status=text.status, code=text.code, api_names=_either(text.api_name), body=text.body)


def _either(names: str | list[str]) -> frozenset[str]:
    return frozenset([names] if isinstance(names, str) else names)


def _cell(cell: str) -> str:
    if members := _MEMBERS.fullmatch(cell):
        return "; ".join(extra_users(int(members[1])))
    return _repeated(cell)


def _written_out(value: Any) -> Any:
    match value:
        case dict():
            return {key: _written_out(part) for key, part in value.items()}
        case list():
            return [_written_out(part) for part in value]
        case str() if members := _MEMBERS.fullmatch(value):
            return [{"Members": {"id": user}} for user in extra_users(int(members[1]))]
        case str():
            return _repeated(value)
        case _:
            return value


def _repeated(text: str) -> str:
    found = _REPEATED.fullmatch(text)
    return found[1] * int(found[2]) if found else text


def _without_any(value: Any) -> Any:
    match value:
        case dict():
            return {key: _without_any(part) for key, part in value.items() if part != ANY}
        case list():
            return [_without_any(part) for part in value]
        case _:
            return value


def _is_list(value: Json) -> TypeGuard[Sequence[Json]]:
    return isinstance(value, Sequence) and not isinstance(value, str)
