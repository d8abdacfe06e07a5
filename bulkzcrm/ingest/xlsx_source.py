"""Excel workbooks: one sheet is chosen and read lazily, and a note says what a person looking at it might miss."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO, BinaryIO
from zipfile import ZipFile

from bulkzcrm.errors import SourceError
from bulkzcrm.ingest.choosing import chosen, sheet_table, where_is
from bulkzcrm.ingest.grid import Line
from bulkzcrm.ingest.guard import open_archive, open_part, translated_faults
from bulkzcrm.ingest.options import ReadOptions, refuse_options
from bulkzcrm.ingest.sheet import sheet_lines
from bulkzcrm.ingest.workbook import Sheet, Workbook, read_workbook
from bulkzcrm.model import Table

__all__ = ["read_xlsx"]

_PIECE_BYTES = 1 << 20
_OVERLAP_BYTES = 1 << 12
"""More than the longest start of a row or column element, so that none falls between two pieces."""

_HIDDEN = re.compile(rb"""<(?:\w+:)?(row|col)\s[^<>]*?\bhidden\s*=\s*["'](?:1|true)["']""")
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s")


def read_xlsx(file: BinaryIO, name: str, options: ReadOptions) -> Table:
    """Read one sheet of an `.xlsx` or `.xlsm` workbook: the one named, else the first that is shown.

    Raises `SourceError`, also from the rows, and `UsageError` for an encoding or a delimiter.
    """
    refuse_options(options, "encoding", "delimiter", name=name, what="an Excel workbook")
    archive = open_archive(file, name)
    with translated_faults(name):
        workbook = _workbook(archive, name)
        sheet = chosen(workbook.sheets, options.sheet, name)
        with archive.open(sheet.part) as stream:
            oddities = _oddities(stream)
    lines = _lines(workbook, sheet, name, where_is(sheet, name))
    return sheet_table(name, options, sheet, workbook.sheets, lines, oddities=oddities)


def _workbook(archive: ZipFile, name: str) -> Workbook:
    try:
        return read_workbook(archive, name)
    except (ValueError, KeyError) as fault:
        cure = "Open it in a spreadsheet program and save it as .xlsx."
        raise SourceError(f"{name} is a damaged workbook.", cure) from fault


def _lines(workbook: Workbook, sheet: Sheet, name: str, where: str) -> Iterator[Line]:
    with translated_faults(name), open_part(workbook.archive, sheet.part, name) as stream:
        yield from sheet_lines(stream, workbook, where)


def _oddities(stream: IO[bytes]) -> frozenset[str]:
    """Read a sheet's bytes once, which proves that they unpack whole, and tell whether it hides or merges anything."""
    found: set[str] = set()
    rest = b""
    while piece := stream.read(_PIECE_BYTES):
        window = rest + piece
        if b"hidden" in window:
            found.update(kind.decode() for kind in _HIDDEN.findall(window))
        if b"mergeCell" in window and _MERGED.search(window):
            found.add("merged")
        rest = window[-_OVERLAP_BYTES:]
    return frozenset(found)
