"""The sandbox as a whole: opened, it serves on loopback until it is closed, and keeps what it was told to keep."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from bulkzcrm.sandbox import metadata, seed, service_reads
from bulkzcrm.sandbox.faults import Faults
from bulkzcrm.sandbox.jsontext import Json
from bulkzcrm.sandbox.oauth import Tokens
from bulkzcrm.sandbox.options import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, SandboxOptions
from bulkzcrm.sandbox.organisation import Organisation
from bulkzcrm.sandbox.quotas import Credits, Traffic
from bulkzcrm.sandbox.server import ServedRequest, Server
from bulkzcrm.sandbox.service import Service
from bulkzcrm.sandbox.store import SandboxError, Store


class Sandbox:
    """A stand-in for the API, in the caller's event loop.

    state: the SQLite file that holds the organisation; without it the state lives in memory. A file that is already
        there is carried on with; a new one starts with the organisation of `seed`.
    options, faults: see there. clock: gives the present moment with an offset; by default the machine's.
    host, port: where it listens; port 0 takes a free one.

    Raises SandboxError on entering when the state file or the port cannot be used, or no field can be unique that has
    the name of `options.unique_field`.
    """

    def __init__(
        self,
        state: Path | None = None,
        *,
        options: SandboxOptions | None = None,
        faults: Faults | None = None,
        clock: Callable[[], datetime] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        """Keep the settings; nothing is opened yet."""
        self.options = options or SandboxOptions()
        self.faults = faults or Faults()
        self._state = state
        self._clock = clock or _now
        self._host = host
        self._port = port
        self._started: _Started | None = None

    async def __aenter__(self) -> Self:
        """Open the state and listen."""
        store = Store(self._state)
        try:
            self._started = await _Started.start(self, store, self._clock, self._host, self._port)
        except sqlite3.Error as error:
            store.close()
            raise SandboxError(f"The sandbox's state in {self._state} cannot be written: {error}.") from error
        except BaseException:
            store.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening and close the state."""
        started, self._started = self._running(), None
        try:
            await started.runner.cleanup()
            started.server.commit_what_is_late()
        finally:
            started.organisation.store.close()

    @property
    def url(self) -> str:
        """Scheme, host and port, without a slash at the end."""
        return self._running().url

    @property
    def requests(self) -> list[ServedRequest]:
        """The API requests served since the start (the last 20,000), oldest first; token requests apart."""
        return list(self._running().server.requests)

    @property
    def token_requests(self) -> int:
        """How many requests the token endpoint has had since the start."""
        return self._running().server.token_requests

    @property
    def requests_in_flight(self) -> int:
        """API requests that have come in and are not answered yet."""
        return self._running().traffic.in_flight

    @property
    def credits_spent(self) -> int:
        """API credits spent in the last 24 hours."""
        return self._running().service.credits.spent

    def environment(self) -> dict[str, str]:
        """The environment variables that point the tool at this sandbox."""
        return {
            "BULKZCRM_API_DOMAIN": self.url,
            "BULKZCRM_ACCOUNTS_URL": self.url,
            "BULKZCRM_CLIENT_ID": CLIENT_ID,
            "BULKZCRM_CLIENT_SECRET": CLIENT_SECRET,
            "BULKZCRM_REFRESH_TOKEN": REFRESH_TOKEN,
            "BULKZCRM_ORG_ID": seed.ZGID,
            "BULKZCRM_API_VERSION": "v8",
        }

    def services(self) -> list[Json]:
        """All services with all they hold, as GET by id shows them, by id."""
        organisation = self._running().organisation
        return [service_reads.full_row(organisation, service) for service in organisation.store.services()]

    def business_hours(self) -> Json:
        """The business hours, as GET shows them."""
        return self._running().organisation.store.document("business_hours")

    def preferences(self) -> Json:
        """The service preferences, as GET shows them."""
        return self._running().organisation.store.document("service_preferences")

    def scoring_rules(self) -> list[Json]:
        """All scoring rules, by id."""
        return self._running().organisation.store.scoring_rules()

    def users(self) -> list[Json]:
        """All users, by id."""
        return list(self._running().organisation.users)

    def new_grant_code(self) -> str:
        """Make a self-client code that is good once, for 3 minutes."""
        started = self._running()
        with started.organisation.store.transaction():
            return started.service.tokens.new_code()

    def expire_tokens(self) -> None:
        """End all access tokens now."""
        started = self._running()
        with started.organisation.store.transaction():
            started.service.tokens.kill_all()

    def set_faults(self, faults: Faults) -> None:
        """Replace the faults of the running sandbox."""
        self.faults = faults
        if self._started is not None:
            self._started.service.faults = faults

    def _running(self) -> _Started:
        if self._started is None:
            raise SandboxError("The sandbox is not running; use it inside its `async with` block.")
        return self._started


class _Started:
    """The parts of a sandbox that runs."""

    def __init__(
        self, organisation: Organisation, service: Service, traffic: Traffic, clock: Callable[[], datetime]
    ) -> None:
        self.organisation = organisation
        self.service = service
        self.traffic = traffic
        self.server = Server(service, traffic, clock)
        self.runner = web.AppRunner(self.server.application(), access_log=None, shutdown_timeout=1.0)
        self.url = ""

    @classmethod
    async def start(
        cls, sandbox: Sandbox, store: Store, clock: Callable[[], datetime], host: str, port: int
    ) -> _Started:
        """Put the parts together and listen."""
        options = sandbox.options
        if options.unique_field is not None and not metadata.can_be_unique(options.unique_field):
            message = f"{options.unique_field} can be no unique field; take Service_Name, or a name that no field has."
            raise SandboxError(message)
        tokens = Tokens(store, options, clock)
        if store.is_new():
            with store.transaction():
                store.sow()
                tokens.sow()
        organisation = Organisation(store, options, clock)
        service = Service(organisation, tokens, Credits(store, options.credit_limit, clock), sandbox.faults)
        started = cls(organisation, service, Traffic(options), clock)
        await started.runner.setup()
        try:
            site = web.TCPSite(started.runner, host, port)
            await site.start()
        except OSError as error:
            await started.runner.cleanup()
            raise SandboxError(f"The sandbox cannot listen on {host}, port {port}: {error.strerror}.") from error
        bound = started.runner.addresses[0]
        started.url = f"http://[{bound[0]}]:{bound[1]}" if ":" in bound[0] else f"http://{bound[0]}:{bound[1]}"
        return started


async def serve_forever(sandbox: Sandbox, ready: Callable[[Sandbox], None] = lambda _: None) -> None:
    """Serve until cancelled; `ready` is called once the sandbox listens."""
    async with sandbox:
        ready(sandbox)
        await asyncio.Event().wait()


def _now() -> datetime:
    return datetime.now(UTC)
