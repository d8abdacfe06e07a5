"""What keeps credentials with the vendor and hostile files out, where no other test says it."""

from __future__ import annotations

import io
import ssl
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loopback import ACCESS, CLIENT_SECRET, REFRESH, Asked, connection, response, serving, token_reply
from openpyxl import Workbook
from terminal import Terminal

from bulkzcrm import redact
from bulkzcrm.auth import TokenSource
from bulkzcrm.errors import ConfigurationError
from bulkzcrm.hosts import DATA_CENTRES, allowed
from bulkzcrm.redact import Secret
from bulkzcrm.transport import NotSentError, Transport
from bulkzcrm.wire import Wire

LETTERS = st.text("abz.:/@#?%\\-_ 01", max_size=8)


async def test_a_redirect_of_the_accounts_server_takes_no_secret_along(tmp_path: Path):
    async with serving(lambda _: token_reply(), tokens=False) as elsewhere:
        for status in (301, 302, 303, 307, 308):
            moved = response(status, Location=f"{elsewhere.url}/oauth/v2/token")
            async with serving(lambda _, moved=moved: moved, tokens=False) as server, Wire() as wire:
                with pytest.raises(NotSentError):
                    await TokenSource(connection(tmp_path, server.url), wire).token()
                assert len(server.asked) == 1
        assert elsewhere.asked == []


async def test_nothing_is_sent_to_the_api_by_a_token_whose_answer_names_another_address(tmp_path: Path):
    async with (
        serving(lambda _: token_reply(api_domain='"https://www.zohoapis.com.evil.example"'), tokens=False) as server,
        Transport(connection(tmp_path, server.url)) as crm,
    ):
        with pytest.raises(ConfigurationError, match="none of the vendor's"):
            await crm.send("GET", "org")
        assert server.api_requests == []


async def test_cookies_of_a_server_are_never_sent_back(tmp_path: Path):
    def sweet(asked: Asked) -> bytes:
        return response(200, b"{}", Set_Cookie="a=b; Path=/")

    async with serving(sweet) as server, Transport(connection(tmp_path, server.url)) as crm:
        await crm.send("GET", "org")
        await crm.send("GET", "org")
        assert not any("cookie" in asked.headers for asked in server.asked)


async def test_a_token_that_an_answer_echoes_is_masked_before_anybody_sees_it(tmp_path: Path):
    def echo(asked: Asked) -> bytes:
        return response(500, asked.headers["authorization"].encode() * 2)

    async with serving(echo) as server, Transport(connection(tmp_path, server.url)) as crm:
        answer = await crm.send("GET", "org")
        assert ACCESS.encode() not in answer.body
        assert answer.body == b"Zoho-oauthtoken ***" * 2


async def test_a_token_as_short_as_a_word_masks_no_word_of_a_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(redact, "_REGISTRY", redact._Registry())  # the word is none that other tests shall miss
    async with serving(lambda _: response(200, b'"Client Address"')) as server:
        short = connection(tmp_path, server.url)
        async with Transport(short) as crm:
            token = await crm.tokens.token()
            object.__setattr__(token, "value", Secret("Client"))
            assert (await crm.send("GET", "org")).body == b'"Client Address"'


def test_tls_is_of_this_decade_and_verifies_certificate_and_name():
    context = Wire()._trusted()
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_no_option_of_any_command_switches_verification_off(terminal: Terminal):
    commands = ("run", "check", "resume", "retry", "report", "auth login", "auth status", "sandbox")
    for command in commands:
        told = terminal.type(*command.split(), "--help")
        assert told.status == 0
        assert not [word for word in ("insecure", "verify", "no-tls", "cacert") if word in told.out.casefold()]


@given(before=LETTERS, after=LETTERS, centre=st.sampled_from(DATA_CENTRES))
def test_nothing_put_before_or_behind_an_address_of_the_vendors_is_allowed(before: str, after: str, centre):
    for origin in (centre.accounts, *centre.apis):
        scheme, host = origin.split("://")
        for url in (f"{before}{origin}{after}", f"{scheme}://{before}{host}{after}", f"http://{host}{after}"):
            assert allowed(url) is (url.removesuffix("/") == origin)


def test_openpyxl_has_the_library_that_refuses_entities():
    import openpyxl

    assert openpyxl.DEFUSEDXML


def _workbook(**changed: bytes) -> bytes:
    workbook = Workbook()
    workbook.active.append(["Service_Name", "Price"])
    workbook.active.append(["A", 1])
    stream = io.BytesIO()
    workbook.save(stream)
    with zipfile.ZipFile(stream) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()} | changed
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return stream.getvalue()


LAUGHS = b'<!DOCTYPE s [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><sst>&b;</sst>'
ENTITIES = {
    "in the sheet": {"xl/worksheets/sheet1.xml": LAUGHS},
    "in the workbook": {"xl/workbook.xml": LAUGHS},
    "in its relations": {"xl/_rels/workbook.xml.rels": LAUGHS},
    "from outside": {
        "xl/styles.xml": b'<!DOCTYPE s [<!ENTITY a SYSTEM "file:///etc/hostname">]><styleSheet>&a;</styleSheet>'
    },
}


@pytest.mark.parametrize("name", ENTITIES)
def test_a_workbook_with_entities_is_refused_by_its_part(terminal: Terminal, name: str):
    terminal.write("hostile.xlsx", _workbook(**ENTITIES[name]))
    ended = terminal.type("check", "create-services", "hostile.xlsx")
    assert ended.status == 2
    assert "hostile.xlsx declares XML entities" in ended.why
    assert next(iter(ENTITIES[name])) in ended.why


@pytest.mark.parametrize("blanks", [60_000_000, 0])
def test_a_bomb_is_refused_before_any_part_of_it_is_parsed(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, blanks: int
):
    """The workbook without the bomb shows that the parser is watched."""

    def parse(*given: object, **named: object) -> None:
        raise AssertionError("a part has been parsed")

    monkeypatch.setattr("bulkzcrm.ingest.workbook.fromstring", parse)
    terminal.write("hostile.xlsx", _workbook(**{"xl/media/a.bin": b" " * blanks}))
    ended = terminal.type("check", "create-services", "hostile.xlsx")
    assert ended.status == (2 if blanks else 3)
    assert ("zip bomb" in ended.err) is bool(blanks)
    assert ("a part has been parsed" in ended.err) is (not blanks)


@given(st.lists(st.sampled_from([ACCESS, REFRESH, CLIENT_SECRET, " ", "x", '"', "é", "="]), max_size=12))
def test_scrubbing_twice_or_in_parts_never_uncovers_a_secret(words: list[str]):
    for value in (ACCESS, REFRESH, CLIENT_SECRET):
        redact.register(value)
    text = redact.scrub("".join(words))
    assert not [value for value in (ACCESS, REFRESH, CLIENT_SECRET) if value in text]
    assert redact.scrub(text) == text


def test_a_thousand_tokens_take_little_memory_and_each_is_masked(monkeypatch: pytest.MonkeyPatch):
    """A run of weeks has that many; one expression of all of them would be kept for each."""
    monkeypatch.setattr(redact, "_REGISTRY", redact._Registry())
    tokens = [f"token-{number:060}" for number in range(1_000)]
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for token in tokens:
            redact.register(token)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < 1_000_000
    assert redact.scrub(" ".join(tokens)) == " ".join([redact.MASK] * 1_000)
