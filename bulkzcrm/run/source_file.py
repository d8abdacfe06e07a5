"""What became of the file that a run was read from; a run that is carried on with sends the journal's rows anyway."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bulkzcrm.errors import SourceError
from bulkzcrm.events import Noted
from bulkzcrm.ingest import content_hash
from bulkzcrm.journal import Run
from bulkzcrm.model import Json

__all__ = ["as_kept", "kept_file", "regular_file", "what_became_of"]

_FILE: Final = "source_file"
"""Under this name the journal keeps where the file was: users type paths that another folder gives another meaning."""


def regular_file(name: str | Path) -> Path | None:
    """Return the absolute path of a file that can be read again later; nothing for `-`, pipes and what is not there."""
    path = Path(name).absolute()
    return path if str(name) != "-" and path.is_file() else None


def as_kept(file: Path | None) -> Mapping[str, Json]:
    """Return what the journal keeps of a run's file."""
    return {} if file is None else {_FILE: str(file)}


def kept_file(run: Run) -> Path | None:
    """Return where the file of a run was, if it was read from one."""
    kept = run.lookups.get(_FILE)
    return Path(kept) if isinstance(kept, str) else None


def what_became_of(run: Run) -> Noted | None:
    """Return what a person who carries on should know about the source's file; nothing where it is as it was.

    A changed file is a warning, since somebody may expect the changes to be sent; a missing one is merely noted.
    """
    file = kept_file(run)
    if file is None:
        return None
    if not file.is_file():
        return Noted(f"{file} is no longer there. It is not needed: the journal holds the rows.")
    try:
        changed = content_hash(file) != run.source_sha256
    except SourceError as error:
        return Noted(f"{error.message} It is not needed: the journal holds the rows.")
    if not changed:
        return None
    return Noted(
        f"{file} has changed since the run was begun. The run carries on with the rows as they were read then, and "
        "nothing of the changes is sent; for those, begin a new run of the file when this one is finished.",
        warning=True,
    )
