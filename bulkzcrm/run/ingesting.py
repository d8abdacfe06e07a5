"""The first phase: the whole source, row by row, into the journal; nothing is sent before its last row is in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Literal, NamedTuple, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bulkzcrm.batch import batches
from bulkzcrm.blocks import LONGEST, Block
from bulkzcrm.cells import joined
from bulkzcrm.convert import (
    BlockConverter,
    ColumnMap,
    Converted,
    ConvertedBlock,
    ConvertOptions,
    MapOptions,
    RowConverter,
    Settled,
    match_columns,
)
from bulkzcrm.convert.headers import columns_called
from bulkzcrm.defuse import undefuse
from bulkzcrm.errors import UsageError
from bulkzcrm.events import ColumnsMatched, Listener, Noted, RowsRead
from bulkzcrm.journal import Beginning, Journal, NewRow, Progress, RowSettlement
from bulkzcrm.model import CellValue, Column, Json, Row, Slab, Table
from bulkzcrm.run.given_back import not_yet_done
from bulkzcrm.run.judging import first_identities, first_identity
from bulkzcrm.run.options import RunOptions
from bulkzcrm.spec.operation import Operation

__all__ = ["JudgeAtOnce", "Taken", "take_in", "time_zone"]

_SLABS = 4
"""Slabs of rows in one transaction of the journal."""
_LONG = 1_000_000
"""Characters of a slab at most, unless one row alone has more: so that cells may be as long as they like."""


class JudgeAtOnce(Protocol):
    """Judges rows as soon as they are converted, for those who need not wait for the organisation."""

    def unproven(self, block: Block, plain: Collection[int]) -> Collection[int]:
        """Return which of the plain rows of a block, by their places in it, have to be judged one by one."""
        ...

    def at_once(self, row: NewRow) -> NewRow:
        """Return a row as it goes into the journal: with what else is wrong with it."""
        ...


class _JudgeLater:
    """Leaves all rows for later."""

    def unproven(self, block: Block, plain: Collection[int]) -> Collection[int]:
        del block, plain
        return ()

    def at_once(self, row: NewRow) -> NewRow:
        return row


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
    before each write and raises to stop. `judging` is what rows are judged by as soon as they are converted. Raises
    `SourceError` or `UsageError`; a run that was begun is then left in state `ingesting`, for the caller to drop.
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
    judge = judging(column_map) if judging else _JudgeLater()
    intake = _Intake(operation, journal, run, epoch, judge)
    rows = intake.take(table.slabs or _slabs(table.rows), converter, announce, go_on)
    settled = converter.settle()
    intake.settle_open_rows(settled)
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

    def take(
        self, slabs: Iterator[Slab], converter: RowConverter, announce: Listener, go_on: Callable[[], None]
    ) -> int:
        """Take all rows, and return how many there were."""
        convert = BlockConverter(converter)
        parts = chain.from_iterable(map(_short, slabs))
        taken = 0
        # Others have the journal while the source is read, however long that takes.
        while slab := next(parts, None):
            added: list[_Added] = []
            for each in chain([slab], islice(parts, _SLABS - 1)):
                added.append(self._added(convert(taken + 1, each), each.numbers))
                taken += len(each.numbers)
            go_on()
            with self.journal.transaction():
                for block, numbers, identities, others in added:
                    self.journal.add_block(
                        self.run, self.epoch, block, numbers=numbers, identities=identities, others=others
                    )
            announce(RowsRead(rows=taken))
        return taken

    def _added(self, converted: ConvertedBlock, numbers: Sequence[int]) -> _Added:
        identities = first_identities(self.operation, converted.block)
        return _Added(converted.block, numbers, identities, self._others(converted, numbers))

    def settle_open_rows(self, settled: Settled) -> None:
        """Convert once more the rows whose columns had to be known as a whole."""
        convert = BlockConverter(settled.converter())
        after = 0
        while (waiting := self.journal.next_open(self.run, after)) is not None:
            block, numbers = waiting
            converted = convert.again(block, numbers)
            settlements = []
            for place, number in numbers.items():
                new = self._new(converted, place, number)
                settlements.append(
                    RowSettlement(
                        ordinal=new.ordinal,
                        status=new.status,
                        problems=new.problems,
                        identity=new.identity,
                        fingerprint=new.fingerprint,
                    )
                )
            with self.journal.transaction():
                self.journal.replace_block(self.run, self.epoch, block)
                self.journal.settle_rows(self.run, self.epoch, settlements)
            after = block.last

    def _others(self, converted: ConvertedBlock, numbers: Sequence[int]) -> dict[int, Beginning]:
        """Return how those rows of a block begin that are not plain."""
        block, odd = converted.block, converted.odd
        plain = [place for place in range(block.rows) if place not in odd] if odd else range(block.rows)
        unproven = self.judge.unproven(block, plain)
        return {place: Beginning.of(self._new(converted, place, numbers[place])) for place in {*odd, *unproven}}

    def _new(self, block: ConvertedBlock, place: int, number: int) -> NewRow:
        converted = block.odd.get(place) or Converted(block.block.record(place) or {})
        problems = converted.problems
        new = NewRow(
            ordinal=block.block.first + place,
            number=number,
            cells=block.block.cells(place),
            surplus=block.block.surplus(place),
            record=converted.record,
            identity=None if problems else first_identity(self.operation, converted.record),
            is_open=bool(converted.open),
            status=Progress.INVALID if problems else Progress.PENDING,
            problems=problems,
        )
        return new if converted.open else self.judge.at_once(new)


class _Added(NamedTuple):
    """A block as it goes into the journal (see `Journal.add_block`)."""

    block: Block
    numbers: Sequence[int]
    identities: Sequence[str | None]
    others: Mapping[int, Beginning]


def _short(slab: Slab) -> Iterator[Slab]:
    """Yield a slab in as many pieces as keep each of them short."""
    rows = len(slab.numbers)
    if rows == 1 or sum(map(_length, slab.columns)) <= _LONG:
        yield slab
        return
    half = rows // 2
    for begin, end in ((0, half), (half, rows)):
        surplus = {place - begin: cells for place, cells in slab.surplus.items() if begin <= place < end}
        yield from _short(Slab(slab.numbers[begin:end], [column[begin:end] for column in slab.columns], surplus))


def _length(column: Sequence[CellValue]) -> int:
    """Return how long the texts of a column are together."""
    together = joined(column)
    if together is not None:
        return len(together)
    return sum([len(cell) for cell in column if isinstance(cell, str)])


def _slabs(rows: Iterator[Row]) -> Iterator[Slab]:
    for some in batches(rows, LONGEST):
        surplus = {place: row.surplus for place, row in enumerate(some) if row.surplus}
        yield Slab([row.number for row in some], list(zip(*(row.cells for row in some), strict=True)), surplus)


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
    return replace(table, columns=columns, rows=rows(), slabs=None)


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
