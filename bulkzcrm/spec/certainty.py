"""What each thing that can happen to a write proves about it: the one table that decides what may be sent again.

The wire and the journal name what they observed, the reading of answers what the server did; each asks this table.
What is not certain is unknown. Whether an *unknown* write may be repeated is another question: updates may (their
records are read first), a create is read back instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

__all__ = ["CERTAINTY", "REFUSALS", "Certainty", "Observed", "Proof", "proof_of"]

REFUSALS: Final = frozenset({400, 401, 403, 404, 405, 407, 412, 413, 415, 429})
"""The 4xx by which the API refuses a request (407: a proxy on the way to it). Any other comes from somebody on the way
who may have passed the request on: a gateway whose time ran out (408), or whose client was gone (499)."""


class Proof(StrEnum):
    """What is known of the records of one request."""

    NOT_APPLIED = "not applied"  #: certainly none of them was written: all may be sent again
    AS_TOLD = "as told"  #: each was written or refused, as the answer says of it
    UNKNOWN = "unknown"  #: nothing is proved of any of them


class Observed(StrEnum):
    """What became of one request."""

    NOT_CONNECTED = "no connection came about (name, network, proxy, TLS), or there was no token to send with"
    NOT_WRITTEN = "the connection stood, but not even the headers were written"
    BROKEN_OFF = "the request had left, and then the connection broke or the time ran out"
    PROCESS_DIED = "the process ended while the batch was being sent"
    ROWS_JUDGED = "an answer that judges each record that was sent"
    ROW_UNJUDGED = "such an answer whose element for one record says neither success nor error, or INTERNAL_ERROR"
    ROW_TURNED_AWAY = "such an answer whose element for one record says too many requests, or a dead token"
    WRONG_LENGTH = "an answer that judges more or fewer records than were sent"
    OTHER_RECORDS = "a success without a proper id, with an id twice, or with another id than the one sent"
    BARE_SUCCESS = "a success that names no records, or a code with a 2xx"
    UNREADABLE = "an answer that is no JSON, or of no form that the API has (such as a gateway's JSON)"
    REDIRECT = "a redirect, which is not followed"
    SERVER_ERROR = "HTTP 5xx without a verdict for each record"
    INTERNAL_ERROR = "INTERNAL_ERROR with another status (the vendor sends it with 400, too)"
    TOKEN_REFUSED = "HTTP 401, or a code that says that the access token is dead"  # noqa: S105 - no credential
    FORBIDDEN = "HTTP 403, or a code that forbids the request as a whole"
    REFUSED = "HTTP 400, 404 or 412 with a code, in the API's own form"
    NOT_REFUSED_SO = "a 4xx by which the API never refuses (408, 409, 421, 499 ...), whatever it says"
    THROTTLED = "HTTP 429, or a code that says too many requests"
    TOO_LARGE = "HTTP 413"
    NOT_SERVED = "HTTP 405, 407 or 415, which come before any record is looked at"


@dataclass(frozen=True, slots=True)
class Certainty:
    """One line of the table: what an observation proves, and why, with the source that says so where there is one."""

    proof: Proof
    because: str


_NEVER_LEFT = "no byte of the request was written"
_TOLD = "the vendor answers 4xx with a code before it writes anything; every sample of the five pages does"

CERTAINTY: Mapping[Observed, Certainty] = {
    Observed.NOT_CONNECTED: Certainty(Proof.NOT_APPLIED, _NEVER_LEFT),
    Observed.NOT_WRITTEN: Certainty(Proof.NOT_APPLIED, _NEVER_LEFT),
    Observed.BROKEN_OFF: Certainty(Proof.UNKNOWN, "the server may have it, and may even write it later"),
    Observed.PROCESS_DIED: Certainty(Proof.UNKNOWN, "the intent is durable, whether the request left is not known"),
    Observed.ROWS_JUDGED: Certainty(Proof.AS_TOLD, "insert and update pages: one element for each record, in order"),
    Observed.ROW_UNJUDGED: Certainty(Proof.UNKNOWN, "the server does not say what became of the record"),
    Observed.ROW_TURNED_AWAY: Certainty(Proof.NOT_APPLIED, "the record was turned away before it was looked at"),
    Observed.WRONG_LENGTH: Certainty(Proof.UNKNOWN, "positions no longer say which record is meant"),
    Observed.OTHER_RECORDS: Certainty(Proof.UNKNOWN, "an answer that contradicts what was sent proves nothing"),
    Observed.BARE_SUCCESS: Certainty(Proof.UNKNOWN, "it does not say which records were written, nor under which ids"),
    Observed.UNREADABLE: Certainty(Proof.UNKNOWN, "something on the way answered, or cut the server's answer"),
    Observed.REDIRECT: Certainty(Proof.UNKNOWN, "the vendor's API redirects nothing; who answered is not known"),
    Observed.SERVER_ERROR: Certainty(Proof.UNKNOWN, "a gateway gives up while the server goes on (RFC 9110, 15.6)"),
    Observed.INTERNAL_ERROR: Certainty(Proof.UNKNOWN, "the server failed somewhere, before or after it wrote"),
    Observed.TOKEN_REFUSED: Certainty(Proof.NOT_APPLIED, "tokens are judged before anything else (RFC 6750, 3.1)"),
    Observed.FORBIDDEN: Certainty(Proof.NOT_APPLIED, "rights and scopes are judged before anything is written"),
    Observed.REFUSED: Certainty(Proof.NOT_APPLIED, _TOLD),
    Observed.NOT_REFUSED_SO: Certainty(Proof.UNKNOWN, "a gateway may answer so after it has passed the request on"),
    Observed.THROTTLED: Certainty(Proof.NOT_APPLIED, "the request was turned away at the gate (RFC 6585, 4)"),
    Observed.TOO_LARGE: Certainty(Proof.NOT_APPLIED, "the body was not taken (RFC 9110, 15.5.14)"),
    Observed.NOT_SERVED: Certainty(Proof.NOT_APPLIED, "refused for its form alone (RFC 9110, 15.5)"),
}
"""Every observation, with what it proves."""


def proof_of(observed: Observed) -> Proof:
    """Return what an observation proves about the records of the request."""
    return CERTAINTY[observed].proof
