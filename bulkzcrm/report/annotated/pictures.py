"""Charts and pictures that lie over the columns of the results, so that users can be told to drag them aside."""

from __future__ import annotations

from collections.abc import Iterator

from bulkzcrm.report.annotated.book import Book
from bulkzcrm.report.annotated.markup import Element, Markup, UneditableError
from bulkzcrm.report.annotated.places import Range

__all__ = ["any_over"]


def any_over(book: Book, sheet: str, results: Range) -> bool:
    """Tell whether anything drawn on a sheet lies over a range; of drawings that cannot be read, it does not."""
    return any(
        place.first_column <= results.last_column
        and results.first_column <= place.last_column
        and place.first_row <= results.last_row
        and results.first_row <= place.last_row
        for place in _places(book, sheet)
    )


def _places(book: Book, sheet: str) -> Iterator[Range]:
    for relation in book.relations(sheet):
        if relation.kind != "drawing":
            continue
        try:
            markup = book.markup(relation.target)
        except UneditableError:
            continue
        for anchor in markup.root.children:
            begin, end = anchor.first("from"), anchor.first("to")
            if begin is not None:
                yield Range(*_corner(markup, begin), *_corner(markup, end or begin))


def _corner(markup: Markup, corner: Element) -> tuple[int, int]:
    column, row = (
        int(markup.text[each.inside : each.closes]) if (each := corner.first(name)) else 0 for name in ("col", "row")
    )
    return column, row + 1
