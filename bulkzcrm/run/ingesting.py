"""The first phase: the whole source, row by row, into the journal; nothing is sent before its last row is in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bulkzcrm.convert import ColumnMap, ConvertOptions, MapOptions, RowConverter, Settled, match_columns
from bulkzcrm.defuse import undefuse
from bulkzcrm.errors import UsageError
from bulkzcrm.events import Listener, RowsRead
from bulkzcrm.journal import Journal, NewRow, Progress, RowSettlement
from bulkzcrm.model import CellValue, Column, Json, Row, Table
from bulkzcrm.run.options import RunOptions
from bulkzcrm.spec.operation import Operation

__all__ = ["Taken", "take_in", "time_zone"]

_PAGE = 1000
"""Rows in one transaction of the journal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What is known once the source is in the journal."""

    rows: int
    columns: tuple[Column, ...]
    column_map: ColumnMap
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    inferred: Mapping[str, str]
    """Options that the source itself proved, to be repeated with `failed.csv` (`date_format`, `decimal`)."""

    @property
    def letters(self) -> dict[str, str]:
        """The letter of each field's column."""
        return {name: column.letter for name, column in self.column_map.fields.items()}

    def decisions(self) -> dict[str, Json]:
        """Return what a resumed run must know of how the columns were understood."""
        return {
            "letters": dict(self.letters),
            "given": [*self.column_map.fields, *self.column_map.constants],
            "carried": [column.name for column in self.column_map.carried],
            "inferred": dict(self.inferred),
        }


def time_zone(name: str | None) -> ZoneInfo | None:
    """Return the zone of that IANA name. Raises `UsageError` when there is none."""
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageError(
            f"There is no time zone called {name}.", "Give an IANA name, such as Asia/Kolkata or Europe/Berlin."
        ) from error


def take_in(
    table: Table,
    operation: Operation,
    options: RunOptions,
    journal: Journal,
    begin: Callable[[tuple[Column, ...]], tuple[str, int]],
    *,
    announce: Listener,
    go_on: Callable[[], None],
) -> Taken:
    """Read an open source to its end.

    `begin` makes the run once the columns are known, and returns its id and the epoch of its claim. `go_on` is asked
    before each write and raises to stop. Raises `SourceError` or `UsageError`; a run that was begun is then left in
    state `ingesting`, for the caller to drop.
    """
    table = _without_defusing(table)
    column_map = match_columns(
        operation.fields,
        table,
        MapOptions(mapping=options.mapping, constants=options.constants, ignored=frozenset(options.ignored)),
        need_one_of=operation.one_of,
    )
    converter = RowConverter(
        operation.fields,
        column_map,
        ConvertOptions(
            decimal=_decimal(options.decimal),
            date_order=_date_order(options.date_format),
            time_zone=time_zone(options.time_zone),
        ),
        clears="left out" if operation.creates else "null",
    )
    columns = tuple(column for column in table.columns if column not in column_map.report_columns)
    run, epoch = begin(columns)
    rows = _take_rows(table, converter, journal, run, epoch, announce, go_on)
    settled = converter.settle()
    _settle_open_rows(journal, run, epoch, settled, len(table.columns))
    announce(RowsRead(rows=rows, final=True))
    warnings = tuple(table.warnings) if rows else (*table.warnings, "The source has a header and no rows.")
    return Taken(
        rows=rows,
        columns=columns,
        column_map=column_map,
        notes=(*table.notes, *_named(column_map), *column_map.notes, *settled.notes),
        warnings=warnings,
        inferred=dict(settled.reading),
    )


def _take_rows(
    table: Table,
    converter: RowConverter,
    journal: Journal,
    run: str,
    epoch: int,
    announce: Listener,
    go_on: Callable[[], None],
) -> int:
    waiting: list[NewRow] = []
    ordinal = 0
    for ordinal, row in enumerate(table.rows, start=1):
        converted = converter(row)
        waiting.append(
            NewRow(
                ordinal=ordinal,
                number=row.number,
                cells=row.cells,
                surplus=row.surplus,
                sheet=table.sheet,
                record=converted.record,
                is_open=bool(converted.open),
                status=Progress.INVALID if converted.problems else Progress.PENDING,
                problems=converted.problems,
            )
        )
        if len(waiting) == _PAGE:
            go_on()
            journal.add_rows(run, epoch, waiting)
            waiting = []
            announce(RowsRead(rows=ordinal))
    if waiting:
        go_on()
        journal.add_rows(run, epoch, waiting)
    return ordinal


def _settle_open_rows(journal: Journal, run: str, epoch: int, settled: Settled, width: int) -> None:
    """Convert once more the rows whose columns had to be known as a whole."""
    converter = settled.converter()
    after = 0
    while page := journal.open_rows(run, after, _PAGE):
        after = page[-1].ordinal
        settlements = []
        for row in page:
            converted = converter(Row(row.number, _as_wide(row.cells, width), row.surplus))
            settlements.append(
                RowSettlement(
                    ordinal=row.ordinal,
                    status=Progress.INVALID if converted.problems else Progress.PENDING,
                    record=converted.record,
                    problems=converted.problems,
                )
            )
        journal.settle_rows(run, epoch, settlements)


def _as_wide(cells: tuple[CellValue, ...], width: int) -> tuple[CellValue, ...]:
    return cells + (None,) * (width - len(cells))


def _named(column_map: ColumnMap) -> Sequence[str]:
    if not column_map.carried:
        return ()
    twice = Counter(column.name.casefold() for column in column_map.carried)
    names = ", ".join(
        f"“{column.name}”" if column.name and twice[column.name.casefold()] == 1 else f"column {column.letter}"
        for column in column_map.carried
    )
    return (f"Carried through to the report, and not sent: {names}.",)


def _without_defusing(table: Table) -> Table:
    """Undo what a CSV report does to texts that look like formulas, in a source that is one."""
    if "delimiter" not in table.reading or not any(column.name == "result_row" for column in table.columns):
        return table

    def plain(value: CellValue) -> CellValue:
        return undefuse(value) if isinstance(value, str) else value

    def rows() -> Iterator[Row]:
        for row in table.rows:
            yield Row(row.number, tuple(map(plain, row.cells)), tuple(map(plain, row.surplus)))

    columns = tuple(Column(column.index, column.letter, undefuse(column.name)) for column in table.columns)
    return replace(table, columns=columns, rows=rows())


def _decimal(text: str | None) -> Literal[".", ","] | None:
    match text:
        case None | "." | ",":
            return text
        case _:
            raise UsageError(f"--decimal {text} is no decimal mark.", "Write --decimal , or --decimal .")


def _date_order(text: str | None) -> Literal["dmy", "mdy", "ymd"] | None:
    match text:
        case None | "dmy" | "mdy" | "ymd":
            return text
        case _:
            raise UsageError(f"--date-format {text} is none that we know.", "Write dmy, mdy or ymd.")
