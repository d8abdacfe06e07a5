"""Cells and ranges as a sheet writes them (`B7`, `$A$1:$M$3`), and as numbers: columns from 0, rows from 1."""

from __future__ import annotations

import re
from typing import NamedTuple

from bulkzcrm.cells import column_index, column_letter

__all__ = ["Range", "cell_place"]

_CELL = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]{1,7})")


class Range(NamedTuple):
    """A rectangle of cells; its last column and row belong to it."""

    first_column: int
    first_row: int
    last_column: int
    last_row: int

    @classmethod
    def read(cls, text: str) -> Range | None:
        """Read a range or a single cell; `None` for anything else, such as whole columns."""
        first, _, last = text.partition(":")
        begin, end = cell_place(first), cell_place(last or first)
        return None if begin is None or end is None else cls(*begin, *end)

    def __str__(self) -> str:
        return f"{self._corner('')}:{column_letter(self.last_column)}{self.last_row}"

    def fixed(self) -> str:
        """Return it with dollar signs, as names of ranges want it."""
        return f"{self._corner('$')}:${column_letter(self.last_column)}${self.last_row}"

    def _corner(self, mark: str) -> str:
        return f"{mark}{column_letter(self.first_column)}{mark}{self.first_row}"

    def with_place(self, column: int, row: int) -> Range:
        """Return the smallest range that holds this one and that cell."""
        return Range(
            min(self.first_column, column),
            min(self.first_row, row),
            max(self.last_column, column),
            max(self.last_row, row),
        )


def cell_place(text: str) -> tuple[int, int] | None:
    """Return the column and row of a cell; `None` for what is none."""
    found = _CELL.fullmatch(text)
    return None if found is None else (column_index(found[1]), int(found[2]))
