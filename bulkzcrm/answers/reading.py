"""What an HTTP answer proves about each record that was sent. Pure; where the answer leaves a doubt, the doubt wins.

Here it is observed what the answer is; what that proves stands in `spec.certainty`, which is asked for every reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from msgspec.structs import replace

from bulkzcrm.answers.body import Bare, Element, Elements, Told, Unreadable, exact_id, read_body
from bulkzcrm.answers.meaning import Means, is_error, is_success, meaning_of, meanings_of
from bulkzcrm.answers.nouns import (
    Judged,
    NotApplied,
    Reading,
    Sent,
    Succeeded,
    Uncertain,
    Verdict,
    Written,
)
from bulkzcrm.answers.usual import read_usual
from bulkzcrm.answers.whole import (
    SILENT_STOPS,
    as_proved,
    dead_token,
    refused_for_some,
    rejected,
    sentence_of,
    stopped,
    throttled,
    too_large,
    unproven,
    untold,
    worded,
)
from bulkzcrm.spec.certainty import REFUSALS, Observed, Proof, proof_of
from bulkzcrm.spec.codes import row_named

__all__ = ["read_answer", "without_answer"]


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
        return unproven(sent, status, Observed.REDIRECT, "it redirects to another address")
    if 400 <= status < 500 and status not in REFUSALS:
        return unproven(sent, status, Observed.NOT_REFUSED_SO, "the API refuses nothing in this way")
    usual = read_usual(sent, body)
    if usual is not None:
        return as_proved(sent, status, Observed.ROWS_JUDGED, usual)
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
    return untold(observed, reason)


def _judges_single_record(sent: Sent, status: int, element: Element) -> bool:
    """Tell whether a bare answer with a 2xx is a verdict on the only record; of a larger batch it proves nothing."""
    if len(sent.records) > 1 or not 200 <= status < 300:
        return False
    return is_success(element) or (is_error(element) and meanings_of(element.errors) == {Means.ROW})


def _of_elements(sent: Sent, status: int, elements: Sequence[Element]) -> Reading:
    if not all(each.has_code for each in elements):
        elements = [each if each.has_code else replace(each, told=Told("")) for each in elements]
    refused = bool(elements) and all(is_error(element) for element in elements)
    full = len(elements) == len(sent.records)
    if refused and (full or 400 <= status < 500):
        whole = _of_whole(sent, status, elements, full=full)
        if whole is not None:
            return whole
    if full:
        return as_proved(sent, status, Observed.ROWS_JUDGED, _judge(sent, status, elements))
    if refused and 400 <= status < 500:
        return refused_for_some(sent, status, [error for element in elements for error in element.errors])
    reason = f"it judges {len(elements)} of the {len(sent.records)} records that were sent"
    if any(is_success(element) for element in elements):
        return untold(Observed.WRONG_LENGTH, worded(status, reason))
    return _of_status(sent, status, Observed.WRONG_LENGTH, reason)


def _of_whole(sent: Sent, status: int, elements: Sequence[Element], *, full: bool) -> Reading | None:
    """Return what all elements say together about the request as a whole, `None` if they speak of single records.

    A path with a number shows that the server means one record, even where that record is the only one.
    """
    errors = [error for element in elements for error in element.errors]
    meanings = meanings_of(errors)
    first = errors[0]
    if meanings == {Means.REFRESH}:
        return dead_token(sent, status, sentence_of(first))
    if meanings == {Means.THROTTLED}:
        return throttled(sent, status, errors)
    if meanings == {Means.TROUBLE} or (not full and Means.TROUBLE in meanings):
        return unproven(sent, status, Observed.INTERNAL_ERROR, sentence_of(first))
    alike = len({error.code for error in errors}) == 1
    numbered = any(row_named(error.details) is not None for error in errors)
    if alike and meanings == {Means.STOP} and not (numbered and (len(elements) == 1 or not full)):
        return stopped(sent, status, first)
    if alike and meanings == {Means.UNKNOWN} and full and len(elements) > 1:
        return stopped(sent, status, first)
    return None


def _judge(sent: Sent, status: int, elements: Sequence[Element]) -> Reading:
    verdicts: list[Verdict] = []
    new_ids: set[str] = set()
    for position, element in enumerate(elements):
        if is_success(element):
            record_id = exact_id(element.told.details.get("id"))
            doubt = _contradiction(sent, position, element, record_id, new_ids)
            if doubt:
                return untold(Observed.OTHER_RECORDS, worded(status, doubt))
            changed = sent.creates and element.action == "update"
            verdicts.append(Succeeded(record_id or sent.ids[position] or "", changed=changed))
        else:
            verdicts.append(_unwritten(sent, position, element))
    if all(isinstance(verdict, Uncertain) for verdict in verdicts):
        return unproven(sent, status, Observed.ROW_UNJUDGED, "it says of no record whether it was written")
    written = [each.record_id for each in verdicts if isinstance(each, Succeeded) and not each.changed]
    return Written(tuple(written)) if len(written) == len(verdicts) else Judged(tuple(verdicts))


def _unwritten(sent: Sent, position: int, element: Element) -> Verdict:
    """Return the verdict on a record of which no success is told."""
    if not is_error(element):
        return _row(Observed.ROW_UNJUDGED, "Zoho's answer does not say plainly whether this record was written.")
    meanings = meanings_of(element.errors)
    if Means.TROUBLE in meanings:
        return _row(Observed.ROW_UNJUDGED, sentence_of(element.errors[0]))
    if meanings <= {Means.REFRESH, Means.THROTTLED}:
        return _row(Observed.ROW_TURNED_AWAY, sentence_of(element.errors[0]))
    return rejected(sent, position, element.errors)


def _row(observed: Observed, reason: str) -> NotApplied | Uncertain:
    return NotApplied(reason) if proof_of(observed) is Proof.NOT_APPLIED else Uncertain(reason)


def _contradiction(sent: Sent, position: int, element: Element, answered: str | None, new_ids: set[str]) -> str:
    """Return what is wrong with the id of a success, blank if nothing is; gather the ids of new records.

    `answered` is the id that it names, where that is exact.
    """
    expected = sent.ids[position]
    if answered is None and element.told.details.get("id") is not None:
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
    meanings = meanings_of(element.errors)
    first = element.errors[0]
    if element.told.code == "SUCCESS" or element.status.casefold() == "success":
        named = f"it reports a success without naming the {len(sent.records)} records"
        return untold(Observed.BARE_SUCCESS, worded(status, named))
    if status == 429:
        return throttled(sent, status, element.errors)
    if status == 413:
        return too_large(sent)
    if not 400 <= status < 500 or Means.TROUBLE in meanings:
        observed = Observed.BARE_SUCCESS if status < 400 else Observed.INTERNAL_ERROR
        return unproven(sent, status, observed, sentence_of(first))
    if not element.has_code or element.status not in ("", "error"):
        return _of_status(sent, status, Observed.UNREADABLE, "the answer is not of the API's form")
    if meanings == {Means.THROTTLED}:
        return throttled(sent, status, element.errors)
    if meanings <= {Means.REFRESH, Means.THROTTLED}:
        return dead_token(sent, status, sentence_of(first))
    if meanings == {Means.ROW} and status not in SILENT_STOPS - {403}:
        return refused_for_some(sent, status, element.errors)
    worst = next((error for error in element.errors if meaning_of(error) is not Means.ROW), first)
    return stopped(sent, status, worst)


def _of_status(sent: Sent, status: int, observed: Observed, reason: str) -> Reading:
    """Return what the HTTP status alone proves, where the body says nothing usable."""
    if status == 429:
        return throttled(sent, status, ())
    if status == 401:
        return dead_token(sent, status, worded(status, reason))
    if status == 413:
        return too_large(sent)
    if status in SILENT_STOPS:
        return stopped(sent, status, Told(str(status)))
    return unproven(sent, status, observed, reason)
