"""The catalogue of codes: complete, unambiguous, and explained in whole sentences."""

from __future__ import annotations

import re

import pytest

from bulkzcrm.errors import UsageError
from bulkzcrm.spec.codes import (
    CODES,
    CREDENTIAL_CODES,
    THROTTLING_CODES,
    Cause,
    Disposition,
    When,
    explain,
    table,
)

NAMED_ON_THE_FIVE_PAGES = [
    "ACTIVE_STATE_LIMIT_EXCEEDED",
    "API_NOT_SUPPORTED",
    "DEPENDENT_FIELD_MISSING",
    "DEPENDENT_MISMATCH",
    "INTERNAL_ERROR",
    "INVALID_DATA",
    "INVALID_MODULE",
    "INVALID_REQUEST_METHOD",
    "INVALID_TOKEN",
    "INVALID_URL_PATTERN",
    "LIMIT_EXCEEDED",
    "MANDATORY_NOT_FOUND",
    "NOT_ALLOWED",
    "NO_PERMISSION",
    "OAUTH_SCOPE_MISMATCH",
]

NAMED_IN_THE_FACTS = [
    *[
        "ALREADY_MODIFIED",
        "ALREADY_SCHEDULED",
        "ALREADY_USED",
        "AMBIGUITY_DURING_PROCESSING",
        "AUTHENTICATION_FAILURE",
        "AUTHORIZATION_FAILED",
        "BAD_REQUEST",
        "BLOCKED_RECORD",
        "CANNOT_BE_UPDATED",
        "CANNOT_PERFORM_ACTION",
        "CANNOT_PROCESS",
        "CANNOT_UPDATE",
        "CONVERTED_RECORD",
        "DATA_MISMATCH",
        "DEPENDENT_SERVICE_ERROR",
        "DISCRETE_PAGINATION_LIMIT_EXCEEDED",
        "DUPLICATE_DATA",
        "EXPECTED_FIELD_MISSING",
        "EXPIRED_VALUE",
        "FEATURE_NOT_SUPPORTED",
        "FILE_NOT_SUPPORTED",
        "INTERNAL_SERVER_ERROR",
        "INVALID_OAUTHTOKEN",
        "INVALID_QUERY",
        "LIMIT_REACHED",
        "MAPPING_MISMATCH",
        "MINIMUM_DATA_NOT_FOUND",
        "MODULE_NOT_AVAILABLE",
        "MULTIPLE_OR_MULTI_ERRORS",
        "NOT_APPROVED",
        "NOT_FOUND",
        "NOT_REVIEWED",
        "NOT_SUPPORTED",
        "NO_CONTENT",
        "PAGINATION_LIMIT_EXCEEDED",
        "PATTERN_NOT_MATCHED",
        "RECORD_IN_BLUEPRINT",
        "RECORD_LOCKED",
        "REQUIRED_PARAM_MISSING",
        "RESOURCE_NOT_FOUND",
        "STORAGE_SPACE_EXCEEDED",
        "SYNTAX_ERROR",
        "TERRITORY_NOT_ENABLED",
        "TOKEN_BOUND_DATA_MISMATCH",
        "TOO_MANY_REQUESTS",
        "UNAUTHORIZED",
        "general_error",
        "invalid_client",
        "invalid_client_secret",
        "invalid_code",
        "invalid_redirect_uri",
    ],
    "Access Denied",
]

NAMED_BY_US = [
    "CELL_ERROR",
    "DATE_AMBIGUOUS",
    "DUPLICATE_ROW",
    "FORMULA_WITHOUT_VALUE",
    "ID_PRECISION_LOST",
    "NAME_AMBIGUOUS",
    "NAME_NOT_FOUND",
    "ROW_SHAPE",
]

HTTP_STATUSES = ["400", "401", "403", "404", "412", "413", "415", "429", "500"]


@pytest.mark.parametrize("name", [*NAMED_ON_THE_FIVE_PAGES, *NAMED_IN_THE_FACTS, *NAMED_BY_US, *HTTP_STATUSES])
def test_every_code_that_the_sources_name_is_in_the_catalogue(name):
    assert CODES[name].name == name


def test_names_are_unique_also_to_people_who_do_not_mind_case_and_underscores():
    plain = [name.casefold().replace("_", " ") for name in CODES]
    assert len(set(plain)) == len(plain)


@pytest.mark.parametrize("code", CODES.values(), ids=lambda code: code.name)
def test_every_code_has_a_meaning_and_every_cause_an_explanation_and_a_remedy_in_whole_sentences(code):
    sentences = [code.meaning, *(text for cause in code.causes for text in (cause.explanation, cause.remedy))]
    for sentence in sentences:
        assert re.fullmatch(r"[A-Za-z].{10,}[.]", sentence), sentence
        assert "  " not in sentence


@pytest.mark.parametrize("code", CODES.values(), ids=lambda code: code.name)
def test_only_the_last_cause_of_a_code_holds_unconditionally(code):
    assert [cause.when == When() for cause in code.causes] == [False] * (len(code.causes) - 1) + [True]


@pytest.mark.parametrize("code", CODES.values(), ids=lambda code: code.name)
def test_no_two_causes_of_one_code_use_the_same_words(code):
    for texts in ([c.explanation for c in code.causes], [c.remedy for c in code.causes]):
        assert len({text.casefold() for text in texts}) == len(texts)


def test_the_five_pages_are_named_exactly_where_they_name_a_code():
    assert sorted(code.name for code in CODES.values() if code.pages) == sorted(NAMED_ON_THE_FIVE_PAGES)


def test_codes_of_our_own_are_marked_and_concern_a_row():
    ours = [code for code in CODES.values() if code.ours]
    assert sorted(code.name for code in ours) == sorted(NAMED_BY_US)
    assert {code.disposition for code in ours} == {Disposition.FIX_ROW}


@pytest.mark.parametrize(
    ("disposition", "names"),
    [
        (Disposition.STOP_RUN, "OAUTH_SCOPE_MISMATCH NO_PERMISSION INVALID_MODULE INVALID_URL_PATTERN"),
        (Disposition.REFRESH_TOKEN, "INVALID_TOKEN AUTHENTICATION_FAILURE"),
        (Disposition.TRY_AGAIN, "TOO_MANY_REQUESTS INTERNAL_ERROR"),
        (Disposition.FIX_ROW, "INVALID_DATA DEPENDENT_MISMATCH NOT_ALLOWED LIMIT_EXCEEDED ALREADY_MODIFIED"),
    ],
)
def test_dispositions_are_those_of_the_design(disposition, names):
    assert {CODES[name].disposition for name in names.split()} == {disposition}


def test_the_sets_that_the_sender_reads_hold_known_codes_only():
    assert set(CODES) >= CREDENTIAL_CODES | THROTTLING_CODES


@pytest.mark.parametrize("code", CODES.values(), ids=lambda code: code.name)
def test_explain_prints_the_meaning_and_every_cause_with_its_remedy(code):
    text = explain(code.name)
    assert text.startswith(f"{code.name}: {code.meaning}")
    for cause in code.causes:
        assert f"{cause.explanation}\n     -> {cause.remedy}" in text


@pytest.mark.parametrize("typed", ["invalid_data", "Invalid Data", "INVALID-DATA", " invalid  data "])
def test_explain_does_not_mind_case_blanks_and_hyphens(typed):
    assert explain(typed) == explain("INVALID_DATA")


def test_explain_takes_an_http_status_with_or_without_the_word():
    assert explain("HTTP 413") == explain("413")


def test_explain_names_the_codes_that_look_like_an_unknown_one():
    with pytest.raises(UsageError) as refusal:
        explain("INVALID_DATE")
    assert "INVALID_DATE" in refusal.value.message
    assert "INVALID_DATA" in refusal.value.cure


def test_explain_says_where_codes_are_found_when_nothing_looks_alike():
    with pytest.raises(UsageError) as refusal:
        explain("Ünïcödé 42!")
    assert "result_code" in refusal.value.cure


def test_the_table_has_one_complete_line_for_every_code():
    rows = table()
    assert [row.code for row in rows] == list(CODES)
    assert all(all(row) for row in rows)
    assert {row.page for row in rows if row.code in NAMED_BY_US} == {"bulkzcrm itself"}


def test_causes_are_values_that_compare_by_content():
    assert Cause(When(fields=("A",)), "x", "y") == Cause(When(fields=("A",)), "x", "y")
