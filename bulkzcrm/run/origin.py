"""Where the rows of a run come from, whatever it is: a file, a stream, a frame, or the failed rows of another run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from bulkzcrm.model import Table

__all__ = ["Origin"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where the rows of a run come from: a source that can be opened, and the hash of its content once it is read.

    `take` is called with the run's id in the transaction that ends the ingest of a retry: it takes the rows that were
    read from the earlier run, so that they belong to this one from the instant from which it can be resumed. `file` is
    where the source lies, if it is a file (an absolute path).
    """

    name: str
    open: Callable[[], AbstractContextManager[Table]]
    content_hash: Callable[[], str]
    retry_of: str | None = None
    take: Callable[[str], None] | None = None
    file: Path | None = None
