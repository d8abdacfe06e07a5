"""What the server says in an answer to a read: its content, to the last digit, or why there is none."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from bulkzcrm.errors import StoppedError
from bulkzcrm.model import Json
from bulkzcrm.transport import Answer

__all__ = ["ReadRefusedError", "content_of", "refuses_token", "retry_after"]

_LONGEST_WAIT_S = 10**9
"""Longer is no time that anybody means, and too large a number can be no float."""

_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_AUTH_CODES = frozenset({"INVALID_TOKEN", "AUTHENTICATION_FAILURE", "INVALID_OAUTHTOKEN"})
_SCOPE_CODES = frozenset({"OAUTH_SCOPE_MISMATCH", "NO_PERMISSION", "FEATURE_NOT_SUPPORTED", "NOT_SUPPORTED"})


class ReadRefusedError(Exception):
    """The credentials do not allow a reading; whether that matters is for the caller to say."""


def content_of(path: str, answer: Answer) -> dict[str, Json] | None:
    """Return what an answer to a GET shows, nothing for "no content".

    Raises `ReadRefusedError`, and `StoppedError` where it is something that no read of ours should get.
    """
    if answer.status in (204, 304):
        return None
    try:
        content = _decode(answer.body)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise StoppedError(
            f"GET {path} is answered with {answer.status} and something that is no JSON object.",
            "Check the API domain and any proxy between you and the server, then resume.",
        )
    if answer.status == 200:
        return content
    code, message = str(content.get("code") or ""), str(content.get("message") or "")
    if code in _SCOPE_CODES or answer.status in (401, 403):
        raise ReadRefusedError(f"{code}: {message}")
    raise StoppedError(
        f"GET {path} is refused with {answer.status} {code}: {message}.",
        f"See `bulkzcrm explain {code}`, mend the cause, then resume." if code else "Mend the cause, then resume.",
    )


def refuses_token(answer: Answer) -> bool:
    """Tell whether another access token might do."""
    return answer.status == 401 and _code(answer.body) in _AUTH_CODES


def retry_after(answer: Answer) -> float | None:
    """Return the seconds that a 429 asks to wait, where it says so (a header, or `details.retry_after`)."""
    if answer.retry_after is not None:
        return answer.retry_after
    try:
        content = _decode(answer.body)
    except ValueError:
        return None
    details = content.get("details") if isinstance(content, dict) else None
    seconds = details.get("retry_after") if isinstance(details, dict) else None
    if isinstance(seconds, bool) or not isinstance(seconds, int | Decimal) or not 0 < seconds < _LONGEST_WAIT_S:
        return None
    return float(seconds)


def _code(body: bytes) -> str:
    try:
        content = _decode(body)
    except ValueError:
        return ""
    return str(content.get("code") or "") if isinstance(content, dict) else ""


def _decode(body: bytes) -> object:
    """Decode an answer: exact decimals, whole numbers exact. Raises `ValueError` when it is no JSON."""
    try:
        return _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ArithmeticError) as error:
        raise ValueError(str(error)) from error
