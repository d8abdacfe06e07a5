"""An OpenDocument part walked through element by element: memory stays flat, and what would fill it is refused.

Names come with their namespaces, so that it is no matter which prefixes a program chose.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import IO, Protocol
from xml.parsers import expat

from bulkzcrm.errors import SourceError

__all__ = ["CALC", "DATA_STYLE", "OFFICE", "STYLE", "TABLE", "TEXT", "Listener", "walk"]

# OASIS OpenDocument 1.3, part 3; what comes before the name of an element or attribute.
_BEGIN = "urn:oasis:names:tc:opendocument:xmlns:"
OFFICE = f"{_BEGIN}office:1.0 "
TABLE = f"{_BEGIN}table:1.0 "
TEXT = f"{_BEGIN}text:1.0 "
STYLE = f"{_BEGIN}style:1.0 "
DATA_STYLE = f"{_BEGIN}datastyle:1.0 "
CALC = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0 "
"""LibreOffice's own additions."""

_PIECE_BYTES = 1 << 17
_LONGEST_SILENCE = 32_000_000
"""Bytes without the start or end of an element; what a parser must hold of them fills the memory."""
_DEEPEST = 500
"""Elements inside one another."""


class Listener(Protocol):
    """Hears what a part holds, in its order. `depth` is 1 for the root; `is_done` ends the walk."""

    is_done: bool
    hears_text: bool

    def begin(self, name: str, attributes: Mapping[str, str], depth: int) -> None:
        """Hear the start of an element."""

    def end(self, name: str, depth: int) -> None:
        """Hear the end of an element."""

    def text(self, text: str) -> None:
        """Hear some text; what stands together may come in pieces."""


def walk(stream: IO[bytes], listener: Listener, where: str) -> Iterator[None]:
    """Tell the listener what the stream holds; yields now and then, so that it can be asked what it has heard.

    The stream has been looked over for entities (`guard`). Raises `ExpatError` for what is not well-formed, and
    `SourceError` for what no program writes; `where` names the part.
    """
    walker = _Walker(listener, where)
    while not listener.is_done and (piece := stream.read(_PIECE_BYTES)):
        walker.take(piece)
        yield
    if not listener.is_done:
        walker.parser.Parse(b"", True)
        yield


class _Walker:
    def __init__(self, listener: Listener, where: str) -> None:
        self._listener = listener
        self._where = where
        self._depth = 0
        self._silence = 0
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._begin
        self.parser.EndElementHandler = self._end
        if listener.hears_text:  # each call costs
            self.parser.CharacterDataHandler = listener.text

    def take(self, piece: bytes) -> None:
        self._silence += len(piece)
        self.parser.Parse(piece, False)
        if self._silence > _LONGEST_SILENCE:
            raise self._odd(f"one element of more than {_LONGEST_SILENCE // 1_000_000} MB")

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._silence = 0
        if self._depth > _DEEPEST:
            raise self._odd(f"more than {_DEEPEST} elements inside one another")
        self._listener.begin(name, attributes, self._depth)

    def _end(self, name: str) -> None:
        self._silence = 0
        self._listener.end(name, self._depth)
        self._depth -= 1

    def _odd(self, what: str) -> SourceError:
        return SourceError(
            f"{self._where[:1].upper()}{self._where[1:]} holds {what}, as no spreadsheet program writes it.",
            "Copy its table into a new workbook.",
        )
