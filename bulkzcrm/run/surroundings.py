"""What a run stands in: the home folder, the organisation's connection, who listens, and who is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bulkzcrm.clock import Clock, seconds, system_clock
from bulkzcrm.config import Connection
from bulkzcrm.events import Event, Listener
from bulkzcrm.run.signals import StopSignal

if TYPE_CHECKING:
    from bulkzcrm.wire import Exchange  # what exchanges HTTP takes its time to import

__all__ = ["Preview", "Surroundings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a run is about to do, shown before its first write."""

    operation: str
    organisation: str
    organisation_id: str
    organisation_type: str
    to_send: int
    unchanged: int
    invalid: int
    batches: int
    credits: int
    triggers: bool


def _nobody_listens(event: Event) -> None:
    del event


def _everything_is_confirmed(preview: Preview) -> None:
    del preview


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Everything outside a run that it depends on.

    `connection` leads to the organisation (`None` in `check`). `sandbox_state` is the file of an embedded sandbox.
    `confirm` is asked before the first write and raises `UsageError` to refuse; it may wait for a person. `monotonic`
    gives seconds that never go back; how long a server has been down is measured by it. `wire` makes what exchanges
    HTTP (`None`: sockets), for rehearsals without any. `profile` is the name by which a person calls the connection, to
    be said in commands.
    """

    home: Path
    connection: Connection | None = None
    sandbox: bool = False
    sandbox_state: Path | None = None
    announce: Listener = _nobody_listens
    confirm: Callable[[Preview], None] = _everything_is_confirmed
    clock: Clock = system_clock
    monotonic: Callable[[], float] = seconds
    stop: StopSignal = field(default_factory=StopSignal)
    wire: Callable[[], Exchange] | None = None
    profile: str | None = None
