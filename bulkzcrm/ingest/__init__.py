"""Ingest: a workbook, a CSV or JSON Lines file, a stream or a DataFrame becomes a `Table` whose rows are read lazily.

Rows are numbered as a spreadsheet program shows them: in CSV each record is one row however many lines it spans, and
blank lines and a first line `sep=;` count; in JSON Lines it is the number of the line. A row without any value is no
row.
"""

from __future__ import annotations

from bulkzcrm.ingest.opening import OpenedSource, Source, content_hash, open_source
from bulkzcrm.ingest.options import ReadOptions

__all__ = ["OpenedSource", "ReadOptions", "Source", "content_hash", "open_source"]
