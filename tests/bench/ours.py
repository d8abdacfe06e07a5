"""What is measured: this tool, by its public library alone, so that older commits can be measured with the same words.

Every work holds the summary, and the server's own account where there is one, against the source.
"""

from __future__ import annotations

import asyncio
import csv
import json
import os
import re
import sqlite3
import sys
from collections import Counter
from contextlib import redirect_stdout, suppress
from functools import partial
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from bulkzcrm.config import load_connection
from bulkzcrm.events import Begun, Event, RowsJudged, RowsRead, SendingEnded, SendingStarted
from bulkzcrm.ingest import open_source
from bulkzcrm.library import RunOptions, check, run

from .stopwatch import Stopwatch

__all__ = ["check_source", "expect_workbook", "ingest_source", "read_source", "run_source"]

_OPERATION = "create-services"


class _EnoughError(Exception):
    """The ingest is over, and nothing else is wanted."""


def read_source(watch: Stopwatch, *, source: str) -> int:
    """Read a source's rows and do nothing with them."""
    watch.start()
    rows = 0
    with open_source(source) as table:
        for _ in table.rows:
            rows += 1
    return rows


def check_source(watch: Stopwatch, *, source: str, good: int, bad: int) -> int:
    """`check` a source, report included."""
    watch.start()
    summary = asyncio.run(check(_OPERATION, source, folder=Path("report")))
    watch.stop()
    told = json.loads(summary.to_json())
    _expect(told["rows"] == good + bad and told["valid"] == good and told["invalid"] == bad, told)
    _expect_report(valid=good, invalid=bad)
    return good + bad


def ingest_source(watch: Stopwatch, *, source: str, good: int, bad: int, environ: dict[str, str]) -> int:
    """The first phase of a run: the whole source into the durable journal."""
    rows = 0
    begun = 0

    def listen(event: Event) -> None:
        nonlocal rows, begun
        if isinstance(event, RowsRead):
            rows = event.rows
        begun += isinstance(event, Begun)
        if begun == 2:
            watch.stop()
            raise _EnoughError

    connection = load_connection(profile=None, environ=environ, home=Path("home"))
    watch.start()
    with suppress(_EnoughError):
        asyncio.run(run(_OPERATION, source, connection=connection, folder=Path("report"), announce=listen))
    _expect(rows == good + bad, rows)
    return rows


def run_source(
    watch: Stopwatch,
    *,
    source: str,
    good: int,
    bad: int,
    environ: dict[str, str],
    options: dict[str, Any] | None = None,
    durable: bool = True,
    at_once: int | None = None,
    home: str = "home",
) -> int:
    """A whole run: ingest, judge, send, report. `at_once` lets more big writes be in flight than the vendor allows."""
    if not durable:
        _forget_to_sync()
    if at_once is not None:
        _allow(at_once)
    begun = 0

    def listen(event: Event) -> None:
        nonlocal begun
        match event:
            case Begun():
                begun += 1
                if begun == 2:
                    watch.lap("ingest")
            case RowsJudged(final=True):
                watch.lap("judge")
            case SendingStarted():
                watch.lap("between")
            case SendingEnded():
                watch.lap("send")
            case _:
                pass

    connection = load_connection(profile=None, environ=environ, home=Path(home))
    chosen = RunOptions(**(options or {}))
    watch.start()
    summary = asyncio.run(
        run(_OPERATION, source, connection=connection, folder=Path("report"), options=chosen, announce=listen)
    )
    watch.lap("report")
    watch.stop()
    told = json.loads(summary.to_json())
    _expect(told["state"] == "finished" and told["succeeded"] == good and told["invalid"] == bad, told)
    _expect(told["rows"] == good + bad, told)
    _expect_report(succeeded=good, invalid=bad)
    _expect(durable == (not _FORGOTTEN), "the journal did not ask for durability where it was to be forgotten")
    watch.phases["journal bytes"] = sum(file.stat().st_size for file in Path(home).glob("*.sqlite3*"))
    return good + bad


def command(watch: Stopwatch, *, source: str, good: int, bad: int, environ: dict[str, str], formats: str) -> int:
    """The command line's `run` with reports in several formats, in this process."""
    words = ["run", _OPERATION, source, "--yes", "--json", "--quiet", "--output", "report", "--format", formats]
    os.environ.update(environ | {"BULKZCRM_HOME": "home"})
    from bulkzcrm.cli import main

    watch.start()
    sys.argv = ["bulkzcrm", *words]
    with Path("said.json").open("w", encoding="utf-8") as said, redirect_stdout(said), suppress(SystemExit):
        main()
    watch.stop()
    told = json.loads(Path("said.json").read_text(encoding="utf-8"))
    _expect(told["state"] == "finished" and told["succeeded"] == good and told["invalid"] == bad, told)
    _expect(told["rows"] == good + bad, told)
    _expect_report(succeeded=good, invalid=bad)
    if "xlsx" in formats:
        expect_workbook(Path("report/results.xlsx"), good + bad)
    return good + bad


def _expect_report(**counts: int) -> None:
    """See that the report has so many rows under each status, and no others."""
    with Path("report/results.csv").open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream)
        place = next(reader).index("result_status")
        found = Counter(record[place] for record in reader)
    _expect(found == {status: count for status, count in counts.items() if count}, found)


def expect_workbook(path: Path, rows: int) -> None:
    """See that a sheet of a workbook has so many rows below its header; it is never in memory as a whole."""
    found = []
    with ZipFile(path) as book:
        for name in book.namelist():
            if re.fullmatch(r"xl/worksheets/\w+\.xml", name):
                with book.open(name) as sheet:
                    # A row's beginning may lie across two pieces.
                    pieces = iter(partial(sheet.read, 1 << 20), b"")
                    count, last = 0, b""
                    for piece in pieces:
                        count += (last + piece).count(b"<row ")
                        last = piece[-4:]
                found.append(count)
    _expect(rows + 1 in found, found)


def _expect(holds: bool, told: object) -> None:  # noqa: FBT001 - what has to hold
    if not holds:
        raise AssertionError(told)


_SYNCHRONOUS = re.compile(r"(?<=synchronous)\s*=\s*\w+", re.IGNORECASE)
_FORGOTTEN: list[str] = []
"""What asked for durability, and did not get it."""


class _Connection(sqlite3.Connection):
    """A connection that can be given another `execute`."""


def _forget_to_sync() -> None:
    """Leave it to the system when what is committed reaches the disk, for this process alone.

    The connection's own `execute` is put back as soon as the tool has asked for durability, so that it costs nothing.
    """
    connect = sqlite3.connect

    def forgetful(*arguments: Any, **more: Any) -> sqlite3.Connection:
        connection = connect(*arguments, factory=_Connection, **more)

        def execute(sql: str, *parameters: Any) -> sqlite3.Cursor:
            changed = _SYNCHRONOUS.sub(" = OFF", sql)
            if changed != sql:
                _FORGOTTEN.append(sql)
                del connection.execute
            return sqlite3.Connection.execute(connection, changed, *parameters)

        connection.execute = execute  # type: ignore[method-assign]
        return connection

    sqlite3.connect = forgetful  # type: ignore[assignment]


def _allow(at_once: int) -> None:
    """Let the tool believe that the vendor takes so many big writes at once."""
    from bulkzcrm.spec import limits

    _expect(hasattr(limits, "_MANY_RECORDS_AT_ONCE"), "the limit of big writes has another name now")
    limits._MANY_RECORDS_AT_ONCE = at_once  # type: ignore[misc]
