"""Rows of a report that are about to be sent a second time: given back before, or taken by a retry.

A report that stays as it was written does not tell what became of its rows since; the journal does, however many
reports lie between.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import final

from bulkzcrm.cells import counted
from bulkzcrm.errors import UsageError
from bulkzcrm.journal import JournalReader, Run, RunState
from bulkzcrm.run.source_file import kept_file

__all__ = ["refuse_given_back_again"]

_NAMES = ("results.", "results (", "failed.", "failed (")
"""How the files of a report are called."""


def refuse_given_back_again(run: Run, journal: JournalReader) -> None:
    """Raise `UsageError` where rows of a report, or of a retry, were sent by an earlier run of the same report.

    Rows of reports that come from each other are known by their names; from a copy elsewhere, by all their cells.
    """
    if not _is_of_a_report(run):
        return
    lineage = _Lineage(journal)
    origin = lineage.origin(run)
    for earlier in journal.given_back_before(run):
        is_of_one_report = origin is not None and origin == lineage.origin(earlier)
        if run.retry_of is not None and (earlier.retry_of is not None or not is_of_one_report):
            # Which rows earlier retries took, the journal knows anyway.
            continue
        count, first = journal.rows_given_before(run, earlier, by_identity=is_of_one_report)
        if count:
            raise _refusal(run, earlier, count, first)


def _is_of_a_report(run: Run) -> bool:
    result_columns = run.decisions.get("result_columns")
    return run.retry_of is not None or (isinstance(result_columns, Mapping) and "result_row" in result_columns)


def _folder(run: Run, journal: JournalReader) -> Path | None:
    """Return the folder of the report that a run's rows are of."""
    if run.retry_of is not None:
        output = journal.run(run.retry_of).output
        return None if output is None else Path(output).absolute()
    file = kept_file(run)
    # Under other names, a folder may hold copies of several reports.
    return file.parent if file is not None and file.name.startswith(_NAMES) else None


@final
class _Lineage:
    """Tells from which source a report comes, through however many runs that it was given back to."""

    def __init__(self, journal: JournalReader) -> None:
        self._journal = journal
        self._written: dict[str, list[str]] = {}
        """Which runs have written their reports into a folder, the newest first: one may be used again."""
        for run, output in journal.outputs():
            self._written.setdefault(os.path.realpath(output), []).append(run)

    def origin(self, run: Run) -> str | None:
        """Return the first run of all, or the folder where that cannot be told; nothing for a copy of a report."""
        folder = _folder(run, self._journal)
        if folder is None:
            return None
        place = os.path.realpath(folder)
        writer = next((each for each in self._written.get(place, ()) if each < run.id), None)
        if writer is None:
            return place
        before = self._journal.run(writer)
        return (self.origin(before) or before.id) if _is_of_a_report(before) else before.id


def _refusal(run: Run, earlier: Run, count: int, first: int) -> UsageError:
    how = "taken" if earlier.retry_of is not None else "given back"
    by = "by" if earlier.retry_of is not None else "to"
    rows, were = counted(count, "row"), "was" if count == 1 else "were"
    told = f"{rows} of {run.source}, first row {first:,}, {were} {how} before, {by} the run {earlier.id}"
    if earlier.state is not RunState.FINISHED:
        return UsageError(
            f"{told}, which is not finished.",
            f"Carry on with `bulkzcrm resume {earlier.id}`, and mend its report when it is finished.",
        )
    cure = f"Mend the report of that run instead, which tells so (`bulkzcrm report {earlier.id}` writes it again)"
    once_more = (
        f"; rows that it was not given: give back failed.csv of the run {run.retry_of} without the others."
        if run.retry_of is not None
        else "; to create those records once more, add --again."
    )
    return UsageError(f"{told}, which has sent {'it' if count == 1 else 'them'}.", cure + once_more)
