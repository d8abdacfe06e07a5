"""The files of a report: `results.csv`, `failed.csv` and the summary always, others on request.

All of them are written aside first, and then put in place together: what takes long is over before the first of them
stands there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, TypeAlias, final

from bulkzcrm.errors import UsageError
from bulkzcrm.model import Column
from bulkzcrm.report.causes import Causes
from bulkzcrm.report.csv_report import write_csv
from bulkzcrm.report.files import Aside, Replace, Telling, delete_leftovers, make_names_durable, write_aside
from bulkzcrm.report.jsonl_report import write_jsonl
from bulkzcrm.report.rows import ReportPage, RowSource, each_row
from bulkzcrm.report.summary import Summary, summary_aside, summary_in_place

__all__ = ["FORMATS", "Prepared", "Written", "prepared_report"]

FORMATS = ("csv", "xlsx", "jsonl", "html")
"""What `formats` may name. The page tells more than the rows: whoever knows that of a run adds it (`Prepared.add`)."""

_RESULTS, _RESULTS_NAME = "results", "results.csv"
_FAILED = "failed"

_Fills: TypeAlias = Mapping[str, tuple[str, Callable[[BinaryIO], None]]]


@dataclass(frozen=True, slots=True)
class Written:
    """What was written.

    `files` holds absolute paths by the names they have in the summary (`results`, `failed`, `results_xlsx`,
    `results_jsonl`, `results_html`), `notes` sentences for the user about what is not as one would expect.
    """

    files: dict[str, Path]
    notes: tuple[str, ...] = ()


@final
@dataclass(frozen=True, slots=True)
class Prepared:
    """The files of a report, whole and durable, but not yet in their places.

    Nothing that takes long is left to do, so that it can be done while others wait.
    """

    folder: Path
    notes: list[str] = field(default_factory=list)
    """Sentences for the user."""
    causes: Causes = field(default_factory=Causes)
    """What went wrong, counted while `results.csv` was written."""
    _asides: dict[str, Aside] = field(default_factory=dict)
    _summaries: list[tuple[Aside, Summary]] = field(default_factory=list)

    @property
    def failed(self) -> Path:
        """Where the rows that failed lie until they are put in place."""
        return self._asides[_FAILED].path

    def path(self, key: str) -> Path | None:
        """Return where a file lies until it is put in place, nothing where there is none of that key."""
        aside = self._asides.get(key)
        return None if aside is None else aside.path

    def target(self, key: str) -> Path | None:
        """Return where a file is meant to stand."""
        aside = self._asides.get(key)
        return None if aside is None else aside.target

    def add(self, key: str, name: str, fill: Callable[[BinaryIO], None]) -> None:
        """Write one file aside."""
        self._asides[key] = write_aside(self.folder, name, fill)

    def add_results(self, columns: Sequence[Column], pages: Iterable[ReportPage]) -> None:
        """Write all rows aside as `results.csv`, and by the same pass those that failed as `failed.csv`."""

        def fill(results: BinaryIO) -> None:
            telling = Telling(results, self.folder.absolute() / _RESULTS_NAME)

            def fill_failed(failed: BinaryIO) -> None:
                write_csv(telling, columns, self.causes.watching(pages), failed=failed)

            self.add(_FAILED, "failed.csv", fill_failed)

        self.add(_RESULTS, _RESULTS_NAME, fill)
        # They are told in this order.
        self._asides[_FAILED] = self._asides.pop(_FAILED)

    def summarise(self, summary: Summary, *, failed_name: str = "failed.csv") -> None:
        """Write a summary aside, too: it names the files as they are called if nothing stands in their way."""
        expected = {key: aside.target for key, aside in self._asides.items()}
        self._summarise(summary, {**expected, _FAILED: expected[_FAILED].with_name(failed_name)})

    def put_in_place(self, *, failed_name: str = "failed.csv", replace: Replace = os.replace) -> Written:
        """Put all files in place; the rows that failed under that name. An older report is replaced file by file.

        The summary comes last. Raises `OutputError` when a file cannot be put in place; those already there are whole.
        """
        files: dict[str, Path] = {}
        notes = list(self.notes)
        for key, aside in self._asides.items():
            placed = aside.put_in_place(replace=replace, name=failed_name if key == _FAILED else None)
            files[key] = placed.path
            notes += [placed.note] if placed.note else []
        if self._summaries:
            aside, summary = self._summaries[-1]
            if any(summary.files[key] != path for key, path in files.items()):
                # A file has another name than was expected.
                self._summarise(summary, files)
                aside, summary = self._summaries[-1]
            files["summary"] = summary_in_place(aside, summary, replace=replace)
        return Written(files, tuple(notes))

    def _summarise(self, summary: Summary, files: Mapping[str, Path]) -> None:
        whole = summary.with_files(files)
        self._summaries.append((summary_aside(self.folder, whole), whole))

    def discard(self) -> None:
        """Delete what was not put in place."""
        for aside in (*self._asides.values(), *(aside for aside, _ in self._summaries)):
            aside.discard()


@contextmanager
def prepared_report(
    folder: Path,
    columns: Sequence[Column],
    rows: RowSource,
    *,
    formats: Sequence[str] = (),
    sheet: str = "results",
) -> Iterator[Prepared]:
    """Write the report aside in a folder, which is made if need be; what is not put in place inside is deleted.

    So is what processes that were killed have left of theirs.

    `columns` are those to carry (without the ten of an earlier report), `rows` begins all rows in source order.
    `sheet` names the workbook's sheet. Memory does not grow with the
    number of rows. Raises `UsageError` for a format that is none of `FORMATS`, before anything is written, and
    `OutputError` when a file cannot be written; an older report is then as it was.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        raise UsageError(f"There is no report format {unknown[0]!r}.", f"Choose from {', '.join(FORMATS)}.")
    delete_leftovers(folder)
    prepared = Prepared(folder)
    try:
        prepared.add_results(columns, rows())
        for key, (name, fill) in _wanted(columns, rows, formats, sheet, prepared).items():
            prepared.add(key, name, fill)
        yield prepared
    finally:
        prepared.discard()
    # Behind what others wait for: a renaming that a power cut undoes leaves an older report, and that is whole.
    make_names_durable(folder)


def _wanted(
    columns: Sequence[Column],
    rows: RowSource,
    formats: Sequence[str],
    sheet: str,
    prepared: Prepared,
) -> _Fills:
    """Return the name of each file, and what fills it."""

    def fill_xlsx(stream: BinaryIO) -> None:
        from bulkzcrm.report.xlsx_report import write_xlsx  # noqa: PLC0415 - seldom wanted

        prepared.notes.extend(write_xlsx(stream, columns, rows(), sheet=sheet))

    def fill_jsonl(stream: BinaryIO) -> None:
        write_jsonl(stream, columns, each_row(rows()))

    wanted = {}
    if "xlsx" in formats:
        wanted["results_xlsx"] = ("results.xlsx", fill_xlsx)
    if "jsonl" in formats:
        wanted["results_jsonl"] = ("results.jsonl", fill_jsonl)
    return wanted
