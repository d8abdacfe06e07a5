"""Our client and our sandbox, two statements of the vendor's pages made apart, agree at the edge of each rule."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator

import pytest
from agreement import (
    BASES,
    NOT_YET_READ,
    OUR_OWN_CODES,
    SERVER_JUDGES,
    Case,
    at_edge,
    at_two_edges,
    client_says,
    departure,
    disagreement,
    edges_of,
    server_says,
    sound,
)
from flips import Flip, caught_by, failing, flips, wrong_effect, wrong_maximum
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from two_sides import close_shared

from bulkzcrm.spec.codes import CODES
from bulkzcrm.spec.operations import OPERATIONS

_NUMBERS = ("maximum_length", "maximum_values", "minimum", "maximum", "maximum_digits", "maximum_places")
_SMOKE = (
    "create-services: Duration has minimum 16",
    "create-services: “Unavailable_From not in the future” never breaks",
    "update-services: Location cannot be Business Address",
    "update-business-hours: “five days a week” has another code",
    "an update need not send Members",
)


@pytest.fixture(autouse=True, scope="module")
def organisations() -> Iterator[None]:
    yield
    close_shared()


def of_few(examples: int) -> settings:
    """The same examples every time."""
    return settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )


def agree_on(cases: st.SearchStrategy[Case], examples: int) -> None:
    @of_few(examples)
    @given(cases)
    def agree(case: Case) -> None:
        told = disagreement(case, client_says(case), server_says(case))
        assert told is None, told

    agree()


def hits_at_edges(operation: str, examples: int) -> Counter[tuple[str, bool]]:
    """Hold each edge's both sides against both parties; return how often each rule was broken and kept."""
    hits: Counter[tuple[str, bool]] = Counter()
    for met in edges_of(operation):
        for refused in (True, False):

            @of_few(examples)
            @given(at_edge(operation, met, refused=refused))
            def hold(case: Case) -> None:
                told = departure(case, met, refused=refused)  # noqa: B023 -- called before the loop goes on
                assert told is None, f"{met.title}: {told}"  # noqa: B023 -- the same
                hits[met.rule, refused] += 1  # noqa: B023 -- the same

            hold()
    return hits


def show(operation: str, hits: Counter[tuple[str, bool]]) -> None:
    sys.stdout.write(f"\n{operation:<70} {'broken':>7} {'kept':>7}\n")
    for rule in dict.fromkeys(each.rule for each in edges_of(operation)):
        sys.stdout.write(f"{rule:<70} {hits[rule, True]:>7} {hits[rule, False]:>7}\n")


@pytest.mark.parametrize("operation", BASES)
def test_both_agree_on_both_sides_of_each_limit(operation: str):
    hits = hits_at_edges(operation, 2)
    show(operation, hits)
    assert all(hits[rule, refused] for rule in rules_and_limits(operation) for refused in (True, False))


@pytest.mark.parametrize("operation", BASES)
def test_both_accept_sound_records_and_make_the_same_of_them(operation: str):
    agree_on(sound(operation), 60)


@pytest.mark.parametrize("operation", BASES)
def test_both_agree_on_records_with_two_changes(operation: str):
    agree_on(at_two_edges(operation), 80)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("operation", BASES)
def test_both_agree_on_many_records(operation: str):
    show(operation, hits_at_edges(operation, 40))
    agree_on(sound(operation), 1000)
    agree_on(at_two_edges(operation), 3000)


def rules_and_limits(operation: str) -> set[str]:
    """Every rule that the operation's rows can break, and every limit of its fields."""
    declared = OPERATIONS[operation]
    rules = {rule.name for rule in declared.rules if any(declared.field(name) for name in rule.looks_at)}
    limits = {f"{each.name} {name}" for each in declared.fields for name in _NUMBERS if getattr(each, name) is not None}
    limits |= {f"{each.name} mandatory" for each in declared.fields if each.mandatory}
    return rules | limits | {f"{each.name} choices" for each in declared.fields if each.choices}


@pytest.mark.parametrize("operation", BASES)
def test_every_rule_and_limit_has_an_edge(operation: str):
    assert rules_and_limits(operation) <= {each.rule for each in edges_of(operation)}


@pytest.mark.parametrize("operation", BASES)
def test_the_maximum_of_a_request_is_the_most_that_the_server_takes(operation: str):
    assert wrong_maximum(operation) is None


@pytest.mark.parametrize("operation", BASES)
def test_only_what_makes_a_record_counts_as_creating(operation: str):
    assert wrong_effect(operation) is None


def test_what_only_the_server_refuses_has_a_reason():
    assert SERVER_JUDGES.keys() == {
        "Available_Timings order",
        "Status choices",
        "active services",
        "daily_timing order",
        "weekday order",
        "hours within the current ones",
        "active scoring rules",
    }
    reasons = (*SERVER_JUDGES.values(), *OUR_OWN_CODES.values(), *NOT_YET_READ.values())
    assert all(reason.endswith(".") for reason in reasons)
    assert NOT_YET_READ.keys() <= {rule.name for rule in OPERATIONS["update-services"].rules}
    assert OUR_OWN_CODES.keys() <= set(CODES)


def test_what_notices_flipped_rules_is_sound():
    assert failing() == ()


@pytest.mark.parametrize("title", _SMOKE)
def test_a_flipped_rule_is_noticed(title: str):
    assert caught_by(flip_called(title)) is not None


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_no_flipped_rule_survives():
    assert [flip.title for flip in flips() if caught_by(flip) is None] == []


def flip_called(title: str) -> Flip:
    return next(flip for flip in flips() if flip.title == title)
