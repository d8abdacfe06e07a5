"""Whether and when a request goes again: a pure decision, so that it can be read and tested without waiting.

Whether sending again is *safe* is not asked here; the caller knows its operation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import TypeAlias, assert_never

__all__ = ["Cause", "Decision", "GiveUp", "Retry", "decide"]

_FIRST_S = 1.0
_LONGEST_S = 60.0
_SHORTEST_S = 0.001
"""What is left below this is nothing: a clock may not even show that it has passed."""
_LAST_DOUBLING = 16
"""Beyond this many doublings the cap has long been reached; an attempt number of any size stays cheap."""


class Cause(StrEnum):
    """Why the last attempt brought no answer that can be used."""

    THROTTLED = "throttled"  #: 429: more requests, or more at once, than the organisation may make
    SERVER = "server"  #: 5xx, or an answer that is none
    NOT_SENT = "not sent"  #: the request never left: name, connection, TLS, proxy, or no token to be had
    LOST = "lost"  #: the request left and the connection or the time ran out
    TOKEN = "token"  # noqa: S105 - a cause, no credential  #: the server did not accept the access token


@dataclass(frozen=True, slots=True)
class Retry:
    """Send again after so many seconds (0 or more)."""

    after_s: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Do not send again; `reason` is a whole sentence for the user."""

    reason: str


Decision: TypeAlias = Retry | GiveUp


def decide(
    attempt: int,
    cause: Cause,
    *,
    waited: float,
    max_wait: float,
    retry_after: float | None,
    random: Random,
) -> Decision:
    """Decide what follows an attempt that failed.

    `attempt` is the number of attempts that have failed so, from 1; `waited` the seconds since the first of them,
    `max_wait` the seconds that may pass in all, `retry_after` what the server asked for, in seconds. Waits follow full
    jitter: anything from nothing to a bound that doubles from 1 to 60 seconds. The last wait is shortened to end at
    `max_wait`, so that the whole of it is used. A token is renewed once and no more, without a wait.
    """
    if cause is Cause.TOKEN:
        if attempt <= 1:
            return Retry(0.0)
        return GiveUp("The server refuses a new access token as it refused the old one.")
    left = max_wait - waited
    if left < _SHORTEST_S:
        return GiveUp(f"{_what_happened(cause)} for {_spoken(waited)}.")
    asked = _usable(retry_after)
    if asked is None:
        return Retry(min(random.uniform(0.0, _bound(attempt)), left))
    if asked > left:
        return GiveUp(f"The server asks to wait {_spoken(asked)}, longer than the {_spoken(left)} that are left.")
    # The jitter keeps those who were turned away together from coming back together.
    return Retry(min(asked + random.uniform(0.0, _FIRST_S), left))


def _bound(attempt: int) -> float:
    return min(_LONGEST_S, _FIRST_S * 2.0 ** min(max(attempt, 1) - 1, _LAST_DOUBLING))


def _usable(retry_after: float | None) -> float | None:
    if retry_after is None or not math.isfinite(retry_after) or retry_after < 0:
        return None
    return retry_after


def _what_happened(cause: Cause) -> str:
    match cause:
        case Cause.THROTTLED:
            return "The server has turned requests away as too many"
        case Cause.SERVER:
            return "The server has answered with faults of its own"
        case Cause.NOT_SENT:
            return "The server could not be reached"
        case Cause.LOST:
            return "The server's answers have been lost on their way"
        case Cause.TOKEN:
            return "The server has refused the access token"
        case _:
            assert_never(cause)


def _spoken(seconds: float) -> str:
    if seconds < 90:
        whole = max(1, round(seconds))
        return f"{whole} second" if whole == 1 else f"{whole} seconds"
    return f"{round(seconds / 60)} minutes"
