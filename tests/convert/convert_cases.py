"""What the tests of conversion share: one-field sources, converted as a run converts them."""

from __future__ import annotations

from collections.abc import Sequence

from bulkzcrm.cells import column_letter
from bulkzcrm.convert import Converted, ConvertOptions, MapOptions, RowConverter, match_columns
from bulkzcrm.model import CellValue, Column, Json, Problem, Row, Table
from bulkzcrm.spec.fields import Field, Kind

PLAIN = ConvertOptions()


def field(kind: Kind, name: str = "Some_Field", **more) -> Field:
    return Field(name=name, label=name.replace("_", " "), kind=kind, about="A field.", **more)


def table(*headers: str, header_row: int = 1, preview=()) -> Table:
    columns = tuple(Column(index, column_letter(index), header) for index, header in enumerate(headers))
    return Table("prices.csv", columns, iter(()), header_row, preview=preview)


def converter(
    fields: Sequence[Field], options: ConvertOptions = PLAIN, *, clears="null", constants=None
) -> RowConverter:
    headers = [one.name for one in fields if one.name not in (constants or {})]
    column_map = match_columns(fields, table(*headers), MapOptions(constants=constants or {}))
    return RowConverter(fields, column_map, options, clears=clears)


def convert_column(one: Field, values: Sequence[CellValue], options: ConvertOptions = PLAIN) -> list[Json | Problem]:
    """Convert a column as a whole run does: all rows, then the open ones again; blank cells give None, too."""
    convert = converter([one], options)
    rows = [Row(number, (value,)) for number, value in enumerate(values, 2)]
    converted = [convert(row) for row in rows]
    again = convert.settle().converter()
    final = [again(row) if first.open else first for row, first in zip(rows, converted, strict=True)]
    return [_only(one, each) for each in final]


def convert_value(one: Field, value: CellValue, options: ConvertOptions = PLAIN) -> Json | Problem:
    return convert_column(one, [value], options)[0]


def code_of(one: Field, value: CellValue, options: ConvertOptions = PLAIN) -> str:
    """Convert a value that must be refused, and return the code."""
    problem = convert_value(one, value, options)
    assert isinstance(problem, Problem), f"{value!r} became {problem!r}"
    return problem.code


def _only(one: Field, converted: Converted) -> Json | Problem:
    assert not converted.open
    if converted.problems:
        (problem,) = converted.problems
        assert one.name not in converted.record
        return problem
    return converted.record.get(one.name)
