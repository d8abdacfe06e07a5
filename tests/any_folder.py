"""Checks every file of a folder, whatever it is: each must end as a table with verdicts or as a refusal with a cure.

    python -m tests.any_folder FOLDER [--operation create-services] [--seconds 60] [--first-fields]

Each file is checked by a process of its own, without any network, and its answer is one line: rows and valid rows, or
the refusal. A traceback, a process that dies, and one that takes longer than `--seconds` are faults; with any of them
the exit status is 1. Most tables have other columns than the operation wants, and are refused for that; with
`--first-fields` the operation's fields are given to the first columns in turn, so that every row is judged, too.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio

from bulkzcrm.errors import RefusedError
from bulkzcrm.ingest import open_source
from bulkzcrm.library import RunOptions, check
from bulkzcrm.model import Status
from bulkzcrm.spec.fields import Field, Lookup
from bulkzcrm.spec.operations import OPERATIONS

_TEXTS = ("", ".csv", ".tsv", ".txt", ".tab", ".jsonl", ".json", ".xml", ".htm", ".html")
_WORKBOOKS = (".xls", ".xlt", ".xlsx", ".xlsm", ".xltx", ".xlsb", ".ods", ".ots", ".fods")
_CHECKED, _REFUSED = "checked", "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How the check of one file ended (`checked`, `refused`; else it is a fault), and what it said."""

    ending: str
    said: str
    seconds: float

    @property
    def is_fault(self) -> bool:
        return self.ending not in {_CHECKED, _REFUSED}


def answer_of(file: Path, operation: str, *, seconds: float, first_fields: bool) -> Answer:
    """Check one file in a process of its own."""
    command = [sys.executable, str(Path(__file__).resolve()), str(file), "--alone", "--operation", operation]
    command += ["--first-fields"] if first_fields else []
    begun = time.monotonic()
    try:
        ended = subprocess.run(command, capture_output=True, timeout=seconds, check=False)  # noqa: S603 - ours
    except subprocess.TimeoutExpired:
        return Answer(ending="hung", said=f"more than {seconds:.0f} s", seconds=time.monotonic() - begun)
    ending, _, said = ended.stdout.decode(errors="replace").rstrip().partition("\t")
    if ended.returncode or ended.stderr or ending not in {_CHECKED, _REFUSED}:
        err = ended.stderr.decode(errors="replace")
        ending, said = "a fault", f"status {ended.returncode}, {err[-3000:]}{ending}"
    return Answer(ending=ending, said=said, seconds=time.monotonic() - begun)


def check_alone(file: Path, operation: str, *, first_fields: bool) -> str:
    """Check one file in this process, and return the ending and what it says."""
    try:
        options = _matching(file, operation) if first_fields else RunOptions()
        with tempfile.TemporaryDirectory() as folder:
            summary = anyio.run(partial(check, operation, file, folder=Path(folder), options=options))
    except RefusedError as error:
        if not error.cure:
            raise
        return f"{_REFUSED}\t{error}"
    return f"{_CHECKED}\t{summary.rows} rows, {summary.counts.get(Status.VALID, 0)} valid"


def _matching(file: Path, operation: str) -> RunOptions:
    """Return the options that give the operation's fields to the columns in turn, as far as their names go."""
    with open_source(file) as table:
        names = [column.name for column in table.columns]
    usable = [name for name in names if name.strip() and names.count(name) == 1]
    fields = OPERATIONS[operation].fields
    return RunOptions(
        mapping={name: field.name for name, field in zip(usable, fields, strict=False)},
        constants={field.name: _any_value(field) for field in fields[len(usable) :] if field.mandatory},
        allow_duplicates=True,
    )


def _any_value(field: Field) -> str:
    if field.lookup is Lookup.USERS:
        return "ann@example.com"
    return field.choices[0] if field.choices else "60"


def files_of(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder, and of the folders in it, that may be sources by their names or lack of one."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix.casefold() in {*_TEXTS, *_WORKBOOKS}:
            yield path


def check_folder(folder: Path, operation: str, *, seconds: float, jobs: int, first_fields: bool) -> int:
    """Check all files of a folder, and return how many ended in a fault, or -1 if there were none."""
    counts: Counter[str] = Counter()
    faults = 0
    files = list(files_of(folder))
    asked = partial(answer_of, operation=operation, seconds=seconds, first_fields=first_fields)
    with ThreadPoolExecutor(jobs) as threads:
        for file, answer in zip(files, threads.map(asked, files), strict=True):
            counts[answer.ending] += 1
            faults += answer.is_fault
            said = answer.said if answer.is_fault else answer.said.replace("\n", " ")
            sys.stdout.write(f"{answer.ending:8} {answer.seconds:5.1f} s  {file.relative_to(folder)}: {said}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{len(files)} files: {', '.join(f'{number} {ending}' for ending, number in counts.items())}\n")
    return faults if files else -1


def main(arguments: Sequence[str] | None = None) -> int:
    """Check what the command line names, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--operation", default="create-services", choices=sorted(OPERATIONS))
    parser.add_argument("--seconds", type=float, default=60.0, help="how long one file may take")
    parser.add_argument("--jobs", type=int, default=1, help="how many files at once")
    parser.add_argument("--first-fields", action="store_true", help="give the operation's fields to the first columns")
    parser.add_argument("--alone", action="store_true", help="FOLDER is one file, to be checked in this process")
    given = parser.parse_args(arguments)
    if given.alone:
        sys.stdout.write(check_alone(given.folder, given.operation, first_fields=given.first_fields) + "\n")
        return 0
    found = check_folder(
        given.folder, given.operation, seconds=given.seconds, jobs=given.jobs, first_fields=given.first_fields
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
