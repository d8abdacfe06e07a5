"""Job files: one or several runs, defined in TOML, so that a scheduled import needs no long command line.

name = "price list"
on_failed_rows = "stop"        # or "continue"
yes = true                     # send without being asked
[[step]]
operation = "create-services"
source = "services.csv"        # relative to this file
set = { Location = "Client Address" }
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

import msgspec

from bulkzcrm.errors import JobError
from bulkzcrm.run.options import RunOptions
from bulkzcrm.spec.operations import OPERATIONS

__all__ = ["Job", "Step", "load_job"]

_RENAMED: Final[Mapping[str, str]] = {
    "map": "mapping",
    "set": "constants",
    "ignore_column": "ignored",
}
_JOB_KEYS: Final = frozenset({"name", "on_failed_rows", "yes", "profile", "output", "format", "step", "schedule"})
_STEP_KEYS: Final = frozenset({"operation", "source", "name"})
_OPTION_KEYS: Final = frozenset(each.name for each in fields(RunOptions)) - frozenset(_RENAMED.values()) | frozenset(
    _RENAMED
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One run of a job."""

    operation: str
    source: Path
    options: RunOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job file as read; its paths are absolute."""

    name: str
    file: Path
    steps: tuple[Step, ...]
    goes_on_after_failed_rows: bool = False
    yes: bool = False
    profile: str | None = None
    schedule: str | None = None
    """Kept for a scheduler to come; nothing acts upon it yet."""
    output: Path | None = None
    formats: tuple[str, ...] = ("csv",)


def load_job(file: Path) -> Job:
    """Read a job file. Raises `JobError` naming the file, the key and the cure."""
    table = _table(file)
    _refuse_unknown(file, "the job", table, _JOB_KEYS | _OPTION_KEYS)
    policy = _text(file, table, "on_failed_rows") or "stop"
    if policy not in ("stop", "continue"):
        raise JobError(f"{file}: on_failed_rows is “{policy}”.", "Write “stop” or “continue”.")
    steps = table.get("step")
    if not isinstance(steps, list) or not steps or not all(isinstance(step, dict) for step in steps):
        raise JobError(f"{file} has no steps.", "Write at least one [[step]] with operation and source.")
    common = {key: value for key, value in table.items() if key in _OPTION_KEYS}
    yes = table.get("yes", False)
    if not isinstance(yes, bool):
        raise JobError(f"{file}: yes is neither true nor false.", "Write yes = true, or leave it out.")
    output = _text(file, table, "output")
    return Job(
        name=_text(file, table, "name") or file.stem,
        file=file.absolute(),
        steps=tuple(_step(file, number, {**common, **step}) for number, step in enumerate(steps, start=1)),
        goes_on_after_failed_rows=policy == "continue",
        yes=yes,
        profile=_text(file, table, "profile"),
        schedule=_text(file, table, "schedule"),
        output=file.absolute().parent / output if output else None,
        formats=tuple(each.strip() for each in (_text(file, table, "format") or "csv").split(",")),
    )


def _table(file: Path) -> dict[str, object]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise JobError(f"There is no job file {file}.", "Check the path.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise JobError(f"The job file {file} cannot be read: {error}.", "Give a TOML file in UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise JobError(f"The job file {file} is no valid TOML: {error}.", "Mend that line.") from error


def _step(file: Path, number: int, table: Mapping[str, object]) -> Step:
    where = f"step {number}"
    _refuse_unknown(file, where, table, _STEP_KEYS | _OPTION_KEYS)
    operation, source = _text(file, table, "operation"), _text(file, table, "source")
    if not operation or not source:
        raise JobError(f"{file}: {where} lacks {'source' if operation else 'operation'}.", "Add it to the step.")
    if operation not in OPERATIONS:
        near = difflib.get_close_matches(operation, OPERATIONS, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"Choose one of {', '.join(OPERATIONS)}."
        raise JobError(f"{file}: {where} names the operation “{operation}”, which there is not.", hint)
    given = {_RENAMED.get(key, key): value for key, value in table.items() if key in _OPTION_KEYS}
    if isinstance(given.get("ignored"), str):
        given["ignored"] = [given["ignored"]]
    for name in ("max_errors", "leave_credits"):
        if name in given:
            given[name] = str(given[name])
    try:
        options = msgspec.convert(given, RunOptions)
    except msgspec.ValidationError as error:
        said = str(error)
        for key, name in _RENAMED.items():
            said = said.replace(f"$.{name}", f"$.{key}")
        raise JobError(f"{file}: {where} has an option of the wrong kind: {said}.", "Mend that value.") from error
    return Step(operation=operation, source=file.absolute().parent / source, options=options)


def _refuse_unknown(file: Path, where: str, table: Mapping[str, object], known: frozenset[str]) -> None:
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"What there is: {', '.join(sorted(known))}."
            raise JobError(f"{file}: {where} has the key “{key}”, which means nothing here.", hint)


def _text(file: Path, table: Mapping[str, object], key: str) -> str | None:
    value = table.get(key)
    if value is not None and not isinstance(value, str):
        raise JobError(f"{file}: {key} is no text.", f'Write {key} = "…".')
    return value
