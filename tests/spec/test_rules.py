"""All local rules of the vendor's five pages as a table: each sentence is broken alone, and mended is accepted.

The table itself stands in `service_field_sentences`, `service_rule_sentences` and `settings_sentences`.
"""

from __future__ import annotations

import re

import pytest
from judged_rows import GOOD, organisation, problems_of
from rule_sentences import CREATE, Sentence
from service_field_sentences import SERVICE_FIELD_SENTENCES
from service_rule_sentences import SERVICE_RULE_SENTENCES
from settings_sentences import SETTINGS_SENTENCES

from bulkzcrm.cells import column_letter
from bulkzcrm.spec.codes import CODES
from bulkzcrm.spec.fields import Kind
from bulkzcrm.spec.operations import OPERATIONS
from bulkzcrm.spec.service_fields import SERVICE_FIELDS

SENTENCES = (*SERVICE_FIELD_SENTENCES, *SERVICE_RULE_SENTENCES, *SETTINGS_SENTENCES)

BROKEN = [
    pytest.param(sentence, operation, row, id=f"{operation}: {sentence.says} {number}")
    for sentence in SENTENCES
    for operation in sentence.operations
    for number, row in enumerate(sentence.breaks, 1)
]
KEPT = [
    pytest.param(sentence, operation, row, id=f"{operation}: {sentence.says} {number}")
    for sentence in SENTENCES
    for operation in sentence.operations
    for number, row in enumerate(sentence.keeps, 1)
]


def _cell(operation: str, field: str) -> str:
    names = [each.name for each in OPERATIONS[operation].fields]
    return f"{column_letter(names.index(field))}2" if field in names else ""


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_good_row_of_each_operation_breaks_nothing(operation):
    assert problems_of(operation, {}, around=organisation()) == ()
    assert problems_of(operation, {}) == ()


@pytest.mark.parametrize(("sentence", "operation", "row"), BROKEN)
def test_a_row_that_breaks_one_sentence_is_told_just_that(sentence: Sentence, operation, row):
    (problem,) = problems_of(operation, row, around=organisation(**sentence.around))
    assert (problem.code, problem.field, problem.cell) == (
        sentence.code,
        sentence.field,
        _cell(operation, sentence.field),
    )
    assert re.fullmatch(r"\S.*[.?]", problem.message, re.DOTALL)
    assert re.fullmatch(r"[A-Z].*\.", problem.remedy, re.DOTALL)
    assert len(problem.message) < 400


@pytest.mark.parametrize(("sentence", "operation", "row"), KEPT)
def test_the_same_row_mended_is_accepted(sentence: Sentence, operation, row):
    assert problems_of(operation, row, around=organisation(**sentence.around)) == ()


@pytest.mark.parametrize(("sentence", "operation", "row"), [case for case in BROKEN if case.values[0].needs_reading])
def test_check_never_accuses_a_row_of_what_only_the_organisation_can_tell(sentence: Sentence, operation, row):
    assert problems_of(operation, row, zone="Asia/Kolkata") == ()


@pytest.mark.parametrize(
    ("sentence", "operation", "row"),
    [case for case in BROKEN if case.values[1] == CREATE and not case.values[0].needs_reading],
)
def test_check_finds_in_a_new_record_what_a_run_finds(sentence: Sentence, operation, row):
    told = [(problem.code, problem.field) for problem in problems_of(operation, row, zone="Asia/Kolkata")]
    assert told == [(sentence.code, sentence.field)]


@pytest.mark.parametrize(("sentence", "operation", "row"), KEPT)
def test_check_accepts_what_a_run_accepts(sentence: Sentence, operation, row):
    assert problems_of(operation, row, zone="Asia/Kolkata") == ()


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda operation: operation.name)
class TestTheTableIsWhole:
    def test_every_rule_that_a_row_can_break_is_broken_and_kept_in_the_table(self, operation):
        names = {each.name for each in operation.fields}
        at_stake = {rule.name for rule in operation.rules if not names.isdisjoint(rule.looks_at)}
        ours = [sentence for sentence in SENTENCES if operation.name in sentence.operations]
        assert {sentence.rule for sentence in ours if sentence.breaks} - {""} == at_stake
        assert {sentence.rule for sentence in ours if sentence.keeps} - {""} == at_stake

    def test_the_table_and_the_rules_agree_on_code_and_field(self, operation):
        rules = {rule.name: rule for rule in operation.rules}
        for sentence in SENTENCES:
            if sentence.rule and operation.name in sentence.operations:
                rule = rules[sentence.rule]
                assert sentence.code == rule.code
                assert sentence.field in rule.looks_at
                assert sentence.needs_reading == bool(rule.needs)

    def test_every_field_that_must_be_given_is_missing_once_in_the_table(self, operation):
        missing = {
            sentence.field
            for sentence in SENTENCES
            if operation.name in sentence.operations and sentence.code == "MANDATORY_NOT_FOUND"
        }
        assert {each.name for each in operation.fields if each.mandatory} <= missing

    def test_every_field_that_can_hold_a_wrong_value_holds_one_in_the_table(self, operation):
        wrong = {
            sentence.field
            for sentence in SENTENCES
            if operation.name in sentence.operations and sentence.code in {"INVALID_DATA", "NAME_NOT_FOUND"}
        }
        days = {"Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}  # as Monday and Sunday, which are there
        checked = {
            each.name
            for each in operation.fields
            if not each.open_choices and (each.kind is not Kind.TEXT or each.maximum_length or each.lookup)
        }
        if operation.name == "set-service-status":
            checked -= {"Service_Name"}  # it only finds the service
        assert checked <= wrong | days

    def test_rules_have_names_of_their_own_known_codes_and_whole_sentences(self, operation):
        names = [rule.name for rule in operation.rules]
        assert len(names) == len(set(names))
        known = {each.name for each in (*operation.fields, *SERVICE_FIELDS)}
        for rule in operation.rules:
            assert rule.code in CODES
            assert not CODES[rule.code].ours
            assert re.fullmatch(r"[A-Z_a-z].*\.", rule.says)
            assert rule.field in known
            assert set(rule.looks_at) <= known
            assert rule.field in rule.looks_at
            assert rule.page


def test_every_sentence_of_the_table_is_whole_and_breaks_by_a_known_code():
    for sentence in SENTENCES:
        assert sentence.says.endswith(".")
        assert sentence.code in CODES
        for operation in sentence.operations:
            given = set().union(*sentence.breaks, *sentence.keeps)
            assert given <= {each.name for each in OPERATIONS[operation].fields}, operation
            assert operation in GOOD
