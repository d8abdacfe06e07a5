"""An answer that is read the quick way says what it says when it is read with care."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bulkzcrm.answers import Sent, Written, body, read_answer, reading
from bulkzcrm.answers.usual import read_usual

scalars = st.none() | st.booleans() | st.integers(-(10**25), 10**25) | st.floats() | st.text(max_size=5)
things = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
elements = st.fixed_dictionaries(
    {},
    optional={
        "code": st.sampled_from(["SUCCESS", " SUCCESS", "INVALID_DATA", "MULTIPLE_OR_MULTI_ERRORS", "", 429, None]),
        "status": st.sampled_from(["success", "error", "", 7, None]),
        "message": st.sampled_from(["record added", "", None, 3]),
        "error_info": st.just("older words"),
        "details": st.sampled_from(
            [{}, {"id": "5545974000000393001"}, {"id": 5545974000000393001}, [], [{"id": "1"}], "x"]
        ),
        "action": st.sampled_from(["insert", "update", None]),
    },
)
bodies = st.builds(
    lambda value, plain: json.dumps(value, separators=(",", ":") if plain else None, ensure_ascii=not plain).encode(
        "utf-8", "surrogatepass"
    ),
    things | st.builds(lambda listed: {"data": listed}, st.lists(elements, max_size=4)),
    st.booleans(),
)


def read(how: Any, content: bytes) -> Any:
    try:
        return repr(how(content))
    except (ValueError, ArithmeticError, RecursionError):
        return None


@given(bodies)
@example(b'{"a":1,"a":2}')
@example(b'{"a":{"b":1,"b":1}}')
@example(b'{"data":[{"details":{"id":"1","id":"1"}}]}')
@example(b'{"a":1.50,"b":1e5,"c":1E+5,"d":-0,"e":0.0}')
@example(b"[123456789012345678901234567890,-9223372036854775809]")
@example(b'"\\ud800"')
@example(b'"\xed\xa0\x80"')
@example(b"NaN")
@example(b" [1] \n")
@example(b"[1]]")
@example(b"1" * 5_000)
@example(b"[" * 100_000)
def test_quickly_or_with_care_it_is_the_same(content: bytes) -> None:
    assert read(body._decode, content) == read(body._decode_with_care, content)


IDS = ("5545974000000393001", "5545974000000393002", "5545974000000393003")
PERSON = {"name": "Patricia Boyle", "id": "5545974000000393001"}
TOLD = {"Modified_By": PERSON, "Modified_Time": "2030-01-07T15:00:00+05:30"}


def usual(record_id: object, **more: object) -> dict[str, Any]:
    return {"code": "SUCCESS", "details": {**TOLD, "id": record_id}, "message": "added", "status": "success", **more}


ODD = [
    *map(usual, ["", "0123", "12a", "١٢٣", "1" * 20, "1" * 21, None, 5, 5545974000000393001, True, *IDS]),
    *(usual(IDS[0], action=action) for action in ("insert", "update", None, 5)),
    *(usual(IDS[0], duplicate_field=name) for name in (None, "Key", 5)),
    *(usual(IDS[0], **{name: value}) for name in ("code", "status", "message", "more") for value in ("", "é", None, 1)),
    *(usual(IDS[0], details=details) for details in ({}, {"id": IDS[0]}, [], "x", {**TOLD, "id": IDS[0], "more": 1})),
    *(usual(IDS[0], details={"id": IDS[0], "$approval_state": state}) for state in ("approved", "", None, 5)),
    *(usual(IDS[0], details={"id": IDS[0], "Modified_By": by}) for by in (None, {}, {"name": "é"}, {**PERSON, "x": 1})),
]
SENT = [
    Sent(records=[{}] * len(ids), ids=ids, wrapper=wrapper, creates=creates, safe_to_repeat=safe)
    for ids in ([None] * 3, [*IDS], [*IDS[:2], None], [None], [IDS[0]])
    for wrapper in ("data", "business_hours")
    for creates in (True, False)
    for safe in (True, False)
]


def carefully(sent: Sent, status: int, content: bytes) -> object:
    quickly, reading.read_usual = reading.read_usual, lambda *_: None
    try:
        return read_answer(sent, status, content)
    finally:
        reading.read_usual = quickly


@pytest.mark.parametrize("status", [200, 201, 207, 302, 400, 500])
@pytest.mark.parametrize("twice", ["", '"status":"error"', '"id":"5545974000000393009"', '"data":[]', '"name":"x"'])
def test_the_usual_answer_is_read_as_it_is_with_care(status: int, twice: str) -> None:
    for sent, place, odd in product(SENT, range(3), [None, *ODD]):
        listed = [usual(each) for each in IDS[: len(sent.ids)]]
        if odd is not None:
            listed[place : place + 1] = [odd]
        text = json.dumps({"data": listed}, separators=(",", ":"), ensure_ascii=False)
        if twice:
            end = text.rindex("}", 0, -1)
            text = f"{text[:end]},{twice}{text[end:]}"
        assert read_answer(sent, status, text.encode()) == carefully(sent, status, text.encode()), (sent, text)


@given(st.sampled_from(SENT), bodies)
def test_any_answer_is_read_as_it_is_with_care(sent: Sent, content: bytes) -> None:
    assert read_answer(sent, 201, content) == carefully(sent, 201, content)


@pytest.mark.parametrize("creates", [True, False])
def test_the_usual_answer_is_read_the_quick_way(creates: bool) -> None:  # noqa: FBT001 - drawn
    ids: list[str | None] = [None] * 3 if creates else [*IDS]
    sent = Sent(records=[{}] * 3, ids=ids, wrapper="data", creates=creates, safe_to_repeat=not creates)
    listed = list(map(usual, IDS))
    listed[1]["details"]["$approval_state"] = "approved"
    content = json.dumps({"data": listed}, separators=(",", ":")).encode()
    assert read_usual(sent, content) == carefully(sent, 201, content) == Written(IDS)
    for said in ('"id":', '"status":', '"name":'):
        start = content.index(said.encode())
        again = content[start : content.index(b'"', start + len(said) + 1) + 1]
        assert read_usual(sent, content.replace(again, again + b"," + again, 1)) is None
