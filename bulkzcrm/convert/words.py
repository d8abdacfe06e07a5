"""Every sentence that conversion says about a value stands here once, under the code and the kind it belongs to."""

from __future__ import annotations

from bulkzcrm.convert.values import Complaint

__all__ = [
    "AMBIGUOUS_DATE",
    "BAD_AMOUNT",
    "BAD_BOOLEAN",
    "BAD_DATE",
    "BAD_DATETIME",
    "BAD_DAY",
    "BAD_DAY_HOURS",
    "BAD_HOURS",
    "BAD_ID",
    "BAD_MEMBER",
    "BAD_MINUTES",
    "BAD_TAX",
    "BAD_TEXT",
    "BAD_TIMING",
    "ERROR_VALUE",
    "FORMULA",
    "FRACTION_OF_MINUTE",
    "HALF_MARKED_SPAN",
    "IMPOSSIBLE_DATE",
    "LOST_DIGITS",
    "MANDATORY_BLANK",
    "MANDATORY_CLEARED",
    "MANDATORY_WITHOUT_COLUMN",
    "NEGATIVE_AMOUNT",
    "NEGATIVE_MINUTES",
    "NOT_WITH_COMMA",
    "NOT_WITH_POINT",
    "NO_DAY_FIRST",
    "NO_MONTH_FIRST",
    "NO_YEAR_FIRST",
    "POINT_OR_THOUSANDS",
    "REPEATED_TIME",
    "ROUNDED_AMOUNT",
    "SHORT_YEAR",
    "SKIPPED_TIME",
    "SURPLUS",
    "TIME_IN_DATE",
    "TOO_LARGE",
    "WRONG_WEEKDAY",
    "YEAR_OUT_OF_RANGE",
    "unknown_choice",
]

_ISO_DATE = "Write the date as year-month-day, such as 2026-03-31."
_ISO_DATETIME = (
    "Write date and time as in 2026-03-31 14:30, with an offset such as +05:30 where it matters, or write now."
)
_TIMES = "Write times on the 24-hour clock, or with AM or PM; the last one of a day is 23:59"


def _invalid(reason: str, remedy: str) -> Complaint:
    return Complaint("INVALID_DATA", f"{{label}} says {{value}}, which {reason}.", remedy)


BAD_ID = _invalid(
    "is not a Zoho id: an id has 15 to 20 digits, and nothing but digits",
    "Copy the id from Zoho CRM (it ends the web address of the record) into a cell that is formatted as text.",
)
LOST_DIGITS = Complaint(
    "ID_PRECISION_LOST",
    "{label} says {value}: a spreadsheet program took this id for a number, and keeps only 15 digits of a number.",
    "Format the column as text, then copy the ids again from Zoho CRM or from the original export; "
    "the lost digits cannot be worked out.",
)

BAD_TEXT = _invalid("is not a number that can be written out", "Type the text that the field shall have.")
TOO_LARGE = Complaint(
    "INVALID_DATA",
    "{label} holds {value}, far more digits than any field takes.",
    "Look where the number comes from, and type the value that is meant.",
)

BAD_MINUTES = _invalid(
    "is not a length of time", "Give the minutes as a whole number, such as 90, or write 1h 30m or 1:30."
)
FRACTION_OF_MINUTE = _invalid("is not a whole number of minutes", "Round it to whole minutes, such as 90 or 1h 30m.")
NEGATIVE_MINUTES = _invalid("is less than no time", "Remove the minus sign, or mend the formula that made the number.")

BAD_DAY = _invalid(
    "is not a day of the week",
    "Write English names or their first three letters, separated by semicolons (Mon; Wed; Fri), or a range (Mon-Fri).",
)
BAD_BOOLEAN = _invalid("is neither yes nor no", "Write yes or no; true and false, 1 and 0 are understood, too.")

BAD_DATE = _invalid("is not a date that can be read", _ISO_DATE)
IMPOSSIBLE_DATE = _invalid("is a day that the calendar does not have", f"Correct the day or the month. {_ISO_DATE}")
SHORT_YEAR = _invalid("leaves open which century is meant", "Write the year in full, with four digits.")
YEAR_OUT_OF_RANGE = _invalid("lies outside the years 1970 to 9999", "Correct the year.")
WRONG_WEEKDAY = _invalid("falls on another day of the week", "Correct the date, or leave out the name of the weekday.")
TIME_IN_DATE = _invalid("has a time of day, where a date alone is wanted", f"Leave the time out. {_ISO_DATE}")
NO_DAY_FIRST = _invalid(
    "is no date if the day comes first, as --date-format dmy says", f"Correct it, or choose another order. {_ISO_DATE}"
)
NO_MONTH_FIRST = _invalid(
    "is no date if the month comes first, as --date-format mdy says",
    f"Correct it, or choose another order. {_ISO_DATE}",
)
NO_YEAR_FIRST = _invalid(
    "does not begin with the year, as --date-format ymd says", f"Correct it, or choose another order. {_ISO_DATE}"
)
AMBIGUOUS_DATE = Complaint(
    "DATE_AMBIGUOUS",
    "{label} says {value}, and nothing in its column settles which number is the day and which is the month.",
    "Run again with --date-format dmy if the day comes first, or mdy if the month does; or write dates as 2026-03-31.",
)

BAD_DATETIME = _invalid("is not a date with a time that can be read", _ISO_DATETIME)
SKIPPED_TIME = _invalid(
    "does not exist in the time zone in force, because the clocks are put forward over it",
    "Choose a time before or after the change of clocks, or add the offset, as in 2026-03-29T02:30+01:00.",
)
REPEATED_TIME = _invalid(
    "comes twice in the time zone in force, because the clocks are put back over it",
    "Add the offset that is meant, as in 2026-10-25T02:30+01:00.",
)

BAD_TIMING = _invalid(
    "is not a span of time",
    f"{_TIMES}: 10:00-13:30, and a semicolon between two spans: 10:00-13:30; 15:00-18:00.",
)
BAD_HOURS = _invalid("is not one span of time", f"{_TIMES}: 10:00-17:00.")
BAD_DAY_HOURS = _invalid(
    "is neither a span of time nor the word closed", f"{_TIMES}: 10:00-17:00. Write closed for a day without business."
)
HALF_MARKED_SPAN = _invalid(
    "has AM or PM at one of its two times only, so that the other could be morning or evening",
    "Write AM or PM at both times, or use the 24-hour clock: 14:30-17:00.",
)

BAD_AMOUNT = _invalid(
    "is not an amount of money", "Write digits, a decimal point, and at most a currency sign, such as 1234.50."
)
NEGATIVE_AMOUNT = _invalid("is negative, and a price cannot be", "Give a price of zero or more.")
ROUNDED_AMOUNT = _invalid(
    "is a number that the spreadsheet has rounded", "Format the cell as text and type the exact amount."
)
NOT_WITH_POINT = _invalid(
    "is not an amount when the point is the decimal mark and commas stand between thousands",
    "Write it as 1234.50; if the whole column uses a decimal comma, run again with --decimal ,",
)
POINT_OR_THOUSANDS = _invalid(
    "has three digits behind its point, and no row of the column tells whether that is a decimal point",
    "Write it without separators, such as 1250 or 1.25; or say which mark the column uses with --decimal.",
)
NOT_WITH_COMMA = _invalid(
    "is not an amount when the comma is the decimal mark and points stand between thousands",
    "Write it as 1234,50; if the whole column uses a decimal point, run again with --decimal .",
)

BAD_MEMBER = _invalid(
    "is neither a user's id nor an e-mail address nor a name",
    "Give ids of 18 or 19 digits, e-mail addresses or full names, separated by semicolons.",
)
BAD_TAX = _invalid(
    "is neither the id nor the value of a tax",
    "Give ids, or values as Zoho CRM shows them (Vat - 0.8 %), separated by semicolons.",
)

ERROR_VALUE = Complaint(
    "CELL_ERROR",
    "{label} shows the spreadsheet error {value} where a value should be.",
    "Mend the formula in this cell, or type the value; leave the cell blank if there is none.",
)
FORMULA = Complaint(
    "FORMULA_WITHOUT_VALUE",
    "{label} holds the formula {value}, and the file does not say what it comes to.",
    "Open the file in a spreadsheet program and save it again, so that results are stored, or type the value itself.",
)
MANDATORY_BLANK = Complaint(
    "MANDATORY_NOT_FOUND", "{label} is blank, and every row of this operation must give it.", "Fill in the cell."
)
MANDATORY_CLEARED = Complaint(
    "MANDATORY_NOT_FOUND",
    "{label} says {value}, and it is a field that must not be emptied.",
    "Replace #CLEAR by the value that the field shall have.",
)
MANDATORY_WITHOUT_COLUMN = Complaint(
    "MANDATORY_NOT_FOUND",
    "{label} has no column in the source, and every row of this operation must give it.",
    "Add the column, match an existing one with --map, or give one value for all rows with --set.",
)
SURPLUS = Complaint(
    "ROW_SHAPE",
    "The row has more cells than the header has columns; the first cell too many says {value}.",
    "In the source, look for a delimiter that is not in quotation marks, or give the additional column a header; "
    "failed.csv has only the columns of the header, so that a row of it is sent without the surplus.",
)


def unknown_choice(choices: tuple[str, ...], nearest: str | None) -> Complaint:
    """Return the complaint about a text that is none of `choices`; `nearest` is the one that was probably meant."""
    listed = _braced(", ".join(choices))
    remedy = f"Did you mean {nearest}? Then write it so." if nearest else "Write one of them."
    return _invalid(f"is none of the choices: {listed}", remedy)


def _braced(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
