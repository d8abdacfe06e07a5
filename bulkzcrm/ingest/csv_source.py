"""CSV and its kin: records count as rows do in a spreadsheet program; broken quotes are refused, never guessed at."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

from bulkzcrm.errors import SourceError
from bulkzcrm.ingest import delimiters
from bulkzcrm.ingest.grid import Line, grid_rows, read_head
from bulkzcrm.ingest.options import ReadOptions, refuse_options
from bulkzcrm.ingest.text import TextFile, open_text
from bulkzcrm.model import Table

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
    lines = _lines(text, name, delimiter, first_row=1 if named is None else 2)
    head = read_head(lines, options.header_row, name)
    table = Table(name, head.columns, grid_rows(head, lines), head.number, preview=head.preview)
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


def _lines(text: TextFile, name: str, delimiter: str, *, first_row: int) -> Iterator[Line]:
    lines = text.lines()
    if first_row > 1:
        next(lines)
    number = first_row - 1
    try:
        for number, record in enumerate(_reader(lines, delimiter, strict=True), first_row):
            if all(map(str.strip, record)) and record:  # the quick way for a record without a blank cell
                yield number, record
                continue
            cells = [cell if cell.strip() else None for cell in record]
            if any(cells):
                yield number, cells
    except csv.Error as error:
        raise _broken_record(str(error), name, number + 1) from None
    except UnicodeError:
        raise SourceError(f"{name} was changed while it was read.", "Start again when nobody writes to it.") from None
    except OSError as error:
        cure = "Copy it to this computer and start again."
        raise SourceError(f"{name} breaks off after row {number}: {error.strerror}.", cure) from None


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
