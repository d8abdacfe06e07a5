"""A workbook's sheets: one is chosen and becomes the table, and notes say what a person looking at it might miss."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Protocol, TypeVar

from bulkzcrm.errors import SourceError
from bulkzcrm.ingest.grid import Line, grid_rows, read_head
from bulkzcrm.ingest.options import ReadOptions
from bulkzcrm.model import SUMMARY_SHEET, Table

__all__ = ["chosen", "sheet_table", "where_is"]


class _Sheet(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def visible(self) -> bool: ...


_AnySheet = TypeVar("_AnySheet", bound=_Sheet)


def chosen(sheets: Sequence[_AnySheet], wanted: str | None, name: str) -> _AnySheet:
    """Return the sheet `wanted`, else the first that is shown and is no report's summary.

    Raises `SourceError` naming the sheets.
    """
    if not sheets:
        raise SourceError(f"{name} has no worksheet.", "Give a workbook with a table in it.")
    if wanted is None:
        return next((sheet for sheet in sheets if sheet.visible and sheet.name != SUMMARY_SHEET), sheets[0])
    for sheet in sheets:
        if sheet.name == wanted:
            return sheet
    alike = [sheet for sheet in sheets if sheet.name.strip().casefold() == wanted.strip().casefold()]
    if len(alike) == 1:
        return alike[0]
    names = _listed([sheet.name for sheet in sheets])
    raise SourceError(f"{name} has no sheet {wanted!r}.", f"Its sheets are: {names}.")


def where_is(sheet: _Sheet, name: str) -> str:
    """Return how messages speak of a sheet."""
    return f"the sheet {sheet.name!r} of {name}"


def sheet_table(
    name: str,
    options: ReadOptions,
    sheet: _AnySheet,
    sheets: Sequence[_AnySheet],
    lines: Iterator[Line],
    *,
    oddities: Collection[str],
) -> Table:
    """Return the table that the lines of a sheet are.

    `oddities` holds `row` and `col` where some are hidden, and `merged` where cells are. Raises `SourceError`.
    """
    where = where_is(sheet, name)
    head = read_head(lines, options.header_row, where)
    table = Table(name, head.columns, grid_rows(head, lines), head.number, sheet=sheet.name, preview=head.preview)
    others = [other.name for other in sheets if other.visible and other != sheet and other.name != SUMMARY_SHEET]
    if options.sheet is None and others:
        table.reading["sheet"] = sheet.name
        table.notes.append(
            f"{name} has several sheets; {sheet.name!r} was read. Give --sheet for another: {_listed(others)}."
        )
    table.notes.extend(_oddity_notes(oddities, where))
    return table


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names)


def _oddity_notes(found: Collection[str], where: str) -> Iterator[str]:
    if hidden := [word for kind, word in (("row", "rows"), ("col", "columns")) if kind in found]:
        yield f"Some {' and '.join(hidden)} in {where} are hidden; they are read like the others."
    if "merged" in found:
        yield f"Some cells in {where} are merged; the value belongs to the top left cell alone, the others are blank."
