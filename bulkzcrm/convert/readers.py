"""For each kind of field, how its texts and its typed cells are read; compiled once per field, not once per cell."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from typing import assert_never
from zoneinfo import ZoneInfo

from bulkzcrm.convert.choices import choice_reader, read_boolean, read_days
from bulkzcrm.convert.dates import DateRule, date_readers, dates_readers
from bulkzcrm.convert.durations import read_minutes
from bulkzcrm.convert.ids import bare_digits, is_id, is_shortened, read_id, read_id_cell
from bulkzcrm.convert.moments import moment_readers
from bulkzcrm.convert.money import DecimalMark, amount_reader, read_amount_cell
from bulkzcrm.convert.people import read_members, read_members_cell, read_taxes, read_taxes_cell
from bulkzcrm.convert.timings import read_day_hours, read_hours, read_timings
from bulkzcrm.convert.values import CLEAR, Clear, Read, ReadCell, ReadText, Refusal, plain_text
from bulkzcrm.convert.words import BAD_TEXT, ERROR_VALUE, FORMULA, TOO_LARGE
from bulkzcrm.model import CellError, CellValue, FormulaWithoutValue
from bulkzcrm.spec.fields import Field, Kind

__all__ = ["CLEAR_TEXT", "Reader", "Rules", "compile_reader"]

CLEAR_TEXT = "#CLEAR"
"""Empties a field, written exactly so."""

_ERROR_VALUES = frozenset(
    {
        "#N/A",
        "#REF!",
        "#VALUE!",
        "#DIV/0!",
        "#NAME?",
        "#NULL!",
        "#NUM!",
        "#SPILL!",
        "#CALC!",
        "#GETTING_DATA",
        "#FIELD!",
        "#BLOCKED!",
        "#CONNECT!",
        "#UNKNOWN!",
    }
)
_NO_RULE = DateRule()
_AFTER_EQUALS = frozenset("\"'([{+-$@")
_WITH_IDS = frozenset({Kind.ID, Kind.MEMBERS, Kind.TAXES})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the reading of a value depends on besides the value: options, and what a column has proved."""

    date: DateRule = _NO_RULE
    decimal: DecimalMark | None = None
    decimal_is_proved: bool = True
    is_report: bool = False
    """The source is a report: there a text that looks like a formula may be the formula of a workbook."""
    zone: ZoneInfo | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the cells of one field; both functions take any value and never raise.

    `text` takes a text that is not blank and has no outer blanks, `cell` any other value that is not blank.
    """

    kind: Kind
    plain: ReadText
    typed: ReadCell
    believes_texts: bool = False
    """A text is what it says, even if a spreadsheet program would run it as a formula."""

    def text(self, text: str) -> Read | Clear:
        """Read a text."""
        return self.marked(text) if text[0] in "#=" else self.plain(text)

    def marked(self, text: str) -> Read | Clear:
        """Read a text that begins with `#` or `=`: a marker, an error value, a formula, or just a text."""
        if text == CLEAR_TEXT:
            return CLEAR
        if text in _ERROR_VALUES:
            return Refusal(ERROR_VALUE, text)
        if (
            text[0] == "="
            and not self.believes_texts
            and len(text) > 1
            and (text[1].isalnum() or text[1] in _AFTER_EQUALS)
            and not self._is_id(text)
        ):
            return Refusal(FORMULA, text)
        return self.plain(text)

    def cell(self, value: CellValue) -> Read | Clear:
        """Read a typed cell."""
        match value:
            case CellError():
                return Refusal(ERROR_VALUE, value.text)
            case FormulaWithoutValue():
                formula = value.formula.strip()
                return self.plain(formula) if self._is_id(formula) else Refusal(FORMULA, formula)
            case _:
                return self.typed(value)

    def _is_id(self, formula: str) -> bool:
        """Tell whether a formula is only a guard around an id (`="5545..."`), in a field that takes ids."""
        if self.kind not in _WITH_IDS:
            return False
        digits = bare_digits(formula)
        return is_id(digits) or is_shortened(digits)


def compile_reader(field: Field, rules: Rules) -> Reader:
    """Return the reader of a field under the given rules."""
    believes_texts = field.kind is Kind.TEXT and not rules.is_report
    return Reader(field.kind, *_readers(field, rules), believes_texts=believes_texts)


def _readers(field: Field, rules: Rules) -> tuple[ReadText, ReadCell]:
    match field.kind:
        case Kind.ID:
            return read_id, read_id_cell
        case Kind.TEXT:
            return _read_text, _as_text(_read_text)
        case Kind.MINUTES:
            return read_minutes, _as_text(read_minutes)
        case Kind.CHOICE:
            read_choice = choice_reader(field)
            return read_choice, _as_text(read_choice)
        case Kind.DAYS:
            return read_days, _as_text(read_days)
        case Kind.DATE:
            return date_readers(rules.date)
        case Kind.DATES:
            return dates_readers(rules.date)
        case Kind.DATETIME:
            return moment_readers(rules.date, rules.zone)
        case Kind.TIMINGS:
            return read_timings, _as_text(read_timings)
        case Kind.HOURS:
            return read_hours, _as_text(read_hours)
        case Kind.DAY_HOURS:
            return read_day_hours, _as_text(read_day_hours)
        case Kind.MONEY:
            return amount_reader(rules.decimal, is_proved=rules.decimal_is_proved), read_amount_cell
        case Kind.MEMBERS:
            return read_members, read_members_cell
        case Kind.TAXES:
            return read_taxes, read_taxes_cell
        case Kind.BOOLEAN:
            return read_boolean, _as_text(read_boolean)
    assert_never(field.kind)


def _read_text(text: str) -> str:
    return text


def _as_text(read: ReadText) -> ReadCell:
    """Return a reader that takes a typed cell for what the report shows for it."""

    def read_cell(value: CellValue) -> Read:
        text = plain_text(value)
        if not text:
            return Refusal(TOO_LARGE, "a very long number")
        return read(text) if _is_finite(value) else Refusal(BAD_TEXT, text)

    return read_cell


def _is_finite(value: CellValue) -> bool:
    return value.is_finite() if isinstance(value, Decimal) else not isinstance(value, float) or isfinite(value)
