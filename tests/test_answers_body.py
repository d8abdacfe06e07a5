"""An answer that is read the quick way says what it says when it is read with care."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bulkzcrm.answers import body
from bulkzcrm.answers.body import Elements, read_body

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


@given(st.lists(elements, min_size=1, max_size=4))
def test_a_plain_success_is_what_it_is_when_it_is_looked_at_closely(listed: list[dict[str, Any]]) -> None:
    content = json.dumps({"data": listed}, separators=(",", ":")).encode()
    quickly = read_body(content, "data")
    assert isinstance(quickly, Elements)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(body, "_is_plain_success", lambda _value: False)
        assert read_body(content, "data") == quickly
