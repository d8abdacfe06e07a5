"""A small part of a workbook that is edited in places: every byte that nobody asked to change stays as it was.

A tree of elements cannot do that: written again, it has lost prefixes that other attributes speak of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NoReturn, final
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

__all__ = ["Element", "Markup", "UneditableError", "attribute_set", "attributes_of", "without_attribute"]

_START = re.compile(rb"""<[^\s<>/"']+(?:[^<>"']|"[^"<]*"|'[^'<]*')*>""")
_ATTRIBUTE = re.compile(rb"""([^\s=<>"'/]+)\s*=\s*("[^"<]*"|'[^'<]*')""")
_NAME = re.compile(rb"<[^\s<>/]+")
_KNOWN_ENCODINGS = frozenset({None, "utf-8", "us-ascii"})


class UneditableError(Exception):
    """A workbook cannot be edited in place; `reason` is a sentence about it, with its full stop."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@final
@dataclass(slots=True)
class Element:
    """One element, by its places in the text: `begin` and `inside` of its start tag, `closes` and `end` of its end tag.

    `name` has no prefix, `prefix` has its colon; attributes go by the names that are written.
    """

    name: str
    prefix: str
    attributes: dict[str, str]
    begin: int
    inside: int
    closes: int = 0
    end: int = 0
    children: list[Element] = field(default_factory=list)

    def all(self, name: str) -> Iterator[Element]:
        """Yield the children of that name."""
        return (child for child in self.children if child.name == name)

    def first(self, name: str) -> Element | None:
        """Return the first child of that name."""
        return next(self.all(name), None)

    def reference(self) -> str:
        """Return the id of the relation that the element speaks of (`r:id`), or nothing."""
        return next((value for name, value in self.attributes.items() if name.endswith(":id")), "")


@final
class Markup:
    """The text of a part, what is in it, and what is to be changed. Raises `UneditableError` for what is no such part.

    Edits go by places in the text as it was.
    """

    def __init__(self, text: bytes, what: str) -> None:
        self.text = text
        self._what = what
        self._edits: list[tuple[int, int, bytes]] = []
        self._tags: dict[int, tuple[Element, bytes]] = {}
        self._appended: dict[int, tuple[Element, list[bytes]]] = {}
        self._open: list[Element] = []
        self._roots: list[Element] = []
        self._parser = expat.ParserCreate()
        self._parser.XmlDeclHandler = self._declare
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.StartElementHandler = self._begin
        self._parser.EndElementHandler = self._end
        if text.startswith((b"\xff\xfe", b"\xfe\xff")):
            self._refuse()
        try:
            self._parser.Parse(text, True)
        except expat.ExpatError:
            self._refuse()
        (self.root,) = self._roots

    @property
    def is_edited(self) -> bool:
        """Whether anything is to be changed."""
        return bool(self._edits or self._tags or self._appended)

    def raw(self, element: Element) -> bytes:
        """Return an element as it is written."""
        return self.text[element.begin : element.end]

    def insert(self, at: int, new: bytes) -> None:
        """Put a text in at a place; of several at the same place, the first comes first."""
        self._edits.append((at, at, new))

    def replace(self, element: Element, new: bytes) -> None:
        """Put a text, perhaps none, in the place of an element."""
        self._edits.append((element.begin, element.end, new))

    def append(self, parent: Element, new: bytes) -> None:
        """Put a text in at the end of an element; one that is empty is opened."""
        self._appended.setdefault(parent.begin, (parent, []))[1].append(new)

    def set(self, element: Element, name: str, value: str | None) -> None:
        """Give an element an attribute, or take it away."""
        _, tag = self._tags.get(element.begin, (element, self.text[element.begin : element.inside]))
        tag = without_attribute(tag, name) if value is None else attribute_set(tag, name, value)
        self._tags[element.begin] = element, tag

    def changed(self) -> bytes:
        """Return the text with all changes."""
        edits = list(self._edits)
        tags = dict(self._tags)
        for begin, (parent, new) in self._appended.items():
            if parent.end > parent.inside:
                edits.append((parent.closes, parent.closes, b"".join(new)))
                continue
            _, tag = tags.pop(begin, (parent, self.raw(parent)))
            opened = tag.removesuffix(b">").removesuffix(b"/").rstrip() + b">"
            edits.append((begin, parent.end, opened + b"".join(new) + f"</{parent.prefix}{parent.name}>".encode()))
        edits += [(element.begin, element.inside, tag) for element, tag in tags.values()]
        pieces: list[bytes] = []
        at = 0
        for begin, end, text in sorted(edits, key=lambda edit: edit[:2]):
            pieces += [self.text[at:begin], text]
            at = end
        return b"".join([*pieces, self.text[at:]])

    def _declare(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if (encoding and encoding.casefold()) not in _KNOWN_ENCODINGS:
            self._refuse()

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        begin = self._parser.CurrentByteIndex
        tag = _START.match(self.text, begin) or self._refuse()
        prefix, colon, local = name.rpartition(":")
        element = Element(local, prefix + colon, attributes, begin, tag.end())
        if self._open:
            self._open[-1].children.append(element)
        else:
            self._roots.append(element)
        self._open.append(element)

    def _end(self, _name: str) -> None:
        element = self._open.pop()
        if self.text[element.inside - 2 : element.inside] == b"/>":
            element.closes = element.end = element.inside
        else:
            element.closes = self._parser.CurrentByteIndex
            element.end = self.text.index(b">", element.closes) + 1

    def _refuse(self, *_: object) -> NoReturn:
        raise UneditableError(f"{self._what} is written in a way that cannot be edited.")


def attributes_of(tag: bytes) -> dict[bytes, bytes]:
    """Return the attributes of a start tag as they are written, by their names."""
    return {name: value[1:-1] for name, value in _ATTRIBUTE.findall(tag)}


def attribute_set(tag: bytes, name: str, value: str) -> bytes:
    """Return a start tag (or an element) with an attribute in place of the one that it has, or as its first."""
    end = _START.match(tag)
    for found in _ATTRIBUTE.finditer(tag, 0, end.end() if end else len(tag)):
        if found[1] == name.encode():
            return tag[: found.start(2)] + quoteattr(value).encode() + tag[found.end(2) :]
    begun = _NAME.match(tag)
    at = begun.end() if begun else 0
    return tag[:at] + f" {name}={quoteattr(value)}".encode() + tag[at:]


def without_attribute(tag: bytes, name: str) -> bytes:
    """Return a start tag (or an element) without an attribute."""
    end = _START.match(tag)
    for found in _ATTRIBUTE.finditer(tag, 0, end.end() if end else len(tag)):
        if found[1] == name.encode():
            return tag[: found.start()].rstrip() + tag[found.end() :]
    return tag
