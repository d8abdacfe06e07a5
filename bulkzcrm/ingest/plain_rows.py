"""Rows of a sheet taken apart as text, which is what nearly all rows of nearly all workbooks allow.

Nothing is guessed: a row is read here only if all its markup is, letter for letter, markup that the parser has accepted
in an earlier row and that is known to mean one thing; any other row goes to the parser, and its markup is known from
then on. So what is read, and what is refused, is what the parser reads and refuses.
"""

from __future__ import annotations

import re
from contextlib import suppress

from bulkzcrm.ingest.sheet_cells import Reader, SheetCells, put
from bulkzcrm.ingest.xml_text import decoded, unescaped, visible
from bulkzcrm.model import CellValue

__all__ = ["PlainRows"]

_MOST_KNOWN = 10_000
"""Kinds of markup; a workbook has a few dozen."""

_REFERENCE = '<c r="'
_ATTRIBUTES = r'((?: [A-Za-z:0-9]+="[^"<>&]*")*)'
_ATTRIBUTE = re.compile(r' ([A-Za-z:0-9]+)="([^"<>&]*)"')
_ROW = re.compile(_ATTRIBUTES + "/?")
_BLANK_CELL = re.compile(_ATTRIBUTES + r"(?:/>\s*|>\s*</c>\s*)")
_VALUE_CELL = re.compile(_ATTRIBUTES + r'>(?:<f(?: [A-Za-z:0-9]+="[^"<>&]*")*/>)?<v></v></c>\s*')
_INLINE_CELL = re.compile(_ATTRIBUTES + r'><is><t(?: xml:space="preserve")?></t></is></c>\s*')


class PlainRows:
    """Reads rows from their text, as far as it is known; `learn` makes more of it known.

    The text is as `Stretches` yields it: without a character that XML does not have, so that Python's white space is
    either XML's or text, which counts for nothing between cells.
    """

    def __init__(self, cells: SheetCells) -> None:
        self._cells = cells
        self._columns: dict[str, int] = {}
        self._rows: set[str] = set()
        # By what stands before and after the text of a cell.
        self._readers: dict[tuple[str, str], Reader | None] = {}

    def values(self, row: str) -> tuple[str, list[CellValue]] | None:
        """Return a row's number and its values, or `None` if only the parser can tell. `row` begins after `<row`."""
        head, _, body = row.partition(">")
        begin, _, rest = head.partition('"')
        number, quote, rest = rest.partition('"')
        if begin != " r=" or not quote or rest not in self._rows or not (number.isdecimal() and number.isascii()):
            return None
        if rest[-1:] == "/":
            return (number, []) if not body or body.isspace() else None
        if not body.endswith("</row>"):
            body = body.rstrip()
            if not body.endswith("</row>"):
                return None
        has_references = _REFERENCE in body
        begin, *cells = body[:-6].split(_REFERENCE if has_references else "<c")
        if begin and not begin.isspace():
            return None
        try:
            return number, self._row(cells, number if has_references else None)
        except (LookupError, ValueError, OverflowError):
            return None

    def _row(self, cells: list[str], number: str | None) -> list[CellValue]:
        columns, readers = self._columns, self._readers
        values: list[CellValue] = []
        column = -1
        for cell in cells:
            if number is None:
                column += 1
                rest = cell
            else:
                reference, _, rest = cell.partition('"')
                column = columns[reference.removesuffix(number)]
            before, _, after = rest.partition("</")
            head, _, text = before.rpartition(">")
            if after[:5] == "f><v>":
                head, text, after = _behind_formula(head, text, after)
            reader = readers[head, after]
            if reader is None:
                if text and not text.isspace():
                    raise LookupError(text)
                continue
            if not text:
                raise LookupError(rest)  # with a formula, there may be no value
            value = reader(text)
            if value is None:
                continue
            if column == len(values):
                values.append(value)
            else:
                put(values, column, value)
        return values

    def learn(self, row: str) -> None:
        """Take in the markup of a row that the parser has accepted. `row` begins after `<row`."""
        if len(self._readers) > _MOST_KNOWN or len(self._rows) > _MOST_KNOWN:
            return
        if "xmlns" in row:
            return  # what is declared in this row is not in others
        head, _, body = row.partition(">")
        begin, _, rest = head.partition('"')
        number, _, rest = rest.partition('"')
        if begin != " r=" or not _ROW.fullmatch(rest):
            return
        self._rows.add(rest)
        has_references = _REFERENCE in body
        for cell in body.rstrip().removesuffix("</row>").split(_REFERENCE if has_references else "<c")[1:]:
            with suppress(ValueError, LookupError):
                if has_references:
                    reference, _, rest = cell.partition('"')
                    letters = reference.removesuffix(number)
                    self._columns[letters] = self._cells.column(letters)
                    self._learn_cell(rest)
                else:
                    self._learn_cell(cell)

    def _learn_cell(self, cell: str) -> None:
        before, _, after = cell.partition("</")
        head, _, text = before.rpartition(">")
        if after[:5] == "f><v>":
            head, text, after = _behind_formula(head, text, after)
        markup = f"{head}></{after}" if after else f"{head}>"
        attributes = dict(_ATTRIBUTE.findall(head.partition(">")[0]))
        if "r" in attributes:
            return  # a reference where none is looked for
        if _BLANK_CELL.fullmatch(markup):
            self._readers[head, after] = None
            return
        is_inline = _INLINE_CELL.fullmatch(markup) is not None
        kind = attributes.get("t", "n")
        if is_inline and kind == "inlineStr":
            self._readers[head, after] = _inline_text
        elif not is_inline and _VALUE_CELL.fullmatch(markup):
            reader = self._cells.reader(kind, attributes.get("s"))
            # What reads numbers refuses whatever is none.
            self._readers[head, after] = reader if kind in {"n", "s"} else _decoding(reader)


def _behind_formula(head: str, formula: str, after: str) -> tuple[str, str, str]:
    """Return a cell's parts as if it had no formula, which counts for nothing where there is a value."""
    if head[-3:] != "><f":
        raise LookupError(head)
    decoded(formula)
    text, _, after = after[5:].partition("</")
    return head[:-1] + "v", text, after


def _decoding(reader: Reader) -> Reader:
    return lambda text: reader(decoded(text))


def _inline_text(text: str) -> CellValue:
    if "&" in text or "<" in text:
        text = decoded(text)
    return visible(unescaped(text) if "_x" in text else text)
