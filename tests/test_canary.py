"""Whatever goes wrong, no secret is in any file, output, process list or traceback, and no row's value in a log."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from canary import (
    CLIENT_SECRET,
    GRANT_CODE,
    PROXY_PASSWORD,
    REFRESH_TOKEN,
    ROW_VALUE,
    Asked,
    Singer,
    Sung,
    keepers,
    places,
    singing,
    spellings,
)
from terminal import SERVICES, Ended, Terminal, ended

from bulkzcrm import redact

REAL = "https://www.zohoapis.com"
ROW = f"{ROW_VALUE} {{}},60,Client Address,5545974000000393004,Every Business Days,50\n"
RUN = (
    "run",
    "create-services",
    "rows.csv",
    "--yes",
    "--max-wait",
    "0",
    "--quiet-period",
    "0",
    "--format",
    "jsonl,xlsx",
)
STATUS = ("auth", "status")


@pytest.fixture
def singer() -> Iterator[Singer]:
    # Other tests' secrets are not searched for here, and these are gone afterwards.
    registry, redact._REGISTRY = redact._REGISTRY, redact._Registry()
    try:
        with singing() as found:
            yield found
    finally:
        redact._REGISTRY = registry


@pytest.fixture
def typing(terminal: Terminal, singer: Singer, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    # How long the status of a login is tried for has no option, and is not what is looked at here.
    monkeypatch.setattr("bulkzcrm.run.standing._PATIENCE_S", 0.1)
    terminal.environ = {
        "BULKZCRM_API_DOMAIN": singer.url,
        "BULKZCRM_ACCOUNTS_URL": singer.url,
        "BULKZCRM_CLIENT_ID": "1000.CLIENT",
        "BULKZCRM_CLIENT_SECRET": CLIENT_SECRET,
        "BULKZCRM_REFRESH_TOKEN": REFRESH_TOKEN,
    }
    terminal.write("rows.csv", SERVICES + "".join(ROW.format(number) for number in range(3)))
    return terminal


def nothing_is_told(terminal: Terminal, singer: Singer, *endings: Ended) -> None:
    """Search everything that the commands have left behind."""
    spelled = {spelling for value in singer.marked for spelling in spellings(value)}
    for ending in endings:
        for text in (ending.out, ending.err):
            assert not [each for each in spelled if each in text], text
            assert ROW_VALUE not in text, text
    kept = keepers(terminal.home)
    assert places(terminal.home, singer.marked, kept) == []
    assert places(terminal.folder, singer.marked) == []
    for log in (*terminal.folder.rglob("*.log"), *terminal.home.rglob("*.log")):
        assert ROW_VALUE not in log.read_text(encoding="utf-8"), log


@dataclass(frozen=True)
class Trouble:
    """How the server behaves, what the environment says otherwise, and what is typed."""

    on_token: Callable[[Singer, Asked], Sung] | None = None
    on_read: Callable[[Singer, Asked], Sung] | None = None
    on_write: Callable[[Singer, Asked], Sung] | None = None
    environ: Mapping[str, str] = field(default_factory=dict)
    statuses: frozenset[int] = frozenset({3})


def token_refused(singer: Singer, asked: Asked, cause: str = "invalid_code") -> Sung:
    return Sung(400, {"error": cause, "error_description": asked.song, "status": "failure"}, {"X-Song": asked.song})


def elements(asked: Asked, **said: object) -> dict[str, object]:
    element = {"status": "error", "code": "INVALID_DATA", "message": asked.song, "details": {"api_name": asked.song}}
    return {"data": [{**element, **said} for _ in asked.names]}


TROUBLES = {
    "nothing": Trouble(statuses=frozenset({0})),
    "refresh token refused": Trouble(on_token=token_refused),
    "client refused": Trouble(on_token=lambda singer, asked: token_refused(singer, asked, "invalid_client")),
    "refused in words that sing": Trouble(on_token=lambda singer, asked: token_refused(singer, asked, asked.song)),
    "too many tokens": Trouble(on_token=lambda singer, asked: token_refused(singer, asked, "Access Denied")),
    "token that cannot be sent": Trouble(
        on_token=lambda singer, asked: Sung(200, {"access_token": f"{singer.new_token()}\r\nX: {asked.song}"})
    ),
    "foreign api domain": Trouble(
        on_token=lambda singer, asked: Sung(
            200, {"access_token": (new := singer.new_token()), "api_domain": f"https://evil.example/{new} {asked.song}"}
        ),
        statuses=frozenset({2}),
    ),
    "another data centre": Trouble(
        on_token=lambda singer, _: Sung(
            200, {"access_token": singer.new_token(), "api_domain": "https://www.zohoapis.eu"}
        ),
        statuses=frozenset({2}),
    ),
    "accounts server is down": Trouble(on_token=lambda _, asked: Sung(500, asked.song, {"X-Song": asked.song})),
    "accounts server is no server": Trouble(on_token=lambda _, asked: Sung(0, raw=asked.song.encode())),
    "throttled": Trouble(on_write=lambda singer, asked: singer.refuse(429, "TOO_MANY_REQUESTS", asked)),
    "reads throttled": Trouble(on_read=lambda singer, asked: singer.refuse(429, "TOO_MANY_REQUESTS", asked)),
    "reads fail": Trouble(on_read=lambda singer, asked: singer.refuse(500, "INTERNAL_ERROR", asked)),
    "reads refused": Trouble(on_read=lambda singer, asked: singer.refuse(400, "INVALID_REQUEST", asked)),
    "reads sing": Trouble(
        on_read=lambda _, asked: Sung(
            200, {"org": [{"id": "1", "company_name": asked.song, "type": asked.song, "time_zone": asked.song}]}
        ),
        statuses=frozenset({3}),
    ),
    "reads are no JSON": Trouble(on_read=lambda _, asked: Sung(200, asked.song)),
    "redirect": Trouble(
        on_write=lambda singer, asked: Sung(302, asked.song, {"Location": f"{singer.url}/x?token={asked.token}"}),
        statuses=frozenset({1, 3}),
    ),
    "server error": Trouble(
        on_write=lambda singer, asked: singer.refuse(500, "INTERNAL_ERROR", asked), statuses=frozenset({1, 3})
    ),
    "server error in prose": Trouble(
        on_write=lambda _, asked: Sung(502, f"<p>{asked.song}</p>", {"X-Song": asked.song}),
        statuses=frozenset({1, 3}),
    ),
    "no server": Trouble(on_write=lambda _, asked: Sung(0, raw=asked.song.encode()), statuses=frozenset({1, 3})),
    "answer breaks off": Trouble(
        on_write=lambda _, asked: Sung(0, raw=b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + asked.song.encode()),
        statuses=frozenset({1, 3}),
    ),
    "token refused": Trouble(on_write=lambda singer, asked: singer.refuse(401, "INVALID_TOKEN", asked)),
    "scope refused": Trouble(on_write=lambda singer, asked: singer.refuse(401, "OAUTH_SCOPE_MISMATCH", asked)),
    "forbidden": Trouble(on_write=lambda singer, asked: singer.refuse(403, "NO_PERMISSION", asked)),
    "code that sings": Trouble(on_write=lambda singer, asked: singer.refuse(400, f"X_{asked.song}", asked)),
    "rows refused": Trouble(on_write=lambda _, asked: Sung(400, elements(asked)), statuses=frozenset({1})),
    "rows refused by codes that sing": Trouble(
        on_write=lambda _, asked: Sung(
            207,
            {
                "data": [
                    {"status": "error", "code": f"{asked.song} {n}", "message": "", "details": {}} for n in range(3)
                ]
            },
        ),
        statuses=frozenset({1, 3}),
    ),
    "rows refused by paths that sing": Trouble(
        on_write=lambda _, asked: Sung(
            207, elements(asked, details={"json_path": f"$.data[0].{asked.song}", "supported_values": [asked.song]})
        ),
        statuses=frozenset({1}),
    ),
    "ids that sing": Trouble(
        on_write=lambda _, asked: Sung(
            201, elements(asked, status="success", code="SUCCESS", details={"id": asked.song})
        ),
        statuses=frozenset({1, 3}),
    ),
    "no TLS where TLS is asked for": Trouble(environ={"BULKZCRM_API_DOMAIN": "https://{here}"}),
    "no TLS at the accounts server": Trouble(environ={"BULKZCRM_ACCOUNTS_URL": "https://{here}"}),
    "proxy refuses": Trouble(
        environ={
            "BULKZCRM_API_DOMAIN": REAL,
            "BULKZCRM_ACCOUNTS_URL": "",
            "BULKZCRM_PROXY": f"http://user:{PROXY_PASSWORD}@{{here}}",
        }
    ),
    "proxy is not there": Trouble(
        environ={
            "BULKZCRM_API_DOMAIN": REAL,
            "BULKZCRM_ACCOUNTS_URL": "",
            "BULKZCRM_PROXY": f"http://user:{PROXY_PASSWORD}@127.0.0.1:9",
        }
    ),
    "proxy of no kind": Trouble(
        environ={"BULKZCRM_PROXY": f"ftp://user:{PROXY_PASSWORD}@proxy.example/x?y"}, statuses=frozenset({2})
    ),
    "address with a password": Trouble(
        environ={"BULKZCRM_API_DOMAIN": f"https://user:{PROXY_PASSWORD}@www.zohoapis.com"}, statuses=frozenset({2})
    ),
    "secret with a blank in it": Trouble(
        environ={"BULKZCRM_CLIENT_SECRET": f"{CLIENT_SECRET} \x7f"}, statuses=frozenset({2, 3})
    ),
    "secret in the wrong variable": Trouble(
        environ={"BULKZCRM_ORG_ID": REFRESH_TOKEN, "BULKZCRM_API_VERSION": CLIENT_SECRET}, statuses=frozenset({2})
    ),
}


def set_up(trouble: Trouble, terminal: Terminal, singer: Singer) -> None:
    for name in ("on_token", "on_read", "on_write"):
        answering = getattr(trouble, name)
        if answering is not None:
            setattr(singer, name, lambda asked, answering=answering: answering(singer, asked))
    here = singer.url.removeprefix("http://")
    for name, value in trouble.environ.items():
        terminal.environ[name] = value.replace("{here}", here)


@pytest.mark.parametrize("name", TROUBLES)
def test_no_secret_is_told_or_kept_whatever_goes_wrong_in_a_run(typing: Terminal, singer: Singer, name: str):
    trouble = TROUBLES[name]
    set_up(trouble, typing, singer)
    endings = [typing.type(*RUN, "--verbose"), typing.type("resume", "--yes", "--json")]
    assert endings[0].status in trouble.statuses, endings[0]
    endings += [
        typing.type(*STATUS, "--json"),
        typing.type("runs"),
        typing.type("report", *_last_run(typing), "--format", "xlsx", "-o", "again"),
    ]
    nothing_is_told(typing, singer, *endings)


def _last_run(terminal: Terminal) -> list[str]:
    folder = terminal.folder / "bulkzcrm-runs"
    return [max(each.name for each in folder.iterdir())] if folder.is_dir() and any(folder.iterdir()) else ["none"]


@pytest.mark.parametrize(
    "answer",
    [
        None,
        lambda asked: token_refused(Singer(), asked),
        lambda asked: token_refused(Singer(), asked, asked.song),
        lambda asked: Sung(200, {"access_token": "x" * 40, "song": asked.song}),
        lambda asked: Sung(500, asked.song),
        lambda asked: Sung(0, raw=asked.song.encode()),
    ],
)
def test_no_secret_is_told_by_a_login_and_the_profile_alone_keeps_what_has_to_be_kept(
    typing: Terminal, singer: Singer, answer: Callable[[Asked], Sung] | None
):
    if answer is not None:
        singer.on_token = answer
    typing.environ["BULKZCRM_PROXY"] = f"http://user:{PROXY_PASSWORD}@127.0.0.1:9"
    del typing.environ["BULKZCRM_REFRESH_TOKEN"]
    login = typing.type("auth", "login", "--code", GRANT_CODE, "--profile", "main")
    if answer is None:
        assert login.status == 0, login.err
        content = (typing.home / "profiles.toml").read_text()
        assert REFRESH_TOKEN in content
        assert GRANT_CODE not in content
        typing.environ = {}
        nothing_is_told(typing, singer, login, typing.type(*RUN, "--profile", "main"), typing.type(*STATUS))
    nothing_is_told(typing, singer, login)


@pytest.mark.parametrize(
    "lines",
    [
        f"client_secret = {CLIENT_SECRET}",
        f'client_secret = ["{CLIENT_SECRET}"]',
        f'client_secrets = "{CLIENT_SECRET}"',
        f'client_secret = "{CLIENT_SECRET}"\nclient_secret = "{CLIENT_SECRET}"',
        f'client_id = "1"\nclient_secret = "{CLIENT_SECRET}\\n"\nrefresh_token = "{REFRESH_TOKEN}"',
        f'api_domain = "{REFRESH_TOKEN}"',
    ],
)
def test_no_secret_is_told_of_profiles_that_cannot_be_followed(typing: Terminal, singer: Singer, lines: str):
    typing.home.mkdir(mode=0o700)
    profiles = typing.home / "profiles.toml"
    profiles.write_text(f"[main]\n{lines}\n")
    profiles.chmod(0o600)
    typing.environ = {}
    ending = typing.type(*RUN, "--profile", "main")
    assert ending.status in (2, 3)
    nothing_is_told(typing, singer, ending, typing.type(*STATUS))


def test_no_secret_is_told_or_kept_by_a_job(typing: Terminal, singer: Singer):
    step = '[[steps]]\noperation = "create-services"\nsource = "rows.csv"\n'
    typing.write("job.toml", f'name = "j"\nyes = true\n{step}')
    singer.on_write = lambda asked: Sung(400, elements(asked))
    nothing_is_told(typing, singer, typing.type("run", "--job", "job.toml", "--verbose"), typing.type("runs", "--json"))


def test_values_of_rows_are_in_the_report_and_in_no_log(typing: Terminal, singer: Singer):
    typing.write(
        "rows.csv",
        f"Remark,{SERVICES}{ROW_VALUE},{ROW.format(1)}x,{ROW.format(2).replace('60', ROW_VALUE)}y,{ROW.format(3)}",
    )
    singer.on_write = lambda asked: Sung(
        207,
        {"data": [{"status": "error", "code": "INVALID_DATA", "details": {}, "message": name} for name in asked.names]},
    )
    ending = typing.type(*RUN, "--verbose")
    assert ending.status == 1, ending
    results = next(typing.folder.rglob("results.csv")).read_text(encoding="utf-8-sig")
    assert results.count(ROW_VALUE) > 3
    nothing_is_told(typing, singer, ending, typing.type("check", "create-services", "rows.csv", "--verbose"))


CRASHING = """
import sys
from bulkzcrm.cli import main
from bulkzcrm.{module} import {name} as victim

def crash(self, *given, **named):
    told = [getattr(getattr(self, "tokens", None) or self, name, None) for name in ("_connection", "_current")]
    secrets = [getattr(getattr(each, field, None), "reveal", str)() for each in told
               for field in ("client_secret", "refresh_token", "value")]
    raise {error}(" ".join(secrets) + repr(given) + repr(named) + " crashed on purpose")

victim.{method} = crash
main(sys.argv[1:])
"""


@pytest.mark.parametrize(
    ("module", "name", "method", "error"),
    [
        ("transport", "Transport", "_headers", "RuntimeError"),
        ("transport", "Transport", "_headers", "KeyError"),
        ("auth", "TokenSource", "_fetched", "ValueError"),
        ("wire", "Wire", "exchange", "SystemError"),
        ("wire", "Wire", "exchange", "OSError"),
    ],
)
def test_no_secret_is_in_the_traceback_of_a_bug_of_ours(
    typing: Terminal, singer: Singer, module: str, name: str, method: str, error: str
):
    typing.write("crashing.py", CRASHING.format(module=module, name=name, method=method, error=error))
    with typing.start(*RUN, "--verbose", program=(sys.executable, "crashing.py")) as process:
        ending = ended(process)
    # What the system refuses is told in a sentence, without a traceback; on its way it may also pass for a lost answer.
    assert ending.status == 3, ending
    if error != "OSError":
        assert "crashed on purpose" in ending.err
        assert "fault of bulkzcrm itself" in ending.err
    nothing_is_told(typing, singer, ending)


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_no_secret_is_in_the_process_list_nor_left_by_a_run_that_is_told_to_end(typing: Terminal, singer: Singer):
    begun = []

    def slowly(asked: Asked) -> Sung:
        begun.append(asked)
        time.sleep(1.0)
        return singer.refuse(500, "INTERNAL_ERROR", asked)

    singer.on_write = slowly
    with typing.start(*RUN, "--verbose") as process:
        while not begun:
            assert process.poll() is None
            time.sleep(0.01)
        line = Path(f"/proc/{process.pid}/cmdline")
        words = line.read_bytes().decode() if line.exists() else " ".join(map(str, process.args))
        process.send_signal(signal.SIGTERM)
        ending = ended(process)
    assert ending.status == 130, ending
    assert not [value for value in singer.marked if value in words]
    nothing_is_told(typing, singer, ending)


def test_the_search_finds_what_it_shall_find(typing: Terminal, singer: Singer):
    with socket.create_connection(("127.0.0.1", int(singer.url.rpartition(":")[2]))):
        pass
    typing.write("a.txt", f"x{json.dumps(CLIENT_SECRET)}")
    with pytest.raises(AssertionError):
        nothing_is_told(typing, singer)
    typing.write("a.txt", "nothing")
    nothing_is_told(typing, singer)
    with pytest.raises(AssertionError):
        nothing_is_told(typing, singer, Ended(0, "", f"oh {REFRESH_TOKEN}"))
