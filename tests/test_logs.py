"""The log tells what happened to the file and to the person, and no secret to either."""

from __future__ import annotations

import io
import json
import logging
import math
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loopback import ACCESS

from bulkzcrm import redact
from bulkzcrm.errors import OutputError
from bulkzcrm.logs import Verbosity, logger, logging_to, redacted
from bulkzcrm.redact import MASK, Secret, register, scrub

CANARY = "canary-4711-client-secret"


def fail(error: Exception, cause: Exception | None) -> None:
    local = "unregistered " + "value"
    assert local
    raise error from cause


def events(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_event_is_one_line_of_json_with_time_level_and_facts(tmp_path):
    path = tmp_path / "run one" / "log.jsonl"
    with logging_to(path, stream=io.StringIO()):
        logger().bind(run="r1").info("batch answered", batch=3, status=207, ok=True, share=0.5, nothing=None)
    (event,) = events(path)
    assert datetime.fromisoformat(str(event.pop("timestamp"))).utcoffset() is not None
    assert event == {
        "level": "info",
        "event": "batch answered",
        "run": "r1",
        "batch": 3,
        "status": 207,
        "ok": True,
        "share": 0.5,
        "nothing": None,
    }


@pytest.mark.parametrize(
    ("verbosity", "shown"),
    [
        (Verbosity.QUIET, ["error: e"]),
        (Verbosity.NORMAL, ["warning: w", "error: e"]),
        (Verbosity.VERBOSE, ["debug: d", "info: i", "warning: w", "error: e"]),
    ],
)
def test_person_sees_what_the_verbosity_says_and_the_file_holds_everything(tmp_path, verbosity, shown):
    stream = io.StringIO()
    with logging_to(tmp_path / "log", verbosity=verbosity, stream=stream):
        log = logger()
        log.debug("d")
        log.info("i")
        log.warning("w")
        log.error("e")
    assert stream.getvalue().splitlines() == shown
    assert [event["event"] for event in events(tmp_path / "log")] == ["d", "i", "w", "e"]


def test_readable_line_holds_the_facts_and_no_control_characters():
    stream = io.StringIO()
    with logging_to(None, stream=stream):
        logger().warning("throttled", pause=3.5, cells=["a", 1], name="red\x1b[31m\nfake: line")
    assert stream.getvalue() == 'warning: throttled  pause=3.5  cells=["a",1]  name=red [31m fake: line\n'


def test_outside_nothing_is_written_anywhere(tmp_path, capsys):
    log = logger()
    log.error("before")
    with logging_to(tmp_path / "log", stream=io.StringIO()):
        log.error("inside")
    log.error("after")
    assert [event["event"] for event in events(tmp_path / "log")] == ["inside"]
    assert capsys.readouterr() == ("", "")


def test_log_of_an_inner_run_takes_over_until_it_ends(tmp_path):
    with logging_to(tmp_path / "outer", stream=io.StringIO()):
        with logging_to(tmp_path / "inner", stream=io.StringIO()):
            logger().info("one")
            logging.getLogger("some.library").warning("only once")
        logger().info("two")
    assert [event["event"] for event in events(tmp_path / "inner")] == ["one", "a library reports"]
    assert [event["event"] for event in events(tmp_path / "outer")] == ["two"]


def test_log_is_appended_to_when_a_run_is_resumed(tmp_path):
    for number in range(2):
        with logging_to(tmp_path / "log", stream=io.StringIO()):
            logger().info("begun", number=number)
    assert [event["number"] for event in events(tmp_path / "log")] == [0, 1]


def test_secret_is_hidden_wherever_it_stands(tmp_path):
    register(CANARY)
    stream = io.StringIO()
    with logging_to(tmp_path / "log", verbosity=Verbosity.VERBOSE, stream=stream):
        log = logger()
        log.info(CANARY, **{"key " + CANARY: "x"})
        log.info("nested", facts={"deep": [{"deeper": (f"a {CANARY} b", CANARY.encode(), {CANARY})}]})
        log.info(
            "kinds", secret=Secret("something else"), path=Path(CANARY), error=ValueError(CANARY), text=f"%{CANARY}"
        )
        log.info("headers", headers={"Authorization": f"Zoho-oauthtoken {ACCESS}", "Cookie": "sid=1", "Accept": "x"})
        log.info("form %s", f"refresh_token={CANARY}&code=abc.def")
        logging.getLogger("aiohttp.client").error("library says %s", CANARY)
        try:
            fail(KeyError(CANARY), OSError(ACCESS))
        except KeyError:
            log.exception("failed")
    for text in ((tmp_path / "log").read_text(), stream.getvalue()):
        assert "canary" not in text
        assert ACCESS not in text
        assert "sid=1" not in text
    kept = events(tmp_path / "log")
    assert kept[3]["headers"] == {"Authorization": MASK, "Cookie": MASK, "Accept": "x"}
    assert kept[5]["message"] == f"library says {MASK}"
    assert "KeyError: '***'" in str(kept[6]["exception"])
    assert "direct cause" in str(kept[6]["exception"])


def test_traceback_shows_no_local_variables(tmp_path):
    with logging_to(tmp_path / "log", stream=io.StringIO()):
        try:
            fail(ValueError(), None)
        except ValueError:
            logger().exception("failed")
    assert "unregistered value" not in (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    "key",
    [
        "Authorization",
        "access_token",
        "refreshToken",
        "client_secret",
        "proxy_password",
        "code",
        "auth_code",
        "Set-Cookie",
    ],
)
def test_telling_key_hides_its_value_and_all_below(key):
    assert redacted("anything", key) == MASK
    assert redacted({key: ["anything", {"a": "anything"}]}) == {key: MASK}
    assert redacted({key: 12, "x": None}) == {key: 12, "x": None}


@pytest.mark.parametrize("code", ["INVALID_DATA", "SUCCESS", "TOO_MANY_REQUESTS"])
def test_code_of_the_api_is_no_secret(code):
    assert redacted({"code": code, "result_code": code}) == {"code": code, "result_code": code}


def test_log_file_that_cannot_be_opened_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"), logging_to(tmp_path / "file" / "log"):
        pass


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_full_disk_costs_the_log_and_not_the_run():
    stream = io.StringIO()
    with logging_to(Path("/dev/full"), stream=stream):
        logger().info("one")
        logger().warning("two")
    first, second = stream.getvalue().splitlines()
    assert "the log file cannot be written any more" in first
    assert second == "warning: two"


def test_stream_that_cannot_show_a_character_gets_a_question_mark():
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", newline="\n")
    with logging_to(None, stream=stream):
        logger().warning("naïve")
    assert raw.getvalue() == b"warning: na?ve\n"


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.binary() | st.text() | st.decimals() | st.datetimes(),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text() | st.integers(), inner),
)


@settings(max_examples=50)
@given(st.dictionaries(st.text(), ANYTHING))
def test_any_facts_make_one_line_of_json(tmp_path_factory, facts):
    path = tmp_path_factory.mktemp("log") / "log"
    facts.pop("event", None)
    with logging_to(path, verbosity=Verbosity.VERBOSE, stream=io.StringIO()):
        logger().info("anything", **{f"_{key}": value for key, value in facts.items()})
    lines = path.read_bytes().split(b"\n")
    assert len(lines) == 2
    assert json.loads(lines[0], parse_constant=pytest.fail)["event"] == "anything"


@given(st.floats())
def test_numbers_stay_numbers(number):
    assert redacted(number) == number or math.isnan(number)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (f"token {ACCESS} refused", "token *** refused"),
        (f"token {ACCESS.upper()}.", "token ***."),
        ("Authorization: Zoho-oauthtoken abc.def", "Authorization: Zoho-oauthtoken ***"),
        ("{'Authorization': 'Basic dXNlcjpwdw=='}", "{'Authorization': 'Basic ***'}"),
        ("Proxy-Authorization: Basic dXNlcjpwdw==", "Proxy-Authorization: Basic ***"),
        ("client_secret=abc&x=1", "client_secret=***&x=1"),
        ('{"refresh_token": "abc", "x": "y"}', '{"refresh_token": "***", "x": "y"}'),
        ("{'access_token': 'abc'}", "{'access_token': '***'}"),
        ("http://user:pw@proxy:8080/", "http://***@proxy:8080/"),
        ("https://x/oauth?code=abc&y=1", "https://x/oauth?code=***&y=1"),
        ("BULKZCRM_CLIENT_SECRET=abc", "BULKZCRM_CLIENT_SECRET=***"),
    ],
)
def test_what_looks_like_a_credential_is_masked_even_if_nobody_registered_it(text, clean):
    assert scrub(text) == clean


@pytest.mark.parametrize(
    "text",
    [
        "Credentials are missing: BULKZCRM_CLIENT_SECRET, BULKZCRM_REFRESH_TOKEN.",
        "The code INVALID_DATA means that a value is wrong: code=INVALID_DATA",
        "Write to anna@example.com: the basic plan has 5,000 credits.",
        "Row 12: 10:00-13:30; Mon; Tue",
        "https://www.zohoapis.com/crm/v8/Services__s?page=2&per_page=200",
    ],
)
def test_ordinary_sentences_are_left_alone(text):
    assert scrub(text) == text


def test_registered_value_is_found_in_every_quoting():
    value = 'p&"ß w\\rd+x'
    register(value)
    for quoted in (
        value,
        "p%26%22%C3%9F%20w%5Crd%2Bx",
        "p%26%22%C3%9F+w%5Crd%2Bx",
        json.dumps(value)[1:-1],
        repr(value)[1:-1],
    ):
        assert scrub(f"<{quoted}>") == "<***>"


def test_value_too_short_to_be_a_credential_does_not_blot_out_words():
    register("Mon")
    assert scrub("Mon; Tue") == "Mon; Tue"


@given(
    secrets=st.lists(st.text("abc012xyz_-%", min_size=6, max_size=12), min_size=1, max_size=5),
    parts=st.lists(st.text("abc012xyz &=:\"'"), min_size=1, max_size=6),
)
def test_registered_values_never_survive_and_scrubbing_twice_changes_nothing(secrets, parts):
    text = "".join(part + secret for part, secret in zip(parts, secrets * 6, strict=False))
    with pytest.MonkeyPatch.context() as patch:
        # What is made up here would otherwise be searched for in every later test.
        patch.setattr(redact, "_REGISTRY", redact._Registry())
        for secret in secrets:
            register(secret)
        clean = scrub(text)
        assert not any(secret in clean for secret in secrets)
        assert scrub(clean) == clean
