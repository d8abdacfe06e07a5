"""Cells as text for people and as JSON for the journal; what was written reads back as it was."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import msgspec

from bulkzcrm.model import CellError, CellValue, FormulaWithoutValue

__all__ = ["cell_text", "column_letter", "counted", "decode_cells", "encode_cells", "is_blank"]

_EXACT_LIMIT = 2**53
"""Above this a binary float no longer holds every whole number (IEEE 754 double)."""


def column_letter(index: int) -> str:
    """Return the letters a spreadsheet program shows for a column, `index` counted from 0."""
    letters = ""
    rest = index + 1
    while rest:
        rest, last = divmod(rest - 1, 26)
        letters = chr(ord("A") + last) + letters
    return letters


def counted(number: int, noun: str) -> str:
    """Return a number and its noun as people say it: 1 row, 1,200 rows, 2 batches."""
    if number == 1:
        return f"1 {noun}"
    return f"{number:,} {noun}{'es' if noun.endswith('ch') else 's'}"


def is_blank(value: CellValue) -> bool:
    """Tell whether a cell holds nothing, or white space only."""
    return value is None or (isinstance(value, str) and not value.strip())


def cell_text(value: CellValue) -> str:
    """Return what the report shows for a cell: ISO dates, 24-hour times, shortest exact decimals, TRUE or FALSE.

    A float beyond 2**53 keeps its exponent, so that it never looks like an exact id.
    """
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "TRUE" if value else "FALSE"
        case int():
            return str(value)
        case float():
            return _float_text(value)
        case Decimal():
            return format(value, "f")
        case datetime():
            return _datetime_text(value)
        case date():
            return value.isoformat()
        case time():
            return _time_text(value)
        case timedelta():
            return _duration_text(value)
        case CellError():
            return value.text
        case FormulaWithoutValue():
            return value.formula


def _float_text(value: float) -> str:
    if not math.isfinite(value):
        return repr(value)
    if abs(value) >= _EXACT_LIMIT:
        return repr(value).upper() if "e" in repr(value) else f"{value:.15E}"
    if value.is_integer():
        return str(int(value))
    return format(Decimal(repr(value)), "f")


def _datetime_text(value: datetime) -> str:
    seconds = "seconds" if value.second or value.microsecond else "minutes"
    return value.replace(microsecond=0).isoformat(sep=" ", timespec=seconds)


def _time_text(value: time) -> str:
    return value.replace(microsecond=0).isoformat(timespec="seconds" if value.second else "minutes")


def _duration_text(value: timedelta) -> str:
    total = round(value.total_seconds())
    sign = "-" if total < 0 else ""
    hours, rest = divmod(abs(total), 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{sign}{hours}:{minutes:02}" + (f":{seconds:02}" if seconds else "")


def encode_cells(cells: Sequence[CellValue]) -> bytes:
    """Encode cells for the journal; `decode_cells` gives the same values back."""
    return msgspec.json.encode([value if type(value) is str or value is None else _tagged(value) for value in cells])


def decode_cells(text: bytes | str) -> tuple[CellValue, ...]:
    """Decode what `encode_cells` made."""
    return tuple(
        value if value is None or isinstance(value, str) else _untagged(*value)
        for value in msgspec.json.decode(text, type=list[str | tuple[str, str] | None])
    )


def _tagged(value: CellValue) -> tuple[str, str]:
    match value:
        case bool():
            return "bool", "1" if value else ""
        case int():
            return "int", str(value)
        case float():
            return "float", repr(value)
        case Decimal():
            return "decimal", str(value)
        case datetime():
            return "datetime", value.isoformat()
        case date():
            return "date", value.isoformat()
        case time():
            return "time", value.isoformat()
        case timedelta():
            return "timedelta", str(value // timedelta(microseconds=1))
        case CellError():
            return "error", value.text
        case FormulaWithoutValue():
            return "formula", value.formula
        case _:
            return "str", str(value or "")


def _untagged(tag: str, text: str) -> CellValue:
    match tag:
        case "bool":
            return bool(text)
        case "int":
            return int(text)
        case "float":
            return float(text)
        case "decimal":
            return Decimal(text)
        case "datetime":
            return datetime.fromisoformat(text)
        case "date":
            return date.fromisoformat(text)
        case "time":
            return time.fromisoformat(text)
        case "timedelta":
            return timedelta(microseconds=int(text))
        case "error":
            return CellError(text)
        case "formula":
            return FormulaWithoutValue(text)
        case _:
            return text
