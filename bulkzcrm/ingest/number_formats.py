"""What a number of a cell means, by the number format that shows it: a plain number, a day, a moment or a duration.

The formats and their codes are those of Excel, whichever generation of its files the number comes from; the rules for
dates and durations are openpyxl's.
"""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum

from openpyxl.styles.numbers import BUILTIN_FORMATS, STRIP_RE, is_date_format, is_timedelta_format
from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH, from_excel

from bulkzcrm.model import CellValue

__all__ = ["BUILTIN_CODES", "Shape", "counting_from", "exact", "moment_of", "shape_of", "shortest"]

_PLAIN_FORMATS = frozenset({"general", "standard"})
_AM_PM = re.compile(r"am/pm|a/p", re.IGNORECASE)
_EXACT_LIMIT = 2**53
"""Above this a binary float no longer holds every whole number (IEEE 754 double)."""
_LONGEST_FLOAT_BITS = 1023
_FIRST_LONG = 10**17
"""From 18 digits on a whole number is an id; amounts have no more than 16."""

# ECMA-376 Part 1, 18.8.30: dates and times of the East Asian built-in formats, which openpyxl does not list.
_EAST_ASIAN = dict.fromkeys((27, 28, 29, 30, 31, 36, 50, 51, 52, 53, 54, 57, 58), "yyyy/m/d") | dict.fromkeys(
    (32, 33, 34, 35, 55, 56), "h:mm"
)

BUILTIN_CODES: dict[int, str] = BUILTIN_FORMATS | _EAST_ASIAN
"""The codes of the formats that a file refers to by their numbers alone."""


class Shape(StrEnum):
    """What a number of a cell means, by the cell's number format."""

    NUMBER = "number"
    DATE = "date"  #: a day without a time of day
    MOMENT = "moment"  #: a date-time, or a time of day
    DURATION = "duration"  #: elapsed time (`[h]:mm`)


def shape_of(code: str) -> Shape:
    """Return what a format's code (`dd/mm/yyyy`) makes of a number."""
    if code.casefold() in _PLAIN_FORMATS or not is_date_format(code):
        return Shape.NUMBER
    if is_timedelta_format(code):
        return Shape.DURATION
    # Without quoted texts, locales and AM/PM, hours and seconds give a time of day away; `m` may be months.
    bare = _AM_PM.sub("h", STRIP_RE.sub("", code.split(";", maxsplit=1)[0])).lower()
    return Shape.MOMENT if "h" in bare or "s" in bare else Shape.DATE


def counting_from(*, is_1904: bool) -> datetime:
    """Return the day that a workbook counts its dates from, in openpyxl's sense."""
    return MAC_EPOCH if is_1904 else WINDOWS_EPOCH


def moment_of(number: float, shape: Shape, epoch: datetime) -> CellValue:
    """Return the day, moment, time of day or duration that a number of days since `epoch` stands for."""
    try:
        moment: datetime | time | timedelta = from_excel(number, epoch, timedelta=shape is Shape.DURATION)
    except (OverflowError, ValueError):
        return number  # a spreadsheet program shows ####: no date, so what is stored is all there is to tell
    if shape is Shape.DATE and isinstance(moment, datetime) and moment.time() == time():
        return moment.date()
    return moment


def shortest(number: float) -> int | float:
    """Return a number that is stored in binary as one would write it: 60 rather than 60.0, as far as that is exact."""
    return int(number) if abs(number) < _EXACT_LIMIT and number.is_integer() else number


def exact(number: int) -> int | float:
    """Return a long number that a program wrote that had only its rounded form as the float that it was.

    Excel writes such a number with an exponent. Others write the digits of the binary number, or fill up with zeros
    (JavaScript does), and nobody could tell any more that the last digits are wrong.
    """
    if abs(number) < _FIRST_LONG or number.bit_length() > _LONGEST_FLOAT_BITS:
        return number
    rounded = float(number)
    is_written_from_it = number in {int(rounded), int(Decimal(repr(rounded)))}
    return rounded if is_written_from_it else number
