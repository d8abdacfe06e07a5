"""Old Excel workbooks (.xls, Excel 2 to 2003): cells mean what they mean in .xlsx, errors and all.

xlrd reads them; it holds a sheet as a whole, which by the format has at most 65,536 rows. It is not asked what a number
means: formats are judged as those of .xlsx are.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from math import isfinite
from typing import TYPE_CHECKING, BinaryIO

import xlrd

from bulkzcrm.ingest.choosing import chosen, sheet_table
from bulkzcrm.ingest.grid import Line
from bulkzcrm.ingest.guard import protected
from bulkzcrm.ingest.number_formats import BUILTIN_CODES, Shape, counting_from, moment_of, shape_of, shortest
from bulkzcrm.ingest.ole import broken_ole, workbook_stream
from bulkzcrm.ingest.options import ReadOptions, refuse_options
from bulkzcrm.ingest.xls_formulas import uncomputed_formulas
from bulkzcrm.ingest.xml_text import visible
from bulkzcrm.model import CellError, CellValue, FormulaWithoutValue, Table

if TYPE_CHECKING:
    from xlrd.book import Book
    from xlrd.sheet import Cell, Sheet

__all__ = ["read_xls"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    """A worksheet of the workbook, by its place."""

    name: str
    visible: bool
    place: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loaded:
    """A sheet with what its cells refer to; `shapes` by the index of the cells' styles."""

    sheet: Sheet
    shapes: tuple[Shape, ...]
    epoch: datetime
    uncomputed: frozenset[tuple[int, int]]


def read_xls(file: BinaryIO, name: str, options: ReadOptions) -> Table:
    """Read one sheet of an `.xls` workbook: the one named, else the first that is shown.

    Raises `SourceError`, and `UsageError` for an encoding or a delimiter.
    """
    refuse_options(options, "encoding", "delimiter", name=name, what="an old Excel workbook")
    with _translated_faults(file, name):
        book = _opened(workbook_stream(file))
    sheets = _sheets(book)
    sheet = chosen(sheets, options.sheet, name)
    with book, _translated_faults(file, name):
        loaded = _loaded(book, sheet.place)
    return sheet_table(name, options, sheet, sheets, _lines(loaded), oddities=_oddities(loaded.sheet))


@contextmanager
def _translated_faults(file: BinaryIO, name: str) -> Iterator[None]:
    try:
        yield
    except Exception as fault:
        if isinstance(fault, xlrd.XLRDError) and "encrypted" in str(fault):
            raise protected(name) from fault
        # xlrd takes a file's word for much: one that is damaged makes it raise whatever Python has.
        raise broken_ole(file, name) from fault


def _opened(content: bytes) -> Book:
    # What it finds odd it would print.
    return xlrd.open_workbook(
        file_contents=content, logfile=io.StringIO(), on_demand=True, formatting_info=True, ragged_rows=True
    )


def _sheets(book: Book) -> list[_Listed]:
    # Asked in public, whether a sheet is shown, it would load each of them.
    states = book._sheet_visibility  # noqa: SLF001
    return [
        _Listed(name=name, visible=state == 0, place=place)
        for place, (name, state) in enumerate(zip(book.sheet_names(), states, strict=True))
    ]


def _loaded(book: Book, place: int) -> _Loaded:
    sheet = book.sheet_by_index(place)
    codes = {key: format_.format_str for key, format_ in book.format_map.items()}
    return _Loaded(
        sheet=sheet,
        shapes=tuple(
            shape_of(codes.get(style.format_key) or BUILTIN_CODES.get(style.format_key, "")) for style in book.xf_list
        ),
        epoch=counting_from(is_1904=book.datemode == 1),
        uncomputed=_uncomputed(book, place),
    )


def _uncomputed(book: Book, place: int) -> frozenset[tuple[int, int]]:
    if book.mem is None:  # of a file of Excel 2 to 4 xlrd keeps nothing, and only Excel wrote those
        return frozenset()
    # Nowhere else does xlrd tell formulas from texts.
    return uncomputed_formulas(book.mem, book.base, book._sh_abs_posn[place])  # noqa: SLF001


def _lines(loaded: _Loaded) -> Iterator[Line]:
    sheet = loaded.sheet
    for row in range(sheet.nrows):
        values = [_value(loaded, cell, row, column) for column, cell in enumerate(sheet.row(row))]
        while values and values[-1] is None:
            values.pop()
        if values:
            yield row + 1, values


def _value(loaded: _Loaded, cell: Cell, row: int, column: int) -> CellValue:
    match cell.ctype:
        case xlrd.XL_CELL_TEXT:
            if not cell.value and (row, column) in loaded.uncomputed:
                return FormulaWithoutValue("=")
            return visible(cell.value)
        case xlrd.XL_CELL_NUMBER | xlrd.XL_CELL_DATE:
            return _number(cell.value, _shape(loaded, cell.xf_index), loaded.epoch)
        case xlrd.XL_CELL_BOOLEAN:
            return bool(cell.value)
        case xlrd.XL_CELL_ERROR:
            return CellError(xlrd.error_text_from_code.get(cell.value, "#ERROR!"))
        case _:
            return None


def _shape(loaded: _Loaded, style: int | None) -> Shape:
    return loaded.shapes[style] if style is not None and style < len(loaded.shapes) else Shape.NUMBER


def _number(value: float, shape: Shape, epoch: datetime) -> CellValue:
    if not isfinite(value):
        return CellError("#NUM!")
    return shortest(value) if shape is Shape.NUMBER else _moment(value, shape, epoch)


_moment = lru_cache(4096)(moment_of)
"""A column of dates has few different ones."""


def _oddities(sheet: Sheet) -> set[str]:
    found = {
        "row": any(row.hidden for row in sheet.rowinfo_map.values()),
        "col": any(column.hidden for column in sheet.colinfo_map.values()),
        "merged": bool(sheet.merged_cells),
    }
    return {kind for kind, is_there in found.items() if is_there}
