"""Services set aside: found like in a dictionary, by name as the look-ups tell names apart, and not held in memory."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bulkzcrm.lookup import folded
from bulkzcrm.readings.shelf import Shelf
from bulkzcrm.spec.organisation import Current
from bulkzcrm.spec.values import name_of

SILENT = frozenset({"Members", "Tax"})

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | texts
    | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)
names = st.sampled_from(["Roof", "roof ", "ROOF\u200b", "Röof", "Ro\u0308of", "", "Boiler"])
records = st.builds(
    lambda number, name, more: {**more, "id": f"55459740000021830{number:02}", "Service_Name": name},
    st.integers(0, 20),
    names,
    st.dictionaries(st.sampled_from(["Price", "Members", "Tax"]), values),
)


def shelf_of(*pages: list[dict[str, Any]]) -> Shelf:
    shelf = Shelf("Service_Name")
    for page in pages:
        shelf.put(page, [SILENT if "Tax" in record else frozenset[str]() for record in page])
    return shelf


@given(st.lists(records, max_size=12), st.lists(records, max_size=12))
def test_it_holds_what_a_dictionary_holds(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> None:
    shelf = shelf_of(one, other)
    kept = {record["id"]: Current(record, SILENT if "Tax" in record else frozenset()) for record in [*one, *other]}
    assert dict(shelf) == kept
    assert (len(shelf), list(shelf), list(shelf.values())) == (len(kept), list(kept), list(kept.values()))
    for name in ("Roof", "roof", "Ro\u0308of", "Window", ""):
        wanted = [each for each in kept.values() if name and folded(str(each.record["Service_Name"])) == folded(name)]
        assert shelf.named(name) == wanted
        sought = {"Service_Name": name}
        alike = [
            each.id for each in kept.values() if name_of(each.record, "Service_Name") == name_of(sought, "Service_Name")
        ]
        assert shelf.namesakes(sought) == alike


def test_what_is_not_there_is_told_like_a_dictionary_tells_it() -> None:
    shelf = shelf_of([{"id": "1", "Service_Name": "Roof", "Price": Decimal("12.50")}])
    assert "1" in shelf
    assert "2" not in shelf
    assert shelf.get("2") is None
    assert shelf["1"].record["Price"] == Decimal("12.50")


def test_what_is_taken_off_may_be_changed_without_harm() -> None:
    shelf = shelf_of([{"id": "1", "Service_Name": "Roof"}])
    shelf["1"].record["Service_Name"] = "Boiler"
    assert shelf["1"].record["Service_Name"] == "Roof"
