"""The nouns: cells, rows, problems, outcomes. Values only, without any behaviour that needs the outside world."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

__all__ = [
    "SUMMARY_SHEET",
    "CellError",
    "CellValue",
    "Column",
    "FormulaWithoutValue",
    "Json",
    "Outcome",
    "Problem",
    "Record",
    "Row",
    "Slab",
    "Status",
    "Table",
]

SUMMARY_SHEET = "bulkzcrm summary"
"""The sheet that a report adds to a workbook: no source has its rows there."""

Json: TypeAlias = str | int | Decimal | bool | Sequence["Json"] | Mapping[str, "Json"] | None
"""What a record is made of. There is no float: money is exact."""

Record: TypeAlias = dict[str, Json]
"""A row converted for the API, keyed by field name; a key with `None` means "clear this field"."""


@dataclass(frozen=True, slots=True)
class CellError:
    """A spreadsheet error value, as shown (`#N/A`)."""

    text: str


@dataclass(frozen=True, slots=True)
class FormulaWithoutValue:
    """A formula whose result the file does not hold, as written (`=A1+1`)."""

    formula: str


CellValue: TypeAlias = (
    str | bool | int | float | Decimal | datetime | date | time | timedelta | CellError | FormulaWithoutValue | None
)
"""What one cell holds. CSV cells are always `str`; a blank cell is `None` (also a text of white space only)."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the source: its place (from 0), the letter a spreadsheet program shows, the header as written."""

    index: int
    letter: str
    name: str


class Row(Struct, frozen=True):
    """One line of the source that holds at least one value.

    `number` is what a spreadsheet program shows for it (the first line of a file is 1; for a record of a CSV that spans
    lines, and for JSON Lines, see `ingest`). `cells` has exactly one value per column; `surplus` holds what stands to
    the right of the last column, blank cells at its end left out (empty for a well-formed row).
    """

    number: int
    cells: tuple[CellValue, ...]
    surplus: tuple[CellValue, ...] = ()


class Slab(Struct, frozen=True):
    """Rows that follow each other, column by column: every column has a cell for each of the `numbers`.

    Here a cell that holds nothing may also be a text of white space only. `surplus` is that of the rows that have any,
    by their places.
    """

    numbers: Sequence[int]
    columns: Sequence[Sequence[CellValue]]
    surplus: Mapping[int, tuple[CellValue, ...]] = {}


@dataclass(slots=True)
class Table:
    """A source opened for reading: its columns are known, its rows are still to come (once)."""

    name: str
    """The path as given, `-` for standard input, `DataFrame` for a frame."""
    columns: tuple[Column, ...]
    rows: Iterator[Row]
    header_row: int
    slabs: Iterator[Slab] | None = None
    """Where rows can be had many at a time: all of them (once), instead of `rows`."""
    sheet: str | None = None
    notes: list[str] = field(default_factory=list)
    """Sentences for the user about how the source was read (other sheets, hidden rows ...)."""
    warnings: list[str] = field(default_factory=list)
    """The like, where the reading may be wrong (an encoding that was guessed)."""
    reading: dict[str, str] = field(default_factory=dict)
    """Options in force that were inferred and must be repeated to read the source alike: `encoding`, `sheet` ..."""
    preview: tuple[tuple[int, tuple[str, ...]], ...] = ()
    """The first lines with a value (number, texts), the header included: enough to guess where the header stands."""


class Status(StrEnum):
    """How one row ended."""

    SUCCEEDED = "succeeded"  #: the API said so, for this row
    UNCHANGED = "unchanged"  #: already as wanted; not sent
    INVALID = "invalid"  #: local problems; not sent
    REJECTED = "rejected"  #: the API refused this row
    UNKNOWN = "unknown"  #: sent, and no trustworthy answer; not yet settled
    UNSENT = "unsent"  #: the run stopped before its turn, or its batch was certainly not applied
    VALID = "valid"  #: `check` only: nothing is wrong as far as can be told without the organisation


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong with one field of one row.

    `field` is the API name of the field to mend (blank when the whole row is meant), `cell` the cell of the source
    (`F37`), blank when there is none. `message` and `remedy` are whole sentences in plain words.
    """

    code: str
    field: str
    message: str
    remedy: str
    cell: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one row ended, and all that the report says of it."""

    status: Status
    problems: tuple[Problem, ...] = ()
    record_id: str = ""
    batch: int | None = None
    attempts: int = 0
    code: str = ""
    """The code to show when there are no problems: the API's own (`SUCCESS`) or blank."""
