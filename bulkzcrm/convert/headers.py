"""Headers and names are compared by letters and digits alone; what a person calls a column is found or asked back."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from bulkzcrm.errors import UsageError
from bulkzcrm.model import Column
from bulkzcrm.spec.fields import Field

__all__ = ["FieldNames", "by_field", "called", "called_first", "columns_called", "header_key", "nearest_columns"]

_LONGEST_KEY = 200
"""Characters of a header that are compared for likeness: the comparison takes time that grows with their square."""


def header_key(text: str) -> str:
    """Return what counts of a header or name: letters and digits, without case, blanks, underscores and punctuation."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in folded if character.isalnum())


def called(column: Column) -> str:
    """Return how a message calls a column: by its letter and, if it has one, its header."""
    return f'column {column.letter} ("{column.name.strip()}")' if column.name.strip() else f"column {column.letter}"


def called_first(column: Column) -> str:
    """Return the same for the beginning of a sentence."""
    return f"C{called(column)[1:]}"


def columns_called(reference: str, columns: Sequence[Column]) -> list[Column]:
    """Return the columns that a person means: by header as written, else by header loosely, else by letter."""
    exact = [column for column in columns if column.name == reference]
    if exact:
        return exact
    key = header_key(reference)
    loose = [column for column in columns if key and header_key(column.name) == key]
    return loose or [column for column in columns if column.letter == reference.strip().upper()]


def nearest_columns(field: Field, columns: Iterable[Column]) -> list[Column]:
    """Return the columns whose headers look like the field's name or label, the likest first."""
    by_key = {header_key(column.name)[:_LONGEST_KEY]: column for column in columns if header_key(column.name)}
    found = dict.fromkeys(
        key
        for name in (field.name, field.label)
        for key in get_close_matches(header_key(name), by_key, n=2, cutoff=0.7)
    )
    return [by_key[key] for key in found]


class FieldNames:
    """The fields of an operation by everything that may name them: API names before labels and further headers."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self._by_key: dict[str, Field] = {}
        for field in fields:
            self._by_key.setdefault(header_key(field.name), field)
        for field in fields:
            for name in (field.label, *field.headers):
                self._by_key.setdefault(header_key(name), field)
        self._by_key.pop("", None)
        self._names = [field.name for field in fields]

    def get(self, header: str) -> Field | None:
        """Return the field that a header names, if any."""
        return self._by_key.get(header_key(header))

    def named(self, name: str, option: str) -> Field:
        """Return the field that an option names; `UsageError` with the likeliest field if there is none."""
        field = self.get(name)
        if field is not None:
            return field
        near = get_close_matches(header_key(name)[:_LONGEST_KEY], self._by_key, n=1)
        cure = f"Did you mean {self._by_key[near[0]].name}?" if near else f"The fields are: {', '.join(self._names)}."
        raise UsageError(f'{option} names the field "{name}", which this operation does not have.', cure)

    def count(self, headers: Iterable[str]) -> int:
        """Return how many different fields the headers name."""
        return len({field.name for header in headers if (field := self.get(header)) is not None})


def by_field(pairs: Mapping[str, str], names: FieldNames, option: str) -> dict[str, str]:
    """Return option values keyed by API name; `UsageError` if two of them mean the same field."""
    resolved: dict[str, str] = {}
    for name, text in pairs.items():
        field = names.named(name, option)
        if field.name in resolved:
            raise UsageError(f"{option} gives {field.name} twice.", "Leave one of the two out.")
        resolved[field.name] = text
    return resolved
