"""OLE compound files, the container of old and of encrypted Office documents: the workbook in one, or why it has none.

The layout is that of [MS-CFB]. Every chain of sectors is followed no further than the file is long, so that one which
bites its own tail is damage like any other; xlrd would follow it for ever.
"""

from __future__ import annotations

import os
import struct
from array import array
from collections.abc import Iterator
from contextlib import closing
from mmap import ACCESS_READ, mmap
from typing import BinaryIO

from bulkzcrm.errors import SourceError
from bulkzcrm.ingest.guard import protected

__all__ = ["broken_ole", "workbook_stream"]

_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HEADER_BYTES = 512
_SECTOR_POWERS = frozenset({9, 12})
_SMALL_SECTOR_BYTES = 64
_FIRST_LARGE_BYTES = 4096
"""Smaller streams stand in small sectors."""
_ENTRY_BYTES = 128
_STREAM, _ROOT = 2, 5
_NAMES = ("workbook", "book")
"""Of Excel 97 and later, and of Excel 5 and 95; where a file has both, the first holds more."""
_LAST_SECTOR = 0xFFFF_FFFA
"""Beyond it are marks, such as that of a chain's end."""

_SAVE_AGAIN = "Open it in a spreadsheet program and save it as .xlsx."


def workbook_stream(file: BinaryIO) -> bytes:
    """Return the records of the old workbook that a file holds, or that it is, without a container.

    Raises `EOFError` or `struct.error` where it is damaged, and `LookupError` where it holds no workbook.
    """
    file.seek(0)
    with closing(mmap(file.fileno(), 0, access=ACCESS_READ)) as content:
        found = _Container(content).workbook() if content[:8] == _MAGIC else content[:]
    if found[:8] == _MAGIC:  # one inside the other, as nobody writes it
        raise LookupError
    return found


class _Container:
    def __init__(self, content: mmap) -> None:
        self._content = content
        power, first_directory, first_small, first_more = self._header()
        self._sector_bytes = 1 << power
        self._most = len(content) // self._sector_bytes
        self._next = self._table(self._places_of_table(first_more))
        self._directory = self._joined(self._chain(first_directory))
        self._first_small = first_small

    def workbook(self) -> bytes:
        streams: dict[str, tuple[int, int]] = {}
        small = b""
        for start in range(0, len(self._directory) - _ENTRY_BYTES + 1, _ENTRY_BYTES):
            entry = self._directory[start : start + _ENTRY_BYTES]
            length, kind = struct.unpack_from("<HB", entry, 64)
            place = struct.unpack_from("<II", entry, 116)
            if kind == _ROOT and not small:
                small = self._joined(self._chain(place[0])) if place[1] else b""
            elif kind == _STREAM:
                name = entry[: max(0, min(length, 64) - 2)].decode("utf-16-le", errors="replace")
                streams.setdefault(name.casefold(), place)
        first, size = next(streams[name] for name in _NAMES if name in streams)
        if size >= _FIRST_LARGE_BYTES:
            found = self._joined(self._chain(first))
        else:
            followers = self._table(self._chain(self._first_small))
            steps = _followed(first, followers, len(followers))
            found = b"".join(small[step * _SMALL_SECTOR_BYTES :][:_SMALL_SECTOR_BYTES] for step in steps)
        if len(found) < size:
            raise EOFError
        return found[:size]

    def _header(self) -> tuple[int, int, int, int]:
        """Return the power of the sectors' size, and where directory, table of small sectors and more tables begin."""
        if len(self._content) < _HEADER_BYTES:
            raise EOFError
        (power,) = struct.unpack_from("<H", self._content, 30)
        directory, _, first_large, small, _, more = struct.unpack_from("<6I", self._content, 48)
        if power not in _SECTOR_POWERS or first_large != _FIRST_LARGE_BYTES:
            raise EOFError
        return power, directory, small, more

    def _places_of_table(self, more: int) -> Iterator[int]:
        """Yield which sectors hold the table of sectors: the header names 109, and further sectors the others."""
        yield from struct.unpack_from("<109I", self._content, 76)
        names = self._sector_bytes // 4
        for _ in range(self._most):
            if more > _LAST_SECTOR:
                return
            *places, more = struct.unpack(f"<{names}I", self._sector(more))
            yield from places

    def _table(self, places: Iterator[int]) -> array[int]:
        numbers = b"".join(self._sector(place) for place in places if place <= _LAST_SECTOR)
        return array("L" if array("L").itemsize == 4 else "I", numbers)

    def _chain(self, first: int) -> Iterator[int]:
        return _followed(first, self._next, self._most)

    def _joined(self, places: Iterator[int]) -> bytes:
        return b"".join(map(self._sector, places))

    def _sector(self, place: int) -> bytes:
        start = (place + 1) * self._sector_bytes
        # The last sector of a file may be cut where nothing stands in it any more.
        if start >= len(self._content):
            raise EOFError
        return self._content[start : start + self._sector_bytes].ljust(self._sector_bytes, b"\0")


def _followed(first: int, followers: array[int], most: int) -> Iterator[int]:
    """Yield the sectors of a chain; `followers` tells for each which one follows."""
    place = first
    for _ in range(most + 1):
        if place > _LAST_SECTOR:
            return
        yield place
        if place >= len(followers):
            raise EOFError
        place = followers[place]
    raise EOFError


def broken_ole(file: BinaryIO, name: str) -> SourceError:
    """Return why an OLE file, or an old workbook without such a container, cannot be read."""
    if _mentions(file, "EncryptedPackage"):
        return protected(name)
    if _mentions(file, "Workbook") or _mentions(file, "Book") or _lacks_directory(file):
        cure = f"Copy or download it again. {_SAVE_AGAIN}"
        return SourceError(f"{name} is a damaged old Excel workbook (.xls).", cure)
    return SourceError(f"{name} is an old Office document, not a workbook.", "Give a CSV, .xlsx or JSON Lines file.")


def _lacks_directory(file: BinaryIO) -> bool:
    """Tell whether a file breaks off before the directory begins, which tells what it is."""
    file.seek(0)
    header = file.read(_HEADER_BYTES)
    if not header.startswith(_MAGIC) or len(header) < _HEADER_BYTES:
        return True  # what has no container is a workbook (`sniff`)
    power: int = struct.unpack_from("<H", header, 30)[0]
    sector: int = struct.unpack_from("<I", header, 48)[0]
    return (sector + 1) << min(power, 32) >= file.seek(0, os.SEEK_END)


def _mentions(file: BinaryIO, stream: str) -> bool:
    """Tell whether a directory entry of an OLE file bears this name (UTF-16, and its length, at a multiple of 128)."""
    wanted = stream.encode("utf-16-le") + b"\0\0"
    file.seek(0)
    while piece := file.read(1 << 20):
        at = piece.find(wanted)
        while at >= 0:
            if at % _ENTRY_BYTES == 0:
                return True
            at = piece.find(wanted, at + 1)
    return False
