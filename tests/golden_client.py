"""The client's side of a golden pair: its row taken through a whole run, and where that departs from the pair."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from desk import write_csv
from forwarder import API, Heard, forwarding
from golden_pairs import GoldenPair, Local, LocalProblem, difference
from golden_sandbox import sandbox_of, users_of

from bulkzcrm.cells import column_letter
from bulkzcrm.config import load_connection
from bulkzcrm.journal import Journal
from bulkzcrm.model import Outcome, Problem, Status
from bulkzcrm.run.engine import begin, carry_on
from bulkzcrm.run.options import RunOptions
from bulkzcrm.run.sources import origin_of
from bulkzcrm.run.surroundings import Surroundings
from bulkzcrm.sandbox import seed
from bulkzcrm.spec.operations import OPERATIONS

_RUN = "20400307-063000-abcdef"


@dataclass(frozen=True)
class Ran:
    """What a run of one row left behind: how the row ended, and the writes that went over the wire."""

    outcome: Outcome
    writes: list[Heard]


async def run_pair(pair: GoldenPair, folder: Path) -> Ran:
    """Take the pair's row, alone in a CSV, through a run on the pair's organisation at the pair's moment."""
    operation, options = OPERATIONS[pair.operation], RunOptions()
    source = write_csv(folder / "row.csv", [pair.row])
    users = users_of(pair)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seed, "users", lambda: users)
        async with sandbox_of(pair, folder) as sandbox, forwarding(sandbox.url) as wire:
            environ = {**sandbox.environment(), "BULKZCRM_API_DOMAIN": wire.url, "BULKZCRM_ACCOUNTS_URL": wire.url}
            connection = load_connection(profile=None, environ=environ, home=folder)
            around = Surroundings(home=folder, connection=connection, clock=lambda: pair.now, monotonic=lambda: 0.0)
            with Journal.open(folder / "home") as journal:
                origin = origin_of(str(source), options)
                await begin(journal, origin, operation, options, around, run=_RUN, folder=folder / "report")
                await carry_on(journal, _RUN, operation, around, resume=f"bulkzcrm resume {_RUN}")
                [row] = journal.rows(_RUN, 0, 2)
    return Ran(row.outcome(), wire.writes)


def departure(pair: GoldenPair, ran: Ran) -> str | None:
    """Say where a run departs from what its pair says, or nothing if it does not."""
    match pair.client.verdict:
        case Local.INVALID:
            return _sent_or_not(ran, Status.INVALID, writes=0) or _problems_departure(pair, ran.outcome.problems)
        case Local.UNCHANGED:
            return _sent_or_not(ran, Status.UNCHANGED, writes=0) or _surplus(ran.outcome.problems)
        case Local.SENDS if pair.answer.status < 300:
            return (
                _sent_or_not(ran, Status.SUCCEEDED, writes=1)
                or _wire_departure(pair, ran.writes[0])
                or _surplus(ran.outcome.problems)
            )
        case Local.SENDS:
            return (
                _sent_or_not(ran, Status.REJECTED, writes=1)
                or _wire_departure(pair, ran.writes[0])
                or _refusal_departure(pair, ran.outcome.problems)
            )


def _sent_or_not(ran: Ran, status: Status, *, writes: int) -> str | None:
    if ran.outcome.status is not status:
        return f"The row is {ran.outcome.status}, not {status}: {ran.outcome.problems}"
    if len(ran.writes) != writes:
        return f"{len(ran.writes)} requests were sent, not {writes}: {ran.writes}"
    return None


def _surplus(problems: tuple[Problem, ...]) -> str | None:
    return f"The row has problems: {problems}" if problems else None


def _wire_departure(pair: GoldenPair, write: Heard) -> str | None:
    sent, expected = f"{write.method} {API}{write.path}", f"{pair.request.method} {pair.request.path}"
    if sent != expected or write.query:
        return f"The request is {sent} {write.query}, not {expected}"
    return difference(pair.request.body, write.body, extra_keys=False)


def _refusal_departure(pair: GoldenPair, problems: tuple[Problem, ...]) -> str | None:
    """Compare what the report says of a refusal with the API's answer: its code, and the field that it names."""
    [problem, *more] = problems
    # The API may name a part of a value ("business_timing"), of which a row knows only the field it belongs to.
    fields = pair.answer.api_names & pair.row.keys() or {problem.field}
    if more or problem.code != pair.answer.code or problem.field not in fields:
        return f"The refusal is told as {problems}, not as {pair.answer.code} of {set(pair.answer.api_names)}"
    return _misplaced(pair, problems) or _untold(problems)


def _problems_departure(pair: GoldenPair, found: tuple[Problem, ...]) -> str | None:
    """Compare the problems of a row with all that it must have; each one stands where the row gives its field."""
    expected = pair.client.problems
    alike = len(found) == len(expected) and all(any(_meets(one, problem) for problem in found) for one in expected)
    if not alike:
        return f"The problems are {found}, not {expected}"
    return _misplaced(pair, found) or _untold(found)


def _meets(expected: LocalProblem, found: Problem) -> bool:
    return found.code in expected.codes and found.field in expected.fields


def _misplaced(pair: GoldenPair, problems: tuple[Problem, ...]) -> str | None:
    """Hold each problem to the cell of its field in the one row below the header, or to none without such a column."""
    cells = {name: f"{column_letter(index)}2" for index, name in enumerate(pair.row)}
    elsewhere = [problem for problem in problems if problem.cell != cells.get(problem.field, "")]
    return f"These stand in another cell: {elsewhere}" if elsewhere else None


def _untold(problems: tuple[Problem, ...]) -> str | None:
    silent = [problem for problem in problems if problem.message[-1:] not in {".", "?"} or problem.remedy[-1:] != "."]
    return f"No sentence says what is wrong, or how to mend it: {silent}" if silent else None
