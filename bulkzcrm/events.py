"""What a run announces while it goes on; those who draw or log it listen, and nothing in the run depends on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

__all__ = [
    "BatchAnswered",
    "Begun",
    "ColumnsMatched",
    "Connected",
    "Event",
    "Listener",
    "Noted",
    "ReadBack",
    "RecordsRead",
    "RowsJudged",
    "RowsRead",
    "SendingEnded",
    "SendingStarted",
    "Waiting",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A run begins, or is carried on with; its files go into `folder`.

    Of `in_doubt` rows an earlier call has left open whether they were written; this one settles them.
    """

    run: str
    folder: Path
    in_doubt: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnsMatched:
    """How the columns of the source are understood, as the options would say it.

    `mapping` has a field for each column that gives one, `constants` the value of each field that all rows have.
    """

    mapping: Mapping[str, str]
    constants: Mapping[str, str]
    ignored: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsRead:
    """So many rows of the source are in the journal; `final` when the source is at its end."""

    rows: int
    final: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """The organisation has been read."""

    organisation: str
    organisation_id: str
    edition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsRead:
    """So many records of the organisation have been read; of large ones that takes its time."""

    what: str
    records: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsJudged:
    """So many rows have been held against the organisation."""

    rows: int
    final: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingStarted:
    """The first write is about to leave; `rows` are still to be sent."""

    rows: int
    ceiling: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchAnswered:
    """What became of one request. `limit` is how many may be in flight now."""

    batch: int
    rows: int
    succeeded: int
    rejected: int
    unknown: int
    status: int
    seconds: float
    in_flight: int
    limit: int
    credits: int = 0
    """What this call has spent so far, reading included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBack:
    """What became of rows whose answer was lost: found (they succeeded), absent (they go again), ambiguous for good."""

    found: int
    absent: int
    ambiguous: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingEnded:
    """Nothing more is sent by this call; `left` rows are unsent or in doubt."""

    left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A request goes again after so many seconds, and why."""

    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class Noted:
    """A sentence for the user. A warning concerns the result; a note merely tells how things were understood."""

    text: str
    warning: bool = False


Event: TypeAlias = (
    Begun
    | ColumnsMatched
    | RowsRead
    | Connected
    | RecordsRead
    | RowsJudged
    | SendingStarted
    | BatchAnswered
    | ReadBack
    | SendingEnded
    | Waiting
    | Noted
)

Listener: TypeAlias = Callable[[Event], None]
