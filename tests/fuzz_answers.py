"""Runs against a server that answers anything, and what must hold of each of them whatever it answered."""

from __future__ import annotations

import csv
import json
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, Final

from desk import NOW, SERVICE, Pace, services, write_csv
from fuzz_wire import ORIGIN, Exchanged, Mood, OddServer, OddWire, StandIn

from bulkzcrm.config import load_connection
from bulkzcrm.errors import BulkzcrmError, RefusedError
from bulkzcrm.journal import Journal, StoredRow
from bulkzcrm.model import Status
from bulkzcrm.report import State
from bulkzcrm.run.engine import begin, carry_on
from bulkzcrm.run.options import RunOptions
from bulkzcrm.run.reporting import Ending
from bulkzcrm.run.signals import StopSignal
from bulkzcrm.run.sources import origin_of
from bulkzcrm.run.surroundings import Surroundings
from bulkzcrm.sandbox.options import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN
from bulkzcrm.spec.operations import OPERATIONS
from bulkzcrm.wire import Exchange

_TROUBLE: Final = frozenset({"INTERNAL_ERROR", "INTERNAL_SERVER_ERROR", "DEPENDENT_SERVICE_ERROR"})
_REFUSING: Final = frozenset({401, 403, 405, 407, 413, 415, 429})
"""HTTP statuses that say without a word of the API's that nothing was done."""
_REFUSING_WITH_A_CODE: Final = frozenset({400, 404, 412})
"""HTTP statuses that say so with a code in the API's own form; no other 4xx ever does."""
_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - folders in it are made as safely as elsewhere
"""Where a folder is in memory on Linux: thousands of journals need not outlive a power cut."""
_RUN: Final = "20300107-093001-abcdef"

Connecting = Callable[[OddServer], AbstractAsyncContextManager[tuple[str, Callable[[], Exchange] | None]]]
"""Makes a way to a server: its origin, and what exchanges HTTP with it, where that is not sockets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One run: what is sent, and how the server feels about it."""

    operation: str
    rows: Sequence[Mapping[str, str]]
    options: RunOptions
    mood: Mood


@dataclass(slots=True)
class Tally:
    """What was played so far."""

    runs: int = 0
    answers: int = 0
    requests: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    endings: Counter[str] = field(default_factory=Counter)


def case_of(die: Random) -> Case:
    """Draw a case."""
    operation = die.choice([*OPERATIONS, "create-services", "create-services", "update-services"])
    mood = die.choice(
        [
            Mood(writes=0.7),
            Mood(writes=0.7),
            Mood(writes=1.0),
            Mood(writes=0.6, lies=False),
            Mood(writes=0.6, lies=False),
            Mood(writes=0.4, reads=0.3),
            Mood(reads=0.6),
            Mood(tokens=0.8),
            Mood(tokens=0.4, reads=0.3, writes=0.4),
        ]
    )
    options = RunOptions(
        batch_size=die.choice([1, 2, 3, 5, None]),
        concurrency=die.choice([1, 2, None]),
        max_wait=die.choice([0.0, 20.0, 60.0]),
        max_errors=die.choice([None, None, None, "2", "50%"]),
    )
    return Case(operation=operation, rows=_rows(die, operation), options=options, mood=mood)


def _rows(die: Random, operation: str) -> list[dict[str, str]]:
    count = die.choice([1, 2, 3, 5, 7])
    match operation:
        case "create-services":
            by_id = {"Members": "5545974000000393004"} if die.random() < 0.5 else {}
            return services(count, **by_id)
        case "update-services":
            return [{"id": SERVICE.format(number), "Price": f"{number}77"} for number in range(1, count + 1)]
        case "set-service-status":
            return [
                {"id": SERVICE.format(number), "Status": "Not in Use", "Unavailable_From": "now"}
                for number in range(1, count + 1)
            ]
        case "set-scoring-rule-status":
            rules = range(4876876000000965528, 4876876000000965528 + min(count, 4))
            return [{"id": str(rule), "Status": die.choice(["active", "inactive"])} for rule in rules]
        case "update-business-hours":
            return [{"type": "24_by_7", "week_starts_on": "Monday"}]
        case _:
            return [{"job_sheet_enabled": die.choice(["true", "false"])}]


async def play(case: Case, die: Random, connecting: Connecting, tally: Tally) -> None:
    """Play a case to its end, check what must hold, then resume it with an honest server and check again."""
    pace = Pace()

    def clock() -> datetime:
        return NOW + timedelta(seconds=pace.seconds)

    with (
        tempfile.TemporaryDirectory(prefix="fuzz ", dir=_MEMORY if _MEMORY.is_dir() else None) as name,
        Journal.open(Path(name) / "home") as journal,
        closing(StandIn(clock)) as stand_in,
    ):
        folder = Path(name)
        server = OddServer(stand_in, die, case.mood, OPERATIONS[case.operation].wrapper)
        async with connecting(server) as (origin, wire):
            around = _around(folder, origin, wire, pace, clock)
            source = write_csv(folder / "source.csv", case.rows)
            await begin(
                journal,
                origin_of(str(source), case.options),
                OPERATIONS[case.operation],
                case.options,
                around,
                run=_RUN,
                folder=folder / "report",
            )
            ending = await _carried_on(journal, case, around)
            tally.runs += 1
            tally.answers += server.odd
            tally.requests += server.asked
            if ending is None:
                tally.endings["refused"] += 1
                return
            tally.endings[ending.summary.state.value] += 1
            _check(case, server, journal, ending, folder)
            server.calm_down()
            server.asked = 0
            if ending.summary.state is not State.FINISHED:
                again = await _carried_on(journal, case, around)
                if again is None:
                    return
                _check(case, server, journal, again, folder)
                assert again.summary.state is State.FINISHED or _has_its_reason(case, again), again.summary
                ending = again
            tally.statuses.update({status.value: count for status, count in ending.summary.counts.items()})


def _has_its_reason(case: Case, ending: Ending) -> bool:
    """Tell whether a run may have stopped although the server was honest: rows were lost, or have their budget."""
    spent = ending.summary.counts.get(Status.UNKNOWN, 0) > 0
    return spent or (case.options.max_errors is not None and "--max-errors" in (ending.summary.stopped_because or ""))


def _around(
    folder: Path, origin: str, wire: Callable[[], Exchange] | None, pace: Pace, clock: Callable[[], datetime]
) -> Surroundings:
    environ = {
        "BULKZCRM_API_DOMAIN": origin,
        "BULKZCRM_ACCOUNTS_URL": origin,
        "BULKZCRM_CLIENT_ID": CLIENT_ID,
        "BULKZCRM_CLIENT_SECRET": CLIENT_SECRET,
        "BULKZCRM_REFRESH_TOKEN": REFRESH_TOKEN,
    }
    return Surroundings(
        home=folder / "home",
        connection=load_connection(profile=None, environ=environ, home=folder / "home"),
        clock=clock,
        monotonic=pace.monotonic,
        stop=StopSignal(sleep=pace.sleep),
        wire=wire,
    )


async def _carried_on(journal: Journal, case: Case, around: Surroundings) -> Ending | None:
    """Do what is left; nothing where the run was refused. Whatever else comes out is a fault of ours."""
    try:
        return await carry_on(journal, _RUN, OPERATIONS[case.operation], around, resume=f"bulkzcrm resume {_RUN}")
    except RefusedError as error:
        _is_told(error)
        return None


def _is_told(error: BulkzcrmError) -> None:
    assert error.message
    assert error.cure


def _check(case: Case, server: OddServer, journal: Journal, ending: Ending, folder: Path) -> None:
    summary = ending.summary
    results = _results(folder)
    assert summary.rows == len(case.rows) == len(results)
    assert sum(summary.counts.values()) == summary.rows
    told = Counter(row["result_status"] for row in results)
    assert told == {status.value: count for status, count in summary.counts.items() if count}
    assert [row["result_row"] for row in results] == [str(number) for number in range(2, len(case.rows) + 2)]
    if summary.state is State.FINISHED:
        assert not told["unsent"]
    else:
        assert summary.stopped_because
        assert summary.resume
    for row, result in zip(journal.rows(_RUN, 0, 1000), results, strict=True):
        if result["result_status"] == "succeeded":
            _is_proven(case, server.exchanged, row, result["result_record_id"])
        elif result["result_status"] != "unchanged":
            assert result["result_message"]
            assert result["result_fix"]
    if case.operation == "create-services":
        _never_sent_in_vain(case, server.exchanged)
        if not case.mood.lies:
            _is_true(server.stand_in, results)


def _results(folder: Path) -> list[dict[str, str]]:
    with (folder / "report" / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _is_proven(case: Case, exchanged: Sequence[Exchanged], row: StoredRow, record_id: str) -> None:
    """A row has succeeded only where an element says so for it, or where it was lost and has been read back."""
    lost_at = None
    for position, one in _sendings(case, exchanged, row):
        if _says_success(one, position, record_id, OPERATIONS[case.operation].wrapper):
            return
        lost_at = exchanged.index(one) if lost_at is None else lost_at
    assert lost_at is not None, "a row that was never sent has succeeded"
    later = [one for one in exchanged[lost_at + 1 :] if not one.is_write and one.said.status == 200]
    if case.operation != "create-services":
        assert later, "nothing said so, and nothing was read back"
        return
    name = str(case.rows[row.ordinal - 1]["Service_Name"])
    shown = [entry for one in later for entry in _listed(one)]
    assert any(str(entry.get("id")) == record_id and entry.get("Service_Name") == name for entry in shown)


def _sendings(case: Case, exchanged: Sequence[Exchanged], row: StoredRow) -> Iterator[tuple[int, Exchanged]]:
    """The requests that carried a row, each with the row's place in it."""
    given = case.rows[row.ordinal - 1]
    for one in exchanged:
        if not one.is_write:
            continue
        if isinstance(one.sent, dict) and isinstance(one.sent.get("data"), list):
            key = "Service_Name" if case.operation == "create-services" else "id"
            for position, record in enumerate(one.sent["data"]):
                if str(record.get(key)) == given[key]:
                    yield position, one
        elif "id" not in given or given["id"] in one.path:
            yield 0, one


def _says_success(one: Exchanged, position: int, record_id: str, wrapper: str) -> bool:
    element = _element(one, position, wrapper)
    if element is None or (element.get("status"), element.get("code")) != ("success", "SUCCESS"):
        return False
    details = element.get("details")
    details = next((each for each in details if isinstance(each, dict)), {}) if isinstance(details, list) else details
    shown = details.get("id") if isinstance(details, dict) else None
    if isinstance(shown, bool | float | Decimal):
        return False
    return str(shown) == record_id if shown is not None else wrapper != "data"


def _element(one: Exchanged, position: int, wrapper: str) -> Mapping[str, Any] | None:
    """What an answer says about the record at a place, read by nothing of ours."""
    answer = _strictly(one.said.body)
    if one.said.lost or not isinstance(answer, dict):
        return None
    judged = answer.get(wrapper, answer)
    if isinstance(judged, list):
        judged = judged[position] if position < len(judged) else None
    return judged if isinstance(judged, dict) else None


def _strictly(body: bytes) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise ValueError
        return dict(pairs)

    try:
        return json.loads(body.decode(), object_pairs_hook=once, parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError):
        return None


def _listed(one: Exchanged) -> list[Mapping[str, Any]]:
    answer = _strictly(one.said.body)
    listed = answer.get("data") if isinstance(answer, dict) else None
    return [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []


def _never_sent_in_vain(case: Case, exchanged: Sequence[Exchanged]) -> None:
    """A create goes again only where it was certainly not applied, or was looked for twice and not found."""
    for given in case.rows:
        name = given["Service_Name"]
        before: int | None = None
        for number, one in enumerate(exchanged):
            places = [
                position
                for position, record in enumerate((one.sent or {}).get("data", ()) if one.is_write else ())
                if record["Service_Name"] == name
            ]
            assert len(places) <= 1
            if not places:
                continue
            if before is not None and not _certainly_refused(exchanged[before], name):
                between = exchanged[before + 1 : number]
                looks = [each for each in between if each.path.startswith("Services__s") and not each.is_write]
                assert len([each for each in looks if each.said.status in (200, 204)]) >= 2, (
                    f"{name} was sent again after {exchanged[before].said} without having been looked for"
                )
            before = number


def _certainly_refused(one: Exchanged, name: str) -> bool:
    said = one.said
    if not said.left:
        return True
    if said.lost:
        return False
    if 400 <= said.status < 500 and said.status not in _REFUSING | _REFUSING_WITH_A_CODE:
        return False
    position = next(place for place, record in enumerate(one.sent["data"]) if record["Service_Name"] == name)
    element = _element(one, position, "data")
    told = _codes(element, said.status) if element is not None else set()
    if element is not None and element.get("status") == "error" and told and not told & {*_TROUBLE, "SUCCESS"}:
        return True
    answer = _strictly(said.body)
    elements = _elements(answer)
    if any((each.get("status"), each.get("code")) == ("success", "SUCCESS") for each in elements):
        return False
    if said.status in _REFUSING:
        return True
    codes = {code for each in elements for code in _codes(each, said.status)}
    if said.status not in _REFUSING_WITH_A_CODE or codes & {*_TROUBLE, "SUCCESS"}:
        return False
    bare, *judged = elements or [{}]
    if not judged:
        return bool(_codes(bare, said.status)) and bare.get("status") in (None, "error")
    return all(_codes(each, said.status) and each.get("status") == "error" for each in judged)


def _codes(element: Mapping[str, Any], status: int) -> set[str]:
    """The codes of an element; beside a refusal only in the API's own form, or in its older one of "too many"."""
    code, name = element.get("code"), element.get("error")
    if status >= 400 and not isinstance(code, str) and (code, name) != (429, "TOO_MANY_REQUESTS"):
        return set()
    return {each for each in (code, name) if isinstance(each, str) and each.strip()}


def _elements(answer: Any) -> list[Mapping[str, Any]]:
    """An answer, and each of its elements."""
    if not isinstance(answer, dict):
        return []
    judged = answer.get("data")
    return [answer, *(each for each in (judged if isinstance(judged, list) else [judged]) if isinstance(each, dict))]


def _is_true(stand_in: StandIn, results: Sequence[Mapping[str, str]]) -> None:
    """Where no answer was a lie, the organisation holds what the report says, and nothing twice."""
    made = Counter(str(each["Service_Name"]) for each in stand_in.services())
    ids = {str(each["id"]): str(each["Service_Name"]) for each in stand_in.services()}
    for row in results:
        assert made[row["Service_Name"]] <= 1
        match row["result_status"]:
            case "succeeded":
                assert ids.get(row["result_record_id"]) == row["Service_Name"]
            case "unknown":
                pass
            case _:
                assert made[row["Service_Name"]] == 0


@asynccontextmanager
async def without_sockets(server: OddServer) -> AsyncIterator[tuple[str, Callable[[], Exchange] | None]]:
    """The way to a server that needs no sockets."""
    yield ORIGIN, lambda: OddWire(server)
