"""The report: every source row with its outcome, as files that appear whole or not at all, and the run's summary.

Loading this package loads neither openpyxl nor pandas.
"""

from bulkzcrm.report.causes import Cause, Causes
from bulkzcrm.report.csv_report import write_csv
from bulkzcrm.report.files import WRITTEN_AGAIN, Aside, Placed, Replace, delete_leftovers, write_aside
from bulkzcrm.report.frame import as_frame
from bulkzcrm.report.jsonl_report import write_jsonl
from bulkzcrm.report.rows import (
    RESULT_COLUMNS,
    ReportPage,
    ReportRow,
    Result,
    RowSource,
    each_row,
    report_row,
    result_values,
)
from bulkzcrm.report.summary import State, Summary, holds_a_report, summary_aside, summary_in_place
from bulkzcrm.report.write import FORMATS, Prepared, Written, prepared_report

__all__ = [
    "FORMATS",
    "RESULT_COLUMNS",
    "WRITTEN_AGAIN",
    "Aside",
    "Cause",
    "Causes",
    "Placed",
    "Prepared",
    "Replace",
    "ReportPage",
    "ReportRow",
    "Result",
    "RowSource",
    "State",
    "Summary",
    "Written",
    "as_frame",
    "delete_leftovers",
    "each_row",
    "holds_a_report",
    "prepared_report",
    "report_row",
    "result_values",
    "summary_aside",
    "summary_in_place",
    "write_aside",
    "write_csv",
    "write_jsonl",
]
