"""Rows of the report as lines of a sheet: XML in which every text is a text, whatever it looks like.

Each different cell of a column is written once for all rows of a page, and what is said of a row with many others.
Cells follow each other without a gap and so need no reference (ECMA-376 Part 1, 18.3.1.4): spreadsheet programs count
them, and the file is a third as long.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple, cast

from bulkzcrm.blocks import Strip
from bulkzcrm.cells import StoredCell, cell_text, column_letter, joined, restored
from bulkzcrm.defuse import defuse
from bulkzcrm.model import CellValue, Column, Problem, Status
from bulkzcrm.report.annotated.comments import Comments
from bulkzcrm.report.rows import ReportPage, Result, cells_in
from bulkzcrm.report.xlsx_package import BOLD, OPEN, QUOTED, WRONG
from bulkzcrm.report.xlsx_texts import SHORT, held, xml_escaped

__all__ = ["Line", "SheetLines"]

_NUMBERS = (bool, int, float, Decimal)
_MOST_DIGITS = 14
"""Numbers with more digits are written as text: spreadsheet programs keep 15 and round the rest."""

_BLANK = "<c/>"
_BEGIN, _END = '<c t="inlineStr"><is><t>', "</t></is></c>"
_BETWEEN = "|"
_FEW = 3
"""So many cells are looked at one by one."""
_MOST_VERDICTS = 500

_DIGITS = "0123456789"
_MARKS = {
    Status.INVALID.value: WRONG,
    Status.REJECTED.value: WRONG,
    Status.UNKNOWN.value: OPEN,
    Status.UNSENT.value: OPEN,
}


class Line(NamedTuple):
    """A line before its place in a sheet is known: its cells as XML, or as values where that depends on the place."""

    xml: str
    cells: Sequence[CellValue] | None
    result: Result
    problems: tuple[Problem, ...]


class SheetLines:
    """Writes lines for these columns and then the ten of the report.

    `count` is how many lines the sheet has, `cuts` how many texts were too long for a cell, `first_cut` where the first
    of them stands.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self._width = len(columns)
        self._strips_of = cells_in(columns)
        self._places = {column.letter: place for place, column in enumerate(columns)}
        self._verdicts: dict[tuple[str, ...], str] = {}
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

    def lines(self, pages: Iterable[ReportPage]) -> Iterator[Line]:
        """Make rows ready to be lines."""
        for page in pages:
            strips = self._strips_of(page.strips)
            written = self._written(strips, len(page.results))
            for place, result in enumerate(page.results):
                if written is None or result[1] in _MARKS:
                    cells = [restored(strip.cells[strip.place(place)]) for strip in strips]
                    yield Line("", cells, result, page.problems.get(place, ()))
                else:
                    yield Line(written[place], None, result, ())

    def line(self, line: Line) -> str:
        """Return the XML of the sheet's next line."""
        self.count += 1
        xml, cells, result, problems = line
        if cells is None:
            return f'<row r="{self.count}">{xml}{self._verdict(result)}</row>'
        if result[1] in _MARKS:
            return self._closed(self._marked(cells, result, problems))
        return self._closed(self._careful(0, cells) + self._verdict(result))

    def _closed(self, cells: str) -> str:
        return f'<row r="{self.count}">{cells}</row>'

    def _written(self, strips: Sequence[Strip], rows: int) -> Sequence[str] | None:
        """Return the cells of each row, or `None` where one has to be cut."""
        if not strips:
            return [""] * rows
        columns = []
        for strip in strips:
            cells = self._plain(strip.cells) or self._each(strip.cells)
            if cells is None:
                return None
            columns.append(strip.spread(cells, rows))
        return list(map("".join, zip(*columns, strict=True)))

    def _plain(self, cells: Sequence[StoredCell]) -> Sequence[str] | None:
        """Return the XML of different cells; `None` where one of them needs a closer look."""
        if len(cells) <= _FEW or (together := joined(cells, _BETWEEN)) is None:
            return None
        texts = cast("Sequence[str]", cells)
        begins = "".join([text[:1] for text in texts])
        if (
            # What begins with a letter or a digit is never taken for a formula.
            not begins.isalnum()
            or len(begins) != len(texts)
            or not together.isprintable()
            or "_x" in together
            or f" {_BETWEEN}" in together
            or together[-1] == " "
            or (len(together) > SHORT and max(map(len, texts)) > SHORT)
        ):
            return None
        if "&" in together or "<" in together or ">" in together:
            texts = list(map(xml_escaped, texts))
        return [f"{_BEGIN}{text}{_END}" for text in texts]

    def _each(self, cells: Sequence[StoredCell]) -> Sequence[str] | None:
        """Return the XML of different cells; `None` where one has to be cut, which is told with its place."""
        cuts = self.cuts, self.first_cut
        written = [_BLANK if cell is None else self._cell(0, restored(cell), 0) for cell in cells]
        if self.cuts != cuts[0]:
            self.cuts, self.first_cut = cuts
            return None
        return written

    def _verdict(self, result: Result) -> str:
        number, status, code, field, cell, message, fix, record_id, batch, attempts = result
        if cell or len(message) > SHORT or len(fix) > SHORT or (record_id and not record_id.isdecimal()):
            return self._careful(self._width, result)
        said = status, code, field, message, fix
        verdict = self._verdicts.get(said)
        if verdict is None:
            if len(self._verdicts) >= _MOST_VERDICTS:
                self._verdicts.clear()
            verdict = self._verdicts[said] = self._careful(self._width + 1, result[1:7])
        record = f"{_BEGIN}{record_id}{_END}" if record_id else _BLANK
        sent = _BLANK if batch is None else f"<c><v>{batch}</v></c>"
        return f"<c><v>{number}</v></c>{verdict}{record}{sent}<c><v>{attempts}</v></c>"

    def _marked(self, cells: Sequence[CellValue], result: Result, of_row: Sequence[Problem]) -> str:
        """Return a row that did not succeed: the cells to mend, and its status, in colour."""
        style = _MARKS[result[1]]
        told: dict[int, list[Problem]] = {}
        for problem in of_row:
            place = self._places.get(problem.cell.rstrip(_DIGITS))
            if place is not None:
                told.setdefault(place, []).append(problem)
        written = "".join(self._cell(place, value, style if place in told else 0) for place, value in enumerate(cells))
        for place, problems in told.items():
            self.comments.add(self.count, place, problems)
        number, status, *others = result
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
