"""Rules about now and today: a time without an offset takes a zone, or is wrong only if it is wrong in every zone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from judged_rows import NOW, codes_of, organisation

from bulkzcrm.model import Status
from bulkzcrm.run.checking import check
from bulkzcrm.run.options import RunOptions
from bulkzcrm.run.sources import origin_of
from bulkzcrm.run.surroundings import Surroundings
from bulkzcrm.spec.operations import OPERATIONS
from bulkzcrm.spec.organisation import Profile

CREATE, STATUS = "create-services", "set-service-status"
FUTURE = [("INVALID_DATA", "Unavailable_From")]
PASSED = [("DEPENDENT_MISMATCH", "Unavailable_Till")]
OVER = [("NOT_ALLOWED", "Available_Dates")]


def _unused_from(cell, **how):
    return codes_of(STATUS, {"Status": "Not in Use", "Unavailable_From": cell}, **how)


def _away_till(cell, **how):
    row = {"Status": "Temporarily Unavailable", "Unavailable_From": "now", "Unavailable_Till": cell}
    return codes_of(STATUS, row, **how)


def _dated(cell, **how):
    return codes_of(CREATE, {"Availability_Type": "Specific Date(s)", "Available_Dates": cell}, **how)


class TestWithoutAZone:
    """`check` without --time-zone. It is noon in UTC: 02:00 of the next day furthest east, midnight furthest west."""

    def test_a_beginning_is_in_the_future_only_if_it_is_so_furthest_east(self):
        assert _unused_from("2040-03-15 02:00") == []
        assert _unused_from("2040-03-15 02:01") == FUTURE

    def test_an_end_has_passed_only_if_it_has_furthest_west(self):
        assert _away_till("2040-03-14 00:01") == []
        assert _away_till("2040-03-14 00:00") == PASSED

    def test_an_end_is_to_come_while_available_only_if_it_is_so_furthest_east(self):
        row = {"Status": "Available", "Unavailable_From": "2040-01-01"}
        assert codes_of(STATUS, {**row, "Unavailable_Till": "2040-03-15 01:59"}) == []
        assert codes_of(STATUS, {**row, "Unavailable_Till": "2040-03-15 02:00"}) == PASSED

    def test_a_date_is_past_only_if_it_is_so_furthest_west(self):
        just_before = NOW - timedelta(seconds=1)  # furthest west it is still yesterday
        assert _dated("2040-03-13", now=just_before) == []
        assert _dated("2040-03-13", now=NOW) == OVER

    def test_an_offset_in_the_cell_leaves_nothing_open(self):
        assert _unused_from("2040-03-14T17:30:00+05:30") == []
        assert _unused_from("2040-03-14T17:31:00+05:30") == FUTURE

    @given(
        moment=st.datetimes(datetime(2040, 3, 12), datetime(2040, 3, 17)),  # noqa: DTZ001 - as a cell holds it
        zone=st.sampled_from(["Pacific/Kiritimati", "Etc/GMT+12", "Asia/Kolkata", "America/New_York", "Europe/Berlin"]),
    )
    def test_what_is_wrong_without_a_zone_is_wrong_in_every_zone(self, moment, zone):
        cell = moment.replace(second=0, microsecond=0)
        for judged in (_unused_from, _away_till):
            if judged(cell):
                # A time that the clocks skip or repeat is a problem of its own.
                assert judged(cell, zone=zone)


class TestWithAZone:
    def test_check_takes_the_zone_of_the_option(self):
        assert _unused_from("2040-03-14 17:30", zone="Asia/Kolkata") == []
        assert _unused_from("2040-03-14 17:31", zone="Asia/Kolkata") == FUTURE
        assert _unused_from("2040-03-14 17:31", zone="Asia/Tokyo") == []

    def test_today_is_that_of_the_option(self):
        assert _dated("2040-03-14", now=datetime(2040, 3, 14, 18, 29, tzinfo=UTC), zone="Asia/Kolkata") == []
        assert _dated("2040-03-14", now=datetime(2040, 3, 14, 18, 30, tzinfo=UTC), zone="Asia/Kolkata") == OVER

    def test_a_run_takes_the_zone_of_the_organisation(self):
        assert _unused_from("2040-03-14 17:30", around=organisation()) == []
        assert _unused_from("2040-03-14 17:31", around=organisation()) == FUTURE

    def test_the_option_goes_before_the_zone_of_the_organisation(self):
        assert _unused_from("2040-03-14 17:31", around=organisation(), zone="Asia/Tokyo") == []

    def test_today_is_that_of_the_business_hours_even_beside_the_option(self):
        around = organisation()
        around.business_hours = replace(around.business_hours, zone=ZoneInfo("Pacific/Kiritimati"))
        assert _dated("2040-03-14", around=around, zone="Asia/Kolkata") == OVER
        around.business_hours = replace(around.business_hours, zone=ZoneInfo("Etc/GMT+12"))
        assert _dated("2040-03-14", around=around, zone="Pacific/Kiritimati") == []

    def test_today_is_that_of_the_option_where_the_business_hours_name_no_zone(self):
        around = organisation(profile=Profile(id="1", name="Far West", time_zone="Etc/GMT+12"))
        around.business_hours = replace(around.business_hours, zone=None)
        assert _dated("2040-03-14", around=around, zone="Pacific/Kiritimati") == OVER
        assert _dated("2040-03-14", around=around) == []

    @pytest.mark.parametrize(
        ("cell", "now"),
        [
            ("2040-03-25 02:30", datetime(2040, 3, 26, tzinfo=UTC)),
            ("2040-10-28 02:30", datetime(2040, 10, 29, tzinfo=UTC)),
        ],
        ids=["skipped", "repeated"],
    )
    def test_a_local_time_that_a_change_of_clocks_skips_or_repeats_is_a_problem(self, cell, now):
        assert _unused_from(cell, now=now) == []
        assert _unused_from(cell, now=now, zone="Europe/Berlin") == FUTURE
        around = organisation(profile=Profile(id="1", name="Berlin", time_zone="Europe/Berlin"))
        assert _unused_from(cell, now=now, around=around) == FUTURE
        assert _unused_from(f"{cell}+02:00", now=now, around=around) == []


@pytest.mark.parametrize(("zone", "open_left"), [(None, True), ("Asia/Kolkata", False)])
async def test_check_says_that_times_are_open_where_no_zone_is_known(tmp_path, zone, open_left):
    source = tmp_path / "services.csv"
    source.write_text("Service_Name,Status,Unavailable_From\nAC Repair,Not in Use,2040-03-15 01:00\n")
    options = RunOptions(time_zone=zone)
    around = Surroundings(home=tmp_path, clock=lambda: NOW)
    ending = await check(origin_of(source, options), OPERATIONS[STATUS], options, around, folder=tmp_path / "report")
    said = [sentence for sentence in ending.summary.not_checked or () if "--time-zone" in sentence]
    assert bool(said) == open_left
    assert all("Unavailable From" in sentence and "every zone" in sentence for sentence in said)
    assert ending.summary.counts.get(Status.INVALID, 0) == (not open_left)


class TestNow:
    @pytest.mark.parametrize("how", [{}, {"zone": "Asia/Kolkata"}, {"around": organisation()}])
    def test_now_is_never_in_the_future_and_always_past(self, how):
        assert _unused_from("now", **how) == []
        assert _away_till("NOW", **how) == PASSED
        row = {"Status": "Available", "Unavailable_From": "now", "Unavailable_Till": "now"}
        assert codes_of(STATUS, row, **how) == []

    def test_now_can_be_said_once_for_all_rows(self):
        options = RunOptions(constants={"Status": "Not in Use", "Unavailable_From": "now"})
        assert codes_of(CREATE, {}, options=options) == []


@pytest.mark.parametrize("how", [{}, {"zone": "Asia/Kolkata"}, {"around": organisation()}], ids=["", "zone", "run"])
@pytest.mark.parametrize("cell", ["9999-12-31T23:59:59-05:00", "9999-12-31T23:59:59+14:00", "9999-12-31 23:59"])
def test_for_ever_is_a_time_to_come_in_every_zone(cell, how):
    row = {"Status": "Temporarily Unavailable", "Unavailable_From": "1970-01-01T00:00+14:00", "Unavailable_Till": cell}
    assert codes_of(CREATE, row, **how) == []
    assert codes_of(STATUS, row, **how) == []
