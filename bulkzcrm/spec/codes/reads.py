"""The codes that only reads, queries and file imports bring: lists, pages, COQL and bulk write."""

from __future__ import annotations

from bulkzcrm.spec.codes.nouns import Cause, Code, Disposition, When

__all__ = ["READ_CODES"]

_RESUME = "Resume the run; it reads the list again from the beginning."
_REPORT = "Nothing is wrong with the source: report this as a fault of bulkzcrm, with the run's log."


def _read(name: str, meaning: str, explanation: str, remedy: str, disposition: Disposition) -> Code:
    return Code(name=name, meaning=meaning, disposition=disposition, causes=(Cause(When(), explanation, remedy),))


READ_CODES = (
    _read(
        "REQUIRED_PARAM_MISSING",
        "A read was asked without something that it needs.",
        "The request lacks a parameter, such as the list of fields.",
        _REPORT,
        Disposition.STOP_RUN,
    ),
    _read(
        "AMBIGUITY_DURING_PROCESSING",
        "A read was asked in two ways that exclude each other.",
        "The request combines a view with an order, or a page number with a page token.",
        _REPORT,
        Disposition.STOP_RUN,
    ),
    _read(
        "DISCRETE_PAGINATION_LIMIT_EXCEEDED",
        "A list is longer than page numbers reach.",
        "Page numbers reach the first 2,000 records only; beyond them a page token is needed.",
        _REPORT,
        Disposition.STOP_RUN,
    ),
    _read(
        "PAGINATION_LIMIT_EXCEEDED",
        "A list is longer than Zoho hands out.",
        "Zoho lists the first 100,000 records only.",
        "Give the ids of the records in the source, so that no list has to be searched for names.",
        Disposition.STOP_RUN,
    ),
    _read(
        "TOKEN_BOUND_DATA_MISMATCH",
        "A page token was used with another question than its own.",
        "The page token belongs to another user or to other parameters.",
        _RESUME,
        Disposition.STOP_RUN,
    ),
    _read(
        "EXPIRED_VALUE",
        "A page token is too old.",
        "A page token lives for 24 hours, and these have passed.",
        _RESUME,
        Disposition.STOP_RUN,
    ),
    _read(
        "SYNTAX_ERROR",
        "A query cannot be read.",
        "The query is not proper COQL.",
        _REPORT,
        Disposition.STOP_RUN,
    ),
    _read(
        "INVALID_QUERY",
        "A query asks for something that does not exist.",
        "The query names a module or field that the organisation does not have, or may not be queried.",
        "Check that the module and its fields exist in the organisation.",
        Disposition.STOP_RUN,
    ),
    _read(
        "MODULE_NOT_AVAILABLE",
        "The module cannot be imported from a file.",
        "Zoho's own import from files does not take this module.",
        "Use the operations of bulkzcrm, which do not need that import.",
        Disposition.STOP_RUN,
    ),
    _read(
        "FILE_NOT_SUPPORTED",
        "Zoho's import does not take this file.",
        "Zoho's own import from files accepts a zipped CSV of certain modules only.",
        "Use the operations of bulkzcrm, which read CSV and Excel files themselves.",
        Disposition.STOP_RUN,
    ),
)
