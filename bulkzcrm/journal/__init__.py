"""The durable account of all runs: what was planned, sent and answered, and what became of every row."""

from bulkzcrm.journal.failures import IllegalMoveError, LostLeaseError
from bulkzcrm.journal.reader import JournalReader
from bulkzcrm.journal.records import (
    Batch,
    Counters,
    Duplicate,
    NewRow,
    NewRun,
    Organisation,
    RowOutcome,
    RowSettlement,
    Run,
    StoredRow,
)
from bulkzcrm.journal.shares import LONGEST_PAUSE_MS, Holding, Shares, Spending, Standing
from bulkzcrm.journal.states import BatchState, Progress, RunState, reported, reported_counts
from bulkzcrm.journal.store import Journal
from bulkzcrm.journal.writer import JournalWriter

__all__ = [
    "LONGEST_PAUSE_MS",
    "Batch",
    "BatchState",
    "Counters",
    "Duplicate",
    "Holding",
    "IllegalMoveError",
    "Journal",
    "JournalReader",
    "JournalWriter",
    "LostLeaseError",
    "NewRow",
    "NewRun",
    "Organisation",
    "Progress",
    "RowOutcome",
    "RowSettlement",
    "Run",
    "RunState",
    "Shares",
    "Spending",
    "Standing",
    "StoredRow",
    "reported",
    "reported_counts",
]
