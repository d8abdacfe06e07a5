"""Rows of a report that are about to be sent a second time: given back before, or taken by a retry.

A report that stays as it was written does not tell what became of its rows since; the journal does, however many
reports lie between.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

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
    before = list(journal.given_back_before(run))
    folders = _folders_of_one_source(_folder(run, journal), before, journal)
    for earlier in before:
        is_of_one_report = _folder(earlier, journal) in folders
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


def _folders_of_one_source(folder: Path | None, runs: Sequence[Run], journal: JournalReader) -> frozenset[Path]:
    """Return the folders of all reports that come from the one in a folder, or from which it comes."""
    if folder is None:
        return frozenset()
    links = [(given, Path(run.output).absolute()) for run in runs if run.output and (given := _folder(run, journal))]
    folders, seen = {folder}, 0
    while seen < len(folders):
        seen = len(folders)
        for link in links:
            if not folders.isdisjoint(link):
                folders.update(link)
    return frozenset(folders)


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
