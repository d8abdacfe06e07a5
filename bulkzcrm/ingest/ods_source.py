"""OpenDocument spreadsheets (.ods, .fods): one table is chosen and read lazily; cells mean what they mean in Excel."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import IO, BinaryIO, Protocol
from zipfile import ZipFile

from bulkzcrm.errors import SourceError
from bulkzcrm.ingest.choosing import chosen, sheet_table, where_is
from bulkzcrm.ingest.grid import Line
from bulkzcrm.ingest.guard import open_archive, open_flat, open_part, protected, translated_faults
from bulkzcrm.ingest.ods_cells import CellReader
from bulkzcrm.ingest.ods_outline import OdsTable, Outline
from bulkzcrm.ingest.ods_sheet import ods_lines
from bulkzcrm.ingest.ods_walk import walk
from bulkzcrm.ingest.options import ReadOptions, refuse_options
from bulkzcrm.model import Table

__all__ = ["read_flat_ods", "read_ods"]

_CONTENT = "content.xml"
_STYLES = "styles.xml"
_MANIFEST = "META-INF/manifest.xml"
_LONGEST_MANIFEST = 1_000_000
_WHAT = "an OpenDocument spreadsheet"


class _Opening(Protocol):
    def __call__(self) -> AbstractContextManager[IO[bytes]]: ...


def read_ods(file: BinaryIO, name: str, options: ReadOptions) -> Table:
    """Read one table of an `.ods` spreadsheet: the one named, else the first that is shown.

    Raises `SourceError`, also from the rows, and `UsageError` for an encoding or a delimiter.
    """
    refuse_options(options, "encoding", "delimiter", name=name, what=_WHAT)
    archive = open_archive(file, name)
    with translated_faults(name):
        _refuse_encrypted(archive, name)
        parts = [part for part in (_STYLES, _CONTENT) if part in archive.namelist()]
        outline = _outline([partial(open_part, archive, part, name) for part in parts], name)
    return _table(outline, partial(open_part, archive, _CONTENT, name), name, options)


def read_flat_ods(file: BinaryIO, name: str, options: ReadOptions) -> Table:
    """Read the like of an `.fods` spreadsheet, which is one XML document. Raises as `read_ods`."""
    refuse_options(options, "encoding", "delimiter", name=name, what=_WHAT)

    opening = partial(open_flat, file, name)
    with translated_faults(name):
        outline = _outline([opening], name)
    return _table(outline, opening, name, options)


def _outline(openings: list[_Opening], name: str) -> Outline:
    outline = Outline()
    for opening in openings:
        with opening() as stream:
            for _ in walk(stream, outline, name):
                pass
    if not outline.is_spreadsheet:
        cure = "Give a spreadsheet (.ods, .xlsx) or a CSV file."
        raise SourceError(f"{name} is an OpenDocument file, but no spreadsheet.", cure)
    return outline


def _table(outline: Outline, opening: _Opening, name: str, options: ReadOptions) -> Table:
    sheet = chosen(outline.tables, options.sheet, name)
    lines = _lines(outline, sheet, opening, name)
    return sheet_table(name, options, sheet, outline.tables, lines, oddities=sheet.oddities)


def _lines(outline: Outline, sheet: OdsTable, opening: _Opening, name: str) -> Iterator[Line]:
    reader = CellReader(outline.shape, is_1904=outline.counts_from_1904)
    with translated_faults(name), opening() as stream:
        yield from ods_lines(stream, sheet.place, reader, where_is(sheet, name))


def _refuse_encrypted(archive: ZipFile, name: str) -> None:
    names = archive.namelist()
    if "encrypted-package" in names:
        raise protected(name)
    if _MANIFEST in names:
        with archive.open(_MANIFEST) as stream:
            if b"encryption-data" in stream.read(_LONGEST_MANIFEST):
                raise protected(name)
