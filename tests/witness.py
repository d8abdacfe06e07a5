"""The simulated organisation with a witness: every change that was ever made, whose it was, and what it left there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from simulated_server import LATENCY_S, Arrival, SimulatedServer
from virtual_time import VirtualTime

from bulkzcrm.sandbox import seed
from bulkzcrm.sandbox.answers import Answer
from bulkzcrm.sandbox.faults import Fault
from bulkzcrm.sandbox.options import SandboxOptions
from bulkzcrm.wire import Reply

SOMEBODY = ""
"""Whoever changes something without the program."""

Holdings = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Deed:
    """One record as it was left by a change; `whose` is the run (or `SOMEBODY`), `at` seconds of virtual time."""

    whose: str
    at: float
    record_id: str
    is_new: bool
    holds: Mapping[str, Any]
    is_late: bool = False
    """Whether the request came after its sender had given it up."""


class Witness(SimulatedServer):
    """Notes deeds in their order; also lets somebody work in the organisation."""

    def __init__(self, time: VirtualTime, *, options: SandboxOptions, ahead_s: float) -> None:
        super().__init__(time, options=options, ahead_s=ahead_s)
        self.deeds = [Deed(SOMEBODY, 0.0, record_id, True, holds) for record_id, holds in self._all().items()]
        self.owners: list[tuple[Arrival, str, float]] = []
        self._prices = 500_000
        self._names = 0

    def seen_by(self, run: Callable[[], str]) -> _Seen:
        """The organisation as the requests of a run reach it."""
        return _Seen(self, run)

    def history(self, record_id: str) -> list[Deed]:
        """What became of a record, from its seed on."""
        return [deed for deed in self.deeds if deed.record_id == record_id]

    def made(self) -> dict[str, Deed]:
        """All records that programs made, as they were when they came into being, by id."""
        return {deed.record_id: deed for deed in self.deeds if deed.is_new and deed.whose != SOMEBODY}

    # -- somebody else ---------------------------------------------------------------------------------------------

    def edit_newest(self) -> None:
        """Change the price of the newest service."""
        if not self._is_busy:
            newest = self.store.services()[-1]
            self._prices += 1
            self._put({**newest, "Price": str(self._prices), "Modified_By": _AISHA})

    def edit(self, record_id: str) -> None:
        """Change the price of a service."""
        service = self.store.service(record_id)
        if service is not None:
            self._prices += 1
            self._put({**service, "Price": str(self._prices), "Modified_By": _AISHA})

    def make_namesake(self, name: str | None = None, *, price: str | None = None, by_us: bool = False) -> None:
        """Make a service of the newest one's name, or another: by another user, or by ours but then never the same."""
        if self._is_busy:
            return
        newest = self.store.services()[-1]
        self._prices += 1
        unique = self._organisation.unique
        made = {
            **newest,
            "id": self.store.new_id("services"),
            "Service_Name": name or newest["Service_Name"],
            "Price": price if price is not None and not by_us else str(self._prices),
            "Created_By": seed.CURRENT_USER if by_us else _AISHA,
            "Created_Time": self._organisation.timestamp(),
            "Status": "Not in Use",
        }
        if unique is not None:
            if unique.name != "Service_Name":
                made[unique.name] = None
            elif unique.owner(made["Service_Name"]) is not None:
                return
        self._put(made)

    def _put(self, service: dict[str, Any]) -> None:
        before = self._all()
        with self.store.transaction():
            self.store.put_service({**service, "Modified_Time": self._organisation.timestamp()})
            if self._organisation.unique is not None:
                self._organisation.unique.keep(self.store.service(str(service["id"])) or {})
        self._note(SOMEBODY, before)

    @property
    def _is_busy(self) -> bool:
        return self.store._connection.in_transaction

    # -- what programs do ------------------------------------------------------------------------------------------

    def _answer(self, arrival: Arrival) -> tuple[Answer, Fault | None]:
        if not arrival.is_write:
            return super()._answer(arrival)
        before = self._all()
        answer = super()._answer(arrival)
        whose, left = next((run, left) for each, run, left in self.owners if each is arrival)
        self._note(whose, before, is_late=(arrival.due or 0.0) > left + LATENCY_S)
        return answer

    def _note(self, whose: str, before: Holdings, *, is_late: bool = False) -> None:
        at = self._time.seconds if self._at is None else self._at
        for record_id, holds in self._all().items():
            if before.get(record_id) != holds:
                self.deeds.append(Deed(whose, at, record_id, record_id not in before, holds, is_late))

    def _all(self) -> Holdings:
        services = {str(each["id"]): dict(each) for each in self.store.services()}
        rules = {str(each["id"]): dict(each) for each in self.store.scoring_rules()}
        return {**services, **rules, "service_preferences": dict(self.store.document("service_preferences"))}


@dataclass(slots=True)
class _Seen:
    """Passes everything on, and notes whose requests they are."""

    witness: Witness
    run: Callable[[], str]

    def expect(self, arrival: Arrival) -> Arrival:
        self.witness.owners.append((arrival, self.run(), self.witness._time.seconds))
        return self.witness.expect(arrival)

    def catch_up(self) -> None:
        self.witness.catch_up()

    def reply(self, arrival: Arrival) -> Reply:
        return self.witness.reply(arrival)


_AISHA = {"id": "5545974000000393003", "name": "Aisha Karim"}
