"""Members and taxes stay as they are written, each once; their ids are held to the same rule as every id."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date, time, timedelta

from bulkzcrm.convert.entries import entries
from bulkzcrm.convert.ids import bare_digits, is_id, is_shortened, shortened_cell
from bulkzcrm.convert.values import Complaint, Read, Refusal, plain_text
from bulkzcrm.convert.words import BAD_MEMBER, BAD_TAX, LOST_DIGITS
from bulkzcrm.model import CellValue

__all__ = ["read_members", "read_members_cell", "read_taxes", "read_taxes_cell"]

_LONGEST_EMAIL = 320
"""RFC 5321: 64 characters before the `@`, 255 behind it."""
_EMAIL = re.compile(r"[^\s@<>;,]+@[^\s@<>;,]+\.[^\s@<>;,]+")
_IDS = re.compile(r"[0-9]{15,20}(?:; ?[0-9]{15,20})*")
"""The usual case, and the quick one."""
_NUMBER = re.compile(r"[+\-\u2212]?[0-9][0-9.,\s]*")


def read_members(text: str) -> list[str] | Refusal:
    """Read user ids, e-mail addresses or full names; a comma separates only ids and e-mail addresses."""
    if _IDS.fullmatch(text):
        return list(dict.fromkeys(text.replace(" ", "").split(";")))
    return _read_list(text, _separate_members, _member, BAD_MEMBER)


def read_taxes(text: str) -> list[str] | Refusal:
    """Read tax ids or values; a comma separates only ids, because it may stand in a value (`Vat - 0,8 %`)."""
    return _read_list(text, _separate_ids, _tax, BAD_TAX)


def read_members_cell(value: CellValue) -> Read:
    """Read members from a typed cell: at best one id."""
    return _read_cell(value, read_members, BAD_MEMBER)


def read_taxes_cell(value: CellValue) -> Read:
    """Read taxes from a typed cell: one id, or a value that is a number."""
    return _read_cell(value, read_taxes, BAD_TAX)


def _read_list(
    text: str,
    separate: Callable[[str], bool],
    read: Callable[[str], str | Refusal],
    complaint: Complaint,
) -> list[str] | Refusal:
    found: dict[str, str] = {}
    for entry in _split(text, separate):
        value = read(entry)
        if isinstance(value, Refusal):
            return value
        found.setdefault(value.casefold(), value)
    return list(found.values()) or Refusal(complaint, text)


def _split(text: str, separate: Callable[[str], bool]) -> Iterable[str]:
    for entry in entries(text):
        parts = [part for raw in entry.split(",") if (part := raw.strip())] if "," in entry else []
        # `5,54597E+18` is one number, shortened in a country that writes decimal commas.
        if len(parts) > 1 and not is_shortened(entry) and all(separate(part) for part in parts):
            yield from parts
        else:
            yield entry


def _separate_members(part: str) -> bool:
    return _separate_ids(part) or (len(part) <= _LONGEST_EMAIL and _EMAIL.fullmatch(part) is not None)


def _separate_ids(part: str) -> bool:
    digits = bare_digits(part)
    return is_id(digits) or is_shortened(digits)


def _member(entry: str) -> str | Refusal:
    digits = bare_digits(entry)
    if is_id(digits):
        return digits
    if is_shortened(digits):
        return Refusal(LOST_DIGITS, entry)
    return Refusal(BAD_MEMBER, entry) if _NUMBER.fullmatch(entry) else entry


def _tax(entry: str) -> str | Refusal:
    digits = bare_digits(entry)
    return Refusal(LOST_DIGITS, entry) if is_shortened(digits) else digits


def _read_cell(value: CellValue, read: Callable[[str], Read], complaint: Complaint) -> Read:
    text = plain_text(value)
    if text is None or isinstance(value, bool | date | time | timedelta):
        return Refusal(complaint, text or "a very long number")
    return Refusal(LOST_DIGITS, text) if shortened_cell(value) else read(text)
