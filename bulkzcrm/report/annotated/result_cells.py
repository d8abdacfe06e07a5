"""The ten values of a row as cells of a sheet that has cells of its own: each names its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

from bulkzcrm.cells import column_letter
from bulkzcrm.defuse import defuse
from bulkzcrm.report.annotated.styles import Styles
from bulkzcrm.report.rows import RESULT_COLUMNS, Result
from bulkzcrm.report.xlsx_texts import held, text_content

__all__ = ["ResultCells"]

_MOST_KNOWN = 500


@final
class ResultCells:
    """Writes result cells into the columns `places`, by their names; blank ones are left out.

    `cuts` is how many texts were too long for a cell, `first_cut` where the first of them stands.
    """

    def __init__(self, prefix: bytes, places: Mapping[str, int], styles: Styles) -> None:
        self._prefix = prefix.decode()
        self._styles = styles
        self._ordered = sorted((places[name], order) for order, name in enumerate(RESULT_COLUMNS))
        self._letters = [column_letter(place) for place, _ in self._ordered]
        self._known: dict[tuple[str, int], str] = {}
        self.cuts = 0
        self.first_cut = ""

    def header(self, row: int, style: int) -> list[tuple[int, bytes]]:
        """Return the cells of the header, with their columns."""
        return [
            (place, self._text(RESULT_COLUMNS[order], f"{letter}{row}", style).encode())
            for (place, order), letter in zip(self._ordered, self._letters, strict=True)
        ]

    def of(self, result: Result, row: int, status_style: int) -> list[tuple[int, bytes]]:
        """Return a row's cells with their columns, in the order of the columns."""
        cells: list[tuple[int, bytes]] = []
        for (place, order), letter in zip(self._ordered, self._letters, strict=True):
            value = result[order]
            if value is None or value == "":
                continue
            at = f"{letter}{row}"
            if isinstance(value, int):
                cells.append(
                    (
                        place,
                        f'<{self._prefix}c r="{at}"><{self._prefix}v>{value}</{self._prefix}v>'
                        f"</{self._prefix}c>".encode(),
                    )
                )
            else:
                cells.append((place, self._text(value, at, status_style if order == 1 else 0).encode()))
        return cells

    def _text(self, text: str, at: str, style: int) -> str:
        content = self._known.get((text, style))
        if content is None:
            content = self._content(text, at, style)
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[text, style] = content
        return f'<{self._prefix}c r="{at}"{content}'

    def _content(self, text: str, at: str, style: int) -> str:
        escaped, is_cut = held(text)
        if is_cut:
            self.cuts += 1
            self.first_cut = self.first_cut or at
        if not escaped[0].isalnum() and defuse(escaped) != escaped:
            style = self._styles.quoted(style)
        prefix = self._prefix
        styled = f' s="{style}"' if style else ""
        return f'{styled} t="inlineStr"><{prefix}is>{text_content(escaped, prefix)}</{prefix}is></{prefix}c>'
