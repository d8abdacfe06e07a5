"""The catalogue of error codes: what each means, why it happens, what to do, and what the program does about it."""

from bulkzcrm.spec.codes.access import CREDENTIAL_CODES
from bulkzcrm.spec.codes.catalogue import CODES, TableRow, explain, table
from bulkzcrm.spec.codes.nouns import Cause, Code, Disposition, Family, When
from bulkzcrm.spec.codes.paths import row_named
from bulkzcrm.spec.codes.problems import problem_for
from bulkzcrm.spec.codes.server import THROTTLING_CODES

__all__ = [
    "CODES",
    "CREDENTIAL_CODES",
    "THROTTLING_CODES",
    "Cause",
    "Code",
    "Disposition",
    "Family",
    "TableRow",
    "When",
    "explain",
    "problem_for",
    "row_named",
    "table",
]
