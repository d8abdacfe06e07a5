"""What an OpenDocument spreadsheet holds around its cells: which tables there are, and which styles show dates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from typing_extensions import override

from bulkzcrm.ingest.number_formats import Shape
from bulkzcrm.ingest.ods_walk import DATA_STYLE, OFFICE, STYLE, TABLE, Listener

__all__ = ["TABLE_DEPTH", "OdsTable", "Outline"]

TABLE_DEPTH = 4
"""Where the tables of a document are: `document-content`, `body`, `spreadsheet`, `table`."""

_HIDDEN = frozenset({"collapse", "filter"})
_MOST_PARENTS = 50


@dataclass(slots=True, kw_only=True)
class OdsTable:
    """A table by its place among the document's; `oddities` as `sheet_table` wants them."""

    name: str
    place: int
    visible: bool = True
    oddities: set[str] = field(default_factory=set)


class Outline(Listener):
    """Listens to a document's parts and keeps what its cells refer to."""

    def __init__(self) -> None:
        self.is_done = self.hears_text = False
        self.is_spreadsheet = False
        self.tables: list[OdsTable] = []
        self.counts_from_1904 = False
        self._style = ""
        self._data_style = ""
        self._parents: dict[str, str] = {}
        self._data_styles: dict[str, str] = {}
        self._shapes: dict[str, Shape] = {}
        self._unseen: set[str] = set()
        self._table_styles: dict[str, str] = {}

    def shape(self, style: str | None) -> Shape:
        """Return what the style of that name makes of a number; `NUMBER` where there is no such style."""
        for _ in range(_MOST_PARENTS):
            if style is None:
                break
            if style in self._data_styles:
                return self._shapes.get(self._data_styles[style], Shape.NUMBER)
            style = self._parents.get(style)
        return Shape.NUMBER

    @override
    def begin(self, name: str, attributes: Mapping[str, str], depth: int) -> None:
        reader = self._READERS.get(name)
        if reader is not None:
            reader(self, attributes, depth)

    @override
    def end(self, name: str, depth: int) -> None:
        pass

    @override
    def text(self, text: str) -> None:
        pass

    def _spreadsheet(self, _attributes: Mapping[str, str], depth: int) -> None:
        self.is_spreadsheet |= depth == TABLE_DEPTH - 1

    def _table(self, attributes: Mapping[str, str], depth: int) -> None:
        if depth == TABLE_DEPTH and self.is_spreadsheet:
            self.tables.append(
                OdsTable(
                    name=attributes.get(f"{TABLE}name", ""),
                    place=len(self.tables),
                    visible=attributes.get(f"{TABLE}style-name") not in self._unseen,
                )
            )

    def _row(self, attributes: Mapping[str, str], _depth: int) -> None:
        if attributes.get(f"{TABLE}visibility") in _HIDDEN and self.tables:
            self.tables[-1].oddities.add("row")

    def _column(self, attributes: Mapping[str, str], _depth: int) -> None:
        if attributes.get(f"{TABLE}visibility") in _HIDDEN and self.tables:
            self.tables[-1].oddities.add("col")

    def _cell(self, attributes: Mapping[str, str], _depth: int) -> None:
        if f"{TABLE}number-columns-spanned" in attributes or f"{TABLE}number-rows-spanned" in attributes:
            spans = {attributes.get(f"{TABLE}number-{side}-spanned", "1") for side in ("columns", "rows")}
            if spans != {"1"} and self.tables:
                self.tables[-1].oddities.add("merged")

    def _null_date(self, attributes: Mapping[str, str], _depth: int) -> None:
        self.counts_from_1904 = attributes.get(f"{TABLE}date-value", "").startswith("1904")

    def _any_style(self, attributes: Mapping[str, str], _depth: int) -> None:
        self._style = style = attributes.get(f"{STYLE}name", "")
        if attributes.get(f"{STYLE}family") != "table-cell":
            return
        if parent := attributes.get(f"{STYLE}parent-style-name"):
            self._parents[style] = parent
        if data_style := attributes.get(f"{STYLE}data-style-name"):
            self._data_styles[style] = data_style

    def _table_properties(self, attributes: Mapping[str, str], _depth: int) -> None:
        if attributes.get(f"{TABLE}display") == "false":
            self._unseen.add(self._style)

    def _date_style(self, attributes: Mapping[str, str], _depth: int) -> None:
        self._data_style = attributes.get(f"{STYLE}name", "")
        self._shapes[self._data_style] = Shape.DATE

    def _time_style(self, attributes: Mapping[str, str], _depth: int) -> None:
        self._data_style = attributes.get(f"{STYLE}name", "")
        is_elapsed = attributes.get(f"{DATA_STYLE}truncate-on-overflow") == "false"
        self._shapes[self._data_style] = Shape.DURATION if is_elapsed else Shape.MOMENT

    def _clock(self, _attributes: Mapping[str, str], _depth: int) -> None:
        if self._shapes.get(self._data_style) is Shape.DATE:
            self._shapes[self._data_style] = Shape.MOMENT

    _READERS: ClassVar = {
        f"{OFFICE}spreadsheet": _spreadsheet,
        f"{TABLE}table": _table,
        f"{TABLE}table-row": _row,
        f"{TABLE}table-column": _column,
        f"{TABLE}table-cell": _cell,
        f"{TABLE}null-date": _null_date,
        f"{STYLE}style": _any_style,
        f"{STYLE}table-properties": _table_properties,
        f"{DATA_STYLE}date-style": _date_style,
        f"{DATA_STYLE}time-style": _time_style,
        f"{DATA_STYLE}hours": _clock,
        f"{DATA_STYLE}minutes": _clock,
        f"{DATA_STYLE}seconds": _clock,
    }
