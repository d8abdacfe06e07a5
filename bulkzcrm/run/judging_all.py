"""All rows of a run judged, block by block: most are proven to be right together, the others are looked at one by one.

Only those rows are written back whose fate or identity changes, so that it can be done again after a stop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from bulkzcrm.blocks import Block
from bulkzcrm.events import RowsJudged
from bulkzcrm.journal import JournalReader, Progress, StoredRow, TouchedRow
from bulkzcrm.run.judging import Judge, Verdicts
from bulkzcrm.run.repeating import PAGE, Repetitions, Write

__all__ = ["judge_all", "judge_repeated", "pages"]

_UNSETTLED: Final = frozenset({Progress.PENDING, Progress.INVALID})


def judge_all(
    judge: Judge, journal: JournalReader, run: str, write: Write, go_on: Callable[[], None] = lambda: None
) -> Verdicts:
    """Judge every row that is not yet settled; `write` takes what changes, some rows at a time.

    `go_on` is asked again and again, and raises to end it there.
    """
    judged = after = 0
    while (block := journal.next_block(run, after)) is not None:
        after = block.last
        go_on()
        proven, ordinals = _screened(judge, block, journal.touched_rows(run, block.first, block.last))
        rows = journal.rows_of(run, block, ordinals)
        settlements = [settled for row in rows if not row.attempts and (settled := judge.row(row)) is not None]
        if judge.operation.creates:
            judge.note_sent(journal, run, [row for row in rows if row.attempts])
        if settlements:
            write(settlements)
        judged += proven + len(rows)
        judge.announce(RowsJudged(rows=judged))
    return judge_repeated(judge, journal, run, write, judged)


def judge_repeated(judge: Judge, journal: JournalReader, run: str, write: Write, judged: int) -> Verdicts:
    """Judge what shows only once so many rows were judged, each by itself: which of them repeat others."""
    Repetitions(
        operation=judge.operation,
        keys=judge.keys,
        allow_duplicates=judge.allow_duplicates,
        columns=judge.letters,
        with_cell=judge.with_cell,
        content=judge.content,
        announce=judge.announce,
    ).settle(journal, run, write)
    judge.announce(RowsJudged(rows=judged, final=True))
    return judge.verdicts


def pages(journal: JournalReader, run: str, *statuses: Progress) -> Iterator[list[StoredRow]]:
    """Yield the rows of a run in these states, a page at a time, in source order; without their cells."""
    after = 0
    while page := journal.rows_without_cells(run, after, PAGE, statuses):
        after = page[-1].ordinal
        yield page


def _screened(judge: Judge, block: Block, touched: Sequence[TouchedRow]) -> tuple[int, list[int]]:
    """Return how many rows of a block are proven to be right, and which ones (ordinals) have to be looked at.

    All but the `touched` rows wait to be sent for the first time.
    """
    first = block.first
    places = {row.ordinal - first for row in touched}
    apart = places.union(block.apart)
    plain = [place for place in range(block.rows) if place not in apart] if apart else range(block.rows)
    unproven = judge.unproven(block, plain)
    untouched = {*unproven, *(place for place in block.apart if place not in places)}
    ordinals = [row.ordinal for row in touched if row.status in _UNSETTLED]
    return len(plain) - len(unproven), [*ordinals, *(first + place for place in untouched)]
