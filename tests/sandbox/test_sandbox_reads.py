"""The reads: lists in pages and by token, one service, fields, users, organisation, scoring rules."""

from __future__ import annotations

import pytest
from sandbox_api import AC_REPAIR, RULES, SERVICES, Api, Clock, running, service

IN_USE = "5545974000002183"


async def names(api: Api, query: str) -> list[str]:
    return [row["Service_Name"] for row in (await api.call("GET", f"{SERVICES}?fields=Service_Name&{query}")).elements]


async def test_a_list_shows_the_asked_fields_and_the_id_newest_first(api: Api) -> None:
    reply = await api.call("GET", f"{SERVICES}?fields=Service_Name,Price,Nonsense")
    assert set(reply.elements[0]) == {"id", "Service_Name", "Price"}
    assert [row["id"] for row in reply.elements] == [f"{IN_USE}{number:03}" for number in range(12, 0, -1)]
    assert reply.body["info"]["more_records"] is False
    assert reply.body["info"]["next_page_token"] is None


async def test_a_list_holds_no_subforms_unless_the_option_says_so(api: Api) -> None:
    query = f"{SERVICES}?fields=Members,Available_Timings,Available_Days&sort_order=asc"
    row = (await api.call("GET", query)).elements[0]
    assert row == {"id": AC_REPAIR, "Available_Timings": None, "Available_Days": ["Monday", "Tuesday"]}
    async with running(list_subforms=True) as other:
        row = (await other.call("GET", query)).elements[0]
        assert row["Available_Timings"] == [{"From": "10:00", "To": "18:30"}]
        assert row["Members"][0]["Members"]["name"] == "Patricia Boyle"


@pytest.mark.parametrize(
    ("query", "code", "name"),
    [
        ("", "REQUIRED_PARAM_MISSING", "fields"),
        ("fields=", "REQUIRED_PARAM_MISSING", "fields"),
        ("fields=" + ",".join(["id"] * 51), "LIMIT_EXCEEDED", "fields"),
        ("fields=id&per_page=201", "INVALID_DATA", "per_page"),
        ("fields=id&per_page=0", "INVALID_DATA", "per_page"),
        ("fields=id&page=x", "INVALID_DATA", "page"),
        ("fields=id&sort_by=Price", "INVALID_DATA", "sort_by"),
        ("fields=id&sort_order=up", "INVALID_DATA", "sort_order"),
        ("fields=id&page_token=rubbish", "INVALID_DATA", "page_token"),
        ("fields=id&page=11", "DISCRETE_PAGINATION_LIMIT_EXCEEDED", None),
        ("fields=id&page=2&page_token=x", "AMBIGUITY_DURING_PROCESSING", None),
    ],
)
async def test_wrong_parameters_of_a_list_are_named(api: Api, query: str, code: str, name: str | None) -> None:
    reply = await api.call("GET", f"{SERVICES}?{query}")
    assert (reply.status, reply.body["code"], reply.body["details"].get("param_name")) == (400, code, name)


async def test_pages_by_number_and_by_token_hold_every_service_once(api: Api) -> None:
    by_number = [name for page in (1, 2, 3) for name in await names(api, f"per_page=5&page={page}&sort_order=asc")]
    by_token: list[str] = []
    query = f"{SERVICES}?fields=Service_Name&per_page=5&sort_order=asc"
    while True:
        reply = await api.call("GET", query)
        by_token += [row["Service_Name"] for row in reply.elements]
        token = reply.body["info"]["next_page_token"]
        if token is None:
            break
        query = f"{SERVICES}?fields=Service_Name&per_page=5&sort_order=asc&page_token={token}"
    assert by_number == by_token == await names(api, "sort_order=asc")
    assert (await api.call("GET", f"{SERVICES}?fields=id&page=2")).status == 204


async def test_a_page_token_is_bound_to_its_parameters_and_ends_after_a_day() -> None:
    clock = Clock()
    async with running(clock=clock, token_life_s=10**6) as api:
        token = (await api.call("GET", f"{SERVICES}?fields=id&per_page=5")).body["info"]["next_page_token"]
        other = await api.call("GET", f"{SERVICES}?fields=Price&per_page=5&page_token={token}")
        assert other.body["code"] == "TOKEN_BOUND_DATA_MISMATCH"
        clock.move(hours=25)
        late = await api.call("GET", f"{SERVICES}?fields=id&per_page=5&page_token={token}")
        assert late.body["code"] == "EXPIRED_VALUE"


async def test_newest_first_by_time_of_creation_and_of_change() -> None:
    clock = Clock()
    async with running(clock=clock) as api:
        await api.create(service(Service_Name="First"), service(Service_Name="Second"))
        clock.move(seconds=5)
        third = (await api.create(service(Service_Name="Third"))).ids[0]
        assert (await names(api, "sort_by=Created_Time"))[:3] == ["Third", "Second", "First"]
        clock.move(seconds=5)
        await api.update({"id": AC_REPAIR, **service(Service_Name="Changed")})
        assert (await names(api, "sort_by=Modified_Time"))[:2] == ["Changed", "Third"]
        assert (await api.read(third))["Created_Time"] == "2090-03-01T12:00:05+05:30"


async def test_an_unknown_service_is_answered_with_nothing(api: Api) -> None:
    reply = await api.call("GET", f"{SERVICES}/5545974000002183999")
    assert (reply.status, reply.body) == (204, b"")
    assert (await api.call("GET", f"{SERVICES}/abc")).status == 400


async def test_fields_name_types_lengths_and_pick_lists(api: Api) -> None:
    reply = await api.call("GET", "settings/fields?module=Services__s")
    fields = {field["api_name"]: field for field in reply.body["fields"]}
    assert {name for name, field in fields.items() if field["system_mandatory"]} == set(service())
    assert (fields["Service_Name"]["length"], fields["Description"]["length"]) == (120, 32_000)
    taxes = {entry["id"]: entry["display_value"] for entry in fields["Tax"]["pick_list_values"]}
    assert taxes == {
        "5545974000000021001": "Sales Tax - 2.0 %",
        "5545974000000021003": "Vat - 0.8 %",
        "5545974000000021005": "Service Tax - 5.0 %",
    }
    sheets = [entry["actual_value"] for entry in fields["Job_Sheet_Section__s"]["pick_list_values"]]
    assert sheets == ["Standard", "Extended"]
    assert (await api.call("GET", "settings/fields")).body["code"] == "REQUIRED_PARAM_MISSING"
    assert (await api.call("GET", "settings/fields?module=Leads")).body["code"] == "INVALID_MODULE"


@pytest.mark.parametrize(
    ("kind", "numbers"),
    [
        ("AllUsers", "123456789"),
        ("ActiveUsers", "12345679"),
        ("DeactiveUsers", "8"),
        ("ConfirmedUsers", "12345678"),
        ("NotConfirmedUsers", "9"),
        ("ActiveConfirmedUsers", "1234567"),
        ("CurrentUser", "1"),
    ],
)
async def test_users_are_listed_by_type(api: Api, kind: str, numbers: str) -> None:
    reply = await api.call("GET", f"users?type={kind}")
    assert "".join(user["id"][-1] for user in reply.body["users"]) == numbers


async def test_users_come_in_pages(api: Api) -> None:
    first = await api.call("GET", "users?type=AllUsers&per_page=5")
    second = await api.call("GET", "users?type=AllUsers&per_page=5&page=2")
    assert [first.body["info"]["more_records"], second.body["info"]["more_records"]] == [True, False]
    assert [user["email"] for user in second.body["users"]][:2] == [
        "alex.kumar@brighthome.example",
        "alex.kumar2@brighthome.example",
    ]
    assert (await api.call("GET", "users?type=DeletedUsers")).status == 204
    assert (await api.call("GET", "users?type=Nobody")).body["details"] == {"param_name": "type"}


async def test_the_organisation_shows_what_a_client_needs(api: Api) -> None:
    (org,) = (await api.call("GET", "org")).body["org"]
    assert (org["id"], org["zgid"], org["type"]) == ("5545974000000020005", "60001234567", "sandbox")
    assert (org["time_zone"], org["license_details"]["paid_type"]) == ("Asia/Kolkata", "enterprise")


@pytest.mark.parametrize(
    ("query", "last_digits"),
    [("", "890123"), ("module=Leads", "8901"), ("name=Hot%20leads", "83"), ("module=Contacts&name=Hot%20leads", "3")],
)
async def test_scoring_rules_are_found_by_module_and_name(api: Api, query: str, last_digits: str) -> None:
    reply = await api.call("GET", f"{RULES}?{query}")
    assert "".join(rule["id"][-1] for rule in reply.body["scoring_rules"]) == last_digits


async def test_scoring_rules_of_no_module_or_name_are_answered_plainly(api: Api) -> None:
    assert (await api.call("GET", f"{RULES}?name=None")).status == 204
    assert (await api.call("GET", f"{RULES}?module=Nothing")).body["details"] == {"param_name": "module"}
    assert (await api.call("GET", f"{RULES}?page=2&per_page=4")).body["info"]["count"] == 2
