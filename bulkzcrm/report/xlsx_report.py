"""The report as a workbook in which every text stays the text it is: no id becomes a number, nothing runs as a formula.

It is written as it is read, in one pass, without the libraries for workbooks: they take many times as long.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import chain, islice
from typing import BinaryIO

from bulkzcrm.cells import column_letter
from bulkzcrm.errors import OutputError
from bulkzcrm.model import SUMMARY_SHEET, Column
from bulkzcrm.report.annotated.book import OFFICE
from bulkzcrm.report.annotated.boxes import boxes
from bulkzcrm.report.annotated.comments import Comments, uncommented_note
from bulkzcrm.report.rows import RESULT_COLUMNS, ReportPage
from bulkzcrm.report.xlsx_lines import SheetLines
from bulkzcrm.report.xlsx_package import HEAD, LOOKS, MAIN, Package
from bulkzcrm.report.xlsx_summary import Look, SheetFacts, summary_sheet
from bulkzcrm.report.xlsx_texts import MOST_UNITS

__all__ = ["ROWS_PER_SHEET", "why_too_wide", "write_xlsx"]

ROWS_PER_SHEET = 1_048_575
"""What a sheet holds below its header: the format ends at line 1,048,576."""

_MOST_COLUMNS = 16_384
_MOST_BYTES = 2_000_000_000
"""Of a sheet's part; beyond 2 GB its archive would need a form that not every spreadsheet program reads."""
_LONGEST_TITLE = 31
_AT_ONCE = 100
"""Rows that are packed and written together."""

_WIDTHS = {"result_message": 60, "result_fix": 60, "result_record_id": 22}
_NARROWEST, _WIDEST = 10, 40
_BOXES = "rIdBoxes"


def why_too_wide(columns: Sequence[Column]) -> OutputError | None:
    """Return what is to be said where a report has more columns than a sheet."""
    width = len(columns) + len(RESULT_COLUMNS)
    if width <= _MOST_COLUMNS:
        return None
    return OutputError(
        f"The report has {width:,} columns, and a workbook's sheet ends at {_MOST_COLUMNS:,}.",
        "Ask for csv or jsonl instead of xlsx; they hold any number of columns.",
    )


def write_xlsx(
    stream: BinaryIO,
    columns: Sequence[Column],
    pages: Iterable[ReportPage],
    *,
    sheet: str = "results",
    rows_per_sheet: int = ROWS_PER_SHEET,
    bytes_per_sheet: int = _MOST_BYTES,
    facts: SheetFacts | None = None,
) -> tuple[str, ...]:
    """Write a header and one line per row, and return sentences for the user about what did not fit.

    Texts are string cells; numbers of up to 14 digits are numbers, and longer ones texts; booleans are booleans, all
    else is text as in the CSV. What XML cannot hold is escaped as the format wants it (`_x0001_`). Rows beyond
    `rows_per_sheet` or `bytes_per_sheet` go to further sheets (`results 2`), each with the header; a text beyond 32,767
    characters is cut. Cells to mend are coloured and have comments; the last sheet tells the `facts`. Raises
    `OutputError` when the report has more columns than a sheet, 16,384.
    """
    header = [*(column.name for column in columns), *RESULT_COLUMNS]
    too_wide = why_too_wide(columns)
    if too_wide is not None:
        raise too_wide
    lines = SheetLines(columns)
    waiting = lines.lines(pages)
    sheets = uncommented = 0
    limit = f"{rows_per_sheet:,} rows"
    with Package(stream) as package:
        ahead = list(islice(waiting, 1))
        while ahead or not sheets:
            sheets += 1
            title = _title(sheet, sheets)
            with package.begin_sheet() as part:
                part.write((_beginning(header) + lines.header(title, header)).encode())
                written = 0
                fitting = islice(chain(ahead, waiting), rows_per_sheet)
                while written <= bytes_per_sheet and (slab := "".join(map(lines.line, islice(fitting, _AT_ONCE)))):
                    written += part.write(slab.encode())
                filtered = f"A1:{column_letter(len(header) - 1)}{lines.count}"
                part.write(f'</sheetData><autoFilter ref="{filtered}"/>'.encode())
                boxed = _boxes(lines.comments, header, sheets)
                if boxed:
                    part.write(f'<legacyDrawing xmlns:r="{OFFICE}" r:id="{_BOXES}"/>'.encode())
                part.write(b"</worksheet>")
            if boxed:
                package.add_comments(_BOXES, lines.comments.new_part(), boxed)
            uncommented += lines.comments.left_out
            package.end_sheet(title, re.sub(r"([A-Z]+)", r"$\1$", filtered))
            ahead = list(islice(waiting, 1))
            if written > bytes_per_sheet:
                limit = f"{bytes_per_sheet:,} bytes"
        if facts is not None:
            with package.begin_sheet() as part:
                part.write(summary_sheet(facts, {look: LOOKS + place for place, look in enumerate(Look)}))
            package.end_sheet(SUMMARY_SHEET)
    return _notes(sheets, limit, lines, uncommented)


def _boxes(comments: Comments, header: Sequence[str], sheet: int) -> bytes | None:
    """Finish a sheet's comments, and return the drawing with their boxes, if there are any."""
    comments.finish()
    widths = {place: float(_width(text)) for place, text in enumerate(header)}
    # Two blocks of ids hold the most comments that a sheet gets.
    return boxes(None, comments.added, (), widths, 2 * sheet - 1) if comments.added else None


def _beginning(header: Sequence[str]) -> str:
    """Return all that stands before the first line: the header stays in sight, and each column has a fitting width."""
    columns = ""
    for place, text in enumerate(header, start=1):
        columns += f'<col min="{place}" max="{place}" width="{_width(text)}" customWidth="1"/>'
    pane = '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
    return (
        f'{HEAD}<worksheet xmlns="{MAIN}"><sheetViews><sheetView workbookViewId="0">{pane}</sheetView></sheetViews>'
        f"<cols>{columns}</cols><sheetData>"
    )


def _width(text: str) -> int:
    return _WIDTHS.get(text, min(max(len(text) + 4, _NARROWEST), _WIDEST))


def _title(name: str, number: int) -> str:
    """Return a title that the format allows; from the second sheet on it carries a number."""
    suffix = f" {number}" if number > 1 else ""
    allowed = re.sub(r"[\[\]:*?/\\\x00-\x1f]", "_", name).strip("' ")[: _LONGEST_TITLE - len(suffix)]
    return (allowed or "results") + suffix


def _notes(sheets: int, limit: str, lines: SheetLines, uncommented: int) -> tuple[str, ...]:
    notes: list[str] = []
    if sheets > 1:
        notes.append(f"The workbook has {sheets} sheets, because one holds at most {limit}.")
    if lines.cuts:
        which = "One text was" if lines.cuts == 1 else f"{lines.cuts:,} texts were"
        where = f"in cell {lines.first_cut}" if lines.cuts == 1 else f"first in cell {lines.first_cut}"
        notes.append(
            f"{which} cut to {MOST_UNITS:,} characters, the most that a workbook's cell can hold ({where}); "
            "results.csv has everything."
        )
    if uncommented:
        notes.append(uncommented_note(uncommented))
    return tuple(notes)
