"""The golden pairs are whole, and the sandbox answers each of them as the vendor's pages say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from golden_pairs import FOLDER, GoldenPair, Json, Local, difference, load
from golden_sandbox import sandbox_of, users_of

from bulkzcrm.sandbox import seed

PAIRS = load()
OPERATIONS = {
    "create-services",
    "update-services",
    "set-service-status",
    "set-scoring-rule-status",
    "update-business-hours",
    "update-service-preferences",
}
PAGES = {
    "create-services",
    "update-services",
    "update-scoring-rule-status",
    "update-business-hours",
    "update-service-preferences",
    "facts",
}
KEYS = {"says", "page", "now", "organisation", "row", "client", "request", "answer"}
ORGANISATION_KEYS = {
    "services",
    "service_preferences",
    "business_hours",
    "extra_users",
    "active_services_limit",
    "active_rules_limit",
    "scopes",
    "forbidden",
    "list_shows_members",
}
SENT = [pair for pair in PAIRS if pair.request]


def without_duplicates(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    assert len(pairs) == len(dict(pairs)), f"a key stands twice among {[key for key, _ in pairs]}"
    return dict(pairs)


# -- the files


def test_every_operation_has_pairs():
    assert {pair.operation for pair in PAIRS} == OPERATIONS


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_a_file_holds_only_known_keys_each_of_them_once(operation: str):
    for path in (FOLDER / operation).iterdir():
        text = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=without_duplicates)
        assert {"says", "page", "now"} <= text.keys() <= KEYS, path.name
        assert text.get("organisation", {}).keys() <= ORGANISATION_KEYS, path.name
        assert ("row" in text) == ("client" in text), path.name
        assert ("request" in text) == ("answer" in text), path.name
        assert "row" in text or "request" in text, path.name


def test_a_pair_says_its_rule_in_a_sentence_and_where_it_stands():
    for pair in PAIRS:
        page, part = pair.page.split(": ", 1)
        assert page in PAGES, pair.title
        assert part, pair.title
        assert pair.says.endswith("."), pair.title
        assert pair.now.utcoffset() == timedelta(hours=5, minutes=30), f"{pair.title}: the organisation's zone"


def test_a_rule_has_both_sides():
    titles = {pair.title for pair in PAIRS}
    for title in titles:
        rule, _, side = title.rpartition("-")
        if side in {"refused", "accepted"}:
            assert {f"{rule}-refused", f"{rule}-accepted"} <= titles


def test_the_name_of_a_pair_tells_what_the_api_answers():
    for pair in SENT:
        side = pair.name.rpartition("-")[2]
        if side == "refused":
            assert pair.answer.status >= 400, pair.title
            assert pair.answer.code != "SUCCESS", pair.title
        if side == "accepted":
            assert (pair.answer.status, pair.answer.code) in {(200, "SUCCESS"), (201, "SUCCESS")}, pair.title


def test_the_verdict_on_a_row_agrees_with_its_request():
    for pair in PAIRS:
        if pair.client is None:
            continue
        assert all(isinstance(cell, str) for cell in pair.row.values()), pair.title
        assert (pair.client.verdict is Local.INVALID) == bool(pair.client.problems), pair.title
        if pair.client.verdict is Local.UNCHANGED:
            assert pair.request is None, f"{pair.title}: what is unchanged is not sent"
        if pair.client.verdict is Local.SENDS:
            assert pair.request is not None, f"{pair.title}: what is sent has a request"
        if pair.client.verdict is Local.INVALID and pair.answer:
            assert pair.answer.status >= 400, f"{pair.title}: what our tool holds back is what the API refuses"


def test_both_sides_of_a_rule_differ():
    requests = {pair.title: pair for pair in SENT}
    for title, pair in requests.items():
        if title.endswith("-refused"):
            twin = requests[f"{title.removesuffix('-refused')}-accepted"]
            assert (pair.request, pair.organisation) != (twin.request, twin.organisation), title


@pytest.mark.parametrize(
    ("expected", "found", "differs"),
    [
        ({"a": "<any>"}, {"a": None}, False),
        ({"a": "<any>"}, {}, True),
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ({"a": 80}, {"a": 80.00}, False),
        ({"a": True}, {"a": 1}, True),
        ({"a": [1, 2]}, {"a": [1]}, True),
        ({"a": "1"}, {"a": ["1"]}, True),
        ([{"a": 1}], [{"a": 2}], True),
    ],
)
def test_difference_tells_whether_a_body_departs_from_the_expected_one(expected: Json, found: Json, differs: bool):  # noqa: FBT001 -- a table of cases
    assert bool(difference(expected, found, extra_keys=False)) is differs


def test_difference_can_allow_further_keys():
    assert difference({"a": 1}, {"a": 1, "b": 2}, extra_keys=True) is None


# -- the sandbox


@pytest.mark.parametrize("pair", SENT, ids=lambda pair: pair.title)
async def test_the_sandbox_answers_as_the_pages_say(pair: GoldenPair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    users = users_of(pair)
    monkeypatch.setattr(seed, "users", lambda: users)
    async with sandbox_of(pair, tmp_path) as sandbox, aiohttp.ClientSession() as session:
        access = pair.request.authorization or await authorization(session, sandbox.environment())
        response = await session.request(
            pair.request.method,
            sandbox.url + pair.request.path,
            data=pair.request.sendable(),
            headers={"Authorization": access, "Content-Type": "application/json"},
        )
        body = json.loads(await response.read())
    if pair.answer.code:
        code, api_name = first_verdict(body)
        assert (response.status, code) == (pair.answer.status, pair.answer.code), body
        if pair.answer.api_names:
            assert api_name in pair.answer.api_names, body
    assert response.status == pair.answer.status, body
    if pair.answer.body is not None:
        assert difference(pair.answer.body, body, extra_keys=True) is None


async def authorization(session: aiohttp.ClientSession, environment: Mapping[str, str]) -> str:
    form = {
        "grant_type": "refresh_token",
        "refresh_token": environment["BULKZCRM_REFRESH_TOKEN"],
        "client_id": environment["BULKZCRM_CLIENT_ID"],
        "client_secret": environment["BULKZCRM_CLIENT_SECRET"],
    }
    response = await session.post(environment["BULKZCRM_ACCOUNTS_URL"] + "/oauth/v2/token", data=form)
    return "Zoho-oauthtoken " + (await response.json(content_type=None))["access_token"]


def first_verdict(body: Json) -> tuple[str, str | None]:
    """Code and api_name of a bare answer, of the first one in an array, or of the one under a settings' name."""
    while "code" not in body:
        body = next(iter(body.values())) if isinstance(body, dict) else body[0]
    return body["code"], body["details"].get("api_name")
