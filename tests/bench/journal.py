"""What a row takes in a journal, and where: `python -m tests.bench.journal FOLDER` (that of BULKZCRM_HOME)."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from bulkzcrm.journal.place import FILE_NAME

_COLUMNS = ("cells", "record", "before_image", "problems", "identity", "fingerprint", "run", "record_id", "code")


def lines(path: Path) -> Iterator[str]:
    """Yield bytes a row: of the whole file, of each table and index, and of what the rows say."""
    with closing(sqlite3.connect(path.absolute().as_uri() + "?mode=ro", uri=True)) as connection:
        (rows,) = connection.execute("SELECT COUNT(*) FROM source_row").fetchone()
        if not rows:
            yield "no rows"
            return
        yield f"{rows:,} rows"
        yield f"{path.stat().st_size / rows:8.1f}  the file"
        try:
            found = connection.execute(
                "SELECT name, SUM(pgsize), SUM(unused) FROM dbstat GROUP BY name ORDER BY SUM(pgsize) DESC LIMIT 6"
            ).fetchall()
        except sqlite3.OperationalError:
            found = []  # a SQLite that was built without that table
        for name, size, unused in found:
            yield f"{size / rows:8.1f}  {name} ({unused / rows:.1f} of it empty)"
        for column in _COLUMNS:
            (size,) = connection.execute(f"SELECT SUM(LENGTH(CAST({column} AS BLOB))) FROM source_row").fetchone()  # noqa: S608  ours
            yield f"{(size or 0) / rows:8.1f}  source_row.{column}"


if __name__ == "__main__":
    for line in lines(Path(sys.argv[1]) / FILE_NAME):
        sys.stdout.write(f"{line}\n")
