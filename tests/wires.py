"""A real wire with somebody beside it, who may do things before a request is handed to it and after its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from bulkzcrm.wire import Reply, Wire


class WatchedWire:
    """Counts `writes`. `before_write` gets the number of a write (from 1) and its address, and returns the address that
    it goes to; `after_token` gets the answer of the accounts server, and returns what passes for it.
    """

    def __init__(
        self,
        *,
        before_write: Callable[[int, str], str] | None = None,
        after_token: Callable[[Reply], Reply] | None = None,
    ) -> None:
        self.writes = 0
        self._before_write = before_write
        self._after_token = after_token
        self._wire = Wire()

    async def __aenter__(self) -> Self:
        await self._wire.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._wire.__aexit__(kind, error, traceback)

    async def exchange(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        on_departure: Callable[[], None] | None = None,
    ) -> Reply:
        is_token = "/oauth/" in url
        if method != "GET" and not is_token:
            self.writes += 1
            if self._before_write is not None:
                url = self._before_write(self.writes, url)
        reply = await self._wire.exchange(method, url, headers=headers, body=body, on_departure=on_departure)
        return self._after_token(reply) if is_token and self._after_token is not None else reply
