"""The sandbox without sockets, behind a die: most answers are honest, the others odd, lost, or of nobody's making."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from random import Random
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import parse_qsl, urlsplit

import anyio.lowlevel
import odd_json

from bulkzcrm.sandbox.answers import Answer, Refused
from bulkzcrm.sandbox.faults import Faults
from bulkzcrm.sandbox.jsontext import Json, dumps
from bulkzcrm.sandbox.oauth import Tokens
from bulkzcrm.sandbox.options import SandboxOptions
from bulkzcrm.sandbox.organisation import Call, Organisation
from bulkzcrm.sandbox.quotas import Credits
from bulkzcrm.sandbox.routes import find
from bulkzcrm.sandbox.service import Service
from bulkzcrm.sandbox.store import Store
from bulkzcrm.wire import LostError, NotSentError, Reply

ORIGIN: Final = "http://127.0.0.1:9"
API: Final = "/crm/v8/"
_MOST_REQUESTS: Final = 500


class EndlessError(AssertionError):
    """A run asks and asks."""


@dataclass(frozen=True, slots=True)
class Said:
    """What came back for a request: an answer, or nothing, after it had left or before."""

    status: int = 0
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    lost: bool = False
    left: bool = True


@dataclass(frozen=True, slots=True)
class Exchanged:
    """One request of the API and what came back."""

    method: str
    path: str
    """Below the API's version."""
    sent: Any
    said: Said

    @property
    def is_write(self) -> bool:
        return self.method != "GET"


class StandIn:
    """The sandbox's organisation, asked without sockets."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        options = SandboxOptions(token_throttle=None, credit_limit=10**9, token_life_s=10**6)
        self._clock = clock
        self._store = Store(None)
        self._tokens = Tokens(self._store, options, clock)
        with self._store.transaction():
            self._store.sow()
            self._tokens.sow()
        organisation = Organisation(self._store, options, clock)
        self._service = Service(organisation, self._tokens, Credits(self._store, options.credit_limit, clock), Faults())

    def close(self) -> None:
        self._store.close()

    def services(self) -> list[Json]:
        """All services as they are stored, by id."""
        return self._store.services()

    def answer(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Said:
        """Do what a request asks, and answer it honestly."""
        parts = urlsplit(url)
        if parts.path.startswith("/oauth/"):
            with self._store.transaction():
                return self._said(self._tokens.answer(dict(parse_qsl(body.decode())), ORIGIN))
        try:
            route = find(method, parts.path)
        except Refused as refusal:
            return self._said(refusal.answer)
        call = Call(path_id=route.path_id, query=dict(parse_qsl(parts.query)), body=body)
        answer, _ = self._service.answer(route, call, headers.get("Authorization", ""), 1)
        return self._said(answer)

    def _said(self, answer: Answer) -> Said:
        body = b"" if answer.body is None else dumps(answer.body).encode()
        date = format_datetime(self._clock().astimezone(UTC), usegmt=True)
        return Said(answer.status, body, {"Date": date, "Content-Type": "application/json;charset=UTF-8"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Mood:
    """How likely an exchange of each kind is to go wrong; `lies` allows answers that misstate what was done."""

    tokens: float = 0.0
    reads: float = 0.0
    writes: float = 0.0
    lies: bool = True


@dataclass(slots=True)
class OddServer:
    """Decides what comes back for each request."""

    stand_in: StandIn
    die: Random
    mood: Mood
    wrapper: str
    exchanged: list[Exchanged] = field(default_factory=list)
    asked: int = 0
    odd: int = 0
    """Answers that were not what the stand-in said."""

    def calm_down(self) -> None:
        self.mood = Mood()

    def serve(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, leave: Callable[[], None]
    ) -> Said:
        """Return what comes back. `leave` is called before a request leaves, and keeps it from leaving if it raises."""
        self.asked += 1
        if self.asked > _MOST_REQUESTS:
            raise EndlessError(f"more than {_MOST_REQUESTS} requests for a handful of rows")
        path = urlsplit(url).path
        is_api = path.startswith(API)
        chance = self.mood.tokens if not is_api else self.mood.reads if method == "GET" else self.mood.writes
        sent = json.loads(body) if body and is_api else None
        if self.die.random() < chance / 9:
            said = Said(left=False)
        else:
            leave()
            said = self._chosen(lambda: self.stand_in.answer(method, url, headers, body or b""), method, sent, chance)
        if is_api:
            self.exchanged.append(Exchanged(method, path.removeprefix(API), sent, said))
        return said

    def _chosen(self, honest: Callable[[], Said], method: str, sent: Any, chance: float) -> Said:
        if self.die.random() >= chance:
            return honest()
        self.odd += 1
        count = len(sent["data"]) if isinstance(sent, dict) and isinstance(sent.get("data"), list) else 1
        return self._odd(honest, count) if self.mood.lies or method == "GET" else self._unproven(honest)

    def _unproven(self, honest: Callable[[], Said]) -> Said:
        """Let the answer be lost, or prove nothing, whether the request was done or not."""
        die = self.die
        match die.randrange(6):
            case 0:
                return Said(lost=True)
            case 1:
                honest()
                return Said(lost=True)
            case 2:
                honest()
                return Said(die.choice([500, 502, 503, 504]), die.choice([odd_json.HTML, b"", b"oops"]))
            case 3:
                return Said(500, b'{"code":"INTERNAL_ERROR","details":{},"message":"x","status":"error"}')
            case 4:
                said = honest()
                broken = odd_json.wounded(die, said.body)
                return Said(200, b"" if _is_json(broken) else broken, odd_json.headers(die, said.headers))
            case _:
                return Said(429, b'{"code":"TOO_MANY_REQUESTS","details":{},"message":"x","status":"error"}')

    def _odd(self, honest: Callable[[], Said], count: int) -> Said:
        die = self.die
        match die.randrange(9):
            case 0:
                return self._unproven(honest)
            case 1 | 2:
                said = honest()
                return Said(said.status, odd_json.distorted(die, said.body), odd_json.headers(die, said.headers))
            case 3:
                said = honest()
                return Said(said.status, odd_json.wounded(die, said.body), odd_json.headers(die, said.headers))
            case 4:
                said = honest()
                return Said(die.choice(odd_json.STATUSES), said.body, odd_json.headers(die, said.headers))
            case 5:
                said = honest()
                return Said(die.choice(odd_json.STATUSES), odd_json.flipped(die, said.body), said.headers)
            case _:
                said = odd_json.written(odd_json.answer(die, self.wrapper, count)).encode(errors="surrogatepass")
                return Said(die.choice(odd_json.STATUSES), said, odd_json.headers(die, {}))


def _nobody_asks() -> None:
    return None


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


class OddWire:
    """What exchanges HTTP, without any."""

    def __init__(self, server: OddServer) -> None:
        self._server = server

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
        await anyio.lowlevel.checkpoint()
        said = self._server.serve(method, url, headers, body, on_departure or _nobody_asks)
        if not said.left:
            raise NotSentError("The name cannot be found.")
        await anyio.lowlevel.checkpoint()
        if said.lost:
            raise LostError("The connection was closed.")
        kept = {name.lower(): value for name, value in said.headers.items()}
        return Reply(status=said.status, headers=kept, body=said.body, elapsed=0.01)
