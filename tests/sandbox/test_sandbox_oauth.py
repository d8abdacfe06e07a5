"""Tokens: how they are got, how long they live, and what the endpoint says to wrong requests."""

from __future__ import annotations

import re

import pytest
from sandbox_api import SERVICES, Api, Clock, running

from bulkzcrm.sandbox.options import GRANT_CODE

READ = f"{SERVICES}?fields=id"


async def test_a_refresh_token_is_traded_for_an_access_token(api: Api) -> None:
    reply = await api.token_request()
    assert reply.status == 200
    assert re.fullmatch(r"1000\.[0-9a-f]{32}\.[0-9a-f]{32}", reply.body["access_token"])
    assert (reply.body["expires_in"], reply.body["token_type"]) == (3600, "Bearer")
    assert reply.body["api_domain"] == api.sandbox.url
    assert "refresh_token" not in reply.body


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_id": "1000.OTHER"}, "invalid_client"),
        ({"client_id": None}, "invalid_client"),
        ({"client_secret": "é"}, "invalid_client_secret"),
        ({"refresh_token": "1000.a.b"}, "invalid_code"),
        ({"refresh_token": None}, "invalid_code"),
        ({"grant_type": "authorization_code"}, "invalid_code"),
        ({"grant_type": "password"}, "general_error"),
    ],
)
async def test_a_wrong_token_request_is_an_error_with_status_200(
    api: Api, changes: dict[str, str | None], error: str
) -> None:
    reply = await api.token_request(**changes)
    assert (reply.status, reply.body) == (200, {"error": error})


async def test_a_code_is_good_once_and_brings_a_refresh_token(api: Api) -> None:
    first = await api.token_request(grant_type="authorization_code", code=GRANT_CODE)
    again = await api.token_request(grant_type="authorization_code", code=GRANT_CODE)
    assert again.body == {"error": "invalid_code"}
    renewed = await api.token_request(refresh_token=first.body["refresh_token"])
    api.token = renewed.body["access_token"]
    assert (await api.call("GET", READ)).status == 200


async def test_a_code_of_three_minutes_ago_is_no_good() -> None:
    clock = Clock()
    async with running(clock=clock) as api:
        fresh, stale = api.sandbox.new_grant_code(), api.sandbox.new_grant_code()
        assert "access_token" in (await api.token_request(grant_type="authorization_code", code=fresh)).body
        clock.move(minutes=3)
        late = await api.token_request(grant_type="authorization_code", code=stale)
        assert late.body == {"error": "invalid_code"}


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        ("", "AUTHENTICATION_FAILURE"),
        ("Zoho-oauthtoken nobody", "INVALID_TOKEN"),
        ("Bearer {token}", "INVALID_TOKEN"),
    ],
)
async def test_a_request_needs_a_token_in_the_vendors_scheme(api: Api, authorization: str, code: str) -> None:
    reply = await api.call("GET", READ, authorization=authorization.format(token=api.token))
    assert (reply.status, reply.body["code"], reply.body["details"]) == (401, code, {})


async def test_a_token_ends_after_its_seconds() -> None:
    clock = Clock()
    async with running(clock=clock, token_life_s=60) as api:
        clock.move(seconds=59)
        assert (await api.call("GET", READ)).status == 200
        clock.move(seconds=1)
        assert (await api.call("GET", READ)).body["code"] == "INVALID_TOKEN"


async def test_a_token_ends_after_its_calls() -> None:
    async with running(token_calls=2) as api:
        assert [(await api.call("GET", READ)).status for _ in range(3)] == [200, 200, 401]
        await api.log_in()
        assert (await api.call("GET", READ)).status == 200


async def test_all_tokens_can_be_ended_from_within(api: Api) -> None:
    api.sandbox.expire_tokens()
    assert (await api.call("GET", READ)).status == 401


@pytest.mark.parametrize("status", [400, 200])
async def test_the_eleventh_token_in_ten_minutes_is_refused(status: int) -> None:
    clock = Clock()
    async with running(clock=clock, throttle_status=status) as api:
        for _ in range(9):
            assert "access_token" in (await api.token_request()).body
        refused = await api.token_request()
        assert (refused.status, refused.body["error"]) == (status, "Access Denied")
        clock.move(minutes=10)
        assert "access_token" in (await api.token_request()).body


async def test_the_sixteenth_live_token_ends_the_oldest() -> None:
    clock = Clock()
    async with running(clock=clock, token_throttle=None) as api:
        clock.move(seconds=1)
        tokens = [(await api.token_request()).body["access_token"] for _ in range(14)]
        assert (await api.call("GET", READ)).status == 200
        clock.move(seconds=1)
        tokens.append((await api.token_request()).body["access_token"])
        assert (await api.call("GET", READ)).status == 401
        for token in tokens:
            api.token = token
            assert (await api.call("GET", READ)).status == 200
