"""What a spreadsheet program would run is made harmless, and reading it back undoes that."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkzcrm.defuse import defuse, undefuse

texts = st.text() | st.builds(
    str.__add__, st.sampled_from(["=", "+", "-", "@", "\t", "\r", "\n", "\0", "'", "\uff1d"]), st.text()
)


@given(texts)
def test_undefuse_gives_back_every_text(text):
    assert undefuse(defuse(text)) == text


@given(texts)
def test_a_defused_text_is_no_formula(text):
    assert not defuse(text).startswith(("=", "@", "\t", "\r", "\n", "\0", "\uff1d", "\uff0b", "\uff0d", "\uff20"))


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\0", "\uff1d1", "-"]
)
def test_what_a_spreadsheet_program_would_run_gets_an_apostrophe(text):
    assert defuse(text) == "'" + text


@pytest.mark.parametrize("text", ["-5", "+5.20", "-5,20", "+491701234567", "", "plain", "a=b", "5545974000000393001"])
def test_numbers_and_plain_texts_stay(text):
    assert defuse(text) == text
    assert undefuse(text) == text


def test_an_apostrophe_that_a_person_typed_before_an_id_survives():
    assert undefuse("'5545974000000393001") == "'5545974000000393001"
