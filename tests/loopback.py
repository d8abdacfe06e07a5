"""A server on loopback that answers exactly what a test says, byte for byte, and remembers what it was asked."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import parse_qsl

from bulkzcrm.config import Connection
from bulkzcrm.redact import Secret

CUT = b"\0cut"
"""As an answer: what stands before it is sent, then the connection is closed."""

HANG = b"\0hang"
"""As an answer: what stands before it is sent, then nothing more happens."""

ACCESS = "1000." + "a" * 32 + "." + "b" * 32
REFRESH = "1000." + "c" * 32 + "." + "d" * 32
CLIENT_SECRET = "c0ffee" * 7


@dataclass(frozen=True)
class Asked:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode()))


@dataclass
class Server:
    port: int
    asked: list[Asked] = field(default_factory=list)
    hanging: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def api_requests(self) -> list[Asked]:
        return [asked for asked in self.asked if not asked.target.startswith("/oauth/")]

    @property
    def token_requests(self) -> list[Asked]:
        return [asked for asked in self.asked if asked.target.startswith("/oauth/")]


def response(status: int, body: bytes = b"", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def token_reply(value: str = ACCESS, **more: str) -> bytes:
    extra = "".join(f',"{key}":{text}' for key, text in more.items())
    return response(200, f'{{"access_token":"{value}","token_type":"Bearer","expires_in":3600{extra}}}'.encode())


@asynccontextmanager
async def serving(
    answer: Callable[[Asked], bytes], *, tls: ssl.SSLContext | None = None, tokens: bool = True
) -> AsyncIterator[Server]:
    """Serve `answer` for every request; token requests get a good token unless `tokens` is false."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                asked = await _read(reader)
                server.asked.append(asked)
                is_token = tokens and asked.target.startswith("/oauth/")
                reply = token_reply() if is_token else answer(asked)
                writer.write(reply.removesuffix(CUT).removesuffix(HANG))
                await writer.drain()
                if reply.endswith(HANG):
                    server.hanging.set()
                    await reader.read()
                    break
                if reply.endswith(CUT):
                    break
        writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    server = Server(listener.sockets[0].getsockname()[1])
    try:
        yield server
    finally:
        listener.close()
        for writer in writers:
            writer.close()
        for writer in writers:
            with suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    method, target, _ = head[0].split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(method, target, headers, body)


def connection(home: Path, url: str = "http://127.0.0.1:9", **changes: object) -> Connection:
    plain = Connection(
        api_domain=url,
        accounts_url=url,
        client_id="1000.CLIENT",
        client_secret=Secret(CLIENT_SECRET),
        refresh_token=Secret(REFRESH),
        home=home,
    )
    return replace(plain, **changes)
