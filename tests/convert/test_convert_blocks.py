"""Rows converted a block at a time become what they become one by one, and prove the same."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TypeAlias

from convert_cases import table
from hypothesis import given
from hypothesis import strategies as st

from bulkzcrm.blocks import Block, decode_block, encode_block
from bulkzcrm.convert import Converted, ConvertOptions, MapOptions, RowConverter, match_columns
from bulkzcrm.convert.blocks import BlockConverter, ConvertedBlock
from bulkzcrm.model import CellError, CellValue, FormulaWithoutValue, Row, Slab
from bulkzcrm.spec.fields import Kind
from bulkzcrm.spec.operations import OPERATIONS

Cells: TypeAlias = tuple[CellValue, ...]

TEXTS: dict[Kind, tuple[str, ...]] = {
    Kind.ID: ("5545974000002183001", "5545974000002183001 ", "5545974000002183001\n5545974000002183002", "123", "x1"),
    Kind.TEXT: ("Roof Check", " Roof Check ", "ROOF check", "é", "#CLEAR", "=1+1", "x" * 200),
    Kind.MINUTES: ("60", "1h", "1:30", "90 min", "60.0", "soon", "1,5", "1.500"),
    Kind.CHOICE: ("Client Address", "client address", "Available", "Specific Day(s)", "Yes", "On the moon"),
    Kind.MONEY: ("12.50", "12,50", "1.234", "1,234", "1.234,50", "7", "€ 5", "-1", "many", "1e3", "2\n3"),
    Kind.DATE: ("2030-02-03", "03/02/2030", "13/02/2030", "02/13/2030", "3 Feb 2030", "31/02/2030", "03.02.2030"),
    Kind.DATES: ("2030-02-03; 2030-02-04", "03/02/2030; 13/02/2030", "03/02/2030", "never"),
    Kind.DATETIME: ("2030-02-03T09:00:00+05:30", "03/02/2030 09:00", "13/02/2030 09:00", "now", "soon"),
    Kind.DAYS: ("Mon; Wed", "Monday", "Mon-Fri", "Someday"),
    Kind.TIMINGS: ("09:00-13:00", "9-5", "10:00-17:30; 18:00-19:00", "all day"),
    Kind.MEMBERS: ("554597400000039300{0}", "rahul@example.com; aisha@example.com", "Rahul"),
    Kind.TAXES: ("5545974000000021001", "Vat - 0.8 %"),
}
ANY_TEXTS = ("", "  ", "#CLEAR", "n/a", "1", "5545974000002183001", "5.545974000002183E+18")
TYPED: st.SearchStrategy[CellValue] = st.sampled_from(
    [
        None,
        True,
        60,
        90.0,
        12.5,
        5545974000002183001,
        5.545974000002183e18,
        Decimal("12.50"),
        Decimal("12.5"),
        date(2030, 2, 3),
        datetime(2030, 2, 3, 9),  # noqa: DTZ001 - cells have no zone
        time(9),
        timedelta(minutes=90),
        CellError("#N/A"),
        FormulaWithoutValue("=A1"),
    ]
)


MANDATORY = {
    "Service_Name": "Roof Check",
    "Duration": "60",
    "Location": "Client Address",
    "Members": "5545974000000393002",
    "Availability_Type": "Every Business Days",
    "Price": "5",
    "Status": "Available",
    "id": "5545974000002183001",
}


@st.composite
def columns_of(draw: st.DrawFn, kind: Kind, rows: int, *, typed: bool) -> list[CellValue]:
    """Draw a column: few different cells, or many; of the field's kind, of any, or blank."""
    pool = st.sampled_from((*TEXTS.get(kind, ()), *ANY_TEXTS))
    cells = draw(st.lists(pool | TYPED if typed else pool, min_size=1, max_size=6))
    if draw(st.booleans()):
        # Hardly two are alike.
        return [f"{cell}{place}" if isinstance(cell, str) else cell for place, cell in _over(cells, rows)]
    return [cells[draw(st.integers(0, len(cells) - 1))] if place < 8 else cell for place, cell in _over(cells, rows)]


def _over(cells: Sequence[CellValue], rows: int) -> list[tuple[int, CellValue]]:
    return [(place, cells[place % len(cells)]) for place in range(rows)]


@st.composite
def sources(
    draw: st.DrawFn,
) -> tuple[str, dict[str, list[CellValue]], dict[int, tuple[CellValue, ...]], ConvertOptions]:
    operation = draw(st.sampled_from(["create-services", "update-services", "set-service-status"]))
    fields = OPERATIONS[operation].fields
    names = draw(st.lists(st.sampled_from(fields), min_size=1, max_size=6, unique_by=lambda each: each.name))
    rows = draw(st.sampled_from([1, 2, 7, 33, 40, 70]))
    typed = draw(st.booleans())
    columns = {each.name: draw(columns_of(each.kind, rows, typed=typed)) for each in names}
    columns["Of no field"] = draw(columns_of(Kind.TEXT, rows, typed=typed))
    surplus = draw(st.dictionaries(st.integers(0, rows - 1), st.just(("beyond",)), max_size=2))
    options = ConvertOptions(
        decimal=draw(st.sampled_from([None, ".", ","])), date_order=draw(st.sampled_from([None, "dmy", "mdy"]))
    )
    return operation, columns, surplus, options


def converter(operation: str, columns: Sequence[str], options: ConvertOptions) -> RowConverter:
    fields = OPERATIONS[operation].fields
    given_by_none = {each.name: MANDATORY[each.name] for each in fields if each.mandatory and each.name not in columns}
    matched = match_columns(fields, table(*columns), MapOptions(constants=given_by_none), need_one_of=())
    return RowConverter(fields, matched, options, clears="left out" if operation == "create-services" else "null")


def one_by_one(block: ConvertedBlock, rows: int) -> list[Converted]:
    return [block.odd.get(place) or Converted(block.block.record(place) or {}) for place in range(rows)]


def stored(block: Block) -> Block:
    """Return what the journal gives back of a block."""
    return decode_block(encode_block(block))


def same_cells(block: Block, rows: Sequence[Row]) -> bool:
    """Tell whether the cells are there to the last digit and zero; blank ones are all the same."""
    kept = [(block.cells(place), block.surplus(place)) for place in range(block.rows)]
    read = [(tuple(None if _is_blank(cell) else cell for cell in row.cells), row.surplus) for row in rows]
    return repr(kept) == repr(read)


def _is_blank(cell: CellValue) -> bool:
    return isinstance(cell, str) and not cell.strip()


@given(sources())
def test_a_block_becomes_what_its_rows_become_one_by_one(drawn):
    operation, columns, surplus, options = drawn
    alone, together = (converter(operation, [*columns], options) for _ in range(2))
    cells = list(zip(*columns.values(), strict=True))
    rows = [Row(number, of_row, surplus.get(number - 2, ())) for number, of_row in enumerate(cells, 2)]
    wanted = [alone(row) for row in rows]
    numbers = range(2, len(rows) + 2)
    block = BlockConverter(together)(1, Slab(numbers, list(columns.values()), surplus))
    assert one_by_one(block, len(rows)) == wanted
    assert same_cells(block.block, rows)
    assert same_cells(stored(block.block), rows)
    assert [stored(block.block).record(place) for place in range(len(rows))] == [each.record for each in wanted]

    settled, of_block = alone.settle(), together.settle()
    assert (of_block.notes, of_block.reading) == (settled.notes, settled.reading)
    open_places = {place: place + 2 for place, each in enumerate(wanted) if each.open}
    again, finally_alone = stored(block.block), settled.converter()
    odd = BlockConverter(of_block.converter()).again(again, open_places)
    for place in range(len(rows)):
        final = finally_alone(rows[place]) if place in open_places else wanted[place]
        assert stored(again).record(place) == final.record
        if place in open_places:
            assert (odd.odd.get(place) or Converted(again.record(place) or {})) == final
    assert same_cells(stored(again), rows)


@given(st.lists(TYPED | st.text(max_size=5), min_size=1, max_size=80), st.integers(1, 500))
def test_a_strip_has_each_cell_in_its_place(cells, repeated):
    """Few different cells, many, or one; a block holds 500 rows at most."""
    column = (cells * repeated)[:500]
    block = BlockConverter(converter("update-services", ["x", "id"], ConvertOptions()))(
        1, Slab(range(2, len(column) + 2), [column, ["1"] * len(column)])
    )
    assert same_cells(stored(block.block), [Row(0, (cell, "1")) for cell in column])
