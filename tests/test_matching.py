"""Lost records and what is there: nothing is matched twice, nothing is guessed, and an honest history is understood."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bulkzcrm.send.matching import Lost, Matched, Others, match
from bulkzcrm.spec.organisation import Current
from bulkzcrm.spec.service_fields import SERVICE_FIELDS

NAMES = st.sampled_from(["Cut", "cut", "Wash  and go", "Wash and go", "Dye"])
RECORDS = st.fixed_dictionaries(
    {
        "Service_Name": NAMES,
        "Price": st.sampled_from([Decimal(10), Decimal("12.50")]),
        "Members": st.sampled_from([[{"Members": {"id": "1"}}], [{"Members": {"id": "2"}}]]),
    },
    optional={"Description": st.sampled_from(["x", "line\r\nbreak"])},
)


def lost(records: list[dict[str, Any]]) -> list[Lost]:
    return [Lost(place, record) for place, record in enumerate(records, start=1)]


def there(record: dict[str, Any], number: int, **changes: Any) -> Current:
    """A record as the server keeps it: texts trimmed, numbers in its own form."""
    return Current(
        {**record, "id": str(5_000_000_000_000_000_000 + number), "Price": f"{record['Price']:.3f}", **changes}
    )


def content(record: dict[str, Any]) -> str:
    return repr(sorted(record.items()))


def matched(records: list[dict[str, Any]], present: list[Current]) -> Matched:
    return match(lost(records), present, SERVICE_FIELDS, "Service_Name")


@given(st.lists(RECORDS, max_size=8), st.lists(RECORDS, max_size=8))
def test_every_row_has_one_fate_and_no_record_has_two_rows(sent: list[dict[str, Any]], present: list[dict[str, Any]]):
    fate = matched(sent, [there(record, number) for number, record in enumerate(present)])
    fates = [*fate.found, *fate.absent, *fate.ambiguous]
    assert sorted(fates) == list(range(1, len(sent) + 1))
    assert len(set(fate.found.values())) == len(fate.found)


@given(st.lists(RECORDS, max_size=8), st.data())
def test_of_what_was_written_in_part_just_that_part_is_found(sent: list[dict[str, Any]], data: st.DataObject):
    written = [record for record in sent if data.draw(st.booleans())]
    fate = matched(sent, [there(record, number) for number, record in enumerate(written)])
    assert len(fate.found) == len(written)
    assert not fate.ambiguous
    assert len(fate.absent) == len(sent) - len(written)
    left = Counter(content(sent[place - 1]) for place in fate.absent)
    assert left == Counter(map(content, sent)) - Counter(map(content, written))


@given(st.lists(RECORDS, min_size=1, max_size=5))
def test_one_record_more_than_rows_that_say_the_same_makes_them_ambiguous(sent: list[dict[str, Any]]):
    present = [there(record, number) for number, record in enumerate([*sent, sent[0]])]
    fate = matched(sent, present)
    alike = {place for place, record in enumerate(sent, start=1) if record == sent[0]}
    assert alike <= set(fate.ambiguous)
    for place in alike:
        assert len(fate.ambiguous[place]) == len(alike) + 1


@given(st.lists(RECORDS, min_size=1, max_size=5))
def test_a_namesake_that_agrees_with_no_row_leaves_no_row_of_that_name_absent(sent: list[dict[str, Any]]):
    fate = matched(sent, [there(sent[0], 1, Price="77")])
    name = " ".join(sent[0]["Service_Name"].split()).casefold()
    namesakes = {
        place
        for place, record in enumerate(sent, start=1)
        if " ".join(record["Service_Name"].split()).casefold() == name
    }
    assert set(fate.ambiguous) == namesakes
    assert fate.absent == set(range(1, len(sent) + 1)) - namesakes


def test_what_a_list_is_silent_about_does_not_speak_against_a_record():
    record = {"Service_Name": "Cut", "Members": [{"Members": {"id": "1"}}]}
    silent = Current({"id": "5", "Service_Name": "Cut"}, frozenset({"Members"}))
    assert match(lost([record]), [silent], SERVICE_FIELDS, "Service_Name").found == {1: "5"}


def test_of_two_kinds_of_rows_a_record_belongs_to_the_one_that_it_is_closest_to():
    plain = {"Service_Name": "Cut", "Price": Decimal(10)}
    described = {**plain, "Description": "with a beard"}
    fate = matched([plain, described], [there(described, 1)])
    assert set(fate.found) == {2}
    assert fate.absent == {1}


@given(st.lists(RECORDS, max_size=8), st.lists(RECORDS, max_size=4), st.data())
def test_no_row_is_absent_beside_a_record_that_nobody_explains(
    sent: list[dict[str, Any]], elsewhere: list[dict[str, Any]], data: st.DataObject
):
    """Whatever the server filled in: where all that was sent was made, each row is found, wherever others wait."""
    made = []
    for number, record in enumerate([*sent, *elsewhere]):
        filled = {"Description": "x"} if "Description" not in record and data.draw(st.booleans()) else {}
        made.append(there({**record, **filled}, number))
    fate = match(lost(sent), made, SERVICE_FIELDS, "Service_Name", others=Others(rivals=elsewhere))
    assert not fate.absent


def test_a_thousand_rows_of_one_name_are_matched_with_what_they_have_made():
    sent = [{"Service_Name": "Cut", "Price": Decimal(10), "Description": f"number {each}"} for each in range(1_000)]
    fate = matched(sent, [there(record, number) for number, record in enumerate(sent)])
    assert fate.found == {place: str(5_000_000_000_000_000_000 + place - 1) for place in range(1, 1_001)}


def test_a_row_that_says_what_the_organisation_fills_in_is_the_same_as_one_that_does_not():
    plain = {"Service_Name": "Cut", "Price": Decimal(10)}
    said = {**plain, "Status": "Available"}
    fate = match(
        lost([plain, said]), [there(said, 1)], SERVICE_FIELDS, "Service_Name", defaults={"Status": "Available"}
    )
    assert (list(fate.found), fate.absent) == ([1], {2})


def test_what_fits_a_row_that_nobody_asks_about_best_is_not_taken():
    plain = {"Service_Name": "Cut", "Price": Decimal(10)}
    said = {**plain, "Description": "with a beard"}
    there_now = [there(said, 1)]
    left = match(lost([plain]), there_now, SERVICE_FIELDS, "Service_Name", others=Others(left=[said]))
    assert list(left.ambiguous) == [1]
    rival = match(lost([plain]), there_now, SERVICE_FIELDS, "Service_Name", others=Others(rivals=[said]))
    assert rival.absent == {1}
