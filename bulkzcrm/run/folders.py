"""Whose folder a report goes into: a run's own, and no report takes the place of another run's."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bulkzcrm.errors import OutputError, UsageError
from bulkzcrm.journal import Journal
from bulkzcrm.report import WRITTEN_AGAIN, holds_a_report
from bulkzcrm.run.lease import dead

__all__ = ["FolderTakenError", "ready_folder", "refuse_folder_of_another", "refuse_taken"]


class FolderTakenError(OutputError):
    """Another report stands in the folder by now; `elsewhere` is one where this one can go."""

    def __init__(self, folder: Path, run: str) -> None:
        super().__init__(
            f"{folder} holds the report of another run, or of a check, by now.",
            f"Choose another folder with --output{WRITTEN_AGAIN}",
        )
        self.elsewhere = folder.with_name(f"{folder.name}-{run}")
        self._facts = folder, run

    def __reduce__(self) -> tuple[type[FolderTakenError], tuple[Path, str]]:
        return type(self), self._facts


def ready_folder(folder: Path, run: str | None, *, own: bool = False) -> None:
    """Make the folder of a report. Raises `UsageError` when it holds another run's report, or cannot be written.

    In the run's `own` folder a report without a summary is one of its own that could not be written to its end.
    """
    if holds_a_report(folder, other_than=run, signed=own):
        raise UsageError(f"{folder} already holds the report of another run.", "Name another folder with --output.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageError(
            f"The report cannot be written into {folder}: {error.strerror or error}.",
            "Name a folder that you may write to with --output.",
        ) from error


def refuse_folder_of_another(journal: Journal, folder: Path, run: str, now_ms: int) -> None:
    """Raise `UsageError` while a process is at work on another run that will write its report into that folder.

    The journal knows, and no mark in the folder: that would be left behind by a process that is killed.
    """
    for other in journal.reports().at_work(now_ms):
        if other.id != run and _are_one(Path(other.output or other.id), folder) and not dead(other.owner):
            raise UsageError(
                f"Another run, {other.id}, is at work and will write its report into {folder}.",
                "Name another folder with --output.",
            )


def refuse_taken(folder: Path, run: str, *, checking: bool) -> None:
    """Raise `FolderTakenError` when another run, or a check, has put its report there since the folder was made."""
    if holds_a_report(folder, other_than=None if checking else run, signed=True):
        raise FolderTakenError(folder, run)


def _are_one(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return one.absolute() == other.absolute()
