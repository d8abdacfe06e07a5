"""Rows of a report as its files are given them."""

from collections.abc import Iterable, Iterator
from itertools import islice

from bulkzcrm.blocks import strip_of
from bulkzcrm.report import ReportPage, ReportRow


def paged(rows: Iterable[ReportRow], size: int = 500) -> Iterator[ReportPage]:
    """Yield rows that come one by one as pages; such as are rejected or invalid have failed."""
    waiting = iter(rows)
    while some := list(islice(waiting, size)):
        strips = [strip_of(column) for column in zip(*(row.cells for row in some), strict=True)]
        problems = {place: row.problems for place, row in enumerate(some) if row.problems}
        failed = [place for place, row in enumerate(some) if row.result[1] in {"rejected", "invalid"}]
        yield ReportPage(strips, [row.result for row in some], problems, failed)
