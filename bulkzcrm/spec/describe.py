"""The operations in words, for the terminal and for the README: all of it is read from their declaration."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Final

from bulkzcrm.errors import UsageError
from bulkzcrm.spec.fields import Field, Kind
from bulkzcrm.spec.operation import Operation
from bulkzcrm.spec.operations import OPERATIONS

__all__ = ["describe_operation", "field_format", "limits_of", "operation_named", "operations_table"]

_FORMATS: Final[Mapping[Kind, str]] = {
    Kind.ID: "an id of 15 to 20 digits, stored as text",
    Kind.TEXT: "text",
    Kind.MINUTES: "minutes: 60, 1h 30m, 1:30",
    Kind.CHOICE: "one of: ",
    Kind.DAYS: "weekdays: Mon; Tue, or Mon-Fri",
    Kind.DATE: "a date: 2030-01-31",
    Kind.DATES: "dates, separated by ;",
    Kind.DATETIME: "a date and time: 2030-01-31 14:30, or now",
    Kind.TIMINGS: "spans, separated by ;: 10:00-13:30; 15:00-18:00",
    Kind.HOURS: "one span: 09:00-18:00",
    Kind.DAY_HOURS: "one span, or closed",
    Kind.MONEY: "an amount: 1234.50",
    Kind.MEMBERS: "user ids, e-mail addresses or full names, separated by ;",
    Kind.TAXES: "tax ids or values, separated by ;",
    Kind.BOOLEAN: "yes or no",
}


def operation_named(name: str) -> Operation:
    """Return an operation. Raises `UsageError` with the nearest name."""
    if name not in OPERATIONS:
        near = difflib.get_close_matches(name, OPERATIONS, n=1)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise UsageError(f"There is no operation {name}.", f"{hint}Choose one of {', '.join(OPERATIONS)}.")
    return OPERATIONS[name]


def operations_table() -> list[tuple[str, str]]:
    """Return each operation's name and what it does."""
    return [(operation.name, operation.summary) for operation in OPERATIONS.values()]


def field_format(each: Field) -> str:
    """Return how a cell of this field is written."""
    if each.kind is Kind.CHOICE:
        return _FORMATS[Kind.CHOICE] + ", ".join(each.choices)
    return _FORMATS[each.kind]


def limits_of(each: Field) -> str:
    """Return the field's limits in words, blank when it has none."""
    said = []
    if each.minimum is not None and each.maximum is not None:
        said.append(f"{each.minimum} to {each.maximum}")
    if each.maximum_length is not None:
        said.append(f"at most {each.maximum_length:,} characters")
    if each.maximum_values is not None:
        said.append(f"at most {each.maximum_values} entries")
    if each.maximum_digits is not None:
        said.append(f"at most {each.maximum_digits} digits before the point, {each.maximum_places} after it")
    return "; ".join(said)


def describe_operation(operation: Operation) -> str:
    """Return all that a user needs to fill in a source for an operation."""
    return "\n".join(_lines(operation))


def _lines(operation: Operation) -> Iterator[str]:
    yield f"{operation.name}: {operation.summary}"
    yield f"  request      {operation.method} {operation.path}, at most {operation.maximum} a request"
    twice = "harmless" if operation.safe_to_repeat else "would make every record twice (not with --unique-field)"
    yield f"  sent twice   {twice}"
    yield f"  scopes       {', '.join(operation.scopes_needed)}"
    helpful = dict.fromkeys(operation.scopes_helpful.values())
    yield f"  helpful      {', '.join(helpful)}"
    yield f"  source       the vendor's page “{operation.page}”"
    yield ""
    yield "Fields (a column is matched by name or label; * must be given)"
    width = max(len(each.name) for each in operation.fields) + 2
    for each in operation.fields:
        limits = limits_of(each)
        yield f"  {each.name + ('*' if each.mandatory else ''):<{width}}{each.about}"
        yield f"  {'':<{width}}{field_format(each)}{f' ({limits})' if limits else ''}"
    if operation.one_of:
        yield ""
        yield "At least one of: " + "; ".join(" or ".join(group) for group in operation.one_of)
    if operation.rules:
        yield ""
        yield "Rules, judged before anything is sent"
        for rule in operation.rules:
            needs = f" (needs the {', '.join(rule.needs)})" if rule.needs else ""
            yield f"  {rule.code:<24}{rule.says}{needs}"


def operations_markdown() -> str:
    """Return the README's table of operations."""
    rows = [
        f"| `{operation.name}` | {operation.summary} | `{operation.method} {operation.path}` | {operation.maximum} |"
        for operation in OPERATIONS.values()
    ]
    return "\n".join(["| operation | does | request | records a request |", "|---|---|---|---|", *rows])


def all_scopes() -> tuple[str, ...]:
    """Return every scope that some operation needs or works better with, each once."""
    needed = [scope for operation in OPERATIONS.values() for scope in operation.scopes_needed]
    helpful = [scope for operation in OPERATIONS.values() for scope in operation.scopes_helpful.values()]
    return tuple(dict.fromkeys([*needed, *helpful]))


def scopes_markdown() -> str:
    """Return the README's table of scopes: what each operation cannot do without, and what helps it."""
    rows = []
    for operation in OPERATIONS.values():
        needed = ", ".join(f"`{scope}`" for scope in operation.scopes_needed)
        helpful = ", ".join(f"`{scope}`" for scope in dict.fromkeys(operation.scopes_helpful.values()))
        rows.append(f"| `{operation.name}` | {needed} | {helpful} |")
    return "\n".join(["| operation | needs | works better with |", "|---|---|---|", *rows])


def fields_markdown(name: str) -> str:
    """Return the README's table of one operation's fields."""
    rows = []
    for each in OPERATIONS[name].fields:
        limits = limits_of(each)
        written = field_format(each).replace("|", "\\|") + (f" ({limits})" if limits else "")
        rows.append(f"| `{each.name}`{' *' if each.mandatory else ''} | {each.about} | {written} |")
    return "\n".join(["| field | is | written as |", "|---|---|---|", *rows])
