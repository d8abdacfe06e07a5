"""JSON Lines: one object a line, its keys the columns; numbers stay exact, what fits no cell is refused by line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, KeysView
from decimal import Decimal, InvalidOperation
from typing import BinaryIO, TypeAlias, TypeVar

import msgspec

from bulkzcrm.cells import cell_text, is_blank
from bulkzcrm.errors import SourceError
from bulkzcrm.ingest.grid import columns_named
from bulkzcrm.ingest.options import ReadOptions, refuse_options
from bulkzcrm.ingest.text import TextFile, open_text
from bulkzcrm.model import CellValue, Row, Table

__all__ = ["read_jsonl"]

_Read = TypeVar("_Read")
_Value: TypeAlias = "str | int | Decimal | bool | list[_Value] | dict[str, _Value] | None"

_LARGEST_EXPONENT = 400
"""Decimal digits before or after the point. Written out in full, 1E+999999999 would fill the memory."""

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class _Unfit(Exception):  # noqa: N818 - never leaves this file; the user sees a SourceError
    """Why a line cannot be a row: completes "Line 7 of a.jsonl ..."."""


def read_jsonl(file: BinaryIO, name: str, options: ReadOptions) -> Table:
    """Read a file with one JSON object a line; blank lines and `{}` are no rows.

    The whole file is read once for its keys, which become the columns in the order in which they first appear, and once
    more for the rows. A list of plain values becomes `a; b`, a list of `{"From": ..., "To": ...}` becomes
    `10:00-13:30; 15:00-18:00`. There is no header: `header_row` is 0. Raises `SourceError` naming the line.
    """
    refuse_options(options, "sheet", "header_row", "delimiter", name=name, what="JSON Lines")
    text = open_text(file, name, options.encoding, lambda lines, _sample: _line_of_nul(lines))
    names: dict[str, None] = {}
    for _, keys in _lines(text, name, _keys):
        if not keys <= names.keys():
            names.update(dict.fromkeys(keys))
    if not names:
        raise SourceError(f"{name} holds no line with a value.", "Write one JSON object on each line.")
    table = Table(name, columns_named(list(names)), _rows(text, name, tuple(names)), header_row=0)
    if text.note:
        table.warnings.append(text.note)
    if text.inferred:
        table.reading["encoding"] = text.encoding
    return table


def _rows(text: TextFile, name: str, names: tuple[str, ...]) -> Iterator[Row]:
    for number, cells in _lines(text, name, _cells):
        yield Row(number, tuple(map(cells.get, names)))


def _lines(text: TextFile, name: str, read: Callable[[str], _Read | None]) -> Iterator[tuple[int, _Read]]:
    """Yield the number of each line that holds a value, and what `read` makes of it (None: no value)."""
    number = 0
    try:
        for number, line in enumerate(text.lines(), 1):
            if line.isspace() or not line:
                continue
            found = read(line)
            if found is not None:
                yield number, found
    except _Unfit as unfit:
        cure = "Mend that line; each line holds one object of names and plain values."
        raise SourceError(f"Line {number} of {name} {unfit}.", cure) from None
    except UnicodeError:
        raise SourceError(f"{name} was changed while it was read.", "Start again when nobody writes to it.") from None
    except OSError as error:
        cure = "Copy it to this computer and start again."
        raise SourceError(f"{name} breaks off after line {number}: {error.strerror}.", cure) from None


def _cells(line: str) -> dict[str, CellValue] | None:
    """Return the cells of a line by their names, None for a line without any value."""
    cells: dict[str, CellValue] = {}
    blank = True
    for key, value in _object(line).items():
        cell = value if isinstance(value, str) and value and not value.isspace() else _cell(value, key)
        cells[key] = cell
        if cell is not None:
            blank = False
    return None if blank else cells


def _keys(line: str) -> KeysView[str] | None:
    """Return the names in a line, None for a line without any value. What is wrong with a value may be found later."""
    try:
        value = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        value = None
    if isinstance(value, dict) and any(isinstance(cell, str) and cell.strip() for cell in value.values()):
        return value.keys()
    cells = _cells(line)
    return None if cells is None else cells.keys()


def _object(line: str) -> dict[str, _Value]:
    try:
        value = _decoder.decode(line)
    except json.JSONDecodeError as error:
        raise _Unfit(f"is not JSON (character {error.colno})") from None
    except RecursionError:
        raise _Unfit("is nested too deeply") from None
    except ValueError:  # Python refuses whole numbers of more than 4300 digits
        raise _Unfit("holds a number with too many digits") from None
    if not isinstance(value, dict):
        raise _Unfit("is not an object in braces")
    if (not line.isascii() and _LONE_SURROGATE.search(line)) or ("\\u" in line and _has_surrogate(value)):
        raise _Unfit("holds half of a character (a lone surrogate)")
    return value


def _has_surrogate(value: _Value) -> bool:
    # Without recursion: what can be read may be nested more deeply than calls can be.
    waiting: list[_Value] = [value]
    while waiting:
        match waiting.pop():
            case str() as text if _LONE_SURROGATE.search(text):
                return True
            case list() as entries:
                waiting += entries
            case dict() as members:
                waiting += [part for pair in members.items() for part in pair]
            case _:
                pass
    return False


def _decimal(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:  # an exponent beyond what even Decimal can hold
        value = Decimal("Infinity")
    if not value.is_finite() or (value and abs(value.adjusted()) > _LARGEST_EXPONENT):
        raise _Unfit(f"holds the number {text[:40]}, which is too large or too small")
    return value or Decimal(0)


def _not_finite(text: str) -> Decimal:
    raise _Unfit(f"holds {text}, which is no number")


def _unique(pairs: list[tuple[str, _Value]]) -> dict[str, _Value]:
    values = dict(pairs)
    if len(values) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]  # add() is always falsy
        raise _Unfit(f"gives {twice!r} twice")
    return values


_decoder = json.JSONDecoder(parse_float=_decimal, parse_constant=_not_finite, object_pairs_hook=_unique)


def _cell(value: _Value, key: str) -> CellValue:
    match value:
        case list():
            return "; ".join(_entry(entry, key) for entry in value) or None
        case dict():
            raise _Unfit(f"holds an object under {key!r}, which fits no cell")
        case str():
            return None if is_blank(value) else value
        case _:
            return value


def _entry(entry: _Value, key: str) -> str:
    if isinstance(entry, dict) and entry.keys() == {"From", "To"}:
        return "-".join(_entry(entry[end], key) for end in ("From", "To"))
    if entry is None or isinstance(entry, dict | list):
        raise _Unfit(f"holds under {key!r} a list with something other than plain values or From and To")
    text = cell_text(entry)
    if ";" in text:
        raise _Unfit(f"holds under {key!r} a list with a semicolon in {text[:40]!r}, which would read as two values")
    return text


def _line_of_nul(lines: Iterator[str]) -> int:
    return next((number for number, line in enumerate(lines, 1) if "\0" in line), 0)
