"""The words in which an operation is declared: one thing the API can do in bulk, as data and a few pure functions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from msgspec import Raw, Struct

from bulkzcrm.model import Json, Record
from bulkzcrm.spec.facts import Rule
from bulkzcrm.spec.fields import Field
from bulkzcrm.spec.organisation import Current, Organisation, Reading

__all__ = ["Completed", "Operation", "Request", "RequestBuilder"]


@dataclass(frozen=True, slots=True)
class Request:
    """One request of the API: method, path below `/crm/{version}/`, and the body (`None`: without one)."""

    method: str
    path: str
    body: Json


class RequestBuilder(Protocol):
    """Makes the request for a batch of completed records; without triggers, workflows are told not to run."""

    def __call__(self, records: Sequence[Record] | Sequence[Raw], *, triggers: bool) -> Request:
        """Return the request for `records`, which may be written already where a request takes several."""
        ...


class Completed(Struct, frozen=True):
    """A record as it goes over the wire.

    `changed` names what the write changes; empty means that everything is already as wanted. `lacks` names fields that
    must be sent and whose current value the list did not show: the record has to be read by its id first.
    """

    record: Record
    changed: Collection[str]
    lacks: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One thing the API can do in bulk; everything else in the program reads it from here.

    `method`, `path` and `wrapper` are as the vendor's page states them. `maximum` is how many records one request
    takes. `find_by` are the fields that find the record to change, in order of preference; empty when it is new, or
    when there is only one. `current` is the reading that shows the records to change.
    """

    name: str
    summary: str
    page: str
    method: str
    path: str
    wrapper: str
    maximum: int
    creates: bool
    fields: tuple[Field, ...]
    rules: tuple[Rule, ...]
    scopes_needed: tuple[str, ...]
    complete: Callable[[Record, Current | None, Organisation], Completed]
    request: RequestBuilder
    scopes_helpful: Mapping[Reading, str] = field(default_factory=dict)
    find_by: tuple[str, ...] = ()
    named_by: str = ""
    """The field by which a new record is known until it has an id; blank where nothing new is made."""
    renames: bool = False
    """With an `id`, the name in the row is a new name; otherwise it is a check that must agree."""
    current: Reading | None = None
    defaults: Mapping[str, Json] = field(default_factory=dict)
    """What the API takes where a new record says nothing."""
    single: bool = False
    """There is only one such record in an organisation, so every row means the same one."""
    one_of: tuple[tuple[str, ...], ...] = ()
    """Of each group at least one field must have a column."""

    sent_as_given: bool = False
    """A new record is sent as it is given, field by field: what completes it only leaves out what is empty."""
    key: str = ""
    """The unique field by which a new record is found again when it is sent twice; blank where there is none."""

    @property
    def safe_to_repeat(self) -> bool:
        """Tell whether sending the same records twice leaves what sending them once leaves."""
        return not self.creates or bool(self.key)

    @property
    def one_at_a_time(self) -> bool:
        """Tell whether rows are sent one after the other, in source order."""
        return self.maximum == 1

    def field(self, name: str) -> Field | None:
        """Return the field of that API name, or nothing."""
        return next((each for each in self.fields if each.name == name), None)
