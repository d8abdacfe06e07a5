"""The user's own workbook with the outcomes in it: the sheet that was read is written again, the rest is copied.

Twice the sheet is read: once to see how far it reaches, once to write it. Neither it nor the outcomes are held.
"""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, final
from zipfile import BadZipFile, ZipFile, is_zipfile

from bulkzcrm.cells import column_index, counted
from bulkzcrm.model import SUMMARY_SHEET, Column
from bulkzcrm.report.annotated.book import Book
from bulkzcrm.report.annotated.boxes import boxes, highest_block
from bulkzcrm.report.annotated.comments import Comments, uncommented_note
from bulkzcrm.report.annotated.frame import WIDTHS, Head, Tail
from bulkzcrm.report.annotated.markup import UneditableError
from bulkzcrm.report.annotated.pictures import any_over
from bulkzcrm.report.annotated.places import Range
from bulkzcrm.report.annotated.result_cells import ResultCells
from bulkzcrm.report.annotated.rows import Layout, Rows
from bulkzcrm.report.annotated.shape import Shape, shape_of
from bulkzcrm.report.annotated.sheet_text import SheetText
from bulkzcrm.report.annotated.styles import Styles
from bulkzcrm.report.annotated.tables import ranges_of_tables, widen_tables
from bulkzcrm.report.annotated.workbook import MACROS, WorkbookPart
from bulkzcrm.report.rows import RESULT_COLUMNS, ReportRow
from bulkzcrm.report.xlsx_package import BAR_COLOUR, OPEN_COLOUR, WRONG_COLOUR
from bulkzcrm.report.xlsx_summary import Look, SheetFacts, summary_sheet
from bulkzcrm.report.xlsx_texts import MOST_UNITS

__all__ = ["Annotation", "OwnWorkbook", "opened"]

_MOST_COLUMNS = 16_384
_MOST_BYTES = 2_000_000_000
"""Of a sheet's part; beyond 2 GB its archive would need a form that not every spreadsheet program reads."""
_DRAWN_OVER = "A chart or picture lies over the result columns of the workbook; drag it aside to see them."
_COMMENTS_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.comments+xml"
_BOXES_TYPE = "application/vnd.openxmlformats-officedocument.vmlDrawing"
_PROGRAM = "docProps/app.xml"
_ODD = (ValueError, LookupError, BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError)
"""What parts raise that no spreadsheet program writes so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnWorkbook:
    """The workbook that rows were read from: where it lies, the SHA-256 (hex) of its content, and what was read of it.

    `result_columns` are the letters of the result columns that it has from an earlier report, by their names.
    """

    path: Path
    sha256: str
    sheet: str
    header_row: int
    result_columns: Mapping[str, str]


@contextmanager
def opened(own: OwnWorkbook) -> Iterator[Annotation]:
    """Open a workbook to be annotated. Raises `UneditableError` with what is in the way."""
    try:
        stream = own.path.open("rb")
    except OSError:
        raise UneditableError("It is no longer there, or may not be read.") from None
    with stream:
        if not _is_editable_kind(stream):
            raise UneditableError("Only workbooks of the kinds .xlsx and .xlsm can be given back with their outcomes.")
        stream.seek(0)
        if hashlib.file_digest(stream, "sha256").hexdigest() != own.sha256:
            raise UneditableError("It has changed since it was read.")
        with _only_uneditable():
            annotation = Annotation(stream, own)
        yield annotation


def _is_editable_kind(stream: BinaryIO) -> bool:
    if not is_zipfile(stream):
        return False
    names = {name.casefold() for name in ZipFile(stream).namelist()}
    return "[content_types].xml" in names and "xl/workbook.bin" not in names


@contextmanager
def _only_uneditable() -> Iterator[None]:
    try:
        yield
    except _ODD as error:
        raise UneditableError("It is written in a way that cannot be edited.") from error


@final
class Annotation:
    """A workbook that is being annotated. `suffix` is how a file of its kind must be called (`.xlsx`, `.xlsm`)."""

    def __init__(self, stream: BinaryIO, own: OwnWorkbook) -> None:
        self._stream = stream
        self._own = own
        self._before = os.fstat(stream.fileno())
        self._book = Book(stream)
        self._workbook = WorkbookPart(self._book)
        if own.sheet.casefold() == SUMMARY_SHEET.casefold():
            raise UneditableError("The sheet that was read has the name of the summary.")
        self._sheet = self._workbook.part_of(own.sheet)
        self._styles = Styles(self._book.markup(self._workbook.styles()), keeps_colours=not self._is_of_libreoffice())
        self.suffix = ".xlsm" if self._workbook.type == MACROS else ".xlsx"
        self._relations = {each.kind: each.target for each in self._book.relations(self._sheet)}

    def _is_of_libreoffice(self) -> bool:
        return self._book.has(_PROGRAM) and b"LibreOffice" in self._book.text(_PROGRAM)

    def write(
        self, stream: BinaryIO, columns: Sequence[Column], outcomes: Iterable[ReportRow], facts: SheetFacts
    ) -> tuple[str, ...]:
        """Write the workbook with what became of its rows, which come in their order; return sentences for the user.

        Raises `UneditableError`.
        """
        with _only_uneditable():
            return self._write(stream, columns, outcomes, facts)

    def _write(
        self, stream: BinaryIO, columns: Sequence[Column], outcomes: Iterable[ReportRow], facts: SheetFacts
    ) -> tuple[str, ...]:
        with self._book.open(self._sheet) as part:
            first = SheetText(part)
            shape = shape_of(first, self._own.header_row)
        head, tail = Head(first), Tail(first, shape.tail)
        layout = self._layout(head, tail, shape, columns)
        widths = self._frame(head, tail, layout, shape, columns)
        comments = self._comments()
        results = ResultCells(first.prefix, layout.places, self._styles)
        self._workbook.add_sheet(SUMMARY_SHEET, summary_sheet(facts, _looks(self._styles)))

        def fill(out: IO[bytes]) -> None:
            out.write(head.changed())
            with self._book.open(self._sheet) as part:
                rows = Rows(SheetText(part), outcomes, layout, self._styles, comments, results)
                _write_rows(out, rows.written())
            self._add_comments(comments, tail, {**head.widths(), **widths})
            self._styles.finish()
            out.write(tail.changed())

        self._book.write(stream, self._sheet, fill)
        self._refuse_changed()
        notes = _notes(comments, results)
        where = Range(min(layout.places.values()), self._own.header_row, max(layout.places.values()), shape.last_row)
        return (*notes, _DRAWN_OVER) if layout.added and any_over(self._book, self._sheet, where) else notes

    def _frame(self, head: Head, tail: Tail, layout: Layout, shape: Shape, columns: Sequence[Column]) -> dict[int, int]:
        """Change what stands around the rows, and return the widths of the columns that are added."""
        header_row, last_row = layout.header_row, max(shape.last_row, layout.header_row)
        taken = [*layout.places.values(), *(column.index for column in columns if column.name)]
        head.reach(max(taken), last_row)
        head.freeze(header_row)
        self._filter(tail, Range(min(taken), header_row, max(taken), max(last_row, header_row + 1)))
        added = {place: name for name, place in layout.places.items() if place in layout.added}
        widen_tables(self._book, self._sheet, header_row, added)
        widths = {place: WIDTHS[name] for place, name in added.items()}
        if widths:
            head.widen(widths)
        return widths

    def _layout(self, head: Head, tail: Tail, shape: Shape, columns: Sequence[Column]) -> Layout:
        header_row = self._own.header_row
        known = {name: column_index(letters) for name, letters in self._own.result_columns.items()}
        taken = [shape.content, *known.values(), *(column.index for column in columns)]
        taken += [each.last_column for each in tail.merged() if each.last_row >= header_row]
        taken += [each.last_column for each in ranges_of_tables(self._book, self._sheet) if each.last_row >= header_row]
        missing = [name for name in RESULT_COLUMNS if name not in known]
        free = max(taken) + 1
        if free + len(missing) > _MOST_COLUMNS:
            raise UneditableError("It has no room for more columns.")
        added = {name: free + place for place, name in enumerate(missing)}
        return Layout(
            header_row=header_row,
            places={**known, **added},
            added=frozenset(added.values()),
            last_header=max((column.index for column in columns if column.name), default=0),
            widest=shape.widest,
            column_styles=head.column_styles(),
            merged=_by_rows(tail.merged(), header_row, shape.last_row),
        )

    def _filter(self, tail: Tail, wanted: Range) -> None:
        tables = ranges_of_tables(self._book, self._sheet)
        is_free = not any(each.first_row <= wanted.last_row and each.last_row >= wanted.first_row for each in tables)
        filtered = tail.filter(wanted, is_free=is_free)
        if filtered is not None:
            self._workbook.name_filter(self._own.sheet, filtered)

    def _comments(self) -> Comments:
        existing = self._relations.get("comments")
        return Comments(self._book.markup(existing) if existing else None)

    def _add_comments(self, comments: Comments, tail: Tail, widths: Mapping[int, float]) -> None:
        if not comments.added and not comments.removed:
            return
        relation = tail.boxes()
        targets = {each.id: each.target for each in self._book.relations(self._sheet)}
        part = targets.get(relation, "")
        drawings = [self._book.text(name) for name in self._book.names(".vml")]
        drawing = boxes(
            self._book.text(part) if part else None,
            comments.added,
            comments.removed,
            widths,
            highest_block(drawings) + 1,
        )
        if not part:
            part = self._book.free_name("xl/drawings/vmlDrawing{}.vml")
            self._book.declare_extension("vml", _BOXES_TYPE)
            tail.add_boxes(self._book.refer(self._sheet, "vmlDrawing", part))
        self._book.put(part, drawing)
        comments.finish()
        if "comments" not in self._relations:
            name = self._book.free_name("xl/comments{}.xml")
            self._book.put(name, comments.new_part())
            self._book.set_content_type(name, _COMMENTS_TYPE)
            self._book.refer(self._sheet, "comments", name)

    def _refuse_changed(self) -> None:
        now = os.fstat(self._stream.fileno())
        if (now.st_size, now.st_mtime_ns) != (self._before.st_size, self._before.st_mtime_ns):
            raise UneditableError("It was changed while it was copied.")


def _by_rows(ranges: Iterable[Range], header_row: int, last_row: int) -> dict[int, list[Range]]:
    found: dict[int, list[Range]] = {}
    for each in ranges:
        for row in range(max(each.first_row, header_row + 1), min(each.last_row, last_row) + 1):
            found.setdefault(row, []).append(each)
    return found


def _write_rows(out: IO[bytes], rows: Iterable[bytes]) -> None:
    written = 0
    for row in rows:
        written += out.write(row)
        if written > _MOST_BYTES:
            raise UneditableError("With the outcomes, its sheet is larger than programs can read.")


def _looks(styles: Styles) -> dict[Look, int]:
    return {
        Look.PLAIN: styles.look(10),
        Look.TITLE: styles.look(16, bold=True),
        Look.HEAD: styles.look(10, bold=True),
        Look.BAR: styles.look(10, bold=True, fill_colour=BAR_COLOUR),
        Look.WRONG: styles.look(10, fill_colour=WRONG_COLOUR),
        Look.OPEN: styles.look(10, fill_colour=OPEN_COLOUR),
        Look.LINK: styles.look(10, "FF0563C1"),
    }


def _notes(comments: Comments, results: ResultCells) -> tuple[str, ...]:
    notes: list[str] = []
    if comments.left_out:
        notes.append(uncommented_note(comments.left_out))
    if results.cuts:
        notes.append(
            f"{counted(results.cuts, 'text')} in the result columns had to be cut to {MOST_UNITS:,} characters, "
            f"first in cell {results.first_cut}; results.csv has everything."
        )
    return tuple(notes)
