"""One row held against both sides: what our client says of it, what the sandbox does, and how they differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from edges import CHANGES, CREATE, HOURS, PREFERENCES, RULE_STATUS, STATUS, UPDATE, Edge
from edges_of_rules import RULES
from edges_of_settings import HOT_LEADS, SETTINGS, business_hours
from edges_of_values import VALUES
from golden_pairs import Local
from hypothesis import strategies as st
from strategies import BLANK, WEEK, Said, Said_by_field, changed_services, new_services, same, status_changes
from two_sides import API, Ruling, TwoSides, Verdict
from worlds import world, written

from bulkzcrm.spec.operations import OPERATIONS

EDGES: Final = (*VALUES, *RULES, *SETTINGS)

OUR_OWN_CODES: Final = {
    "NAME_NOT_FOUND": "The API takes no names here but those of its lists, and calls any other INVALID_DATA.",
    "ID_PRECISION_LOST": "The API sees an id that does not exist, and calls it INVALID_DATA.",
}

SERVER_JUDGES: Final = {each.rule: each.server_alone for each in EDGES if each.server_alone}
"""What our client sends although it may be refused, and why."""

NOT_YET_READ: Final = {
    "timings hold the duration": "A service is read by its id, and its timings known, only once nothing else is wrong.",
}
"""Rules of which our client cannot know while a row has another problem that keeps it from being sent."""

BASES: Final[Mapping[str, st.SearchStrategy[Said_by_field]]] = {
    CREATE: new_services(),
    UPDATE: changed_services(),
    STATUS: status_changes(),
    HOURS: business_hours(),
    PREFERENCES: st.just({"job_sheet_enabled": Said("no", False)}),
    RULE_STATUS: st.just({"id": same(HOT_LEADS), "Status": same("active")}),
}


@dataclass(frozen=True, slots=True)
class Case:
    """A row of an operation in one of the worlds."""

    operation: str
    world: str
    record: Said_by_field

    def __repr__(self) -> str:
        cells = {
            name: f"{said.cell[:80]}..." if len(said.cell) > 80 else said.cell for name, said in self.record.items()
        }
        return f"{self.operation} in the world “{self.world}”: {cells}"


def edges_of(operation: str) -> list[Edge]:
    return [each for each in EDGES if operation in each.operations]


def sound(operation: str) -> st.SearchStrategy[Case]:
    """Rows that break no rule."""
    return BASES[operation].map(lambda record: Case(operation, "seeded", record))


def at_edge(operation: str, met: Edge, *, refused: bool) -> st.SearchStrategy[Case]:
    """Sound rows, changed so that they just break a rule, or just keep it."""
    changes = met.refused if refused else met.accepted
    return st.tuples(BASES[operation], changes).map(
        lambda drawn: Case(operation, met.in_world, {**drawn[0], **drawn[1]})
    )


def at_two_edges(operation: str) -> st.SearchStrategy[Case]:
    """Sound rows with two changes, each at either side of a limit."""
    askable = [each for each in edges_of(operation) if not each.server_unasked and not each.server_alone]
    anywhere = st.sampled_from([each for each in askable if each.in_world == "seeded"])

    def mutated(drawn: tuple[Said_by_field, Edge, Edge, bool, bool]) -> st.SearchStrategy[Case]:
        record, one, other, first, second = drawn
        changes = st.tuples(other.refused if second else other.accepted, one.refused if first else one.accepted)
        return changes.map(lambda made: Case(operation, one.in_world, {**record, **made[0], **made[1]}))

    drawn = st.tuples(BASES[operation], st.sampled_from(askable), anywhere, st.booleans(), st.booleans())
    return drawn.flatmap(mutated).filter(_has_request)


def _has_request(case: Case) -> bool:
    """Tell whether a row has a request: the API takes no name that no service has, and none for a status."""
    name = case.record.get("Service_Name", BLANK).cell
    if case.operation not in CHANGES or case.record["id"].cell:
        return case.operation != STATUS or not name
    return not name or any(service["Service_Name"] == name for service in world(case.world).services().values())


def client_says(case: Case) -> Verdict:
    cells = {name: said.cell for name, said in case.record.items()}
    return world(case.world).client(OPERATIONS[case.operation], cells)


def server_says(case: Case) -> Ruling:
    sides = world(case.world)
    request = written(case.operation, case.record, sides)
    return sides.server(request.method, request.path, request.body)


def disagreement(case: Case, verdict: Verdict, ruling: Ruling) -> str | None:
    """Say how the two sides differ about a row, or nothing if they do not."""
    if verdict.says is Local.INVALID:
        codes = {"INVALID_DATA" if code in OUR_OWN_CODES else code for code in verdict.codes}
        if ruling.accepts:
            return f"our client refuses ({verdict.problems}) what the server accepts"
        if ruling.code in codes or _is_not_yet_read(case, ruling):
            return None
        return f"our client says {sorted(codes)}, the server {ruling.code} on {set(ruling.fields)}"
    if not ruling.accepts:
        return f"our client says {verdict.says}, the server {ruling.code} on {set(ruling.fields)}"
    return _other_effect(case, verdict, ruling, world(case.world))


def _is_not_yet_read(case: Case, ruling: Ruling) -> bool:
    """Tell whether the server holds a new duration against stored timings, which the list need not have shown."""
    given = [bool(case.record.get(name, BLANK).cell) for name in ("Duration", "Available_Timings")]
    return case.operation == UPDATE and given == [True, False] and ruling.fields == {"Available_Timings"}


def _other_effect(case: Case, verdict: Verdict, ruling: Ruling, sides: TwoSides) -> str | None:
    """Say where the request that our client sends has another effect than the one that the row stands for."""
    if verdict.request is None:
        return _first_difference("unchanged", sides.holds(), ruling.holds)
    own = sides.server(verdict.request.method, API + verdict.request.path, verdict.request.body)
    if not own.accepts:
        return f"the server refuses our client's own request ({own.code} on {set(own.fields)}): {verdict.request.body}"
    return _first_difference("sent", own.holds, ruling.holds)


def _first_difference(how: str, ours: Mapping[str, Any], meant: Mapping[str, Any], path: str = "$") -> str | None:
    for key in ours.keys() | meant.keys():
        one, other = ours.get(key), meant.get(key)
        if isinstance(one, dict) and isinstance(other, dict):
            found = _first_difference(how, one, other, f"{path}.{key}")
            if found:
                return found
        elif one != other:
            return f"{how}, and then {path}.{key} is {one!r} where the row means {other!r}"
    return None


def departure(case: Case, met: Edge, *, refused: bool) -> str | None:
    """Say how a row at the edge of a rule is treated otherwise than the page wants, by either side."""
    verdict = client_says(case)
    if refused and met.server_unasked:
        return None if verdict.codes[:1] == [met.code] else f"our client says {verdict}, not {met.code}"
    ruling = server_says(case)
    code = "INVALID_DATA" if met.code in OUR_OWN_CODES else met.code
    if refused and ruling.code != code:
        return f"the server says {ruling.code} on {set(ruling.fields)}, not {code}"
    if not refused and not ruling.accepts:
        return f"the server refuses ({ruling.code} on {set(ruling.fields)}) what keeps the rule"
    if refused and met.server_alone:
        return None if verdict.says is Local.SENDS else f"our client does not send it: {verdict}"
    if refused and set(verdict.codes) != {met.code}:
        return f"our client says {verdict}, not {met.code} alone"
    if refused and not _same_fields(verdict, ruling):
        return f"our client says {verdict}, the server means {set(ruling.fields)}"
    return disagreement(case, verdict, ruling)


def _same_fields(verdict: Verdict, ruling: Ruling) -> bool:
    """Tell whether our client wants mended what the server points to, for which all weekdays are one field."""
    named = {"custom_timing" if problem.field in WEEK else problem.field for problem in verdict.problems}
    return not ruling.fields or not named.isdisjoint(ruling.fields)
