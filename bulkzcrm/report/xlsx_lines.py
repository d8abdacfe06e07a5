"""Rows of the report as lines of a sheet: XML in which every text is a text, whatever it looks like.

A row of plain texts, which is nearly every one, is put into a form that was made for the first row of its kind; all
others are written cell by cell. Cells follow each other without a gap and so need no reference (ECMA-376 Part 1,
18.3.1.4): spreadsheet programs count them, and the file is a third as long.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from operator import itemgetter
from typing import NamedTuple

from bulkzcrm.cells import cell_text, column_letter
from bulkzcrm.defuse import defuse
from bulkzcrm.model import CellValue, Column, Problem, Status
from bulkzcrm.report.annotated.comments import Comments
from bulkzcrm.report.rows import ReportRow, Result, cells_in
from bulkzcrm.report.xlsx_package import BOLD, OPEN, QUOTED, WRONG
from bulkzcrm.report.xlsx_texts import SHORT, held, xml_escaped

__all__ = ["SheetLines"]

_NUMBERS = (bool, int, float, Decimal)
_MOST_DIGITS = 14
"""Numbers with more digits are written as text: spreadsheet programs keep 15 and round the rest."""

_BLANK = "<c/>"
_BETWEEN = "|"
_MOST_FORMS = 500

_DIGITS = "0123456789"
_MARKS = {
    Status.INVALID.value: WRONG,
    Status.REJECTED.value: WRONG,
    Status.UNKNOWN.value: OPEN,
    Status.UNSENT.value: OPEN,
}

_first = itemgetter(0)


class _Form(NamedTuple):
    """How rows with the same kinds of values are written."""

    texts_of: Callable[[Sequence[CellValue]], Sequence[str]]
    others: tuple[tuple[int, int], ...]
    """Values that are neither text nor blank: their place among the contents, and their column."""
    xml: str
    """What the contents are put into."""


class SheetLines:
    """Writes lines for these columns and then the ten of the report.

    `count` is how many lines the sheet has, `cuts` how many texts were too long for a cell, `first_cut` where the first
    of them stands.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self._width = len(columns)
        self._cells_of = cells_in(columns)
        self._places = {column.letter: place for place, column in enumerate(columns)}
        self._forms: dict[tuple[type, ...], _Form | None] = {}
        self._verdicts: dict[tuple[str | int | None, ...], str] = {}
        self.count = 0
        self._title = ""
        self.cuts = 0
        self.first_cut = ""
        self.comments = Comments(None)
        """What is said of cells of the sheet that is being written."""

    def header(self, title: str, texts: Sequence[str]) -> str:
        """Begin a sheet of that title with a line of headers."""
        self._title = title
        self.count = 1
        self.comments = Comments(None)
        return self._closed(self._careful(0, texts, BOLD))

    def line(self, row: ReportRow) -> str:
        """Return the XML of the sheet's next line."""
        self.count += 1
        cells = self._cells_of(row.cells)
        if row.result[1] in _MARKS:
            return self._closed(self._marked(cells, row))
        return self._closed((self._plain(cells) or self._careful(0, cells)) + self._verdict(row.result))

    def _closed(self, cells: str) -> str:
        return f'<row r="{self.count}">{cells}</row>'

    def _plain(self, cells: Sequence[CellValue]) -> str | None:
        """Return the row in its form, or `None` where a text needs a closer look."""
        kinds = tuple(map(type, cells))
        try:
            form = self._forms[kinds]
        except KeyError:
            form = self._new_form(kinds)
        if form is None:
            return None
        texts = form.texts_of(cells)
        try:
            # What begins with a letter or a digit is never taken for a formula.
            begins_plain = "".join(map(_first, texts)).isalnum()
        except IndexError:  # an empty text
            return None
        together = _BETWEEN.join(texts)
        if (
            not begins_plain
            or len(together) > SHORT
            or not together.isprintable()
            or "_x" in together
            or f" {_BETWEEN}" in together
            or together[-1] == " "
        ):
            return None
        contents = texts
        if "&" in together or "<" in together or ">" in together:
            contents = xml_escaped(together).split(_BETWEEN)
            if len(contents) != len(texts):
                return None
        if form.others:
            contents = [*contents]
            for at, place in form.others:
                contents.insert(at, self._cell(place, cells[place], 0))
        return form.xml % tuple(contents)

    def _new_form(self, kinds: tuple[type, ...]) -> _Form | None:
        if len(self._forms) >= _MOST_FORMS:
            self._forms.clear()
        form: _Form | None = None
        texts = [place for place, kind in enumerate(kinds) if kind is str]
        if len(texts) > 1:
            filled = [place for place, kind in enumerate(kinds) if kind is not type(None)]
            form = _Form(
                itemgetter(*texts),
                tuple((at, place) for at, place in enumerate(filled) if kinds[place] is not str),
                "".join(_BLANK if kind is type(None) else _text_cell("%s") if kind is str else "%s" for kind in kinds),
            )
        self._forms[kinds] = form
        return form

    def _verdict(self, result: Result) -> str:
        number, status, code, field, cell, message, fix, record_id, batch, attempts = result
        if cell or len(message) > SHORT or (record_id and not record_id.isdecimal()):
            return self._careful(self._width, result)
        said = status, code, field, message, fix
        verdict = self._verdicts.get(said)
        if verdict is None:
            if len(self._verdicts) >= _MOST_FORMS:
                self._verdicts.clear()
            verdict = self._verdicts[said] = self._careful(self._width + 1, result[1:7])
        record = _text_cell(record_id) if record_id else _BLANK
        sent = _BLANK if batch is None else f"<c><v>{batch}</v></c>"
        return f"<c><v>{number}</v></c>{verdict}{record}{sent}<c><v>{attempts}</v></c>"

    def _marked(self, cells: Sequence[CellValue], row: ReportRow) -> str:
        """Return a row that did not succeed: the cells to mend, and its status, in colour."""
        style = _MARKS[row.result[1]]
        told: dict[int, list[Problem]] = {}
        for problem in row.problems:
            place = self._places.get(problem.cell.rstrip(_DIGITS))
            if place is not None:
                told.setdefault(place, []).append(problem)
        written = "".join(self._cell(place, value, style if place in told else 0) for place, value in enumerate(cells))
        for place, problems in told.items():
            self.comments.add(self.count, place, problems)
        number, status, *others = row.result
        verdict = self._careful(self._width, [number]) + self._careful(self._width + 1, [status], style)
        return written + verdict + self._careful(self._width + 2, others)

    def _careful(self, first: int, values: Sequence[CellValue], style: int = 0) -> str:
        """Return cells from the column `first` on."""
        return "".join(self._cell(place, value, style) for place, value in enumerate(values, first))

    def _cell(self, place: int, value: CellValue, style: int) -> str:
        if isinstance(value, str):
            text = value
        else:
            text = cell_text(value)
            if isinstance(value, _NUMBERS) and (number := _exact(value, text)):
                return number.replace("<c", f'<c s="{style}"', 1) if style else number
        if not text:
            return f'<c s="{style}"/>' if style else _BLANK
        escaped, is_cut = held(text)
        if is_cut:
            self.cuts += 1
            self.first_cut = self.first_cut or f"{column_letter(place)}{self.count} of sheet {self._title}"
        if not escaped[0].isalnum() and defuse(escaped) != escaped:
            style += QUOTED
        return _text_cell(xml_escaped(escaped), style, keeps_space=escaped != escaped.strip())


def _text_cell(content: str, style: int = 0, *, keeps_space: bool = False) -> str:
    styled = f' s="{style}"' if style else ""
    space = ' xml:space="preserve"' if keeps_space else ""
    return f'<c{styled} t="inlineStr"><is><t{space}>{content}</t></is></c>'


def _exact(value: bool | float | Decimal, text: str) -> str:  # noqa: FBT001 - a cell's value, not a switch
    """Return a number's cell; nothing where a spreadsheet program would not show every digit."""
    if isinstance(value, bool):
        return f'<c t="b"><v>{value:d}</v></c>'
    # Infinities and what is no number have letters, and so has a float that no longer counts exactly.
    digits = text.removeprefix("-").replace(".", "", 1)
    return f"<c><v>{text}</v></c>" if len(digits) <= _MOST_DIGITS and digits.isdecimal() else ""
