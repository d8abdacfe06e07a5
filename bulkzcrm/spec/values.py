"""When two values are equal: instants and exact decimals compared, lists of members, taxes, days and dates as sets."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

from bulkzcrm.model import Json, Record
from bulkzcrm.spec.fields import Field, Kind

__all__ = ["comparable", "fingerprint", "folded", "name_of", "names_of", "plain", "same"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def comparable(kind: Kind, value: Json) -> Hashable:
    """Return what stands for a value in comparisons; nothing, `null` and empty are the same."""
    if value is None or value in ("", [], {}):
        return None
    match kind:
        case Kind.MEMBERS | Kind.TAXES:
            return frozenset(_reference(entry) for entry in _entries(value))
        case Kind.DAYS | Kind.DATES:
            return frozenset(str(entry) for entry in _entries(value))
        case Kind.TIMINGS:
            return tuple(sorted((_text(span, "From"), _text(span, "To")) for span in _entries(value)))
        case Kind.HOURS | Kind.DAY_HOURS:
            return value if isinstance(value, str) else tuple(str(entry) for entry in _entries(value))
        case Kind.DATETIME:
            return _instant(str(value))
        case Kind.MONEY | Kind.MINUTES:
            return _number(value)
        case Kind.CHOICE:
            return str(value).casefold()
        case Kind.BOOLEAN:
            return bool(value)
        case Kind.ID | Kind.TEXT | Kind.DATE:
            return str(value)


def same(kind: Kind, one: Json, other: Json) -> bool:
    """Tell whether two values of a kind are equal."""
    return comparable(kind, one) == comparable(kind, other)


def fingerprint(fields: Sequence[Field], record: Record) -> bytes:
    """Return 16 bytes that equal records share; `record` holds converted values, names resolved or not."""
    parts = []
    for each in fields:
        value = comparable(each.kind, record.get(each.name))
        if value is not None:
            parts.append((each.name, sorted(map(str, value)) if isinstance(value, frozenset) else value))
    return hashlib.blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def name_of(record: Mapping[str, Json], named_by: str) -> str:
    """Return what stands for a record's name in comparisons.

    Case, runs of white space, signs that cannot be seen, and several ways to write one letter do not count.
    """
    return plain(str(record.get(named_by) or "")).casefold()


def names_of(texts: Iterable[str]) -> list[str]:
    """Return `name_of` the records that have these names, and nothing else."""
    # For texts of ASCII alone as `plain` has it; there may be very many.
    return [(" ".join(text.split()) if text.isascii() else plain(text)).casefold() for text in texts]


def folded(text: str) -> str:
    """Return what stands for a name where one is looked up: case and runs of white space do not count."""
    return " ".join(text.split()).casefold()


def plain(text: str) -> str:
    """Return a text as a server may keep it: letters composed, white space single, nothing that cannot be seen."""
    if text.isascii():
        # Nothing in it can be composed, nor be a sign that cannot be seen (those of control are none).
        return " ".join(text.split())
    # Before letters are composed: a sign that cannot be seen would stand between them.
    seen = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
    return " ".join(unicodedata.normalize("NFKC", seen).split())


def _entries(value: Json) -> Sequence[Json]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else [value]


def _text(span: Json, key: str) -> str:
    return str(span.get(key) or "") if isinstance(span, Mapping) else str(span)


def _reference(entry: Json) -> str:
    """Return the id of a member (its user's) or a tax (without one its value), or the name as written in a row."""
    if not isinstance(entry, Mapping):
        return str(entry).casefold()
    inner = entry.get("Members")
    if isinstance(inner, Mapping):
        return str(inner.get("id"))
    return str(entry["id"]) if entry.get("id") else str(entry.get("value")).casefold()


def _instant(text: str) -> Hashable:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    # A distance, since the last hours of the year 9999 are a later year in UTC, which no datetime can say.
    return (moment - _EPOCH) // timedelta(microseconds=1) if moment.tzinfo else moment.isoformat()


def _number(value: Json) -> Hashable:
    """Return a number without the zeros that do not count; nothing is rounded, however many digits there are."""
    try:
        sign, digits, exponent = Decimal(str(value)).as_tuple()
    except InvalidOperation:
        return str(value)
    if not isinstance(exponent, int):
        return str(value)
    text = "".join(map(str, digits)).lstrip("0")
    counting = text.rstrip("0")
    return (sign, counting, exponent + len(text) - len(counting)) if counting else 0
