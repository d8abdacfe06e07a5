"""Logins that go awry: browsers that hang up, two logins at once, an environment that says otherwise than a profile."""

from __future__ import annotations

import json
import re
import signal
import socket
import struct
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from forwarder import Say
from terminal import Served, Terminal, ended, services
from test_cli_login import back_to, keyring, logged_in, opened, waiting, without_token

from bulkzcrm.browser_login import Authorised, authorised_by_browser
from bulkzcrm.config import Connection, load_login
from bulkzcrm.errors import ConfigurationError, StoppedError
from bulkzcrm.profiles import delete_profile, read_profiles, write_profile


def code_of(served: Served) -> str:
    return served.ask(lambda sandbox: sandbox.new_grant_code())


def hung_up(address: str, query: str) -> None:
    """Ask as a browser that is closed at once, so that no answer can reach it."""
    there = urlsplit(back_to(address, query))
    with socket.create_connection(("127.0.0.1", there.port or 0)) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.sendall(f"GET {there.path}?{there.query} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())


def test_a_browser_that_hangs_up_with_the_answer_has_given_it_all_the_same(terminal: Terminal, served: Served):
    terminal.environ = without_token(served)
    with waiting(terminal) as (process, address):
        code = code_of(served)
        hung_up(address, "code=1000.other&state=another")
        with socket.create_connection(("127.0.0.1", urlsplit(back_to(address, "")).port or 0)) as strange:
            strange.sendall(b"GET //[ HTTP/1.1\r\n\r\n")
            assert strange.recv(9)
        hung_up(address, f"code={code}&state=STATE")
        ending = ended(process)
    assert ending.status == 0, ending.err
    assert "Traceback" not in ending.err
    assert "Exception" not in ending.err


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_while_the_browser_is_waited_for_leaves_nothing(terminal: Terminal, served: Served):
    terminal.environ = without_token(served)
    with waiting(terminal) as (process, _):
        process.send_signal(signal.SIGINT)
        ending = ended(process)
    assert (ending.status, ending.out) == (130, "")
    assert "Traceback" not in ending.err
    assert not (terminal.home / "profiles.toml").exists()


def test_two_logins_at_once_each_get_their_own(terminal: Terminal, served: Served):
    terminal.environ = without_token(served)
    with ExitStack() as stack:
        (one, first), (two, second) = (stack.enter_context(waiting(terminal, "--profile", name)) for name in "ab")
        assert opened(back_to(first, f"code=x&state={parse_qs(urlsplit(second).query)['state'][0]}"))[0] == 400
        assert [opened(address)[0] for address in (second, first)] == [200, 200]
        assert [ended(process).status for process in (one, two)] == [0, 0]
    terminal.environ = {}
    for name in "ab":
        assert terminal.type("auth", "status", "--profile", name).status == 0


def test_profiles_that_are_written_at_once_are_all_there(tmp_path: Path):
    names = [f"p{number}" for number in range(24)]
    ready = threading.Barrier(8)

    def write(first: int) -> None:
        ready.wait()
        for name in names[first::8]:
            write_profile(tmp_path, name, {"client_id": name})
            write_profile(tmp_path, f"{name}-old", {"client_id": name})
            delete_profile(tmp_path, f"{name}-old")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert {name: table["client_id"] for name, table in read_profiles(tmp_path).items()} == {
        name: name for name in names
    }


OLD = (
    '[main]\nclient_id = "1000.OLD"\nclient_secret = "s"\naccounts_url = "http://127.0.0.1:9"\n'
    'api_domain = "http://127.0.0.1:9"\norg_id = "1"\n'
)


def test_what_the_environment_says_at_a_login_beats_what_the_profile_says(terminal: Terminal, served: Served):
    terminal.home.mkdir()
    (terminal.home / "profiles.toml").write_text(OLD)
    terminal.environ = without_token(served)
    ending = terminal.type("auth", "login", "--code", code_of(served), "--profile", "main")
    assert ending.status == 0, ending.err
    assert "BULKZCRM_CLIENT_ID" in ending.err
    assert "sandbox-client-secret" not in ending.err + ending.out
    terminal.environ = {}
    assert terminal.type("auth", "status", "--profile", "main").status == 0


def test_one_address_at_a_login_takes_both_of_the_profiles_along(terminal: Terminal, served: Served):
    terminal.home.mkdir()
    (terminal.home / "profiles.toml").write_text(OLD)
    terminal.environ = without_token(served)
    for name in ("BULKZCRM_ACCOUNTS_URL", "BULKZCRM_ORG_ID"):
        del terminal.environ[name]
    ending = terminal.type("auth", "login", "--code", code_of(served))
    assert ending.status == 0, ending.err
    assert "org_id" not in (terminal.home / "profiles.toml").read_text()


def test_a_rehearsal_never_takes_the_place_of_a_real_login(terminal: Terminal, served: Served):
    terminal.home.mkdir()
    real = OLD.replace("http://127.0.0.1:9", "https://accounts.zoho.eu", 1).replace(
        "http://127.0.0.1:9", "https://www.zohoapis.eu"
    )
    (terminal.home / "profiles.toml").write_text(real)
    terminal.environ = without_token(served)
    ending = terminal.type("auth", "login", "--code", code_of(served))
    assert (ending.status, "--profile sandbox" in ending.why) == (2, True)
    assert (terminal.home / "profiles.toml").read_text() == real
    ending = terminal.type("auth", "login", "--code", code_of(served), "--profile", "sandbox")
    assert ending.status == 0, ending.err
    assert (terminal.home / "profiles.toml").read_text().startswith(real)


def test_a_refresh_token_of_the_environment_is_not_worth_a_word_at_a_login(terminal: Terminal, served: Served):
    logged_in(terminal, served, "--no-keyring")
    terminal.environ = served.environ
    ending = terminal.type("auth", "login", "--code", code_of(served), "--no-keyring")
    assert (ending.status, "REFRESH" in ending.err) == (0, False)


def test_a_logout_that_cannot_ask_the_keyring_says_so_and_keeps_everything(terminal: Terminal, served: Served):
    logged_in(terminal, served)
    kept = (terminal.home / "profiles.toml").read_text()
    for environ in ({}, {**keyring(terminal), "KEYRING_IS_LOCKED": "1"}):
        terminal.environ = environ
        for words in ((), ("--keep-client",)):
            ending = terminal.type("auth", "logout", *words)
            assert (ending.status, "keyring" in ending.why, "BULKZCRM_CLIENT" in ending.why) == (2, True, False)
            assert (terminal.home / "profiles.toml").read_text() == kept
    terminal.environ = keyring(terminal)
    assert terminal.type("auth", "logout").status == 0


def test_a_run_that_stopped_goes_on_after_logout_and_another_login(terminal: Terminal, served: Served):
    logged_in(terminal, served, "--no-keyring")
    terminal.write("a.csv", services(*(f"S{number}" for number in range(5))))
    served.wire.script(Say(403, {"code": "NO_PERMISSION", "details": {}, "message": "no", "status": "error"}))
    stopped = terminal.type("run", "create-services", "a.csv", "--yes", "--profile", "main")
    assert stopped.status == 3, stopped.err
    assert terminal.type("auth", "logout").status == 0
    refused = terminal.type(*stopped.last.split()[1:])
    assert (refused.status, "auth login" in refused.why) == (2, True), refused.err
    code = code_of(served)
    terminal.environ = without_token(served)
    assert terminal.type("auth", "login", "--code", code, "--no-keyring").status == 0
    terminal.environ = {}
    resumed = terminal.type("resume", "--yes")
    assert resumed.status == 0, resumed.err
    assert sorted(served.created) == [f"S{number}" for number in range(5)]


def test_no_secret_stands_in_what_is_said_or_in_a_file_of_others(terminal: Terminal, served: Served):
    code = code_of(served)
    terminal.environ = without_token(served)
    ending = terminal.type("auth", "login", "--code", "-", "--no-keyring", stdin=f"{code}\n".encode())
    kept = dict(re.findall(r'(\w+) = "(.*)"', (terminal.home / "profiles.toml").read_text()))
    terminal.environ = {}
    said = ending.out + ending.err + terminal.type("auth", "status", "--json").out
    assert not any(secret in said for secret in (code, kept["client_secret"], kept["refresh_token"]))
    for path in terminal.home.rglob("*"):
        if path.is_file() and sys.platform != "win32":
            assert path.stat().st_mode & 0o077 == 0, path


def test_a_profile_that_cannot_be_written_is_told_before_the_code_is_spent(terminal: Terminal, served: Served):
    terminal.home.mkdir()
    (terminal.home / "profiles.toml").write_text('main = {client_id = "1000.OLD"}\n')
    code = code_of(served)
    terminal.environ = {**without_token(served), **keyring(terminal)}
    ending = terminal.type("auth", "login", "--code", code)
    assert (ending.status, "editor" in ending.why) == (2, True)
    drawer = terminal.folder / "keyring.json"
    assert not drawer.exists() or json.loads(drawer.read_text()) == {}
    (terminal.home / "profiles.toml").unlink()
    assert terminal.type("auth", "login", "--code", code).status == 0


@pytest.mark.parametrize("others", [["a"], ["a", "b"]])
def test_the_client_of_another_profile_is_never_taken_for_a_new_one(
    terminal: Terminal, served: Served, others: list[str]
):
    for name in others:
        logged_in(terminal, served, "--no-keyring", "--profile", name)
    terminal.environ = {}
    ending = terminal.type("auth", "login", "--code", "1000.x", "--profile", "new")
    assert ending.status == 2
    assert "Credentials are missing: BULKZCRM_CLIENT_ID, BULKZCRM_CLIENT_SECRET." in ending.why
    assert "on a terminal" in ending.why
    assert "--sandbox" not in ending.why


def agreed(connection: Connection, accounts: str) -> Authorised:
    """What a login has when the browser comes back with this accounts server."""
    asked: list[str] = []

    def show(address: str, back: str) -> None:
        query = f"code=1000.x&state=STATE&location=x&accounts-server={quote(accounts, safe='')}"
        asked.append(back)
        threading.Thread(target=opened, args=(back_to(address, query),), daemon=True).start()

    found = authorised_by_browser(connection, ["a"], port=0, wait_s=20, show=show)
    assert found.redirect_uri == asked[0]
    return found


@pytest.mark.parametrize(
    ("domain", "accounts", "api"),
    [
        ("https://www.zohoapis.com", "https://accounts.zoho.eu", "https://www.zohoapis.eu"),
        ("https://www.zohoapis.com", "HTTPS://ACCOUNTS.ZOHO.EU/", "https://www.zohoapis.eu"),
        ("https://sandbox.zohoapis.com", "https://accounts.zoho.in", "https://sandbox.zohoapis.in"),
        ("https://developer.zohoapis.eu", "https://accounts.zohocloud.ca", "https://developer.zohoapis.ca"),
        ("https://www.zohoapis.eu", "https://accounts.zoho.eu", "https://www.zohoapis.eu"),
    ],
)
def test_the_login_goes_to_where_the_account_is(tmp_path: Path, domain: str, accounts: str, api: str):
    environ = {"BULKZCRM_CLIENT_ID": "1000.A", "BULKZCRM_CLIENT_SECRET": "s", "BULKZCRM_API_DOMAIN": domain}
    found = agreed(load_login(profile="main", environ=environ, home=tmp_path), accounts)
    assert (found.connection.api_domain, found.connection.accounts_url) == (api, accounts.lower().rstrip("/"))


@pytest.mark.parametrize(
    ("accounts", "kept"), [("https://accounts.zoho.in", None), ("https://accounts.zoho.eu", "60001234567")]
)
def test_an_organisation_of_another_data_centre_is_not_asked_for(tmp_path: Path, accounts: str, kept: str | None):
    environ = {"BULKZCRM_CLIENT_ID": "1000.A", "BULKZCRM_CLIENT_SECRET": "s", "BULKZCRM_ORG_ID": "60001234567"}
    environ["BULKZCRM_API_DOMAIN"] = "https://www.zohoapis.eu"
    found = agreed(load_login(profile="main", environ=environ, home=tmp_path), accounts)
    assert found.connection.org_id == kept


@pytest.mark.parametrize(
    "accounts",
    [
        "http://accounts.zoho.eu",
        "https://accounts.zoho.eu.evil.example",
        "https://accounts.zoho.eu@evil.example",
        "https://accounts.zoho.eu:8443",
        "http://127.0.0.1:1",
        "https://www.zohoapis.eu",
        "javascript:alert(1)",
        "//[",
    ],
)
def test_no_other_server_is_ever_given_the_code(tmp_path: Path, accounts: str):
    environ = {"BULKZCRM_CLIENT_ID": "1000.A", "BULKZCRM_CLIENT_SECRET": "s"}
    with pytest.raises(ConfigurationError, match="none of the vendor's"):
        agreed(load_login(profile="main", environ=environ, home=tmp_path), accounts)


def test_nobody_is_waited_for_without_end(tmp_path: Path):
    environ = {"BULKZCRM_CLIENT_ID": "1000.A", "BULKZCRM_CLIENT_SECRET": "s"}
    connection = load_login(profile="main", environ=environ, home=tmp_path)
    with pytest.raises(StoppedError, match="Nobody has agreed"):
        authorised_by_browser(connection, ["a"], port=0, wait_s=0.0, show=lambda _address, _back: None)


def test_a_secret_that_moves_from_the_keyring_into_the_file_is_told(terminal: Terminal, served: Served):
    logged_in(terminal, served)
    terminal.environ["KEYRING_IS_FULL"] = "1"
    ending = terminal.type("auth", "logout", "--keep-client")
    assert ending.status == 0, ending.err
    assert f"in {terminal.home / 'profiles.toml'} now" in ending.err
    assert 'client_secret = "' in (terminal.home / "profiles.toml").read_text()
    assert "sandbox-client-secret" not in ending.err + ending.out
