"""Cells of OpenDocument tables as values, which mean what they mean in an Excel workbook."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, time, timedelta
from math import isfinite

from bulkzcrm.ingest.number_formats import Shape, counting_from, exact, moment_of
from bulkzcrm.ingest.ods_walk import CALC, OFFICE, TABLE
from bulkzcrm.ingest.xml_text import visible
from bulkzcrm.model import CellError, CellValue, FormulaWithoutValue

__all__ = ["CellReader"]

_VALUE_TYPE = f"{OFFICE}value-type"
_CALC_TYPE = f"{CALC}value-type"
_FORMULA = f"{TABLE}formula"

_ERROR = re.compile(r"#(?:N/A|REF!|VALUE!|DIV/0!|NAME\?|NUM!|NULL!)|Err:[0-9]{3}")
_ERROR_OF_NUMBER = re.compile(r"#[^\W\d_][\w/]*[!?]?|[^\W\d_]+:5[0-9]{2}")
"""In the language of the program: `#NV`, `Fehler:502`. No number is shown like that."""

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?INF|NaN")
_DURATION = re.compile(
    r"(-?)P(?:([0-9]{1,9})D)?(?:T(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9}(?:[.,][0-9]+)?)S)?)?"
)
_DAY_S = 86_400
_PREFIX = re.compile(r"[A-Za-z][\w.-]*:(?==)")
_REFERENCE = re.compile(r"\[\.([^\]]*)\]")


class CellReader:
    """Makes values of a cell's attributes and its text. `shape` tells what the style of that name shows."""

    def __init__(self, shape: Callable[[str | None], Shape], *, is_1904: bool) -> None:
        self._shape = shape
        self._epoch = counting_from(is_1904=is_1904)

    def value(self, attributes: Mapping[str, str], text: str | None, style: str | None) -> CellValue:
        """Return the value; `text` is what the cell shows, `None` if it has no paragraph. Raises `ValueError`."""
        kind = attributes.get(_VALUE_TYPE)
        formula = attributes.get(_FORMULA)
        if kind is None and formula is None:
            return None if text is None else visible(text)
        shown = (text or "").strip()
        if attributes.get(_CALC_TYPE) == "error" or (formula is not None and _is_error(kind, shown)):
            return CellError(shown or "#ERROR!")
        if formula is not None and not _has_value(attributes, kind, text):
            return FormulaWithoutValue(_written(formula))
        match kind:
            case "float" | "percentage" | "currency":
                return _number(attributes.get(f"{OFFICE}value", ""))
            case "date":
                return self._date(attributes.get(f"{OFFICE}date-value", ""), shown, style)
            case "time":
                return self._time(attributes.get(f"{OFFICE}time-value", ""), style)
            case "boolean":
                return _boolean(attributes.get(f"{OFFICE}boolean-value", ""))
            case _:
                return visible(attributes.get(f"{OFFICE}string-value") or text or "")

    def _date(self, written: str, shown: str, style: str | None) -> CellValue:
        try:
            moment = datetime.fromisoformat(written)
        except ValueError:
            return visible(shown or written)  # a year before 1 or after 9999
        moment = _to_the_millisecond(moment)
        if moment.time() != time():
            return moment
        shape = self._shape(style)
        if shape is Shape.NUMBER:
            # Excel refers to formats by numbers of its own, and writes every date with a time.
            shape = Shape.MOMENT if ":" in shown or ("T" in written and not shown) else Shape.DATE
        return moment.date() if shape is Shape.DATE else moment

    def _time(self, written: str, style: str | None) -> CellValue:
        match = _DURATION.fullmatch(written)
        if match is None or written.endswith(("P", "T")):
            raise ValueError(written)
        days, hours, minutes = (int(part or 0) for part in match.group(2, 3, 4))
        seconds = float((match[5] or "0").replace(",", "."))
        total = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        number = (-total if match[1] else total) / timedelta(seconds=_DAY_S)
        shape = self._shape(style)
        if shape in {Shape.NUMBER, Shape.DATE}:
            shape = Shape.MOMENT if 0 <= number < 1 else Shape.DURATION
        return moment_of(number, shape, self._epoch)


def _is_error(kind: str | None, shown: str) -> bool:
    is_number = kind not in {None, "string"}
    return (_ERROR_OF_NUMBER if is_number else _ERROR).fullmatch(shown) is not None


def _has_value(attributes: Mapping[str, str], kind: str | None, text: str | None) -> bool:
    match kind:
        case None | "string" | "void":
            return text is not None or f"{OFFICE}string-value" in attributes
        case "date" | "time" | "boolean":
            return f"{OFFICE}{kind}-value" in attributes
        case _:
            return f"{OFFICE}value" in attributes


def _written(formula: str) -> str:
    """Return a formula as a person writes it: `of:=[.A1]+1` is `=A1+1`."""
    return _REFERENCE.sub(r"\1", _PREFIX.sub("", formula, count=1))


def _number(text: str) -> CellValue:
    text = text.strip(" \t\r\n")
    if not _NUMBER.fullmatch(text):
        raise ValueError(text)
    number = exact(int(text)) if text.lstrip("+-").isdigit() else float(text)
    return number if isfinite(number) else CellError("#NUM!")


def _boolean(text: str) -> bool:
    match text:
        case "true":
            return True
        case "false":
            return False
        case _:
            return bool(_number(text))  # LibreOffice shows any number as TRUE, and writes the number


def _to_the_millisecond(moment: datetime) -> datetime:
    """Round away what a time of day as part of a day cannot hold: 10:29:59.999999."""
    rounded = moment + timedelta(microseconds=500) if moment.microsecond % 1000 >= 500 else moment
    return rounded.replace(microsecond=rounded.microsecond // 1000 * 1000)
