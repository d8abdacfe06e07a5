"""Whole requests: envelopes, HTTP status, dialects, URLs, methods, scopes and permissions."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sandbox_api import AC_REPAIR, DROP, HOURS, PREFERENCES, RULES, SERVICES, Api, change, running, service

from bulkzcrm.sandbox.jsontext import dumps, loads

BAD = service(Duration=5)


async def test_answers_come_in_the_order_of_the_records(api: Api) -> None:
    reply = await api.create(service(), BAD, service(Location=DROP), service())
    assert reply.status == 207
    assert reply.codes == ["SUCCESS", "INVALID_DATA", "MANDATORY_NOT_FOUND", "SUCCESS"]
    assert [e["details"].get("json_path") for e in reply.elements] == [
        None,
        "$.data[1].Duration",
        "$.data[2].Location",
        None,
    ]
    assert reply.elements[0]["details"]["id"] != reply.elements[3]["details"]["id"]


async def test_a_success_tells_who_and_when(api: Api) -> None:
    details = (await api.update(change())).elements[0]["details"]
    patricia = {"name": "Patricia Boyle", "id": "5545974000000393001"}
    assert details == {
        "id": AC_REPAIR,
        "Created_Time": "2023-03-29T14:04:15+05:30",
        "Modified_Time": "2090-03-01T12:00:00+05:30",
        "Created_By": patricia,
        "Modified_By": patricia,
    }


async def test_a_record_that_is_no_object_is_answered_in_its_place(api: Api) -> None:
    reply = await api.create(service(), 7)
    assert reply.elements[1]["details"]["expected_data_type"] == "jsonobject"


async def test_a_hundred_records_go_and_one_more_does_not(api: Api) -> None:
    assert (await api.create(*[service()] * 100)).codes == ["SUCCESS"] * 100
    for reply in (await api.create(*[service()] * 101), await api.update(*[change()] * 101)):
        assert reply.status == 400
        assert reply.body["code"] == "INVALID_DATA"
        assert reply.body["details"] == {"maximum_length": 100, "api_name": "data", "json_path": "$.data"}


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "INVALID_DATA"),
        (b"{", "INVALID_DATA"),
        (b"[]", "INVALID_DATA"),
        (b"\xff\xfe", "INVALID_DATA"),
        (b'{"data": NaN}', "INVALID_DATA"),
        (b"[" * 100_000, "INVALID_DATA"),
        (b"{}", "MANDATORY_NOT_FOUND"),
        (b'{"data": []}', "INVALID_DATA"),
        (b'{"data": {}}', "INVALID_DATA"),
    ],
)
async def test_a_body_that_holds_no_records_is_refused_as_a_whole(api: Api, raw: bytes, code: str) -> None:
    reply = await api.call("POST", SERVICES, raw=raw)
    assert (reply.status, reply.body["code"], reply.body["status"]) == (400, code, "error")


async def test_the_id_may_stand_in_the_url_with_one_record(api: Api) -> None:
    reply = await api.call("PUT", f"{SERVICES}/{AC_REPAIR}", {"data": [change(DROP)]})
    assert (reply.status, reply.ids) == (200, [AC_REPAIR])
    two = await api.call("PUT", f"{SERVICES}/{AC_REPAIR}", {"data": [change(), change()]})
    assert two.body["details"]["maximum_length"] == 1
    nobody = await api.call("PUT", f"{SERVICES}/123", {"data": [change(DROP)]})
    assert nobody.elements[0]["details"]["api_name"] == "id"


async def test_trigger_and_skip_mandatory_are_accepted_beside_the_records(api: Api) -> None:
    assert (await api.create(service(), trigger=[], skip_mandatory=False)).codes == ["SUCCESS"]


async def test_the_bare_dialect_answers_one_error_for_all_and_applies_nothing() -> None:
    async with running(dialect="bare") as api:
        reply = await api.create(service(), BAD)
        assert (reply.status, reply.body["code"]) == (400, "INVALID_DATA")
        assert reply.body["details"]["json_path"] == "$.data[1].Duration"
        assert len(api.sandbox.services()) == 12
        assert (await api.create(service())).codes == ["SUCCESS"]


async def test_the_short_dialect_lists_the_failed_records_alone_and_applies_nothing() -> None:
    async with running(dialect="short") as api:
        reply = await api.create(service(), BAD, service(), BAD)
        assert reply.status == 400
        assert [e["details"]["json_path"] for e in reply.elements] == ["$.data[1].Duration", "$.data[3].Duration"]
        assert len((await api.create(*[BAD] * 30)).elements) == 25
        assert len(api.sandbox.services()) == 12


@pytest.mark.parametrize("version", ["v3", "v4", "v6", "v8", "v2.1", "v2", "v9", "8"])
async def test_versions_three_to_eight_exist(api: Api, version: str) -> None:
    reply = await api.call("PUT", SERVICES, {"data": [change()]}, version=version)
    exists = version in ("v3", "v4", "v6", "v8")
    assert (reply.status, reply.body.get("code")) == ((200, None) if exists else (404, "INVALID_URL_PATTERN"))


async def test_preferences_exist_from_version_three_on(api: Api) -> None:
    content = {"service_preferences": {"job_sheet_enabled": True}}
    assert (await api.call("PUT", PREFERENCES, content, version="v3")).status == 200
    old = await api.call("PUT", PREFERENCES, content, version="v2")
    assert (old.status, old.body["code"]) == (400, "API_NOT_SUPPORTED")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("POST", "Services", 400, "INVALID_MODULE"),
        ("PUT", "Leads/5545974000002183001", 400, "INVALID_MODULE"),
        ("DELETE", SERVICES, 400, "INVALID_REQUEST_METHOD"),
        ("PATCH", SERVICES, 400, "INVALID_REQUEST_METHOD"),
        ("POST", f"{SERVICES}/{AC_REPAIR}", 400, "INVALID_REQUEST_METHOD"),
        ("POST", PREFERENCES, 400, "INVALID_REQUEST_METHOD"),
        ("DELETE", HOURS, 400, "INVALID_REQUEST_METHOD"),
        ("POST", f"{RULES}/4876876000000965528/actions/activate", 400, "INVALID_REQUEST_METHOD"),
        ("PUT", f"{RULES}/4876876000000965528/actions", 404, "INVALID_URL_PATTERN"),
        ("PUT", "settings/business_hour", 404, "INVALID_URL_PATTERN"),
        ("POST", f"{SERVICES}/1/2", 404, "INVALID_URL_PATTERN"),
        ("GET", "", 404, "INVALID_URL_PATTERN"),
    ],
)
async def test_wrong_urls_and_methods_are_told_apart(api: Api, method: str, path: str, status: int, code: str) -> None:
    reply = await api.call(method, path, {"data": [service()]})
    assert (reply.status, reply.body["code"]) == (status, code)


SIX = [
    ("create-services", "POST", SERVICES, "ZohoCRM.modules.services.CREATE"),
    ("update-services", "PUT", SERVICES, "ZohoCRM.modules.services.UPDATE"),
    ("update-business-hours", "PUT", HOURS, "ZohoCRM.settings.business_hours.UPDATE"),
    ("update-service-preferences", "PUT", PREFERENCES, "ZohoCRM.settings.modules.UPDATE"),
    ("activate-scoring-rule", "PUT", f"{RULES}/1/actions/activate", "ZohoCRM.settings.scoring_rules.UPDATE"),
    ("deactivate-scoring-rule", "DELETE", f"{RULES}/1/actions/activate", "ZohoCRM.settings.scoring_rules.UPDATE"),
]


@pytest.mark.parametrize(("operation", "method", "path", "scope"), SIX, ids=[row[0] for row in SIX])
async def test_each_write_needs_its_scope_and_its_permission(
    operation: str, method: str, path: str, scope: str
) -> None:
    others = frozenset(row[3] for row in SIX) - {scope}
    for scopes in (others, frozenset({scope.replace("UPDATE", "READ").replace("CREATE", "READ")})):
        async with running(scopes=scopes) as api:
            reply = await api.call(method, path, {})
            assert (reply.status, reply.body["code"]) == (401, "OAUTH_SCOPE_MISMATCH")
    for scopes in (frozenset({scope}), frozenset({scope.rsplit(".", 1)[0] + ".ALL"})):
        async with running(scopes=scopes) as api:
            reply = await api.call(method, path, {})
            assert reply.status == 400
    async with running(forbidden=frozenset({operation})) as api:
        reply = await api.call(method, path, {})
        assert (reply.status, reply.body["code"]) == (403, "NO_PERMISSION")
        assert reply.body["details"]["permissions"]


async def test_the_date_header_is_the_sandboxs_own_time(api: Api) -> None:
    assert (await api.call("GET", "org")).headers["Date"] == "Wed, 01 Mar 2090 06:30:00 GMT"


async def test_the_log_of_requests_names_what_was_served(api: Api) -> None:
    await api.create(service(), BAD)
    await api.call("GET", f"{SERVICES}?fields=id")
    write, read = api.sandbox.requests
    assert (write.method, write.path, write.status, write.records) == ("POST", "/crm/v8/Services__s", 207, 2)
    assert (read.method, read.query, read.status, read.records) == ("GET", "fields=id", 200, 0)
    assert api.sandbox.token_requests == 1


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False, places=2)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(_JSON)
def test_json_reads_back_what_it_wrote(value: object) -> None:
    assert loads(dumps(value)) == value


_KEYS = st.sampled_from(
    sorted({*service(), "Available_Days", "Available_Timings", "Tax", "Status", "Unavailable_Till"})
)


@settings(max_examples=60, deadline=None)
@given(changes=st.dictionaries(_KEYS, _JSON, max_size=4))
async def test_any_record_gets_an_answer_of_its_own_between_its_neighbours(changes: dict[str, object]) -> None:
    raw = dumps({"data": [service(), service(**changes), service()]}).encode()
    async with running() as fresh:
        reply = await fresh.call("POST", SERVICES, raw=raw)
    assert reply.status in (201, 207)
    assert [reply.codes[0], len(reply.codes), reply.codes[2]] == ["SUCCESS", 3, "SUCCESS"]
