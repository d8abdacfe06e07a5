"""Texts as the cells of a workbook hold them: what XML cannot hold is escaped as the format wants it."""

from __future__ import annotations

import re

__all__ = ["MOST_UNITS", "SHORT", "held", "text_content", "xml_escaped"]

MOST_UNITS = 32_767
"""What a cell holds, counted in UTF-16 units as spreadsheet programs do."""
SHORT = MOST_UNITS // 2
"""A text of at most so many characters fits, whatever they are."""

_UNHELD = r"[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]"
"""What XML cannot hold, and the carriage return, which XML readers turn into a line feed."""
_TO_ESCAPE = re.compile(rf"_(?=x[0-9A-Fa-f]{{4}}(?:_|{_UNHELD}))|{_UNHELD}")
"""Also the underscore that would make a text look like such an escape."""


def held(text: str) -> tuple[str, bool]:
    """Return a text with its escapes (`_x0001_`), and whether it had to be cut to fit a cell."""
    escaped = text if text.isprintable() and "_x" not in text else _TO_ESCAPE.sub(_escape, text)
    if len(escaped) <= SHORT or _units(escaped) <= MOST_UNITS:
        return escaped, False
    return _cut(text), True


def text_content(escaped: str, prefix: str = "") -> str:
    """Return the element that holds such a text; its name may need a prefix."""
    space = ' xml:space="preserve"' if escaped != escaped.strip() else ""
    return f"<{prefix}t{space}>{xml_escaped(escaped)}</{prefix}t>"


def xml_escaped(text: str) -> str:
    """Return a text as it stands between two tags."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _escape(match: re.Match[str]) -> str:
    return f"_x{ord(match[0]):04X}_"


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _cut(text: str) -> str:
    """Return the beginning of the text, escaped, that fits a cell; no escape and no character is cut in two."""
    kept = text[:MOST_UNITS]
    escaped = _TO_ESCAPE.sub(_escape, kept)
    while (excess := _units(escaped) - MOST_UNITS) > 0:
        # One character takes up to seven units (`_x0001_`), so this never drops more than it must, but for the last
        # few.
        kept = kept[: -(excess // 7 + 1)]
        escaped = _TO_ESCAPE.sub(_escape, kept)
    return escaped
