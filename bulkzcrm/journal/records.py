"""What goes into the journal and what comes out of it, as values.

The journal stores what it is given and nothing else. Secrets (tokens, client secrets, proxy passwords) are not for it:
keep them out of `options`, `lookups` and `notes`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple, Self

from msgspec import Struct

from bulkzcrm.journal.states import BatchState, Progress, RunState, reported
from bulkzcrm.model import CellValue, Column, Json, Outcome, Problem, Record

__all__ = [
    "AsItIs",
    "Batch",
    "Beginning",
    "Counters",
    "Duplicate",
    "Intent",
    "NewRow",
    "NewRun",
    "Organisation",
    "RowOutcome",
    "RowSettlement",
    "Run",
    "StoredRow",
    "TouchedRow",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """A run at its beginning: one source, one operation, one organisation."""

    id: str
    """Sorts by time."""
    operation: str
    api_domain: str
    source: str
    """As the user named it: a path, `-`, `DataFrame`."""
    columns: tuple[Column, ...]
    header_row: int
    source_sha256: str = ""
    """Hex digest of the source's content; blank until it is known."""
    sheet: str | None = None
    organisation_id: str | None = None
    organisation: str | None = None
    """The organisation's name."""
    sandbox: bool = False
    sandbox_state: str | None = None
    options: Mapping[str, Json] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    reading: Mapping[str, str] = field(default_factory=dict)
    decisions: Mapping[str, Json] = field(default_factory=dict)
    """What was settled for whole columns (order of day and month, decimal mark)."""
    lookups: Mapping[str, Json] = field(default_factory=dict)
    """What was read from the organisation and must be the same after a `resume`."""
    output: str | None = None
    formats: tuple[str, ...] = ("csv",)
    job: str | None = None
    step: int | None = None
    retry_of: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """What a run has cost so far, or what is to be added to that."""

    requests: int = 0
    credits: int = 0
    batches: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run(NewRun):
    """A run as the journal knows it. Moments are milliseconds UTC."""

    state: RunState
    stopped_because: str | None
    created_ms: int
    updated_ms: int
    epoch: int
    """How often the run was claimed; a write that carries an older one is refused."""
    owner: str | None
    lease_until_ms: int | None
    counters: Counters
    pruned_ms: int | None = None
    """Since when its rows are deleted: what is left of it only warns of a second import of the same content."""
    revision: int = 0
    """Every write to the run moves it, so that one revision is one moment."""


class NewRow(Struct, frozen=True, kw_only=True):
    """One row of the source, as ingest hands it over. `status` is `pending` or `invalid`."""

    ordinal: int
    """Place among the rows of the run, from 1."""
    number: int
    """What a spreadsheet program shows for it."""
    cells: tuple[CellValue, ...]
    surplus: tuple[CellValue, ...] = ()
    record: Record | None = None
    identity: str | None = None
    """The record that it changes; rows that share one are duplicates."""
    fingerprint: bytes | None = None
    """Of the record's content: rows that share one are equal in every field."""
    is_open: bool = False
    """To be converted again once the whole source is known."""
    status: Progress = Progress.PENDING
    problems: tuple[Problem, ...] = ()


class Beginning(NamedTuple):
    """How one row of a block begins, as in `NewRow`, if it does not just wait to be sent."""

    status: Progress = Progress.PENDING
    identity: str | None = None
    fingerprint: bytes | None = None
    is_open: bool = False
    problems: tuple[Problem, ...] = ()

    @classmethod
    def of(cls, row: NewRow) -> Self:
        """Return how a row begins."""
        return cls(row.status, row.identity, row.fingerprint, row.is_open, row.problems)


class TouchedRow(NamedTuple):
    """A row that does not just wait to be sent for the first time."""

    ordinal: int
    status: Progress


class StoredRow(NewRow, frozen=True, kw_only=True, gc=False):
    """One row as the journal knows it."""

    code: str
    """The code that the report shows: that of the first problem, else the API's own."""
    record_id: str
    batch: int | None
    """The last batch that it was planned in."""
    attempts: int
    """Requests that carried it."""
    before: Record | None
    """The record in the organisation before the first write, where it was read."""

    def outcome(self, *, checking: bool = False) -> Outcome:
        """Return what the report says of the row; with `checking` a pending row is `valid`."""
        return Outcome(
            status=reported(self.status, checking=checking),
            problems=self.problems,
            record_id=self.record_id,
            batch=self.batch,
            attempts=self.attempts,
            code=self.code,
        )


class AsItIs(Enum):
    """Stands for what stays as it is."""

    AS_IT_IS = "as it is"


class RowSettlement(Struct, frozen=True, kw_only=True):
    """What became of a row without sending it: converted again, resolved, invalid after all, already as wanted.

    `status` is `pending`, `invalid`, `unchanged`, or `succeeded` where an earlier request of a row that was in doubt
    turns out to have been carried out late. Everything here replaces what the journal held, but for a `record` that is
    not given, and the row is no longer open.
    """

    ordinal: int
    status: Progress = Progress.PENDING
    record: Record | AsItIs | None = AsItIs.AS_IT_IS
    problems: tuple[Problem, ...] = ()
    identity: str | None = None
    fingerprint: bytes | None = None
    code: str = ""
    record_id: str = ""


class RowOutcome(Struct, frozen=True, kw_only=True, gc=False):
    """What an answer, or reading back, proved about one row that was sent.

    `status` is `succeeded`, `rejected`, `pending` (certainly not applied) or, for a row in doubt, `unknown` (ambiguous
    for good). `code` counts only where there are no problems; a blank `record_id` leaves the one that is known.
    """

    ordinal: int
    status: Progress
    problems: tuple[Problem, ...] = ()
    code: str = ""
    record_id: str = ""


class Intent(Struct, frozen=True, kw_only=True):
    """One request that is about to leave with a new batch: its number, its rows, and what it is known by."""

    number: int
    ordinals: Sequence[int]
    body_sha256: str
    sent_ms: int
    parent: int | None = None
    """The batch that it is a part of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One batch as the journal knows it. Which rows it has is said by the rows themselves (`Journal.batch_rows`)."""

    run: str
    number: int
    parent: int | None
    """The batch that it is a part of."""
    state: BatchState
    first_ordinal: int
    last_ordinal: int
    size: int
    """Rows when it was planned."""
    attempt: int
    """Requests so far."""
    body_sha256: str | None
    sent_ms: int | None
    answered_ms: int | None
    http_status: int | None


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A row that repeats an earlier one: its place, and the place and the number of the first."""

    ordinal: int
    first_ordinal: int
    first_number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """What was learned about an organisation and outlives the run. Moments are milliseconds UTC."""

    id: str
    learned_limit: int | None = None
    """Requests in flight that it bore."""
    learned_ms: int | None = None
    paused_until_ms: int | None = None
    credits_limit: int | None = None
    credits_remaining: int | None = None
    credits_seen_ms: int | None = None
