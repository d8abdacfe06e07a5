"""Logging in through the browser, the system's keyring, and logging out; against a real server, on loopback."""

from __future__ import annotations

import http.client
import re
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from terminal import Ended, Served, Terminal, ended, services


def without_token(served: Served) -> dict[str, str]:
    return {name: value for name, value in served.environ.items() if name != "BULKZCRM_REFRESH_TOKEN"}


@contextmanager
def waiting(terminal: Terminal, *words: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A login that waits for the browser, and the address that it wants to be opened."""
    with terminal.start("auth", "login", "--no-browser", "--port", "0", *words) as process:
        assert process.stderr is not None
        address = ""
        while not address.startswith("http"):
            line = process.stderr.readline()
            assert line, "the login ended too early"
            address = line.decode().strip()
        yield process, address


def opened(address: str) -> tuple[int, str]:
    """Open an address as a browser does, redirects included."""
    try:
        with urllib.request.urlopen(address, timeout=20) as page:  # noqa: S310 - loopback
            return page.status, page.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def back_to(address: str, query: str) -> str:
    """Where the browser is sent back to, with another answer than the server's."""
    fields = parse_qs(urlsplit(address).query)
    return f"{fields['redirect_uri'][0]}?{query}".replace("STATE", fields["state"][0])


def end_of(process: subprocess.Popen[bytes]) -> Ended:
    return ended(process)


def test_who_agrees_in_the_browser_is_logged_in(terminal: Terminal, served: Served):
    terminal.environ = without_token(served)
    with waiting(terminal, "--profile", "main") as (process, address):
        asked = parse_qs(urlsplit(address).query)
        assert asked["access_type"] == ["offline"]
        assert "ZohoCRM.modules.services.CREATE" in asked["scope"][0].split(",")
        status, page = opened(address)
        assert (status, "Logged in" in page) == (200, True)
        ending = end_of(process)
    assert ending.status == 0, ending.err
    assert ending.out == f"profile main: written to {terminal.home / 'profiles.toml'}\n"
    terminal.environ = {}
    assert "Patricia Boyle" in terminal.type("auth", "status").out


def test_only_the_answer_to_this_very_login_is_believed(terminal: Terminal, served: Served):
    terminal.environ = without_token(served)
    with waiting(terminal) as (process, address):
        assert opened(back_to(address, "code=1000.stolen&state=another"))[0] == 400
        assert opened(back_to(address, "code=1000.stolen"))[0] == 400
        assert opened(back_to(address, "").replace("/bulkzcrm", "/favicon.ico"))[0] == 404
        assert opened(address)[0] == 200
        assert end_of(process).status == 0


def test_a_browser_that_opens_connections_in_advance_holds_up_nobody(terminal: Terminal, served: Served):
    terminal.environ = without_token(served)
    with waiting(terminal) as (process, address):
        there = urlsplit(back_to(address, ""))
        with socket.create_connection(("127.0.0.1", there.port or 0)):
            assert opened(address)[0] == 200
            assert end_of(process).status == 0


@pytest.mark.parametrize(
    ("query", "status", "pieces"),
    [
        ("error=access_denied&state=STATE", 3, ["Consent was refused", "agree"]),
        ("error=invalid_scope&state=STATE", 3, ["invalid_scope", "/bulkzcrm", "BULKZCRM_CLIENT_ID"]),
        ("code=1000.x&state=STATE&accounts-server=https://accounts.zoho.example", 2, ["none of the vendor's"]),
        ("code=1000.x&state=STATE&accounts-server=https://accounts.zoho.eu", 2, ["none of the vendor's"]),
        ("code=1000.x&state=STATE", 3, ["does not accept the code", "auth login"]),
    ],
)
def test_what_the_browser_brings_back_is_told_with_its_cure(
    terminal: Terminal, served: Served, query: str, status: int, pieces: list[str]
):
    terminal.environ = without_token(served)
    with waiting(terminal) as (process, address):
        opened(back_to(address, query))
        ending = end_of(process)
    assert ending.status == status
    assert all(piece in ending.err for piece in pieces), ending.err
    assert "Traceback" not in ending.err
    assert not (terminal.home / "profiles.toml").exists()


def test_a_port_that_is_taken_is_told(terminal: Terminal, served: Served):
    terminal.environ = without_token(served)
    with socket.create_server(("127.0.0.1", 0)) as other:
        ending = terminal.type("auth", "login", "--port", str(other.getsockname()[1]), "--no-browser")
    assert (ending.status, "cannot be listened on" in ending.why, "--port" in ending.why) == (2, True, True)


def test_the_page_of_the_login_lets_nothing_run_and_tells_nobody(terminal: Terminal, served: Served):
    terminal.environ = without_token(served)
    with waiting(terminal) as (process, address):
        there = urlsplit(back_to(address, "code=%3Cscript%3E&state=x"))
        asked = http.client.HTTPConnection("127.0.0.1", there.port or 0, timeout=20)
        asked.request("GET", f"{there.path}?{there.query}")
        answer = asked.getresponse()
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert b"<script>" not in answer.read()
        asked.close()
        process.terminate()


def keyring(terminal: Terminal) -> dict[str, str]:
    return {
        "PYTHON_KEYRING_BACKEND": "keyring_in_file.FileKeyring",
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "KEYRING_FILE": str(terminal.folder / "keyring.json"),
    }


def logged_in(terminal: Terminal, served: Served, *words: str) -> Ended:
    code = served.ask(lambda sandbox: sandbox.new_grant_code())
    terminal.environ = {**without_token(served), **keyring(terminal)}
    ending = terminal.type("auth", "login", "--code", code, *words)
    terminal.environ = keyring(terminal)
    return ending


def test_secrets_go_into_the_systems_keyring_where_there_is_one(terminal: Terminal, served: Served):
    ending = logged_in(terminal, served)
    assert "the system's keyring (a drawer for tests)" in ending.out
    assert "--no-keyring" in ending.err
    kept = (terminal.home / "profiles.toml").read_text()
    assert 'secrets_in = "keyring"' in kept
    assert "secret =" not in kept
    assert "refresh_token" not in kept
    told = terminal.type("auth", "status", "--json").object
    assert (told["profile"], told["secrets"]) == ("main", "the system's keyring")
    terminal.write("a.csv", services("A"))
    assert terminal.type("run", "create-services", "a.csv", "--yes").status == 0
    assert served.created == ["A"]


def test_a_keyring_that_is_locked_is_told_with_its_cure(terminal: Terminal, served: Served):
    logged_in(terminal, served)
    terminal.environ["KEYRING_IS_LOCKED"] = "1"
    ending = terminal.type("auth", "status")
    assert (ending.status, "KeyringLocked" in ending.why, "--no-keyring" in ending.why) == (2, True, True)
    terminal.environ = {}
    ending = terminal.type("auth", "status")
    assert (ending.status, "keyring" in ending.why, "--no-keyring" in ending.why) == (2, True, True)


def test_a_keyring_that_cannot_be_written_leaves_the_file(terminal: Terminal, served: Served):
    terminal.environ = {"KEYRING_IS_LOCKED": "1"}
    code = served.ask(lambda sandbox: sandbox.new_grant_code())
    terminal.environ = {**without_token(served), **keyring(terminal), "KEYRING_IS_LOCKED": "1"}
    ending = terminal.type("auth", "login", "--code", code)
    assert ending.status == 0
    assert "which only you can read" in ending.err
    terminal.environ = {}
    assert terminal.type("auth", "status").status == 0


def test_who_wants_no_keyring_has_the_file_and_nothing_stays_in_the_keyring(terminal: Terminal, served: Served):
    logged_in(terminal, served)
    ending = logged_in(terminal, served, "--no-keyring")
    assert ending.status == 0, ending.err
    assert (terminal.folder / "keyring.json").read_text() == "{}"
    terminal.environ = {}
    assert terminal.type("auth", "status").status == 0


@pytest.mark.parametrize("words", [(), ("--no-keyring",)])
def test_a_logout_revokes_the_login_and_leaves_nothing(terminal: Terminal, served: Served, words: tuple[str, ...]):
    logged_in(terminal, served, *words)
    kept = dict(re.findall(r'(\w+) = "(.*)"', (terminal.home / "profiles.toml").read_text()))
    assert terminal.type("auth", "status").status == 0
    ending = terminal.type("auth", "logout")
    assert (ending.status, ending.out) == (0, "profile main: logged out, and deleted\n")
    assert (terminal.home / "profiles.toml").read_text() == ""
    assert [path.name for path in (terminal.home / "tokens").iterdir()] == []
    if not words:
        assert (terminal.folder / "keyring.json").read_text() == "{}"
        return
    terminal.environ = {**served.environ, "BULKZCRM_REFRESH_TOKEN": kept["refresh_token"]}
    ending = terminal.type("auth", "status")
    assert (ending.status, "revoked" in ending.why) == (3, True)


def test_a_logout_can_keep_the_client_for_the_next_login(terminal: Terminal, served: Served):
    logged_in(terminal, served)
    assert terminal.type("auth", "logout", "--keep-client").out == "profile main: logged out, its client is kept\n"
    refused = terminal.type("auth", "status")
    assert (refused.status, "BULKZCRM_REFRESH_TOKEN" in refused.why) == (2, True)
    code = served.ask(lambda sandbox: sandbox.new_grant_code())
    assert terminal.type("auth", "login", "--code", code).status == 0
    assert terminal.type("auth", "status").status == 0


def test_a_logout_without_network_deletes_all_the_same_and_says_so(terminal: Terminal, served: Served):
    logged_in(terminal, served, "--no-keyring")
    file = terminal.home / "profiles.toml"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
    file.write_text(re.sub(r"127\.0\.0\.1:\d+", f"127.0.0.1:{port}", file.read_text()))
    ending = terminal.type("auth", "logout")
    assert (ending.status, "did not confirm" in ending.why) == (3, True)
    assert file.read_text() == ""


def test_a_logout_of_nobody_or_of_several_asks_for_a_name(terminal: Terminal, served: Served):
    assert "There is no profile" in terminal.type("auth", "logout").why
    logged_in(terminal, served, "--profile", "a")
    logged_in(terminal, served, "--profile", "b")
    assert "2 profiles: a, b" in terminal.type("auth", "logout").why
    assert terminal.type("auth", "logout", "--profile", "a").status == 0
    assert terminal.type("auth", "status").status == 0
