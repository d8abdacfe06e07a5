"""What an answer proves that speaks of the request as a whole, and how far it proves it: `spec.certainty` is asked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

from bulkzcrm.answers.body import Told, exact_id
from bulkzcrm.answers.nouns import (
    Doubt,
    Judged,
    Reading,
    RefreshToken,
    Rejected,
    Sent,
    Split,
    StopRun,
    TryAgain,
)
from bulkzcrm.errors import CredentialsRefusedError, StoppedError
from bulkzcrm.model import Json, Problem
from bulkzcrm.spec.certainty import Observed, Proof, proof_of
from bulkzcrm.spec.codes import CODES, CREDENTIAL_CODES, THROTTLING_CODES, problem_for, row_named

__all__ = [
    "SILENT_STOPS",
    "as_proved",
    "dead_token",
    "problems_of",
    "refused_for_some",
    "rejected",
    "sentence_of",
    "stopped",
    "throttled",
    "too_large",
    "unproven",
    "untold",
    "worded",
]

_LONGEST_WAIT = 86_400
SILENT_STOPS = frozenset({403, 405, 407, 415})
"""Statuses that say, even without a word of the API, that nothing was written and nothing will be."""


def refused_for_some(sent: Sent, status: int, errors: Sequence[Told]) -> Reading:
    """Return the reading of a refusal of the whole batch for the sake of some of its records."""
    observed = Observed.FORBIDDEN if status == 403 else Observed.REFUSED
    if len(sent.records) == 1:
        return as_proved(sent, status, observed, Judged((rejected(sent, 0, errors),)))
    told: dict[int, list[Told]] = {}
    for error in errors:
        row = row_named(error.details)
        if row is not None and row < len(sent.records):
            told.setdefault(row, []).append(error)
    guilty = {row: problems_of(sent, row, its_errors) for row, its_errors in sorted(told.items())}
    split = Split(guilty, worded(status, f"it refuses the whole batch. {sentence_of(errors[0])}"))
    return as_proved(sent, status, observed, split)


def too_large(sent: Sent) -> Reading:
    """Return the reading of a refusal for the size of the request: smaller ones may go."""
    split = Split({}, worded(413, "the batch is larger than the server takes"))
    alone = Judged((rejected(sent, 0, (Told("413"),)),))
    return as_proved(sent, 413, Observed.TOO_LARGE, alone if len(sent.records) == 1 else split)


def rejected(sent: Sent, position: int, errors: Sequence[Told]) -> Rejected:
    """Return the verdict on one record that was refused, with the record that it would be a duplicate of."""
    told = [error.details for error in errors if error.code == "DUPLICATE_DATA"]
    told += [inner for each in told if isinstance(inner := each.get("duplicate_record"), Mapping)]
    ids = (exact_id(each.get("id")) for each in told)
    return Rejected(problems_of(sent, position, errors), next(filter(None, ids), ""))


def dead_token(sent: Sent, status: int, reason: str) -> Reading:
    """Return the reading of a refusal of the access token; `reason` is a sentence."""
    return as_proved(sent, status, Observed.TOKEN_REFUSED, RefreshToken(reason))


def throttled(sent: Sent, status: int, errors: Sequence[Told]) -> Reading:
    """Return the reading of a request that was one too many, with the longest wait that the errors ask for."""
    first = errors[0] if errors and errors[0].code in THROTTLING_CODES else Told("TOO_MANY_REQUESTS")
    waits = [wait for error in errors if (wait := _seconds(error.details.get("retry_after"))) is not None]
    wait = max(waits, default=None)
    again = TryAgain(throttled=True, certain_not_applied=True, reason=sentence_of(first), retry_after=wait)
    return as_proved(sent, status, Observed.THROTTLED, again)


def stopped(sent: Sent, status: int, told: Told) -> Reading:
    """Return the reading of a refusal that every further request would meet."""
    problem = problem_for(
        told.code, told.details, told.message, {}, sent.fields, family=sent.family, scopes=sent.scopes
    )
    refused = told.code in CREDENTIAL_CODES or (told.code not in CODES and status in {401, 403})
    stop = StopRun(problem, CredentialsRefusedError if refused else StoppedError)
    if status in SILENT_STOPS - {403}:
        observed = Observed.NOT_SERVED
    else:
        observed = Observed.FORBIDDEN if refused or status == 403 else Observed.REFUSED
    return as_proved(sent, status, observed, stop)


def as_proved(sent: Sent, status: int, observed: Observed, reading: Reading) -> Reading:
    """Return a reading that takes something for certain, if the table bears it out; else that nothing is proved."""
    if proof_of(observed) is not Proof.UNKNOWN:
        return reading
    return unproven(sent, status, observed, observed.value)


def unproven(sent: Sent, status: int, observed: Observed, reason: str) -> Reading:
    """Return the reading of an answer without proof: a doubt, unless nothing succeeded and repeating does no harm."""
    observed = Observed.SERVER_ERROR if status >= 500 else observed
    doubt = untold(observed, worded(status, reason))
    if isinstance(doubt, Doubt) and sent.safe_to_repeat and not 200 <= status < 300:
        return TryAgain(throttled=False, certain_not_applied=False, reason=doubt.reason)
    return doubt


def untold(observed: Observed, reason: str) -> TryAgain | Doubt:
    """Return the reading where no record has a verdict of its own."""
    if proof_of(observed) is Proof.NOT_APPLIED:
        return TryAgain(throttled=False, certain_not_applied=True, reason=reason)
    return Doubt(reason)


def problems_of(sent: Sent, position: int, errors: Sequence[Told]) -> tuple[Problem, ...]:
    """Return what is wrong with one of the records, as the errors tell it, everything once."""
    record = sent.records[position]
    found = [
        problem_for(error.code, error.details, error.message, record, sent.fields, family=sent.family)
        for error in errors
    ]
    return tuple(dict.fromkeys(found))


def sentence_of(told: Told) -> str:
    """Return what an error says, in a sentence of ours."""
    return problem_for(told.code, told.details, told.message, {}).message


def worded(status: int, clause: str) -> str:
    """Return the sentence that tells of an answer; `clause` says what is the matter with it."""
    text = f"Zoho answered with HTTP {status}: {clause}"
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _seconds(value: Json) -> float | None:
    if isinstance(value, str) and re.fullmatch(r"\d{1,6}", value, re.ASCII):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return float(value) if 0 < value <= _LONGEST_WAIT else None
