"""What a person calls a source → where a run's rows come from."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from pathlib import Path

from bulkzcrm.ingest import ReadOptions, Source, open_source
from bulkzcrm.model import Table
from bulkzcrm.run.options import RunOptions
from bulkzcrm.run.origin import Origin
from bulkzcrm.run.source_file import regular_file

__all__ = ["origin_of"]


def origin_of(source: Source, options: RunOptions) -> Origin:
    """Return where rows come from: a file, a stream, a frame, or standard input for `-`."""
    read = ReadOptions(
        sheet=options.sheet, header_row=options.header_row, encoding=options.encoding, delimiter=options.delimiter
    )
    opened = open_source(sys.stdin.buffer if isinstance(source, str) and source == "-" else source, read)

    def opening() -> AbstractContextManager[Table]:
        return opened

    name = source if isinstance(source, str) else str(getattr(source, "name", type(source).__name__))
    file = regular_file(source) if isinstance(source, str | Path) else None
    return Origin(name=name, open=opening, content_hash=lambda: opened.content_hash, file=file)
