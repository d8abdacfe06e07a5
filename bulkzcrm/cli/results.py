"""What a command prints when it is done: the result alone on standard output, the next step on standard error."""

from __future__ import annotations

import json

import click

from bulkzcrm.redact import scrub
from bulkzcrm.report import State, Summary

__all__ = ["exit_status", "refused_job_json", "refused_json", "say_result"]

_COUNTS = ("succeeded", "unchanged", "valid", "invalid", "rejected", "unknown", "unsent")


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
        click.echo(summary.to_json())
        return
    counts = {status.value: count for status, count in summary.counts.items()}
    told = ", ".join(f"{counts[name]:,} {name}" for name in _COUNTS if counts.get(name))
    what = f"run {summary.run}" if summary.run else "check"
    rows = "1 row" if summary.rows == 1 else f"{summary.rows:,} rows"
    click.echo(f"{what} {summary.state.value}: {rows}{': ' if told else ''}{told}")
    if "results" in summary.files:
        click.echo(f"report: {summary.files['results']}")


def refused_json(message: str, operation: str, *, check: bool) -> str:
    """Return the JSON object for a command that was refused."""
    return Summary.refused(operation=operation, stopped_because=scrub(message), check=check).to_json()


def refused_job_json(message: str, job: str) -> str:
    """Return the JSON object for a job that was refused before any step wrote."""
    content: dict[str, object] = {
        "job": job,
        "state": "refused",
        "stopped_because": scrub(message),
        "resume": None,
        "steps": [],
    }
    return json.dumps(content)
