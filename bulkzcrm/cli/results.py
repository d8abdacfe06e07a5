"""What a command prints when it is done: the result alone on standard output, the next step on standard error."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from bulkzcrm.cells import counted
from bulkzcrm.cli.speaking import tell
from bulkzcrm.errors import BulkzcrmError, OutputError
from bulkzcrm.journal import LostLeaseError
from bulkzcrm.redact import scrub
from bulkzcrm.report import State, Summary

__all__ = ["Going", "ended_job_json", "ended_json", "exit_status", "say_result"]

_COUNTS = ("succeeded", "unchanged", "valid", "invalid", "rejected", "unknown", "unsent")


@dataclass(frozen=True, slots=True)
class Going:
    """A run that can be resumed from now on, whatever happens, and the command that does so."""

    run: str
    resume: str


def exit_status(summary: Summary) -> int:
    """Return the exit status that a summary calls for."""
    match summary.state:
        case State.REFUSED:
            return 2
        case State.STOPPED:
            return 3
        case State.INTERRUPTED:
            return 130
        case State.FINISHED:
            good = sum(summary.counts.get(status, 0) for status in summary.counts if status.value in _GOOD)
            return 0 if good == summary.rows else 1


_GOOD = ("succeeded", "unchanged", "valid")


def say_result(summary: Summary, *, as_json: bool) -> None:
    """Print the counts and the report's path, or the summary as one JSON object."""
    if as_json:
        tell(summary.to_json())
        return
    counts = {status.value: count for status, count in summary.counts.items()}
    told = ", ".join(f"{counts[name]:,} {name}" for name in _COUNTS if counts.get(name))
    what = f"run {summary.run}" if summary.run else "check"
    tell(f"{what} {summary.state.value}: {counted(summary.rows, 'row')}{': ' if told else ''}{told}")
    if "results" in summary.files:
        tell(f"report: {summary.files['results']}")


def ended_json(error: BulkzcrmError, operation: str, *, check: bool, going: Going | None = None) -> str:
    """Return the JSON object for a command that ended before there were rows to count, or with nothing to count by."""
    refused = Summary.refused(operation=operation, stopped_because=scrub(str(error)), check=check)
    told = replace(refused, state=_state_after(error))
    if isinstance(error, LostLeaseError):
        # How far a run is that another process has taken over, only that process can tell.
        told = replace(told, run=error.run)
    elif isinstance(error, OutputError) and going is not None:
        told = replace(told, run=going.run, resume=going.resume)
    return told.to_json()


def _state_after(error: BulkzcrmError) -> State:
    match error.exit_status:
        case 2:
            return State.REFUSED
        case 130:
            return State.INTERRUPTED
        case _:
            return State.STOPPED


def ended_job_json(error: BulkzcrmError, job: str, *, going: Going | None = None) -> str:
    """Return the JSON object for a job that ended before any step wrote."""
    content: dict[str, object] = {
        "job": job,
        "state": _state_after(error).value,
        "stopped_because": scrub(str(error)),
        "resume": going.resume if going is not None and isinstance(error, OutputError) else None,
        "steps": [],
    }
    return json.dumps(content)
