"""Which character separates the cells of a text file."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence

from bulkzcrm.errors import UsageError

__all__ = ["SAMPLE_CHARACTERS", "detect", "known", "named_in_first_line", "spoken"]

SAMPLE_CHARACTERS = 1 << 16
"""How much of the text `detect` wants to see."""

_CANDIDATES = (",", ";", "\t", "|")
_SAMPLE_RECORDS = 60
_WORDS = {"\t": "tab"}
_FIRST_LINE = re.compile(r'"?sep=([^"\r\n])"?[\r\n]*', re.IGNORECASE)


def named_in_first_line(line: str) -> str | None:
    """Return the delimiter that a first line such as `sep=;` names, else `None`."""
    match = _FIRST_LINE.fullmatch(line)
    return match[1] if match else None


def known(delimiter: str) -> str:
    """Return the character that an option means: itself, or a tab for `tab`. Raises `UsageError`."""
    if delimiter.casefold() in {"tab", r"\t"}:
        return "\t"
    if len(delimiter) != 1 or delimiter in '"\r\n\0':
        cure = "Give a single character such as ',' or ';', or the word tab."
        raise UsageError(f"{delimiter!r} cannot separate the cells of a file.", cure)
    return delimiter


def spoken(delimiter: str) -> str:
    """Return the delimiter as `known` understands it and a person can type it."""
    return _WORDS.get(delimiter, delimiter)


def detect(sample: str, preferred: str = ",") -> str:
    """Return the delimiter that splits the largest share of a sample's records into equally many cells, more than one.

    It is the share that counts, and not the number: split at a character of its texts, a file with line breaks in
    quoted cells has more records. With none that does so it is a file of one column: then `preferred`, or the
    first candidate that does not occur.
    """
    candidates = (preferred, *(candidate for candidate in _CANDIDATES if candidate != preferred))
    best, best_score = "", (0.0, 0)
    unused = []
    for delimiter in candidates:
        widths, is_broken = _widths(sample, delimiter)
        wide = Counter(width for width in widths if width > 1)
        if not wide:
            unused.append(delimiter)
            continue
        width, regular = max(wide.items(), key=lambda counted: (counted[1], counted[0]))
        # A header that is split, or most of the records below a title: else the characters are part of the text.
        score = regular / len(widths) / (2 if is_broken else 1), width
        if (widths[0] > 1 or 2 * regular >= len(widths)) and score > best_score:
            best, best_score = delimiter, score
    return best or next(iter(unused), preferred)


def _widths(sample: str, delimiter: str) -> tuple[Sequence[int], bool]:
    """Return how many cells each record has, and whether quotes broke off the reading before the sample's end."""
    widths: list[int] = []
    is_broken = False
    is_cut = len(sample) >= SAMPLE_CHARACTERS
    try:
        for record in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter, strict=True):
            if any(record):
                widths.append(len(record))
            if len(widths) > _SAMPLE_RECORDS:
                break
    except csv.Error as error:
        # What came before counts all the same.
        is_broken = not (is_cut and "unexpected end" in str(error))
    # The last record of a sample may be cut.
    return widths[:-1] if len(widths) > 1 and is_cut else widths, is_broken
