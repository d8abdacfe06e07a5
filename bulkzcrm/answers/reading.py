"""What an HTTP answer proves about each record that was sent. Pure; where the answer leaves a doubt, the doubt wins.

Here it is observed what the answer is; what that proves stands in `spec.certainty`, which is asked for every reading.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from enum import Enum, auto
from typing import assert_never

from bulkzcrm.answers.body import Bare, Element, Elements, Told, Unreadable, read_body
from bulkzcrm.answers.nouns import (
    Doubt,
    Judged,
    NotApplied,
    Reading,
    RefreshToken,
    Rejected,
    Sent,
    Split,
    StopRun,
    Succeeded,
    TryAgain,
    Uncertain,
    Verdict,
)
from bulkzcrm.errors import CredentialsRefusedError, StoppedError
from bulkzcrm.model import Json, Problem
from bulkzcrm.spec.certainty import REFUSALS, Observed, Proof, proof_of
from bulkzcrm.spec.codes import CODES, CREDENTIAL_CODES, THROTTLING_CODES, Disposition, problem_for, row_named

__all__ = ["read_answer", "without_answer"]

_ID = re.compile(r"[1-9][0-9]{0,19}")
_LONGEST_WAIT = 86_400
_SILENT_STOPS = frozenset({403, 405, 407, 415})
"""Statuses that say, even without a word of the API, that nothing was written and nothing will be."""


class _Means(Enum):
    """What an error means for the record, or the request, that it is about."""

    ROW = auto()
    STOP = auto()
    UNKNOWN = auto()
    REFRESH = auto()
    THROTTLED = auto()
    TROUBLE = auto()


def read_answer(sent: Sent, status: int, body: bytes) -> Reading:
    """Return what an answer proves about the records that were sent.

    Records are judged by position and by the `status` of their own element, never by the HTTP status alone; for updates
    each success must name the id that was sent, for creates the new ids must be there and differ. An answer of which
    one part contradicts what was sent proves nothing. Never raises, whatever the body holds.

    Args:
        sent: what was sent.
        status: the HTTP status, 100 to 599.
        body: the body as received, decompressed.
    """
    if 300 <= status < 400:
        return _unproven(sent, status, Observed.REDIRECT, "it redirects to another address")
    if 400 <= status < 500 and status not in REFUSALS:
        return _unproven(sent, status, Observed.NOT_REFUSED_SO, "the API refuses nothing in this way")
    match read_body(body, sent.wrapper):
        case Elements(elements):
            return _of_elements(sent, status, elements)
        case Bare(element) if _judges_single_record(sent, status, element):
            return _of_elements(sent, status, (element,))
        case Bare(element):
            return _of_bare(sent, status, element)
        case Unreadable(reason):
            return _of_status(sent, status, Observed.UNREADABLE, f"the answer {reason}")
        case never:
            assert_never(never)


def without_answer(observed: Observed, reason: str) -> Reading:
    """Return what is proved where no whole answer came; `reason` is a sentence."""
    return _untold(observed, reason)


def _judges_single_record(sent: Sent, status: int, element: Element) -> bool:
    """Tell whether a bare answer with a 2xx is a verdict on the only record; of a larger batch it proves nothing."""
    if len(sent.records) > 1 or not 200 <= status < 300:
        return False
    return _is_success(element) or (_is_error(element) and _meanings(element.errors) == {_Means.ROW})


def _of_elements(sent: Sent, status: int, elements: Sequence[Element]) -> Reading:
    if status >= 400:
        elements = [each if each.has_code else replace(each, told=Told("")) for each in elements]
    refused = bool(elements) and all(_is_error(element) for element in elements)
    full = len(elements) == len(sent.records)
    if refused and (full or 400 <= status < 500):
        whole = _of_whole(sent, status, elements, full=full)
        if whole is not None:
            return whole
    if full:
        return _as_proved(sent, status, Observed.ROWS_JUDGED, _judge(sent, status, elements))
    if refused and 400 <= status < 500:
        return _refused_for_some(sent, status, [error for element in elements for error in element.errors])
    reason = f"it judges {len(elements)} of the {len(sent.records)} records that were sent"
    if any(_is_success(element) for element in elements):
        return _untold(Observed.WRONG_LENGTH, _reason(status, reason))
    return _of_status(sent, status, Observed.WRONG_LENGTH, reason)


def _of_whole(sent: Sent, status: int, elements: Sequence[Element], *, full: bool) -> Reading | None:
    """Return what all elements say together about the request as a whole, `None` if they speak of single records.

    A path with a number shows that the server means one record, even where that record is the only one.
    """
    errors = [error for element in elements for error in element.errors]
    meanings = _meanings(errors)
    first = errors[0]
    if meanings == {_Means.REFRESH}:
        return _dead_token(sent, status, _sentence(first))
    if meanings == {_Means.THROTTLED}:
        return _throttled(sent, status, errors)
    if meanings == {_Means.TROUBLE} or (not full and _Means.TROUBLE in meanings):
        return _unproven(sent, status, Observed.INTERNAL_ERROR, _sentence(first))
    alike = len({error.code for error in errors}) == 1
    numbered = any(row_named(error.details) is not None for error in errors)
    if alike and meanings == {_Means.STOP} and not (numbered and (len(elements) == 1 or not full)):
        return _stop(sent, status, first)
    if alike and meanings == {_Means.UNKNOWN} and full and len(elements) > 1:
        return _stop(sent, status, first)
    return None


def _judge(sent: Sent, status: int, elements: Sequence[Element]) -> Reading:
    verdicts: list[Verdict] = []
    new_ids: set[str] = set()
    for position, element in enumerate(elements):
        verdict = _verdict(sent, position, element)
        if isinstance(verdict, Succeeded):
            doubt = _contradiction(sent, position, element, new_ids)
            if doubt:
                return _untold(Observed.OTHER_RECORDS, _reason(status, doubt))
        verdicts.append(verdict)
    if all(isinstance(verdict, Uncertain) for verdict in verdicts):
        return _unproven(sent, status, Observed.ROW_UNJUDGED, "it says of no record whether it was written")
    return Judged(tuple(verdicts))


def _verdict(sent: Sent, position: int, element: Element) -> Verdict:
    if _is_success(element):
        details = element.told.details
        changed = sent.creates and element.action == "update"
        return Succeeded(_record_id(details.get("id")) or sent.ids[position] or "", details, changed=changed)
    if not _is_error(element):
        return _row(Observed.ROW_UNJUDGED, "Zoho's answer does not say plainly whether this record was written.")
    meanings = _meanings(element.errors)
    if _Means.TROUBLE in meanings:
        return _row(Observed.ROW_UNJUDGED, _sentence(element.errors[0]))
    if meanings <= {_Means.REFRESH, _Means.THROTTLED}:
        return _row(Observed.ROW_TURNED_AWAY, _sentence(element.errors[0]))
    return Rejected(_problems(sent, position, element.errors))


def _row(observed: Observed, reason: str) -> NotApplied | Uncertain:
    return NotApplied(reason) if proof_of(observed) is Proof.NOT_APPLIED else Uncertain(reason)


def _contradiction(sent: Sent, position: int, element: Element, new_ids: set[str]) -> str:
    """Return what is wrong with the id of a success, blank if nothing is; gather the ids of new records."""
    shown, expected = element.told.details.get("id"), sent.ids[position]
    answered = _record_id(shown)
    if shown is not None and answered is None:
        return "it names an id that is not exact"
    if expected is not None and answered != expected:
        return "it names another record than the one that was sent"
    if sent.creates and expected is None:
        if answered is None:
            return "it names no id for a new record"
        if answered in new_ids and not (sent.safe_to_repeat and element.action == "update"):
            return "it names one id for two new records"
        new_ids.add(answered)
    return ""


def _of_bare(sent: Sent, status: int, element: Element) -> Reading:
    meanings = _meanings(element.errors)
    first = element.errors[0]
    if element.told.code == "SUCCESS" or element.status.casefold() == "success":
        named = f"it reports a success without naming the {len(sent.records)} records"
        return _untold(Observed.BARE_SUCCESS, _reason(status, named))
    if status == 429:
        return _throttled(sent, status, element.errors)
    if status == 413:
        return _too_large(sent)
    if not 400 <= status < 500 or _Means.TROUBLE in meanings:
        observed = Observed.BARE_SUCCESS if status < 400 else Observed.INTERNAL_ERROR
        return _unproven(sent, status, observed, _sentence(first))
    if not element.has_code or element.status not in ("", "error"):
        return _of_status(sent, status, Observed.UNREADABLE, "the answer is not of the API's form")
    if meanings == {_Means.THROTTLED}:
        return _throttled(sent, status, element.errors)
    if meanings <= {_Means.REFRESH, _Means.THROTTLED}:
        return _dead_token(sent, status, _sentence(first))
    if meanings == {_Means.ROW} and status not in _SILENT_STOPS - {403}:
        return _refused_for_some(sent, status, element.errors)
    worst = next((error for error in element.errors if _meaning(error) is not _Means.ROW), first)
    return _stop(sent, status, worst)


def _of_status(sent: Sent, status: int, observed: Observed, reason: str) -> Reading:
    """Return what the HTTP status alone proves, where the body says nothing usable."""
    if status == 429:
        return _throttled(sent, status, ())
    if status == 401:
        return _dead_token(sent, status, _reason(status, reason))
    if status == 413:
        return _too_large(sent)
    if status in _SILENT_STOPS:
        return _stop(sent, status, Told(str(status)))
    return _unproven(sent, status, observed, reason)


def _refused_for_some(sent: Sent, status: int, errors: Sequence[Told]) -> Reading:
    """Return the reading of a refusal of the whole batch for the sake of some of its records."""
    observed = Observed.FORBIDDEN if status == 403 else Observed.REFUSED
    if len(sent.records) == 1:
        return _as_proved(sent, status, observed, Judged((Rejected(_problems(sent, 0, errors)),)))
    told: dict[int, list[Told]] = {}
    for error in errors:
        row = row_named(error.details)
        if row is not None and row < len(sent.records):
            told.setdefault(row, []).append(error)
    guilty = {row: _problems(sent, row, its_errors) for row, its_errors in sorted(told.items())}
    split = Split(guilty, _reason(status, f"it refuses the whole batch. {_sentence(errors[0])}"))
    return _as_proved(sent, status, observed, split)


def _too_large(sent: Sent) -> Reading:
    split = Split({}, _reason(413, "the batch is larger than the server takes"))
    alone = Judged((Rejected(_problems(sent, 0, (Told("413"),))),))
    return _as_proved(sent, 413, Observed.TOO_LARGE, alone if len(sent.records) == 1 else split)


def _dead_token(sent: Sent, status: int, reason: str) -> Reading:
    return _as_proved(sent, status, Observed.TOKEN_REFUSED, RefreshToken(reason))


def _throttled(sent: Sent, status: int, errors: Sequence[Told]) -> Reading:
    first = errors[0] if errors and errors[0].code in THROTTLING_CODES else Told("TOO_MANY_REQUESTS")
    waits = [wait for error in errors if (wait := _seconds(error.details.get("retry_after"))) is not None]
    wait = max(waits, default=None)
    again = TryAgain(throttled=True, certain_not_applied=True, reason=_sentence(first), retry_after=wait)
    return _as_proved(sent, status, Observed.THROTTLED, again)


def _stop(sent: Sent, status: int, told: Told) -> Reading:
    problem = problem_for(
        told.code, told.details, told.message, {}, sent.fields, family=sent.family, scopes=sent.scopes
    )
    refused = told.code in CREDENTIAL_CODES or (told.code not in CODES and status in {401, 403})
    stop = StopRun(problem, CredentialsRefusedError if refused else StoppedError)
    if status in _SILENT_STOPS - {403}:
        observed = Observed.NOT_SERVED
    else:
        observed = Observed.FORBIDDEN if refused or status == 403 else Observed.REFUSED
    return _as_proved(sent, status, observed, stop)


def _as_proved(sent: Sent, status: int, observed: Observed, reading: Reading) -> Reading:
    """Return a reading that takes something for certain, if the table bears it out; else that nothing is proved."""
    if proof_of(observed) is not Proof.UNKNOWN:
        return reading
    return _unproven(sent, status, observed, observed.value)


def _unproven(sent: Sent, status: int, observed: Observed, reason: str) -> Reading:
    """Return the reading of an answer without proof: a doubt, unless nothing succeeded and repeating does no harm."""
    observed = Observed.SERVER_ERROR if status >= 500 else observed
    doubt = _untold(observed, _reason(status, reason))
    if isinstance(doubt, Doubt) and sent.safe_to_repeat and not 200 <= status < 300:
        return TryAgain(throttled=False, certain_not_applied=False, reason=doubt.reason)
    return doubt


def _untold(observed: Observed, reason: str) -> TryAgain | Doubt:
    """Return the reading where no record has a verdict of its own."""
    if proof_of(observed) is Proof.NOT_APPLIED:
        return TryAgain(throttled=False, certain_not_applied=True, reason=reason)
    return Doubt(reason)


def _problems(sent: Sent, position: int, errors: Sequence[Told]) -> tuple[Problem, ...]:
    record = sent.records[position]
    found = [
        problem_for(error.code, error.details, error.message, record, sent.fields, family=sent.family)
        for error in errors
    ]
    return tuple(dict.fromkeys(found))


def _is_success(element: Element) -> bool:
    return element.status == "success" and element.told.code == "SUCCESS"


def _is_error(element: Element) -> bool:
    return element.status == "error" and bool(element.told.code) and element.told.code != "SUCCESS"


def _meanings(errors: Sequence[Told]) -> set[_Means]:
    return {_meaning(error) for error in errors}


def _meaning(told: Told) -> _Means:
    known = CODES.get(told.code)
    if known is None or known.ours:
        return _Means.UNKNOWN
    match known.disposition:
        case Disposition.FIX_ROW:
            return _Means.ROW
        case Disposition.STOP_RUN:
            return _Means.STOP
        case Disposition.REFRESH_TOKEN:
            return _Means.REFRESH
        case Disposition.TRY_AGAIN:
            return _Means.THROTTLED if told.code in THROTTLING_CODES else _Means.TROUBLE
        case never:
            assert_never(never)


def _record_id(value: Json) -> str | None:
    """Return an exact record id as text, `None` for anything else: a float has lost digits, and `true` is no number."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value)
    return text if _ID.fullmatch(text) else None


def _seconds(value: Json) -> float | None:
    if isinstance(value, str) and re.fullmatch(r"\d{1,6}", value, re.ASCII):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return float(value) if 0 < value <= _LONGEST_WAIT else None


def _sentence(told: Told) -> str:
    return problem_for(told.code, told.details, told.message, {}).message


def _reason(status: int, clause: str) -> str:
    text = f"Zoho answered with HTTP {status}: {clause}"
    return text if text.endswith((".", "!", "?")) else f"{text}."
