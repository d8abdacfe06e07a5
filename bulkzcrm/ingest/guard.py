"""A workbook is looked over before it is parsed: what is a bomb, encrypted, damaged or no workbook is refused.

How much an honest workbook unpacks to is no matter: sheets and shared texts are read piece by piece. What would do harm
is a small file that unpacks to much, and one element that fills the memory (see `stretches`).
"""

from __future__ import annotations

import os
import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, BinaryIO
from xml.etree.ElementTree import ParseError
from xml.parsers import expat
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from bulkzcrm.errors import SourceError

__all__ = [
    "OPEN_DOCUMENT_PARTS",
    "open_archive",
    "open_flat",
    "open_part",
    "protected",
    "translated_faults",
]

OPEN_DOCUMENT_PARTS = frozenset({"content.xml", "encrypted-package"})
"""One of them an OpenDocument file has: the second where LibreOffice has encrypted it as a whole."""

_MOST_ENTRIES = 2_000
_MOST_RATIO = 200
_RATIO_COUNTS_FROM = 10_000_000
"""Bytes. Small parts of honest workbooks may be packed better than the ratio allows."""

_LONGEST_PROLOGUE = 1_000_000
"""Bytes of comments and the like before the first element, which a parser may have to hold."""

_PIECE_BYTES = 1 << 16
_ENCRYPTED = 1
"""The bit of a zip entry's flags that says so (PKWARE APPNOTE, 4.4.4)."""

_DAMAGE = (BadZipFile, zlib.error, EOFError, struct.error, UnicodeDecodeError, OverflowError)
"""What `zipfile` raises for an archive that is none; for a name of a part that is no text, a `UnicodeDecodeError`."""

_SAVE_AGAIN = "Open it in a spreadsheet program and save it as .xlsx."


@contextmanager
def translated_faults(name: str) -> Iterator[None]:
    """Turn what reading a damaged archive or its XML raises into a `SourceError`."""
    try:
        yield
    except (*_DAMAGE, NotImplementedError, ParseError, expat.ExpatError) as fault:
        cure = "Copy or download it again, or open it in a spreadsheet program and save it as .xlsx."
        raise SourceError(f"{name} is a damaged workbook.", cure) from fault
    except OSError as fault:
        cure = "Copy it to this computer and start again."
        raise SourceError(f"{name} breaks off while it is read: {fault.strerror or fault}.", cure) from fault


def open_archive(file: BinaryIO, name: str) -> ZipFile:
    """Open the archive that a workbook is, or raise `SourceError`.

    The sizes that the directory claims are binding: `zipfile` never inflates an entry beyond its claimed size, and
    reports one that has more to give as damaged. So limits on the claims are limits on what is inflated: some hundred
    times what there is to read.
    """
    with translated_faults(name):
        archive = ZipFile(file)
        _refuse_foreign(archive, name)
        _refuse_entries(archive.infolist(), file.seek(0, os.SEEK_END), name)
    return archive


def _refuse_foreign(archive: ZipFile, name: str) -> None:
    names = {part.replace("\\", "/").casefold() for part in archive.namelist()}
    if not names.isdisjoint(OPEN_DOCUMENT_PARTS):
        return
    if any(part.endswith(".iwa") for part in names):
        raise SourceError(f"{name} is a Numbers document, which cannot be read.", "Export it as Excel (.xlsx) or CSV.")
    if "[content_types].xml" not in names or "_rels/.rels" not in names:
        raise SourceError(f"{name} is a ZIP archive, but no workbook.", "Unpack it and give the table inside.")


def _refuse_entries(entries: list[ZipInfo], size: int, name: str) -> None:
    cure = f"If you trust its origin: {_SAVE_AGAIN[0].lower()}{_SAVE_AGAIN[1:]}"
    if len(entries) > _MOST_ENTRIES:
        raise SourceError(f"{name} has {len(entries):,} parts; a workbook may have {_MOST_ENTRIES:,}.", cure)
    if sum(entry.compress_size for entry in entries) > size:
        raise SourceError(f"{name} has parts that lie over each other, as in a zip bomb.", cure)
    for entry in entries:
        if entry.file_size > max(_RATIO_COUNTS_FROM, _MOST_RATIO * entry.compress_size):
            raise SourceError(f"{name} unpacks to more than {_MOST_RATIO} times its size, as a zip bomb does.", cure)
        if entry.flag_bits & _ENCRYPTED:
            raise protected(name)
        if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise SourceError(f"{name} is packed in a way that workbooks are not.", _SAVE_AGAIN)
    part, count = Counter(entry.filename for entry in entries).most_common(1)[0]
    if count > 1:
        raise SourceError(f"{name} holds the part {part!r} more than once.", cure)


def open_part(archive: ZipFile, part: str, name: str) -> IO[bytes]:
    """Open an XML part for parsing; whoever parses a part must come by here. The caller closes it.

    Raises `SourceError` if the part declares a document type, the only place where entities can be declared.
    """
    with archive.open(part) as stream:
        _refuse_doctype(stream, part, name)
    return archive.open(part)


@contextmanager
def open_flat(file: BinaryIO, name: str) -> Iterator[BinaryIO]:
    """Open a source that is one XML document for parsing, as `open_part` opens a part; the file stays open."""
    file.seek(0)
    _refuse_doctype(file, name, name)
    file.seek(0)
    yield file


def _refuse_doctype(stream: IO[bytes], part: str, name: str) -> None:
    """Read up to the first element: a document type stands before it or nowhere."""
    parser = expat.ParserCreate()
    begun: list[bool] = []

    def refuse(*_: object) -> None:
        cure = f"Excel never writes such a part. {_SAVE_AGAIN}"
        raise SourceError(f"{name} declares XML entities in {part!r}, which could be an attack.", cure)

    def begin(*_: object) -> None:
        begun.append(True)

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = begin
    read = 0
    while not begun and (piece := stream.read(_PIECE_BYTES)):
        if read > _LONGEST_PROLOGUE:
            raise SourceError(f"{name} holds nothing in the first {read:,} bytes of {part!r}.", _SAVE_AGAIN)
        parser.Parse(piece, False)
        read += len(piece)
    if not begun:
        parser.Parse(b"", True)  # newer versions of expat put off what they have not seen whole


def protected(name: str) -> SourceError:
    """Return that a workbook needs a password."""
    return SourceError(f"{name} is protected by a password.", "Open it, take the password off, and save it as .xlsx.")
