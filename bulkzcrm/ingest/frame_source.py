"""A pandas DataFrame as a source: its values become plain Python, its rows are numbered as on a sheet with a header."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd

from bulkzcrm.cells import encode_cells
from bulkzcrm.errors import SourceError
from bulkzcrm.ingest.grid import columns_named
from bulkzcrm.ingest.options import ReadOptions, refuse_options
from bulkzcrm.model import CellError, CellValue, Column, FormulaWithoutValue, Row, Table

__all__ = ["frame_hash", "read_frame"]

_NAME = "DataFrame"
_FIRST_ROW = 2
"""Row 1 is the header that a sheet with these columns would have."""
_LARGEST_EXPONENT = 400
"""As in JSON Lines: no field takes more digits, and writing some numbers out would fill the memory."""


def read_frame(frame: pd.DataFrame, options: ReadOptions) -> Table:
    """Read a frame's columns (its index is no column). Missing values of any kind are blank.

    Raises `SourceError` for a frame without columns and, from the rows, for a value that fits no cell; `UsageError` for
    any option.
    """
    refuse_options(options, "sheet", "header_row", "encoding", "delimiter", name="the source", what="a DataFrame")
    names = [_column_name(label) for label in frame.columns]
    if not names:
        raise SourceError("The DataFrame has no columns.", "Give one whose columns are named like the fields.")
    columns = columns_named(names)
    return Table(_NAME, columns, _rows(frame, columns), header_row=1)


def frame_hash(frame: pd.DataFrame) -> str:
    """Return the SHA-256 (hex) of a frame's columns and values as they are read; raises `SourceError` like the rows."""
    columns = columns_named([_column_name(label) for label in frame.columns])
    digest = hashlib.sha256(encode_cells([column.name for column in columns]))
    for row in _rows(frame, columns):
        digest.update(b"\n%d " % row.number)
        digest.update(encode_cells(row.cells))
    return digest.hexdigest()


def _column_name(label: object) -> str:
    if isinstance(label, tuple):
        return " ".join(_column_name(part) for part in label).strip()
    return "" if _is_missing(label) else str(label)


def _rows(frame: pd.DataFrame, columns: tuple[Column, ...]) -> Iterator[Row]:
    for number, values in enumerate(frame.itertuples(index=False, name=None), _FIRST_ROW):
        cells = tuple(_cell(value, column, number) for value, column in zip(values, columns, strict=True))
        if any(cell is not None for cell in cells):
            yield Row(number, cells)


def _cell(value: object, column: Column, number: int) -> CellValue:
    if isinstance(value, str):
        return _text(value, column, number)
    if _is_missing(value):
        return None
    if isinstance(value, np.datetime64):
        value = pd.Timestamp(value)
    elif isinstance(value, np.timedelta64):
        value = pd.Timedelta(value)
    elif isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, int | Decimal) and _is_immense(value):
        cure = "Correct the number, or turn that column into texts."
        raise SourceError(
            f"Row {number} of the DataFrame holds a number in column {column.name!r} that is too large or too small.",
            cure,
        )
    match value:
        case pd.Timestamp():
            return value.to_pydatetime(warn=False)
        case pd.Timedelta():
            return value.floor("us").to_pytimedelta()
        case bool() | int() | float() | Decimal() | datetime() | date() | time() | timedelta():
            return value
        case CellError() | FormulaWithoutValue():
            return value
        case _:
            pass
    kind = type(value).__name__
    cure = "Turn that column into texts, numbers or dates first."
    raise SourceError(
        f"Row {number} of the DataFrame holds a value of the type {kind} in column {column.name!r}.", cure
    )


def _is_immense(value: int | Decimal) -> bool:
    if isinstance(value, int):
        return value.bit_length() > 4 * _LARGEST_EXPONENT
    return value.is_finite() and value != 0 and abs(value.adjusted()) > _LARGEST_EXPONENT


def _text(value: str, column: Column, number: int) -> str | None:
    try:
        value.encode()
    except UnicodeEncodeError:
        cure = "Decode the texts of that column properly first."
        raise SourceError(
            f"Row {number} of the DataFrame holds half of a character in column {column.name!r}.", cure
        ) from None
    return str(value) if value and not value.isspace() else None


def _is_missing(value: object) -> bool:
    if value is None or value is pd.NA or value is pd.NaT:
        return True
    if isinstance(value, np.datetime64 | np.timedelta64):
        return bool(np.isnat(value))
    if isinstance(value, Decimal):
        return value.is_nan()
    return isinstance(value, float | np.floating) and bool(np.isnan(value))
