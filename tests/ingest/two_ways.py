"""One part of a workbook read in two ways: taken apart as text as far as it goes, and by the parser alone."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from itertools import chain, cycle

from openpyxl.utils.datetime import WINDOWS_EPOCH
from typing_extensions import override
from xlsx_parts import MAIN

from bulkzcrm.errors import SourceError
from bulkzcrm.ingest.guard import translated_faults
from bulkzcrm.ingest.number_formats import Shape
from bulkzcrm.ingest.shared_texts import shared_texts
from bulkzcrm.ingest.sheet import sheet_lines
from bulkzcrm.ingest.workbook import Workbook

SHAPES = (Shape.NUMBER, Shape.DATE, Shape.MOMENT, Shape.DURATION)
BOOK = Workbook(
    archive=zipfile.ZipFile(io.BytesIO(), "w"),
    sheets=(),
    strings=["one", None, "rich"],
    shapes=SHAPES,
    epoch=WINDOWS_EPOCH,
)


class InPieces(io.BytesIO):
    """A part that comes a bit at a time: first so many bytes, then pieces of the sizes, over and over."""

    def __init__(self, part: bytes, first: int, sizes: tuple[int, ...]) -> None:
        super().__init__(part)
        self._sizes = chain((first,), cycle(sizes or (len(part) + 1,)))

    @override
    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(next(self._sizes))


def quick(xml: str | bytes, *sizes: int) -> object:
    """The rows of a sheet that comes in pieces of these sizes, or how it is refused."""
    return _rows(_in_pieces(xml, sizes))


def careful(xml: str) -> object:
    """The same from the parser alone: no other reads UTF-16."""
    return _rows(_in_pieces(xml, (), "utf-16"))


def quick_texts(xml: str, *sizes: int) -> object:
    """The texts of a table of texts, or how it is refused."""
    return _outcome(lambda: list(shared_texts(_in_pieces(xml, sizes), "it")))


def careful_texts(xml: str) -> object:
    """The same from the parser alone."""
    return _outcome(lambda: list(shared_texts(_in_pieces(xml, (), "utf-16"), "it")))


def alike(xml: str, *sizes: int) -> None:
    """Hold both ways of reading a sheet against each other."""
    assert quick(xml, *sizes) == careful(xml)


def bare(rows: str, begin: str = "<sheetData>", end: str = "</sheetData>") -> str:
    """A sheet of these rows alone."""
    return f'<worksheet xmlns="{MAIN}">{begin}{rows}{end}</worksheet>'


def _in_pieces(xml: str | bytes, sizes: tuple[int, ...], encoding: str = "utf-8") -> InPieces:
    """What is read before the rows begin is checked by a parser whoever reads the rows: so the first piece ends there.

    Otherwise nothing would be found out about damage in what is shorter than a piece.
    """
    text = xml.decode("latin-1") if isinstance(xml, bytes) else xml
    begin = max(text.find("<sheetData"), text.find("<sst"), 0)
    head = text[: text.find(">", begin) + 1]
    return InPieces(xml if isinstance(xml, bytes) else xml.encode(encoding), len(head.encode(encoding)), sizes)


def _rows(part: InPieces) -> object:
    return _outcome(lambda: [(number, repr(line)) for number, line in sheet_lines(part, BOOK, "it")])


def _outcome(read: Callable[[], object]) -> object:
    try:
        with translated_faults("x.xlsx"):
            return read()
    except SourceError as error:
        return error.message
