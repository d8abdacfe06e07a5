"""Names → records of the organisation: what a row says by name or e-mail address becomes what the API takes.

A name that is found not at all, or more than once, is a problem that names the candidates; nothing is ever guessed.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TypeVar

from msgspec import Struct

from bulkzcrm.cells import cited
from bulkzcrm.errors import CredentialsRefusedError
from bulkzcrm.model import Json, Problem, Record
from bulkzcrm.spec.fields import Kind, Lookup
from bulkzcrm.spec.operation import Operation
from bulkzcrm.spec.organisation import Choice, Current, Named, Organisation, Reading, User
from bulkzcrm.spec.values import folded

__all__ = ["NEW", "Directory", "Resolved", "folded"]

_T = TypeVar("_T")

_CANDIDATES = 5
"""How many candidates a message names."""

_REMEMBERED = 5_000
"""So many different values of fields are remembered at most, with what they mean."""

_LONGEST = 500
"""Characters of a value that is remembered, and of a text for which a similar name is looked for."""

NEW = Current({})
"""What there is of a new record."""


class Resolved(Struct, frozen=True):
    """A row with its names resolved.

    `given` holds the values to write, the fields that only found the record left out; `identity` is the same for two
    rows exactly when they mean the same record (blank: a new one).
    """

    given: Record
    current: Current | None
    problems: tuple[Problem, ...]
    identity: str = ""


class Directory:
    """An organisation's names, indexed once per run."""

    def __init__(self, operation: Operation, organisation: Organisation | None) -> None:
        self._operation = operation
        self._organisation = organisation
        users = organisation.users if organisation else None
        self._users = _index(users.values(), lambda user: (user.name, user.email)) if users is not None else None
        self._records = _records(operation, organisation)
        self._find_by_name = locator = next((name for name in operation.find_by if name != "id"), "")
        self._named: Callable[[str], list[Current]]
        if isinstance(self._records, Named):
            self._named = self._records.named
        else:
            index = _index((self._records or {}).values(), lambda each: (str(each.record.get(locator) or ""),))
            self._named = lambda name: index.get(folded(name), [])
        self._resolvers = dict(self._resolvers_of(operation, organisation)) if organisation is not None else {}
        self._told: dict[Hashable, Json | Problem] = {}
        """What has been said before, in a field, and what it means: few rows say something new."""

    @property
    def resolves(self) -> frozenset[str]:
        """The fields whose values may mean something else than they say."""
        return frozenset(self._resolvers)

    def resolve(self, record: Record, unreadable: frozenset[str] = frozenset()) -> Resolved:
        """Resolve the names in a converted record; `unreadable` are fields that already have a problem.

        Raises:
            CredentialsRefusedError: a name needs a reading that the credentials do not allow.
        """
        if self._operation.creates and self._organisation is None:
            return Resolved(record, NEW, ())
        problems: list[Problem] = []
        given = dict(record)
        current: Current | None = NEW if self._operation.creates else None
        identity = ""
        if self._operation.find_by:
            current, identity = self._find(given, problems, unreadable)
            self._leave_out_locators(given, current, problems)
        elif self._operation.single:
            current, identity = self._only_record(given, problems), "the only one"
        self._resolve_values(given, problems)
        return Resolved(given, current, tuple(problems), identity)

    def _resolve_values(self, given: Record, problems: list[Problem]) -> None:
        for name, resolve in self._resolvers.items():
            value = given.get(name)
            if value is None:
                continue
            said = name, tuple(value) if isinstance(value, list) else value
            resolved = self._told.get(said)
            if resolved is None:
                resolved = resolve(value)
                if len(str(said)) <= _LONGEST:
                    if len(self._told) >= _REMEMBERED:
                        self._told.clear()
                    self._told[said] = resolved
            if isinstance(resolved, Problem):
                problems.append(resolved)
                del given[name]
            else:
                given[name] = resolved

    def _resolvers_of(
        self, operation: Operation, organisation: Organisation
    ) -> Iterator[tuple[str, Callable[[Json], Json | Problem]]]:
        """Yield each field whose values may have to be resolved, and what does that."""
        for each in operation.fields:
            if each.kind is Kind.MEMBERS:
                yield each.name, partial(self._members, each.name)
            elif each.kind is Kind.TAXES:
                yield each.name, partial(_taxes, each.name, taxes=organisation.taxes)
            elif each.lookup is Lookup.JOB_SHEETS and organisation.job_sheets is not None:
                yield each.name, partial(_choice, each.name, choices=organisation.job_sheets)

    def _find(self, given: Record, problems: list[Problem], unreadable: frozenset[str]) -> tuple[Current | None, str]:
        """Find the record that a row means by its id, else by its name."""
        if "id" in unreadable:
            # The name beside an id that cannot be read is perhaps a new one: it finds nothing.
            return None, ""
        record_id, name = given.get("id"), given.get(self._find_by_name)
        if record_id is None and name is None:
            if unreadable.isdisjoint(self._operation.find_by):
                both = " or ".join(self._operation.find_by)
                problems.append(
                    Problem(
                        code="MANDATORY_NOT_FOUND",
                        field="id",
                        message=f"Neither {self._operation.find_by[0]} nor {self._find_by_name} says which record.",
                        remedy=f"Fill in {both}.",
                    )
                )
            return None, ""
        if self._records is None and self._organisation is not None and record_id is None:
            raise CredentialsRefusedError(
                f"{cited(str(name))} is a name, and the list in which to look it up may not be read.",
                "Give the token the scope that allows it (`bulkzcrm auth status` names it), or begin anew with ids.",
            )
        if self._records is None:
            identity = str(record_id) if record_id is not None else f"name {folded(str(name))}"
            return None, identity
        if record_id is not None:
            current = self._records.get(str(record_id))
            if current is None:
                problems.append(_no_such_id(str(record_id)))
            return current, str(record_id)
        return self._find_by(str(name), given, problems)

    def _find_by(self, name: str, given: Record, problems: list[Problem]) -> tuple[Current | None, str]:
        candidates = self._named(name)
        exact = [each for each in candidates if each.record.get(self._find_by_name) == name]
        if len(candidates) > 1 and len(exact) == 1:
            candidates = exact
        module = given.get("module")
        if module is not None and candidates:
            everywhere = candidates
            candidates = [each for each in candidates if folded(_module(each)) == folded(str(module))]
            if not candidates:
                problems.append(_elsewhere(self._find_by_name, name, str(module), everywhere))
                return None, ""
        match candidates:
            case [current]:
                return current, current.id
            case []:
                names = (str(each.record.get(self._find_by_name) or "") for each in (self._records or {}).values())
                shown = list({folded(known): known for known in names if known}.values())
                problems.append(_not_found(self._find_by_name, name, shown))
            case _:
                shown = [f"{each.id}{f' ({_module(each)})' if _module(each) else ''}" for each in candidates]
                problems.append(_ambiguous(self._find_by_name, name, shown, "Give the id in the column id instead."))
        return None, ""

    def _leave_out_locators(self, given: Record, current: Current | None, problems: list[Problem]) -> None:
        """Keep of the fields that found the record only a new name."""
        name = given.get(self._find_by_name)
        by_id = "id" in given
        if by_id and name is not None and current is not None and not self._operation.renames:
            actual = str(current.record.get(self._find_by_name) or "")
            if folded(actual) != folded(str(name)):
                problems.append(
                    Problem(
                        code="DEPENDENT_MISMATCH",
                        field=self._find_by_name,
                        message=f"The id {given['id']} belongs to {cited(actual)}, not to {cited(str(name))}.",
                        remedy="Correct the id or the name, so that both mean the same record.",
                    )
                )
        module = None if given.get("module") is None else str(given["module"])
        if by_id and module is not None and current is not None and folded(_module(current)) != folded(module):
            problems.append(
                Problem(
                    code="DEPENDENT_MISMATCH",
                    field="module",
                    message=f"The id {given['id']} belongs to the module {_module(current)}, not to {cited(module)}.",
                    remedy="Correct the id or the module, so that both mean the same record.",
                )
            )
        if not (by_id and self._operation.renames):
            given.pop(self._find_by_name, None)
        given.pop("module", None)

    def _only_record(self, given: Record, problems: list[Problem]) -> Current | None:
        if self._organisation is None:
            return None
        if self._operation.current is Reading.PREFERENCES:
            enabled = self._organisation.job_sheet_enabled
            return None if enabled is None else Current({"job_sheet_enabled": enabled})
        hours = self._organisation.business_hours
        if hours is None:
            return None
        wanted = given.get("id")
        if wanted is not None and hours.id and wanted != hours.id:
            problems.append(_no_such_id(str(wanted)))
        return Current(dict(hours.record))

    def _members(self, field: str, value: Json) -> Json | Problem:
        ids: dict[str, None] = {}
        for token in _tokens(value):
            if token.isdigit():
                ids[token] = None
                continue
            user = self._user(field, token)
            if isinstance(user, Problem):
                return user
            ids[user.id] = None
        return [{"Members": {"id": user_id}} for user_id in ids]

    def _user(self, field: str, token: str) -> User | Problem:
        if self._users is None:
            raise CredentialsRefusedError(
                f"{cited(token)} is no user id, and the users of the organisation may not be read.",
                "Add the scope ZohoCRM.users.READ to the token, or give user ids.",
            )
        found = self._users.get(folded(token), [])
        # Only active, confirmed users can be members, so another of the same name does not make the name ambiguous.
        fit = [user for user in found if user.active and user.confirmed] or found
        match fit:
            case [user]:
                return user
            case []:
                names = [user.name for users in self._users.values() for user in users]
                return _not_found(field, token, names)
            case _:
                shown = [f"{user.email or user.name} ({user.id})" for user in fit]
                return _ambiguous(field, token, shown, "Give the e-mail address or the user id instead.")


def _index(values: Iterable[_T], names: Callable[[_T], Iterable[str]]) -> dict[str, list[_T]]:
    index: dict[str, list[_T]] = {}
    for value in values:
        for name in dict.fromkeys(folded(name) for name in names(value)):
            if name:
                index.setdefault(name, []).append(value)
    return index


def _records(operation: Operation, organisation: Organisation | None) -> Mapping[str, Current] | None:
    """Return the records that the operation changes, by id; nothing where they were not read."""
    if organisation is None or not operation.find_by:
        return None
    return organisation.scoring_rules if operation.current is Reading.SCORING_RULES else organisation.services


def _module(current: Current) -> str:
    module = current.record.get("module")
    return str(module.get("api_name") or "") if isinstance(module, Mapping) else ""


def _tokens(value: Json) -> list[str]:
    return [str(token) for token in value] if isinstance(value, Sequence) and not isinstance(value, str) else []


def _taxes(field: str, value: Json, taxes: tuple[Choice, ...] | None) -> Json | Problem:
    chosen: list[Json] = []
    for token in _tokens(value):
        if taxes is None:
            if not token.isdigit():
                raise CredentialsRefusedError(
                    f"{cited(token)} is no tax id, and the taxes of the organisation may not be read.",
                    "Add the scope ZohoCRM.settings.fields.READ to the token, or give tax ids.",
                )
            chosen.append({"id": token})
            continue
        found = [tax for tax in taxes if token == tax.id or folded(token) == folded(tax.value)]
        match found:
            case [tax]:
                chosen.append({"id": tax.id, "value": tax.value} if tax.id else {"value": tax.value})
            case []:
                return _not_found(field, token, [tax.value for tax in taxes])
            case _:
                shown = [f"{tax.value} ({tax.id})" for tax in found]
                return _ambiguous(field, token, shown, "Give the tax id instead.")
    return chosen


def _choice(field: str, value: Json, choices: tuple[Choice, ...]) -> Json | Problem:
    text = str(value)
    found = [choice.value for choice in choices if folded(choice.value) == folded(text)]
    return found[0] if found else _not_found(field, text, [choice.value for choice in choices])


def _not_found(field: str, text: str, known: Sequence[str]) -> Problem:
    sought = folded(text) if len(text) <= _LONGEST else ""
    near = difflib.get_close_matches(sought, [folded(name) for name in known], n=_CANDIDATES, cutoff=0.6)
    shown = [name for name in dict.fromkeys(known) if folded(name) in near]
    if not shown and len(set(known)) <= _CANDIDATES:
        shown = list(dict.fromkeys(known))
    hint = f" Did you mean {', '.join(shown[:_CANDIDATES])}?" if shown else ""
    several = " Separate several names with a semicolon." if "," in text else ""
    return Problem(
        code="NAME_NOT_FOUND",
        field=field,
        message=f"The organisation has nothing called {cited(text)} for {field}.{hint}",
        remedy=f"Correct the name, or give the id.{several}",
    )


def _ambiguous(field: str, text: str, shown: Sequence[str], remedy: str) -> Problem:
    more = f" and {len(shown) - _CANDIDATES} more" if len(shown) > _CANDIDATES else ""
    return Problem(
        code="NAME_AMBIGUOUS",
        field=field,
        message=f"{cited(text)} can mean {len(shown)}: {', '.join(shown[:_CANDIDATES])}{more}.",
        remedy=remedy,
    )


def _elsewhere(field: str, name: str, module: str, candidates: Sequence[Current]) -> Problem:
    there = ", ".join(dict.fromkeys(_module(each) for each in candidates))
    return Problem(
        code="NAME_NOT_FOUND",
        field=field,
        message=f"The module {cited(module)} has nothing called {cited(name)}; a record of that name is in: {there}.",
        remedy="Correct the name or the module, or give the id.",
    )


def _no_such_id(record_id: str) -> Problem:
    return Problem(
        code="INVALID_DATA",
        field="id",
        message=f"The organisation has no record with the id {record_id}.",
        remedy=(
            "Copy the id from Zoho again: its last digits are zeros, as when a spreadsheet program has rounded it."
            if record_id.endswith("000")
            else "Correct the id, or look the record up again; it may have been deleted."
        ),
    )
