"""Binary Excel workbooks (.xlsb): the same archive, sheets and cells as in .xlsx, written as records instead of XML."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from bulkzcrm.ingest.choosing import chosen, sheet_table, where_is
from bulkzcrm.ingest.grid import Line
from bulkzcrm.ingest.guard import open_archive, translated_faults
from bulkzcrm.ingest.options import ReadOptions, refuse_options
from bulkzcrm.ingest.workbook import Sheet, Workbook
from bulkzcrm.ingest.xlsb_sheet import xlsb_lines, xlsb_oddities
from bulkzcrm.ingest.xlsb_workbook import read_xlsb_workbook
from bulkzcrm.model import Table

__all__ = ["read_xlsb"]


def read_xlsb(file: BinaryIO, name: str, options: ReadOptions) -> Table:
    """Read one sheet of an `.xlsb` workbook: the one named, else the first that is shown.

    Raises `SourceError`, also from the rows, and `UsageError` for an encoding or a delimiter.
    """
    refuse_options(options, "encoding", "delimiter", name=name, what="a binary Excel workbook")
    archive = open_archive(file, name)
    with translated_faults(name):
        workbook = read_xlsb_workbook(archive, name)
        sheet = chosen(workbook.sheets, options.sheet, name)
        with archive.open(sheet.part) as stream:
            oddities = xlsb_oddities(stream, where_is(sheet, name))
    return sheet_table(name, options, sheet, workbook.sheets, _lines(workbook, sheet, name), oddities=oddities)


def _lines(workbook: Workbook, sheet: Sheet, name: str) -> Iterator[Line]:
    with translated_faults(name), workbook.archive.open(sheet.part) as stream:
        yield from xlsb_lines(stream, workbook, where_is(sheet, name))
