"""A login through the browser: the vendor's page asks for consent and sends the browser back here with a code.

Only this machine can be reached at the address that it is sent back to, only an answer with the state of this very
login is believed, and only an accounts server of the vendor's is then asked for a token.
"""

from __future__ import annotations

import hmac
import os
import queue
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, TypeAlias, final
from urllib.parse import parse_qsl, urlencode

from bulkzcrm import hosts
from bulkzcrm.config import VARIABLES, Connection
from bulkzcrm.errors import ConfigurationError, CredentialsRefusedError, StoppedError, UsageError
from bulkzcrm.redact import Secret, scrub

__all__ = ["PORT", "Authorised", "authorised_by_browser"]

PORT: Final = 8765
"""Where the browser is sent back to, unless somebody says otherwise: the address must be registered beforehand."""

_PATH = "/bulkzcrm"
_CONNECTION_S = 10.0
_LOOK_S = 0.2

_PAGE = (
    "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
    "<title>bulkzcrm</title><style>body{{font:1.1rem/1.6 system-ui,sans-serif;max-width:34rem;margin:15vh auto;"
    "padding:0 1.5rem;color-scheme:light dark}}</style><h1>{head}</h1><p>{text}"
)

_LOGGED_IN = ("Logged in", "Close this page and go back to the terminal.")
_NOT_LOGGED_IN = ("Not logged in", "Go back to the terminal, which says what to do.")

_Answer: TypeAlias = Mapping[str, str]
"""The fields that the browser brings back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorised:
    """A code, where it is to be traded for a token, and the address that the trade has to name."""

    code: Secret
    connection: Connection
    redirect_uri: str


def authorised_by_browser(
    connection: Connection, scopes: Iterable[str], *, port: int, wait_s: float, show: Callable[[str, str], None]
) -> Authorised:
    """Have a person agree in the browser, and return what came back.

    `show` is given the address to open and the one that the browser will be sent back to. The connection that is
    returned is to the data centre where the person's account is. Raises UsageError (the port is taken), StoppedError
    (nobody answered within `wait_s` seconds), CredentialsRefusedError (consent was refused) and ConfigurationError (the
    account is at a server that is none of the vendor's).
    """
    state = secrets.token_urlsafe(24)
    with _listening(port, state) as (there, answers):
        show(_address(connection, scopes, there, state), there)
        answer = _first(answers, wait_s)
    if answer is None:
        raise StoppedError(
            f"Nobody has agreed in the browser for {wait_s / 60:.0f} minutes.",
            "Run the command again, or log in with a self client's code: bulkzcrm auth login --code C.",
        )
    if "code" not in answer:
        _refuse(answer.get("error", ""), there)
    return Authorised(
        code=Secret(answer["code"].strip()),
        connection=_at_home(connection, answer.get("accounts-server")),
        redirect_uri=there,
    )


def _first(answers: queue.SimpleQueue[_Answer], wait_s: float) -> _Answer | None:
    """Return the first answer, `None` if there is none for so many seconds."""
    until = time.monotonic() + wait_s
    while time.monotonic() < until:
        # In short spans, since Ctrl-C ends no waiting for a lock on Windows.
        with suppress(queue.Empty):
            return answers.get(timeout=_LOOK_S)
    return None


def _address(connection: Connection, scopes: Iterable[str], redirect_uri: str, state: str) -> str:
    fields = {
        "response_type": "code",
        "client_id": connection.client_id,
        "scope": ",".join(scopes),
        "redirect_uri": redirect_uri,
        # Both are needed for a refresh token, also when this person has agreed before (OAuth pages).
        "access_type": "offline",
        "prompt": "consent",
        "state": state,
    }
    return f"{connection.accounts_url}/oauth/v2/auth?{urlencode(fields)}"


def _at_home(connection: Connection, accounts_url: str | None) -> Connection:
    """Return the connection to where the account is, which the vendor tells beside the code."""
    if accounts_url is None:
        return connection
    there, here = hosts.data_centre_of_accounts(accounts_url), hosts.data_centre_of_accounts(connection.accounts_url)
    # This machine is never named by the vendor, and never names another.
    if there is None or hosts.LOOPBACK in (there, here):
        if there is here is hosts.LOOPBACK:
            return connection
        raise ConfigurationError(
            f"The browser came back with {scrub(repr(accounts_url))} as the accounts server, which is none of the "
            "vendor's; nothing was sent there.",
            "Close the browser, and try again on a network that you trust.",
        )
    if there is here:
        return connection
    kind = here.apis.index(connection.api_domain) if here and connection.api_domain in here.apis else 0
    # An organisation lives in one data centre alone.
    return replace(connection, accounts_url=there.accounts, api_domain=there.apis[kind], org_id=None)


def _refuse(cause: str, redirect_uri: str) -> None:
    if cause == "access_denied":
        raise CredentialsRefusedError("Consent was refused in the browser.", "Run the command again and agree there.")
    raise CredentialsRefusedError(
        f"The accounts server refuses the login and says {scrub(cause[:200])!r}.",
        f"Look at the client in the API console: it has to be a server-based application whose redirect address is "
        f"exactly {redirect_uri}, and {VARIABLES['client_id']} its id.",
    )


@contextmanager
def _listening(port: int, state: str) -> Iterator[tuple[str, queue.SimpleQueue[_Answer]]]:
    """Listen on this machine alone; yield the address and where the answer to this login arrives."""
    answers: queue.SimpleQueue[_Answer] = queue.SimpleQueue()

    @final
    class Answering(BaseHTTPRequestHandler):
        # Browsers open connections that they may never use; each has a thread of its own and is given up.
        timeout = _CONNECTION_S

        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            fields = dict(parse_qsl(query))
            if path != _PATH:
                self._say(404, "Nothing here", "This address only waits for a login.")
            elif not hmac.compare_digest(fields.get("state", "").encode(), state.encode()):
                self._say(400, "Not this login", "This answer belongs to another login. Start again in the terminal.")
            else:
                try:
                    self._say(200, *(_LOGGED_IN if "code" in fields else _NOT_LOGGED_IN))
                finally:
                    # Also of a browser that has hung up; and not before, for then nobody waits for the page.
                    answers.put(fields)

        def _say(self, status: int, head: str, text: str) -> None:
            body = _PAGE.format(head=head, text=text).encode()
            self.send_response(status)
            for name, value in (
                ("Content-Type", "text/html; charset=utf-8"),
                ("Content-Length", str(len(body))),
                ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"),
                ("Referrer-Policy", "no-referrer"),
                ("Cache-Control", "no-store"),
                ("Connection", "close"),
            ):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *words: object) -> None:  # noqa: A002 - the standard library's name
            # The line of the request holds the code.
            del format, words

    server = _bound(port, Answering)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://localhost:{server.server_address[1]}{_PATH}", answers
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@final
class _Server(ThreadingHTTPServer):
    # On Windows it would let two programs listen at one port, and the answer reach either.
    allow_reuse_address = os.name != "nt"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of browsers that hang up: it is no fault, and no news."""
        del request, client_address


def _bound(port: int, answering: type[BaseHTTPRequestHandler]) -> ThreadingHTTPServer:
    try:
        return _Server(("127.0.0.1", port), answering)
    except OSError as error:
        raise UsageError(
            f"Port {port} of this computer cannot be listened on: {error.strerror or error}.",
            "End the other program that uses it, or name another one with --port and register its address, too.",
        ) from error
