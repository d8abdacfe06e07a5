"""The declarations of the operations: whole, without contradiction, and as the vendor's pages have them."""

from __future__ import annotations

import re

import pytest

from bulkzcrm.convert.headers import header_key
from bulkzcrm.spec.fields import Kind, Lookup
from bulkzcrm.spec.operations import OPERATIONS
from bulkzcrm.spec.organisation import Current, Organisation

# operation: page, method, path, wrapper, records at once, sending twice is safe, scope that the page names
PAGES = {
    "create-services": ("create-services", "POST", "Services__s", "data", 100, False, "modules.services.CREATE"),
    "update-services": ("update-services", "PUT", "Services__s", "data", 100, True, "modules.services.UPDATE"),
    "set-service-status": ("update-services", "PUT", "Services__s", "data", 100, True, "modules.services.UPDATE"),
    "set-scoring-rule-status": (
        "update-scoring-rule-status",
        "PUT or DELETE",
        "settings/automation/scoring_rules/{id}/actions/activate",
        "scoring_rules",
        1,
        True,
        "settings.scoring_rules.UPDATE",
    ),
    "update-business-hours": (
        "update-business-hours",
        "PUT",
        "settings/business_hours",
        "business_hours",
        1,
        True,
        "settings.business_hours.UPDATE",
    ),
    "update-service-preferences": (
        "update-service-preferences",
        "PUT",
        "settings/service_preferences",
        "service_preferences",
        1,
        True,
        "settings.modules.UPDATE",
    ),
}

# What each page lists as keys of the request (business hours: the weekdays stand for `custom_timing`).
KEYS = {
    "create-services": {
        *("Service_Name", "Duration", "Location", "Members", "Availability_Type", "Available_From", "Available_Till"),
        *("Available_Dates", "Available_Days", "Price", "Available_Timings", "Tax", "Job_Sheet_Required"),
        *("Job_Sheet_Section__s", "Status", "Unavailable_From", "Unavailable_Till", "Description"),
    },
    "update-business-hours": {
        *("id", "type", "week_starts_on", "business_days", "same_as_everyday", "daily_timing"),
        *("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    },
    "update-service-preferences": {"job_sheet_enabled"},
}
KEYS["update-services"] = {"id", *KEYS["create-services"]}

MANDATORY = {
    "create-services": {"Service_Name", "Duration", "Location", "Members", "Availability_Type", "Price"},
    "update-services": set(),  # what the page wants besides the id is completed from the current record
    "set-service-status": {"Status"},
    "set-scoring-rule-status": {"Status"},
    "update-business-hours": {"type", "week_starts_on"},
    "update-service-preferences": {"job_sheet_enabled"},
}


def test_there_are_the_six_operations():
    assert list(OPERATIONS) == list(PAGES)
    assert all(operation.name == name for name, operation in OPERATIONS.items())


@pytest.mark.parametrize("name", OPERATIONS)
class TestEachOperation:
    def test_is_as_its_page_says(self, name):
        operation = OPERATIONS[name]
        page, method, path, wrapper, maximum, repeatable, scope = PAGES[name]
        assert (operation.page, operation.method, operation.path) == (page, method, path)
        assert (operation.wrapper, operation.maximum, operation.safe_to_repeat) == (wrapper, maximum, repeatable)
        assert operation.one_at_a_time == (maximum == 1)
        assert operation.scopes_needed[0] == f"ZohoCRM.{scope}"

    def test_takes_the_keys_of_its_page_and_wants_those_that_are_mandatory(self, name):
        operation = OPERATIONS[name]
        if name in KEYS:
            assert {each.name for each in operation.fields} == KEYS[name]
        assert {each.name for each in operation.fields if each.mandatory} == MANDATORY[name]

    def test_names_its_scopes_as_the_vendor_does(self, name):
        operation = OPERATIONS[name]
        for scope in (*operation.scopes_needed, *operation.scopes_helpful.values()):
            assert re.fullmatch(r"ZohoCRM\.[a-z_.]+\.(READ|CREATE|UPDATE|DELETE|ALL)", scope)

    def test_says_what_it_does_and_what_each_field_is(self, name):
        operation = OPERATIONS[name]
        assert re.fullmatch(r"[A-Z].+\.", operation.summary)
        for each in operation.fields:
            assert each.label
            assert re.fullmatch(r".+\.", each.about), each.name

    def test_no_header_means_two_fields(self, name):
        operation = OPERATIONS[name]
        meanings: dict[str, set[str]] = {}
        for each in operation.fields:
            for header in (each.name, each.label, *each.headers):
                assert header_key(header)
                meanings.setdefault(header_key(header), set()).add(each.name)
        assert {key: names for key, names in meanings.items() if len(names) > 1} == {}

    def test_finds_its_records_by_fields_that_it_has(self, name):
        operation = OPERATIONS[name]
        names = {each.name for each in operation.fields}
        assert set(operation.find_by) <= names
        assert {each for group in operation.one_of for each in group} <= names
        assert set(operation.defaults) <= {each.name for each in OPERATIONS["create-services"].fields}
        assert operation.creates == (not operation.find_by and not operation.single)
        assert operation.field("id") == next((each for each in operation.fields if each.name == "id"), None)
        assert operation.field("Owner") is None

    def test_limits_and_choices_stand_only_where_their_kind_has_them(self, name):
        for each in OPERATIONS[name].fields:
            assert bool(each.choices) == (each.kind is Kind.CHOICE)
            assert set(each.aliases.values()) <= set(each.choices)
            assert all(alias == "".join(alias.split()).casefold() for alias in each.aliases)
            assert (each.minimum is None) == (each.maximum is None) == (each.kind is not Kind.MINUTES)
            assert (each.maximum_digits is not None) == (each.kind is Kind.MONEY)
            assert each.maximum_length is None or each.kind is Kind.TEXT
            assert not (each.mandatory and each.never_empty)
            assert each.lookup is not Lookup.USERS or each.kind is Kind.MEMBERS


def test_an_organisations_zone_is_that_of_its_profile_or_unknown():
    assert Organisation().zone is None
    assert Current({}).id == ""
