"""A report that comes back as a source: of its rows, those are taken that are not done yet; the others are no rows.

What a row's status says was settled by an earlier run, and that run alone may carry on with it: a row that was sent,
and whose answer was lost, would else be there twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from bulkzcrm.cells import cell_text, counted, is_blank
from bulkzcrm.convert import RESULT_HEADERS
from bulkzcrm.errors import SourceError
from bulkzcrm.model import Column, Row, Status, Table

__all__ = ["GivenBack", "not_yet_done"]

_DONE: Final = frozenset({Status.SUCCEEDED, Status.UNCHANGED})
_OF_RESUME: Final = frozenset({Status.UNKNOWN, Status.UNSENT})
_REPEATED: Final = "DUPLICATE_ROW"
_NEEDED: Final = ("result_row", "result_status")
_FEWEST: Final = 3
"""So many of the columns of a report are no accident."""
_HIGHEST: Final = 1 << 27
"""Rows beyond are not remembered."""
_STATUSES: Final[Mapping[str, Status]] = {status.value: status for status in Status}


@dataclass(slots=True)
class GivenBack:
    """How many rows of a report that came back were left out, and why: known once its last row is read."""

    done: int = 0
    of_resume: int = 0
    repeated: int = 0
    copied: int = 0
    """Rows left out that have the number of one that was left out before."""
    first_copied: int = 0
    _seen: bytearray = field(default_factory=bytearray)
    """The numbers of rows that were left out, a bit for each."""

    @property
    def left_out(self) -> int:
        """How many rows are no rows of the new run."""
        return self.done + self.of_resume + self.repeated

    def notes(self) -> Iterator[str]:
        """Yield sentences for the user."""
        if not self.left_out:
            return
        reasons = []
        if self.done:
            reasons.append(f"{self.done:,} done already (succeeded or unchanged)")
        if self.of_resume:
            reasons.append(f"{self.of_resume:,} that only `bulkzcrm resume` may carry on with (unknown or unsent)")
        if self.repeated:
            reasons.append(f"{self.repeated:,} repeating an earlier row")
        are = "is" if self.left_out == 1 else "are"
        # What `resume` carries on with, it would send as well.
        cure = (
            "To have such a row taken all the same, clear its result_status" if self.left_out > self.of_resume else ""
        )
        but = "; not that of unknown and unsent rows, which would then be made twice" if cure and self.of_resume else ""
        yield (
            f"The source has results of an earlier run. {counted(self.left_out, 'row')} {are} left out: "
            f"{', '.join(reasons)}.{f' {cure}{but}.' if cure else ''}"
        )

    def warnings(self) -> Iterator[str]:
        """Yield sentences about rows that somebody may expect to be taken."""
        if self.copied:
            rows = "1 row that is left out has" if self.copied == 1 else f"{self.copied:,} rows that are left out have"
            yield (
                f"{rows} the result_row of another one, first row {self.first_copied:,}. A row that was copied to be a "
                "new one is taken once its result_status is cleared."
            )

    def note_number(self, text: str, row: int) -> None:
        """Note the number that the result of a row has which is left out: a row that was copied has another one's."""
        if not (text.isascii() and text.isdecimal() and len(text) <= len(str(_HIGHEST)) and int(text) < _HIGHEST):
            return
        place, bit = divmod(int(text), 8)
        self._seen.extend(bytes(max(0, place + 1 - len(self._seen))))
        if self._seen[place] >> bit & 1:
            self.copied += 1
            self.first_copied = self.first_copied or row
        self._seen[place] |= 1 << bit


def not_yet_done(table: Table, *, allow_duplicates: bool) -> tuple[Table, GivenBack]:
    """Return a table with those rows alone that are not done, if it is a report; else as it is.

    A report is what has the columns `result_row` and `result_status`. Rows that repeat another one are taken with
    `allow_duplicates`; a row that holds nothing but results is none. Raises `SourceError` for two columns
    `result_status`, for a report without one of the two columns, and from the rows for a status that is none.
    """
    given_back = GivenBack()
    columns = {name: [each for each in table.columns if each.name == name] for name in RESULT_HEADERS}
    status_columns = columns["result_status"]
    if not columns["result_row"] or not status_columns:
        _refuse_parts([name for name, found in columns.items() if found], table)
        return table, given_back
    if len(status_columns) > 1:
        letters = " and ".join(column.letter for column in status_columns)
        raise SourceError(
            f"{table.name} has several columns called result_status, {letters}.",
            "Which rows are done cannot be told; keep the column of the last run, and delete the others.",
        )
    own = [column.index for column in table.columns if column.name not in RESULT_HEADERS]
    code = columns["result_code"][0].index if columns["result_code"] else None
    number = columns["result_row"][0].index

    def rows() -> Iterator[Row]:
        for row in table.rows:
            if not row.surplus and all(is_blank(row.cells[place]) for place in own):
                continue
            status = _status(row, status_columns[0], table.name)
            if status in _DONE or status in _OF_RESUME:
                given_back.done += status in _DONE
                given_back.of_resume += status in _OF_RESUME
                given_back.note_number(cell_text(row.cells[number]).strip(), row.number)
            elif status is Status.INVALID and not allow_duplicates and _is_repeated(row, code):
                given_back.repeated += 1
            else:
                yield row

    return replace(table, rows=rows(), slabs=None), given_back


def _refuse_parts(names: Sequence[str], table: Table) -> None:
    """Raise `SourceError` for a report of which a column is gone that tells which rows are done."""
    if len(names) < _FEWEST:
        return
    lacking = next(name for name in _NEEDED if name not in names)
    shown = next(column.name for column in table.columns if column.name in names)
    raise SourceError(
        f"{table.name} has columns of a report, such as {shown}, but no column {lacking}: which of its rows are done "
        "cannot be told.",
        "Give the report back with all its columns. To have every row taken, also those that are done, delete all its "
        "result columns.",
    )


def _status(row: Row, column: Column, name: str) -> Status | None:
    text = cell_text(row.cells[column.index]).strip()
    if not text:
        return None
    status = _STATUSES.get(text.casefold())
    if status is None:
        raise SourceError(
            f"Cell {column.letter}{row.number} of {name} holds “{text[:40]}”, which is no result_status: whether its "
            "row is done cannot be told.",
            f"Write one of {', '.join(_STATUSES)} there, or clear the cell to have the row taken.",
        )
    return status


def _is_repeated(row: Row, code: int | None) -> bool:
    return code is not None and cell_text(row.cells[code]).strip() == _REPEATED
