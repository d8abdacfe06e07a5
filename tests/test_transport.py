"""One request, once: what comes back, and what is known when nothing does."""

from __future__ import annotations

import asyncio
import gzip
import inspect
import socket
import ssl
from datetime import UTC, datetime

import aiohttp
import pytest
from aiohttp import client_exceptions, http_exceptions
from hypothesis import given
from hypothesis import strategies as st
from loopback import ACCESS, CUT, HANG, Asked, connection, response, serving
from yarl import URL

from bulkzcrm import __version__, transport, wire
from bulkzcrm.auth import Token
from bulkzcrm.redact import Secret
from bulkzcrm.spec.certainty import Observed
from bulkzcrm.transport import LostError, NotSentError, Transport
from bulkzcrm.wire import Reply, Wire

IN_2100 = datetime(2100, 1, 1, 10, tzinfo=UTC).timestamp()
TOKEN = Token(value=Secret(ACCESS), renew_at=0.0, expires_at=0.0)

# Made for these tests, valid for a hundred years, trusted by nobody.
CERTIFICATE = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgzuQV25ZcAS7Nk49a
apJbpf9TiiY/+JQo09FMXbUIqUahRANCAATAwlJkFsjCEXu0QRXws+9qyPDU27e0
CH7O7tzanbpXHuBpl3qgQvjtyDkTZiq7CTHjYNlonjSk7SKlzaztmAm5
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBkDCCATagAwIBAgIUVe77vjc2ddEzFOLiwiXFDPr9l8QwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJMTI3LjAuMC4xMCAXDTI2MTEyMDExMTA0NVoYDzIxMjYxMDI3
MTExMDQ1WjAUMRIwEAYDVQQDDAkxMjcuMC4wLjEwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAATAwlJkFsjCEXu0QRXws+9qyPDU27e0CH7O7tzanbpXHuBpl3qgQvjt
yDkTZiq7CTHjYNlonjSk7SKlzaztmAm5o2QwYjAdBgNVHQ4EFgQUbzNSmnLp13dJ
W9S9/xbdLn14HWswHwYDVR0jBBgwFoAUbzNSmnLp13dJW9S9/xbdLn14HWswDwYD
VR0TAQH/BAUwAwEB/zAPBgNVHREECDAGhwR/AAABMAoGCCqGSM49BAMCA0gAMEUC
IQCCalKsxDO3hRrnxpCs8ASmh9X36Xxln7jQkiePv1jtcwIga1yumOTdZKHSiel3
n2IhxSeNUjOGDg55e7gVpU4PQyw=
-----END CERTIFICATE-----
"""


def ok(asked: Asked) -> bytes:
    return response(200, b"{}")


def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


async def test_request_arrives_as_the_vendor_wants_it(tmp_path):
    async with serving(ok) as server, Transport(connection(tmp_path, server.url, org_id="60001")) as crm:
        await crm.send("POST", "Services__s", query={"fields": "a,b", "name": "ü &="}, body=b'{"data":[]}')
        (asked,) = server.api_requests
        assert asked.method == "POST"
        assert asked.target == "/crm/v8/Services__s?fields=a%2Cb&name=%C3%BC+%26%3D"
        assert asked.body == b'{"data":[]}'
        assert asked.headers["authorization"] == f"Zoho-oauthtoken {ACCESS}"
        assert asked.headers["x-crm-org"] == "60001"
        assert asked.headers["user-agent"] == f"bulkzcrm/{__version__}"
        assert asked.headers["content-type"] == "application/json"


async def test_organisation_header_is_left_out_when_it_is_not_configured(tmp_path):
    async with serving(ok) as server, Transport(connection(tmp_path, server.url, api_version="v8.1")) as crm:
        await crm.send("GET", "org")
        (asked,) = server.api_requests
        assert "x-crm-org" not in asked.headers
        assert "content-type" not in asked.headers
        assert asked.target == "/crm/v8.1/org"


async def test_answer_carries_status_body_token_clock_credits_and_wait(tmp_path):
    reply = response(
        429,
        b'{"code":"TOO_MANY_REQUESTS"}',
        Date="Fri, 01 Jan 2100 10:00:00 GMT",
        x_api_CREDITS_remaining="4711",
        Retry_After="7",
    )
    async with (
        serving(lambda _: reply) as server,
        Transport(connection(tmp_path, server.url), clock=lambda: IN_2100 + 86_400) as crm,
    ):
        answer = await crm.send("GET", "org", token=TOKEN)
        assert answer.status == 429
        assert answer.body == b'{"code":"TOO_MANY_REQUESTS"}'
        assert answer.token.value.reveal() == ACCESS
        assert answer.server_time == datetime(2100, 1, 1, 10, tzinfo=UTC)
        assert answer.credits_remaining == 4711
        assert answer.retry_after == 7.0
        assert answer.elapsed >= 0
        assert ACCESS not in repr(answer)


@pytest.mark.parametrize(("status", "body"), [(204, b""), (502, b"<html>Bad gateway"), (400, b"{}"), (304, b"")])
async def test_every_whole_answer_is_an_answer(tmp_path, status, body):
    async with serving(lambda _: response(status, body)) as server, Transport(connection(tmp_path, server.url)) as crm:
        answer = await crm.send("GET", "org")
        assert (answer.status, answer.body, answer.server_time) == (status, body, None)


async def test_redirect_is_an_answer_and_the_token_goes_nowhere_else(tmp_path):
    async with serving(ok) as elsewhere:
        moved = response(307, Location=f"{elsewhere.url}/crm/v8/org", Set_Cookie="a=b")
        async with serving(lambda _: moved) as server, Transport(connection(tmp_path, server.url)) as crm:
            assert (await crm.send("PUT", "org", body=b"{}")).status == 307
            await crm.send("GET", "org")
            assert elsewhere.asked == []
            assert not any("cookie" in asked.headers for asked in server.asked)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
async def test_request_whose_kept_connection_drops_is_lost_and_never_repeated(tmp_path, method):
    async with serving(lambda asked: CUT if "second" in asked.target else ok(asked)) as server:
        async with Transport(connection(tmp_path, server.url)) as crm:
            await crm.send(method, "first", body=None if method == "GET" else b"{}")
            with pytest.raises(LostError):
                await crm.send(method, "second", body=None if method == "GET" else b"{}")
            assert crm.requests == 2
        assert [asked.target for asked in server.api_requests] == ["/crm/v8/first", "/crm/v8/second"]


BROKEN = {
    "cut before the status line": CUT,
    "cut in the headers": b"HTTP/1.1 200 OK\r\nContent-" + CUT,
    "cut in the body": response(200, b"0123456789")[:-3] + CUT,
    "cut in a chunked body": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01" + CUT,
    "broken chunk size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n01" + CUT,
    "no HTTP": b"SSH-2.0-OpenSSH_9.9\r\n\r\n" + CUT,
    "no gzip": response(200, b"this is not gzip", Content_Encoding="gzip"),
    "endless header": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n" + CUT,
}


@pytest.mark.parametrize("reply", BROKEN.values(), ids=BROKEN.keys())
async def test_answer_that_does_not_come_whole_is_lost(tmp_path, reply):
    async with serving(lambda _: reply) as server, Transport(connection(tmp_path, server.url)) as crm:
        with pytest.raises(LostError) as lost:
            await crm.send("POST", "Services__s", body=b"{}")
        assert lost.value.reason.endswith(".")
        assert len(server.api_requests) == 1
        assert crm.requests == 1


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n012"])
async def test_answer_that_takes_too_long_is_lost(tmp_path, start):
    async with serving(lambda _: start + HANG) as server, Wire(timeout_s=0.05) as thin:
        with pytest.raises(LostError, match="in time"):
            await thin.exchange("PUT", server.url + "/x", headers={}, body=b"{}")
        assert len(server.asked) == 1


@pytest.mark.parametrize(
    "reply",
    [response(200, b"x" * 5000), response(200, gzip.compress(b"x" * 500_000), Content_Encoding="gzip")],
    ids=["plain", "bomb"],
)
async def test_answer_beyond_the_cap_is_lost(reply):
    async with serving(lambda _: reply) as server, Wire(largest_answer=4999) as thin:
        with pytest.raises(LostError, match="larger than 4999 bytes"):
            await thin.exchange("GET", server.url + "/x", headers={})


async def test_packed_answer_within_the_cap_is_unpacked():
    reply = response(200, gzip.compress(b"x" * 5000), Content_Encoding="gzip")
    async with serving(lambda _: reply) as server, Wire(largest_answer=5000) as thin:
        assert (await thin.exchange("GET", server.url + "/x", headers={})).body == b"x" * 5000


async def test_refused_connection_means_not_sent():
    left = []
    async with Wire() as thin:
        with pytest.raises(NotSentError, match=r"No connection to 127\.0\.0\.1 came about: [^(]*\.$") as refused:
            await thin.exchange(
                "POST",
                f"http://127.0.0.1:{closed_port()}/x",
                headers={},
                body=b"{}",
                on_departure=lambda: left.append(1),
            )
    assert left == []
    assert refused.value.observed is Observed.NOT_CONNECTED


@pytest.mark.parametrize("body", [None, b"{}", b"x" * 500_000], ids=["no body", "small body", "large body"])
@pytest.mark.parametrize("kept", [False, True], ids=["new connection", "kept connection"])
async def test_departure_that_is_forbidden_writes_not_a_single_byte(body, *, kept):
    """The connection stands: the server sees it, and reads nothing but its end."""
    seen: list[bytes] = []
    ended = asyncio.Event()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if kept:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(response(200, b"{}"))
        seen.append(await reader.read())
        writer.close()
        ended.set()

    def forbid() -> None:
        raise NotSentError("Not now.", Observed.NOT_WRITTEN)

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as listener, Wire() as thin:
        url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/x"
        if kept:
            await thin.exchange("GET", url, headers={})
        with pytest.raises(NotSentError, match="Not now") as forbidden:
            await thin.exchange("PUT", url, headers={"Authorization": "x"}, body=body, on_departure=forbid)
        await ended.wait()
    assert forbidden.value.observed is Observed.NOT_WRITTEN
    assert seen == [b""]


async def test_departure_may_be_forbidden_with_any_error_and_does_not_count_as_a_request(tmp_path):
    class HeldBackError(Exception):
        pass

    def forbid() -> None:
        raise HeldBackError

    async with serving(ok) as server, Transport(connection(tmp_path, server.url)) as crm:
        await crm.tokens.token()
        with pytest.raises(HeldBackError):
            await crm.send("POST", "Services__s", body=b"{}", may_leave=forbid)
        assert (server.api_requests, crm.requests) == ([], 0)
        assert (await crm.send("POST", "Services__s", body=b"{}", may_leave=lambda: None)).status == 200
        assert crm.requests == 1


async def test_departure_that_fails_in_the_asking_has_not_taken_place():
    """Whatever goes wrong there, the request has not left, and is not taken for lost."""

    def fail() -> None:
        raise PermissionError(13, "made up")

    async with serving(ok) as server, Wire() as thin:
        with pytest.raises(NotSentError) as failed:
            await thin.exchange("POST", server.url + "/x", headers={}, body=b"{}", on_departure=fail)
        assert failed.value.observed is Observed.NOT_WRITTEN
        assert server.asked == []


async def test_departure_is_asked_for_once_and_only_when_the_connection_stands():
    asked: list[int] = []
    async with serving(ok) as server, Wire() as thin:
        await thin.exchange("POST", server.url + "/x", headers={}, body=b"{}", on_departure=lambda: asked.append(1))
        await thin.exchange("POST", server.url + "/x", headers={}, body=b"{}", on_departure=lambda: asked.append(2))
    assert asked == [1, 2]


async def test_server_without_tls_means_not_sent():
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        await reader.read()
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as listener, Wire() as thin:
        port = listener.sockets[0].getsockname()[1]
        with pytest.raises(NotSentError, match="No secure connection"):
            await thin.exchange("POST", f"https://127.0.0.1:{port}/x", headers={"Authorization": "x"}, body=b"{}")


async def test_certificate_that_nobody_vouches_for_means_not_sent(tmp_path):
    pem = tmp_path / "pair.pem"
    pem.write_text(CERTIFICATE)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pem)
    async with serving(ok, tls=tls) as server, Wire() as thin:
        with pytest.raises(NotSentError, match="not trusted"):
            await thin.exchange("GET", f"https://127.0.0.1:{server.port}/x", headers={"Authorization": "x"})
        assert server.asked == []


async def test_proxy_that_refuses_means_not_sent_and_its_password_stays_hidden():
    refusal = response(407, b"who are you, user:proxy-password?")
    async with serving(lambda _: refusal) as proxy:
        address = Secret(f"http://user:proxy-password@127.0.0.1:{proxy.port}")
        async with Wire(proxy=address) as thin:
            with pytest.raises(NotSentError, match="HTTP status 407") as refused:
                await thin.exchange("POST", "https://www.zohoapis.com/crm/v8/org", headers={"Authorization": "x"})
        (asked,) = proxy.asked
        assert (asked.method, asked.target) == ("CONNECT", "www.zohoapis.com:443")
        assert asked.headers["proxy-authorization"].startswith("Basic ")
        assert "authorization" not in asked.headers
        assert "proxy-password" not in str(refused.value)


@pytest.mark.parametrize("reply", [CUT, b"HTTP/1.1 200 OK\r\n\r\n" + CUT], ids=["drops", "drops in the handshake"])
async def test_proxy_that_drops_the_tunnel_means_not_sent(reply):
    async with serving(lambda _: reply) as proxy, Wire(proxy=Secret(proxy.url)) as thin:
        with pytest.raises(NotSentError):
            await thin.exchange("POST", "https://www.zohoapis.com/crm/v8/org", headers={})
        assert len(proxy.asked) == 1


async def test_proxy_that_is_not_there_means_not_sent():
    async with Wire(proxy=Secret(f"http://user:proxy-password@127.0.0.1:{closed_port()}")) as thin:
        with pytest.raises(NotSentError, match="proxy cannot be reached") as refused:
            await thin.exchange("POST", "https://www.zohoapis.com/crm/v8/org", headers={})
        assert "proxy-password" not in str(refused.value)


async def test_this_machine_is_reached_without_the_proxy(tmp_path):
    settings = {"proxy": Secret(f"http://127.0.0.1:{closed_port()}")}
    async with serving(ok) as server, Transport(connection(tmp_path, server.url, **settings)) as crm:
        assert (await crm.send("GET", "org")).status == 200


async def test_proxies_of_the_environment_are_not_used(tmp_path, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")
    async with serving(ok) as server, Transport(connection(tmp_path, server.url)) as crm:
        assert (await crm.send("GET", "org")).status == 200


@pytest.mark.parametrize(
    "reply", [CUT, response(503, b"<html>"), response(200, b"no JSON")], ids=["cut", "503", "text"]
)
async def test_without_a_token_the_request_is_not_sent_whatever_became_of_the_token(tmp_path, reply):
    async with serving(lambda _: reply, tokens=False) as server, Transport(connection(tmp_path, server.url)) as crm:
        with pytest.raises(NotSentError):
            await crm.send("POST", "Services__s", body=b"{}")
        assert len(server.token_requests) == 1
        assert server.api_requests == []
        assert crm.requests == 0


async def test_cancelling_a_request_in_flight_ends_it_at_once(tmp_path):
    async with serving(lambda _: HANG) as server, Transport(connection(tmp_path, server.url)) as crm:
        running = asyncio.create_task(crm.send("POST", "Services__s", body=b"{}"))
        await server.hanging.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert crm.requests == 1


@pytest.mark.parametrize("path", ["/org", "../org", "a/../b", "a//b", "http://evil", "a?b", "a b", "", "a%2e", "a\n"])
async def test_path_that_could_lead_elsewhere_is_refused(tmp_path, path):
    async with Transport(connection(tmp_path)) as crm:
        with pytest.raises(ValueError, match="is no request of the API"):
            await crm.send("GET", path)


async def test_wire_that_is_closed_says_so():
    with pytest.raises(RuntimeError, match="not open"):
        await Wire().exchange("GET", "http://127.0.0.1/", headers={})


EXCEPTIONS = [
    kind
    for module in (client_exceptions, http_exceptions)
    for _, kind in inspect.getmembers(module, inspect.isclass)
    if issubclass(kind, Exception) and kind.__module__ == module.__name__ and kind is not aiohttp.WSMessageTypeError
]


@pytest.mark.parametrize("kind", EXCEPTIONS, ids=lambda kind: kind.__name__)
def test_every_exception_of_the_library_is_foreseen(kind):
    """What is not an aiohttp exception of websockets is caught, and means lost once the headers are written."""
    error = kind.__new__(kind)
    for name in ("_os_error", "os_error", "_certificate_error"):
        if hasattr(kind, name.strip("_")) or name == "_certificate_error":
            setattr_if_possible(error, name)
    error.status = 400
    assert issubclass(kind, wire._FAILURES)
    for observed, expected in (
        (Observed.NOT_CONNECTED, NotSentError),
        (Observed.NOT_WRITTEN, NotSentError),
        (Observed.BROKEN_OFF, LostError),
    ):
        failure = wire._failure(error, URL("https://www.zohoapis.com"), observed)
        assert (type(failure), failure.observed) == (expected, observed)


def setattr_if_possible(error: Exception, name: str) -> None:
    try:
        setattr(error, name, OSError(5, "made up"))
    except AttributeError:
        assert isinstance(inspect.getattr_static(type(error), name), property)


@given(date=st.text(max_size=40), credit=st.text(max_size=40), wait=st.text(max_size=40))
def test_headers_of_any_content_make_an_answer(date, credit, wait):
    reply = Reply(
        status=200,
        headers={"date": date, "x-api-credits-remaining": credit, "retry-after": wait},
        body=b"",
        elapsed=0.0,
    )
    answer = transport._answer(reply, TOKEN, IN_2100)
    assert answer.server_time is None or answer.server_time.tzinfo is UTC
    assert answer.credits_remaining is None or answer.credits_remaining >= 0
    assert answer.retry_after is None or answer.retry_after >= 0


@pytest.mark.parametrize(
    ("wait", "seconds"),
    [
        ("30", 30.0),
        ("1.5", 1.5),
        ("Fri, 01 Jan 2100 10:00:05 GMT", 5.0),
        ("-1", None),
        ("nan", None),
        ("inf", None),
        ("Fri, 01 Jan 2100 09:00:00 GMT", None),
        ("soon", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(wait, seconds):
    headers = {"date": "Fri, 01 Jan 2100 10:00:00 GMT", "retry-after": wait}
    assert (
        transport._answer(Reply(status=429, headers=headers, body=b"", elapsed=0.0), TOKEN, IN_2100).retry_after
        == seconds
    )


@pytest.mark.parametrize(
    ("date", "is_believed"),
    [
        ("Fri, 01 Jan 2100 10:00:00 GMT", True),
        ("Fri, 01 Jan 2100 23:59:00 -0800", True),
        ("Fri, 31 Dec 2100 10:00:00 GMT", True),
        ("Mon, 03 Jan 2101 10:00:00 GMT", False),
        ("Mon, 29 Dec 2098 10:00:00 GMT", False),
        ("Fri, 31 Dec 9999 23:59:59 GMT", False),
        ("Fri, 31 Dec 9999 23:59:59 -2359", False),
        ("Mon, 01 Jan 1900 00:00:00 GMT", False),
        ("Mon, 01 Jan 1000 00:00:00 +2359", False),
    ],
)
def test_a_date_more_than_a_year_away_tells_nothing_of_the_servers_clock(date, is_believed):
    headers = {"date": date, "retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}
    answer = transport._answer(Reply(status=429, headers=headers, body=b"", elapsed=0.0), TOKEN, IN_2100)
    assert (answer.server_time is not None) is is_believed
    assert (answer.retry_after is not None) is is_believed
