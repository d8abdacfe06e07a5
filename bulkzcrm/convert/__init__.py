"""Rows become records: columns are matched to fields, and every cell is converted or refused with reason and cure.

Nothing here reads a file or knows an operation by name; what concerns a whole column waits until `RowConverter.settle`.
"""

from bulkzcrm.convert.blocks import BlockConverter, ConvertedBlock
from bulkzcrm.convert.columns import RESULT_HEADERS, ColumnMap, MapOptions, match_columns
from bulkzcrm.convert.evidence import ColumnEvidence, Decision, Proof
from bulkzcrm.convert.moments import NOW, localise
from bulkzcrm.convert.rows import Clears, Converted, ConvertOptions, RowConverter, Settled
from bulkzcrm.convert.timings import CLOSED
from bulkzcrm.convert.values import Complaint, Refusal

__all__ = [
    "CLOSED",
    "NOW",
    "RESULT_HEADERS",
    "BlockConverter",
    "Clears",
    "ColumnEvidence",
    "ColumnMap",
    "Complaint",
    "ConvertOptions",
    "Converted",
    "ConvertedBlock",
    "Decision",
    "MapOptions",
    "Proof",
    "Refusal",
    "RowConverter",
    "Settled",
    "localise",
    "match_columns",
]
