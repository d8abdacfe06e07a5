"""The parts of a workbook and what they refer to: some are changed or added, all others are copied as they are packed.

ECMA-376 Part 2 (packages).
"""

from __future__ import annotations

import copy
import posixpath
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, BinaryIO, final
from xml.sax.saxutils import quoteattr
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from bulkzcrm.report.annotated.markup import Markup, UneditableError

__all__ = ["OFFICE", "Book", "Relation"]

OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
"""The namespace of relations, and the beginning of their types; the strict form of the format has another."""
_NEW_RELATIONS = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"></Relationships>'
)
_TOP = "_rels/.rels"
_CONTENT_TYPES = "[Content_Types].xml"
_LARGEST_PART = 32_000_000
"""Bytes of a part that is held as a whole (not sheets)."""
_LEVEL = 1
"""Of deflate: takes a third of the time that the usual one does, for a fifth more bytes."""
_PIECE_BYTES = 1 << 20
_LOCAL_HEADER = 30
_HAS_DESCRIPTOR = 0x08
_NAMES = slice(26, 28)
_EXTRAS = slice(28, 30)
"""Where a local header tells the length of the name and of what follows it (PKWARE APPNOTE, 4.3.7)."""


@dataclass(frozen=True, slots=True)
class Relation:
    """What a part refers to: by which id, as what (the last word of the type), and which part it is."""

    id: str
    kind: str
    target: str


@final
class Book:
    """A workbook's archive, with what is to be changed in it. What cannot be read raises `UneditableError`."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._archive = ZipFile(stream)
        self._parts = {_key(info.filename): info for info in self._archive.infolist()}
        self._edited: dict[str, Markup] = {}
        self._put: dict[str, tuple[str, bytes]] = {}
        self._types = self.markup(_CONTENT_TYPES)
        self._relations_made = 0

    def has(self, part: str) -> bool:
        """Tell whether there is such a part."""
        return _key(part) in self._parts or _key(part) in self._put

    def open(self, part: str) -> IO[bytes]:
        """Open a part as it was."""
        return self._archive.open(self._info(part))

    def text(self, part: str) -> bytes:
        """Return a part as it was, or as it was put."""
        if _key(part) in self._put:
            return self._put[_key(part)][1]
        info = self._info(part)
        if info.file_size > _LARGEST_PART:
            raise UneditableError(f"Its part {part!r} is too large to be edited.")
        return self._archive.read(info)

    def markup(self, part: str) -> Markup:
        """Return a part to be edited: what is changed in it will be written."""
        if _key(part) not in self._edited:
            self._edited[_key(part)] = Markup(self.text(part), f"Its part {part!r}")
        return self._edited[_key(part)]

    def put(self, part: str, content: bytes) -> None:
        """Write this as a part, whatever was there."""
        self._put[_key(part)] = part, content

    def names(self, ending: str) -> list[str]:
        """Return the names of all parts that end so."""
        return [info.filename for info in self._parts.values() if info.filename.casefold().endswith(ending)]

    def free_name(self, pattern: str) -> str:
        """Return the name of a part that is not there yet; the pattern has braces for a number."""
        number = 1
        while self.has(pattern.format(number)):
            number += 1
        return pattern.format(number)

    def relations(self, part: str) -> list[Relation]:
        """Return what a part refers to inside the workbook."""
        path = _relations_of(part)
        if not self.has(path):
            return []
        found = []
        for element in self.markup(path).root.all("Relationship"):
            about = element.attributes
            target = about.get("Target", "").replace("\\", "/")
            if about.get("TargetMode") != "External":
                whole = posixpath.normpath(posixpath.join("/", posixpath.dirname(part), target)).lstrip("/")
                found.append(Relation(about.get("Id", ""), about.get("Type", "").rpartition("/")[2], whole))
        return found

    def refer(self, part: str, kind: str, target: str) -> str:
        """Have a part refer to another one, of that kind, and return the relation's id."""
        path = _relations_of(part)
        if not self.has(path):
            self.put(path, _NEW_RELATIONS.encode())
        relations = self.markup(path)
        taken = {element.attributes.get("Id") for element in relations.root.children}
        self._relations_made += 1
        while (name := f"rIdResult{self._relations_made}") in taken:
            self._relations_made += 1
        relations.append(
            relations.root,
            f'<{relations.root.prefix}Relationship Id="{name}" Type="{OFFICE}/{kind}"'
            f" Target={quoteattr('/' + target)}/>".encode(),
        )
        return name

    def forget_relations(self, part: str) -> None:
        """Have a part refer to nothing."""
        path = _relations_of(part)
        if self.has(path):
            self._edited.pop(_key(path), None)
            self.put(path, _NEW_RELATIONS.encode())

    def content_type(self, part: str) -> str:
        """Return the type that is declared for a part by its name."""
        return next(
            (
                element.attributes.get("ContentType", "")
                for element in self._types.root.all("Override")
                if _key(element.attributes.get("PartName", "")) == _key(part)
            ),
            "",
        )

    def set_content_type(self, part: str, kind: str) -> None:
        """Declare the type of a part by its name."""
        root = self._types.root
        for element in root.all("Override"):
            if _key(element.attributes.get("PartName", "")) == _key(part):
                self._types.set(element, "ContentType", kind)
                return
        new = f"<{root.prefix}Override PartName={quoteattr('/' + part)} ContentType={quoteattr(kind)}/>"
        self._types.append(root, new.encode())

    def declare_extension(self, extension: str, kind: str) -> None:
        """Declare the type of all parts whose names end so, unless it is declared."""
        root = self._types.root
        if all(element.attributes.get("Extension", "").casefold() != extension for element in root.all("Default")):
            # Defaults come first wherever a program writes them.
            new = f'<{root.prefix}Default Extension="{extension}" ContentType={quoteattr(kind)}/>'
            self._types.insert(root.inside, new.encode())

    def write(self, stream: BinaryIO, long_part: str, fill: Callable[[IO[bytes]], None]) -> None:
        """Write the whole workbook; `fill` writes one part, of less than 2 GB, and may still change others."""
        with ZipFile(stream, "w", ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
            # The first part tells some programs what the archive is.
            self._copy(self._info(_TOP), archive, stream)
            with archive.open(self._info(long_part).filename, "w") as part:
                fill(part)
            edited = {key: markup for key, markup in self._edited.items() if markup.is_edited}
            for key, info in self._parts.items():
                if key not in {*edited, *self._put, _key(long_part), _TOP}:
                    self._copy(info, archive, stream)
            for key, markup in edited.items():
                archive.writestr(self._name(key), markup.changed())
            for key, (name, content) in self._put.items():
                if key not in edited:
                    archive.writestr(name, content)

    def _name(self, key: str) -> str:
        return self._put[key][0] if key in self._put else self._parts[key].filename

    def _copy(self, info: ZipInfo, archive: ZipFile, stream: BinaryIO) -> None:
        """Copy a part as it is packed."""
        self._stream.seek(info.header_offset)
        header = self._stream.read(_LOCAL_HEADER)
        names, extras = (int.from_bytes(header[place], "little") for place in (_NAMES, _EXTRAS))
        self._stream.seek(info.header_offset + _LOCAL_HEADER + names + extras)
        copied = copy.copy(info)
        copied.flag_bits &= ~_HAS_DESCRIPTOR
        copied.extra = b""
        copied.header_offset = stream.tell()
        stream.write(copied.FileHeader())
        left = info.compress_size
        while left:
            piece = self._stream.read(min(left, _PIECE_BYTES))
            if not piece:
                raise UneditableError("It breaks off while it is read.")
            stream.write(piece)
            left -= len(piece)
        # As `ZipFile` does for what it has written itself.
        archive.filelist.append(copied)
        archive.NameToInfo[copied.filename] = copied
        archive.start_dir = stream.tell()

    def _info(self, part: str) -> ZipInfo:
        try:
            return self._parts[_key(part)]
        except KeyError:
            raise UneditableError(f"Its part {part!r} is missing.") from None


def _key(part: str) -> str:
    return part.replace("\\", "/").lstrip("/").casefold()


def _relations_of(part: str) -> str:
    folder, name = posixpath.split(part)
    return posixpath.join(folder, "_rels", f"{name}.rels")
