"""The parts of a workbook around its sheets, and their archive: what the format asks for, and no more.

ECMA-376 Part 1 (SpreadsheetML) and Part 2 (packages).
"""

from __future__ import annotations

from types import TracebackType
from typing import IO, BinaryIO, Self
from xml.sax.saxutils import escape, quoteattr
from zipfile import ZIP_DEFLATED, ZipFile

__all__ = [
    "BAR_COLOUR",
    "BOLD",
    "HEAD",
    "LOOKS",
    "MAIN",
    "OPEN",
    "OPEN_COLOUR",
    "QUOTED",
    "WRONG",
    "WRONG_COLOUR",
    "Package",
]

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

QUOTED = 1
"""The style of a text that stays one even after somebody has edited its cell; styles add up."""
BOLD = 2
WRONG = 4
OPEN = 6
LOOKS = 8
"""The first of the seven styles of the summary: plain, title, head, bar, wrong, open, link."""

WRONG_COLOUR = "FFFFC7CD"
OPEN_COLOUR = "FFFFEB9D"
"""Colours (ARGB) of our own, each a shade beside those that people choose."""
BAR_COLOUR = "FFE7E6E6"

_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"

_LEVEL = 1
"""Of deflate: takes a third of the time that the usual one does, for a fifth more bytes."""

_TOP = (
    f'{HEAD}<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1"'
    f' Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
)


def _font(size: int, before: str = "", colour: str = "") -> str:
    return f'<font>{before}<sz val="{size}"/>{colour}<name val="Calibri"/><family val="2"/></font>'


def _fill(colour: str) -> str:
    return (
        f'<fill><patternFill patternType="solid"><fgColor rgb="{colour}"/><bgColor indexed="64"/></patternFill></fill>'
    )


def _style(font: int = 0, fill: int = 0, *, quoted: bool = False, wrapped: bool = False) -> str:
    applied = (' applyFont="1"' if font else "") + (' applyFill="1"' if fill else "")
    kept = ' quotePrefix="1"' if quoted else ""
    begin = f'<xf numFmtId="0" fontId="{font}" fillId="{fill}" borderId="0" xfId="0"{applied}{kept}'
    return (
        f'{begin} applyAlignment="1"><alignment horizontal="left" vertical="top" wrapText="1"/></xf>'
        if wrapped
        else f"{begin}/>"
    )


_FONTS = (
    _font(11),
    _font(11, "<b/>"),
    _font(10),
    _font(16, "<b/>"),
    _font(10, "<b/>"),
    _font(10, "", '<color rgb="FF0563C1"/>'),
)
_CELL_STYLES = (
    *(_style(font, quoted=quoted) for font in (0, 1) for quoted in (False, True)),
    *(_style(fill=fill, quoted=quoted) for fill in (2, 3) for quoted in (False, True)),
    _style(2, wrapped=True),
    _style(3),
    _style(4, wrapped=True),
    _style(4, 4, wrapped=True),
    _style(2, 2, wrapped=True),
    _style(2, 3, wrapped=True),
    _style(5, wrapped=True),
)
_STYLES = (
    f'{HEAD}<styleSheet xmlns="{MAIN}"><fonts count="{len(_FONTS)}">{"".join(_FONTS)}</fonts>'
    '<fills count="5"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    f"{_fill(WRONG_COLOUR)}{_fill(OPEN_COLOUR)}{_fill(BAR_COLOUR)}"
    '</fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    f'<cellXfs count="{len(_CELL_STYLES)}">{"".join(_CELL_STYLES)}</cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


class Package:
    """A workbook that is being written, one sheet after the other. Leaving it writes all that its sheets need."""

    def __init__(self, stream: BinaryIO) -> None:
        self._archive = ZipFile(stream, "w", ZIP_DEFLATED, compresslevel=_LEVEL)
        self._sheets: list[tuple[str, str]] = []
        self._types = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._finish()
        finally:
            # What is left unclosed would fail once more on a full disk, at some later moment.
            self._archive.close()

    def begin_sheet(self) -> IO[bytes]:
        """Open the part of the next sheet; it must be closed before `end_sheet`."""
        if not self._sheets:
            self._archive.writestr("_rels/.rels", _TOP)  # the first part tells some programs what the archive is
        return self._archive.open(f"xl/worksheets/sheet{len(self._sheets) + 1}.xml", "w")

    def end_sheet(self, title: str, filtered: str = "") -> None:
        """Name the sheet that was written, and the range (`$A$1:$M$3`) that can be filtered, if any."""
        self._sheets.append((title, filtered))

    def add_comments(self, relation: str, comments: bytes, boxes: bytes) -> None:
        """Write the comments of the sheet that was begun last; `relation` is what it calls their boxes."""
        number = len(self._sheets) + 1
        self._archive.writestr(f"xl/comments{number}.xml", comments)
        self._archive.writestr(f"xl/drawings/vmlDrawing{number}.vml", boxes)
        relations = (
            f'<Relationship Id="{relation}" Type="{_OFFICE}/vmlDrawing" Target="../drawings/vmlDrawing{number}.vml"/>'
            f'<Relationship Id="{relation}c" Type="{_OFFICE}/comments" Target="../comments{number}.xml"/>'
        )
        self._archive.writestr(
            f"xl/worksheets/_rels/sheet{number}.xml.rels",
            f'{HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{relations}</Relationships>',
        )
        self._types += _override(f"/xl/comments{number}.xml", "comments")

    def _finish(self) -> None:
        sheets = names = relations = types = ""
        for number, (title, filtered) in enumerate(self._sheets, start=1):
            quoted = title.replace("'", "''")
            sheets += f'<sheet name={quoteattr(title)} sheetId="{number}" r:id="rId{number}"/>'
            if filtered:
                names += (
                    f'<definedName name="_xlnm._FilterDatabase" localSheetId="{number - 1}" hidden="1">'
                    f"'{escape(quoted)}'!{filtered}</definedName>"
                )
            relations += _relation(number, "worksheet", f"worksheets/sheet{number}.xml")
            types += _override(f"/xl/worksheets/sheet{number}.xml", "worksheet")
        relations += _relation(len(self._sheets) + 1, "styles", "styles.xml")
        types += _override("/xl/workbook.xml", "sheet.main") + _override("/xl/styles.xml", "styles")
        self._archive.writestr(
            "xl/workbook.xml",
            f'{HEAD}<workbook xmlns="{MAIN}" xmlns:r="{_OFFICE}"><bookViews><workbookView/></bookViews>'
            f"<sheets>{sheets}</sheets><definedNames>{names}</definedNames></workbook>",
        )
        self._archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'{HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{relations}</Relationships>',
        )
        self._archive.writestr("xl/styles.xml", _STYLES)
        self._archive.writestr(
            "[Content_Types].xml",
            f'{HEAD}<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels"'
            ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="vml" ContentType="application/vnd.openxmlformats-officedocument.vmlDrawing"/>'
            f'<Default Extension="xml" ContentType="application/xml"/>{types}{self._types}</Types>',
        )


def _relation(number: int, kind: str, target: str) -> str:
    return f'<Relationship Id="rId{number}" Type="{_OFFICE}/{kind}" Target="{target}"/>'


def _override(part: str, kind: str) -> str:
    return f'<Override PartName="{part}" ContentType="{_TYPE}.{kind}+xml"/>'
