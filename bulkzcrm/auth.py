"""One access token for all workers and processes of this computer, renewed when it is due, and never in a loop."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeGuard, final
from urllib.parse import urlencode

import anyio

from bulkzcrm.config import VARIABLES, Connection
from bulkzcrm.errors import ConfigurationError, CredentialsRefusedError, UnreachableError
from bulkzcrm.hosts import is_loopback
from bulkzcrm.private_files import FileLock, write_private
from bulkzcrm.redact import Secret
from bulkzcrm.tokens import THROTTLED_FOR_S, Grant, Token, TokensThrottledError, read_grant, token_text
from bulkzcrm.wire import USER_AGENT, Exchange, LostError, NotSentError

__all__ = ["Token", "TokenSource", "TokensThrottledError", "exchange_code", "revoke"]

_TOKENS_PER_WINDOW = 10
_WINDOW_S = 600.0
_FARTHEST_S = 86400.0
_LOCK_PATIENCE_S = 30.0
_LOCK_POLL_S = 0.1


@dataclass(slots=True)
class _Account:
    """What the processes of this computer know together about one refresh token."""

    token: Token | None = None
    fetched: list[float] = field(default_factory=list)
    """When its last tokens were made, in seconds since 1970, the latest last."""
    blocked_until: float = 0.0


@final
class TokenSource:
    """Gives the access token of a connection.

    It is kept in `connection.home / "tokens"` (mode 0600). `clock` gives seconds since 1970, `sleep` waits for seconds.
    Another process that is renewing the token is waited for, for `patience_s` seconds.
    """

    def __init__(
        self,
        connection: Connection,
        wire: Exchange,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[object]] = anyio.sleep,
        patience_s: float = _LOCK_PATIENCE_S,
    ) -> None:
        self._connection = connection
        self._wire = wire
        self._clock = clock
        self._sleep = sleep
        self._patience_s = patience_s
        self._current: Token | None = None
        self._refused: set[Secret] = set()
        self._single = anyio.Lock()
        folder = connection.home / "tokens"
        name = self._mark = _cache_name(connection)
        self._path = folder / f"{name}.json"
        self._file_lock = FileLock(folder / f"{name}.lock")
        # The stand-in on this machine judges by itself how many tokens it gives.
        self._counts = not is_loopback(connection.accounts_url)

    @property
    def mark(self) -> str:
        """What stays the same for as long as the credentials do, and tells nothing about them."""
        return self._mark

    async def token(self) -> Token:
        """Return a token with at least two minutes to live.

        Raises NotSentError (a passing fault: try again), TokensThrottledError (wait), CredentialsRefusedError and
        ConfigurationError.
        """
        if self._usable(self._current):
            return self._current
        return await self._renewed()

    async def refresh(self, after: Token) -> Token:
        """Return another token than one that the server has refused; workers that ask together share one renewal.

        Raises what `token` raises.
        """
        self._refused.add(after.value)
        if self._usable(self._current):
            return self._current
        return await self._renewed()

    def _usable(self, token: Token | None) -> TypeGuard[Token]:
        return (
            token is not None
            and token.value not in self._refused
            # A clock that was set back must not keep a dead token alive for days.
            and self._clock() < token.renew_at <= token.expires_at <= self._clock() + _FARTHEST_S
        )

    async def _renewed(self) -> Token:
        async with self._single:
            if self._usable(self._current):
                return self._current
            async with self._alone_on_this_computer():
                account = _read(self._path)
                self._current = account.token if self._usable(account.token) else await self._fetched(account)
                return self._current

    async def _fetched(self, account: _Account) -> Token:
        connection = self._connection
        if not connection.refresh_token:
            raise ConfigurationError(
                f"{VARIABLES['refresh_token']} is missing.",
                "Run bulkzcrm auth login --code with a code from the API console.",
            )
        begun = self._clock()
        recent = [moment for moment in account.fetched if begun - _WINDOW_S < moment <= begun]
        if self._counts:
            _mind_the_limit(recent, account.blocked_until, begun)
        form = {"grant_type": "refresh_token", "refresh_token": connection.refresh_token.reveal()}
        try:
            grant = await _ask(self._wire, connection, form, clock=self._clock)
        except TokensThrottledError:
            _write(self._path, _Account(token=None, fetched=recent, blocked_until=begun + THROTTLED_FOR_S))
            raise
        _write(self._path, _Account(token=grant.token, fetched=[*recent, begun]))
        return grant.token

    @asynccontextmanager
    async def _alone_on_this_computer(self) -> AsyncIterator[None]:
        with ExitStack() as stack:
            try:
                descriptor = stack.enter_context(self._file_lock.opened())
            except OSError:
                # A folder that cannot be written costs the sharing between processes, and nothing else.
                descriptor = None
            waited = 0.0
            while descriptor is not None and not self._file_lock.try_lock(descriptor) and waited < self._patience_s:
                await self._sleep(_LOCK_POLL_S)
                waited += _LOCK_POLL_S
            yield


async def exchange_code(
    wire: Exchange,
    connection: Connection,
    code: str,
    *,
    redirect_uri: str | None = None,
    clock: Callable[[], float] = time.time,
) -> Secret:
    """Trade a code, which works once and for a few minutes, for a refresh token.

    A code that came through the browser is traded with the `redirect_uri` that the browser was sent back to, a self
    client's without. Raises CredentialsRefusedError, UnreachableError and ConfigurationError.
    """
    form = {"grant_type": "authorization_code", "code": Secret(code.strip()).reveal()}
    if redirect_uri is not None:
        form["redirect_uri"] = redirect_uri
    try:
        grant = await _ask(wire, connection, form, clock=clock)
    except NotSentError as error:
        raise UnreachableError(
            f"{connection.accounts_url} could not be asked for a token. {error.reason}",
            "Make a new code, since this one may be used up, and try again.",
        ) from error
    if grant.refresh_token is None:
        raise CredentialsRefusedError(
            f"{connection.accounts_url} gave an access token but no refresh token for this code.",
            "Make the code with a self client in the API console and try again.",
        )
    return grant.refresh_token


async def revoke(wire: Exchange, connection: Connection) -> bool:
    """Have the accounts server forget the refresh token, and with it all access tokens; tell whether it did.

    What this computer kept of the access token is deleted, whatever the server says.
    """
    name = _cache_name(connection)
    for path in (connection.home / "tokens" / f"{name}{suffix}" for suffix in (".json", ".lock")):
        with suppress(OSError):
            path.unlink(missing_ok=True)
    try:
        reply = await wire.exchange(
            "POST",
            f"{connection.accounts_url}/oauth/v2/token/revoke",
            headers={"Content-Type": "application/x-www-form-urlencoded", "User-Agent": USER_AGENT},
            body=urlencode({"token": connection.refresh_token.reveal()}).encode(),
        )
    except (NotSentError, LostError):
        return False
    return reply.status == 200 and b"error" not in reply.body


async def _ask(wire: Exchange, connection: Connection, form: Mapping[str, str], *, clock: Callable[[], float]) -> Grant:
    begun = clock()
    fields = {**form, "client_id": connection.client_id, "client_secret": connection.client_secret.reveal()}
    try:
        reply = await wire.exchange(
            "POST",
            f"{connection.accounts_url}/oauth/v2/token",
            headers={"Content-Type": "application/x-www-form-urlencoded", "User-Agent": USER_AGENT},
            # In the body, where no log of a server or proxy on the way keeps it.
            body=urlencode(fields).encode(),
        )
    except (NotSentError, LostError) as error:
        # What was lost is a token; whatever the token was for has not been sent.
        raise NotSentError(f"No token came. {error.reason}") from error
    # Counted from the moment of asking: better renewed a second too early than used a second too late.
    return read_grant(reply, connection, now=begun, for_code="code" in form, redirect_uri=form.get("redirect_uri"))


def _mind_the_limit(recent: list[float], blocked_until: float, now: float) -> None:
    free_at = recent[-_TOKENS_PER_WINDOW] + _WINDOW_S if len(recent) >= _TOKENS_PER_WINDOW else now
    blocked_for = blocked_until - now
    wait = max(free_at - now, blocked_for if blocked_for <= THROTTLED_FOR_S else 0.0)
    if wait > 0:
        raise TokensThrottledError(wait, now)


def _cache_name(connection: Connection) -> str:
    identity = (connection.client_id, connection.refresh_token.reveal(), connection.accounts_url)
    return hashlib.sha256("\n".join(identity).encode()).hexdigest()[:32]


def _read(path: Path) -> _Account:
    """Read the cache; whatever is wrong with it, it is as good as not there."""
    try:
        kept = json.loads(path.read_bytes())
        value = kept["access_token"]
        token = None
        if value is not None:
            token = Token(
                value=Secret(token_text(value)), renew_at=float(kept["renew_at"]), expires_at=float(kept["expires_at"])
            )
        fetched = sorted(float(moment) for moment in kept["fetched"])
        return _Account(token=token, fetched=fetched, blocked_until=float(kept["blocked_until"]))
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return _Account()


def _write(path: Path, account: _Account) -> None:
    token = account.token
    kept = {
        "access_token": None if token is None else token.value.reveal(),
        "renew_at": None if token is None else token.renew_at,
        "expires_at": None if token is None else token.expires_at,
        "fetched": account.fetched[-_TOKENS_PER_WINDOW:],
        "blocked_until": account.blocked_until,
    }
    # A cache that cannot be written costs one more token next time; the run need not suffer for it.
    with suppress(OSError):
        write_private(path, json.dumps(kept).encode())
