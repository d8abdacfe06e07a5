"""Both statements of the vendor's pages side by side, in one process and without a socket.

`TwoSides.client` takes a row the whole way that a run takes it, from cells to the request, and stops before the wire.
`TwoSides.server` gives a request to the sandbox and undoes what it did, so that each case meets the same organisation.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from golden_pairs import Local

from bulkzcrm.cells import column_letter
from bulkzcrm.errors import RefusedError
from bulkzcrm.events import Event, Listener
from bulkzcrm.journal import Journal, NewRun, Progress
from bulkzcrm.model import Column, Problem, Record, Row, Table
from bulkzcrm.readings import read_organisation, wanted_readings
from bulkzcrm.run.composing import Composer
from bulkzcrm.run.ingesting import take_in
from bulkzcrm.run.judging import Judge
from bulkzcrm.run.judging_all import judge_all
from bulkzcrm.run.options import RunOptions
from bulkzcrm.sandbox import SandboxOptions, seed
from bulkzcrm.sandbox.answers import Answer, Refused
from bulkzcrm.sandbox.organisation import Call
from bulkzcrm.sandbox.organisation import Organisation as Premises
from bulkzcrm.sandbox.routes import find
from bulkzcrm.sandbox.service import _DOERS
from bulkzcrm.sandbox.store import Store
from bulkzcrm.spec.operation import Operation, Request
from bulkzcrm.spec.organisation import Organisation

API = "/crm/v8/"

_WRITTEN = {name: seed.services()[0][name] for name in ("Created_Time", "Modified_Time", "Created_By", "Modified_By")}

_encode = msgspec.json.Encoder(decimal_format="number").encode
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


@dataclass(frozen=True, slots=True)
class Verdict:
    """What our client makes of a row: sent (then `request` is what leaves), unchanged, or invalid with its problems."""

    says: Local
    problems: tuple[Problem, ...] = ()
    request: Request | None = None

    @property
    def codes(self) -> list[str]:
        return [problem.code for problem in self.problems]


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the sandbox answers, and all it would hold afterwards.

    `fields` are those to which the first verdict points: the one refused, and the one on which it depends.
    """

    status: int
    code: str
    fields: frozenset[str]
    holds: Mapping[str, Any]

    @property
    def accepts(self) -> bool:
        return self.status < 300


def _nobody_listens(event: Event) -> None:
    del event


class TwoSides:
    """One organisation at one moment, as the sandbox holds it and as our client has read it.

    `settings` are keys of the business hours and service preferences that differ from the seeded ones.
    """

    def __init__(
        self,
        now: datetime,
        *,
        options: SandboxOptions | None = None,
        settings: Mapping[str, Mapping[str, Any]] | None = None,
        services: Sequence[Mapping[str, Any]] | None = None,
        users: Sequence[Mapping[str, Any]] | None = None,
    ) -> None:
        self.now = now
        self.announce: Listener = _nobody_listens
        self._store = Store(None)
        with self._store.transaction():
            self._store.sow()
            for name, document in (settings or {}).items():
                self._store.put_document(name, {**self._store.document(name), **document})
            if services is not None:
                self._store.execute("DELETE FROM services")
            for service in services or ():
                self._store.put_service({**seed.SERVICE_FIELDS_DEFAULT, **_WRITTEN, **service})
        people = tuple(seed.users() if users is None else users)
        self._premises = Premises(self._store, options or SandboxOptions(), lambda: now, people)
        self._journal = Journal.temporary()
        self._numbers = itertools.count(1)
        self._loop = asyncio.new_event_loop()
        self._read: dict[frozenset[str], Organisation] = {}
        self.reads = 0

    def close(self) -> None:
        self._journal.close()
        self._store.close()
        self._loop.close()

    def services(self) -> dict[str, dict[str, Any]]:
        """All services with all they hold, by id."""
        return {service["id"]: service for service in self._store.services()}

    def rule_named(self, name: str, module: str | None) -> str:
        """The id of the scoring rule of that name, case aside."""
        rules = [rule for rule in self._store.scoring_rules() if rule["name"].casefold() == name.casefold()]
        return next(rule["id"] for rule in rules if module in (None, rule["module"]["api_name"]))

    def holds(self) -> dict[str, Any]:
        """All that the organisation holds, in a form in which equal things are equal."""
        return {
            "services": {key: _content(service) for key, service in self.services().items()},
            "business_hours": self._store.document("business_hours"),
            "service_preferences": self._store.document("service_preferences"),
            "scoring_rules": {rule["id"]: rule["active"] for rule in self._store.scoring_rules()},
        }

    # -- the server's side

    def server(self, method: str, path: str, body: Any) -> Ruling:
        """Give the sandbox a request, keep its ruling, and undo what it did."""
        sent = b"" if body is None else _encode(body)
        counters = deepcopy(self._store._next)
        with self._store.transaction(), self._store.savepoint() as undo:
            answer = self._answer(method, path, {}, sent)
            holds = self.holds()
            undo()
        self._store._next = counters
        first = _first_verdict(answer.body)
        return Ruling(answer.status, first["code"], _fields(first["details"]), holds)

    def _answer(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> Answer:
        try:
            route = find(method, path)
            return _DOERS[route.operation](self._premises, Call(path_id=route.path_id, query=query, body=body))
        except Refused as refusal:
            return refusal.answer

    # -- the client's side

    async def read(self, path: str, query: Mapping[str, str] | None = None) -> Mapping[str, Any] | None:
        """Stand in for the client's connection: the one thing that readings ask of it."""
        self.reads += 1
        answer = self._answer("GET", API + path, query or {}, b"")
        return None if answer.body is None else _decode(_encode(answer.body))

    def client(self, operation: Operation, cells: Mapping[str, str]) -> Verdict:
        """Take one row through ingest, judging and composing."""
        run = f"run {next(self._numbers)}"
        try:
            self._take_in(operation, cells, run)
        except RefusedError as refusal:
            problem = Problem(code="REFUSED", field="", message=refusal.message, remedy=refusal.remedy)
            return Verdict(Local.INVALID, (problem,))
        organisation = self.organisation(operation, cells)
        judge = Judge(
            operation=operation,
            organisation=organisation,
            letters={},
            now=self.now,
            time_zone=None,
            announce=_unheard,
        )
        judge_all(judge, self._journal, run, lambda settled: self._journal.settle_rows(run, 0, settled))
        [row] = self._journal.rows(run, 0, 1, None)
        self._journal.drop_run(run, 0)
        match row.status:
            case Progress.INVALID:
                return Verdict(Local.INVALID, row.problems)
            case Progress.UNCHANGED:
                return Verdict(Local.UNCHANGED)
        composed = self._loop.run_until_complete(Composer(judge, organisation, self).compose([row]))
        if composed.settled:
            [settled] = composed.settled
            says = Local.INVALID if settled.status is Progress.INVALID else Local.UNCHANGED
            return Verdict(says, settled.problems)
        request = operation.request([composed.sendable[0].record], triggers=True)
        return Verdict(Local.SENDS, request=request)

    def _take_in(self, operation: Operation, cells: Mapping[str, str], run: str) -> None:
        columns = tuple(Column(index, column_letter(index), name) for index, name in enumerate(cells))
        values = tuple(text if text.strip() else None for text in cells.values())
        table = Table("rows.csv", columns, iter([Row(2, values)]), 1)

        def begin(kept: tuple[Column, ...]) -> tuple[str, int]:
            new = NewRun(id=run, operation=operation.name, api_domain="", source="rows.csv", columns=kept, header_row=1)
            self._journal.add_run(new)
            return run, 0

        quiet = {"announce": _unheard, "go_on": lambda: None}
        take_in(table, operation, RunOptions(), self._journal, begin, **quiet)

    def organisation(self, operation: Operation, given: Collection[str]) -> Organisation:
        """What our client reads of the organisation for an operation whose source gives these fields."""
        fields = {each.name for each in operation.fields} & set(given)
        wanted = wanted_readings(operation, fields, carried=False)
        key = frozenset(wanted)
        if key not in self._read:
            self._read[key] = self._loop.run_until_complete(read_organisation(self, wanted))
        return self._read[key]


_shared: dict[str, TwoSides] = {}


def shared(name: str, make: Callable[[], TwoSides]) -> TwoSides:
    """Return the organisation of that name, made once: every case leaves it as it was."""
    if name not in _shared:
        _shared[name] = make()
    return _shared[name]


def close_shared() -> None:
    """Close them all; whoever asks again has them made anew."""
    while _shared:
        _shared.popitem()[1].close()


def _unheard(event: Event) -> None:
    """Hear what is announced, and let it pass."""


def _content(service: Record) -> dict[str, Any]:
    """What a service holds, apart from what every write of it makes anew."""
    content = {key: value for key, value in service.items() if key not in {"id", "Modified_Time", "Created_Time"}}
    content["Members"] = {member["Members"]["id"] for member in content["Members"]}
    content["Tax"] = {tax["id"] for tax in content["Tax"]}
    content["Price"] = Decimal(content["Price"])
    for moment in ("Unavailable_From", "Unavailable_Till"):
        content[moment] = content[moment] and datetime.fromisoformat(content[moment])
    for several in ("Available_Days", "Available_Dates"):
        content[several] = content[several] and set(content[several])
    return content


def _first_verdict(body: Any) -> Any:
    """The first verdict: bare, in an array, or under a setting's name."""
    while "code" not in body:
        [body, *_] = body.values() if isinstance(body, dict) else body
    return body


def _fields(details: Mapping[str, Any]) -> frozenset[str]:
    """`$.data[0].Members[2].Members.id` is about `Members`."""
    places = [details.get("json_path"), details.get("dependee", {}).get("json_path")]
    return frozenset(re.split(r"[.\[]", re.sub(r"^\$\.\w+(\[\d+\])?\.", "", place))[0] for place in places if place)
