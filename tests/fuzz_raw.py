"""The way to the odd server over sockets, where an answer can also lie about its length, its packing, and HTTP."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from random import Random
from typing import Final

from fuzz_wire import OddServer, Said
from loopback import CUT, Asked, serving

from bulkzcrm.wire import Exchange

_STATUSES_WITHOUT_BODY: Final = frozenset({204, 304})


@asynccontextmanager
async def by_sockets(server: OddServer) -> AsyncIterator[tuple[str, Callable[[], Exchange] | None]]:
    """Serve on a free port; the server's die decides how each answer is framed."""

    def answer(asked: Asked) -> bytes:
        headers = {"Authorization": asked.headers.get("authorization", "")}
        said = server.serve(asked.method, f"http://here{asked.target}", headers, asked.body or None, _nobody_asks)
        if said.lost or not said.left:
            return CUT
        is_odd = server.mood.writes + server.mood.reads + server.mood.tokens > 0
        return _framed(server.die, said, lies=is_odd and server.mood.lies)

    async with serving(answer, tokens=False) as served:
        yield served.url, None


def _nobody_asks() -> None:
    return None


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode("latin-1", errors="replace") + b"\r\n\r\n"


def _framed(die: Random, said: Said, *, lies: bool) -> bytes:
    """Return an answer as bytes; what it says of itself may be wrong, then the connection ends after it."""
    body = b"" if said.status in _STATUSES_WITHOUT_BODY else said.body
    headers = {**said.headers, "Content-Length": str(len(body))}
    if not lies or die.random() < 0.7:
        return _head(said.status, headers) + body
    half = body[: len(body) // 2]
    match die.randrange(12):
        case 0:
            return _head(said.status, {**headers, "Content-Encoding": "gzip"}) + body + CUT
        case 1:
            packed = gzip.compress(body)
            return _head(said.status, {"Content-Encoding": "gzip", "Content-Length": str(len(packed))}) + packed + CUT
        case 2:
            packed = gzip.compress(body)[:-9]
            return _head(said.status, {"Content-Encoding": "gzip", "Content-Length": str(len(packed))}) + packed + CUT
        case 3:
            packed = zlib.compress(body)
            return _head(said.status, {"Content-Encoding": "br", "Content-Length": str(len(packed))}) + packed + CUT
        case 4:
            return _head(said.status, {**headers, "Content-Length": str(len(body) + 50)}) + body + CUT
        case 5:
            return _head(said.status, {**headers, "Content-Length": str(len(half))}) + body + CUT
        case 6:
            return (
                _head(said.status, {**headers, "Content-Length": die.choice(["-1", "x", "9" * 30, "1, 2"])})
                + body
                + CUT
            )
        case 7:
            return _head(said.status, {"Transfer-Encoding": "chunked"}) + b"5\r\n" + half + CUT
        case 8:
            return _head(said.status, {"Transfer-Encoding": "chunked"}) + b"zz\r\n" + body + CUT
        case 9:
            return body + CUT
        case 10:
            return b"HTTP/9.9 OK\r\n\r\n" + body + CUT
        case _:
            return _head(said.status, {**headers, "X-Long": "x" * 20_000}) + body + CUT
