"""The report as a `pandas.DataFrame`, for those who use the library."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from bulkzcrm.cells import cell_text
from bulkzcrm.model import CellError, CellValue, Column, FormulaWithoutValue
from bulkzcrm.report.rows import RESULT_COLUMNS, ReportRow, cells_in

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["as_frame"]

_NUMBERS = {"result_row": "int64", "result_batch": "Int64", "result_attempts": "int64"}


def as_frame(columns: Sequence[Column], rows: Iterable[ReportRow]) -> pd.DataFrame:
    """Return the source's columns and then `RESULT_COLUMNS`, one line per row, in the order given.

    Source cells keep their own values (ids stay texts, money stays `Decimal`, blank is `None`), error values and
    formulas become texts. The numbers among the results are integers, `result_batch` missing where there was none.
    The frame holds all rows at once; for very many, write files instead.
    """
    import pandas as pd  # noqa: PLC0415 - half a second that only users of frames shall pay

    cells: list[list[CellValue]] = []
    results: list[tuple[str | int | None, ...]] = []
    cells_of = cells_in(columns)
    for row in rows:
        cells.append([_own_value(value) for value in cells_of(row.cells)])
        results.append(row.result)
    # Two frames side by side, because a source may repeat a header, even one of ours.
    source = pd.DataFrame(cells, columns=[column.name for column in columns], dtype=object)
    result = pd.DataFrame(results, columns=list(RESULT_COLUMNS), dtype=object).astype(_NUMBERS)
    return pd.concat([source, result], axis="columns")


def _own_value(value: CellValue) -> CellValue:
    return cell_text(value) if isinstance(value, CellError | FormulaWithoutValue) else value
