"""What goes over the wire: what the row changes, what the page wants besides, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from judged_rows import AISHA, AWAY, HOURS_ID, PLAIN, RAHUL, at, organisation

from bulkzcrm.spec.completion import UPDATE_MANDATORY
from bulkzcrm.spec.operations import OPERATIONS
from bulkzcrm.spec.organisation import Current, Organisation

CREATE, UPDATE, STATUS = (OPERATIONS[name] for name in ("create-services", "update-services", "set-service-status"))
SCORING, HOURS = OPERATIONS["set-scoring-rule-status"], OPERATIONS["update-business-hours"]
PREFERENCES = OPERATIONS["update-service-preferences"]
AROUND = organisation()
NOW_THERE = AROUND.services[PLAIN]
MEMBER_ROW = {"id": "5545974000002184001", "Members": {"id": RAHUL}}
MANDATORY = {
    "id": PLAIN,
    "Duration": 60,
    "Location": "Client Address",
    "Members": [MEMBER_ROW],
    "Availability_Type": "Every Business Days",
}

DAILY = {
    "type": "custom",
    "week_starts_on": "Monday",
    "business_days": ["Monday", "Tuesday"],
    "same_as_everyday": True,
    "daily_timing": ["09:00", "18:00"],
}
OWN = {"type": "custom", "week_starts_on": "Monday", "same_as_everyday": False}


def _there(silent=(), **changes) -> Current:
    return Current(NOW_THERE.record | changes, frozenset(silent))


def _updated(given_values, current=NOW_THERE, operation=UPDATE):
    return operation.complete({"id": PLAIN, **given_values}, current, AROUND)


class TestCreating:
    def test_a_new_record_says_what_the_row_says_and_clears_nothing(self):
        completed = CREATE.complete({"Service_Name": "A", "Tax": None}, Current({}), AROUND)
        assert completed.record == {"Service_Name": "A"}
        assert not completed.lacks

    def test_the_request_carries_the_records_in_their_order(self):
        records = [{"Service_Name": "B"}, {"Service_Name": "A"}]
        request = CREATE.request(records, triggers=True)
        assert (request.method, request.path, request.body) == ("POST", "Services__s", {"data": records})

    @pytest.mark.parametrize("operation", [CREATE, UPDATE, STATUS], ids=lambda operation: operation.name)
    def test_without_triggers_the_request_says_so(self, operation):
        body = operation.request([{"id": PLAIN}], triggers=False).body
        assert body == {"data": [{"id": PLAIN}], "trigger": []}


class TestUpdating:
    def test_it_sends_the_change_and_what_the_page_makes_mandatory(self):
        completed = _updated({"Price": Decimal(99)})
        assert completed.record == MANDATORY | {"Price": Decimal(99)}
        assert completed.changed == {"Price"}

    @given(st.sets(st.sampled_from(sorted(set(NOW_THERE.record) - {"id"}))))
    def test_a_row_that_says_what_is_already_so_changes_nothing(self, names):
        assert _updated({name: NOW_THERE.record[name] for name in names}).changed == frozenset()

    @pytest.mark.parametrize(
        ("value", "there"),
        [
            ({"Price": Decimal("230.660")}, {}),
            ({"Available_Days": ["Friday", "Monday"]}, {"Available_Days": ["Monday", "Friday"]}),
            ({"Description": None}, {"Description": ""}),
            ({"Tax": None}, {}),
            ({"Members": [{"Members": {"id": RAHUL}}]}, {}),
            ({"Unavailable_From": at(days=-1)}, {"Unavailable_From": "2040-03-13T12:00:00Z"}),
        ],
    )
    def test_what_differs_in_form_alone_changes_nothing(self, value, there):
        assert _updated(value, _there(**there)).changed == frozenset()

    def test_members_that_are_there_keep_their_own_row_and_new_ones_have_none(self):
        completed = _updated({"Members": [{"Members": {"id": AISHA}}, {"Members": {"id": RAHUL}}]})
        assert completed.record["Members"] == [{"Members": {"id": AISHA}}, MEMBER_ROW]
        assert completed.changed == {"Members"}

    def test_current_members_are_sent_without_what_a_write_does_not_take(self):
        assert _updated({"Price": Decimal(1)}).record["Members"] == [MEMBER_ROW]

    @pytest.mark.parametrize("name", UPDATE_MANDATORY)
    def test_what_must_be_sent_and_was_not_shown_is_lacking(self, name):
        completed = _updated({"Price": Decimal(1)}, _there(silent=[name]))
        assert completed.lacks == {name}
        assert name not in completed.record

    @pytest.mark.parametrize("name", ["Duration", "Location"])
    def test_what_the_row_gives_is_never_lacking(self, name):
        completed = _updated({name: NOW_THERE.record[name]}, _there(silent=[name]))
        assert completed.lacks == frozenset()
        assert completed.changed == {name}

    def test_a_value_that_was_not_shown_and_is_not_sent_is_not_lacking(self):
        assert not _updated({"Price": Decimal(1)}, _there(silent=["Available_Timings", "Tax"])).lacks

    def test_a_new_availability_type_leaves_out_what_it_makes_wrong(self):
        there = _there(Availability_Type="Specific Day(s)", Available_Days=["Monday"])
        completed = _updated({"Availability_Type": "Every Business Days"}, there)
        assert completed.record == MANDATORY

    def test_the_current_availability_type_is_sent_with_what_it_makes_mandatory(self):
        there = _there(Availability_Type="Specific Day(s)", Available_Days=["Monday"], Available_From="2040-01-01")
        completed = _updated({"Price": Decimal(1)}, there)
        expected = {"Availability_Type": "Specific Day(s)", "Available_Days": ["Monday"], "Price": Decimal(1)}
        assert completed.record == MANDATORY | expected

    def test_one_end_of_a_range_is_sent_with_the_other(self):
        there = _there(
            Availability_Type="Specific Date Range", Available_From="2040-04-01", Available_Till="2040-05-01"
        )
        completed = _updated({"Available_Till": "2040-06-01"}, there)
        assert completed.record["Available_From"] == "2040-04-01"
        assert completed.record["Available_Till"] == "2040-06-01"
        assert completed.changed == {"Available_Till"}

    def test_a_job_sheet_taken_away_is_sent_as_null_and_one_that_stays_is_not_mentioned(self):
        there = _there(Job_Sheet_Required="Yes", Job_Sheet_Section__s="Standard")
        for row in ({}, {"Job_Sheet_Section__s": None}):
            completed = _updated({"Job_Sheet_Required": "No", **row}, there)
            assert completed.record == MANDATORY | {"Job_Sheet_Required": "No", "Job_Sheet_Section__s": None}
        assert _updated({"Price": Decimal(1)}, there).record == MANDATORY | {"Price": Decimal(1)}

    def test_a_job_sheet_asked_for_is_sent_with_the_one_that_is_named(self):
        completed = _updated({"Job_Sheet_Required": "Yes", "Job_Sheet_Section__s": "Extended"})
        assert completed.record == MANDATORY | {"Job_Sheet_Required": "Yes", "Job_Sheet_Section__s": "Extended"}

    def test_a_field_to_be_cleared_is_sent_as_null(self):
        completed = _updated({"Description": None}, _there(Description="Old words."))
        assert completed.record == MANDATORY | {"Description": None}

    def test_the_current_record_is_needed(self):
        with pytest.raises(ValueError, match="current record"):
            UPDATE.complete({"Price": Decimal(1)}, None, AROUND)


class TestStatuses:
    AWAY_NOW = AROUND.services[AWAY]

    def test_available_sends_no_time_that_the_row_does_not_give(self):
        completed = STATUS.complete({"Status": "Available"}, self.AWAY_NOW, AROUND)
        assert completed.record == MANDATORY | {"id": AWAY, "Status": "Available"}

    def test_a_status_is_sent_with_its_times(self):
        row = {"Status": "Temporarily Unavailable", "Unavailable_From": "now", "Unavailable_Till": at(days=9)}
        assert _updated(row, operation=STATUS).record == MANDATORY | row
        row = {"Status": "Not in Use", "Unavailable_From": "now"}
        assert _updated(row, operation=STATUS).record == MANDATORY | row

    def test_now_changes_nothing_where_the_service_is_already_so(self):
        there = _there(Status="Not in Use", Unavailable_From=at(days=-9))
        assert not _updated({"Status": "Not in Use", "Unavailable_From": "now"}, there, STATUS).changed
        assert _updated({"Status": "Not in Use", "Unavailable_From": "now"}, operation=STATUS).changed

    def test_a_new_end_alone_is_a_change(self):
        row = {**self.AWAY_NOW.record, "Unavailable_Till": at(days=5)}
        given_values = {name: row[name] for name in ("Status", "Unavailable_From", "Unavailable_Till")}
        assert STATUS.complete(given_values, self.AWAY_NOW, AROUND).changed == {"Unavailable_Till"}


class TestScoringRules:
    RULE = "4876876000000965528"

    @pytest.mark.parametrize(("status", "method"), [("active", "PUT"), ("inactive", "DELETE")])
    def test_activating_puts_and_deactivating_deletes_without_a_body(self, status, method):
        request = SCORING.request([{"id": self.RULE, "Status": status}], triggers=False)
        path = f"settings/automation/scoring_rules/{self.RULE}/actions/activate"
        assert (request.method, request.path, request.body) == (method, path, None)

    def test_a_rule_that_is_already_so_is_left_alone(self):
        current = AROUND.scoring_rules[self.RULE]
        assert not SCORING.complete({"id": self.RULE, "Status": "active"}, current, AROUND).changed
        completed = SCORING.complete({"Status": "inactive"}, current, AROUND)
        assert completed.record == {"id": self.RULE, "Status": "inactive"}
        assert completed.changed

    def test_without_a_reading_of_the_rules_it_is_sent_unseen(self):
        completed = SCORING.complete({"id": self.RULE, "Status": "active"}, None, Organisation())
        assert completed.record == {"id": self.RULE, "Status": "active"}
        assert completed.changed


class TestPreferences:
    @pytest.mark.parametrize("there", [True, False, None])
    @pytest.mark.parametrize("wanted", [True, False])
    def test_the_switch_is_sent_unless_it_is_known_to_be_so(self, there, wanted):
        around = organisation(job_sheet_enabled=there)
        completed = PREFERENCES.complete({"job_sheet_enabled": wanted}, None, around)
        assert completed.record == {"job_sheet_enabled": wanted}
        assert bool(completed.changed) == (there is not wanted)

    def test_the_request_wraps_one_object(self):
        request = PREFERENCES.request([{"job_sheet_enabled": False}], triggers=False)
        assert (request.method, request.path) == ("PUT", "settings/service_preferences")
        assert request.body == {"service_preferences": {"job_sheet_enabled": False}}


class TestBusinessHours:
    def test_the_id_is_read_where_the_row_does_not_give_it(self):
        assert HOURS.complete(DAILY, None, AROUND).record == {"id": HOURS_ID, **DAILY}
        assert HOURS.complete({"id": HOURS_ID, **DAILY}, None, Organisation()).record["id"] == HOURS_ID

    def test_weekday_columns_become_custom_timings_in_the_order_of_the_week(self):
        completed = HOURS.complete({**OWN, "Tuesday": ["11:00", "12:00"], "Monday": ["10:00", "17:00"]}, None, AROUND)
        assert completed.record["custom_timing"] == [
            {"days": "Monday", "business_timing": ["10:00", "17:00"]},
            {"days": "Tuesday", "business_timing": ["11:00", "12:00"]},
        ]
        assert completed.changed == {"Monday", "Tuesday"}

    def test_a_closed_day_repeats_its_current_timing_and_asks_for_its_deletion(self):
        completed = HOURS.complete({**OWN, "Saturday": "closed", "Sunday": "closed"}, None, AROUND)
        assert completed.record["custom_timing"] == [
            {"days": "Saturday", "business_timing": ["10:00", "14:00"], "_delete": None}
        ]
        assert completed.changed == {"Saturday"}

    @pytest.mark.parametrize(
        ("shown", "given_type", "sent"),
        [
            ("24_by_7", "24*5", "24_by_5"),
            ("24*7", "24*5", "24*5"),
            ("custom", "24*7", "24*7"),
            ("24_by_7", "custom", "custom"),
        ],
    )
    def test_the_type_is_spelt_as_the_organisations_own_reading_spells_it(self, shown, given_type, sent):
        around = organisation()
        around.business_hours = replace(around.business_hours, record={"id": HOURS_ID, "type": shown})
        assert HOURS.complete({"type": given_type, "week_starts_on": "Monday"}, None, around).record["type"] == sent

    def test_hours_that_are_already_so_change_nothing(self):
        around = organisation()
        around.business_hours = replace(around.business_hours, record={"id": HOURS_ID, **DAILY})
        again = {**DAILY, "business_days": ["Tuesday", "Monday"]}
        assert not HOURS.complete(again, None, around).changed
        for name, other in (("daily_timing", ["09:00", "18:30"]), ("same_as_everyday", False)):
            assert HOURS.complete({**again, name: other}, None, around).changed == {name}

    def test_the_request_wraps_one_object(self):
        request = HOURS.request([{"id": HOURS_ID}], triggers=True)
        assert (request.method, request.path) == ("PUT", "settings/business_hours")
        assert request.body == {"business_hours": {"id": HOURS_ID}}
