"""The sandbox's organisation without sockets: requests arrive when the simulation says so, also late, also never.

A request is the server's from the moment it has left: what becomes of it does not depend on who waits for the answer.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from enum import StrEnum
from types import TracebackType
from typing import Protocol, Self
from urllib.parse import parse_qsl, urlsplit

import anyio
from virtual_time import START, VirtualTime

from bulkzcrm.sandbox import seed, service_reads
from bulkzcrm.sandbox.answers import Answer, Refused
from bulkzcrm.sandbox.faults import Fault, Faults
from bulkzcrm.sandbox.jsontext import Json, dumps
from bulkzcrm.sandbox.oauth import Tokens
from bulkzcrm.sandbox.options import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, SandboxOptions
from bulkzcrm.sandbox.organisation import Call, Organisation
from bulkzcrm.sandbox.quotas import Credits
from bulkzcrm.sandbox.routes import find
from bulkzcrm.sandbox.server import TOKEN_PATH
from bulkzcrm.sandbox.service import Service
from bulkzcrm.sandbox.service_writes import count_records
from bulkzcrm.sandbox.store import Store
from bulkzcrm.sandbox.wounds import HTML, wounded
from bulkzcrm.wire import LostError, Reply

API = "https://www.zohoapis.com"
ACCOUNTS = "https://accounts.zoho.com"
"""The vendor's own names, so that nothing is let off for being on this machine; no request ever leaves it."""

ENVIRONMENT: Mapping[str, str] = {
    "BULKZCRM_API_DOMAIN": API,
    "BULKZCRM_ACCOUNTS_URL": ACCOUNTS,
    "BULKZCRM_CLIENT_ID": CLIENT_ID,
    "BULKZCRM_CLIENT_SECRET": CLIENT_SECRET,
    "BULKZCRM_REFRESH_TOKEN": REFRESH_TOKEN,
    "BULKZCRM_ORG_ID": seed.ZGID,
}

LATENCY_S = 0.1
"""From departure to answer; half-way, the request has arrived and is done."""

_CUT = (Fault.CUT_BEFORE, Fault.CUT_AFTER, Fault.CUT_BODY)
_PAGE_OF_HTML = (Fault.NOT_JSON_BEFORE, Fault.NOT_JSON_AFTER)


class Fate(StrEnum):
    """What becomes of a write on its way, while its sender lives on."""

    REQUEST_LOST = "the request is lost"
    ANSWER_LOST = "the answer is lost"
    LATE = "the request arrives after its sender has given up"


@dataclass(slots=True, kw_only=True)
class Arrival:
    """A request that has left. `due` is when it arrives (`None`: never), in seconds; then it has an answer."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    due: float | None = None
    answer: Answer | None = None
    fault: Fault | None = None

    def arrives_at(self, due: float | None) -> None:
        self.due = due

    @property
    def is_write(self) -> bool:
        return self.method != "GET" and urlsplit(self.url).path != TOKEN_PATH

    @property
    def title(self) -> str:
        return f"{self.method} {urlsplit(self.url).path.removeprefix('/crm/v8/')}"


class SimulatedServer:
    """The organisation, its clock (`ahead_s` before everybody else's), and the requests that are on their way to it."""

    def __init__(
        self,
        time: VirtualTime,
        *,
        options: SandboxOptions | None = None,
        faults: Faults | None = None,
        ahead_s: float = 0.0,
    ) -> None:
        self._time = time
        self._ahead_s = ahead_s
        self._at: float | None = None
        self._on_their_way: list[Arrival] = []
        settings = options or SandboxOptions()
        self.store = Store(None)
        tokens = Tokens(self.store, settings, self.now)
        with self.store.transaction():
            self.store.sow()
            tokens.sow()
        self._organisation = Organisation(self.store, settings, self.now)
        self.service = Service(
            self._organisation, tokens, Credits(self.store, settings.credit_limit, self.now), faults or Faults()
        )
        self.served: list[tuple[str, int | None]] = []
        """Every request that arrived, as a title, with the status of its answer (`None`: cut)."""
        self.seeded = self.records()

    def now(self) -> datetime:
        """Tell the moment by the server's clock: the one at which the request in hand has arrived."""
        seconds = self._time.seconds if self._at is None else self._at
        return START + timedelta(seconds=seconds + self._ahead_s)

    def expect(self, arrival: Arrival) -> Arrival:
        """Take note of a request that has just left."""
        self._on_their_way.append(arrival)
        return arrival

    def lose_what_is_under_way(self) -> None:
        """Have nothing arrive of what is not yet here and did not leave to arrive late."""
        for arrival in self._on_their_way:
            if arrival.due is not None and arrival.due <= self._time.seconds + LATENCY_S:
                arrival.due = None

    def under_way(self) -> list[tuple[str, float | None, bytes]]:
        """Tell what has left and has not arrived, and when it will."""
        return [(each.title, each.due, each.body) for each in self._on_their_way if each.due is not None]

    def catch_up(self, *, to_the_end: bool = False) -> None:
        """Answer all requests that have arrived by now, in their order; or all that will ever."""
        # Sums of fractions are not exact, and nothing happens within a microsecond.
        until = float("inf") if to_the_end else self._time.seconds + 1e-6
        due = sorted(
            (each for each in self._on_their_way if each.due is not None and each.due <= until),
            key=lambda each: each.due or 0.0,
        )
        for arrival in due:
            self._on_their_way.remove(arrival)
            self._at = arrival.due
            arrival.answer, arrival.fault = self._answer(arrival)
            self._at = None
            self.served.append((arrival.title, None if arrival.fault in _CUT else arrival.answer.status))

    def reply(self, arrival: Arrival) -> Reply:
        """Return what comes back for a request that was answered. Raises LostError where the connection is cut."""
        assert arrival.answer is not None
        if arrival.fault in _CUT:
            raise LostError("The connection was cut.")
        headers = {
            **{name.lower(): value for name, value in arrival.answer.headers.items()},
            **{name.lower(): value for name, value in self.service.credits.headers().items()},
            "date": format_datetime(self.now().astimezone(UTC), usegmt=True),
        }
        body = b"" if arrival.answer.body is None else dumps(arrival.answer.body).encode()
        if arrival.fault in _PAGE_OF_HTML:
            body = HTML.encode()
        return Reply(status=arrival.answer.status, headers=headers, body=body, elapsed=LATENCY_S)

    def records(self) -> dict[str, Json]:
        """All that the organisation holds, by id; the settings by their names."""
        services = [service_reads.full_row(self._organisation, service) for service in self.store.services()]
        settings = {name: self.store.document(name) for name in ("business_hours", "service_preferences")}
        return {str(each["id"]): each for each in [*services, *self.store.scoring_rules()]} | settings

    def _answer(self, arrival: Arrival) -> tuple[Answer, Fault | None]:
        parts = urlsplit(arrival.url)
        if parts.path == TOKEN_PATH:
            form = dict(parse_qsl(arrival.body.decode()))
            with self.store.transaction():
                return self.service.tokens.answer(form, API), None
        try:
            route = find(arrival.method, parts.path)
        except Refused as refusal:
            return refusal.answer, None
        call = Call(path_id=route.path_id, query=dict(parse_qsl(parts.query)), body=arrival.body)
        records = int(route.operation.is_write)
        if records and parts.path.split("/")[3] == "Services__s":
            records = count_records(call.body, call.path_id)
        answer, fault = self.service.answer(route, call, arrival.headers.get("Authorization", ""), records)
        return wounded(answer, fault), fault


class Passing(Protocol):
    """What a program goes through point by point; it may be killed at each."""

    def point(self, title: str, *, dying: Callable[[], None] = ...) -> None:
        """Pass a point, or die there; `dying` says what else happens then."""
        ...


@dataclass(slots=True, kw_only=True)
class SimulatedWire:
    """What exchanges HTTP in one life of the program. `fate_of` says what becomes of the next write."""

    server: SimulatedServer
    life: Passing
    time: VirtualTime
    fate_of: Callable[[], Fate | None]
    timeout_s: float
    late_s: float
    """Seconds after its departure at which a request arrives that comes late."""
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        return None

    async def exchange(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        on_departure: Callable[[], None] | None = None,
    ) -> Reply:
        """Send a request through, with a point at each boundary that it crosses."""
        arrival = Arrival(method=method, url=url, headers=dict(headers), body=body or b"")
        title = f"request {next(self._numbers)} ({arrival.title})"
        self.life.point(f"{title} is about to leave")
        if on_departure is not None:
            on_departure()
        self.server.expect(arrival)
        left = self.time.seconds
        fate = self.fate_of() if arrival.is_write else None
        arrives = {None: left + LATENCY_S / 2, Fate.ANSWER_LOST: left + LATENCY_S / 2, Fate.LATE: left + self.late_s}
        arrival.due = arrives.get(fate)
        if arrival.is_write:
            self.life.point(f"{title} has left and never arrives", dying=lambda: arrival.arrives_at(None))
            self.life.point(f"{title} has left and arrives late", dying=lambda: arrival.arrives_at(left + self.late_s))
        await anyio.sleep(self.timeout_s if fate is Fate.LATE else LATENCY_S / 2)
        self.server.catch_up()
        self.life.point(f"{title} has arrived, if it does, and its answer is on its way")
        if fate is not None:
            raise LostError("The answer did not come.")
        await anyio.sleep(LATENCY_S / 2)
        # Whoever was killed in the meantime does not come back for the answer.
        self.life.point(f"{title} is answered")
        return self.server.reply(arrival)
