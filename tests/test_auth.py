"""One token for everybody, renewed once, and every refusal with its cure."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import sys
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loopback import ACCESS, CLIENT_SECRET, CUT, REFRESH, connection, serving, token_reply

from bulkzcrm.auth import TokenSource, exchange_code
from bulkzcrm.config import Connection
from bulkzcrm.errors import ConfigurationError, CredentialsRefusedError, StoppedError, UnreachableError
from bulkzcrm.private_files import FileLock
from bulkzcrm.redact import Secret
from bulkzcrm.tokens import read_grant
from bulkzcrm.wire import LostError, NotSentError, Reply, Wire

VENDOR = {"api_domain": "https://www.zohoapis.eu", "accounts_url": "https://accounts.zoho.eu"}
NOW = 4_000_000_000.0


class Clock:
    def __init__(self) -> None:
        self.now = NOW
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Accounts:
    """Stands where the wire would; gives a new token for every request, or what the test says."""

    def __init__(self, *answers: dict[str, object] | bytes | Exception, status: int = 200) -> None:
        self.answers = list(answers)
        self.status = status
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.was_asked = asyncio.Event()

    async def exchange(self, method, url, *, headers, body=None) -> Reply:
        assert headers["Content-Type"] == "application/x-www-form-urlencoded"
        self.asked.append((method, url, dict(parse_qsl(body.decode()))))
        self.was_asked.set()
        await asyncio.sleep(0)
        count = len(self.asked)
        answer = self.answers.pop(0) if self.answers else {"access_token": access(count), "expires_in": 3600}
        if isinstance(answer, Exception):
            raise answer
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return Reply(status=self.status, headers={}, body=content, elapsed=0.1)


def access(number: int) -> str:
    return f"1000.{number:032x}.{'b' * 32}"


def source(home: Path, accounts: Accounts, clock: Clock, **changes: object) -> TokenSource:
    return TokenSource(connection(home, **{**VENDOR, **changes}), accounts, clock=clock, sleep=clock.sleep)


def cached(home: Path) -> Path:
    (path,) = (home / "tokens").glob("*.json")
    return path


async def test_credentials_travel_in_the_body_of_a_post_and_not_in_its_address(tmp_path):
    async with serving(lambda _: token_reply(), tokens=False) as server, Wire() as wire:
        token = await TokenSource(connection(tmp_path, server.url), wire).token()
        (asked,) = server.asked
        assert (asked.method, asked.target) == ("POST", "/oauth/v2/token")
        assert asked.form == {
            "grant_type": "refresh_token",
            "refresh_token": REFRESH,
            "client_id": "1000.CLIENT",
            "client_secret": CLIENT_SECRET,
        }
        assert token.value.reveal() == ACCESS


async def test_token_is_asked_for_once_by_any_number_of_workers(tmp_path):
    accounts, clock = Accounts(), Clock()
    tokens = source(tmp_path, accounts, clock)
    given_out = await asyncio.gather(*(tokens.token() for _ in range(50)))
    assert len({token.value for token in given_out}) == 1
    assert len(accounts.asked) == 1


async def test_workers_whose_token_was_refused_share_one_renewal(tmp_path):
    accounts, clock = Accounts(), Clock()
    tokens = source(tmp_path, accounts, clock)
    old = await tokens.token()
    renewed = await asyncio.gather(*(tokens.refresh(old) for _ in range(20)))
    assert {token.value.reveal() for token in renewed} == {access(2)}
    assert (await tokens.refresh(old)).value.reveal() == access(2)
    assert len(accounts.asked) == 2


async def test_token_is_renewed_when_less_than_two_minutes_are_left(tmp_path):
    accounts, clock = Accounts(), Clock()
    tokens = source(tmp_path, accounts, clock)
    first = await tokens.token()
    clock.now += 3600 - 121
    assert await tokens.token() == first
    clock.now += 2
    assert await tokens.token() != first


async def test_token_of_a_short_life_is_used_for_half_of_it(tmp_path):
    accounts, clock = Accounts({"access_token": access(7), "expires_in": 60}), Clock()
    tokens = source(tmp_path, accounts, clock)
    first = await tokens.token()
    clock.now += 29
    assert await tokens.token() == first
    clock.now += 2
    assert await tokens.token() != first


@pytest.mark.parametrize(
    ("life", "seconds"),
    [
        ({"expires_in": 3600}, 3600),
        ({"expires_in": 3600000}, 3600),
        ({"expires_in": 3600000, "expires_in_sec": 1800}, 1800),
        ({"expires_in": "900"}, 900),
        ({}, 3600),
        ({"expires_in": True}, 3600),
        ({"expires_in": -5}, 3600),
        ({"expires_in": "soon"}, 3600),
        ({"expires_in": 1e300}, 3600),
        ({"expires_in": 10**400}, 3600),
        ({"expires_in": float("inf")}, 3600),
        ({"expires_in": 10**11}, 86400),
    ],
)
async def test_life_of_a_token_is_understood_in_every_dialect(tmp_path, life, seconds):
    token = await source(tmp_path, Accounts({"access_token": ACCESS, **life}), Clock()).token()
    assert token.expires_at == NOW + seconds


async def test_another_process_uses_the_same_token(tmp_path):
    accounts, clock = Accounts(), Clock()
    first = await source(tmp_path, accounts, clock).token()
    assert await source(tmp_path, accounts, clock).token() == first
    assert len(accounts.asked) == 1


async def test_token_that_another_process_has_renewed_is_taken_over(tmp_path):
    accounts, clock = Accounts(), Clock()
    here, there = source(tmp_path, accounts, clock), source(tmp_path, accounts, clock)
    old = await here.token()
    assert await there.token() == old
    new = await there.refresh(old)
    assert await here.refresh(old) == new
    assert len(accounts.asked) == 2


async def test_processes_that_need_a_token_at_once_ask_for_one(tmp_path):
    async def let_others_work(_seconds: float) -> None:
        await asyncio.sleep(0)

    accounts, clock = Accounts(), Clock()
    processes = [
        TokenSource(connection(tmp_path, **VENDOR), accounts, clock=clock, sleep=let_others_work) for _ in range(4)
    ]
    tokens = await asyncio.gather(*(each.token() for each in processes))
    assert len({token.value for token in tokens}) == 1
    assert len(accounts.asked) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "1000.OTHER"},
        {"refresh_token": Secret(access(99))},
        {"accounts_url": "https://accounts.zoho.in", "api_domain": "https://www.zohoapis.in"},
    ],
)
async def test_token_of_another_account_is_never_used(tmp_path, changes):
    accounts, clock = Accounts(), Clock()
    first = await source(tmp_path, accounts, clock).token()
    assert await source(tmp_path, accounts, clock, **changes).token() != first


@pytest.mark.skipif(sys.platform == "win32", reason="the folder decides there")
async def test_kept_token_is_its_owners_alone(tmp_path):
    await source(tmp_path / "state", Accounts(), Clock()).token()
    path = cached(tmp_path / "state")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert REFRESH not in path.read_text()
    assert CLIENT_SECRET not in path.read_text()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b"[1]",
        b"\xff\xfe",
        b'{"access_token":"x"}',
        b"[" * 100_000,
        b'{"access_token":"a\\nb","renew_at":5e9,"expires_at":5e9,"fetched":[],"blocked_until":0}',
        b'{"access_token":"abc","renew_at":"x","expires_at":5e9,"fetched":[],"blocked_until":0}',
        b'{"access_token":"abc","renew_at":NaN,"expires_at":NaN,"fetched":[],"blocked_until":0}',
        b'{"access_token":"abc","renew_at":9e9,"expires_at":9e9,"fetched":[],"blocked_until":9e9}',
    ],
)
async def test_kept_token_that_cannot_be_read_or_believed_is_as_good_as_none(tmp_path, content):
    accounts, clock = Accounts(), Clock()
    await source(tmp_path, accounts, clock).token()
    cached(tmp_path).write_bytes(content)
    token = await source(tmp_path, accounts, clock).token()
    assert token.value.reveal() == access(2)
    assert json.loads(cached(tmp_path).read_bytes())["access_token"] == access(2)


async def test_home_that_cannot_be_written_costs_only_the_sharing(tmp_path):
    (tmp_path / "tokens").write_text("in the way")
    tokens = source(tmp_path, Accounts(), Clock())
    assert (await tokens.token()).value.reveal() == access(1)


async def test_process_that_renews_is_waited_for_but_not_for_ever(tmp_path):
    accounts, clock = Accounts(), Clock()
    tokens = source(tmp_path, accounts, clock)
    await tokens.token()
    (lock_path,) = (tmp_path / "tokens").glob("*.lock")
    clock.now += 3600
    with FileLock(lock_path).opened() as holder:
        assert FileLock.try_lock(holder)
        assert (await tokens.token()).value.reveal() == access(2)
    assert 29 < sum(clock.slept) < 31


async def test_lock_is_free_again_when_its_holder_is_gone(tmp_path):
    lock = FileLock(tmp_path / "a.lock")
    with lock.opened() as first, lock.opened() as second:
        assert FileLock.try_lock(first)
        assert not FileLock.try_lock(second)
    with lock.opened() as third:
        assert FileLock.try_lock(third)


async def test_eleventh_token_in_ten_minutes_is_not_asked_for(tmp_path):
    accounts, clock = Accounts(), Clock()
    tokens = source(tmp_path, accounts, clock)
    token = await tokens.token()
    for _ in range(9):
        clock.now += 30
        token = await tokens.refresh(token)
    with pytest.raises(UnreachableError, match="Wait 6 minutes"):
        await tokens.refresh(token)
    # A process that starts anew knows it, too.
    with pytest.raises(UnreachableError):
        await source(tmp_path, accounts, clock).refresh(token)
    assert len(accounts.asked) == 10
    clock.now = NOW + 601
    await tokens.refresh(token)
    assert len(accounts.asked) == 11


async def test_stand_in_on_this_machine_counts_for_itself(tmp_path):
    accounts, clock = Accounts(), Clock()
    tokens = TokenSource(connection(tmp_path), accounts, clock=clock, sleep=clock.sleep)
    token = await tokens.token()
    for _ in range(20):
        token = await tokens.refresh(token)
    assert len(accounts.asked) == 21


@pytest.mark.parametrize("status", [200, 400, 429])
async def test_throttled_client_waits_ten_minutes_in_every_process(tmp_path, status):
    refusal = {"error": "Access Denied", "status": "failure", "error_description": "too many requests"}
    accounts, clock = Accounts(refusal, status=status), Clock()
    with pytest.raises(UnreachableError, match="Wait 10 minutes"):
        await source(tmp_path, accounts, clock).token()
    clock.now += 300
    with pytest.raises(UnreachableError, match="Wait 5 minutes"):
        await source(tmp_path, accounts, clock).token()
    assert len(accounts.asked) == 1
    clock.now += 301
    accounts.status = 200
    assert (await source(tmp_path, accounts, clock).token()).value.reveal() == access(2)


@pytest.mark.parametrize("status", [200, 400, 401])
@pytest.mark.parametrize(
    ("cause", "words"),
    [
        ("invalid_client", "does not know this client id.*data centre.*BULKZCRM_ACCOUNTS_URL"),
        ("invalid_client_secret", "BULKZCRM_CLIENT_SECRET"),
        ("invalid_code", "does not accept the refresh token.*auth login --code.*data centre"),
        ("invalid_grant", "does not accept the refresh token"),
        ("invalid_redirect_uri", "self client"),
        ("brand_new_cause", "says 'brand_new_cause'"),
    ],
)
async def test_refusal_names_the_cure_for_its_cause(tmp_path, status, cause, words):
    accounts = Accounts({"error": cause}, status=status)
    with pytest.raises(CredentialsRefusedError, match=words):
        await source(tmp_path, accounts, Clock()).token()
    assert len(accounts.asked) == 1


async def test_refusal_never_shows_a_credential(tmp_path):
    accounts = Accounts({"error": f"no such token {REFRESH} of {CLIENT_SECRET}"})
    with pytest.raises(CredentialsRefusedError) as refused:
        await source(tmp_path, accounts, Clock()).token()
    assert REFRESH not in str(refused.value)
    assert CLIENT_SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"<html>Bad gateway", 502),
        ({"error": "general"}, 500),
        (b"", 200),
        (b"[]", 200),
        ({"access_token": "a\r\nX-Evil: 1"}, 200),
        ({"access_token": 5}, 200),
        (b"[" * 100_000, 200),
        (NotSentError("No connection."), 200),
        (LostError("Broken off."), 200),
    ],
)
async def test_passing_fault_of_the_accounts_server_may_be_tried_again(tmp_path, answer, status):
    accounts, clock = Accounts(answer, status=status), Clock()
    tokens = source(tmp_path, accounts, clock)
    with pytest.raises(NotSentError):
        await tokens.token()
    accounts.status = 200
    assert (await tokens.token()).value.reveal() == access(2)


async def test_cut_connection_to_the_accounts_server_is_asked_once(tmp_path):
    async with serving(lambda _: CUT, tokens=False) as server, Wire() as wire:
        with pytest.raises(NotSentError):
            await TokenSource(connection(tmp_path, server.url), wire).token()
        assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("domain", "words"),
    [
        ("https://www.zohoapis.eu.evil.example", "none of the vendor's"),
        ("http://www.zohoapis.eu", "none of the vendor's"),
        ("http://127.0.0.1:80", "lives in this computer"),
        (17, "none of the vendor's"),
        ("https://www.zohoapis.in", "lives in data centre IN.*https://www.zohoapis.in.*https://accounts.zoho.in"),
    ],
)
async def test_answer_that_names_a_foreign_host_is_refused_and_its_token_not_kept(tmp_path, domain, words):
    accounts = Accounts({"access_token": ACCESS, "api_domain": domain})
    with pytest.raises(ConfigurationError, match=words):
        await source(tmp_path, accounts, Clock()).token()
    assert list((tmp_path / "tokens").glob("*.json")) == []


@pytest.mark.parametrize("domain", ["https://www.zohoapis.eu", "https://sandbox.zohoapis.eu", None])
async def test_answer_that_names_the_same_data_centre_is_fine(tmp_path, domain):
    accounts = Accounts({"access_token": ACCESS, "api_domain": domain})
    assert (await source(tmp_path, accounts, Clock()).token()).value.reveal() == ACCESS


async def test_missing_refresh_token_is_said_before_anything_is_asked(tmp_path):
    accounts = Accounts()
    with pytest.raises(ConfigurationError, match="BULKZCRM_REFRESH_TOKEN is missing"):
        await source(tmp_path, accounts, Clock(), refresh_token=Secret("")).token()
    assert accounts.asked == []


async def test_code_becomes_a_refresh_token(tmp_path):
    accounts = Accounts({"access_token": ACCESS, "refresh_token": REFRESH, "expires_in": 3600})
    code = "1000." + "e" * 32 + "." + "f" * 32
    assert await exchange_code(accounts, connection(tmp_path, **VENDOR), f" {code}\n") == Secret(REFRESH)
    ((_, url, form),) = accounts.asked
    assert url == "https://accounts.zoho.eu/oauth/v2/token"
    assert form == {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": "1000.CLIENT",
        "client_secret": CLIENT_SECRET,
    }


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        ({"error": "invalid_code"}, CredentialsRefusedError, "a code works once"),
        ({"error": "Access Denied"}, UnreachableError, "Wait 10 minutes"),
        ({"access_token": ACCESS}, CredentialsRefusedError, "no refresh token"),
        (LostError("Broken off."), UnreachableError, "Broken off.*new code"),
        (b"<html>", UnreachableError, "HTTP status 200"),
    ],
)
async def test_code_that_is_refused_says_what_to_do(tmp_path, answer, kind, words):
    with pytest.raises(kind, match=words):
        await exchange_code(Accounts(answer), connection(tmp_path, **VENDOR), "1000.abc.def")


async def test_cancelled_renewal_leaves_the_way_free(tmp_path):
    accounts, clock = Accounts(), Clock()
    tokens = source(tmp_path, accounts, clock)
    waiting = asyncio.create_task(tokens.token())
    await accounts.was_asked.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (await tokens.token()).value.reveal() == access(2)


def fixed_connection() -> Connection:
    return connection(Path(os.curdir), **VENDOR)


@given(
    status=st.integers(100, 599),
    body=st.binary()
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(["access_token", "error", "expires_in"]), inner)
        ),
    ).map(lambda value: json.dumps(value).encode()),
)
def test_any_answer_is_a_token_or_a_known_refusal(status, body):
    reply = Reply(status=status, headers={}, body=body, elapsed=0.0)
    try:
        grant = read_grant(reply, fixed_connection(), now=NOW, for_code=False)
    except (StoppedError, ConfigurationError, NotSentError):
        return
    assert grant.token.value.reveal().isascii()
    assert NOW < grant.token.renew_at <= grant.token.expires_at <= NOW + 86400
