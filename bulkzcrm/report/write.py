"""The files of a report: `results.csv` and `failed.csv` always, others on request, each whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from bulkzcrm.errors import UsageError
from bulkzcrm.model import Column
from bulkzcrm.report.csv_report import write_csv
from bulkzcrm.report.files import Replace, write_whole
from bulkzcrm.report.jsonl_report import write_jsonl
from bulkzcrm.report.rows import RowSource

__all__ = ["FORMATS", "Written", "write_reports"]

FORMATS = ("csv", "xlsx", "jsonl")
"""What `formats` may name."""


@dataclass(frozen=True, slots=True)
class Written:
    """What was written.

    `files` holds absolute paths by the names they have in the summary (`results`, `failed`, `results_xlsx`,
    `results_jsonl`), `notes` sentences for the user about what is not as one would expect.
    """

    files: dict[str, Path]
    notes: tuple[str, ...] = ()


def write_reports(
    folder: Path,
    columns: Sequence[Column],
    rows: RowSource,
    failed: RowSource,
    *,
    formats: Sequence[str] = (),
    sheet: str = "results",
    failed_name: str = "failed.csv",
    replace: Replace = os.replace,
) -> Written:
    """Write the report into a folder, which is made if need be; an older report there is replaced file by file.

    `columns` are those to carry (without the ten of an earlier report), `rows` begins all rows in source order,
    `failed` those that `failed.csv` (or `failed_name`) shall hold. `sheet` names the workbook's sheet. Memory does not
    grow with the number of rows. Raises `UsageError` for a format that is none of `FORMATS`, before anything is
    written, and `OutputError` when a file cannot be written; those already there are whole.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        raise UsageError(f"There is no report format {unknown[0]!r}.", f"Choose from {', '.join(FORMATS)}.")

    notes: list[str] = []

    def fill_results(stream: BinaryIO) -> None:
        write_csv(stream, columns, rows())

    def fill_failed(stream: BinaryIO) -> None:
        write_csv(stream, columns, failed())

    def fill_xlsx(stream: BinaryIO) -> None:
        from bulkzcrm.report.xlsx_report import write_xlsx  # noqa: PLC0415 - seldom wanted

        notes.extend(write_xlsx(stream, columns, rows(), sheet=sheet))

    def fill_jsonl(stream: BinaryIO) -> None:
        write_jsonl(stream, columns, rows())

    wanted = {"results": ("results.csv", fill_results), "failed": (failed_name, fill_failed)}
    if "xlsx" in formats:
        wanted["results_xlsx"] = ("results.xlsx", fill_xlsx)
    if "jsonl" in formats:
        wanted["results_jsonl"] = ("results.jsonl", fill_jsonl)

    files: dict[str, Path] = {}
    for key, (name, fill) in wanted.items():
        placed = write_whole(folder, name, fill, replace=replace)
        files[key] = placed.path
        if placed.note:
            notes.append(placed.note)
    return Written(files, tuple(notes))
