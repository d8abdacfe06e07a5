"""The durable account of all runs: what was planned, sent and answered, and what became of every row."""

from bulkzcrm.journal.aside import Aside, Kept
from bulkzcrm.journal.doubts import Doubted
from bulkzcrm.journal.failures import IllegalMoveError, LostLeaseError, OvertakenError
from bulkzcrm.journal.pruning import Pruning
from bulkzcrm.journal.reader import JournalReader
from bulkzcrm.journal.records import (
    Batch,
    Beginning,
    Counters,
    Duplicate,
    Intent,
    NewRow,
    NewRun,
    Organisation,
    RowOutcome,
    RowSettlement,
    Run,
    StoredRow,
    TouchedRow,
)
from bulkzcrm.journal.report_pages import ReportedBlock, ReportedRow
from bulkzcrm.journal.reports import Reports
from bulkzcrm.journal.shares import LONGEST_PAUSE_MS, Holding, Shares, Spending, Standing
from bulkzcrm.journal.states import BatchState, Progress, RunState, reported, reported_counts
from bulkzcrm.journal.store import Journal
from bulkzcrm.journal.waiting import UntouchedRows, WaitingBlock, WaitingRow
from bulkzcrm.journal.writer import JournalWriter

__all__ = [
    "LONGEST_PAUSE_MS",
    "Aside",
    "Batch",
    "BatchState",
    "Beginning",
    "Counters",
    "Doubted",
    "Duplicate",
    "Holding",
    "IllegalMoveError",
    "Intent",
    "Journal",
    "JournalReader",
    "JournalWriter",
    "Kept",
    "LostLeaseError",
    "NewRow",
    "NewRun",
    "Organisation",
    "OvertakenError",
    "Progress",
    "Pruning",
    "ReportedBlock",
    "ReportedRow",
    "Reports",
    "RowOutcome",
    "RowSettlement",
    "Run",
    "RunState",
    "Shares",
    "Spending",
    "Standing",
    "StoredRow",
    "TouchedRow",
    "UntouchedRows",
    "WaitingBlock",
    "WaitingRow",
    "reported",
    "reported_counts",
]
