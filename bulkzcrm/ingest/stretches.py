"""A long part of a workbook, piece by piece: as text where it is plain, as parsed elements from where it is not.

Taking plain text apart costs a third of parsing it. What is plain is decided here, only so far as to be certain where
each element begins and ends, and that it is written in characters that XML has: UTF-8, no comment, no CDATA section, no
processing instruction, no prefix. Whoever takes the text apart gives what it does not know to `parsed`, which is the
judge of what is well-formed, and what `parsed` refuses to `leave`: it may be well-formed only with what comes after it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import IO
from xml.etree.ElementTree import Element, fromstring, iterparse
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

from bulkzcrm.errors import SourceError

__all__ = ["Stretches"]

_PIECE_BYTES = 1 << 17
_LONGEST_PLAIN = 4_000_000
"""Bytes of one element that are kept as text; a longer one is for the parser."""
_LARGEST_ELEMENT = 32_000_000
"""Bytes. An element is held as a whole: a row of 16,384 cells is far shorter, and what a bomb holds is not."""
_UTF_8 = frozenset({None, "utf-8"})
_NO_CHARACTERS = bytes(code for code in range(0x20) if chr(code) not in "\t\n\r")
_NO_CHARACTERS_EITHER = ("\ufffe".encode(), "\uffff".encode())
"""What no XML holds (XML 1.0, 2.2), and some of Python's methods take for white space."""


class Stretches:
    """The elements called `name` inside a part's `container`, which is the root or, with `inner`, a child of it.

    Iterating yields either a text, which holds whole elements and nothing else but white space, or one parsed element.
    `where` names the part in messages. Raises `ParseError` and `ExpatError` for what is not well-formed, `SourceError`
    for an element that is too long to be held.
    """

    def __init__(self, stream: IO[bytes], container: str, name: str, *, inner: bool, where: str) -> None:
        self._source = _Source(stream, where)
        self._container = container
        self._name = name
        self._inner = inner
        self._opening = self._closing = ""
        self._left: str | None = None

    def __iter__(self) -> Iterator[str | Element]:
        """Yield texts as long as the part is plain, and elements from there on."""
        waiting = self._after_head()
        if waiting is not None:
            rest = yield from self._texts(waiting)
            self._source.give_back(self._opening.encode() + rest)
        yield from self._elements()

    def _texts(self, waiting: bytes) -> Generator[str, None, bytes]:
        """Yield what is plain, and return what was read and is the parser's: at least the end of the container."""
        begin_mark, end_mark = f"<{self._name}".encode(), f"</{self._container}".encode()
        while True:
            end = waiting.find(end_mark)
            cut = end if end >= 0 else waiting.rfind(begin_mark)
            if cut > 0:
                text = _plain(waiting[:cut])
                if text is None:
                    return waiting
                yield text
                waiting = waiting[cut:]
                if self._left is not None:
                    return self._left.encode() + waiting
                self._source.begin_anew()
            if end >= 0:
                return waiting
            piece = self._source.read()
            if not piece or len(waiting) > _LONGEST_PLAIN:
                return waiting + piece
            waiting += piece

    def leave(self, rest: str) -> None:
        """Have the parser read from here on: `rest` is the end of the text that was yielded last."""
        self._left = rest

    def parsed(self, text: str) -> list[Element]:
        """Parse whole elements, in the namespaces that are in force in the part. Raises `ParseError`."""
        root = fromstring(self._opening + text + self._closing)  # noqa: S314 - without document type, see the guard
        container = root[0] if self._inner else root
        name = container.tag.removesuffix(self._container) + self._name
        return [element for element in container if element.tag == name]

    def _after_head(self) -> bytes | None:
        """Read up to where the elements begin, and return what was read from there on.

        Where the part is not plain, it is left to the parser from the first byte on, and `None` is returned.
        """
        head = _Head(self._container, depth=2 if self._inner else 1)
        begun = b""
        while head.found_at is None and (piece := self._source.read()):
            begun += piece
            head.parser.Parse(piece, False)
        end = None if head.found_at is None else head.end_in(begun)
        if end is None:
            self._source.give_back(begun)
            return None
        inner = f"<{self._container}>" if self._inner else ""
        self._opening = f"<{head.root}{head.spaces}>{inner}"
        self._closing = f"{inner.replace('<', '</')}</{head.root}>"
        return begun[end:]

    def _elements(self) -> Iterator[Element]:
        container: Element | None = None
        name = end = ""
        for event, element in iterparse(self._source, events=("start", "end")):  # noqa: S314 - as above
            tag = element.tag
            if container is None:
                if event == "start" and tag.endswith("}" + self._container):
                    container, end, name = element, tag, tag.removesuffix(self._container) + self._name
            elif event == "end":
                if tag == name:
                    yield element
                    container.clear()  # keeps the tree from growing with the part
                    self._source.begin_anew()
                elif tag == end:
                    return


def _plain(stretch: bytes) -> str | None:
    """Return the text as a parser reads it, line ends and all (XML 1.0, 2.11); `None` where only a parser can."""
    if b"<!" in stretch or b"<?" in stretch:
        return None
    if len(stretch.translate(None, _NO_CHARACTERS)) != len(stretch):
        return None
    if b"\xef" in stretch and any(code in stretch for code in _NO_CHARACTERS_EITHER):  # the first is found at once
        return None
    try:
        text = stretch.decode()
    except UnicodeDecodeError:
        return None
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


class _Head:
    """Looks for the start of the container, which is the first element of its name, and at what comes before it."""

    def __init__(self, container: str, *, depth: int) -> None:
        self._container = container
        self._depth = depth
        self._open = 0
        self._encoding: str | None = None
        self._attributes: list[str] = []
        self._is_in_place = False
        self.found_at: int | None = None
        self.root = self.spaces = ""
        self.parser = expat.ParserCreate()
        self.parser.XmlDeclHandler = self._declare
        self.parser.StartElementHandler = self._begin
        self.parser.EndElementHandler = self._end

    def end_in(self, begun: bytes) -> int | None:
        """Return where the container's start tag ends, if the part is plain up to there."""
        start = self.found_at or 0
        end = begun.find(b">", start)
        tag = begun[start:end]
        plain = (
            end > 0
            and self._is_in_place
            and self._encoding in _UTF_8
            and " xmlns=" in self.spaces
            and ' xmlns=""' not in self.spaces
            and tag.startswith(f"<{self._container}".encode())
            # Then no attribute holds the character that seems to end the tag.
            and tag.count(b'"') == 2 * len(self._attributes)
            # Then the namespaces are those of the root.
            and (self._depth == 1 or not any(name.startswith("xmlns") for name in self._attributes))
            and not tag.endswith(b"/")
        )
        return end + 1 if plain else None

    def _declare(self, _version: str, encoding: str | None, _standalone: int) -> None:
        self._encoding = encoding and encoding.casefold()

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        self._open += 1
        if self.found_at is not None:
            return
        if self._open == 1:
            self.root = name
            self.spaces = "".join(
                f" {key}={quoteattr(value)}" for key, value in attributes.items() if key.startswith("xmlns")
            )
        if name.rpartition(":")[2] == self._container:
            self._is_in_place = self._open == self._depth and name == self._container
            self.found_at = self.parser.CurrentByteIndex
            self._attributes = list(attributes)

    def _end(self, _name: str) -> None:
        self._open -= 1


class _Source:
    """A stream for a parser, which can take bytes back, and tells when it has given too much for one element."""

    def __init__(self, stream: IO[bytes], where: str) -> None:
        self._stream = stream
        self._where = where
        self._back = b""
        self._given = 0

    def read(self, _size: int = -1) -> bytes:
        """Return the next bytes, none at the end. Raises `SourceError`."""
        if self._given > _LARGEST_ELEMENT:
            raise SourceError(
                f"{self._where[:1].upper()}{self._where[1:]} holds one element of more than "
                f"{_LARGEST_ELEMENT // 1_000_000} MB, as no spreadsheet program writes it.",
                "Copy its table into a new workbook.",
            )
        piece = self._back or self._stream.read(_PIECE_BYTES)
        self._back = b""
        self._given += len(piece)
        return piece

    def give_back(self, piece: bytes) -> None:
        """Have these bytes read once more."""
        self._back = piece
        self._given = 0

    def begin_anew(self) -> None:
        """Count from here: an element is complete."""
        self._given = 0
