"""The sentences of conversion."""

from __future__ import annotations

from bulkzcrm.convert import Complaint, words
from bulkzcrm.convert.words import unknown_choice

COMPLAINTS = {name: value for name, value in vars(words).items() if isinstance(value, Complaint)}


def test_every_complaint_is_a_sentence_with_a_cure_that_no_other_has():
    messages = [complaint.message for complaint in COMPLAINTS.values()]
    assert len(set(messages)) == len(messages) > 30
    for complaint in COMPLAINTS.values():
        assert complaint.message.endswith(".")
        assert complaint.remedy.endswith((".", "--decimal ,", "--decimal ."))
        assert complaint.message.format(label="Price", value='"x"').isprintable()


def test_every_complaint_is_public():
    assert set(COMPLAINTS) | {"unknown_choice"} == set(words.__all__)


def test_choices_may_hold_braces():
    complaint = unknown_choice(("{a}", "b{}"), None)
    assert "{a}, b{}" in complaint.message.format(label="Kind", value='"x"')
