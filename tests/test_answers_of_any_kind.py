"""Whatever an answer holds, no record gets more credit than the answer gives it, and nothing raises."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from bulkzcrm.answers import (
    Doubt,
    Judged,
    NotApplied,
    RefreshToken,
    Rejected,
    Sent,
    Split,
    StopRun,
    Succeeded,
    TryAgain,
    Uncertain,
    Written,
    read_answer,
)

OLD = ["5545974000002183001", "5545974000002183002", "5545974000002183003"]
NEW = ["5545974000002180641", "5545974000002180642", "5545974000002180643"]


def sent_records(ids: list[str | None], *, creates: bool) -> Sent:
    records = [{"id": record_id, "Duration": 60} for record_id in ids]
    return Sent(records=records, ids=ids, wrapper="data", creates=creates, safe_to_repeat=not creates)


def success(record_id: str) -> dict[str, Any]:
    return {"code": "SUCCESS", "details": {"id": record_id}, "message": "record updated", "status": "success"}


REFUSAL = {"code": "INVALID_DATA", "details": {}, "message": "invalid data", "status": "error"}

_codes = st.sampled_from(
    [
        "SUCCESS",
        "INVALID_DATA",
        "INVALID_TOKEN",
        "INTERNAL_ERROR",
        "NO_PERMISSION",
        "TOO_MANY_REQUESTS",
        "DUPLICATE_DATA",
        "MULTIPLE_OR_MULTI_ERRORS",
        "BRAND_NEW",
        "",
        429,
        None,
    ]
)
_leaves = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8)
)
_trees = st.recursive(
    _leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
_details = (
    st.fixed_dictionaries(
        {},
        optional={
            "id": st.sampled_from([*OLD, *NEW, 5545974000002183001]) | _trees,
            "api_name": st.sampled_from(["Duration", "id", "data"]) | _trees,
            "json_path": st.sampled_from(["$.data[0].id", "$.data[*].Duration", "$.data", "$", "$.data[9].x"]) | _trees,
            "errors": _trees,
            "retry_after": _trees,
        },
    )
    | _trees
)
_elements = (
    st.fixed_dictionaries(
        {},
        optional={
            "code": _codes,
            "status": st.sampled_from(["success", "error", "SUCCESS", None]),
            "details": _details,
            "message": _trees,
            "errors": st.lists(st.fixed_dictionaries({"code": _codes, "details": _details}), max_size=3),
        },
    )
    | _trees
)
_successes = st.builds(success, st.sampled_from([*OLD, *NEW]))
_bodies = (
    st.fixed_dictionaries({"data": st.lists(_elements | _successes, max_size=4) | _elements})
    | _elements
    | st.fixed_dictionaries({"data": st.permutations(list(map(success, OLD)))})
)
_statuses = st.sampled_from([200, 201, 202, 204, 207, 302, 400, 401, 403, 404, 412, 413, 415, 429, 500, 503]) | (
    st.integers(min_value=100, max_value=599)
)
_sents = st.sampled_from(
    [
        sent_records([None], creates=True),
        sent_records([None] * 3, creates=True),
        sent_records(OLD[:1], creates=False),
        sent_records(OLD, creates=False),
        sent_records([None], creates=False),
    ]
)


def _check(sent: Sent, status: int, body: bytes) -> None:
    reading = read_answer(sent, status, body)
    assert isinstance(reading, Judged | Written | RefreshToken | TryAgain | StopRun | Split | Doubt)
    if isinstance(reading, Split):
        assert len(sent.records) > 1
        assert all(0 <= row < len(sent.records) and problems for row, problems in reading.guilty.items())
    if isinstance(reading, TryAgain):
        assert reading.certain_not_applied or sent.safe_to_repeat
    if isinstance(reading, Judged | Written):
        assert len(reading.verdicts) == len(sent.records)
        for position, verdict in enumerate(reading.verdicts):
            assert isinstance(verdict, Succeeded | Rejected | NotApplied | Uncertain)
            if isinstance(verdict, Rejected):
                assert verdict.problems
            if isinstance(verdict, Succeeded):
                element = _element(json.loads(body), position)
                assert (element["status"], element["code"]) == ("success", "SUCCESS")
                assert sent.ids[position] in {None, verdict.record_id}
                assert verdict.record_id or not sent.creates


def _element(answer: dict[str, Any], position: int) -> dict[str, Any]:
    wrapped = answer.get("data")
    if isinstance(wrapped, list):
        return wrapped[position]
    return wrapped if isinstance(wrapped, dict) else answer


@given(sent=_sents, status=_statuses, body=st.binary(max_size=200))
def test_arbitrary_bytes_never_raise(sent, status, body):
    _check(sent, status, body)


@given(sent=_sents, status=_statuses, answer=_trees | _bodies)
@example(
    sent=sent_records([None], creates=True), status=200, answer={"data": None, "code": "SUCCESS", "status": "success"}
)
@example(
    sent=sent_records([None], creates=False), status=200, answer={"data": {"code": "SUCCESS", "status": "success"}}
)
def test_success_is_believed_only_where_the_element_says_so_and_every_record_gets_one_verdict(sent, status, answer):
    _check(sent, status, json.dumps(answer).encode())


@given(
    order=st.permutations(range(3)),
    refused=st.sets(st.integers(min_value=0, max_value=2)),
    status=st.sampled_from([200, 207]),
)
def test_an_update_is_believed_exactly_when_every_success_names_its_own_record(order, refused, status):
    elements = [REFUSAL if row in refused else success(OLD[order[row]]) for row in range(3)]
    reading = read_answer(sent_records(OLD, creates=False), status, json.dumps({"data": elements}).encode())
    honest = all(order[row] == row for row in range(3) if row not in refused)
    assert isinstance(reading, Judged | Written) is honest
