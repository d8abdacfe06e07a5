"""One worksheet's cells, streamed: memory stays flat however long, wide or oddly written the sheet is.

openpyxl's own row reader is not used: it gives up the difference between an error value and a text, needs a second
pass for formulas without values, drops rows that are out of order without a word, warns through the process's filters,
and takes more than twice as long. Its rules for dates, formats and formulas are used.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from math import isfinite
from typing import IO
from xml.etree.ElementTree import Element, iterparse

from openpyxl.formula.translate import Translator, TranslatorError
from openpyxl.utils.datetime import from_excel

from bulkzcrm.cells import column_letter
from bulkzcrm.errors import SourceError
from bulkzcrm.ingest.grid import Line
from bulkzcrm.ingest.workbook import Shape, Workbook, rich_text, unescaped
from bulkzcrm.model import CellError, CellValue, FormulaWithoutValue

__all__ = ["sheet_lines"]

_MOST_ROWS = 1_048_576
_MOST_COLUMNS = 16_384
_DIGITS = "0123456789"


def sheet_lines(stream: IO[bytes], workbook: Workbook, where: str) -> Iterator[Line]:
    """Yield the rows of a sheet that hold a value; cells end at the last value. `where` names file and sheet.

    The sheet's own claim about its dimension is ignored: programs get it wrong. Raises `SourceError` naming the row or
    cell.
    """
    cells = _Cells(workbook, where)
    rows: Element | None = None
    row_tag = data_tag = ""
    number = 0
    for event, element in iterparse(stream, events=("start", "end")):  # noqa: S314 - without document type, see the guard
        tag = element.tag
        if rows is None:
            if event == "start" and tag.endswith("}sheetData"):
                rows, data_tag, row_tag = element, tag, tag.removesuffix("sheetData") + "row"
        elif event == "end":
            if tag == row_tag:
                number = _row_number(element, number, where)
                line = cells.of_row(element, number)
                rows.clear()  # keeps the tree from growing with the sheet
                if line:
                    yield number, line
            elif tag == data_tag:
                return


def _row_number(row: Element, last: int, where: str) -> int:
    text = row.get("r")
    cure = "Open the workbook in a spreadsheet program and save it again."
    try:
        number = last + 1 if text is None else int(text)
    except ValueError:
        raise SourceError(f"A row of {where} has the number {text!r}.", cure) from None
    if not last < number <= _MOST_ROWS:
        raise SourceError(f"Row {number} of {where} is out of order or beyond the end of a sheet.", cure)
    return number


@dataclass(slots=True)
class _Cells:
    """Turns a row's elements into values; remembers columns by their letters, and shared formulas by their number."""

    workbook: Workbook
    where: str
    columns: dict[str, int] = field(default_factory=dict)
    shared: dict[str, tuple[str, str]] = field(default_factory=dict)

    def of_row(self, row: Element, number: int) -> list[CellValue]:
        """Return the row's values up to the last that is not blank."""
        values: list[CellValue] = []
        column = -1
        for cell in row:
            reference = cell.get("r")
            try:
                column = column + 1 if reference is None else self._column(reference)
                value = self._value(cell, reference or "A1")
            except (ValueError, IndexError, OverflowError):
                at = reference or f"{column_letter(max(column, 0))}{number}"
                cure = "Open the workbook in a spreadsheet program, look at that cell, and save it again."
                raise SourceError(f"Cell {at} of {self.where} cannot be read.", cure) from None
            if value is None:
                continue
            if column < len(values):
                values[column] = value
                continue
            if column > len(values):
                values.extend([None] * (column - len(values)))
            values.append(value)
        return values

    def _column(self, reference: str) -> int:
        letters = reference.rstrip(_DIGITS)
        column = self.columns.get(letters)
        if column is None:
            column = self.columns[letters] = _column_index(letters)
        return column

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
        return None if text is None else self._typed(text, kind, cell.get("s"))

    def _typed(self, text: str, kind: str, style: str | None) -> CellValue:
        match kind:
            case "n":
                return self._number(text, style)
            case "s":
                return _text(self.workbook.strings[int(text)])
            case "str":
                return _text(unescaped(text))
            case "inlineStr":
                return _text(text)
            case "b":
                return text.strip() in {"1", "true"}
            case "e":
                return CellError(text)
            case "d":
                return _iso(text)
            case _:
                raise ValueError(kind)

    def _number(self, text: str, style: str | None) -> CellValue:
        if not text.strip():
            return None
        number: int | float = float(text) if "." in text or "e" in text or "E" in text else _whole(text)
        if not isfinite(number):
            return CellError("#NUM!")
        if style is None or int(style) >= len(self.workbook.shapes):
            return number
        shape = self.workbook.shapes[int(style)]
        return number if shape is Shape.NUMBER else self._moment(number, shape)

    def _moment(self, number: float, shape: Shape) -> CellValue:
        try:
            moment: datetime | time | timedelta = from_excel(
                number, self.workbook.epoch, timedelta=shape is Shape.DURATION
            )
        except (OverflowError, ValueError):
            return number  # a spreadsheet program shows ####: no date, so what is stored is all there is to tell
        if shape is Shape.DATE and isinstance(moment, datetime) and moment.time() == time():
            return moment.date()
        return moment

    def _remember(self, formula: Element, reference: str) -> None:
        index = formula.get("si")
        if index is not None and formula.text:
            self.shared[index] = formula.text, reference

    def _formula(self, formula: Element, reference: str) -> str:
        """Return a formula as written; one that shares another cell's, as it reads in its own cell."""
        if formula.text:
            return "=" + unescaped(formula.text)
        text, origin = self.shared.get(formula.get("si", ""), ("", reference))
        if not text:
            return "="
        try:
            return str(Translator("=" + text, origin=origin).translate_formula(reference))
        except (TranslatorError, ValueError):
            return "=" + text


def _column_index(letters: str) -> int:
    index = 0
    for letter in letters:
        if not "A" <= letter <= "Z" or index > _MOST_COLUMNS:
            raise ValueError(letters)
        index = index * 26 + ord(letter) - ord("A") + 1
    if not 0 < index <= _MOST_COLUMNS:
        raise ValueError(letters)
    return index - 1


def _whole(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)  # `INF` and `NaN`, which some programs write


def _iso(text: str) -> CellValue:
    for kind in (date, datetime, time):
        try:
            return kind.fromisoformat(text)
        except ValueError:
            continue
    return _text(text)


def _text(text: str) -> str | None:
    return text if text and not text.isspace() else None
