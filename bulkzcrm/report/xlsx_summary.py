"""The last sheet of a report as a workbook: how many rows ended how, what is wrong and where, what to do next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from xml.sax.saxutils import quoteattr

from bulkzcrm.cells import column_letter
from bulkzcrm.model import Status
from bulkzcrm.report.causes import Cause
from bulkzcrm.report.meanings import MEANINGS
from bulkzcrm.report.xlsx_package import HEAD, MAIN
from bulkzcrm.report.xlsx_texts import held, text_content

__all__ = ["Look", "SheetFacts", "summary_sheet"]


class Look(Enum):
    """How a cell of the summary looks."""

    PLAIN = auto()  #: wrapped, at the top of its line
    TITLE = auto()
    HEAD = auto()  #: bold
    BAR = auto()  #: bold, on grey
    WRONG = auto()  #: the name of a status in the colour of cells to mend
    OPEN = auto()
    LINK = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetFacts:
    """What the summary tells.

    `about` are pairs of a word and what it stands for, `steps` what to do, each with the command to type, or none. With
    `sheet`, the first cell of each cause can be clicked: it is one of that sheet.
    """

    about: Sequence[tuple[str, str]] = ()
    counts: Mapping[Status, int] = field(default_factory=dict)
    causes: Sequence[Cause] = ()
    steps: Sequence[tuple[str, str]] = ()
    sheet: str = ""


_LOOKS = {
    Status.INVALID: Look.WRONG,
    Status.REJECTED: Look.WRONG,
    Status.UNKNOWN: Look.OPEN,
    Status.UNSENT: Look.OPEN,
}
_WIDTHS = (30, 9, 62, 62, 26)
_LINE_PT, _MARGIN_PT = 13.5, 3.0
_FITS = 0.92
"""Of the characters that a column's width counts, so many fit in a line of text, on the average."""


def summary_sheet(facts: SheetFacts, looks: Mapping[Look, int]) -> bytes:
    """Return the sheet; `looks` has the number of each style in the workbook's list of styles."""
    return _Lines(looks).sheet(facts)


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."


class _Lines:
    """Writes the sheet line by line."""

    def __init__(self, looks: Mapping[Look, int]) -> None:
        self._looks = looks
        self._rows: list[str] = []
        self._merged: list[str] = []
        self._links: list[str] = []

    def sheet(self, facts: SheetFacts) -> bytes:
        self._line([("What became of the rows", Look.TITLE)])
        for word, told in facts.about:
            self._line([(word, Look.HEAD), (told, Look.PLAIN)], over=1)
        self._gap()
        self._line([(head, Look.BAR) for head in ("Outcome", "Rows", "What it means", "", "")])
        for status, count in facts.counts.items():
            if count:
                look = _LOOKS.get(status, Look.PLAIN)
                self._line([(status.value, look), (count, Look.PLAIN), (_sentence(MEANINGS[status]), Look.PLAIN)])
        self._line([("all", Look.HEAD), (sum(facts.counts.values()), Look.HEAD)])
        if facts.causes:
            self._gap()
            first = "The first of them" if facts.sheet else "The first in the source"
            heads = ("What is wrong", "Rows", "Why", "What to do", first)
            self._line([(head, Look.BAR) for head in heads])
            for cause in facts.causes:
                self._cause(cause, facts.sheet)
        if facts.steps:
            self._gap()
            self._line([(head, Look.BAR) for head in ("What to do next", "", "", "", "")])
            for says, command in facts.steps:
                self._line([(says, Look.PLAIN)], over=0)
                if command:
                    self._line([(command, Look.PLAIN)], over=0)
        return self._whole().encode()

    def _cause(self, cause: Cause, sheet: str) -> None:
        first = f"{cause.cell or 'row'} {'' if cause.cell else cause.rows[0]}".strip() if cause.rows else ""
        more = f" (rows {', '.join(map(str, cause.rows))}{' …' if cause.count > len(cause.rows) else ''})"
        where = first + (more if cause.count > 1 else "")
        wrong = cause.code or cause.status
        can_click = bool(sheet and cause.rows)
        texts: list[tuple[str | int, Look]] = [
            (f"{wrong}\n{cause.field}" if cause.field else wrong, Look.PLAIN),
            (cause.count, Look.PLAIN),
            (cause.message, Look.PLAIN),
            (cause.remedy, Look.PLAIN),
            (where, Look.LINK if can_click else Look.PLAIN),
        ]
        self._line(texts)
        if can_click:
            quoted = sheet.replace("'", "''")
            place = quoteattr(f"'{quoted}'!{cause.cell or f'A{cause.rows[0]}'}")
            self._links.append(f'<hyperlink ref="E{len(self._rows)}" location={place} display={quoteattr(first)}/>')

    def _gap(self) -> None:
        self._rows.append(f'<row r="{len(self._rows) + 1}"/>')

    def _line(self, texts: Sequence[tuple[str | int, Look]], over: int | None = None) -> None:
        """Add a line; its text at the place `over` reaches over all columns to its right."""
        number = len(self._rows) + 1
        cells = ""
        lines = 1
        for place, (text, look) in enumerate(texts):
            wide = sum(_WIDTHS[place:]) if place == over else _WIDTHS[place]
            if look is not Look.TITLE:
                lines = max(lines, sum(1 + int(len(part) / (wide * _FITS)) for part in str(text).split("\n")))
            cells += self._cell(f"{column_letter(place)}{number}", text, look)
        if over is not None:
            self._merged.append(f'<mergeCell ref="{column_letter(over)}{number}:E{number}"/>')
        height = f' ht="{lines * _LINE_PT + _MARGIN_PT}" customHeight="1"' if lines > 1 else ""
        self._rows.append(f'<row r="{number}"{height}>{cells}</row>')

    def _cell(self, at: str, text: str | int, look: Look) -> str:
        style = self._looks[look]
        if isinstance(text, int):
            return f'<c r="{at}" s="{style}"><v>{text}</v></c>'
        if not text:
            return f'<c r="{at}" s="{style}"/>'
        return f'<c r="{at}" s="{style}" t="inlineStr"><is>{text_content(held(text)[0])}</is></c>'

    def _whole(self) -> str:
        columns = "".join(
            f'<col min="{place}" max="{place}" width="{width}" customWidth="1"/>'
            for place, width in enumerate(_WIDTHS, start=1)
        )
        merged = f'<mergeCells count="{len(self._merged)}">{"".join(self._merged)}</mergeCells>' if self._merged else ""
        links = f"<hyperlinks>{''.join(self._links)}</hyperlinks>" if self._links else ""
        setup = '<pageSetup orientation="landscape" fitToHeight="0"/>'
        return (
            f'{HEAD}<worksheet xmlns="{MAIN}"><sheetPr><tabColor rgb="FFC00000"/><pageSetUpPr fitToPage="1"/></sheetPr>'
            '<sheetViews><sheetView showGridLines="0" workbookViewId="0"/></sheetViews>'
            f"<cols>{columns}</cols><sheetData>{''.join(self._rows)}</sheetData>{merged}{links}{setup}</worksheet>"
        )
