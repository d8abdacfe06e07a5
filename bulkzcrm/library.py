"""What programs use instead of the command line: the same runs, with frames as sources and reports as frames."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bulkzcrm.config import Connection
from bulkzcrm.errors import UsageError
from bulkzcrm.events import Event, Listener
from bulkzcrm.ingest import Source
from bulkzcrm.journal import Journal
from bulkzcrm.report import Summary, as_frame, each_row
from bulkzcrm.run.checking import check as check_source
from bulkzcrm.run.engine import begin, carry_on
from bulkzcrm.run.options import RunOptions
from bulkzcrm.run.run_id import new_run_id
from bulkzcrm.run.sources import origin_of
from bulkzcrm.run.surroundings import Surroundings
from bulkzcrm.run.told import Told
from bulkzcrm.spec.operation import Operation
from bulkzcrm.spec.operations import OPERATIONS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RunOptions", "check", "report_frame", "run"]


def _nobody_listens(event: Event) -> None:
    del event


def _operation(name: str) -> Operation:
    if name not in OPERATIONS:
        raise UsageError(f"There is no operation {name}.", f"Choose one of {', '.join(OPERATIONS)}.")
    return OPERATIONS[name]


async def check(
    operation: str,
    source: Source,
    *,
    folder: Path,
    options: RunOptions | None = None,
    announce: Listener = _nobody_listens,
) -> Summary:
    """Read and judge a source without any network, and write the report into a folder. Raises `RefusedError`."""
    options = options or RunOptions()
    around = Surroundings(home=folder, announce=announce)
    ending = await check_source(origin_of(source, options), _operation(operation), options, around, folder=folder)
    return ending.summary


async def run(
    operation: str,
    source: Source,
    *,
    connection: Connection,
    folder: Path,
    options: RunOptions | None = None,
    announce: Listener = _nobody_listens,
) -> Summary:
    """Send a source's rows to an organisation, without asking anybody, and write the report into a folder.

    The journal is that of `connection.home`. Raises `RefusedError` when nothing may be sent; every other ending, also
    one that can be resumed, is in the summary.
    """
    options = options or RunOptions()
    around = Surroundings(home=connection.home, connection=connection, announce=announce)
    chosen = _operation(operation)
    run_id = new_run_id(around)
    with Journal.open(connection.home) as journal:
        await begin(journal, origin_of(source, options), chosen, options, around, run=run_id, folder=folder)
        ending = await carry_on(journal, run_id, chosen, around, resume=f"bulkzcrm resume {run_id}")
    return ending.summary


def report_frame(home: Path, run_id: str) -> pd.DataFrame:
    """Return the report of a run as a frame: the source's columns, then the ten of the report; all of one moment.

    Raises `UsageError` when there is no such run, or it has been pruned.
    """
    with Journal.open(home) as journal:
        told = Told(journal, run_id, checking=False, from_copy=False)
        frame = as_frame(told.run.columns, each_row(told.rows()))
        if journal.run(run_id).revision != told.run.revision:
            told = Told(journal, run_id, checking=False, from_copy=True)
            frame = as_frame(told.run.columns, each_row(told.rows()))
            # The rows of a run that is pruned are gone, and so is what the copy needs of them.
            journal.run(run_id)
        return frame
