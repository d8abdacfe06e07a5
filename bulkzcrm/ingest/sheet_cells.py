"""A worksheet's cells as values: texts, exact numbers, moments, errors, and formulas that have no value.

openpyxl's rules for dates and formulas are used, not its reader (see `sheet`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from functools import lru_cache
from math import isfinite
from typing import TypeAlias
from xml.etree.ElementTree import Element

from openpyxl.formula.translate import Translator, TranslatorError

from bulkzcrm.cells import column_letter
from bulkzcrm.errors import SourceError
from bulkzcrm.ingest.number_formats import Shape, exact, moment_of
from bulkzcrm.ingest.shared_texts import Texts
from bulkzcrm.ingest.workbook import Workbook
from bulkzcrm.ingest.xml_text import rich_text, unescaped, visible, whole
from bulkzcrm.model import CellError, CellValue, FormulaWithoutValue

__all__ = ["Reader", "SheetCells", "put"]

Reader: TypeAlias = Callable[[str], CellValue]
"""Turns the text of a cell into its value. Raises `ValueError`, `IndexError` or `OverflowError`."""

_MOST_COLUMNS = 16_384
_DIGITS = "0123456789"
_SPACE = " \t\r\n"
_SHORTEST_ID = 18
_REMEMBERED = 4096
"""Moments, and shared texts: a column of dates or of choices has few different ones."""


class SheetCells:
    """Reads the cells of one sheet; remembers columns by their letters, and shared formulas by their number."""

    def __init__(self, workbook: Workbook, where: str) -> None:
        self._workbook = workbook
        self._where = where
        self._columns: dict[str, int] = {}
        self._shared: dict[str, tuple[str, str]] = {}
        self._readers: dict[tuple[str, str | None], Reader] = {}
        self._shared_text = _shared_text_reader(workbook.strings)

    def of_row(self, row: Element, number: int) -> list[CellValue]:
        """Return the row's values up to the last that is not blank. Raises `SourceError`."""
        values: list[CellValue] = []
        column = -1
        for cell in row:
            reference = cell.get("r")
            try:
                column = column + 1 if reference is None else self.column(reference.rstrip(_DIGITS))
                value = self._value(cell, reference or "A1")
            except (ValueError, IndexError, OverflowError):
                at = reference or f"{column_letter(max(column, 0))}{number}"
                cure = "Open the workbook in a spreadsheet program, look at that cell, and save it again."
                raise SourceError(f"Cell {at} of {self._where} cannot be read.", cure) from None
            put(values, column, value)
        return values

    def column(self, letters: str) -> int:
        """Return the place of the column with these letters, from 0. Raises `ValueError`."""
        column = self._columns.get(letters)
        if column is None:
            column = self._columns[letters] = _column_index(letters)
        return column

    def reader(self, kind: str, style: str | None) -> Reader:
        """Return what reads a cell of that type and style. Raises `ValueError` for a type that is none."""
        found = self._readers.get((kind, style))
        if found is None:
            found = self._readers[kind, style] = self._new_reader(kind, style)
        return found

    def _value(self, cell: Element, reference: str) -> CellValue:
        text: str | None = None
        formula: Element | None = None
        kind = cell.get("t", "n")
        for part in cell:
            match part.tag.rpartition("}")[2]:
                case "v":
                    text = part.text
                case "f":
                    formula = part
                case "is":
                    text = rich_text(part)
                case _:
                    pass
        if formula is not None:
            self._remember(formula, reference)
            # A formula whose value is the empty text has the type `str`; without a value there is no type.
            if not text and kind != "str":
                return FormulaWithoutValue(self._formula(formula, reference))
        return None if text is None else self.reader(kind, cell.get("s"))(text)

    def _new_reader(self, kind: str, style: str | None) -> Reader:
        match kind:
            case "n":
                return self._number_reader(style)
            case "s":
                return self._shared_text
            case "str":
                return _formula_text
            case "inlineStr":
                return visible
            case "b":
                return _boolean
            case "e":
                return CellError
            case "d":
                return _iso
            case _:
                raise ValueError(kind)

    def _number_reader(self, style: str | None) -> Reader:
        shapes = self._workbook.shapes
        place = whole(style) if style else -1  # some programs write a style without a number
        shape = shapes[place] if 0 <= place < len(shapes) else Shape.NUMBER
        if shape is Shape.NUMBER:
            return _number

        epoch = self._workbook.epoch
        return lambda text: _moment(text, shape, epoch)

    def _remember(self, formula: Element, reference: str) -> None:
        index = formula.get("si")
        if index is not None and formula.text:
            self._shared[index] = formula.text, reference

    def _formula(self, formula: Element, reference: str) -> str:
        """Return a formula as written; one that shares another cell's, as it reads in its own cell."""
        if formula.text:
            return "=" + unescaped(formula.text)
        text, origin = self._shared.get(formula.get("si", ""), ("", reference))
        if not text:
            return "="
        try:
            return str(Translator("=" + text, origin=origin).translate_formula(reference))
        except (TranslatorError, ValueError):
            return "=" + text


def put(values: list[CellValue], column: int, value: CellValue) -> None:
    """Put a value into its column of a row that ends at its last value."""
    if value is None:
        return
    if column < len(values):
        values[column] = value
        return
    if column > len(values):
        values.extend([None] * (column - len(values)))
    values.append(value)


def _column_index(letters: str) -> int:
    index = 0
    for letter in letters:
        if not "A" <= letter <= "Z" or index > _MOST_COLUMNS:
            raise ValueError(letters)
        index = index * 26 + ord(letter) - ord("A") + 1
    if not 0 < index <= _MOST_COLUMNS:
        raise ValueError(letters)
    return index - 1


def _number(text: str) -> CellValue:
    # Python takes more for a number than XML does (see `whole`); what it strips of ASCII is white space of XML's.
    if not text.isascii() or "_" in text:
        raise ValueError(text)
    if not text.strip():
        return None
    number: int | float = float(text) if "." in text or "e" in text or "E" in text else _whole(text)
    return number if isfinite(number) else CellError("#NUM!")


@lru_cache(_REMEMBERED)
def _moment(text: str, shape: Shape, epoch: datetime) -> CellValue:
    number = _number(text)
    if not isinstance(number, int | float):
        return number
    return moment_of(number, shape, epoch)


def _shared_text_reader(strings: Texts) -> Reader:
    @lru_cache(_REMEMBERED)
    def read(text: str) -> CellValue:
        index = whole(text)
        if index < 0:
            raise IndexError(text)
        return strings[index]

    return read


def _whole(text: str) -> int | float:
    try:
        return int(text) if len(text) < _SHORTEST_ID else exact(int(text))
    except ValueError:
        return float(text)  # `INF` and `NaN`, which some programs write


def _boolean(text: str) -> bool:
    match text.strip(_SPACE):
        case "1" | "true":
            return True
        case "0" | "false":
            return False
        case _:
            raise ValueError(text)


def _formula_text(text: str) -> str | None:
    return visible(unescaped(text))


def _iso(text: str) -> CellValue:
    for kind in (date, datetime, time):
        try:
            return kind.fromisoformat(text)
        except ValueError:
            continue
    return visible(text)
