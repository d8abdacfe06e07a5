"""JSON and bytes as no honest server would send them: made from a seeded die, so that every case can be had again."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any, Final

CODES: Final = (
    "SUCCESS",
    "INVALID_DATA",
    "MANDATORY_NOT_FOUND",
    "DUPLICATE_DATA",
    "NOT_ALLOWED",
    "LIMIT_EXCEEDED",
    "INVALID_TOKEN",
    "AUTHENTICATION_FAILURE",
    "OAUTH_SCOPE_MISMATCH",
    "NO_PERMISSION",
    "INVALID_MODULE",
    "INTERNAL_ERROR",
    "TOO_MANY_REQUESTS",
    "MULTIPLE_OR_MULTI_ERRORS",
    "BRAND_NEW_CODE",
    "success",
    "",
)
STATUSES: Final = (
    *(200, 201, 202, 204, 207, 302, 304, 400, 401, 403, 404, 405, 412, 413, 415, 429, 500, 502, 503, 599),
    *(402, 408, 409, 421, 499),
)
HTML: Final = b"<!doctype html><html><body><h1>502 Bad Gateway</h1></body></html>"
_IDS: Final = ("5545974000002183001", "5545974000002190001", "5545974000002190002", "1", "0", "-1", "5.5E18", "x" * 40)


@dataclass(frozen=True, slots=True)
class Raw:
    """JSON text that goes out as it is."""

    text: str


@dataclass(frozen=True, slots=True)
class Twice:
    """An object in which every name stands twice, the second time with another value."""

    members: Mapping[str, Any]
    other: Any


def written(value: Any) -> str:
    """Return the value as JSON, or as what stands in its place."""
    match value:
        case Raw():
            return value.text
        case Twice():
            pairs = [*value.members.items(), *((name, value.other) for name in value.members)]
            return "{" + ",".join(f"{json.dumps(name)}:{written(inner)}" for name, inner in pairs) + "}"
        case dict():
            return "{" + ",".join(f"{json.dumps(name)}:{written(inner)}" for name, inner in value.items()) + "}"
        case list():
            return "[" + ",".join(map(written, value)) + "]"
        case Decimal():
            return str(value)
        case _:
            return json.dumps(value)


def odd_number(die: Random) -> Any:
    """Return a number that some reader of JSON loses, or a text that looks like one."""
    return die.choice(
        [
            0,
            -1,
            2**53 + 1,
            2**63,
            -(2**63) - 1,
            2**64 + 1,
            5545974000002190001,
            5545974000002183001,
            Raw("5.545974000002183001E18"),
            Raw("5545974000002183001.0"),
            Raw("1e400"),
            Raw("-1e400"),
            Raw("1E-400"),
            Raw("1E99999"),
            Raw("1E999999999"),
            Raw("-1E999999999999999999999"),
            Raw("-0.0"),
            Raw("NaN"),
            Raw("Infinity"),
            Raw("007"),
            Raw("9" * 400),
            Raw("9" * 5000),
            die.randrange(-(10**30), 10**30),
            die.random(),
        ]
    )


def odd_text(die: Random) -> Any:
    """Return a text that some program somewhere takes for something else."""
    return die.choice(
        [
            "",
            " ",
            "null",
            "=1+1",
            "{value} %s \\",
            "日本語 ü €",
            "\u202e\u200b\x00\x1b[2J",
            "x" * 10_000,
            Raw('"\\ud800"'),
            Raw('"\\u0000"'),
            Raw('"\\ud83e\\uddf9"'),
            die.choice(_IDS),
            die.choice(CODES),
            "$.data[0].id",
            "$.data[9999999999999999999].Duration",
            "$" + "[0]" * 200,
            "2040-03-07T12:00:00+05:30",
            "-9999-99-99T99:99:99",
        ]
    )


def odd_value(die: Random, depth: int = 0) -> Any:
    """Return anything that can stand in JSON, and some things that cannot."""
    kind = die.randrange(12 if depth < 4 else 8)
    match kind:
        case 0:
            return None
        case 1:
            return die.random() < 0.5
        case 2 | 3:
            return odd_number(die)
        case 4 | 5 | 6:
            return odd_text(die)
        case 7:
            depths = (60, 480, 900, 970, 990, 1010, 5000, 60_000)
            deep = die.choice(depths)
            opening, closing = die.choice([("[", "]"), ('{"a":', "}")])
            return Raw(opening * deep + "1" + closing * deep)
        case 8:
            return [odd_value(die, depth + 1) for _ in range(die.randrange(4))]
        case 9:
            return Twice({die.choice(["id", "code", "status"]): odd_text(die)}, odd_text(die))
        case _:
            names = ("id", "code", "status", "details", "message", "data", "errors", "api_name", "json_path", "info")
            return {die.choice(names): odd_value(die, depth + 1) for _ in range(die.randrange(4))}


def element(die: Random) -> Any:
    """Return what the vendor might say about one record, or something like it."""
    said: dict[str, Any] = {
        "code": die.choice([*CODES, 429, None, 4000]),
        "status": die.choice(["success", "error", "error", "SUCCESS", "failure", "", None, 1]),
        "message": odd_text(die),
        "details": die.choice(
            [
                {},
                {"id": die.choice([*_IDS, 5545974000002183001, None])},
                {"api_name": "Duration", "json_path": f"$.data[{die.randrange(5)}].Duration"},
                {"api_name": "id", "json_path": "$.data[*].id", "expected_data_type": die.choice(["text", 7, None])},
                {"errors": [{"code": die.choice(CODES), "details": odd_value(die)} for _ in range(die.randrange(3))]},
                {"retry_after": odd_number(die)},
                [{"api_name": "Price"}],
                odd_value(die),
            ]
        ),
    }
    for name in die.sample(list(said), die.choice([0, 0, 0, 1, 2])):
        del said[name]
    return said


def gateways_word(die: Random) -> Any:
    """Return what something on the way to the server says, in JSON of its own."""
    return die.choice(
        [
            {"error": "upstream request timeout"},
            {"error": die.choice(CODES), "status": die.choice(["error", 400, None])},
            {"code": die.choice([408, 429, 499]), "message": "client closed request"},
            {"code": die.choice(CODES), "status": die.choice([400, "failed", {}])},
            {"timestamp": 1, "status": 408, "error": "Request Timeout", "path": "/crm/v8/Services__s"},
        ]
    )


def answer(die: Random, wrapper: str, count: int) -> Any:
    """Return what a server might say about `count` records: of the vendor's form, nearly, or not at all."""
    match die.randrange(9):
        case 0:
            return element(die)
        case 8:
            return gateways_word(die)
        case 1:
            return odd_value(die)
        case 2:
            return {wrapper: element(die)}
        case 3:
            return {wrapper: odd_value(die), "info": odd_value(die)}
        case 4:
            return [element(die) for _ in range(count)]
        case _:
            length = max(0, count + die.choice([0, 0, 0, 0, -1, 1, 200]))
            return {wrapper: [element(die) for _ in range(length)]}


def distorted(die: Random, body: bytes) -> bytes:
    """Return a well-formed answer with a few things changed in it."""
    try:
        value = json.loads(body, parse_float=Decimal)
    except ValueError:
        return wounded(die, body)
    for _ in range(die.choice([1, 1, 2, 3, 6])):
        value = _changed(die, value)
    return written(value).encode(errors="surrogatepass")


def _changed(die: Random, value: Any, depth: int = 0) -> Any:
    """Change one thing somewhere in a value."""
    if isinstance(value, dict) and value and (depth < 1 or die.random() < 0.8):
        name = die.choice(list(value))
        match die.randrange(10):
            case 0:
                return {other: inner for other, inner in value.items() if other != name}
            case 1:
                return Twice(value, odd_text(die))
            case 2:
                return {**value, name: odd_value(die)}
            case 3:
                return {**value, name: [value[name]]}
            case 4:
                return {**value, die.choice(["code", "status", "error", "errors", "id"]): odd_text(die)}
            case _:
                return {**value, name: _changed(die, value[name], depth + 1)}
    if isinstance(value, list) and value and (depth < 1 or die.random() < 0.8):
        place = die.randrange(len(value))
        match die.randrange(8):
            case 0:
                return value[:place] + value[place + 1 :]
            case 1:
                return [*value, value[place]]
            case 2:
                return die.sample(value, len(value))
            case 3:
                return value[place]
            case 4:
                return [*value[:place], odd_value(die), *value[place + 1 :]]
            case _:
                return [*value[:place], _changed(die, value[place], depth + 1), *value[place + 1 :]]
    if isinstance(value, str) and value.isdigit() and die.random() < 0.5:
        return die.choice([int(value), Raw(f"{value}.0"), str(int(value) + 1), f" {value}", Raw(f"-{value}")])
    return odd_value(die)


_Wound = Callable[[Random, bytes], bytes]


def _always(wound: Callable[[bytes], bytes]) -> _Wound:
    def wounding(die: Random, body: bytes) -> bytes:
        del die
        return wound(body)

    return wounding


def _instead(content: bytes) -> _Wound:
    def wounding(die: Random, body: bytes) -> bytes:
        del die, body
        return content

    return wounding


_WOUNDS: Final[tuple[_Wound, ...]] = (
    lambda die, body: body[: die.randrange(len(body) + 1)],
    _always(lambda body: body + body),
    _always(lambda body: b"\xef\xbb\xbf" + body),
    _always(lambda body: body.decode(errors="replace").encode("utf-16")),
    _always(gzip.compress),
    _always(lambda body: body.replace(b'"', b"'")),
    _always(lambda body: body[: len(body) // 2] + b"\xff\xfe\x80" + body[len(body) // 2 :]),
    _always(lambda body: body[: len(body) // 2] + b"\0" * 9 + body[len(body) // 2 :]),
    _always(lambda body: b"while(1);" + body),
    _always(lambda body: body + b"\n\n,"),
    _instead(b""),
    _instead(b" \r\n\t "),
    _instead(HTML),
    _always(lambda body: HTML + body),
    _instead(b"null"),
    _always(lambda body: b'"' + body.replace(b'"', b'\\"') + b'"'),
    lambda die, _: die.randbytes(die.randrange(200)),
)


def wounded(die: Random, body: bytes) -> bytes:
    """Return bytes that prove nothing any more: cut, mixed up, of another encoding, or of another kind."""
    return die.choice(_WOUNDS)(die, body)


def flipped(die: Random, content: bytes, most: int = 8) -> bytes:
    """Return the content with some bytes replaced."""
    changed = bytearray(content)
    for _ in range(die.randint(1, most)):
        if changed:
            changed[die.randrange(len(changed))] = die.randrange(256)
    return bytes(changed)


def headers(die: Random, honest: Mapping[str, str]) -> dict[str, str]:
    """Return an answer's headers, some of them nonsense. Names are in lower case."""
    found = {name.lower(): value for name, value in honest.items()}
    odd = (
        "",
        "-5",
        "nan",
        "inf",
        "1e400",
        "86400",
        "9" * 30,
        "Wed, 99 Foo 2040 99:99:99",
        "٣",
        "1,2",
        "0x10",
        "\xff",
        "3",
    )
    for name in die.sample(["date", "retry-after", "x-api-credits-remaining", "content-type"], die.randrange(3)):
        found[name] = die.choice(odd)
    return found
