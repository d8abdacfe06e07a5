"""One HTTP exchange and no more: nothing is ever sent twice, and a failure says whether the request had left.

The only importer of aiohttp. It knows nothing of tokens, limits or the vendor.
"""

from __future__ import annotations

import os
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace, TracebackType
from typing import Protocol, Self, final

import aiohttp
import truststore
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from bulkzcrm import __version__
from bulkzcrm.hosts import is_loopback
from bulkzcrm.redact import Secret, scrub
from bulkzcrm.spec.certainty import Observed

__all__ = ["USER_AGENT", "Exchange", "LostError", "NotSentError", "Reply", "Wire"]

USER_AGENT = f"bulkzcrm/{__version__}"
"""What every request calls itself."""

_CONNECT_S = 30.0
_LARGEST_ANSWER = 64 * 2**20
_READ_AT_ONCE = 2**16
_FAILURES = (aiohttp.ClientError, HttpProcessingError, OSError, TimeoutError)
"""Everything that aiohttp lets out when an exchange fails; whatever else comes is a bug of ours and stays visible."""


class NotSentError(Exception):
    """The request never left (name, connection, TLS, proxy, no token): it was certainly not applied.

    `reason` is a sentence in plain words. Not for users: the caller decides whether to try again.
    """

    def __init__(self, reason: str, observed: Observed = Observed.NOT_CONNECTED) -> None:
        super().__init__(reason)
        self.reason = reason
        self.observed = observed


class LostError(Exception):
    """The request left, or may have, and no whole answer came: whether it was applied is unknown.

    `reason` is a sentence in plain words. Not for users: the caller decides what it means.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.observed = Observed.BROKEN_OFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A whole answer: its status, its headers (names in lower case), its body, and the seconds it took."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    elapsed: float


class Exchange(Protocol):
    """What is needed of a `Wire`, entered as a context; a rehearsal without sockets may stand in for it."""

    async def __aenter__(self) -> Self:
        """Open whatever is needed to exchange."""
        ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close it."""
        ...

    async def exchange(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        on_departure: Callable[[], None] | None = None,
    ) -> Reply:
        """Send one request and return the whole answer.

        `on_departure` is called once, in the last moment before the first byte is written; what it raises comes out
        here, and the request has then certainly not left. Raises NotSentError and LostError.
        """
        ...


@dataclass(slots=True)
class _Departure:
    """How far one request has come, and whom to ask before it leaves."""

    ask: Callable[[], None] | None
    connected: bool = False
    left: bool = False

    @property
    def observed(self) -> Observed:
        """What a failure at this point means."""
        if self.left:
            return Observed.BROKEN_OFF
        return Observed.NOT_WRITTEN if self.connected else Observed.NOT_CONNECTED


@final
class Wire:
    """One pool of connections; a context manager.

    `timeout_s` bounds one exchange from the first look-up to the last byte. `proxy` is used for every host but this
    machine. An answer larger than `largest_answer` bytes (unpacked) counts as lost.
    """

    def __init__(
        self,
        *,
        timeout_s: float = 120.0,
        proxy: Secret | None = None,
        largest_answer: int = _LARGEST_ANSWER,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=min(_CONNECT_S, timeout_s))
        self._proxy = proxy
        self._largest_answer = largest_answer
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._tls: ssl.SSLContext | None = None

    async def __aenter__(self) -> Self:
        trace = aiohttp.TraceConfig()
        trace.on_connection_create_end.append(_connected)
        trace.on_connection_reuseconn.append(_connected)
        trace.on_request_headers_sent.append(_departing)
        self._session = aiohttp.ClientSession(
            # How many fly at once is the limiter's affair; a second queue here would only hide it.
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=self._timeout,
            trace_configs=[trace],
            # Neither proxies nor passwords from the environment or a .netrc file that nobody thinks of.
            trust_env=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def exchange(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        on_departure: Callable[[], None] | None = None,
    ) -> Reply:
        """Send one request and read the whole answer. A redirect is an answer like any other and is not followed.

        `url` is sent exactly as given. `on_departure` is called once, in the last moment before the headers are
        written; if it raises, nothing is written and its error comes out here. Raises NotSentError and LostError.
        """
        if self._session is None:
            raise RuntimeError("The wire is not open.")
        departure = _Departure(on_departure)
        target = URL(url, encoded=True)
        begun = self._clock()

        async def once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
            # aiohttp sends GET, PUT and DELETE again by itself when a kept connection breaks. It does so for its own
            # kinds of exceptions; ours goes straight through, so that nothing is sent twice behind our back.
            try:
                return await send(request)
            except _FAILURES as error:
                raise _failure(error, target, departure.observed) from error

        try:
            async with self._session.request(
                method,
                target,
                headers=headers,
                data=body,
                allow_redirects=False,
                proxy=self._proxy_for(target),
                ssl=self._trusted() if target.scheme == "https" else True,
                middlewares=(once,),
                trace_request_ctx=departure,
            ) as response:
                content = await self._read(response)
                kept = {name.lower(): value for name, value in response.headers.items()}
                return Reply(status=response.status, headers=kept, body=content, elapsed=self._clock() - begun)
        except _FAILURES as error:
            raise _failure(error, target, departure.observed) from error

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        content = bytearray()
        async for part in response.content.iter_chunked(_READ_AT_ONCE):
            content += part
            if len(content) > self._largest_answer:
                response.close()
                raise LostError(f"The answer is larger than {self._largest_answer} bytes.")
        return bytes(content)

    def _proxy_for(self, target: URL) -> str | None:
        if self._proxy is None or is_loopback(str(target.origin())):
            return None
        return self._proxy.reveal()

    def _trusted(self) -> ssl.SSLContext:
        if self._tls is None:
            # The system's certificates, where a company keeps the one of its own proxy. No option switches this off.
            self._tls = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            self._tls.minimum_version = ssl.TLSVersion.TLSv1_2
        return self._tls


async def _connected(
    _session: aiohttp.ClientSession,
    context: SimpleNamespace,
    _connection: aiohttp.TraceConnectionCreateEndParams | aiohttp.TraceConnectionReuseconnParams,
) -> None:
    departure = context.trace_request_ctx
    if isinstance(departure, _Departure):
        departure.connected = True


async def _departing(
    _session: aiohttp.ClientSession, context: SimpleNamespace, _headers: aiohttp.TraceRequestHeadersSentParams
) -> None:
    # Contrary to its name, aiohttp's signal comes before the first byte: the headers are put together after it has been
    # heard, and written together with the body. What is raised here keeps them from ever being written.
    departure = context.trace_request_ctx
    if isinstance(departure, _Departure) and not departure.left:
        if departure.ask is not None:
            departure.ask()
        departure.left = True


def _failure(error: Exception, target: URL, observed: Observed) -> NotSentError | LostError:
    """Say what a failure means: only a request whose headers were never written is certain not to have been applied."""
    reason = scrub(_reason(error, target.host or ""))
    return LostError(reason) if observed is Observed.BROKEN_OFF else NotSentError(reason, observed)


def _reason(error: Exception, host: str) -> str:
    match error:
        case aiohttp.ClientConnectorDNSError():
            return f"The name {host} cannot be found; is there a connection to the internet?"
        case aiohttp.ClientProxyConnectionError():
            return f"The proxy cannot be reached: {_system_text(error.os_error)}."
        case aiohttp.ClientHttpProxyError():
            return f"The proxy refuses to connect to {host}: HTTP status {error.status}."
        case aiohttp.ClientConnectorCertificateError():
            return f"The certificate of {host} is not trusted on this computer: {error.certificate_error}."
        case aiohttp.ClientSSLError():
            return f"No secure connection to {host} came about: {_system_text(error.os_error)}."
        case aiohttp.ClientConnectorError():
            return f"No connection to {host} came about: {_system_text(error.os_error)}."
        case TimeoutError():
            return f"{host} did not answer in time."
        case aiohttp.ServerDisconnectedError() | ConnectionError():
            return f"{host} closed the connection before its answer was complete."
        case aiohttp.ClientPayloadError() | aiohttp.ClientResponseError() | HttpProcessingError():
            return f"The answer of {host} is broken off or not HTTP."
        case _:
            return f"The exchange with {host} failed ({type(error).__name__})."


def _system_text(error: OSError) -> str:
    if isinstance(error, socket.gaierror | ssl.SSLError):
        return str(error.args[-1]) if error.args else type(error).__name__
    # asyncio's own words are for programmers; the system's are for people, and in their language.
    return os.strerror(error.errno) if error.errno else type(error).__name__
