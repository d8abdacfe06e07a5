"""The part that lists the sheets: which part holds the one that was read, and where another sheet is put."""

from __future__ import annotations

import re
from typing import final
from xml.sax.saxutils import escape, quoteattr

from bulkzcrm.report.annotated.book import OFFICE, Book
from bulkzcrm.report.annotated.markup import Element, UneditableError
from bulkzcrm.report.annotated.places import Range

__all__ = ["MACROS", "WorkbookPart"]

_MAIN = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
MACROS = "application/vnd.ms-excel.sheet.macroEnabled.main+xml"
"""The type of a workbook with macros: programs open it under the name of one alone (`.xlsm`)."""
_TEMPLATES = {
    "application/vnd.openxmlformats-officedocument.spreadsheetml.template.main+xml": _MAIN,
    "application/vnd.ms-excel.template.macroEnabled.main+xml": MACROS,
}
_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
_TRANSITIONAL = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_FILTER = "_xlnm._FilterDatabase"
_BEFORE_NAMES = ("externalReferences", "functionGroups", "sheets")


@final
class WorkbookPart:
    """The list of the sheets of a book. Raises `UneditableError`."""

    def __init__(self, book: Book) -> None:
        if any(relation.kind.endswith("origin") for relation in book.relations("")):
            raise UneditableError("It is signed, and a change would break the signature.")
        self._book = book
        self._part = next((each.target for each in book.relations("") if each.kind == "officeDocument"), "")
        self._markup = book.markup(self._part)
        self._root = self._markup.root
        sheets = self._root.first("sheets")
        spaces = {value for name, value in self._root.attributes.items() if name.startswith("xmlns")}
        if sheets is None or _TRANSITIONAL not in spaces:
            raise UneditableError("It is written in a rare form of the format.")
        self._sheets = sheets
        self._targets = {each.id: each for each in book.relations(self._part)}
        kind = book.content_type(self._part)
        self.type = _TEMPLATES.get(kind, kind)
        """The type of the workbook as a document; a template's copy is none."""
        if kind in _TEMPLATES:
            book.set_content_type(self._part, self.type)

    def part_of(self, name: str) -> str:
        """Return the part that holds the sheet of that name."""
        for element in self._sheets.children:
            if _name(element) == name:
                return self._target(element)
        raise UneditableError(f"It has no sheet {name!r} any more.")

    def styles(self) -> str:
        """Return the part that holds the styles."""
        found = [each.target for each in self._targets.values() if each.kind == "styles"]
        if not found:
            raise UneditableError("It has no styles.")
        return found[0]

    def add_sheet(self, name: str, content: bytes) -> None:
        """Put a sheet at the end, or in the place of the one of that name."""
        for element in self._sheets.children:
            if _name(element).casefold() == name.casefold():
                part = self._target(element)
                # Whatever somebody has put on the old one, such as comments, is gone with it.
                self._book.forget_relations(part)
                self._book.put(part, content)
                return
        part = self._book.free_name("xl/worksheets/sheet{}.xml")
        self._book.put(part, content)
        self._book.set_content_type(part, _SHEET)
        relation = self._book.refer(self._part, "worksheet", part)
        number = 1 + max(int(element.attributes.get("sheetId", "0")) for element in self._sheets.children)
        prefix = self._root.prefix
        self._markup.append(
            self._sheets,
            f'<{prefix}sheet xmlns:r="{OFFICE}" name={quoteattr(name)} sheetId="{number}" r:id="{relation}"/>'.encode(),
        )

    def name_filter(self, sheet: str, where: Range) -> None:
        """Keep the name under which programs know the range that a sheet's filter is on."""
        place = next(place for place, element in enumerate(self._sheets.children) if _name(element) == sheet)
        quoted = sheet.replace("'", "''")
        target = escape(f"'{quoted}'!{where.fixed()}")
        prefix = self._root.prefix
        new = (
            f'<{prefix}definedName name="{_FILTER}" localSheetId="{place}" hidden="1">{target}</{prefix}definedName>'
        ).encode()
        names = self._root.first("definedNames")
        if names is None:
            whole = f"<{prefix}definedNames>".encode() + new + f"</{prefix}definedNames>".encode()
            before = next(found for name in _BEFORE_NAMES if (found := self._root.first(name)) is not None)
            self._markup.insert(before.end, whole)
            return
        for element in names.children:
            about = element.attributes
            if about.get("name") == _FILTER and about.get("localSheetId") == str(place):
                self._markup.replace(element, new)
                return
        self._markup.append(names, new)

    def _target(self, element: Element) -> str:
        found = self._targets.get(element.reference())
        if found is None or found.kind != "worksheet":
            raise UneditableError("Its sheets are not listed as usual.")
        return found.target


def _name(element: Element) -> str:
    """Return a sheet's name, its escapes resolved (`_x0041_`), as it is read."""
    return re.sub("_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), element.attributes.get("name", ""))
