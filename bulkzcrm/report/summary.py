"""What a run came to, as the one JSON object that `summary.json` and `--json` hold; its counts always add up."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from bulkzcrm.errors import StoppedError
from bulkzcrm.model import Status
from bulkzcrm.report.causes import Cause
from bulkzcrm.report.files import Aside, Replace, write_aside

__all__ = ["State", "Summary", "holds_a_report", "summary_aside", "summary_in_place"]

_COUNTED = (
    Status.SUCCEEDED,
    Status.UNCHANGED,
    Status.INVALID,
    Status.REJECTED,
    Status.UNKNOWN,
    Status.UNSENT,
)
_REPORT_FILES = (
    "summary.json",
    "results.csv",
    "failed.csv",
    "results.xlsx",
    "results.xlsm",
    "results.jsonl",
    "results.html",
)


class State(StrEnum):
    """How a run ended."""

    FINISHED = "finished"  #: no row is `unsent`, and settling was tried for every `unknown` one
    STOPPED = "stopped"  #: a row is `unsent` or can still be settled
    INTERRUPTED = "interrupted"  #: by SIGINT or SIGTERM
    REFUSED = "refused"  #: nothing was sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The counts and circumstances of a run (DESIGN, summary).

    `rows` is how many rows were read, `counts` how many of them ended in each status (a status left out is 0).
    `batches` counts each part of a split, `requests` all attempts without those for tokens, `credits_estimated`
    includes reads, `seconds` is the time the run took. `causes` are those of all rows that did not succeed, the largest
    first; there are none where the report is missing that they are counted with. `not_checked` is given by `check`
    alone: what only the organisation can tell, as sentences. Raises `StoppedError` when the counts do not add up to
    `rows`, when a run has rows that are merely valid, or when a finished one has unsent rows: such a run must not be
    called finished.
    """

    run: str | None
    operation: str
    organisation: str | None
    state: State
    stopped_because: str | None = None
    rows: int = 0
    counts: Mapping[Status, int] = field(default_factory=dict)
    batches: int = 0
    requests: int = 0
    credits_estimated: int = 0
    seconds: float = 0.0
    resume: str | None = None
    files: Mapping[str, Path] = field(default_factory=dict)
    causes: tuple[Cause, ...] = ()
    not_checked: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """Refuse what would call a run finished while rows of it are not accounted for."""
        accounted = sum(self.counts.values())
        unsent = self.counts.get(Status.UNSENT, 0)
        valid = self.counts.get(Status.VALID, 0)
        if accounted != self.rows:
            raise _not_finished(f"{self.rows:,} rows were read, but {accounted:,} are accounted for")
        if valid and self.not_checked is None:
            raise _not_finished(f"{valid:,} valid rows have no outcome")
        if unsent and self.state is State.FINISHED:
            raise _not_finished(f"{unsent:,} rows have not been sent")

    @classmethod
    def refused(cls, *, operation: str, stopped_because: str, check: bool = False) -> Summary:
        """Return the summary of what was refused before anything was sent: no run, no rows, and the reason."""
        return cls(
            run=None,
            operation=operation,
            organisation=None,
            state=State.REFUSED,
            stopped_because=stopped_because,
            not_checked=() if check else None,
        )

    def with_files(self, files: Mapping[str, Path]) -> Summary:
        """Return this summary with further files; one of the same name is replaced."""
        return replace(self, files={**self.files, **files})

    def to_json(self, *, indent: int | None = None) -> str:
        """Return one JSON object in ASCII, its keys in the documented order and its paths absolute.

        `check` has two further keys: `valid` after the other counts, and `not_checked` at the end.
        """
        counts = {status.value: self.counts.get(status, 0) for status in _COUNTED}
        if self.not_checked is not None:
            counts[Status.VALID.value] = self.counts.get(Status.VALID, 0)
        content: dict[str, object] = {
            "run": self.run,
            "operation": self.operation,
            "organisation": self.organisation,
            "state": self.state.value,
            "stopped_because": self.stopped_because,
            "rows": self.rows,
            **counts,
            "batches": self.batches,
            "requests": self.requests,
            "credits_estimated": self.credits_estimated,
            "seconds": round(self.seconds, 3),
            "resume": self.resume,
            "files": {name: str(path.absolute()) for name, path in self.files.items()},
            "causes": [cause.to_json() for cause in self.causes],
        }
        if self.not_checked is not None:
            content["not_checked"] = list(self.not_checked)
        return json.dumps(content, indent=indent)


def _not_finished(reason: str) -> StoppedError:
    return StoppedError(
        f"The run is not finished: {reason}.",
        "Its journal is whole; carry on with `bulkzcrm resume`, and report this as a fault if it comes again.",
    )


def summary_aside(folder: Path, summary: Summary, name: str = "summary.json") -> Aside:
    """Write a summary, which names itself among its files, aside. Raises `OutputError`."""
    content = summary.with_files({"summary": folder / name}).to_json(indent=2).encode() + b"\n"

    def fill(stream: BinaryIO) -> None:
        stream.write(content)

    return write_aside(folder, name, fill)


def summary_in_place(aside: Aside, summary: Summary, *, replace: Replace = os.replace) -> Path:
    """Put a summary that was written aside in its place, and return where it is: an absolute path.

    It has another name when the older one cannot be replaced (see `Aside`). Raises `OutputError`.
    """
    path = aside.put_in_place(replace=replace).path
    if path.name == aside.target.name:
        return path
    # The content was written before this name was known, and it must tell the truth about itself.
    again = summary_aside(path.parent, summary, path.name)
    try:
        return again.put_in_place(replace=replace).path
    finally:
        again.discard()


def holds_a_report(folder: Path, *, other_than: str | None = None, signed: bool = False) -> bool:
    """Tell whether the folder holds files of a report; a report of the run `other_than` does not count.

    Whose report it is stands in its `summary.json`; one without, or with an unreadable one, counts in any case, unless
    only `signed` ones are asked for; that of a check is signed, and no run's. Of a folder that cannot be looked into
    the answer is no: writing there will say what is wrong.
    """
    try:
        found = any((folder / name).exists() for name in _REPORT_FILES)
    except OSError:
        return False
    if not found:
        return False
    run = _run_of(folder)
    return run != other_than if run is not None else not signed


def _run_of(folder: Path) -> str | None:
    try:
        content = json.loads((folder / "summary.json").read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(content, dict):
        return None
    run = content.get("run")
    # A check has no run.
    return run if isinstance(run, str) else "" if "not_checked" in content else None
