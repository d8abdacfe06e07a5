"""A source checked by itself: no network, nothing sent, nothing kept; and what only the organisation could tell."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from anyio import to_thread

from bulkzcrm.convert import ColumnMap
from bulkzcrm.events import Noted
from bulkzcrm.journal import Counters, Journal, NewRun
from bulkzcrm.model import Column, Table
from bulkzcrm.run.folders import ready_folder
from bulkzcrm.run.ingesting import JudgeAtOnce, Taken, take_in, time_zone
from bulkzcrm.run.judging import Judge
from bulkzcrm.run.judging_all import judge_repeated
from bulkzcrm.run.keys import keys_of
from bulkzcrm.run.options import RunOptions, credit_floor, error_limit
from bulkzcrm.run.origin import Origin
from bulkzcrm.run.reporting import Ending, project
from bulkzcrm.run.run_id import new_run_id
from bulkzcrm.run.source_file import as_kept
from bulkzcrm.run.surroundings import Surroundings
from bulkzcrm.spec.fields import Kind
from bulkzcrm.spec.operation import Operation
from bulkzcrm.spec.unique import keyed

__all__ = ["check"]

_TIMED = frozenset({Kind.DATE, Kind.DATES, Kind.DATETIME})


async def check(
    origin: Origin,
    operation: Operation,
    options: RunOptions,
    around: Surroundings,
    *,
    folder: Path,
    formats: Sequence[str] = ("csv",),
) -> Ending:
    """Ingest only: no network, nothing sent, nothing kept; the same report."""
    operation = keyed(operation, options.unique_field)
    ready_folder(folder, None)
    error_limit(options.max_errors, 0)
    credit_floor(options.leave_credits, None)
    begun = around.clock()

    def work(journal: Journal) -> Ending:
        run_id = new_run_id(around)

        def begin_run(table: Table, columns: tuple[Column, ...]) -> tuple[str, int]:
            journal.add_run(
                NewRun(
                    id=run_id,
                    operation=operation.name,
                    api_domain="",
                    source=origin.name,
                    sheet=table.sheet,
                    columns=columns,
                    header_row=table.header_row,
                    formats=tuple(formats),
                    options=options.to_json(),
                    reading=table.reading,
                    lookups=as_kept(origin.file),
                )
            )
            return run_id, 0

        judges: list[Judge] = []

        def judging(column_map: ColumnMap) -> JudgeAtOnce:
            judge = Judge(
                operation=operation,
                organisation=None,
                letters=column_map.letters,
                now=around.clock(),
                time_zone=time_zone(options.time_zone),
                allow_duplicates=options.allow_duplicates,
                keys=keys_of(operation, None, run_id, given={*column_map.fields, *column_map.constants}),
                announce=around.announce,
            )
            judges.append(judge)
            return judge

        with origin.open() as table:
            taken = take_in(
                table,
                operation,
                options,
                journal,
                partial(begin_run, table),
                announce=around.announce,
                go_on=around.stop.go_on,
                judging=judging,
            )
        # Only a workbook is written from the source's own file.
        content = origin.content_hash() if "xlsx" in formats else None
        journal.update_run(run_id, 0, decisions=taken.decisions(), source_sha256=content)
        taken.tell(around.announce)
        (judge,) = judges
        verdicts = judge_repeated(
            judge, journal, run_id, lambda settled: journal.settle_rows(run_id, 0, settled), taken.rows
        )
        left_open = _not_checked(operation, taken, verdicts.abstained, zone_known=options.time_zone is not None)
        journal.add_counts(run_id, 0, Counters(seconds=(around.clock() - begun).total_seconds()))
        ending = project(journal, journal.run(run_id), folder, resume=None, not_checked=left_open)
        for note in ending.notes:
            around.announce(Noted(note, warning=True))
        return ending

    with Journal.temporary() as journal:
        return await to_thread.run_sync(work, journal)


def _not_checked(operation: Operation, taken: Taken, abstained: set[str], *, zone_known: bool) -> tuple[str, ...]:
    """Return sentences about what only the organisation can tell, its time zone included."""
    given = {*taken.column_map.fields, *taken.column_map.constants}
    looked_up = [each.label for each in operation.fields if each.lookup is not None and each.name in given]
    said = []
    if looked_up:
        said.append(f"Whether the organisation has what is named in: {', '.join(looked_up)}.")
    if operation.key:
        said.append(f"Whether {operation.key} is a unique field there, and whether a value is taken already.")
    if operation.find_by:
        said.append(f"Whether the records exist that {' or '.join(operation.find_by)} names.")
    timed = [each.label for each in operation.fields if each.kind in _TIMED and each.name in given]
    if timed and not zone_known:
        said.append(
            f"Whether what stands in {', '.join(timed)} is past or to come, where the time zone decides: without "
            "--time-zone it is called wrong only if it is wrong in every zone."
        )
    said += [
        rule.says
        for rule in operation.rules
        if (rule.needs or rule.name in abstained) and any(name in given for name in rule.looks_at)
    ]
    return tuple(dict.fromkeys(said))
