"""Rows looked at together, a block at a time, come to what each of them comes to by itself.

The rows are those at which our client and our sandbox are held against each other: sound ones, and such as just break a
rule or just keep it, as they are drawn in `agreement`.
"""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

import pytest
from agreement import Case, at_edge, edges_of, sound
from edges import CREATE
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from strategies import NOW, Said_by_field, same
from two_sides import close_shared
from worlds import world

from bulkzcrm.blocks import Block
from bulkzcrm.cells import column_letter
from bulkzcrm.events import Event
from bulkzcrm.journal import Journal, NewRun, Progress, RowOutcome, RunState, StoredRow
from bulkzcrm.lookup import Directory
from bulkzcrm.model import Column, Row, Table
from bulkzcrm.run.composing import Composer
from bulkzcrm.run.ingesting import take_in
from bulkzcrm.run.judging import Judge, Verdicts
from bulkzcrm.run.judging_all import judge_all
from bulkzcrm.run.options import RunOptions
from bulkzcrm.send import Sendable
from bulkzcrm.spec.facts import Broken, Facts, NotKnownError, Rule
from bulkzcrm.spec.operations import OPERATIONS
from bulkzcrm.spec.organisation import Organisation

RUN: Final = "a run"
CREATING: Final = OPERATIONS[CREATE]
EDGES: Final = [each for each in edges_of(CREATE) if each.in_world != "full"]


CLOSER: Final[Sequence[Said_by_field]] = (
    {"Status": same("Not in Use"), "Unavailable_From": same("now")},
    {"Job_Sheet_Required": same("Yes"), "Job_Sheet_Section__s": same("sTANDARD")},
    {"Job_Sheet_Required": same("Yes"), "Job_Sheet_Section__s": same("Nowhere")},
    {"Members": same("Rahul Menon")},
    {"Price": same("200\n300")},
    {"Description": same(" "), "Tax": same("")},
)
"""What a text that says its own value does not say: the moment of sending, what the organisation calls it."""


@dataclass(frozen=True)
class Source:
    """Rows of one spreadsheet, by columns, and the world in which they are judged; "" for no organisation."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    world: str


def at_any_edge(met_in: str) -> st.SearchStrategy[Case]:
    there = [each for each in EDGES if each.in_world in {met_in, "seeded"}]
    edges = st.tuples(st.sampled_from(there), st.booleans())
    at_edges = edges.flatmap(lambda drawn: at_edge(CREATE, drawn[0], refused=drawn[1]))
    closer = st.tuples(sound(CREATE), st.sampled_from(CLOSER)).map(
        lambda drawn: Case(CREATE, "seeded", {**drawn[0].record, **drawn[1]})
    )
    return st.one_of(sound(CREATE), at_edges, closer)


@st.composite
def sources(draw: st.DrawFn) -> Source:
    """Draw some rows and mix them, so that a block's columns have many cells, few, or one, in any combination."""
    met_in = draw(st.sampled_from(sorted({each.in_world for each in EDGES})))
    cases = draw(st.lists(at_any_edge(met_in), min_size=1, max_size=4))
    columns = tuple(dict.fromkeys(name for case in cases for name in case.record))
    told = [tuple(case.record[name].cell if name in case.record else "" for name in columns) for case in cases]
    mixed = st.tuples(*(st.sampled_from(column) for column in zip(*told, strict=True)))
    rows = (*told, *(draw(mixed) for _ in range(draw(st.sampled_from([0, 3, 40])))))
    return Source(columns, rows, draw(st.sampled_from([met_in, ""])))


@pytest.fixture(autouse=True, scope="module")
def organisations() -> Iterator[None]:
    yield
    close_shared()


class OneByOne(Judge):
    """Looks at each row by itself."""

    def unproven(self, block: Block, plain: Collection[int]) -> Collection[int]:
        del block
        return plain


def unheard(event: Event) -> None:
    del event


def organisation_of(source: Source) -> Organisation | None:
    return world(source.world).organisation(CREATING, source.columns) if source.world else None


@contextmanager
def taken_in(source: Source, options: RunOptions) -> Iterator[Journal]:
    columns = tuple(Column(place, column_letter(place), name) for place, name in enumerate(source.columns))
    rows = (Row(number, cells) for number, cells in enumerate(source.rows, 2))

    def begin(kept: tuple[Column, ...]) -> tuple[str, int]:
        new = NewRun(id=RUN, operation=CREATE, api_domain="", source="rows.csv", columns=kept, header_row=1)
        journal.add_run(new)
        return RUN, 0

    with Journal.temporary() as journal:
        table = Table("rows.csv", columns, rows, 1)
        take_in(table, CREATING, options, journal, begin, announce=unheard, go_on=lambda: None)
        yield journal


def judge_of(kind: type[Judge], organisation: Organisation | None, *, duplicates: bool) -> Judge:
    return kind(
        operation=CREATING,
        organisation=organisation,
        letters={},
        now=NOW,
        time_zone=None,
        allow_duplicates=duplicates,
        announce=unheard,
    )


def judged(kind: type[Judge], journal: Journal, source: Source, *, duplicates: bool) -> tuple[Judge, Verdicts]:
    judge = judge_of(kind, organisation_of(source), duplicates=duplicates)
    return judge, judge_all(judge, journal, RUN, lambda settled: journal.settle_rows(RUN, 0, settled))


def options_for(source: Source) -> RunOptions:
    """Give in `--set` what the source has no column for, and all rows must give."""
    missing = {
        "Service_Name": "Roof Check",
        "Duration": "60",
        "Location": "Client Address",
        "Members": "5545974000000393002",
        "Availability_Type": "Every Business Days",
        "Price": "5.00",
    }
    return RunOptions(constants={name: text for name, text in missing.items() if name not in source.columns})


@given(sources(), st.booleans())
def test_rows_judged_together_are_judged_as_each_by_itself(source: Source, duplicates: bool):  # noqa: FBT001
    found: list[tuple[list[StoredRow], Verdicts]] = []
    for kind in (Judge, OneByOne):
        with taken_in(source, options_for(source)) as journal:
            _, verdicts = judged(kind, journal, source, duplicates=duplicates)
            found.append((journal.rows(RUN), verdicts))
    (together, of_all), (alone, of_each) = found
    assert together == alone
    assert of_all == of_each


def test_sound_rows_are_proven_together():
    """Otherwise the property above would hold of a screen that proves nothing."""
    looked_at: list[int] = []

    class Counting(Judge):
        def unproven(self, block: Block, plain: Collection[int]) -> Collection[int]:
            unproven = super().unproven(block, plain)
            looked_at.append(len(unproven))
            return unproven

    source = Source(SOUND_COLUMNS, tuple((f"Roof {place}", *SOUND) for place in range(900)), "seeded")
    with taken_in(source, options_for(source)) as journal:
        judged(Counting, journal, source, duplicates=False)
    assert looked_at == [0, 0]


SOUND_COLUMNS: Final = ("Service_Name", "Duration", "Members", "Status")
SOUND: Final = ("1:30", "rahul.menon@brighthome.example", "Available")


class NothingIsRead:
    """In the connection's place: new records need no reading."""

    async def read(self, path: str, query: Mapping[str, str] | None = None) -> Mapping[str, object] | None:
        raise AssertionError(path, query)


def both_written(source: Source) -> tuple[list[Sendable], list[int], dict[int, Sendable]]:
    """Return what is written of waiting rows together, which are left, and what each of all comes to by itself."""
    with taken_in(source, options_for(source)) as journal:
        judge, _ = judged(Judge, journal, source, duplicates=True)
        organisation = organisation_of(source)
        assert organisation is not None
        composer = Composer(judge, organisation, NothingIsRead())
        together: list[Sendable] = []
        left: list[int] = []
        after = 0
        while (waiting := journal.next_waiting(RUN, after)) is not None:
            after = waiting.block.last
            sendable, others = composer.write(waiting)
            together += sendable
            left += others
        pending = [row for row in journal.rows(RUN) if row.status is Progress.PENDING]
        composed = asyncio.run(composer.compose(pending))
    return together, left, {each.ordinal: each for each in composed.sendable}


@given(sources().filter(lambda source: source.world != ""))
def test_records_written_together_are_those_written_one_by_one(source: Source):
    together, left, alone = both_written(source)
    assert sorted([*left, *(each.ordinal for each in together)]) == sorted({*left, *alone})
    for each in together:
        assert each == alone[each.ordinal]


def test_sound_records_are_written_together():
    source = Source(SOUND_COLUMNS, tuple((f"Roof {place}", *SOUND) for place in range(900)), "seeded")
    together, left, alone = both_written(source)
    assert (len(together), left, len(alone)) == (900, [], 900)


def says(rule: Rule, facts: Facts) -> Broken | str | None:
    try:
        return rule.judge(facts)
    except NotKnownError:
        return "not known"


@given(sources())
def test_a_rule_looks_at_no_field_but_those_it_names(source: Source):
    """So rows that say the same in these are judged alike, whatever else they say."""
    organisation = organisation_of(source)
    directory = Directory(CREATING, organisation)
    with taken_in(source, options_for(source)) as journal:
        records = [row.record for row in journal.rows(RUN) if row.record is not None]
    for record in records:
        resolved = directory.resolve(record)
        facts = Facts(
            given=resolved.given,
            current=resolved.current,
            now=NOW,
            organisation=organisation,
            defaults=CREATING.defaults,
        )
        for rule in CREATING.rules:
            if rule.needs and organisation is None:
                continue
            only = {name: value for name, value in resolved.given.items() if name in rule.looks_at}
            assert says(rule, structs.replace(facts, given=only)) == says(rule, facts), rule.name


SHEETS: Final = (*SOUND_COLUMNS, "Job_Sheet_Required", "Job_Sheet_Section__s")


def test_a_name_is_written_as_the_organisation_has_it_though_each_row_has_another_text():
    rows = tuple((f"Roof {text}", *SOUND, "Yes", text) for text in ("sTANDARD", "Standard", "STANDARD"))
    together, left, _ = both_written(Source(SHEETS, rows, "seeded"))
    assert not left
    assert [each.record["Job_Sheet_Section__s"] for each in together] == ["Standard"] * 3


def test_a_name_that_the_organisation_does_not_have_is_found_though_each_row_has_another_text():
    rows = tuple((f"Roof {text}", *SOUND, "Yes", text) for text in ("Standard", "Nowhere", "Elsewhere"))
    source = Source(SHEETS, rows, "seeded")
    with taken_in(source, options_for(source)) as journal:
        judged(Judge, journal, source, duplicates=False)
        assert [row.status for row in journal.rows(RUN)] == [Progress.PENDING, Progress.INVALID, Progress.INVALID]


def test_long_texts_that_come_again_are_not_all_remembered():
    """Neither by who judges nor by who writes. The descriptions have 3,000 characters, and each stands in two rows."""
    columns = (*SOUND_COLUMNS, "Description", "Job_Sheet_Section__s")

    def rows() -> Iterator[tuple[str, ...]]:
        for place in range(4_000):
            long = f"{place // 2:05} {'words ' * 500}"
            # One cell that is no plain text keeps the whole column from being taken as such.
            yield (f"Roof {place}", *SOUND, f"#{long}" if place % 500 == 0 else long, long if place % 7 == 0 else "")

    source = Source(columns, tuple(rows()), "seeded")
    with taken_in(source, options_for(source)) as journal:
        tracemalloc.start()
        try:
            judge, _ = judged(Judge, journal, source, duplicates=True)
            organisation = organisation_of(source)
            assert organisation is not None
            composer = Composer(judge, organisation, NothingIsRead())
            after = 0
            while (waiting := journal.next_waiting(RUN, after)) is not None:
                after = waiting.block.last
                composer.write(waiting)
            kept, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert kept < 4_000_000


@pytest.mark.parametrize("blanks", [("", " "), ("", ""), (" ", "\t")])
def test_a_column_of_blanks_alone_says_nothing(blanks: tuple[str, str]):
    source = Source(
        (*SOUND_COLUMNS, "Description"), tuple((f"Roof {n}", *SOUND, each) for n, each in enumerate(blanks)), ""
    )
    with taken_in(source, options_for(source)) as journal:
        judged(Judge, journal, source, duplicates=False)
        assert [row.status for row in journal.rows(RUN)] == [Progress.PENDING] * 2


@pytest.mark.parametrize("others", [("100", "400.50"), ("200\n300", "100", "100")], ids=["alone", "twice"])
def test_an_amount_with_a_line_break_is_none(others: tuple[str, ...]):
    prices = (others[0], "200\n300", *others[1:])
    rows = tuple((f"Roof {place}", *SOUND, price) for place, price in enumerate(prices))
    source = Source((*SOUND_COLUMNS, "Price"), rows, "seeded")
    with taken_in(source, options_for(source)) as journal:
        judged(Judge, journal, source, duplicates=False)
        statuses = [row.status for row in journal.rows(RUN)]
    assert statuses == [Progress.INVALID if "\n" in price else Progress.PENDING for price in prices]


def test_rows_that_are_not_to_be_judged_are_not():
    """A row that has succeeded names what may not be looked up any more."""
    columns = ("Service_Name", "Duration", "Members")
    rows = (("Roof 1", "60", "Rahul Menon"), ("Roof 2", "60", "5545974000000393002"))
    source = Source(columns, rows, "seeded")
    organisation = organisation_of(source)
    assert organisation is not None
    unreadable = replace(organisation, users=None)
    with taken_in(source, options_for(source)) as journal:
        for state in (RunState.INGESTED, RunState.SENDING):
            journal.set_state(RUN, 0, state)
        number = journal.plan_batch(RUN, 0, [1])
        journal.mark_sending(RUN, 0, number, ordinals=[1], body_sha256="", sent_ms=1)
        done = RowOutcome(ordinal=1, status=Progress.SUCCEEDED, record_id="5545974000000393999")
        journal.mark_answered(RUN, 0, number, [done], answered_ms=2)
        judge = judge_of(Judge, unreadable, duplicates=False)
        judge_all(judge, journal, RUN, lambda settled: journal.settle_rows(RUN, 0, settled))
        assert [row.status for row in journal.rows(RUN)] == [Progress.SUCCEEDED, Progress.PENDING]


def test_no_rule_abstains_for_a_row_that_is_not_judged_by_it():
    columns = (*SOUND_COLUMNS, "Unavailable_From", "Unavailable_Till")
    past, far = "2020-01-01 10:00", "9999-12-31 23:59"
    rows = (("Roof 1", *SOUND, "", ""), ("Roof 2", *SOUND, "", ""), ("Roof 3", *SOUND[:2], "#N/A", past, far))
    source = Source(columns, rows, "")
    found = []
    for kind in (Judge, OneByOne):
        with taken_in(source, options_for(source)) as journal:
            found.append(judged(kind, journal, source, duplicates=False)[1].abstained)
    assert found == [set(), set()]
