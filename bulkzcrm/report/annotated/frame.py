"""What stands around the rows of a sheet: how far it reaches, its view, the widths of its columns, its filter.

The order of the elements is the one that the format wants (ECMA-376 Part 1, 18.3.1.99); spreadsheet programs refuse any
other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import final

from bulkzcrm.report.annotated.book import OFFICE
from bulkzcrm.report.annotated.markup import Element, Markup, attribute_set
from bulkzcrm.report.annotated.places import Range
from bulkzcrm.report.annotated.sheet_text import SheetText

__all__ = ["WIDTHS", "Head", "Tail"]

_BEFORE_ROWS = ("sheetPr", "dimension", "sheetViews", "sheetFormatPr", "cols", "sheetData")
_BEFORE_FILTER = ("sheetCalcPr", "sheetProtection", "protectedRanges", "scenarios")
_BEFORE_BOXES = (
    *_BEFORE_FILTER,
    "autoFilter",
    "sortState",
    "dataConsolidate",
    "customSheetViews",
    "mergeCells",
    "phoneticPr",
    "conditionalFormatting",
    "dataValidations",
    "hyperlinks",
    "printOptions",
    "pageMargins",
    "pageSetup",
    "headerFooter",
    "rowBreaks",
    "colBreaks",
    "customProperties",
    "cellWatches",
    "ignoredErrors",
    "smartTags",
    "drawing",
    "drawingHF",
)

_MOST_FROZEN = 20
"""Rows; more of them would leave no room to scroll."""

WIDTHS: Mapping[str, int] = {
    "result_row": 11,
    "result_status": 14,
    "result_code": 26,
    "result_field": 20,
    "result_cell": 12,
    "result_message": 60,
    "result_fix": 60,
    "result_record_id": 22,
    "result_batch": 13,
    "result_attempts": 16,
}
"""Of the columns that are added, in characters."""


@final
class Head:
    """All before the rows."""

    def __init__(self, text: SheetText) -> None:
        self._prefix = text.prefix.decode()
        closing = b"</" + text.prefix + b"sheetData></" + text.prefix + b"worksheet>"
        self._closing = len(closing)
        self._markup = Markup(text.head + closing, "Its sheet")
        self._root = self._markup.root
        self._columns = list(columns.children) if (columns := self._root.first("cols")) else []

    def column_styles(self) -> dict[int, int]:
        """Return the style of each column that has one, for cells that are not there."""
        styles: dict[int, int] = {}
        for element in self._columns:
            if style := int(element.attributes.get("style", "0")):
                styles.update(dict.fromkeys(_span(element), style))
        return styles

    def widths(self) -> dict[int, float]:
        """Return the width of each column of which it is known, in characters; 0 for a hidden one."""
        known: dict[int, float] = {}
        for element in self._columns:
            about = element.attributes
            hidden = about.get("hidden") in {"1", "true"}
            if hidden or "width" in about:
                known.update(dict.fromkeys(_span(element), 0.0 if hidden else float(about["width"])))
        return known

    def reach(self, column: int, row: int) -> None:
        """Have the sheet reach to a cell, where it says how far it reaches."""
        element = self._root.first("dimension")
        found = None if element is None else Range.read(element.attributes.get("ref", ""))
        if element is not None and found is not None:
            self._markup.set(element, "ref", str(found.with_place(column, row)))

    def freeze(self, header_row: int) -> None:
        """Keep the header in sight, unless somebody has chosen what is kept, or it stands too deep."""
        if header_row > _MOST_FROZEN:
            return
        prefix = self._prefix
        pane = (
            f'<{prefix}pane ySplit="{header_row}" topLeftCell="A{header_row + 1}" activePane="bottomLeft"'
            ' state="frozen"/>'
        )
        views = self._root.first("sheetViews")
        if views is None or not views.children:
            if views is None:
                view = f'<{prefix}sheetView workbookViewId="0">{pane}</{prefix}sheetView>'
                self._insert("sheetViews", f"<{prefix}sheetViews>{view}</{prefix}sheetViews>")
            return
        view_of = views.children[0]
        if (
            view_of.first("pane")
            or view_of.first("pivotSelection")
            or view_of.attributes.get("view", "normal") != "normal"
        ):
            return
        self._markup.set(view_of, "topLeftCell", None)
        if view_of.end == view_of.inside:
            self._markup.append(view_of, pane.encode())
            return
        self._markup.insert(view_of.inside, pane.encode())
        for selection in view_of.all("selection"):
            if "pane" not in selection.attributes:
                self._markup.set(selection, "pane", "bottomLeft")

    def widen(self, added: Mapping[int, int]) -> None:
        """Give the columns that are added their widths, whatever was said of them; those around stay as they are."""
        elements: list[tuple[int, bytes]] = []
        for element in self._columns:
            tag = self._markup.raw(element)
            for begin, end in _without(_span(element), added):
                new = attribute_set(attribute_set(tag, "min", str(begin + 1)), "max", str(end + 1))
                elements.append((begin, new))
        for column, width in added.items():
            number = column + 1
            column_xml = f'<{self._prefix}col min="{number}" max="{number}" width="{width}.7109375" customWidth="1"/>'
            elements.append((column, column_xml.encode()))
        content = b"".join(text for _, text in sorted(elements)).decode()
        whole = f"<{self._prefix}cols>{content}</{self._prefix}cols>"
        old = self._root.first("cols")
        if old is not None:
            self._markup.replace(old, whole.encode())
        else:
            self._insert("cols", whole)

    def changed(self) -> bytes:
        """Return the head with all changes."""
        return self._markup.changed()[: -self._closing]

    def _insert(self, name: str, text: str) -> None:
        before = _BEFORE_ROWS[: _BEFORE_ROWS.index(name)]
        ends = [element.end for element in self._root.children if element.name in before]
        self._markup.insert(max(ends, default=self._root.inside), text.encode())


@final
class Tail:
    """All after the rows."""

    def __init__(self, text: SheetText, tail: bytes) -> None:
        self._prefix = text.prefix.decode()
        self._opening = text.root + b"<" + text.prefix + b"sheetData>"
        self._markup = Markup(self._opening + tail, "Its sheet")
        self._root = self._markup.root

    def merged(self) -> list[Range]:
        """Return the ranges of cells that are merged."""
        merges = self._root.first("mergeCells")
        found = [Range.read(each.attributes.get("ref", "")) for each in (merges.children if merges else ())]
        return [each for each in found if each is not None]

    def filter(self, wanted: Range, *, is_free: bool) -> Range | None:
        """Have the filter reach over all results, or make one if the sheet is free for it; return its range.

        A filter that stands elsewhere stays.
        """
        element = self._root.first("autoFilter")
        if element is None:
            if not is_free:
                return None
            self._insert(f'<{self._prefix}autoFilter ref="{wanted}"/>', _BEFORE_FILTER)
            return wanted
        found = Range.read(element.attributes.get("ref", ""))
        if found is None or found.first_row != wanted.first_row:
            return None
        wider = found._replace(last_column=max(found.last_column, wanted.last_column))
        self._markup.set(element, "ref", str(wider))
        return wider

    def boxes(self) -> str:
        """Return the id of the relation to the boxes of the sheet's comments, or nothing."""
        element = self._root.first("legacyDrawing")
        return "" if element is None else element.reference()

    def add_boxes(self, relation: str) -> None:
        """Say where the boxes of the comments are."""
        self._insert(f'<{self._prefix}legacyDrawing xmlns:r="{OFFICE}" r:id="{relation}"/>', _BEFORE_BOXES)

    def changed(self) -> bytes:
        """Return the tail with all changes."""
        return self._markup.changed()[len(self._opening) :]

    def _insert(self, text: str, before: Sequence[str]) -> None:
        rows = self._root.children[0]
        ends = [element.end for element in self._root.children if element.name in before]
        self._markup.insert(max(ends, default=rows.end), text.encode())


def _span(element: Element) -> range:
    return range(int(element.attributes.get("min", "1")) - 1, int(element.attributes.get("max", "1")))


def _without(span: range, added: Mapping[int, int]) -> list[tuple[int, int]]:
    """Return what is left of a span of columns, as first and last ones."""
    left: list[tuple[int, int]] = []
    begin = span.start
    for column in sorted(column for column in added if column in span):
        if column > begin:
            left.append((begin, column - 1))
        begin = column + 1
    if begin < span.stop:
        left.append((begin, span.stop - 1))
    return left
