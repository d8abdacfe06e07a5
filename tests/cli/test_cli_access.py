"""Logging in, profiles, and that no secret is ever told or kept where it does not belong."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from terminal import Served, Terminal, services

SECRETS = ("BULKZCRM_CLIENT_SECRET", "BULKZCRM_REFRESH_TOKEN")


def logged_in(terminal: Terminal, served: Served, profile: str = "main") -> str:
    """Log in with a code; return what the environment held of secrets, which it does not any more."""
    code = served.ask(lambda sandbox: sandbox.new_grant_code())
    terminal.environ = {name: value for name, value in served.environ.items() if name != "BULKZCRM_REFRESH_TOKEN"}
    ending = terminal.type("auth", "login", "--code", code, "--profile", profile)
    assert ending.status == 0, ending.err
    assert ending.out == f"profile {profile}: written to {terminal.home / 'profiles.toml'}\n"
    assert f"bulkzcrm auth status --profile {profile}" in ending.err
    terminal.environ = {}
    return code


def test_a_login_writes_a_profile_by_which_everything_else_works(terminal: Terminal, served: Served):
    logged_in(terminal, served)
    if os.name == "posix":
        assert stat.S_IMODE((terminal.home / "profiles.toml").stat().st_mode) == 0o600
    told = terminal.type("auth", "status").out
    assert "Bright Home Services" in told
    assert "Patricia Boyle" in told
    assert "enterprise" in told
    assert told.count("nothing that can be seen is lacking") == 6
    told = terminal.type("auth", "status", "--profile", "main", "--json").object
    assert (told["profile"], told["user"]) == ("main", "Patricia Boyle <patricia.boyle@brighthome.example>")
    terminal.write("a.csv", services("A"))
    ending = terminal.type("run", "create-services", "a.csv", "--yes", "--profile", "main", "--json")
    assert (ending.status, served.created) == (0, ["A"])


def test_resume_and_retry_connect_by_the_profile_of_the_run_and_to_its_organisation_only(
    terminal: Terminal, served: Served
):
    from forwarder import Say

    logged_in(terminal, served)
    logged_in(terminal, served, "other")
    other = terminal.home / "profiles.toml"
    terminal.write("a.csv", services("A") + "Spoiled,60,Client Address,nobody,Every Business Days,50\n")
    served.wire.script(Say(403, {"code": "NO_PERMISSION", "details": {}, "message": "no", "status": "error"}))
    stopped = terminal.type("run", "create-services", "a.csv", "--yes", "--profile", "main")
    assert stopped.last.endswith(" --profile main")
    other.write_text(other.read_text().replace("127.0.0.1", "localhost"))
    refused = terminal.type("resume", "--yes", "--profile", "main")
    assert (refused.status, "belongs to an organisation at http://127.0.0.1" in refused.why) == (2, True)
    other.write_text(other.read_text().replace("localhost", "127.0.0.1"))
    assert terminal.type("resume", "--yes").status == 1
    assert terminal.type("retry", "--yes", "--json").object["rows"] == 1
    assert served.created == ["A"]


def test_several_profiles_need_a_name_and_a_wrong_one_is_told_the_right_ones(terminal: Terminal, served: Served):
    logged_in(terminal, served, "berlin")
    logged_in(terminal, served, "mumbai")
    ending = terminal.type("auth", "status", "--json")
    assert (ending.status, "berlin, mumbai" in ending.object["error"], "--profile" in ending.why) == (2, True, True)
    assert "Did you mean mumbai?" in terminal.type("auth", "status", "--profile", "mumbay").why


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("[main\n", ["profiles.toml is not valid TOML", "line 1"]),
        ('client_id = "x"\n', ["outside a table"]),
        ('[main]\nclient_idd = "x"\n', ["client_idd", "Did you mean client_id?"]),
        ('[main]\nclient_id = ["x"]\n', ["client_id", "not a text"]),
        ('[main]\nclient_id = "x"\nclient_secret = "canary-secret"\n', ["BULKZCRM_REFRESH_TOKEN"]),
        ("[main]\nclient_secret = 'canary-secret\n", ["not valid TOML"]),
    ],
)
def test_profiles_that_cannot_be_followed_are_refused_without_their_secrets(terminal: Terminal, text: str, pieces):
    terminal.home.mkdir()
    (terminal.home / "profiles.toml").write_text(text)
    terminal.write("a.csv", services("A"))
    for words in (("run", "create-services", "a.csv", "--yes"), ("auth", "status")):
        ending = terminal.type(*words)
        assert ending.status == 2
        assert all(piece in ending.why for piece in pieces), ending.why
        assert "canary" not in ending.err


def test_a_code_that_is_refused_writes_no_profile_and_is_not_repeated(terminal: Terminal, served: Served):
    terminal.environ = {name: value for name, value in served.environ.items() if name != "BULKZCRM_REFRESH_TOKEN"}
    code = "1000.0123456789abcdef0123456789abcdef.0123456789abcdef0123456789abcdef"
    ending = terminal.type("auth", "login", "--code", code)
    assert ending.status == 3
    assert "code" in ending.why
    assert code not in ending.err + ending.out
    assert not (terminal.home / "profiles.toml").exists()
    assert terminal.type("auth", "login", "--code", code, "--profile", "no good").status == 2


def test_no_secret_is_in_any_output_or_file_except_profiles_and_tokens(connected: Terminal, served: Served):
    from forwarder import Say

    environ = dict(connected.environ)
    code = logged_in(connected, served)
    profile = (connected.home / "profiles.toml").read_text()
    connected.environ = environ
    connected.write("a.csv", services("A") + "Spoiled,60,Client Address,nobody,Every Business Days,50\n")
    told = []
    served.wire.script(Say(401, {"code": "INVALID_TOKEN", "details": {}, "message": "x", "status": "error"}))
    told.append(
        connected.type("run", "create-services", "a.csv", "--yes", "--verbose", "--json", "--format", "xlsx,jsonl")
    )
    served.wire.script(Say(500, b"Zoho-oauthtoken " + environ["BULKZCRM_REFRESH_TOKEN"].encode()))
    told.append(connected.type("retry", "--yes", "--verbose"))
    asked = (("runs",), ("auth", "status"), ("auth", "status", "--json"), ("resume",))
    told += [connected.type(*words) for words in asked]
    secrets = {environ[name] for name in SECRETS} | {code}
    secrets |= {
        line.partition(" = ")[2].strip('"') for line in profile.splitlines() if line.startswith("refresh_token")
    }
    for kept in (connected.home / "tokens").glob("*.json"):
        secrets.add(json.loads(kept.read_text())["access_token"])
    assert len(secrets) >= 4
    spoken = "".join(ending.out + ending.err for ending in told)
    assert not [secret for secret in secrets if secret in spoken]
    files = [path for root in (connected.home, connected.folder) for path in root.rglob("*") if path.is_file()]
    assert len(files) > 10
    for path in files:
        if path.name != "profiles.toml" and path.parent.name != "tokens":
            held = path.read_bytes()
            assert not [secret for secret in secrets if secret.encode() in held], path


def test_the_token_cache_is_its_owners_alone(connected: Terminal, served: Served):
    connected.type("auth", "status")
    kept: list[Path] = list((connected.home / "tokens").glob("*.json"))
    assert kept
    if os.name == "posix":
        assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}


def test_a_code_may_come_from_standard_input_where_no_list_of_processes_shows_it(terminal: Terminal, served: Served):
    terminal.environ = {name: value for name, value in served.environ.items() if name != "BULKZCRM_REFRESH_TOKEN"}
    code = served.ask(lambda sandbox: sandbox.new_grant_code())
    assert terminal.type("auth", "login", "--code", "-", stdin=b"").status == 2
    ending = terminal.type("auth", "login", "--code", "-", stdin=f"{code}\n".encode())
    assert ending.status == 0, ending.err
    assert code not in ending.out + ending.err
