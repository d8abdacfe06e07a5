"""The first phase: the whole source, row by row, into the journal; nothing is sent before its last row is in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bulkzcrm.convert import ColumnMap, Converted, ConvertOptions, MapOptions, RowConverter, Settled, match_columns
from bulkzcrm.convert.headers import columns_called
from bulkzcrm.defuse import undefuse
from bulkzcrm.errors import UsageError
from bulkzcrm.events import ColumnsMatched, Listener, Noted, RowsRead
from bulkzcrm.journal import Journal, NewRow, Progress, RowSettlement
from bulkzcrm.model import CellValue, Column, Json, Row, Table
from bulkzcrm.run.given_back import not_yet_done
from bulkzcrm.run.judging import first_identity
from bulkzcrm.run.options import RunOptions
from bulkzcrm.spec.operation import Operation

__all__ = ["JudgeAtOnce", "Taken", "take_in", "time_zone"]

_PAGE = 1000
"""Rows in one transaction of the journal."""

JudgeAtOnce: TypeAlias = Callable[[NewRow], NewRow]
"""Returns a row as it goes into the journal: with what else is wrong with it."""


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
        return self.column_map.letters

    def decisions(self) -> dict[str, Json]:
        """Return what a resumed run must know of how the columns were understood."""
        return {
            "letters": dict(self.letters),
            "given": [*self.column_map.fields, *self.column_map.constants],
            "carried": [column.name for column in self.column_map.carried],
            "inferred": dict(self.inferred),
            # Of several of one name, the first.
            "result_columns": {column.name: column.letter for column in reversed(self.column_map.report_columns)},
        }

    def tell(self, announce: Listener) -> None:
        """Tell people what there is to say of the source."""
        for warning in self.warnings:
            announce(Noted(warning, warning=True))
        for note in self.notes:
            announce(Noted(note))


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
    judging: Callable[[ColumnMap], JudgeAtOnce] | None = None,
) -> Taken:
    """Read an open source to its end.

    `begin` makes the run once the columns are known, and returns its id and the epoch of its claim. `go_on` is asked
    before each write and raises to stop. `judging` is what rows are judged by as soon as they are converted, for those
    who need not wait for the organisation. Raises `SourceError` or `UsageError`; a run that was begun is then left in
    state `ingesting`, for the caller to drop.
    """
    table, given_back = not_yet_done(_without_defusing(table), allow_duplicates=options.allow_duplicates)
    column_map = match_columns(
        operation.fields,
        table,
        MapOptions(mapping=options.mapping, constants=options.constants, ignored=frozenset(options.ignored)),
        need_one_of=operation.one_of,
    )
    announce(_matched(column_map, table.columns))
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
    judge = judging(column_map) if judging else _left_for_later
    intake = _Intake(operation, journal, run, epoch, judge, table.sheet)
    rows = intake.take(table.rows, converter, announce, go_on)
    settled = converter.settle()
    intake.settle_open_rows(settled, len(table.columns))
    announce(RowsRead(rows=rows, final=True))
    is_empty = not rows and not given_back.left_out
    warnings = (
        *table.warnings,
        *given_back.warnings(),
        *(["The source has a header and no rows."] if is_empty else []),
    )
    return Taken(
        rows=rows,
        columns=columns,
        column_map=column_map,
        notes=(*table.notes, *given_back.notes(), *_named(column_map), *column_map.notes, *settled.notes),
        warnings=warnings,
        inferred=dict(settled.reading),
    )


@dataclass(frozen=True, slots=True)
class _Intake:
    """Puts converted rows into the journal."""

    operation: Operation
    journal: Journal
    run: str
    epoch: int
    judge: JudgeAtOnce
    sheet: str | None

    def take(self, rows: Iterator[Row], converter: RowConverter, announce: Listener, go_on: Callable[[], None]) -> int:
        """Take all rows, and return how many there were."""
        waiting: list[NewRow] = []
        ordinal = 0
        for ordinal, row in enumerate(rows, start=1):
            waiting.append(self._new(ordinal, row, converter(row)))
            if len(waiting) == _PAGE:
                go_on()
                self.journal.add_rows(self.run, self.epoch, waiting)
                waiting = []
                announce(RowsRead(rows=ordinal))
        if waiting:
            go_on()
            self.journal.add_rows(self.run, self.epoch, waiting)
        return ordinal

    def settle_open_rows(self, settled: Settled, width: int) -> None:
        """Convert once more the rows whose columns had to be known as a whole."""
        converter = settled.converter()
        after = 0
        while page := self.journal.open_rows(self.run, after, _PAGE):
            after = page[-1].ordinal
            settlements = []
            for stored in page:
                row = Row(stored.number, _as_wide(stored.cells, width), stored.surplus)
                new = self._new(stored.ordinal, row, converter(row))
                settlements.append(
                    RowSettlement(
                        ordinal=new.ordinal,
                        status=new.status,
                        record=new.record,
                        problems=new.problems,
                        identity=new.identity,
                        fingerprint=new.fingerprint,
                    )
                )
            self.journal.settle_rows(self.run, self.epoch, settlements)

    def _new(self, ordinal: int, row: Row, converted: Converted) -> NewRow:
        problems = converted.problems
        new = NewRow(
            ordinal=ordinal,
            number=row.number,
            cells=row.cells,
            surplus=row.surplus,
            sheet=self.sheet,
            record=converted.record,
            identity=None if problems else first_identity(self.operation, converted.record),
            is_open=bool(converted.open),
            status=Progress.INVALID if problems else Progress.PENDING,
            problems=problems,
        )
        return new if converted.open else self.judge(new)


def _matched(column_map: ColumnMap, columns: Sequence[Column]) -> ColumnsMatched:
    names = Counter(column.name for column in columns)

    def named(column: Column) -> str | None:
        # By its header, so that it is found wherever it stands in the next sheet; by its letter, where that is not one.
        if column.name.strip() and names[column.name] == 1:
            return column.name
        # Where another column has that letter for its header, it would be taken: what matches by itself needs no word.
        return column.letter if columns_called(column.letter, columns) == [column] else None

    return ColumnsMatched(
        mapping={name: field for field, column in column_map.fields.items() if (name := named(column)) is not None},
        constants=dict(column_map.constants),
        ignored=tuple(name for column in column_map.ignored if (name := named(column)) is not None),
    )


def _left_for_later(row: NewRow) -> NewRow:
    return row


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
