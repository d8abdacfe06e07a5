"""Each line of the table of certainty, brought about for real: what the journal says then, and what is sent again."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from desk import NOW, SERVICE, Desk, desk_at, services
from forwarder import Cut, Heard, Say
from wires import WatchedWire

from bulkzcrm.journal import Journal
from bulkzcrm.run.engine import carry_on
from bulkzcrm.run.surroundings import Surroundings
from bulkzcrm.spec.certainty import CERTAINTY, Certainty, Observed, Proof
from bulkzcrm.spec.operations import OPERATIONS

CREATE, UPDATE = "create-services", "update-services"
ROWS = {
    CREATE: services(3),
    UPDATE: [{"id": SERVICE.format(number), "Duration": "35"} for number in range(2, 5)],
}


def error(code: object, **details: object) -> dict[str, Any]:
    return {"code": code, "details": details, "message": "no", "status": "error"}


def success(record_id: str) -> dict[str, Any]:
    return {"code": "SUCCESS", "details": {"id": record_id}, "message": "done", "status": "success"}


WRONG_PRICE = error("INVALID_DATA", api_name="Price")
TROUBLE = error("INTERNAL_ERROR")
TOO_MANY = error("TOO_MANY_REQUESTS")

STEPS: list[tuple[Observed, str, Say | Cut]] = [
    (Observed.BROKEN_OFF, "cut before it was applied", Cut(applied=False)),
    (Observed.BROKEN_OFF, "cut after it was applied", Cut(applied=True)),
    (Observed.ROWS_JUDGED, "every row is refused", Say(202, {"data": [WRONG_PRICE] * 3})),
    (Observed.ROW_UNJUDGED, "a row is in trouble", Say(207, {"data": [TROUBLE, WRONG_PRICE, WRONG_PRICE]})),
    (Observed.ROW_UNJUDGED, "a row has no status", Say(207, {"data": [{}, WRONG_PRICE, WRONG_PRICE]})),
    (Observed.ROW_UNJUDGED, "no row has a status", Say(200, {"data": [{}, {}, {}]})),
    (Observed.ROW_UNJUDGED, "every row has a number for a code", Say(200, {"data": [error(429)] * 3})),
    (Observed.ROW_UNJUDGED, "a row has one", Say(207, {"data": [error(429), WRONG_PRICE, WRONG_PRICE]})),
    (Observed.ROW_TURNED_AWAY, "a row is throttled", Say(207, {"data": [TOO_MANY, WRONG_PRICE, WRONG_PRICE]})),
    (Observed.WRONG_LENGTH, "too few", Say(200, {"data": [success(SERVICE.format(2)), success(SERVICE.format(3))]})),
    (Observed.WRONG_LENGTH, "none", Say(200, {"data": []})),
    (Observed.OTHER_RECORDS, "ids that are none", Say(200, {"data": [success("12.5")] * 3})),
    (Observed.OTHER_RECORDS, "one id for all", Say(200, {"data": [success(SERVICE.format(2))] * 3})),
    (Observed.BARE_SUCCESS, "a success for nobody", Say(200, success(SERVICE.format(2)))),
    (Observed.BARE_SUCCESS, "a code with 200", Say(200, WRONG_PRICE)),
    (Observed.UNREADABLE, "a page with 200", Say(200, b"<html>Welcome to the hotel</html>")),
    (Observed.UNREADABLE, "nothing with 200", Say(200)),
    (Observed.UNREADABLE, "half of it", Say(200, b'{"data":[{"code":"SUC')),
    (Observed.UNREADABLE, "a page with 404", Say(404, b"<html>gone</html>")),
    (Observed.UNREADABLE, "a page with 400", Say(400, b"<html>bad</html>")),
    (Observed.UNREADABLE, "a gateway's JSON", Say(400, {"error": "upstream connect error"})),
    (Observed.UNREADABLE, "a number for a code", Say(400, {"code": 4711, "message": "no"})),
    (Observed.UNREADABLE, "another's status", Say(404, {"code": "NOT_FOUND", "status": 404})),
    (Observed.NOT_REFUSED_SO, "the time ran out", Say(408, {"error": "upstream request timeout"})),
    (Observed.NOT_REFUSED_SO, "its sender was gone", Say(499, {"code": 499, "message": "client closed request"})),
    (Observed.NOT_REFUSED_SO, "in the API's form", Say(408, error("REQUEST_TIMEOUT"))),
    (Observed.NOT_REFUSED_SO, "for every row", Say(409, {"data": [WRONG_PRICE] * 3})),
    (Observed.REDIRECT, "elsewhere", Say(307, headers={"Location": "https://elsewhere.example/"})),
    (Observed.SERVER_ERROR, "a code with 500", Say(500, TROUBLE)),
    (Observed.SERVER_ERROR, "a page with 502", Say(502, b"<html>bad gateway</html>")),
    (Observed.SERVER_ERROR, "nothing with 504", Say(504)),
    (Observed.INTERNAL_ERROR, "with 400", Say(400, TROUBLE)),
    (Observed.INTERNAL_ERROR, "wrapped", Say(400, {"data": [TROUBLE] * 3})),
    (Observed.TOKEN_REFUSED, "with a code", Say(401, error("INVALID_TOKEN"))),
    (Observed.TOKEN_REFUSED, "without a word", Say(401)),
    (Observed.FORBIDDEN, "a scope is missing", Say(401, error("OAUTH_SCOPE_MISMATCH"))),
    (Observed.FORBIDDEN, "a right is missing", Say(403, error("NO_PERMISSION"))),
    (Observed.FORBIDDEN, "without a word", Say(403)),
    (Observed.REFUSED, "for a row", Say(400, error("INVALID_DATA", api_name="Price", json_path="$.data[1].Price"))),
    (Observed.REFUSED, "for all rows", Say(400, error("MANDATORY_NOT_FOUND", api_name="data"))),
    (Observed.REFUSED, "for good", Say(400, error("INVALID_MODULE"))),
    (Observed.THROTTLED, "with a code", Say(429, TOO_MANY)),
    (Observed.THROTTLED, "without a word", Say(429)),
    (Observed.TOO_LARGE, "without a word", Say(413)),
    (Observed.NOT_SERVED, "the method", Say(405, b"<html>")),
    (Observed.NOT_SERVED, "the proxy", Say(407, b"<html>who are you?")),
    (Observed.NOT_SERVED, "the form", Say(415)),
]
"""What the server does with the first write of three rows."""


@dataclass
class Scene:
    """A desk, and what was seen there."""

    desk: Desk
    states: list[dict[int, str]] = field(default_factory=list)
    """The states of the batches in the journal, by their numbers, at each reading."""

    async def look(self, heard: Heard) -> None:
        if not heard.is_write:
            self.states.append(self.journalled())

    def journalled(self) -> dict[int, str]:
        with closing(sqlite3.connect(self.desk.home / "journal.sqlite3")) as journal:
            return dict(journal.execute("SELECT number, state FROM batch").fetchall())

    @property
    def proof(self) -> Proof:
        """What the program has taken to be proved of the first request, by all that it did."""
        if any(states.get(1) == "in_doubt" for states in [*self.states, self.journalled()]):
            return Proof.UNKNOWN
        return Proof.AS_TOLD if len(self.desk.wire.writes) == 1 and self.is_told else Proof.NOT_APPLIED

    @property
    def is_told(self) -> bool:
        return set(self.desk.statuses) == {"rejected"}

    def read_before_repeating(self) -> bool:
        """Whether records were listed between the first write and the next."""
        places = [place for place, heard in enumerate(self.desk.wire.heard) if heard.is_write]
        end = places[1] if len(places) > 1 else None
        between = self.desk.wire.heard[places[0] + 1 : end] if places else []
        return any(heard.path.startswith("Services__s") for heard in between)


async def happening(scene: Scene, operation: str, step: Say | Cut) -> None:
    """Let the first write meet `step`, and the run go on as far as it does."""
    desk = scene.desk

    async def first_write(heard: Heard) -> Say | Cut | None:
        await scene.look(heard)
        return step if heard.is_write and heard is desk.wire.writes[0] else None

    desk.wire.interfere = first_write
    await desk.run(operation, ROWS[operation])


async def tampered(scene: Scene, operation: str, tamper: Callable[[str], str], around: Surroundings) -> WatchedWire:
    """Carry on with a run of which the first write is tampered with before it leaves."""
    wire = WatchedWire(before_write=lambda number, url: tamper(url) if number == 1 else url)
    scene.desk.wire.interfere = scene.look
    run = await scene.desk.begin(operation, ROWS[operation])
    with Journal.open(scene.desk.home) as journal:
        await carry_on(journal, run, OPERATIONS[operation], replace(around, wire=lambda: wire), resume="")
    return wire


async def not_connected(scene: Scene, operation: str) -> None:
    """Nobody listens where the first write is sent to."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{taken.getsockname()[1]}"
    wire = await tampered(
        scene, operation, lambda url: url.replace(scene.desk.connection.api_domain, dead), scene.desk.around()
    )
    assert wire.writes > 1 or CERTAINTY[Observed.NOT_CONNECTED].proof is Proof.UNKNOWN


async def not_written(scene: Scene, operation: str) -> None:
    """The process stands still between intent and departure, for longer than its lease lasts."""
    now = [NOW]

    def stand_still(url: str) -> str:
        now[0] += timedelta(minutes=10)
        return url

    around = replace(scene.desk.around(), clock=lambda: now[0])
    wire = await tampered(scene, operation, stand_still, around)
    assert wire.writes > len(scene.desk.wire.writes), "the first one never reached the server"


async def process_died(scene: Scene, operation: str) -> None:
    """The process is gone while the server works on the first write; another one takes the run up."""
    arrived = asyncio.Event()
    desk = scene.desk

    async def never_answer(heard: Heard) -> Cut | None:
        await scene.look(heard)
        if heard.is_write and heard is desk.wire.writes[0]:
            arrived.set()
            await asyncio.sleep(0.05)
            return Cut(applied=False)
        return None

    desk.wire.interfere = never_answer
    await desk.begin(operation, ROWS[operation])
    dying = asyncio.create_task(desk.carry_on())
    await arrived.wait()
    dying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await dying
    assert scene.journalled() == {1: "sending"}
    await desk.carry_on()


OTHERWISE = {
    Observed.NOT_CONNECTED: not_connected,
    Observed.NOT_WRITTEN: not_written,
    Observed.PROCESS_DIED: process_died,
}
"""What cannot be brought about by an answer."""


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with desk_at(tmp_path / "a desk") as desk:
        yield Scene(desk)


def check(scene: Scene, operation: str, proof: Proof) -> None:
    """Hold what was seen against what is proved."""
    assert scene.proof is proof
    if proof is Proof.NOT_APPLIED:
        assert not scene.read_before_repeating(), "what is certain need not be read"
    repeated = len(scene.desk.wire.writes) > 1
    if proof is Proof.UNKNOWN and repeated:
        assert scene.read_before_repeating(), "nothing in doubt goes again unread"
    if operation == CREATE:
        assert max(Counter(scene.desk.created).values(), default=0) <= 1, "no record is made twice"


STEP_NAMES = [f"{observed.name.lower()}: {name}" for observed, name, _ in STEPS]


@pytest.mark.parametrize("operation", [CREATE, UPDATE])
@pytest.mark.parametrize(("observed", "_name", "step"), STEPS, ids=STEP_NAMES)
async def test_what_the_server_does_proves_what_the_table_says(
    scene: Scene, operation: str, observed: Observed, _name: str, step: Say | Cut
):
    await happening(scene, operation, step)
    check(scene, operation, CERTAINTY[observed].proof)


@pytest.mark.parametrize("operation", [CREATE, UPDATE])
@pytest.mark.parametrize("observed", OTHERWISE, ids=lambda observed: observed.name.lower())
async def test_what_happens_without_an_answer_proves_what_the_table_says(
    scene: Scene, operation: str, observed: Observed
):
    await OTHERWISE[observed](scene, operation)
    check(scene, operation, CERTAINTY[observed].proof)


def test_every_line_of_the_table_has_its_test_and_every_observation_its_line():
    tested = {observed for observed, _, _ in STEPS} | set(OTHERWISE)
    assert tested == set(Observed) == set(CERTAINTY)


@pytest.mark.parametrize("observed", Observed, ids=lambda observed: observed.name.lower())
async def test_the_program_obeys_the_table_and_would_do_otherwise_if_it_said_otherwise(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, observed: Observed
):
    """No line is there for show: turned round, it turns round what is done."""
    proof = Proof.NOT_APPLIED if CERTAINTY[observed].proof is Proof.UNKNOWN else Proof.UNKNOWN
    monkeypatch.setitem(CERTAINTY, observed, Certainty(proof, "turned round for this test"))
    if observed in OTHERWISE:
        await OTHERWISE[observed](scene, UPDATE)
    else:
        await happening(scene, UPDATE, next(step for each, _, step in STEPS if each is observed))
    assert scene.proof is proof
