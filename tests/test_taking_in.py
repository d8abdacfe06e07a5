"""The first phase: others have the journal while a source is read, and cells may be as long as they like."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from bulkzcrm.cells import column_letter
from bulkzcrm.events import Event
from bulkzcrm.journal import Journal, NewRun
from bulkzcrm.model import Column, Row, Table
from bulkzcrm.run.ingesting import take_in
from bulkzcrm.run.options import RunOptions
from bulkzcrm.spec.operations import OPERATIONS

RUN: Final = "a run"
UPDATING: Final = OPERATIONS["update-services"]
NAMES: Final = ("id", "Description")


def unheard(event: Event) -> None:
    del event


def new_run(run: str, columns: tuple[Column, ...]) -> NewRun:
    return NewRun(id=run, operation=UPDATING.name, api_domain="", source="rows.csv", columns=columns, header_row=1)


def taken_in(journal: Journal, rows: Iterator[Row]) -> None:
    def begin(kept: tuple[Column, ...]) -> tuple[str, int]:
        journal.add_run(new_run(RUN, kept))
        return RUN, 0

    columns = tuple(Column(place, column_letter(place), name) for place, name in enumerate(NAMES))
    take_in(
        Table("rows.csv", columns, rows, 1),
        UPDATING,
        RunOptions(),
        journal,
        begin,
        announce=unheard,
        go_on=lambda: None,
    )


def test_others_have_the_journal_while_the_source_is_read(tmp_path: Path):
    """However long that takes: a source may be on a slow disk, and other runs are sending meanwhile."""
    with Journal.open(tmp_path) as journal, Journal.open(tmp_path) as other:
        looked: list[int] = []

        def rows() -> Iterator[Row]:
            for number in range(2, 3002):
                assert not journal.in_transaction
                if number % 500 == 7:
                    other.add_run(new_run(f"run {number}", ()))
                    looked.append(number)
                yield Row(number, (f"5545974000002{number:06}", "text"))

        taken_in(journal, rows())
        assert len(looked) == 6
        assert sum(journal.count_by_status(RUN).values()) == 3000


@pytest.mark.parametrize("text", ["x" * 30_000, "\u65e5" * 30_000])
def test_rows_with_long_cells_are_kept_some_at_a_time(tmp_path: Path, text: str):
    """A block is one value of the database, and is in memory as a whole."""
    with Journal.open(tmp_path) as journal:
        rows = [Row(number, (f"5545974000002{number:06}", f"{number} {text}")) for number in range(2, 602)]
        rows[500] = Row(502, (*rows[500].cells[:1], None), ("beyond",))
        taken_in(journal, iter(rows))
        sizes, after = [], 0
        while (block := journal.next_block(RUN, after)) is not None:
            after = block.last
            sizes.append(block.rows)
        kept = journal.rows(RUN)
        assert sum(sizes) == 600
        assert max(sizes) < 40
        assert [(row.number, row.cells, row.surplus) for row in kept] == [(r.number, r.cells, r.surplus) for r in rows]
