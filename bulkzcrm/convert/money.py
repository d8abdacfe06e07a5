"""Amounts are exact decimals; a text that two notations read differently waits for what its whole column proves."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Literal, TypeAlias

from bulkzcrm.convert.currencies import is_currency
from bulkzcrm.convert.values import OPEN, Evidence, Finding, Read, ReadText, Refusal, plain_text
from bulkzcrm.convert.words import (
    BAD_AMOUNT,
    NEGATIVE_AMOUNT,
    NOT_WITH_COMMA,
    NOT_WITH_POINT,
    POINT_OR_THOUSANDS,
    ROUNDED_AMOUNT,
)
from bulkzcrm.model import CellValue

__all__ = ["DecimalMark", "amount_reader", "read_amount_cell"]

DecimalMark: TypeAlias = Literal[".", ","]

_LONGEST = 80
_EXACT_LIMIT = 2**53
"""From here on a binary float no longer holds every whole number (IEEE 754 double)."""

_PLAIN = re.compile(r"[0-9]{1,15}(\.[0-9]{1,2})?")
_ONE_POINT = re.compile(r"[1-9][0-9]{0,2}\.[0-9]{3}")
_BLANKS = " \u00a0\u2009\u202f"
_AMOUNT = re.compile(
    rf"(?P<before>[Rr]s\.|[Kk]r\.|[Ff]r\.|[^0-9.,]*)\s*(?P<number>[0-9.,](?:[0-9.,'\u2019{_BLANKS}]*[0-9.,])?)(?P<after>[^0-9,]*)"
)
_POINT = (Evidence.POINT,)
_MINUS = frozenset("-\u2212\u2013()")


def amount_reader(mark: DecimalMark | None, *, is_proved: bool = True) -> ReadText:
    """Return a reader of amounts; without a mark, what is open is left open and what proves a mark says so.

    A point that is taken for the decimal mark only because nothing proves another is believed in `12.50`, not in
    `1.250`, which half of the world writes for more than a thousand.

    Understood are digits with consistent separators between thousands (comma or point, whichever is not the decimal
    mark, blank, apostrophe; also in the Indian way, `12,34,567.00`) and one currency mark before or after them.
    """
    if mark is None:
        return _read_by_evidence
    return partial(_read_with, mark=mark) if is_proved else _read_with_point_for_want_of_proof


def read_amount_cell(value: CellValue) -> Read:
    """Read an amount from a typed cell; a float means its shortest exact decimal, whatever mark texts use."""
    text = plain_text(value)
    if text is None:
        return Refusal(BAD_AMOUNT, "a very long number")
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return Refusal(BAD_AMOUNT, text)
    if isinstance(value, float) and abs(value) >= _EXACT_LIMIT:
        return Refusal(ROUNDED_AMOUNT, text)
    amount = Decimal(text)
    if not amount.is_finite():
        return Refusal(BAD_AMOUNT, text)
    return Refusal(NEGATIVE_AMOUNT, text) if amount < 0 else amount.copy_abs()


def _read_by_evidence(text: str) -> Read:
    if quick := _PLAIN.fullmatch(text):
        amount = Decimal(text)
        return Finding(amount, _POINT) if quick[1] else amount
    number = _bare_number(text)
    if isinstance(number, Refusal):
        return number
    with_point, with_comma = _amount(number, "."), _amount(number, ",")
    if with_point is None:
        return Refusal(BAD_AMOUNT, text) if with_comma is None else Finding(OPEN, (Evidence.COMMA,))
    if with_comma is None:
        return Finding(with_point, _POINT)
    return with_point if with_point == with_comma else Finding(OPEN)


def _read_with(text: str, mark: DecimalMark) -> Read:
    if mark == "." and _PLAIN.fullmatch(text):
        return Decimal(text)
    number = _bare_number(text)
    if isinstance(number, Refusal):
        return number
    amount = _amount(number, mark)
    if amount is not None:
        return amount
    if mark == ".":
        return Refusal(BAD_AMOUNT if _amount(number, ",") is None else NOT_WITH_POINT, text)
    return Refusal(BAD_AMOUNT if _amount(number, ".") is None else NOT_WITH_COMMA, text)


def _read_with_point_for_want_of_proof(text: str) -> Read:
    read = _read_with(text, ".")
    number = _bare_number(text)
    if isinstance(read, Decimal) and isinstance(number, str) and _ONE_POINT.fullmatch(number):
        return Refusal(POINT_OR_THOUSANDS, text)
    return read


def _bare_number(text: str) -> str | Refusal:
    """Return the number without its currency mark, or why there is none."""
    parts = _AMOUNT.fullmatch(text) if len(text) <= _LONGEST else None
    if parts is None:
        return Refusal(BAD_AMOUNT, text)
    before, after = parts["before"].strip(), parts["after"].strip()
    minus = _MINUS & {*before, *after}
    marks = [mark for mark in (_unsigned(before), _unsigned(after)) if mark]
    if len(marks) > 1 or not all(is_currency(mark) for mark in marks):
        return Refusal(BAD_AMOUNT, text)
    return Refusal(NEGATIVE_AMOUNT, text) if minus else parts["number"]


def _unsigned(mark: str) -> str:
    return "".join(character for character in mark if character not in _MINUS and character != "+").strip()


def _notation(mark: DecimalMark) -> Callable[[str], re.Match[str] | None]:
    between = f"[{re.escape(',' if mark == '.' else '.')}'\u2019{_BLANKS}]"
    western = rf"[1-9][0-9]{{0,2}}(?P<w>{between})[0-9]{{3}}(?:(?P=w)[0-9]{{3}})*"
    indian = rf"[1-9][0-9]?(?P<i>{between})(?:[0-9]{{2}}(?P=i))+[0-9]{{3}}"
    return re.compile(rf"(?P<whole>{western}|{indian}|[0-9]*)(?:{re.escape(mark)}(?P<fraction>[0-9]+))?").fullmatch


_NOTATIONS: dict[DecimalMark, Callable[[str], re.Match[str] | None]] = {".": _notation("."), ",": _notation(",")}


def _amount(number: str, mark: DecimalMark) -> Decimal | None:
    """Return what a number means when `mark` is its decimal mark; None when it cannot be one."""
    parts = _NOTATIONS[mark](number)
    if parts is None:
        return None
    whole = "".join(character for character in parts["whole"] if character.isdigit())
    return Decimal(f"{whole or '0'}.{parts['fraction']}" if parts["fraction"] else whole)
