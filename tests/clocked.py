"""A desk with two clocks, the computer's and the server's, both of which go with its virtual time and may be wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from desk import NOW, Desk
from forwarder import Cut, Heard, Say, forwarding

from bulkzcrm.config import Connection, load_connection
from bulkzcrm.run.surroundings import Surroundings
from bulkzcrm.sandbox import Sandbox, SandboxOptions

REFUSED = Say(401, {"code": "OAUTH_SCOPE_MISMATCH", "details": {}, "message": "", "status": "error"})


class Clocked(Desk):
    mine = timedelta()
    """How far the computer's clock is ahead."""

    @property
    def now(self) -> datetime:
        """The server's time."""
        return NOW + timedelta(seconds=self.pace.seconds)

    def around(self, connection: Connection | None = None) -> Surroundings:
        return replace(super().around(connection), clock=lambda: self.now + self.mine)

    def lose(self, step: Cut) -> None:
        """Lose every write so, and refuse to have it read back: the run stops with its rows in doubt."""

        async def interfere(heard: Heard) -> Say | Cut | None:
            if is_read_back(heard):
                return REFUSED
            return step if heard.is_write else None

        self.wire.interfere = interfere


def is_read_back(heard: Heard) -> bool:
    return heard.query.get("sort_by") == "Created_Time"


@asynccontextmanager
async def clocked(folder: Path) -> AsyncIterator[Clocked]:
    desks: list[Clocked] = []
    folder.mkdir(exist_ok=True)
    options = SandboxOptions(active_service_limit=100_000)
    async with (
        Sandbox(options=options, clock=lambda: desks[0].now if desks else NOW) as sandbox,
        forwarding(sandbox.url) as wire,
    ):
        environ = {**sandbox.environment(), "BULKZCRM_API_DOMAIN": wire.url, "BULKZCRM_ACCOUNTS_URL": wire.url}
        connection = load_connection(profile=None, environ=environ, home=folder / "home of the tool")
        desks.append(Clocked(folder, sandbox, wire, connection))
        yield desks[0]
