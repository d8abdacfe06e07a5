"""Rows inside the HTML report: JSON that no browser takes for anything else, as much of it as a browser bears.

A row is `[its ten values..., the place of its cause or null, the places of the cells to mend, [its cells...]]`. Where
not all rows fit, those that did not succeed are in it before any other.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Final, final

import msgspec
from markupsafe import Markup

from bulkzcrm.cells import cell_text
from bulkzcrm.model import Column
from bulkzcrm.report.causes import Causes
from bulkzcrm.report.masking import masked, masked_fix, masked_message
from bulkzcrm.report.rows import ReportRow, RowSource, cells_in, each_row

__all__ = ["MOST_ROWS", "EmbeddedRows", "script_json"]

MOST_ROWS: Final = 50_000
"""A report of more rows holds those that did not succeed, and of them no more than that."""
_ENOUGH_BYTES: Final = 24_000_000
"""Beyond them only rows that did not succeed are taken."""
_MOST_BYTES: Final = 48_000_000
_AT_ONCE: Final = 200
_MOST_AT_ONCE: Final = 500_000

_HARMLESS = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
"""What might end the script that the JSON stands in, or be taken for the end of a line in it."""
_ESCAPES: Final = str.maketrans(_HARMLESS)

_encode = msgspec.json.Encoder().encode


def script_json(value: object) -> Markup:
    """Return a value as JSON that can stand inside a script of a page; any text reads back as it was."""
    try:
        text = _encode(value).decode()
    except UnicodeEncodeError:
        # Half a surrogate pair, which JSON can only hold as an escape.
        text = json.dumps(value, separators=(",", ":"))
    return Markup(text.translate(_ESCAPES))  # noqa: S704 - nothing is left that means anything in HTML


@final
class EmbeddedRows:
    """The rows that a page holds, as slabs of JSON, and afterwards how many it does not hold."""

    def __init__(
        self,
        columns: Sequence[Column],
        rows: RowSource,
        causes: Causes,
        *,
        count: int,
        mask: bool,
        most_rows: int = MOST_ROWS,
        enough_bytes: int = _ENOUGH_BYTES,
        most_bytes: int = _MOST_BYTES,
    ) -> None:
        self.good_left_out = 0
        """Rows that succeeded (or were unchanged, or valid) and are not in the page."""
        self.bad_left_out = 0
        """Rows that did not, and are not in it either."""
        self._rows = rows
        self._causes = causes
        self._mask = mask
        self._most_rows = most_rows
        self._enough = enough_bytes if count <= most_rows else 0
        self._most_bytes = most_bytes
        self._cells_of = cells_in(columns)
        self._places = {column.letter: place for place, column in enumerate(columns)}

    def slabs(self) -> Iterator[Markup]:
        """Begin the rows, in source order."""
        slab: list[list[object]] = []
        written = size = taken = 0
        for row in each_row(self._rows()):
            place = self._causes.place(row)
            is_bad = place is not None
            if taken >= self._most_rows or written + size >= (self._most_bytes if is_bad else self._enough):
                self.bad_left_out += is_bad
                self.good_left_out += not is_bad
                continue
            told = self._told(row, place)
            slab.append(told)
            taken += 1
            size += _length(told)
            if len(slab) >= _AT_ONCE or size >= _MOST_AT_ONCE:
                yield script_json(slab)
                written += size
                slab, size = [], 0
        if slab:
            yield script_json(slab)

    def _told(self, row: ReportRow, place: int | None) -> list[object]:
        texts = [value if type(value) is str else cell_text(value) for value in self._cells_of(row.cells)]
        result: list[object] = list(row.result)
        if self._mask:
            _hide(result, texts)
            texts = [masked(text) for text in texts]
        letters = (problem.cell.rstrip("0123456789") for problem in row.problems)
        marked = sorted({self._places[letter] for letter in letters if letter in self._places})
        return [*result, place, marked, texts]


def _hide(result: list[object], texts: Sequence[str]) -> None:
    """Hide values in what is said of a row: in its message, its fix, and its record id."""
    for place, hide in _HIDDEN:
        result[place] = hide(str(result[place]), texts)


_HIDDEN: Final[tuple[tuple[int, Callable[[str, Sequence[str]], str]], ...]] = (
    (5, masked_message),
    (6, masked_fix),
    (7, lambda text, _: masked(text)),
)
"""By their places in the result."""


def _length(told: Sequence[object]) -> int:
    """Return about how many bytes a row takes."""
    *result, _, _, texts = told
    cells = sum(map(len, texts)) if isinstance(texts, list) else 0
    return cells + sum(len(value) for value in result if isinstance(value, str)) + 60
