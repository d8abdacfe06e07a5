"""Texts that a spreadsheet program would run as formulas, made harmless in CSV so that reading them back undoes it."""

from __future__ import annotations

import re

__all__ = ["defuse", "undefuse"]

_MARK = "'"

_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")  # noqa: RUF001 - full-width twins run, too
"""How a text begins that some spreadsheet program runs as a formula (OWASP ASVS 1.2.10, and the full-width forms)."""

_PLAIN_NUMBER = re.compile(r"[+-][0-9]+(?:[.,][0-9]+)?")


def defuse(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet program would run; leave every other text as it is.

    A text that begins with an apostrophe gets a second one, so that `undefuse` gives every text back. Plain signed
    numbers (`-5`, `+5.20`) are harmless and stay.
    """
    return _MARK + text if _is_marked(text) else text


def undefuse(text: str) -> str:
    """Take off the apostrophe that `defuse` put on; leave every text that it did not touch as it is."""
    if text.startswith(_MARK) and _is_marked(text[1:]):
        return text[1:]
    return text


def _is_marked(text: str) -> bool:
    if text.startswith(_MARK):
        return True
    return text.startswith(_DANGEROUS) and _PLAIN_NUMBER.fullmatch(text) is None
