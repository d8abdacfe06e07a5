"""Texts as a workbook's XML holds them: their runs, their escapes, and what of them can be seen."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

__all__ = ["decoded", "local_name", "rich_text", "unescaped", "visible", "whole"]

_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")
_ENTITY = re.compile("&([a-z]+;)?")
_ENTITIES = {"amp;": "&", "lt;": "<", "gt;": ">", "quot;": '"', "apos;": "'"}


def local_name(element: Element) -> str:
    """Return an element's name without its namespace (the strict and the usual form of the format differ in it)."""
    return element.tag.rpartition("}")[2]


def rich_text(element: Element) -> str:
    """Return the text of an `si` or `is` element: its runs, without the phonetic readings that go with them."""
    texts: list[str] = []
    for part in element:
        match local_name(part):
            case "t":
                texts.append(part.text or "")
            case "r":
                texts += [run.text or "" for run in part if local_name(run) == "t"]
            case _:
                pass
    return unescaped("".join(texts))


def unescaped(text: str) -> str:
    """Return a text with its escapes resolved: `_x000D_` is a carriage return, `_x005F_` a plain underline.

    Source: ECMA-376 Part 1, 22.4.2.4 (bstr). An escape that is half of a character stays as it is.
    """
    return _ESCAPE.sub(_character, text) if "_x" in text else text


def _character(escape: re.Match[str]) -> str:
    code = int(escape[1], 16)
    return escape[0] if 0xD800 <= code <= 0xDFFF else chr(code)


def visible(text: str) -> str | None:
    """Return the text, or `None` if nothing of it can be seen."""
    return text if text and not text.isspace() else None


def decoded(text: str) -> str:
    """Return a text between two tags, all of characters that XML allows, as the parser reads it.

    Raises `ValueError` or `LookupError` for what is left to the parser: it may be wrong, or is hardly ever written.
    """
    if "<" in text or ">" in text:  # the second is right but for `]]>`
        raise ValueError(text)
    return _ENTITY.sub(_character_of, text) if "&" in text else text


def _character_of(entity: re.Match[str]) -> str:
    return _ENTITIES[entity[1]]


def whole(text: str) -> int:
    """Return a whole number as XML has it: ASCII digits, perhaps a sign, XML's white space around. Raises `ValueError`.

    Python alone would take digits of all scripts, underlines between them, and white space that XML does not know.
    """
    if not text.isascii() or "_" in text:
        raise ValueError(text)
    return int(text)
