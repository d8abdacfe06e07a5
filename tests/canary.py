"""Secrets that cannot be mistaken, a server that sings them, and a search for them in all that is left."""

from __future__ import annotations

import base64
import json
import os
import secrets
import stat
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, quote

MARK: Final = "c4n4ry"
CLIENT_SECRET: Final = f"{MARK}-client-secret-0a1b2c"
REFRESH_TOKEN: Final = f"{MARK}-refresh-token-3d4e5f"
GRANT_CODE: Final = f"{MARK}-grant-code-6a7b8c"
PROXY_PASSWORD: Final = f"{MARK}-proxy-password-9d0e1f"
ROW_VALUE: Final = "r0wv4lue"
"""What rows hold: no secret, but none of the log's business."""
KNOWN: Final = (CLIENT_SECRET, REFRESH_TOKEN, GRANT_CODE, PROXY_PASSWORD)


@dataclass(frozen=True, slots=True)
class Sung:
    """An answer as the server sends it; a body of text goes out as it is, everything else as JSON."""

    status: int
    body: Any = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    """Bytes in place of an answer."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, with every secret that it brought."""

    method: str
    path: str
    body: bytes
    token: str
    form: Mapping[str, str]

    @property
    def song(self) -> str:
        """Every secret that the request brought, in one text."""
        return " ".join(filter(None, [self.token, *self.form.values()]))

    @property
    def names(self) -> list[str]:
        """The services that the request would create."""
        return [record["Service_Name"] for record in json.loads(self.body)["data"]] if self.body else []


Answering = Callable[[Asked], Sung]


class Singer:
    """A server on loopback that tells everybody what it was told in confidence."""

    def __init__(self) -> None:
        self.issued: list[str] = []
        self.asked: list[Asked] = []
        self.url = ""
        self.on_token: Answering = self.give_token
        self.on_read: Answering = lambda asked: self.refuse(403, "NO_PERMISSION", asked)
        self.on_write: Answering = self.take

    def new_token(self) -> str:
        """Return another access token; every second one does not look like the vendor's."""
        shapes = [f"1000.{secrets.token_hex(16)}.{secrets.token_hex(16)}", f"{MARK}-access-{secrets.token_hex(12)}"]
        self.issued.append(shapes[len(self.issued) % 2])
        return self.issued[-1]

    def give_token(self, asked: Asked) -> Sung:
        """Answer as the vendor does, and with a refresh token for a code."""
        given: dict[str, Any] = {"access_token": self.new_token(), "token_type": "Bearer", "expires_in": 3600}
        if asked.form.get("grant_type") == "authorization_code":
            given["refresh_token"] = REFRESH_TOKEN
        return Sung(200, {**given, "scope": asked.song})

    @staticmethod
    def refuse(status: int, code: str, asked: Asked) -> Sung:
        """Refuse, and sing in every place that there is."""
        details = {"api_name": asked.song, "permissions": [asked.song], "expected_data_type": asked.song}
        return Sung(
            status,
            {"code": code, "details": details, "message": f"not with {asked.song}", "status": "error"},
            {"WWW-Authenticate": asked.song, "X-Song": asked.song, "Set-Cookie": f"song={quote(asked.song)}"},
        )

    @staticmethod
    def take(asked: Asked) -> Sung:
        """Take every record, and sing beside each id."""
        elements = [
            {
                "code": "SUCCESS",
                "details": {"id": str(5545974000002190001 + place), "Created_By": {"name": asked.song}},
                "message": asked.song,
                "status": "success",
            }
            for place in range(len(asked.names))
        ]
        return Sung(201, {"data": elements, "song": asked.song})

    @property
    def marked(self) -> tuple[str, ...]:
        """Every string that may be nowhere."""
        return (*KNOWN, *self.issued)


@contextmanager
def singing() -> Iterator[Singer]:
    """Serve in threads of its own."""
    singer = Singer()

    class Serving(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            token = self.headers.get("Authorization", "").removeprefix("Zoho-oauthtoken ")
            is_token = self.path.startswith("/oauth/")
            form = dict(parse_qsl(body.decode())) if is_token else {}
            asked = Asked(self.command, self.path, body, token, form)
            singer.asked.append(asked)
            answering = singer.on_token if is_token else singer.on_read if self.command == "GET" else singer.on_write
            self.send(answering(asked))

        do_GET = do_POST = do_PUT = do_DELETE = serve  # noqa: N815 - the library's names

        def do_CONNECT(self) -> None:
            """Refuse as a proxy, and sing the password that came with the request."""
            given = self.headers.get("Proxy-Authorization", "")
            plain = base64.b64decode(given.removeprefix("Basic ") or b"").decode(errors="replace")
            self.send(Sung(407, f"{given} {plain}", {"Proxy-Authenticate": f'Basic realm="{plain}"', "X-Song": plain}))

        def send(self, sung: Sung) -> None:
            if sung.raw is not None:
                self.wfile.write(sung.raw)
                self.close_connection = True
                return
            content = sung.body.encode() if isinstance(sung.body, str) else json.dumps(sung.body).encode()
            self.send_response(sung.status, sung.headers.get("X-Song", "Whatever"))
            for name, value in {"Content-Length": str(len(content)), **sung.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Serving)
    server.daemon_threads = True
    singer.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield singer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def spellings(value: str) -> set[str]:
    """The ways in which a secret may stand somewhere."""
    quoted = {value, quote(value, safe=""), json.dumps(value)[1:-1], value.encode().hex()}
    coded = base64.b64encode(f"user:{value}".encode()).decode()
    return {*quoted, base64.b64encode(value.encode()).decode().rstrip("="), coded}


def places(folder: Path, marked: tuple[str, ...], but: frozenset[Path] = frozenset()) -> list[str]:
    """Return the files below a folder that hold a marked string, or are called by one."""
    wanted = {spelling.encode() for value in marked for spelling in spellings(value)}
    found = []
    for path in folder.rglob("*"):
        if any(spelling in os.fsencode(path.name) for spelling in wanted):
            found.append(f"the name {path}")
        if path.is_file() and path not in but and any(spelling in path.read_bytes() for spelling in wanted):
            found.append(str(path))
    return found


def keepers(home: Path) -> frozenset[Path]:
    """Return the files that may hold secrets, each its owner's alone."""
    found = frozenset({*home.glob("tokens/*.json"), *home.glob("profiles.toml")})
    if os.name == "posix":
        for path in found:
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    return found
