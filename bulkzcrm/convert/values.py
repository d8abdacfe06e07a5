"""What a reader makes of one cell: a value for the record, a refusal, or a finding that waits for the whole column."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Final, TypeAlias, final

from bulkzcrm.cells import cell_text, to_be_quoted
from bulkzcrm.model import CellValue, Json, Problem
from bulkzcrm.spec.fields import Field

__all__ = [
    "CLEAR",
    "OPEN",
    "Clear",
    "Complaint",
    "Evidence",
    "Finding",
    "Open",
    "Read",
    "ReadCell",
    "ReadText",
    "Refusal",
    "plain_text",
    "quoted",
]

_SHOWN = 60
"""Characters of a value that a message shows."""

_LONGEST_NUMBER = 400
"""Digits beyond which a number is not written out: no field takes one, and writing some out would fill the memory."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """Why a value is refused, in words: `{label}` and `{value}` in `message` stand for the field and its content."""

    code: str
    message: str
    remedy: str


@final
@dataclass(frozen=True, slots=True)
class Refusal:
    """A value that cannot be converted; `value` is the guilty part as text, at its full length."""

    complaint: Complaint
    value: str

    def message(self, label: str) -> str:
        """Return the complaint as a sentence about the field that is labelled `label`."""
        return self.complaint.message.format(label=label, value=quoted(self.value))

    def problem(self, field: Field, cell: str = "") -> Problem:
        """Return the refusal as a problem of a field; `cell` is the cell of the source (`F37`), blank without one."""
        return Problem(
            code=self.complaint.code,
            field=field.name,
            message=self.message(field.label),
            remedy=self.complaint.remedy,
            cell=cell,
        )


class Evidence(StrEnum):
    """What one value can prove about its whole column."""

    DAY_FIRST = "dmy"
    MONTH_FIRST = "mdy"
    POINT = "."
    COMMA = ","


@final
class Open(Enum):
    """Stands for a value that only the rest of its column can settle."""

    OPEN = "open"


@final
class Clear(Enum):
    """Stands for `#CLEAR`: the field is to be emptied."""

    CLEAR = "clear"


OPEN: Final = Open.OPEN
CLEAR: Final = Clear.CLEAR


@final
@dataclass(frozen=True, slots=True)
class Finding:
    """A value that proves something about its column, or that its column must settle first."""

    value: Json | Refusal | Open
    evidence: tuple[Evidence, ...] = ()


Read: TypeAlias = Json | Refusal | Finding
"""What a reader answers; a bare value is the usual case."""

ReadText: TypeAlias = Callable[[str], Read]
"""Reads a text that is not blank and has no outer blanks."""

ReadCell: TypeAlias = Callable[[CellValue], Read]
"""Reads a typed cell (no `str`, not blank)."""


def plain_text(value: CellValue) -> str | None:
    """Return a cell as the report shows it, or None for a number too long to be written out."""
    match value:
        case int() if value.bit_length() > 3 * _LONGEST_NUMBER:
            return None
        case Decimal() if value.is_finite() and _places(value) > _LONGEST_NUMBER:
            return None
    return cell_text(value)


def quoted(text: str) -> str:
    """Return a text in quotation marks for a message: shortened, and with invisible characters made visible."""
    shown = text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
    if not shown.isprintable():
        shown = "".join(_visible(character) for character in shown)
    return f'"{to_be_quoted(shown)}"'


def _visible(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")


def _places(value: Decimal) -> int:
    _, digits, exponent = value.as_tuple()
    return len(digits) + abs(int(exponent))
