"""CSV and its kin: records count as rows do in a spreadsheet program; broken quotes are refused, never guessed at."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import BinaryIO

from bulkzcrm.blocks import LONGEST
from bulkzcrm.errors import SourceError
from bulkzcrm.ingest import delimiters
from bulkzcrm.ingest.grid import Head, Line, read_head, rows_of, slab_of
from bulkzcrm.ingest.options import ReadOptions, refuse_options
from bulkzcrm.ingest.text import TextFile, open_text
from bulkzcrm.model import Slab, Table

__all__ = ["LONGEST_CELL", "read_csv"]

LONGEST_CELL = 1_000_000
"""Characters. More in one cell is not data of the API; mostly it is a quote that was never closed."""


def read_csv(file: BinaryIO, name: str, options: ReadOptions, *, suffix: str = "") -> Table:
    """Read a text file of separated cells. `suffix` is the file's extension in small letters.

    A record counts as one row however many lines it spans, and so do blank lines and a first line `sep=;`. Raises
    `SourceError`, also from the rows, and `UsageError` for a sheet.
    """
    refuse_options(options, "sheet", name=name, what="a text file without sheets")
    given = delimiters.known(options.delimiter) if options.delimiter is not None else None
    preferred = "\t" if suffix == ".tsv" else ","
    text = open_text(file, name, options.encoding, lambda lines, sample: _row_of_nul(lines, sample, given, preferred))
    sample = text.sample(delimiters.SAMPLE_CHARACTERS)
    named, sample = _first_line(sample)
    delimiter = given or named or delimiters.detect(sample, preferred)
    records = _Records(text, name, delimiter, first_row=1 if named is None else 2)
    head = read_head(records.lines(), options.header_row, name)
    slabs = records.slabs(head)
    table = Table(name, head.columns, rows_of(slabs), head.number, slabs, preview=head.preview)
    if text.note:
        table.warnings.append(text.note)
    if suffix == ".tsv" and delimiter != "\t" and given is None and len(head.columns) > 1:
        table.notes.append(f"{name} is separated by {delimiter!r} rather than tabs, and was read so.")
    if text.inferred:
        table.reading["encoding"] = text.encoding
    if given is None:
        table.reading["delimiter"] = delimiters.spoken(delimiter)
    return table


def _first_line(sample: str) -> tuple[str | None, str]:
    """Return the delimiter that a first line `sep=;` names, and the sample without such a line."""
    first, *_ = sample.splitlines(keepends=True) or [""]
    named = delimiters.named_in_first_line(first)
    return (None, sample) if named is None else (named, sample[len(first) :])


def _reader(lines: Iterator[str], delimiter: str, *, strict: bool) -> Iterator[list[str]]:
    # The limit belongs to the whole process: raise it where it is lower, never take it from somebody else.
    if csv.field_size_limit() < LONGEST_CELL:
        csv.field_size_limit(LONGEST_CELL)
    return csv.reader(lines, delimiter=delimiter, strict=strict)


class _Records:
    """The records of a text, numbered: line by line as far as it takes to find the header, then many at a time."""

    def __init__(self, text: TextFile, name: str, delimiter: str, *, first_row: int) -> None:
        lines = text.lines()
        if first_row > 1:
            next(lines)
        self._reader = _reader(lines, delimiter, strict=True)
        self._name = name
        self._number = first_row - 1
        """That of the last record that was read."""
        self._fault: SourceError | None = None

    def lines(self) -> Iterator[Line]:
        """Yield records one by one that hold a value."""
        while records := self._read(1):
            yield from _with_values(self._number, records)

    def slabs(self, head: Head) -> Iterator[Slab]:
        """Yield what stands below the header, first what was read to find it."""
        width = len(head.columns)
        beside = [*head.pending, *_with_values(self._number + 1, self._read(LONGEST - len(head.pending)))]
        if beside:
            yield slab_of(beside, width)
        while records := self._read(LONGEST):
            first = self._number - len(records) + 1
            columns = list(zip(*records, strict=True)) if set(map(len, records)) == {width} else []
            # Where one column has a value in every record, no record is blank.
            if any(all(map(str.strip, column)) for column in columns):
                yield Slab(range(first, self._number + 1), columns)
            elif lines := list(_with_values(first, records)):
                yield slab_of(lines, width)

    def _read(self, most: int) -> list[list[str]]:
        """Read some records; what breaks off behind the last of them is told when more are asked for."""
        if self._fault is not None:
            raise self._fault
        records: list[list[str]] = []
        try:
            # What was read before a fault stays in the list.
            records.extend(islice(self._reader, most))
        except csv.Error as error:
            self._fault = _broken_record(str(error), self._name, self._number + len(records) + 1)
        except UnicodeError:
            cure = "Start again when nobody writes to it."
            raise SourceError(f"{self._name} was changed while it was read.", cure) from None
        except OSError as error:
            row = self._number + len(records)
            cure = "Copy it to this computer and start again."
            raise SourceError(f"{self._name} breaks off after row {row}: {error.strerror}.", cure) from None
        if self._fault is not None and not records:
            raise self._fault
        self._number += len(records)
        return records


def _with_values(first: int, records: Sequence[Sequence[str]]) -> Iterator[Line]:
    """Yield those records that hold a value; blank cells are `None`."""
    for number, record in enumerate(records, first):
        cells = [cell if cell.strip() else None for cell in record]
        if any(cells):
            yield number, cells


def _broken_record(reason: str, name: str, number: int) -> SourceError:
    where = f"row {number} of {name}"
    if "unexpected end" in reason:
        return SourceError(
            f"A quotation mark that opens in {where} is never closed, so that the rest of the file would be one cell.",
            'Close it, or write it twice ("") if it belongs to the text.',
        )
    if "field larger" in reason:
        return SourceError(
            f"A cell in {where} is longer than {LONGEST_CELL:,} characters.",
            "Look for a quotation mark that opens there and is never closed, or shorten the cell.",
        )
    return SourceError(
        f"A quotation mark in {where} closes a cell, but text follows it.",
        'Write a quotation mark that belongs to the text twice (""), and put the whole cell in quotation marks.',
    )


def _row_of_nul(lines: Iterator[str], sample: str, given: str | None, preferred: str) -> int:
    named, sample = _first_line(sample)
    delimiter = given or named or delimiters.detect(sample, preferred)
    first = next(lines)
    if named is None:
        lines = chain([first], lines)
    number = first_row = 1 if named is None else 2
    try:
        for number, record in enumerate(_reader(lines, delimiter, strict=False), first_row):
            if any("\0" in cell for cell in record):
                return number
    except csv.Error:
        number += 1
    return number
