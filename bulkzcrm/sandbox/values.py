"""Reading the values of a record as the pages describe them; a value of another kind is INVALID_DATA."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal

from bulkzcrm.sandbox.answers import Broken

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_DIGITS = re.compile(r"[0-9]{1,19}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:?[0-9]{2})"
)


def is_blank(value: object) -> bool:
    """Null, an empty list and a text without content count as not given."""
    return value is None or value == [] or (isinstance(value, str) and not value.strip())


def identifier(value: object) -> str | None:
    """An id as text; it may come as a string of digits or as an exact JSON number. None if it is neither."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        value = str(value)
    return value if isinstance(value, str) and _DIGITS.fullmatch(value) else None


def text(value: object, path: str, maximum: int) -> str:
    """Text of at most `maximum` characters."""
    if not isinstance(value, str):
        raise Broken("INVALID_DATA", path, "a text is expected", expected_data_type="text")
    if len(value) > maximum:
        raise Broken("INVALID_DATA", path, "the text is too long", maximum_length=maximum)
    return value


def choice(value: object, path: str, choices: Sequence[str]) -> str:
    """One of the values of a pick list, spelled exactly so."""
    if not isinstance(value, str):
        raise Broken("INVALID_DATA", path, "a text is expected", expected_data_type="text")
    if value not in choices:
        raise Broken("INVALID_DATA", path, "not one of the supported values", supported_values=list(choices))
    return value


def array(value: object, path: str, maximum: int | None = None) -> list[object]:
    """A JSON array of at most `maximum` elements."""
    if not isinstance(value, list):
        raise Broken("INVALID_DATA", path, "an array is expected", expected_data_type="jsonarray")
    if maximum is not None and len(value) > maximum:
        raise Broken("INVALID_DATA", path, "the array has too many elements", maximum_length=maximum)
    return value


def json_object(value: object, path: str) -> dict[str, object]:
    """A JSON object."""
    if not isinstance(value, dict):
        raise Broken("INVALID_DATA", path, "an object is expected", expected_data_type="jsonobject")
    return value


def boolean(value: object, path: str) -> bool:
    """A JSON boolean; texts and numbers are none."""
    if not isinstance(value, bool):
        raise Broken("INVALID_DATA", path, "true or false is expected", expected_data_type="boolean")
    return value


def whole_number(value: object, path: str) -> int:
    """An integer, as a JSON number or as digits in a string (the pages' samples send the duration so)."""
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Broken("INVALID_DATA", path, "a whole number is expected", expected_data_type="integer")
    return value


def money(value: object, path: str, digits: int, places: int) -> Decimal:
    """An amount of zero or more with so many digits before the point and so many places after it."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Broken("INVALID_DATA", path, "a number is expected", expected_data_type="double")
    amount = Decimal(value)
    if amount < 0:
        raise Broken("INVALID_DATA", path, "the amount is negative")
    # Guarded before any arithmetic: an exponent of a billion must not be spelled out.
    if amount and amount.adjusted() >= digits:
        raise Broken("INVALID_DATA", path, "the amount has too many digits", maximum_length=digits)
    if amount and amount.adjusted() < -places:
        raise Broken("INVALID_DATA", path, "the amount has too many decimal places")
    if not amount:
        return Decimal(0)
    scaled = amount.as_tuple()
    exponent = scaled.exponent if isinstance(scaled.exponent, int) else 0
    surplus = -exponent - places
    if surplus > 0 and any(scaled.digits[-surplus:]):
        raise Broken("INVALID_DATA", path, "the amount has too many decimal places")
    return amount


def calendar_date(value: object, path: str) -> date:
    """A date written YYYY-MM-DD."""
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise Broken("INVALID_DATA", path, "a date in the form YYYY-MM-DD is expected", expected_data_type="date")


def clock_time(value: object, path: str) -> time:
    """A time of day written HH:MM on the 24-hour clock."""
    if isinstance(value, str) and _CLOCK.fullmatch(value):
        return time.fromisoformat(value)
    raise Broken("INVALID_DATA", path, "a time in the form HH:MM is expected", expected_data_type="text")


def instant(value: object, path: str) -> datetime:
    """A date and time in ISO 8601 with its offset from UTC."""
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            pass
    message = "a date and time in ISO 8601 with an offset is expected"
    raise Broken("INVALID_DATA", path, message, expected_data_type="datetime")


def weekday(value: object, path: str) -> str:
    """An English name of a day of the week."""
    return choice(value, path, WEEKDAYS)
