"""Causes: every row that did not succeed is in exactly one, and those that went wrong alike are in the same."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_pages import paged
from report_samples import DONE, TOO_LONG, row_of, texts

from bulkzcrm.model import Outcome, Problem, Status
from bulkzcrm.report import Cause, Causes, ReportRow

BAD = (Status.INVALID, Status.REJECTED, Status.UNKNOWN, Status.UNSENT)
GOOD = (Status.SUCCEEDED, Status.UNCHANGED, Status.VALID)


def problem(message: str, remedy: str = "Mend it.", *, code: str = "INVALID_DATA", field: str = "Price") -> Problem:
    return Problem(code=code, field=field, message=message, remedy=remedy, cell="B7")


def bad_row(number: int, *problems: Problem, status: Status = Status.INVALID) -> ReportRow:
    return row_of("x", number=number, outcome=Outcome(status=status, problems=problems))


def causes_of(*rows: ReportRow) -> tuple[Cause, ...]:
    causes = Causes()
    assert [row for page in causes.watching(paged(rows)) for row in page.rows()] == list(rows)
    return causes.told()


def told(*messages: str) -> list[tuple[int, str]]:
    rows = (bad_row(number, problem(message)) for number, message in enumerate(messages, start=2))
    return [(cause.count, cause.message) for cause in causes_of(*rows)]


def test_a_cause_tells_how_many_rows_it_has_which_come_first_and_what_to_do():
    rows = [bad_row(number, TOO_LONG) for number in range(2, 9)]
    (cause,) = causes_of(row_of("Wash", outcome=DONE), *rows)
    assert cause.to_json() == {
        "code": "INVALID_DATA",
        "field": "Duration",
        "status": "invalid",
        "count": 7,
        "rows": [2, 3, 4, 5, 6],
        "cell": "F37",
        "message": "Duration is … minutes, and a service lasts at most 1440.",
        "remedy": TOO_LONG.remedy,
    }


@pytest.mark.parametrize(
    ("messages", "message", "exact"),
    [
        (
            [
                "Available_Till (2030-03-01) is not after Available_From (2030-04-01).",
                "Available_Till (2030-03-09) is not after Available_From (2030-04-01).",
            ],
            "Available_Till (…) is not after Available_From (…).",
            "Available_Till (…) is not after Available_From (2030-04-01).",
        ),
        (
            [
                "The organisation has nothing called “Tim” for Members. Did you mean Tom?",
                "The organisation has nothing called “Ann” for Members. Did you mean Anna?",
            ],
            "The organisation has nothing called “…” for Members.",
            "The organisation has nothing called … for Members.",
        ),
        (
            [
                "“Alex” can mean 2: alex@a.example (5545974000000393006), alex2@a.example (5545974000000393007).",
                "“Kim” can mean 3: kim@a.example (5545974000000393001).",
            ],
            "“…” can mean …: ….",
            "“…” can mean …",
        ),
        (
            ['Price says "-350", which is negative.', 'Price says "-2", which is negative.'],
            "Price says “…”, which is negative.",
            "Price says …, which is negative.",
        ),
    ],
)
def test_rows_whose_messages_differ_in_values_alone_are_one_cause(messages, message, exact):
    (cause,) = causes_of(*(bad_row(number, problem(text)) for number, text in enumerate(messages, start=2)))
    assert (cause.count, cause.message, cause.exact_message) == (2, message, exact)


def test_other_codes_fields_statuses_or_sentences_are_other_causes():
    rows = [
        bad_row(2, problem("Price is blank.")),
        bad_row(3, problem("Price is blank.", code="MANDATORY_NOT_FOUND")),
        bad_row(4, problem("Price is blank.", field="Tax")),
        bad_row(5, problem("Price is blank."), status=Status.REJECTED),
        bad_row(6, problem("Price is negative.")),
    ]
    assert [cause.count for cause in causes_of(*rows)] == [1] * 5


def test_the_largest_cause_comes_first_and_of_equal_ones_the_earlier():
    messages = ["Small.", "Large.", "Early.", "Large.", "Late."]
    assert told(*messages) == [(2, "Large."), (1, "Small."), (1, "Early."), (1, "Late.")]


def test_a_row_with_several_problems_counts_under_its_first():
    (cause,) = causes_of(bad_row(2, problem("One.", "Do this."), problem("Two.", "Do that.")))
    assert (cause.message, cause.remedy) == ("One.", "Do this.")


def test_what_to_do_is_told_as_far_as_it_is_the_same_for_all():
    same = [
        bad_row(2, problem("No.", "Did you mean Tom? Then write it so.")),
        bad_row(3, problem("No.", "Was it really Ann? Then write it so.")),
    ]
    other = [bad_row(2, problem("No.", "Write Tom.")), bad_row(3, problem("No.", "Leave it blank."))]
    assert causes_of(*same)[0].remedy == "Then write it so."
    assert "results.csv" in causes_of(*other)[0].remedy


def test_a_row_without_any_problem_told_is_counted_by_its_status():
    (cause,) = causes_of(bad_row(2, status=Status.REJECTED))
    assert (cause.count, cause.status, cause.message) == (1, "rejected", "")


problems = st.builds(
    Problem,
    code=st.sampled_from(["INVALID_DATA", "NOT_ALLOWED", ""]),
    field=st.sampled_from(["Price", ""]),
    message=st.one_of(texts, st.text('ab .:“”"19…(', max_size=30)),
    remedy=st.text("ab .?1", max_size=12),
)
rows_of_any_kind = st.lists(st.tuples(st.sampled_from([*BAD, *GOOD]), st.lists(problems, max_size=2)), max_size=60)


@given(rows_of_any_kind)
def test_every_row_that_did_not_succeed_is_in_exactly_one_cause(kinds):
    rows = [bad_row(number, *found, status=status) for number, (status, found) in enumerate(kinds, start=2)]
    causes = Causes()
    list(causes.watching(paged(rows)))
    found = causes.told()
    places = Counter(causes.place(row) for row in rows)
    good = places.pop(None, 0)
    assert good == sum(status in GOOD for status, _ in kinds)
    assert dict(places) == {place: cause.count for place, cause in enumerate(found)}
    for place, cause in enumerate(found):
        belonging = [row.result[0] for row in rows if causes.place(row) == place]
        assert list(cause.rows) == belonging[:5]
        assert {row.result[1] for row in rows if causes.place(row) == place} == {cause.status}


def test_of_very_many_causes_the_rest_is_one_and_nothing_is_lost():
    words = [chr(97 + number // 26 % 26) + chr(97 + number % 26) for number in range(26 * 26)]
    rows = [bad_row(number, problem(f"Never {word}.", code=f"CODE_{word}")) for number, word in enumerate(words)]
    found = causes_of(*rows, *rows)
    assert sum(cause.count for cause in found) == 2 * len(rows)
    assert len(found) <= 301
    assert (found[-1].status, found[-1].code, found[-1].field) == ("", "", "")
    assert "results.csv" in found[-1].message


def test_of_very_many_messages_of_one_code_later_ones_are_told_together():
    words = [chr(97 + number // 26 % 26) + chr(97 + number % 26) for number in range(400)]
    rows = [bad_row(number, problem(f"Never {word}.")) for number, word in enumerate(words)]
    found = causes_of(*rows)
    assert found[0].count == 200
    assert (found[0].code, found[0].message) == (
        "INVALID_DATA",
        f"Several kinds, told for every row in results.csv. The first: Never {words[200]}.",
    )
