"""Cells as text for people and as JSON for the journal; what was written reads back as it was."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeAlias, cast

import msgspec

from bulkzcrm.model import CellError, CellValue, FormulaWithoutValue

__all__ = [
    "StoredCell",
    "cell_text",
    "cited",
    "column_index",
    "column_letter",
    "counted",
    "decode_cells",
    "encode_cells",
    "is_blank",
    "joined",
    "restored",
    "stored",
    "to_be_quoted",
]

StoredCell: TypeAlias = str | tuple[str, str] | None
"""A cell as JSON can hold it: a text is itself, a blank cell nothing, and every other value its kind and a text."""

_EXACT_LIMIT = 2**53
"""Above this a binary float no longer holds every whole number (IEEE 754 double)."""

_PLAIN = frozenset({str, type(None)})
_NO_QUOTES = str.maketrans(dict.fromkeys('"“”„‟', "'"))
_decode = msgspec.json.Decoder(tuple[StoredCell, ...]).decode


@lru_cache(4096)
def column_index(letters: str) -> int:
    """Return the place, counted from 0, of the column for which a spreadsheet program shows these letters."""
    index = 0
    for letter in letters:
        index = index * 26 + ord(letter) - ord("A") + 1
    return index - 1


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


def to_be_quoted(text: str) -> str:
    """Return a text as it stands between quotation marks: its own are made apostrophes, so that its end can be told."""
    return text.translate(_NO_QUOTES)


def cited(text: str) -> str:
    """Return a text in quotation marks."""
    return f"“{to_be_quoted(text)}”"


def is_blank(value: CellValue) -> bool:
    """Tell whether a cell holds nothing, or white space only."""
    return value is None or (isinstance(value, str) and not value.strip())


def joined(cells: Iterable[object], between: str = "") -> str | None:
    """Return cells put together, if all of them are texts; the quickest way to tell whether they are."""
    try:
        return between.join(cells)  # type: ignore[arg-type]  # which is to be found out
    except TypeError:
        return None


def cell_text(value: CellValue) -> str:
    """Return what the report shows for a cell: ISO dates, 24-hour times, shortest exact decimals, TRUE or FALSE.

    A float beyond 2**53 keeps its exponent, so that it never looks like an exact id.
    """
    shown = _TEXTS.get(type(value))
    if shown is None:
        # A subclass, as pandas has of `datetime`; no class here but `datetime` and `bool` is one of another.
        shown = next(text for kind, text in _TEXTS.items() if isinstance(value, kind))
    return shown(value)


def _float_text(value: float) -> str:
    if not math.isfinite(value):
        return repr(value)
    if abs(value) >= _EXACT_LIMIT:
        return repr(value).upper() if "e" in repr(value) else f"{value:.15E}"
    if value.is_integer():
        return str(int(value))
    text = repr(value)
    return format(Decimal(text), "f") if "e" in text else text


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


_TEXTS: dict[type, Callable[[Any], str]] = {
    str: str,
    type(None): lambda _: "",
    bool: lambda value: "TRUE" if value else "FALSE",
    int: str,
    float: _float_text,
    Decimal: lambda value: format(value, "f"),
    datetime: _datetime_text,
    date: date.isoformat,
    time: _time_text,
    timedelta: _duration_text,
    CellError: lambda value: value.text,
    FormulaWithoutValue: lambda value: value.formula,
}
"""How each kind of value is shown; a subclass before its base."""


def encode_cells(cells: Sequence[CellValue]) -> bytes:
    """Encode cells for the journal; `decode_cells` gives the same values back."""
    return msgspec.json.encode(cells if _PLAIN.issuperset(map(type, cells)) else stored(cells))


def decode_cells(text: bytes | str) -> tuple[CellValue, ...]:
    """Decode what `encode_cells` made."""
    cells = _decode(text)
    # All that is no text is in brackets of its own.
    if (text.find("[", 1) if isinstance(text, str) else text.find(b"[", 1)) < 0:
        return cast("tuple[str | None, ...]", cells)
    return tuple(map(restored, cells))


def stored(cells: Iterable[CellValue]) -> list[StoredCell]:
    """Return cells as JSON can hold them. What is kept alike is the same value, to the last digit and zero."""
    return [value if type(value) is str or value is None else _tagged(value) for value in cells]


def restored(cell: StoredCell) -> CellValue:
    """Return the value that a cell was kept of."""
    return cell if cell is None or isinstance(cell, str) else _VALUES[cell[0]](cell[1])


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


_VALUES: dict[str, Callable[[str], CellValue]] = {
    "bool": bool,
    "int": int,
    "float": float,
    "decimal": Decimal,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "timedelta": lambda text: timedelta(microseconds=int(text)),
    "error": CellError,
    "formula": FormulaWithoutValue,
    "str": str,
}
