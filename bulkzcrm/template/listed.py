"""What the cells of a field are chosen from: the pages' own choices, and what an organisation has set up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bulkzcrm.spec.fields import WEEKDAYS, Field, Kind, Lookup
from bulkzcrm.spec.operation import Operation
from bulkzcrm.spec.organisation import Current, Organisation

__all__ = ["Lists", "lists_of"]

_SEVERAL = frozenset({Kind.DAYS, Kind.MEMBERS, Kind.TAXES})


@dataclass(frozen=True, slots=True)
class Lists:
    """By API name: what may be chosen; and the fields whose cells may hold several of them, or something else."""

    values: Mapping[str, tuple[str, ...]]
    open: frozenset[str] = field(default_factory=frozenset)


def lists_of(operation: Operation, organisation: Organisation | None = None) -> Lists:
    """Return what there is to choose from for each field of an operation."""
    values = {each.name: found for each in operation.fields if (found := _values(each, organisation))}
    return Lists(values, frozenset(each.name for each in operation.fields if each.kind in _SEVERAL))


def _values(each: Field, organisation: Organisation | None) -> tuple[str, ...]:
    match each.kind, each.lookup:
        case Kind.CHOICE, _:
            return each.choices
        case Kind.BOOLEAN, _:
            return ("yes", "no")
        case Kind.DAYS, _:
            return WEEKDAYS
        case _, Lookup.USERS:
            users = (organisation.users or {}) if organisation else {}
            # Only these may be members (create-services page), so that nobody else is offered.
            return tuple(user.email or user.id for user in users.values() if user.active and user.confirmed)
        case _, Lookup.TAXES:
            return tuple(tax.value for tax in (organisation.taxes or ())) if organisation else ()
        case _, Lookup.JOB_SHEETS:
            return tuple(sheet.value for sheet in (organisation.job_sheets or ())) if organisation else ()
        case _, Lookup.SCORING_RULES:
            rules: Mapping[str, Current] = (organisation.scoring_rules or {}) if organisation else {}
            return tuple(dict.fromkeys(str(rule.record.get("name") or "") for rule in rules.values()))
        case _:
            return ()
