"""Ids keep every digit they came with; one that lost digits on its way is refused, never completed."""

from __future__ import annotations

import re
from decimal import Decimal

from bulkzcrm.convert.values import Read, Refusal, plain_text
from bulkzcrm.convert.words import BAD_ID, LOST_DIGITS
from bulkzcrm.model import CellValue

__all__ = ["bare_digits", "is_id", "is_shortened", "read_id", "read_id_cell", "shortened_cell"]

_ID = re.compile(r"[0-9]{15,20}")
_QUOTED = re.compile(r"=\s*\"([^\"]*)\"|['\u2018\u2019]([^'\u2018\u2019]*)")
"""`="5545..."` and `'5545...`: how people keep a spreadsheet program from taking an id for a number."""
_SCIENTIFIC = re.compile(r"[+\-]?[0-9]+(?:[.,][0-9]+)?[eE]\+?[0-9]{1,3}")


def is_id(text: str) -> bool:
    """Tell whether a text is an id: 15 to 20 digits (Zoho's have 18 or 19) and nothing else."""
    return _ID.fullmatch(text) is not None


def is_shortened(text: str) -> bool:
    """Tell whether a text is a number in scientific notation: `5.54597E+18`."""
    return _SCIENTIFIC.fullmatch(text) is not None


def bare_digits(text: str) -> str:
    """Return the inside of `'5545...` or `="5545..."` if it is an id or a shortened number, else the text as it is."""
    wrapped = _QUOTED.fullmatch(text)
    if wrapped is None:
        return text
    inside = (wrapped[1] if wrapped[1] is not None else wrapped[2]).strip()
    return inside if is_id(inside) or is_shortened(inside) else text


def read_id(text: str) -> str | Refusal:
    """Read an id; the answer has exactly the digits of the text."""
    digits = text if text[0].isdigit() else bare_digits(text)
    if _ID.fullmatch(digits):
        return digits
    return Refusal(LOST_DIGITS if is_shortened(digits) else BAD_ID, text)


def read_id_cell(value: CellValue) -> Read:
    """Read an id from a typed cell: whole numbers are exact, floats from 2**53 on are not (`cell_text` says so)."""
    text = plain_text(value)
    if text is None or isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return Refusal(BAD_ID, text or "a very long number")
    return Refusal(LOST_DIGITS, text) if shortened_cell(value) else read_id(text)


def shortened_cell(value: CellValue) -> bool:
    """Tell whether a number was written with an exponent that hides digits (`5.54E+18` in a file of JSON Lines)."""
    if not isinstance(value, Decimal) or not value.is_finite():
        return False
    exponent = value.as_tuple().exponent
    return isinstance(exponent, int) and exponent > 0
