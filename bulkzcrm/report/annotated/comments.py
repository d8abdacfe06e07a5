"""What is said of single cells where users see them: comments, beside those that are there (ECMA-376 Part 1, 18.7)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple, final

from bulkzcrm.cells import column_letter, counted
from bulkzcrm.model import Problem
from bulkzcrm.report.annotated.markup import Element, Markup, UneditableError
from bulkzcrm.report.annotated.places import cell_place
from bulkzcrm.report.xlsx_texts import held, text_content

__all__ = ["AUTHOR", "MOST_COMMENTS", "Comment", "Comments", "uncommented_note"]

AUTHOR = "bulkzcrm"
"""By this a later report knows which comments are its own."""
MOST_COMMENTS = 2_000

_FIRST_TEXT = re.compile(rb"<(?:[\w.-]+:)?t(?:\s[^<>]*)?>([^<]*)<")
_TITLE = f"{AUTHOR}: ".encode()

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_NEW = (
    f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<comments xmlns="{_MAIN}"><authors></authors>'
    "<commentList></commentList></comments>"
)
_LONGEST = 2_000
"""Characters; the whole text stands in the result columns."""


def _texts(problems: Sequence[Problem]) -> list[tuple[str, str]]:
    """Return what a comment says of the problems of one cell: each code, and what is wrong and what to do."""
    told = [(problem.code, f"{problem.message}\n{problem.remedy}".strip()[:_LONGEST]) for problem in problems]
    return [(f"{AUTHOR}: {code or 'to mend'}", text) for code, text in told if text]


def uncommented_note(left_out: int) -> str:
    """Say that not every cell to mend has its comment."""
    are = "is" if left_out == 1 else "are"
    return (
        f"The first {MOST_COMMENTS:,} cells to mend have comments in the workbook; {counted(left_out, 'more cell')} "
        f"{are} coloured alone."
    )


class Comment(NamedTuple):
    """One comment of ours: where it stands (the column from 0), and what it says: a title and a text, or several."""

    column: int
    row: int
    texts: list[tuple[str, str]]

    def xml(self, author: int, prefix: str) -> str:
        """Return it as an element of the part."""
        runs = ""
        for place, (title, text) in enumerate(self.texts):
            runs += _run(f"{chr(10) * 2 if place else ''}{title}\n", "<{0}b/>", prefix) + _run(text, "", prefix)
        at = f"{column_letter(self.column)}{self.row}"
        return f'<{prefix}comment ref="{at}" authorId="{author}"><{prefix}text>{runs}</{prefix}text></{prefix}comment>'


def _run(text: str, bold: str, prefix: str) -> str:
    look = f'<{prefix}sz val="9"/><{prefix}color indexed="81"/><{prefix}rFont val="Tahoma"/><{prefix}family val="2"/>'
    content = text_content(held(text)[0], prefix)
    return f"<{prefix}r><{prefix}rPr>{bold.format(prefix)}{look}</{prefix}rPr>{content}</{prefix}r>"


@final
class Comments:
    """The comments of a sheet: others' stay, and so do their cells'; ours are made anew, row by row.

    `existing` is the part of the sheet's comments, if there is one. At most `MOST_COMMENTS` are `added`; `left_out`
    counts cells beyond.
    """

    def __init__(self, existing: Markup | None) -> None:
        self._markup = existing or Markup(_NEW.encode(), "A new part")
        root = self._markup.root
        authors, listed = root.first("authors"), root.first("commentList")
        if authors is None or listed is None:
            raise UneditableError("Its comments are not written as usual.")
        self._authors, self._list = authors, listed
        names = [self._markup.text[each.inside : each.closes].decode().strip() for each in authors.children]
        self._author = names.index(AUTHOR) if AUTHOR in names else None
        self._own: dict[int, list[Element]] = {}
        self._others: set[str] = set()
        for comment in listed.children:
            at = comment.attributes.get("ref", "")
            place = cell_place(at)
            if place is not None and (
                comment.attributes.get("authorId") == str(self._author) or self._is_ours(comment)
            ):
                self._own.setdefault(place[1], []).append(comment)
            else:
                self._others.add(at)
        self._number_of_authors = len(names)
        self.removed: set[tuple[int, int]] = set()
        """Cells whose old comment is taken away, as column and row."""
        self.added: list[Comment] = []
        self.left_out = 0

    def _is_ours(self, comment: Element) -> bool:
        """Tell by its title: LibreOffice forgets the authors."""
        found = _FIRST_TEXT.search(self._markup.raw(comment))
        return found is not None and found[1].startswith(_TITLE)

    def begin_row(self, row: int) -> None:
        """Take away what an earlier report has said in a row."""
        for comment in self._own.get(row, ()):
            place = cell_place(comment.attributes.get("ref", ""))
            if place is not None:
                self.removed.add(place)
            self._markup.replace(comment, b"")

    def add(self, row: int, column: int, problems: Sequence[Problem]) -> None:
        """Say what is wrong with a cell, unless somebody else has said something there."""
        if f"{column_letter(column)}{row}" in self._others:
            return
        texts = _texts(problems)
        if len(self.added) >= MOST_COMMENTS:
            self.left_out += 1
        elif texts:
            self.added.append(Comment(column, row, texts))

    def finish(self) -> None:
        """Put what was added into the part."""
        author, prefix = self._author, self._markup.root.prefix
        if author is None and self.added:
            author = self._number_of_authors
            self._markup.append(self._authors, f"<{prefix}author>{AUTHOR}</{prefix}author>".encode())
        for comment in self.added:
            self._markup.append(self._list, comment.xml(author or 0, prefix).encode())

    def new_part(self) -> bytes:
        """Return the whole part, for a sheet that has none."""
        return self._markup.changed()
