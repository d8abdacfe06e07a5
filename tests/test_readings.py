"""What is read of the organisation: exactly what is needed, once, and what happens where it may not be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from desk import SERVICE, TOM, Desk, desk_at, services
from forwarder import Heard, Say

from bulkzcrm.report import State
from bulkzcrm.run.options import RunOptions
from bulkzcrm.sandbox import SandboxOptions
from bulkzcrm.sandbox.options import ALL_SCOPES

LIST = "Services__s"
HOURS = "settings/business_hours"
PREFERENCES = "settings/service_preferences"
RULES = "settings/automation/scoring_rules"
WEEK = {"type": "custom", "week_starts_on": "Monday"}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_at(tmp_path / "a desk") as desk:
        yield desk


def out_of_use(*numbers: int, **more: str) -> list[dict[str, str]]:
    return [
        {"id": SERVICE.format(number), "Status": "Not in Use", "Unavailable_From": "now", **more} for number in numbers
    ]


def reads(desk: Desk) -> Counter[str]:
    return Counter(desk.wire.reads)


def by_id(desk: Desk) -> list[str]:
    return sorted(path.removeprefix(f"{LIST}/") for path in desk.wire.reads if path.startswith(f"{LIST}/"))


# -- which reads, and how many


async def test_a_create_reads_what_its_rules_and_names_need_once_however_many_rows_there_are(desk: Desk):
    await desk.run("create-services", services(250))
    assert reads(desk) == Counter(["org", "users", HOURS, PREFERENCES, LIST])


async def test_a_status_change_reads_the_list_and_by_id_each_service_whose_members_the_list_hides(desk: Desk):
    await desk.run("set-service-status", out_of_use(1, 2, 3))
    assert by_id(desk) == [SERVICE.format(number) for number in (1, 2, 3)]
    assert reads(desk)[LIST] == 1
    assert desk.statuses == ["succeeded"] * 3


async def test_a_list_that_shows_members_makes_reading_by_id_needless(tmp_path: Path):
    async with desk_at(tmp_path, options=SandboxOptions(list_subforms=True)) as desk:
        await desk.run("set-service-status", out_of_use(1, 2, 3))
        assert by_id(desk) == []
        assert desk.statuses == ["succeeded"] * 3


async def test_a_row_that_gives_the_members_itself_is_not_read_by_id(desk: Desk):
    rows = [
        {"id": SERVICE.format(2), "Duration": "35", "Members": TOM},
        {"id": SERVICE.format(4), "Duration": "35", "Members": ""},
    ]
    await desk.run("update-services", rows)
    assert by_id(desk) == [SERVICE.format(4)]
    assert desk.statuses == ["succeeded", "succeeded"]


async def test_rows_that_are_already_as_wanted_cost_no_read_and_no_request(desk: Desk):
    rows = [{"id": SERVICE.format(6), "Status": "Not in Use", "Unavailable_From": "now"}]
    rows += [{"id": SERVICE.format(number), "Status": "Available", "Unavailable_From": ""} for number in (1, 2)]
    ending = await desk.run("set-service-status", rows)
    assert desk.statuses == ["unchanged"] * 3
    assert (by_id(desk), desk.wire.writes) == ([], [])
    assert ending.summary.state is State.FINISHED
    assert desk.previews == [], "nobody is asked where nothing is to be sent"
    assert [row["result_record_id"] for row in desk.results] == [SERVICE.format(number) for number in (6, 1, 2)]


async def test_rows_that_are_invalid_are_not_read_by_id(desk: Desk):
    rows = [*out_of_use(2), {"id": SERVICE.format(3), "Status": "Not in Use", "Unavailable_From": ""}]
    await desk.run("set-service-status", rows)
    assert by_id(desk) == [SERVICE.format(2)]
    assert desk.statuses == ["succeeded", "invalid"]


async def test_a_service_that_vanishes_before_its_batch_is_invalid_and_the_others_go_through(desk: Desk):
    async def gone(heard: Heard) -> Say | None:
        return Say(204) if heard.path == f"{LIST}/{SERVICE.format(3)}" else None

    desk.wire.interfere = gone
    await desk.run("set-service-status", out_of_use(2, 3, 4))
    assert desk.statuses == ["succeeded", "invalid", "succeeded"]
    assert desk.results[1]["result_cell"] == "A3"


@pytest.mark.parametrize(
    ("operation", "row", "expected"),
    [
        (
            "update-business-hours",
            {**WEEK, "business_days": "Mon;Tue", "same_as_everyday": "yes", "daily_timing": "09:00-18:00"},
            {"org", HOURS},
        ),
        ("update-service-preferences", {"job_sheet_enabled": "no"}, {"org", PREFERENCES}),
        ("set-scoring-rule-status", {"id": "4876876000000965528", "Status": "active"}, {"org", RULES}),
    ],
)
async def test_settings_read_the_organisation_and_themselves(
    desk: Desk, operation: str, row: Mapping[str, str], expected: set[str]
):
    await desk.run(operation, [row])
    assert set(desk.wire.reads) == expected
    assert desk.statuses == ["succeeded"]


async def test_a_carried_column_is_looked_up_among_the_fields_and_a_known_one_costs_nothing(desk: Desk):
    await desk.run("create-services", services(1, Remark="for Ann"))
    assert reads(desk)["settings/fields"] == 1


# -- pages


@pytest.mark.parametrize("count", [187, 188, 189, 388])
async def test_services_beyond_the_first_page_are_found(desk: Desk, count: int):
    store_services(desk, count)
    number = f"59{count:016}"
    await desk.run(
        "set-service-status", [{"Service_Name": f"Stored {count}", "Status": "Not in Use", "Unavailable_From": "now"}]
    )
    assert [row["result_record_id"] for row in desk.results] == [number]
    assert desk.statuses == ["succeeded"]
    pages = [heard.query["page"] for heard in desk.wire.heard if heard.path == LIST and not heard.is_write]
    assert pages == [str(page) for page in range(1, -(-(12 + count) // 200) + 1)]


async def test_services_beyond_two_thousand_are_reached_by_page_tokens(desk: Desk):
    store_services(desk, 2300)
    await desk.run(
        "set-service-status", [{"Service_Name": "Stored 2300", "Status": "Not in Use", "Unavailable_From": "now"}]
    )
    assert desk.statuses == ["succeeded"]
    places = [
        "page" if "page" in heard.query else "token"
        for heard in desk.wire.heard
        if heard.path == LIST and not heard.is_write
    ]
    assert places == ["page"] * 10 + ["token"] * 2
    assert all("page" not in heard.query for heard in desk.wire.heard if "page_token" in heard.query)


async def test_lists_without_page_tokens_go_on_by_number(desk: Desk):
    """Only records have page tokens; an organisation may have more than 2,000 users."""

    async def many_users(heard: Heard) -> Say | None:
        if heard.path != "users":
            return None
        page = int(heard.query["page"])
        users = [
            {
                "id": f"77{page:04}{at:04}",
                "full_name": f"User {page} {at}",
                "email": "",
                "status": "active",
                "confirm": True,
            }
            for at in range(200)
        ]
        return Say(200, {"users": users, "info": {"page": page, "more_records": page < 12}})

    desk.wire.interfere = many_users
    await desk.run("create-services", services(1, Members="User 12 199"))
    (request,) = desk.wire.writes
    assert request.records[0]["Members"] == [{"Members": {"id": "7700120199"}}]


@pytest.mark.parametrize("circle", [1, 2, 3])
@pytest.mark.parametrize(("path", "wrapper"), [("users", "users"), (LIST, "data")])
async def test_a_list_that_goes_round_in_a_circle_stops_the_run_before_anything_is_sent(
    desk: Desk, path: str, wrapper: str, circle: int
):
    """A cache or a broken token shows pages again that were there, and says each time that there are more."""
    shown = 0

    async def round_and_round(heard: Heard) -> Say | None:
        nonlocal shown
        if heard.path != path or heard.is_write:
            return None
        shown += 1
        entries = [{"id": f"77{shown % circle:04}{at:04}", "full_name": "x", "Service_Name": "y"} for at in range(2)]
        return Say(200, {wrapper: entries, "info": {"more_records": True, "next_page_token": f"token {shown}"}})

    desk.wire.interfere = round_and_round
    ending = await desk.run("create-services", services(1))
    assert ending.summary.state is State.STOPPED
    assert f"The list {path} " in (ending.summary.stopped_because or "")
    assert (shown, desk.wire.writes) == (circle + 1, [])


def store_services(desk: Desk, count: int) -> None:
    store = desk.sandbox._running().organisation.store
    pattern = store.service(SERVICE.format(2))
    with store.transaction():
        for number in range(1, count + 1):
            store.put_service({**pattern, "id": f"59{number:016}", "Service_Name": f"Stored {number}"})


# -- what may not be read


def without(*scopes: str) -> SandboxOptions:
    return SandboxOptions(scopes=frozenset(ALL_SCOPES) - set(scopes))


@pytest.mark.parametrize(
    ("scope", "names"),
    [
        ("ZohoCRM.org.READ", "organisation"),
        ("ZohoCRM.settings.business_hours.ALL", "business hours"),
        ("ZohoCRM.settings.modules.ALL", "service preferences"),
    ],
)
async def test_a_scope_that_only_helps_is_a_warning_that_names_what_goes_unchecked(
    tmp_path: Path, scope: str, names: str
):
    async with desk_at(tmp_path, options=without(scope)) as desk:
        rows = services(3)
        await desk.run("create-services", rows)
        assert desk.each_once(rows)
        assert any(names in warning and "unchecked" in warning for warning in desk.warnings)


async def test_users_that_may_not_be_read_do_not_matter_where_members_are_ids(tmp_path: Path):
    async with desk_at(tmp_path, options=without("ZohoCRM.users.READ")) as desk:
        rows = services(2, Members="5545974000000393004")
        await desk.run("create-services", rows)
        assert desk.each_once(rows)


async def test_users_that_may_not_be_read_stop_a_run_whose_members_are_names_before_its_first_write(tmp_path: Path):
    async with desk_at(tmp_path, options=without("ZohoCRM.users.READ")) as desk:
        ending = await desk.run("create-services", services(2))
        assert desk.wire.writes == []
        assert ending.summary.state is State.STOPPED
        assert "ZohoCRM.users.READ" in (ending.summary.stopped_because or "")
        assert desk.statuses == ["unsent"] * 2


async def test_services_that_may_not_be_read_stop_an_update_before_its_first_write(tmp_path: Path):
    options = SandboxOptions(
        scopes=frozenset(ALL_SCOPES - {"ZohoCRM.modules.services.ALL"} | {"ZohoCRM.modules.services.UPDATE"})
    )
    async with desk_at(tmp_path, options=options) as desk:
        ending = await desk.run("update-services", [{"id": SERVICE.format(2), "Duration": "35"}])
        assert (desk.wire.writes, desk.statuses) == ([], ["unsent"])
        assert ending.summary.state is State.STOPPED


async def test_single_services_that_may_not_be_read_stop_the_run_in_plain_words(tmp_path: Path):
    async with desk_at(tmp_path, options=SandboxOptions(forbidden=frozenset({"read-service"}))) as desk:
        ending = await desk.run("set-service-status", out_of_use(2, 3))
        assert (desk.wire.writes, desk.statuses) == ([], ["unsent"] * 2)
        assert ending.summary.state is State.STOPPED
        assert "by its id" in (ending.summary.stopped_because or "")


async def test_a_rule_by_name_needs_the_list_of_rules_and_one_by_id_does_not(tmp_path: Path):
    options = SandboxOptions(
        scopes=frozenset(
            ALL_SCOPES - {"ZohoCRM.settings.scoring_rules.ALL"} | {"ZohoCRM.settings.scoring_rules.UPDATE"}
        )
    )
    async with desk_at(tmp_path, options=options) as desk:
        await desk.run("set-scoring-rule-status", [{"id": "4876876000000965528", "Status": "active"}])
        assert desk.statuses == ["succeeded"]
        ending = await desk.run("set-scoring-rule-status", [{"name": "Trade fair", "Status": "active"}])
        assert (desk.statuses, ending.summary.state) == (["unsent"], State.STOPPED)


# -- reads that go wrong


@pytest.mark.parametrize(
    "trouble",
    [Say(500, b"<html>"), Say(503), Say(429, {"code": "TOO_MANY_REQUESTS"}), Say(502, {"code": "INTERNAL_ERROR"})],
)
async def test_a_read_goes_again_until_it_is_answered(desk: Desk, trouble: Say):
    desk.wire.script(trouble, trouble, trouble, reads=True)
    rows = services(1)
    await desk.run("create-services", rows)
    assert desk.each_once(rows)


async def test_a_read_of_single_services_goes_again_too(desk: Desk):
    troubled: set[str] = set()

    async def first_time(heard: Heard) -> Say | None:
        if heard.path.startswith(f"{LIST}/") and heard.path not in troubled:
            troubled.add(heard.path)
            return Say(503)
        return None

    desk.wire.interfere = first_time
    await desk.run("set-service-status", out_of_use(2, 3, 4))
    assert desk.statuses == ["succeeded"] * 3


async def test_a_server_that_is_down_for_longer_than_max_wait_stops_the_run_in_plain_words(desk: Desk):
    async def down(heard: Heard) -> Say | None:
        return Say(503) if heard.path.startswith(f"{LIST}/") else None

    desk.wire.interfere = down
    ending = await desk.run("set-service-status", out_of_use(2, 3, 4), RunOptions(max_wait=100))
    assert (ending.summary.state, desk.statuses) == (State.STOPPED, ["unsent"] * 3)
    assert "503" in (ending.summary.stopped_because or "")


@pytest.mark.parametrize(
    "answer",
    [Say(302, b"", {"Location": "https://elsewhere.invalid/"}), Say(200), Say(200, b"<html>"), Say(200, b"[]")],
)
async def test_a_list_that_is_no_list_is_never_taken_for_an_empty_one(desk: Desk, answer: Say):
    async def odd(heard: Heard) -> Say | None:
        return answer if heard.path == LIST and not heard.is_write else None

    desk.wire.interfere = odd
    ending = await desk.run("update-services", [{"id": SERVICE.format(2), "Duration": "35"}])
    assert (ending.summary.state, desk.statuses) == (State.STOPPED, ["unsent"])


async def test_a_refusal_without_a_word_is_still_a_refusal(desk: Desk):
    async def refuse(heard: Heard) -> Say | None:
        return Say(403) if heard.path == "users" else None

    desk.wire.interfere = refuse
    ending = await desk.run("create-services", services(1))
    assert (ending.summary.state, desk.wire.writes) == (State.STOPPED, [])


@pytest.mark.parametrize("zone", [" ", "Europe", "../Berlin", "Nowhere/At_All", "x" * 400])
async def test_a_time_zone_that_nobody_knows_is_as_good_as_none(desk: Desk, zone: str):
    async def strange(heard: Heard) -> Say | None:
        if heard.path == HOURS:
            return Say(200, {"business_hours": {"id": "1", "type": "24_by_7", "time_zone": zone}})
        return Say(200, {"org": [{"zgid": "60001234567", "time_zone": zone}]}) if heard.path == "org" else None

    desk.wire.interfere = strange
    rows = services(1)
    await desk.run("create-services", rows)
    assert desk.each_once(rows)


async def test_an_organisation_without_services_or_business_hours_is_empty_and_nothing_worse(desk: Desk):
    async def empty(heard: Heard) -> Say | None:
        return Say(204) if heard.path in (LIST, HOURS) and not heard.is_write else None

    desk.wire.interfere = empty
    rows = services(1)
    await desk.run("create-services", rows)
    assert desk.each_once(rows)
