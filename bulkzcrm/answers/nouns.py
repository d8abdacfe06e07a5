"""What was sent, and what an answer can prove about it: values only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from msgspec import Struct

from bulkzcrm.errors import StoppedError
from bulkzcrm.model import Problem, Record
from bulkzcrm.spec.codes import Family

__all__ = [
    "Doubt",
    "Judged",
    "NotApplied",
    "Reading",
    "RefreshToken",
    "Rejected",
    "Sent",
    "Split",
    "StopRun",
    "Succeeded",
    "TryAgain",
    "Uncertain",
    "Verdict",
    "Written",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One request: its records as they were sent, in order, and what is known about them.

    `ids` has one entry per record: the id that the answer must name, `None` where the record has none yet (a create) or
    none at all (service preferences). `wrapper` is the key that wraps the records in the answer. `fields` are the
    operation's fields, for their spelling, and `scopes` what it needs; both only serve messages.
    """

    records: Sequence[Record]
    ids: Sequence[str | None]
    wrapper: str
    creates: bool
    safe_to_repeat: bool
    fields: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.records or len(self.records) != len(self.ids):
            raise ValueError("a request has at least one record, and one entry in ids for each")

    @property
    def family(self) -> Family | None:
        """What the request writes; `None` for a wrapper that the catalogue does not tell apart."""
        return Family(self.wrapper) if self.wrapper in set(Family) else None


class Succeeded(Struct, frozen=True, gc=False):
    """The API says that this record was written, and under this id (blank where the operation has none).

    `changed` tells that an upsert has changed a record that was there.
    """

    record_id: str
    changed: bool = False


class Rejected(Struct, frozen=True):
    """The API refused this record; there is at least one problem, and the first leads.

    `existing` is the id of the record for whose sake it was refused, blank where the answer names none.
    """

    problems: tuple[Problem, ...]
    existing: str = ""


class NotApplied(Struct, frozen=True):
    """The record was certainly not written and is not to blame: it may be sent again."""

    reason: str


class Uncertain(Struct, frozen=True):
    """Whether the record was written cannot be told from the answer."""

    reason: str


Verdict: TypeAlias = Succeeded | Rejected | NotApplied | Uncertain


@dataclass(frozen=True, slots=True)
class Judged:
    """One verdict per record, in the order in which they were sent."""

    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """Every record was written, under these ids (see `Succeeded`), and none by an upsert that changed another."""

    ids: tuple[str, ...]

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The same as verdicts."""
        return tuple(map(Succeeded, self.ids))


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """Nothing was written; a new token is needed, then the batch may be sent again."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TryAgain:
    """The batch may be sent again later.

    `retry_after` is in seconds, where the server names a time. Only with `certain_not_applied` is it known that nothing
    was written; without it the batch is one that is safe to repeat.
    """

    throttled: bool
    certain_not_applied: bool
    reason: str
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class StopRun:
    """Nothing was written, and no further batch will fare better before a person has changed something."""

    problem: Problem
    kind: type[StoppedError]

    def error(self) -> StoppedError:
        """Return the exception that ends the run."""
        return self.kind(self.problem.message, self.problem.remedy)


@dataclass(frozen=True, slots=True)
class Split:
    """The whole batch was refused because of some of its records, and nothing was written.

    `guilty` maps the records that the answer names by number to their problems; it may be empty. The numbers are the
    server's word, which is not always right: the named records are best sent alone, the others in parts.
    """

    guilty: Mapping[int, tuple[Problem, ...]]
    reason: str


@dataclass(frozen=True, slots=True)
class Doubt:
    """The answer proves nothing about any record: the batch has to be read back before anything is sent again."""

    reason: str


Reading: TypeAlias = Judged | Written | RefreshToken | TryAgain | StopRun | Split | Doubt
