"""A unique field, where the sandbox is asked for one, and the upsert that finds services by it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sandbox_api import AC_REPAIR, SERVICES, Api, Reply, change, members, running, service, until

from bulkzcrm.sandbox import Fault, Faults, Sandbox, SandboxError, SandboxOptions

KEY = "Import_Key"
UPSERT = f"{SERVICES}/upsert"
FIELDS = f"settings/fields?module={SERVICES}"


async def upsert(api: Api, *records: object, by: object = (KEY,)) -> Reply:
    beside = {} if by is None else {"duplicate_check_fields": list(by) if isinstance(by, tuple) else by}
    return await api.call("POST", UPSERT, {"data": list(records), **beside})


async def field_named(api: Api, name: str) -> Any:
    fields = (await api.call("GET", FIELDS)).body["fields"]
    return next((each for each in fields if each["api_name"] == name), None)


def made(api: Api) -> int:
    return len(api.sandbox.services()) - 12


async def test_without_the_option_no_field_is_unique_and_none_is_added(api: Api) -> None:
    fields = (await api.call("GET", FIELDS)).body["fields"]
    assert all(each["unique"] == {} and each["custom_field"] is False for each in fields)
    assert KEY not in await api.read(AC_REPAIR)
    reply = await api.create(service(**{KEY: "a"}), service(**{KEY: "a"}))
    assert reply.status == 201
    assert KEY not in await api.read(reply.ids[0])


async def test_a_new_name_adds_a_unique_single_line_text() -> None:
    async with running(unique_field=KEY) as api:
        field = await field_named(api, KEY)
        assert (field["data_type"], field["custom_field"], field["length"]) == ("text", True, 255)
        assert field["unique"]
        assert field["operation_type"]["api_create"] is True
        assert (await field_named(api, "Service_Name"))["unique"] == {}


async def test_the_services_name_can_be_made_unique() -> None:
    async with running(unique_field="Service_Name") as api:
        assert (await field_named(api, "Service_Name"))["unique"]
        assert (await field_named(api, "Service_Name"))["custom_field"] is False
        reply = await api.create(service(Service_Name="AC Repair"))
        assert reply.codes == ["DUPLICATE_DATA"]
        assert reply.elements[0]["details"]["id"] == AC_REPAIR


@pytest.mark.parametrize("name", ["Duration", "id", "Created_By", "no name", ""])
async def test_other_names_can_be_no_unique_field(name: str) -> None:
    with pytest.raises(SandboxError, match="no unique field"):
        async with Sandbox(options=SandboxOptions(unique_field=name)):
            pass


async def test_values_of_the_field_are_stored_and_shown_in_lists_and_by_id() -> None:
    async with running(unique_field=KEY) as api:
        first, second = (await api.create(service(**{KEY: "K-1"}), service())).ids
        assert (await api.read(first))[KEY] == "K-1"
        assert (await api.read(second))[KEY] is None
        rows = (await api.call("GET", f"{SERVICES}?fields={KEY}")).elements
        assert {row["id"]: row[KEY] for row in rows if row[KEY] is not None} == {first: "K-1"}


async def test_a_value_that_another_service_has_is_refused_and_that_service_is_named() -> None:
    async with running(unique_field=KEY) as api:
        first = (await api.create(service(**{KEY: "K-1"}))).ids[0]
        reply = await api.create(service(**{KEY: "K-2"}), service(**{KEY: " k-1 "}))
        assert (reply.status, reply.codes, made(api)) == (207, ["SUCCESS", "DUPLICATE_DATA"], 2)
        details = reply.elements[1]["details"]
        assert (details["api_name"], details["json_path"]) == (KEY, f"$.data[1].{KEY}")
        assert details["id"] == details["duplicate_record"]["id"] == first
        assert details["more_records"] is False


async def test_two_records_of_one_request_cannot_share_a_value() -> None:
    async with running(unique_field=KEY) as api:
        reply = await api.create(service(**{KEY: "K-1"}), service(**{KEY: "K-1"}))
        assert reply.codes == ["SUCCESS", "DUPLICATE_DATA"]
        assert reply.elements[1]["details"]["id"] == reply.elements[0]["details"]["id"]


async def test_an_update_may_repeat_its_own_value_and_not_take_anothers() -> None:
    async with running(unique_field=KEY) as api:
        first, second = (await api.create(service(**{KEY: "K-1"}), service(**{KEY: "K-2"}))).ids
        assert (await api.update(change(first, **{KEY: "K-1"}))).codes == ["SUCCESS"]
        reply = await api.update(change(second, **{KEY: "K-1"}))
        assert reply.codes == ["DUPLICATE_DATA"]
        assert reply.elements[0]["details"]["id"] == first
        assert (await api.read(second))[KEY] == "K-2"


async def test_a_value_that_was_given_up_is_free() -> None:
    async with running(unique_field=KEY) as api:
        first = (await api.create(service(**{KEY: "K-1"}))).ids[0]
        assert (await api.update(change(first, **{KEY: None}))).codes == ["SUCCESS"]
        assert (await api.create(service(**{KEY: "K-1"}))).codes == ["SUCCESS"]


async def test_services_without_a_value_do_not_disturb_each_other() -> None:
    async with running(unique_field=KEY) as api:
        reply = await api.create(service(**{KEY: None}), service(**{KEY: ""}), service(), service())
        assert reply.codes == ["SUCCESS"] * 4


@pytest.mark.parametrize(("value", "code"), [("x" * 255, "SUCCESS"), ("x" * 256, "INVALID_DATA"), (7, "INVALID_DATA")])
async def test_a_value_is_a_text_of_at_most_255_characters(value: object, code: str) -> None:
    async with running(unique_field=KEY) as api:
        assert (await api.create(service(**{KEY: value}))).codes == [code]


async def test_a_refused_request_leaves_no_value_taken() -> None:
    async with running(unique_field=KEY, dialect="short") as api:
        assert (await api.create(service(**{KEY: "K-1"}), service(Duration=1))).status == 400
        assert (await api.create(service(**{KEY: "K-1"}))).codes == ["SUCCESS"]


async def test_values_are_known_after_the_next_start(tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite"
    async with running(state, unique_field=KEY) as api:
        first = (await api.create(service(**{KEY: "K-1"}))).ids[0]
    async with running(state, unique_field=KEY) as api:
        reply = await api.create(service(**{KEY: "K-1"}))
        assert reply.elements[0]["details"]["id"] == first
    async with running(state, unique_field="Service_Name") as api:
        assert (await api.create(service(Service_Name="Lawn Care"))).codes == ["DUPLICATE_DATA"]


async def test_an_upsert_inserts_once_and_then_updates() -> None:
    async with running(unique_field=KEY) as api:
        first = await upsert(api, service(**{KEY: "K-1"}), service(**{KEY: "K-2"}))
        assert (first.status, first.codes) == (200, ["SUCCESS", "SUCCESS"])
        assert [(each["action"], each["duplicate_field"]) for each in first.elements] == [("insert", None)] * 2
        assert [each["message"] for each in first.elements] == ["record added"] * 2
        again = await upsert(api, service(Duration=90, **{KEY: "K-1"}), service(**{KEY: "K-3"}))
        assert [(each["action"], each["duplicate_field"]) for each in again.elements] == [
            ("update", KEY),
            ("insert", None),
        ]
        assert again.ids[0] == first.ids[0]
        assert (await api.read(first.ids[0]))["Duration"] == 90
        assert made(api) == 3


async def test_an_upsert_with_an_id_updates_that_service() -> None:
    async with running(unique_field=KEY) as api:
        reply = await upsert(api, change(AC_REPAIR, **{KEY: "K-1"}))
        assert (reply.elements[0]["action"], reply.elements[0]["duplicate_field"]) == ("update", None)
        assert (await api.read(AC_REPAIR))[KEY] == "K-1"


async def test_an_upsert_that_checks_no_field_inserts_every_record() -> None:
    async with running() as api:
        for by in (None, []):
            reply = await upsert(api, service(), service(), by=by)
            assert [each["action"] for each in reply.elements] == ["insert", "insert"]
        assert made(api) == 4


@pytest.mark.parametrize("by", [["Duration"], [KEY, "Service_Name"], "x", 5])
async def test_only_a_unique_field_can_be_checked(by: object) -> None:
    async with running(unique_field=KEY) as api:
        reply = await upsert(api, service(**{KEY: "K-1"}), by=by)
        assert (reply.status, reply.body["code"], made(api)) == (400, "INVALID_DATA", 0)
        assert reply.body["details"]["api_name"] == "duplicate_check_fields"


async def test_the_records_of_an_upsert_are_judged_like_others() -> None:
    async with running(unique_field=KEY) as api:
        reply = await upsert(api, service(**{KEY: "K-1"}), service(Duration=1), service(Members=members("1")))
        assert (reply.status, reply.codes) == (207, ["SUCCESS", "INVALID_DATA", "INVALID_DATA"])
        assert (await api.call("POST", UPSERT, {"data": [service()] * 101})).status == 400
        assert (await api.call("GET", UPSERT)).body["code"] == "INVALID_REQUEST_METHOD"


async def test_an_upsert_costs_credits_as_other_writes_do() -> None:
    async with running(unique_field=KEY) as api:
        before = api.sandbox.credits_spent
        await upsert(api, *(service(**{KEY: f"K-{number}"}) for number in range(25)))
        assert api.sandbox.credits_spent - before == 3
        assert api.sandbox.requests[-1].records == 25


@pytest.mark.parametrize("kind", ["CREATE", "UPDATE"])
async def test_an_upsert_needs_the_scopes_of_both(kind: str) -> None:
    scope = f"ZohoCRM.modules.services.{kind}"
    async with running(unique_field=KEY, scopes=frozenset({scope})) as api:
        assert (await upsert(api, service(**{KEY: "K-1"}))).body["code"] == "OAUTH_SCOPE_MISMATCH"
    both = frozenset({"ZohoCRM.modules.services.CREATE", "ZohoCRM.modules.services.UPDATE"})
    async with running(unique_field=KEY, scopes=both) as api:
        assert (await upsert(api, service(**{KEY: "K-1"}))).status == 200


async def test_the_current_user_is_the_one_who_makes_records(api: Api) -> None:
    users = (await api.call("GET", "users?type=CurrentUser")).body["users"]
    made_by = (await api.create(service())).elements[0]["details"]["Created_By"]
    assert [user["id"] for user in users] == [made_by["id"]]
    assert users[0]["full_name"] == made_by["name"]


async def test_a_late_commit_is_cut_at_once_and_applied_later() -> None:
    async with running(faults=Faults([Fault.LATE_COMMIT], delay_s=0.05)) as api:
        with pytest.raises(aiohttp.ClientConnectionError):
            await api.create(service(), service())
        assert made(api) == 0
        assert [served.status for served in api.sandbox.requests] == [None]
        await until(lambda: made(api) == 2)
        assert (await api.create(service())).status == 201
        assert made(api) == 3


async def test_a_late_commit_is_applied_when_the_sandbox_is_closed_earlier(tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite"
    async with running(state, faults=Faults([Fault.LATE_COMMIT], delay_s=3600)) as api:
        with pytest.raises(aiohttp.ClientConnectionError):
            await api.create(service())
        assert made(api) == 0
    async with running(state) as api:
        assert made(api) == 1


async def test_of_a_late_commit_what_is_refused_by_then_changes_nothing(tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite"
    async with running(state, unique_field=KEY, faults=Faults([Fault.LATE_COMMIT], delay_s=3600)) as api:
        with pytest.raises(aiohttp.ClientConnectionError):
            await api.create(service(**{KEY: "K-1"}), service(**{KEY: "K-2"}))
        assert (await api.create(service(**{KEY: "K-1"}))).status == 201
    async with running(state, unique_field=KEY) as api:
        assert sorted(str(each[KEY]) for each in api.sandbox.services()[12:]) == ["K-1", "K-2"]


async def test_a_late_commit_of_a_read_is_a_cut() -> None:
    async with running(faults=Faults(read_script=[Fault.LATE_COMMIT])) as api:
        # aiohttp asks once more by itself, on another connection.
        assert (await api.call("GET", f"{SERVICES}?fields=id")).status == 200
        assert [served.status for served in api.sandbox.requests] == [None, 200]
