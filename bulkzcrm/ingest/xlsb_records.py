"""The records that the parts of a binary workbook (.xlsb) are made of; [MS-XLSB] 2.1.4 says how they begin."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import IO

from bulkzcrm.errors import SourceError

__all__ = ["records", "text_at"]

_PIECE_BYTES = 1 << 17
_LONGEST_RECORD = 32_000_000
"""Bytes; a record is held as a whole. A cell's longest text and formula together are far shorter."""
_MOST_KIND_BYTES = 2
_MOST_SIZE_BYTES = 4
_NO_TEXT = 0xFFFF_FFFF


def records(stream: IO[bytes], where: str) -> Iterator[tuple[int, bytes]]:
    """Yield the number of each record and its content. `where` names the part.

    Raises `EOFError` where a record breaks off, and `SourceError` for one too long to hold.
    """
    waiting = b""
    position = 0
    while True:
        if len(waiting) - position < _MOST_KIND_BYTES + _MOST_SIZE_BYTES:
            waiting, position = waiting[position:] + stream.read(_PIECE_BYTES), 0
            if not waiting:
                return
        kind, position = _varying(waiting, position, _MOST_KIND_BYTES)
        size, position = _varying(waiting, position, _MOST_SIZE_BYTES)
        if size > _LONGEST_RECORD:
            raise SourceError(
                f"{where[:1].upper()}{where[1:]} holds one record of {size:,} bytes, as no spreadsheet program "
                "writes it.",
                "Copy its table into a new workbook.",
            )
        while len(waiting) - position < size:
            piece = stream.read(max(_PIECE_BYTES, size))
            if not piece:
                raise EOFError
            waiting, position = waiting[position:] + piece, 0
        yield kind, waiting[position : position + size]
        position += size


def _varying(data: bytes, position: int, most: int) -> tuple[int, int]:
    """Read a number of seven bits a byte, the eighth telling whether another follows; return it and where it ends."""
    number = 0
    for place in range(most):
        if position >= len(data):
            raise EOFError
        byte = data[position]
        position += 1
        number |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            break
    return number, position


def text_at(data: bytes, position: int) -> tuple[str, int]:
    """Return the text (XLWideString; blank where one is missing that may be) at a position, and where it ends.

    Raises `EOFError`, `struct.error` or `UnicodeDecodeError`.
    """
    (length,) = struct.unpack_from("<I", data, position)
    position += 4
    if length == _NO_TEXT:
        return "", position
    end = position + 2 * length
    if end > len(data):
        raise EOFError
    return data[position:end].decode("utf-16-le"), end
