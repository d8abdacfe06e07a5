"""The tool's XLSX report alone: what it writes of a run, caught once, and written again as often as is wanted.

The pages are caught where the tool hands them to what writes workbooks, so that it does not matter how it holds them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any, BinaryIO

from bulkzcrm.report import xlsx_report

from .ours import command, expect_workbook
from .stopwatch import Stopwatch

__all__ = ["write_report"]


def write_report(watch: Stopwatch, *, source: str, good: int, bad: int, environ: dict[str, str], rows: int) -> int:
    """Write a report of so many rows, which are those of a source over and over."""
    write = xlsx_report.write_xlsx
    caught: list[tuple[Sequence[Any], list[Any], dict[str, Any]]] = []

    def catch(stream: BinaryIO, columns: Sequence[Any], pages: Iterable[Any], **more: Any) -> tuple[str, ...]:
        caught.append((columns, list(pages), more))
        return write(stream, columns, caught[-1][1], **more)

    xlsx_report.write_xlsx = catch  # type: ignore[assignment]
    command(Stopwatch(), source=source, good=good, bad=bad, environ=environ, formats="csv,xlsx")
    ((columns, pages, more),) = caught
    in_all = sum(len(page.results) for page in pages)
    assert rows % in_all == 0, f"A report is of whole runs of {in_all} rows."
    watch.start()
    with Path("ours.xlsx").open("wb") as stream:
        write(stream, columns, islice(cycle(pages), len(pages) * (rows // in_all)), **more)
    watch.stop()
    expect_workbook(Path("ours.xlsx"), rows)
    return rows
