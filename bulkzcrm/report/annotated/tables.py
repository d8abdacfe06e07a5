"""Tables of a sheet (what Excel calls so): one that ends where the results begin is widened, so that it sorts whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from xml.sax.saxutils import quoteattr

from bulkzcrm.report.annotated.book import Book
from bulkzcrm.report.annotated.markup import Element, Markup
from bulkzcrm.report.annotated.places import Range

__all__ = ["ranges_of_tables", "widen_tables"]


def ranges_of_tables(book: Book, sheet: str) -> list[Range]:
    """Return where the tables of a sheet lie."""
    found = [Range.read(markup.root.attributes.get("ref", "")) for markup in _tables(book, sheet)]
    return [each for each in found if each is not None]


def widen_tables(book: Book, sheet: str, header_row: int, added: Mapping[int, str]) -> None:
    """Take columns that are added (by place, with their headers) into the table that ends just before them."""
    for markup in _tables(book, sheet):
        root = markup.root
        where, columns = Range.read(root.attributes.get("ref", "")), root.first("tableColumns")
        if where is None or columns is None or not added:
            continue
        fits = where.first_row == header_row and where.last_column + 1 == min(added)
        # What comes from a query or an XML map has the columns of its origin.
        if not fits or root.attributes.get("tableType", "worksheet") != "worksheet":
            continue
        if root.attributes.get("headerRowCount", "1") != "1" or _has_any(columns, added.values()):
            continue
        _widen(markup, where._replace(last_column=max(added)), added)


def _has_any(columns: Element, names: Iterable[str]) -> bool:
    """Tell whether a column is called so: no two of a table may, whatever their case."""
    taken = {column.attributes.get("name", "").casefold() for column in columns.children}
    return any(name.casefold() in taken for name in names)


def _widen(markup: Markup, wider: Range, added: Mapping[int, str]) -> None:
    root = markup.root
    columns, table_filter = root.first("tableColumns"), root.first("autoFilter")
    markup.set(root, "ref", str(wider))
    if table_filter is not None:
        old = Range.read(table_filter.attributes.get("ref", ""))
        if old is not None:
            markup.set(table_filter, "ref", str(old._replace(last_column=wider.last_column)))
    if columns is not None:
        highest = max(int(column.attributes.get("id", "0")) for column in columns.children)
        for number, place in enumerate(sorted(added), start=highest + 1):
            new = f'<{root.prefix}tableColumn id="{number}" name={quoteattr(added[place])}/>'
            markup.append(columns, new.encode())
        markup.set(columns, "count", str(len(columns.children) + len(added)))


def _tables(book: Book, sheet: str) -> Iterator[Markup]:
    for relation in book.relations(sheet):
        if relation.kind == "table":
            yield book.markup(relation.target)
