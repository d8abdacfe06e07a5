"""Cases for the promises: a source, options, faults and an interruption, all of them drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from hypothesis import strategies as st
from promise_rows import (
    RULES,
    SEEDED,
    Place,
    Says,
    business_hours,
    changes,
    new_place,
    new_service,
    new_status,
    only_place,
    preferences,
    rule_place,
    rule_status,
    service_place,
    sheet_of,
    some_names,
    templates,
)
from promise_sources import Source, written

from bulkzcrm.events import BatchAnswered, Connected, Event, RowsJudged, SendingStarted
from bulkzcrm.run.options import RunOptions
from bulkzcrm.sandbox import Fault, SandboxOptions
from bulkzcrm.spec.operations import OPERATIONS

WRITE_FAULTS: Final = (
    Fault.TOO_MANY_REQUESTS,
    Fault.SERVER_ERROR_BEFORE,
    Fault.SERVER_ERROR_AFTER,
    Fault.INTERNAL_ERROR_400_BEFORE,
    Fault.INTERNAL_ERROR_400_AFTER,
    Fault.CUT_BEFORE,
    Fault.CUT_AFTER,
    Fault.CUT_BODY,
    Fault.WRONG_LENGTH,
    Fault.NOT_JSON_BEFORE,
    Fault.NOT_JSON_AFTER,
    Fault.EXPIRED_TOKEN,
    Fault.BARE_ERROR,
    Fault.REDIRECT,
)
READ_FAULTS: Final = (
    Fault.TOO_MANY_REQUESTS,
    Fault.SERVER_ERROR_BEFORE,
    Fault.CUT_BEFORE,
    Fault.CUT_BODY,
    Fault.NOT_JSON_BEFORE,
    Fault.EXPIRED_TOKEN,
)
_MILESTONES: Final = (Connected, RowsJudged, SendingStarted, BatchAnswered)


@dataclass(frozen=True, slots=True)
class Interruption:
    """At the so-manieth event of a kind, the run is asked to stop, told to end at once, or killed."""

    how: str
    event: type[Event]
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All that one run depends on. `stock` is how many services there are besides the seeded ones."""

    operation: str
    source: Source
    options: RunOptions
    sandbox: SandboxOptions
    faults: tuple[Fault | None, ...] = ()
    read_faults: tuple[Fault | None, ...] = ()
    interruption: Interruption | None = None
    stock: int = 0

    @property
    def is_calm(self) -> bool:
        """Whether nothing keeps a row from being judged by what it says alone."""
        return not (self.faults or self.read_faults or self.interruption or self.options.max_errors)


@dataclass(frozen=True, slots=True)
class Subject:
    """What an operation's lines are made of."""

    sound: Callable[[st.DrawFn], Says]
    place: Callable[[st.DrawFn, int, int], Place]
    most: int
    fields: tuple[str, ...] = ()


SUBJECTS: Final[Mapping[str, Subject]] = {
    "update-services": Subject(changes, service_place, len(SEEDED), ("id", "Service_Name")),
    "set-service-status": Subject(new_status, service_place, len(SEEDED), ("id", "Service_Name", "Status")),
    "set-scoring-rule-status": Subject(rule_status, rule_place, len(RULES), ("id", "name", "module", "Status")),
    "update-business-hours": Subject(business_hours, only_place, 3),
    "update-service-preferences": Subject(preferences, only_place, 3),
}
_MANDATORY: Final = ("Service_Name", "Duration", "Location", "Members", "Availability_Type", "Price")


@st.composite
def creating(draw: st.DrawFn) -> Case:
    """A run that creates services."""
    carried = draw(st.integers(0, 3))
    found = templates(draw, new_service, creates=True, carried=carried)
    count = draw(st.sampled_from([3, 8, 12, 5, 25, 140, 2, 1, 230, 0]))
    names = some_names(draw)
    places = [new_place(draw, number, names) for number in range(1, count + 1)]
    fields = list(dict.fromkeys([*_MANDATORY, *(name for each in found for name in each.says)]))
    source = written(draw, sheet_of(draw, found, places, fields, carried))
    return _case(draw, "create-services", source, stock=0)


@st.composite
def changing(draw: st.DrawFn, *operations: str) -> Case:
    """A run that changes what there is."""
    operation = draw(st.sampled_from(operations))
    subject = SUBJECTS[operation]
    carried = draw(st.integers(0, 2))
    found = templates(draw, subject.sound, creates=False, carried=carried)
    stock = draw(st.sampled_from([0, 0, 0, 130])) if subject.place is service_place else 0
    count = draw(st.sampled_from([subject.most, 3, 2, 5, 1, subject.most + 1, 0])) + stock
    places = [subject.place(draw, number, stock) for number in range(count)]
    fields = list(dict.fromkeys([*subject.fields, *(name for each in found for name in each.says)]))
    source = written(draw, sheet_of(draw, found, places, fields, carried))
    return _case(draw, operation, source, stock=stock)


def _case(draw: st.DrawFn, operation: str, source: Source, *, stock: int) -> Case:
    creates = OPERATIONS[operation].creates
    is_small = len(source.rows) <= 25
    sizes = [1, 2, 3, 7, 100, None] if is_small else [10, 37, 100, None]
    options = RunOptions(
        **source.reading,
        batch_size=draw(st.sampled_from(sizes)),
        concurrency=draw(st.sampled_from([1, 2, None])),
        allow_duplicates=draw(st.booleans()),
        max_errors=draw(st.sampled_from([None, None, None, "0", "2", "30%"])) if is_small else None,
        triggers=draw(st.booleans()),
    )
    sandbox = SandboxOptions(
        # Batches of which many rows are refused are split again and again; that takes its time.
        dialect=draw(st.sampled_from(["full", "full", "bare", "short"])) if is_small else "full",
        list_subforms=draw(st.booleans()),
        edition=draw(st.sampled_from(["free", "enterprise"])),
        active_service_limit=draw(st.sampled_from([9999, 9999, 14])),
        active_rule_limit=draw(st.sampled_from([5, 2])),
        # Reads of single services go at once, and more of them than a token is good for could use up the next one, too.
        token_calls=draw(st.sampled_from([None, None, 7 if creates else 150])),
        token_throttle=None,
    )
    troubled = draw(st.booleans())
    # Only an update can tell that an answer names records that it was not about.
    troubles = WRITE_FAULTS if creates else (*WRITE_FAULTS, Fault.OTHER_IDS)
    interrupted = draw(st.sampled_from([False, False, False, True]))
    return Case(
        operation=operation,
        source=source,
        options=options,
        sandbox=sandbox,
        faults=tuple(draw(st.lists(st.none() | st.sampled_from(troubles), max_size=7))) if troubled else (),
        read_faults=tuple(draw(st.lists(st.none() | st.sampled_from(READ_FAULTS), max_size=3))) if troubled else (),
        interruption=draw(_interruptions()) if interrupted else None,
        stock=stock,
    )


@st.composite
def _interruptions(draw: st.DrawFn) -> Interruption:
    how = draw(st.sampled_from(["drain", "abort", "kill"]))
    return Interruption(how, draw(st.sampled_from(_MILESTONES)), draw(st.integers(1, 3)))
