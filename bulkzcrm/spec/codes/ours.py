"""The codes that this program gives itself, for rows that are not sent (DESIGN, local rules)."""

from __future__ import annotations

from bulkzcrm.spec.codes.nouns import Cause, Code, Disposition, When

__all__ = ["OUR_CODES"]


def _ours(name: str, meaning: str, explanation: str, remedy: str) -> Code:
    return Code(
        name=name,
        meaning=meaning,
        disposition=Disposition.FIX_ROW,
        causes=(Cause(When(), explanation, remedy),),
        ours=True,
    )


OUR_CODES = (
    _ours(
        "ID_PRECISION_LOST",
        "A spreadsheet program has rounded the id.",
        "The id was stored as a number, and spreadsheet programs keep only 15 digits: the last ones are lost.",
        "Format the column as text, then paste the id again from Zoho; the lost digits cannot be guessed.",
    ),
    _ours(
        "ROW_SHAPE",
        "The row has more cells than the header.",
        "A value stands to the right of the last column, often because of a delimiter inside a value.",
        "Put the value that holds the delimiter into quotation marks, or remove what is too much.",
    ),
    _ours(
        "DUPLICATE_ROW",
        "Another row is about the same record, or is the same row again.",
        "Sending both rows would change one record twice, or create it twice.",
        "Keep one of the rows; for equal new services that are meant, use --allow-duplicates.",
    ),
    _ours(
        "FORMULA_WITHOUT_VALUE",
        "The cell holds a formula whose result was not saved.",
        "The file was written by a program that did not calculate its formulas.",
        "Open the file in a spreadsheet program, save it there, and run it again.",
    ),
    _ours(
        "CELL_ERROR",
        "The cell shows a spreadsheet error such as #N/A or #REF!.",
        "A formula of the source has failed, and an error value is never sent as data.",
        "Mend the formula, or write the value by hand.",
    ),
    _ours(
        "NAME_NOT_FOUND",
        "The organisation has nothing of this name.",
        "No user, tax, job sheet, service or scoring rule of the organisation has the name that the cell gives.",
        "Check the spelling, or give the id instead of the name.",
    ),
    _ours(
        "NAME_AMBIGUOUS",
        "The organisation has several things of this name.",
        "The name fits more than one user, service or scoring rule.",
        "Give the id of the one that is meant; for a user, the e-mail address will do.",
    ),
    _ours(
        "DATE_AMBIGUOUS",
        "Day and month of a date could be either way round.",
        "Nothing in the whole column shows whether the day or the month comes first.",
        "Give --date-format dmy or --date-format mdy, or write the dates as YYYY-MM-DD.",
    ),
)
