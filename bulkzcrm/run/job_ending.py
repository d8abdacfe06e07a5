"""How a job of several runs ended."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from bulkzcrm.model import Status
from bulkzcrm.report import State, Summary
from bulkzcrm.run.reporting import Ending

__all__ = ["JobEnding", "failed"]


@dataclass(slots=True, kw_only=True)
class JobEnding:
    """How a job ended: its steps in order, and the command that carries on, where something is left to do."""

    job: str
    steps: list[Ending] = field(default_factory=list)
    stopped_because: str | None = None
    resume: str | None = None
    refused: bool = False

    @property
    def state(self) -> State:
        """How the job stands: as its worst step, and stopped where a later step was not begun."""
        if self.refused:
            return State.REFUSED
        states = {ending.summary.state for ending in self.steps}
        if State.INTERRUPTED in states:
            return State.INTERRUPTED
        return State.STOPPED if self.stopped_because or State.STOPPED in states else State.FINISHED

    @property
    def exit_status(self) -> int:
        """The worst status of the steps, in the order 130, 3, 1, 0; 2 when nothing was written at all."""
        match self.state:
            case State.REFUSED:
                return 2
            case State.INTERRUPTED:
                return 130
            case State.STOPPED:
                return 3
            case State.FINISHED:
                return 1 if any(failed(ending.summary) for ending in self.steps) else 0

    def to_json(self) -> str:
        """Return the one JSON object that `--json` prints."""
        return json.dumps(
            {
                "job": self.job,
                "state": self.state.value,
                "stopped_because": self.stopped_because,
                "resume": self.resume,
                "steps": [json.loads(ending.summary.to_json()) for ending in self.steps],
            }
        )


def failed(summary: Summary) -> bool:
    """Tell whether a row of a step did not succeed."""
    good = summary.counts.get(Status.SUCCEEDED, 0) + summary.counts.get(Status.UNCHANGED, 0)
    return good != summary.rows
