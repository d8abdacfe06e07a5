"""The accounts server's answers, understood: a token, or the reason why there is none and what to do about it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from bulkzcrm import hosts
from bulkzcrm.config import VARIABLES, Connection
from bulkzcrm.errors import ConfigurationError, CredentialsRefusedError, UnreachableError
from bulkzcrm.redact import Secret, scrub
from bulkzcrm.wire import NotSentError, Reply

__all__ = ["THROTTLED_FOR_S", "Grant", "Token", "TokensThrottledError", "read_grant", "token_text"]

THROTTLED_FOR_S = 600.0
"""The accounts server blocks a client that asks for too many tokens for about ten minutes (token-validity page)."""

_USUAL_LIFE_S = 3600.0
_RENEWED_BEFORE_S = 120.0
_LONGEST_LIFE_S = 86400.0
_BEYOND_SENSE = 10**12
"""No life of a token, in whatever unit; still larger numbers can be no float."""
_TOKEN_TEXT = re.compile(r"[\x21-\x7e]{1,4096}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """An access token, with the times (seconds since 1970) from which it should be, and must be, replaced."""

    value: Secret
    renew_at: float
    expires_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What the accounts server gave: an access token, and for a code also a refresh token."""

    token: Token
    refresh_token: Secret | None


class TokensThrottledError(UnreachableError):
    """Too many tokens were asked for; one can be had in `wait_s` seconds from `now` (since 1970)."""

    def __init__(self, wait_s: float, now: float) -> None:
        minutes = max(1, round(wait_s / 60))
        moment = datetime.fromtimestamp(now + wait_s).astimezone()
        super().__init__(
            "The accounts server has been asked for too many access tokens (ten in ten minutes are allowed).",
            f"Wait {minutes} minute{'' if minutes == 1 else 's'} (until {moment:%H:%M}), "
            "and see that no other program uses this refresh token.",
        )
        self.wait_s = wait_s


def read_grant(
    reply: Reply, connection: Connection, *, now: float, for_code: bool, redirect_uri: str | None = None
) -> Grant:
    """Read an answer of `POST /oauth/v2/token`, whose HTTP status says little: refusals come with 200 as well.

    Raises CredentialsRefusedError (with the cure for the cause), TokensThrottledError, ConfigurationError
    (the answer sends us to a foreign host) and NotSentError (a passing fault of the accounts server: try again).
    """
    answer = _object(reply)
    if "access_token" in answer:
        value = _token_or_fault(answer["access_token"])
        _check_api_domain(answer.get("api_domain"), connection)
        refresh = answer.get("refresh_token")
        return Grant(
            token=_token(value, _life_s(answer), now),
            refresh_token=None if refresh is None else _token_or_fault(refresh),
        )
    cause = answer.get("error")
    if reply.status == 429 or (isinstance(cause, str) and cause.replace(" ", "_").lower() == "access_denied"):
        raise TokensThrottledError(THROTTLED_FOR_S, now)
    if isinstance(cause, str) and reply.status < 500:
        _refuse(cause, connection, for_code=for_code, redirect_uri=redirect_uri)
    raise NotSentError(f"The accounts server gave no token (HTTP status {reply.status}).")


def token_text(value: object) -> str:
    """Return a token's text if it can stand in a header, else raise ValueError."""
    if not isinstance(value, str) or not _TOKEN_TEXT.fullmatch(value):
        raise ValueError("This is no token.")
    return value


def _token_or_fault(value: object) -> Secret:
    try:
        return Secret(token_text(value))
    except ValueError:
        raise NotSentError("The accounts server's answer holds no usable token.") from None


def _object(reply: Reply) -> Mapping[str, object]:
    try:
        answer = json.loads(reply.body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _life_s(answer: Mapping[str, object]) -> float:
    # Older answers give milliseconds in `expires_in` and the seconds beside them.
    given = answer.get("expires_in_sec", answer.get("expires_in"))
    if isinstance(given, str) and given.isdecimal() and len(given) < 12:
        given = int(given)
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given < _BEYOND_SENSE:
        return _USUAL_LIFE_S
    return min(_LONGEST_LIFE_S, given / 1000 if given > _LONGEST_LIFE_S else float(given))


def _token(value: Secret, life_s: float, now: float) -> Token:
    # A life of a few minutes (the stand-in can be set so) must not make every request renew the token.
    early = min(_RENEWED_BEFORE_S, life_s / 2)
    return Token(value=value, renew_at=now + life_s - early, expires_at=now + life_s)


def _check_api_domain(domain: object, connection: Connection) -> None:
    if domain is None:
        return
    given = hosts.data_centre_of_api(domain) if isinstance(domain, str) else None
    if given is None:
        raise ConfigurationError(
            f"The accounts server names {scrub(repr(domain))} as the API's address, which is none of the vendor's.",
            "Nothing was sent there; check the accounts address and the network's proxy.",
        )
    if given is not hosts.data_centre_of_api(connection.api_domain):
        raise ConfigurationError(
            f"The accounts server says that the organisation lives in {given.place}, not at {connection.api_domain}.",
            f"Set {VARIABLES['api_domain']} to {given.apis[0]} and {VARIABLES['accounts_url']} to {given.accounts}.",
        )


def _refuse(cause: str, connection: Connection, *, for_code: bool, redirect_uri: str | None) -> NoReturn:
    accounts = connection.accounts_url
    elsewhere = f"If the account lives in another data centre, set {VARIABLES['accounts_url']} to its address."
    renew = "Run bulkzcrm auth login again; with a self client, run bulkzcrm auth login --code with a new code."
    match cause:
        case "invalid_client":
            message = f"{accounts} does not know this client id."
            cure = f"Compare {VARIABLES['client_id']} with the API console. {elsewhere}"
        case "invalid_client_secret":
            message = f"{accounts} says that the client secret does not belong to this client id."
            cure = f"Copy {VARIABLES['client_secret']} again from the API console. {elsewhere}"
        case "invalid_code" | "invalid_grant" if for_code:
            message = f"{accounts} does not accept the code: a code works once, for a few minutes, for its own client."
            cure = f"{renew} {elsewhere}"
        case "invalid_code" | "invalid_grant":
            message = f"{accounts} does not accept the refresh token: it was revoked, or is of another client."
            cure = f"{renew} {elsewhere}"
        case "invalid_redirect_uri" if redirect_uri is not None:
            message = f"{accounts} does not have {redirect_uri} as a redirect address of this client."
            cure = "Register exactly this address in the API console, as that of a server-based application."
        case "invalid_redirect_uri":
            message = f"{accounts} expects a redirect address: this client is not a self client."
            cure = "Make a self client in the API console and use its id, secret and code."
        case _:
            message = f"{accounts} refuses to give a token and says {scrub(cause[:200])!r}."
            cure = "Check client id, client secret and refresh token; bulkzcrm explain may know more."
    raise CredentialsRefusedError(message, cure)
