"""A sheet's XML as text: what stands before its rows, the rows one by one, and what follows them; memory stays flat.

A row is known by where it begins and ends. That is certain in what programs write: UTF-8, and among the rows neither
comments nor CDATA sections. Anything else is `UneditableError`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO, NamedTuple, NoReturn, final
from xml.parsers import expat

from bulkzcrm.cells import column_index
from bulkzcrm.report.annotated.markup import UneditableError

__all__ = ["Cell", "RowText", "SheetText"]

_PIECE_BYTES = 1 << 17
_LONGEST = 32_000_000
"""Bytes of a row, and of what stands before or after the rows."""
_ODD = "Its sheet is written in a way that cannot be edited."

_ATTRIBUTES = rb"""((?:\s+[^\s=<>"'/]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*"""
_CELL_NAME = re.compile(rb"<[^\s/>]+")
_ROW = re.compile(_ATTRIBUTES + rb"(/?)>")
_NUMBER = re.compile(rb"""\sr\s*=\s*["']([0-9]{1,7})["']""")
_REFERENCE = re.compile(rb"""\sr\s*=\s*["']([A-Z]{1,3})[0-9]{1,7}["']""")
_STYLE = re.compile(rb"""\ss\s*=\s*["']([0-9]{1,6})["']""")


class RowText(NamedTuple):
    """One row: its attributes as written, its cells, and what follows the last of them, its end tag and all."""

    number: int
    attributes: bytes
    cells: bytes
    rest: bytes


class Cell(NamedTuple):
    """One cell: its column, its attributes as they are written, and the whole of it."""

    column: int
    attributes: bytes
    text: bytes

    @property
    def style(self) -> int:
        """The number of its style."""
        found = _STYLE.search(self.attributes)
        return int(found[1]) if found else 0

    def styled(self, style: int) -> Cell:
        """Return it in another style."""
        name = _CELL_NAME.match(self.text)
        begin = name.end() if name else 0
        end = begin + len(self.attributes)
        found = _STYLE.search(self.attributes)
        new = f' s="{style}"'.encode()
        attributes = (
            self.attributes + new
            if found is None
            else self.attributes[: found.start()] + new + self.attributes[found.end() :]
        )
        return Cell(self.column, attributes, self.text[:begin] + attributes + self.text[end:])


@final
class SheetText:
    """Reads a sheet from its part. `head` ends with the tag before the rows, `tail` begins with the one after them.

    `prefix` is what stands before each name of the format (`x:`, or nothing), `root` the sheet's start tag.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.head, self._waiting, self.prefix, self.root = _Head().read(stream)
        self.tail = b""
        mark = re.escape(self.prefix)
        self._cell = re.compile(
            b"<" + mark + rb"c(?=[\s/>])" + _ATTRIBUTES + b"(?:/>|>.*?</" + mark + rb"c\s*>)\s*", re.DOTALL
        )
        self._row_end = b"</" + self.prefix + b"row"

    def rows(self) -> Iterator[RowText]:
        """Yield the rows; then the tail is known."""
        number = 0
        for rows in self._pieces():
            for text in rows:
                row = self._row(text, number)
                number = row.number
                yield row

    def cells(self, row: RowText) -> tuple[list[Cell], bytes]:
        """Return the cells of a row in the order of their columns, and what follows the last of them."""
        cells: list[Cell] = []
        column, at = -1, len(row.cells) - len(row.cells.lstrip())
        while found := self._cell.match(row.cells, at):
            reference = _REFERENCE.search(found[1])
            place = column + 1 if reference is None else column_index(reference[1].decode())
            if place <= column:
                raise UneditableError(f"The cells of row {row.number} are out of order.")
            column, at = place, found.end()
            cells.append(Cell(column, found[1], found[0]))
        if b"<" + self.prefix + b"c" in row.cells[at:]:
            raise UneditableError(_ODD)
        return cells, row.cells[at:]

    def _pieces(self) -> Iterator[list[bytes]]:
        begin_mark, end_mark = b"<" + self.prefix + b"row", b"</" + self.prefix + b"sheetData"
        waiting = self._waiting
        while True:
            end = waiting.find(end_mark)
            cut = end if end >= 0 else waiting.rfind(begin_mark)
            if cut > 0:
                stretch = waiting[:cut]
                if b"<!" in stretch or b"<?" in stretch:
                    raise UneditableError(_ODD)
                before, *rows = stretch.split(begin_mark)
                if before.strip():
                    raise UneditableError(_ODD)
                yield rows
                waiting = waiting[cut:]
            if end >= 0:
                self.tail = waiting + self._stream.read(_LONGEST)
                return
            piece = self._stream.read(_PIECE_BYTES)
            if not piece or len(waiting) > _LONGEST:
                raise UneditableError(_ODD)
            waiting += piece

    def _row(self, text: bytes, last: int) -> RowText:
        start = _ROW.match(text)
        if start is None:
            raise UneditableError(_ODD)
        found = _NUMBER.search(start[1])
        number = int(found[1]) if found else last + 1
        if number <= last:
            raise UneditableError(f"Row {number} is out of order.")
        if start[2]:
            end = at = start.end()
        else:
            at, end = start.end(), text.rfind(self._row_end)
        if end < at:
            raise UneditableError(_ODD)
        return RowText(number, start[1], text[at:end], text[end:])


class _Head:
    """Looks for the tag that begins the rows."""

    def __init__(self) -> None:
        self._open = 0
        self._at: int | None = None
        self._names: list[str] = []
        self._parser = expat.ParserCreate()
        self._parser.XmlDeclHandler = self._declare
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.StartElementHandler = self._begin
        self._parser.EndElementHandler = self._end

    def read(self, stream: IO[bytes]) -> tuple[bytes, bytes, bytes, bytes]:
        """Return the head, what was read behind it, the prefix, and the sheet's start tag."""
        begun = b""
        try:
            while self._at is None and len(begun) < _LONGEST and (piece := stream.read(_PIECE_BYTES)):
                begun += piece
                self._parser.Parse(piece, False)
        except expat.ExpatError:
            self._refuse()
        if self._at is None or begun.startswith((b"\xff\xfe", b"\xfe\xff")):
            self._refuse()
        while (end := begun.find(b">", self._at)) < 0 and (piece := stream.read(_PIECE_BYTES)):
            begun += piece
        root, rows = self._names
        prefix = rows.removesuffix("sheetData")
        if end < 0 or begun[end - 1 : end] == b"/" or root != f"{prefix}worksheet":
            self._refuse()
        start = re.search(b"<" + re.escape(root.encode()) + rb"""(?:[^<>"']|"[^"<]*"|'[^'<]*')*>""", begun)
        if start is None:
            self._refuse()
        return begun[: end + 1], begun[end + 1 :], prefix.encode(), start[0]

    def _declare(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if (encoding and encoding.casefold()) not in {None, "utf-8", "us-ascii"}:
            self._refuse()

    def _begin(self, name: str, _attributes: object) -> None:
        self._open += 1
        if self._at is None and (self._open == 1 or (self._open == 2 and name.rpartition(":")[2] == "sheetData")):
            self._names.append(name)
            if self._open == 2:
                self._at = self._parser.CurrentByteIndex

    def _end(self, _name: str) -> None:
        self._open -= 1

    def _refuse(self, *_: object) -> NoReturn:
        raise UneditableError(_ODD)
