"""From an answer's code to the one cause that fits, as a problem that says what is wrong and what to do."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from bulkzcrm.model import Json, Problem, Record
from bulkzcrm.spec.codes.catalogue import CODES
from bulkzcrm.spec.codes.nouns import Code, Family, When
from bulkzcrm.spec.codes.paths import Place, place_of

__all__ = ["problem_for"]

_KINDS = {
    "text": "a text",
    "integer": "a whole number",
    "double": "a number",
    "boolean": "true or false",
    "date": "a date",
    "datetime": "a date and time",
    "jsonobject": "a structure",
    "jsonarray": "a list",
}
_LONGEST_MESSAGE = 300
_LONGEST_VALUE = 80
_MOST_NAMES = 20


def problem_for(
    code: str,
    details: Mapping[str, Json],
    message: str,
    record: Record,
    fields: Collection[str] = (),
    *,
    family: Family | None = None,
    scopes: Sequence[str] = (),
) -> Problem:
    """Return what an error of the API means for a record, in plain words.

    The cause is the first of the code's causes whose conditions hold for the answer and for the record as it was sent.
    The field is the top-level field to mend. What the server said is always shown; a code that the catalogue does not
    have is shown as it is, without guessing.

    Args:
        code: the API's code, as it came.
        details: the answer's `details`.
        message: the answer's `message`, the server's own words.
        record: the record as it was sent; empty when the whole request is meant.
        fields: the operation's fields, for their spelling.
        family: what the operation writes, where that is known.
        scopes: what the operation needs, named when the token lacks a scope.
    """
    place = place_of(details)
    field = place.field(record, fields)
    said = _clean(message, _LONGEST_MESSAGE)
    known = CODES.get(code)
    if known is None:
        return _unknown(_clean(code, 100), field, said, place, whole=not record)
    evidence = _Evidence(
        place=place, field=field, details=details, message=said.casefold(), record=record, family=family
    )
    cause = next(cause for cause in known.causes if evidence.supports(cause.when))
    mend = cause.mend or field
    sentences = [
        cause.explanation,
        *_about_field(mend, cause.explanation),
        *_particulars(known, details, place, record),
        *_about_scopes(known, scopes),
        *_said(said, place),
    ]
    return Problem(code=known.name, field=mend, message=" ".join(sentences), remedy=cause.remedy)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Evidence:
    """All that may decide between the causes of one code; `message` is in lower case."""

    place: Place
    field: str
    details: Mapping[str, Json]
    message: str
    record: Record
    family: Family | None

    def supports(self, when: When) -> bool:
        return (
            (not when.families or self.family in when.families)
            and (not when.fields or self.field in when.fields)
            and (not when.leaves or self._names_leaf(when.leaves))
            and (not when.dependees or self._dependee() in when.dependees)
            and all(self._has(wanted) for wanted in when.details)
            and (not when.message or any(part in self.message for part in when.message))
            and all(self._holds(name, choices) for name, choices in when.values)
            and (when.row is None or when.row(self.record))
        )

    def _names_leaf(self, leaves: tuple[str, ...]) -> bool:
        return self.place.leaf in leaves or any(step in leaves for step in self.place.steps)

    def _dependee(self) -> str:
        dependee = self.details.get("dependee")
        name = dependee.get("api_name") if isinstance(dependee, Mapping) else None
        return name if isinstance(name, str) else ""

    def _has(self, wanted: str) -> bool:
        key, given, value = wanted.partition("=")
        found = self.details.get(key)
        return found is not None and (not given or (isinstance(found, str) and found.casefold() == value))

    def _holds(self, name: str, choices: tuple[str, ...]) -> bool:
        value = self.record.get(name)
        return isinstance(value, str) and value.casefold() in choices


def _unknown(code: str, field: str, said: str, place: Place, *, whole: bool) -> Problem:
    then = "resume the run" if whole else "mend the row and retry it"
    sentences = [
        f"Zoho refuses with the code {code}, which this program does not know.",
        *_about_field(field, ""),
        *_said(said, place),
    ]
    return Problem(
        code=code,
        field=field,
        message=" ".join(sentences),
        remedy=f"Look up {code} in Zoho's documentation, or ask Zoho's support; then {then}.",
    )


def _about_field(field: str, explanation: str) -> list[str]:
    named = re.search(rf"\b{re.escape(field)}\b", explanation)
    return [f"The field is {_clean(field, 100)}."] if field and not named else []


def _particulars(code: Code, details: Mapping[str, Json], place: Place, record: Record) -> list[str]:
    """Return what the answer adds in numbers and names, one sentence each."""
    sentences = []
    if limit := _scalar(details.get("limit")):
        sentences.append(f"The limit that Zoho names is {limit}.")
    if longest := _scalar(details.get("maximum_length")):
        sentences.append(f"At most {longest} is allowed.")
    sent = place.value(record)
    kind = _scalar(details.get("expected_data_type"))
    if kind and not (kind == "text" and isinstance(sent, str)):  # that a text should be a text explains nothing
        sentences.append(f"Expected is {_KINDS.get(kind, kind)}.")
    if choices := _names(details.get("supported_values")):
        sentences.append(f"Zoho lists the values {choices}.")
    if lacking := _names(details.get("permissions")):
        sentences.append(f"Zoho names the permission {lacking}.")
    if expected := _names(details.get("expected_fields")):
        sentences.append(f"Zoho names the fields {expected}.")
    if existing := _existing(code, details):
        sentences.append(f"The existing record has the id {existing}.")
    if code.name == "INVALID_DATA" and (shown := _scalar(sent)):
        sentences.append(f'Sent was "{shown}".')
    return sentences


def _existing(code: Code, details: Mapping[str, Json]) -> str:
    """Return the id of the record that was there before; it is never the id of the row's own record."""
    if code.name != "DUPLICATE_DATA":
        return ""
    duplicate = details.get("duplicate_record")
    inner = duplicate.get("id") if isinstance(duplicate, Mapping) else None
    return _scalar(details.get("id")) or _scalar(inner)


def _about_scopes(code: Code, scopes: Sequence[str]) -> list[str]:
    if code.name != "OAUTH_SCOPE_MISMATCH" or not scopes:
        return []
    return [f"The operation needs {' and '.join(scopes)}."]


def _said(said: str, place: Place) -> list[str]:
    where = f" (at {_clean(place.shown, 100)})" if len(place.steps) > 1 else ""
    return [f'Zoho said: "{said}"{where}.'] if said else []


def _names(value: Json) -> str:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return ""
    names = [_scalar(entry.get("api_name") if isinstance(entry, Mapping) else entry) for entry in value[:_MOST_NAMES]]
    more = ["and others"] if len(value) > _MOST_NAMES else []
    return ", ".join([name for name in names if name] + more)


def _scalar(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _clean(str(value), _LONGEST_VALUE) if isinstance(value, str | int | Decimal) else ""


def _clean(text: str, longest: int) -> str:
    """Return a text from outside on one line, without control characters, cut to a length."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"
