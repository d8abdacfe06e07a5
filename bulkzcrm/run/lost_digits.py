"""Ids that a spreadsheet program has rounded: which record of the organisation they can only have meant.

An id is proposed where the digits that are left fit exactly one record and the row's name is that record's, and taken
only where the user has asked for it. Nothing is ever completed from digits alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from functools import cached_property

from bulkzcrm.cells import cell_text, column_index
from bulkzcrm.events import Listener, Noted
from bulkzcrm.journal import JournalReader, Progress, RowSettlement, StoredRow
from bulkzcrm.model import CellValue
from bulkzcrm.run.repeating import PAGE, Write
from bulkzcrm.spec.operation import Operation
from bulkzcrm.spec.organisation import Current, Organisation, Reading
from bulkzcrm.spec.values import folded

__all__ = ["Left", "LostDigits", "what_is_left"]

_LEFT = 15
"""Digits that a spreadsheet program keeps of a number."""
_CODE = "ID_PRECISION_LOST"
_MOST_TOLD = 5


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of an id: its length, its first digits, and how the rest went."""

    digits: str
    length: int
    number: float | None = None
    """What the cell holds, where it is a binary number: the id became it by rounding, if by nothing else."""

    def fits(self, record_id: str) -> bool:
        """Tell whether an id may have become this number."""
        if not record_id.isascii() or not record_id.isdecimal():
            return False
        if self.number is not None and float(int(record_id)) == self.number:
            return True
        if len(record_id) != self.length:
            return False
        if len(self.digits.rstrip("0")) > _LEFT:
            return False
        unit = 10 ** (self.length - _LEFT)
        shown, whole = int(self.digits[:_LEFT]) * unit, int(record_id)
        # Typed into a cell, the sixteenth digit and all behind it become zeros; other programs round, halves either
        # way, and perhaps what is a binary number already.
        return any(-unit <= 2 * (each - shown) < 2 * unit for each in (whole, int(float(whole))))


def what_is_left(value: CellValue) -> Left | None:
    """Return what is left of the id in a cell; nothing where fewer digits are left than a spreadsheet program keeps."""
    text = cell_text(value).strip().strip("'\"=").replace(",", ".")
    try:
        number = Decimal(text)
        whole = number == number.to_integral_value()
    except InvalidOperation:
        return None
    if not whole or number <= 0 or number >= Decimal(10) ** 20:
        return None
    shown = number.as_tuple().digits
    if not isinstance(value, float) and len(shown) < _LEFT:
        return None
    digits = "".join(map(str, shown))
    length = len(str(int(number)))
    if length <= _LEFT:
        return None
    return Left(digits.ljust(_LEFT, "0"), length, value if isinstance(value, float) else None)


@dataclass(kw_only=True)
class LostDigits:
    """Looks after the rows of one run whose id has lost digits; `repair` says that what is proposed shall be taken.

    `letters` maps fields to the letters of their columns.
    """

    operation: Operation
    organisation: Organisation
    letters: Mapping[str, str]
    repair: bool
    announce: Listener
    repaired: int = 0
    proposed: int = 0
    _first: list[str] = field(default_factory=list)
    """The first rows whose id was taken, and their ids."""

    def settle(self, journal: JournalReader, run: str, write: Write) -> None:
        """Propose or take an id for each such row, and say how many there were."""
        if not self._records or "id" not in self.letters or not self._by_name:
            return
        after = 0
        while page := journal.rows(run, after, PAGE, (Progress.INVALID,)):
            after = page[-1].ordinal
            settlements = [settled for row in page if (settled := self._settled(row)) is not None]
            if settlements:
                write(settlements)
        self._tell()

    def _settled(self, row: StoredRow) -> RowSettlement | None:
        lost = next((each for each in row.problems if each.code == _CODE and each.field == "id"), None)
        index = column_index(self.letters["id"])
        if lost is None or row.attempts or row.record is None or index >= len(row.cells):
            return None
        left = what_is_left(row.cells[index])
        name = row.record.get(self._by_name)
        if left is None or not isinstance(name, str):
            return None
        fitting = list(self._fitting(left))
        meant = [each for each in fitting if folded(str(each.record.get(self._by_name) or "")) == folded(name)]
        if len(meant) != 1:
            return None
        is_certain = len(fitting) == 1
        if self.repair and is_certain:
            others = tuple(each for each in row.problems if each is not lost)
            self.repaired += 1
            if len(self._first) < _MOST_TOLD:
                self._first.append(f"row {row.number}: {meant[0].id}")
            return RowSettlement(
                ordinal=row.ordinal,
                status=Progress.INVALID if others else Progress.PENDING,
                record={**row.record, "id": meant[0].id},
                problems=others,
            )
        self.proposed += is_certain
        remedy = _proposal(meant[0].id, name, len(fitting))
        if lost.remedy == remedy:
            return None
        problems = tuple(replace(each, remedy=remedy) if each is lost else each for each in row.problems)
        return RowSettlement(ordinal=row.ordinal, status=Progress.INVALID, problems=problems)

    def _fitting(self, left: Left) -> Iterator[Current]:
        begun = left.digits[:_LEFT]
        # What was rounded up has lost a neighbour's digits.
        for start in (begun, str(int(begun) - 1).zfill(_LEFT)):
            for record_id in self._ids.get(start, ()):
                current = self._records.get(record_id)
                if current is not None and left.fits(record_id):
                    yield current

    def _tell(self) -> None:
        if self.repaired:
            shown, others = "; ".join(self._first), self.repaired - len(self._first)
            more = f"; and {others:,} more" if others else ""
            self.announce(
                Noted(
                    f"Ids that had lost digits were taken from the organisation, by the digits that were left and the "
                    f"name (--repair-ids): {shown}{more}.",
                    warning=True,
                )
            )
        if self.proposed:
            rows = "1 row has an id" if self.proposed == 1 else f"{self.proposed:,} rows have ids"
            self.announce(
                Noted(f"{rows} that lost digits and can mean but one record, of the same name; --repair-ids takes it.")
            )

    @cached_property
    def _by_name(self) -> str:
        return next((name for name in self.operation.find_by if name != "id"), "")

    @cached_property
    def _records(self) -> Mapping[str, Current]:
        rules = self.operation.current is Reading.SCORING_RULES
        found = self.organisation.scoring_rules if rules else self.organisation.services
        return found or {}

    @cached_property
    def _ids(self) -> Mapping[str, Sequence[str]]:
        """Ids by their first digits; made only where a row needs it."""
        index: dict[str, list[str]] = {}
        for record_id in self._records:
            index.setdefault(record_id[:_LEFT], []).append(record_id)
        return index


def _proposal(record_id: str, name: str, fitting: int) -> str:
    if fitting == 1:
        return (
            f"It can only be {record_id} (“{name}”), whose digits fit and whose name it is: write that id, as text, "
            "or give --repair-ids to take it."
        )
    return (
        f"{fitting:,} records have these digits, of which {record_id} has the name “{name}”: if that is meant, write "
        "its id, as text."
    )
