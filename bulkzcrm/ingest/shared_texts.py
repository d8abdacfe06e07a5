"""The table of texts that a workbook's cells share: read fast, and kept in little memory however long it is."""

from __future__ import annotations

import tempfile
import weakref
from array import array
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain, islice
from typing import IO, Protocol
from xml.etree.ElementTree import ParseError

import msgspec

from bulkzcrm.errors import SourceError
from bulkzcrm.ingest.stretches import Stretches
from bulkzcrm.ingest.xml_text import decoded, rich_text, unescaped, visible

__all__ = ["Texts", "kept_texts", "shared_texts"]

_MOST_KEPT = 100_000
"""Texts in memory (some 10 MB); a longer table goes to a file."""
_MOST_CHARACTERS = 8_000_000
_TOGETHER = 32
"""Texts that are read from the file together: cells that follow each other mostly need neighbours in the table."""
_REMEMBERED = 2048
"""So many times `_TOGETHER`: the rows of a sheet come back to the texts of closed choices."""

_WRITTEN_BYTES = 1 << 20

_decode = msgspec.json.Decoder(list[str | None]).decode


class Texts(Protocol):
    """The texts by their index; one of white space only is `None`. An index beyond the end raises `IndexError`."""

    def __getitem__(self, index: int, /) -> str | None: ...


def shared_texts(stream: IO[bytes], where: str) -> Iterator[str | None]:
    """Read the table, entry by entry; what is not plain is the parser's. `where` names it in messages."""
    stretches = Stretches(stream, "sst", "si", inner=False, where=where)
    for stretch in stretches:
        if not isinstance(stretch, str):
            yield visible(rich_text(stretch))
            continue
        entries = _entries(stretch)
        for entry in entries:
            text = _plain_text(entry)
            if text is not None:
                yield visible(text)
                continue
            try:
                elements = stretches.parsed(entry)
            except ParseError:
                stretches.leave("".join(chain((entry,), entries)))
                break
            for element in elements:
                yield visible(rich_text(element))


def _entries(stretch: str) -> Iterator[str]:
    before, *entries = stretch.split("<si>")
    if before and not before.isspace():
        yield before
    for entry in entries:
        yield f"<si>{entry}"


def _plain_text(entry: str) -> str | None:
    """Return the text of an entry that is one plain text, else `None`."""
    begin = "<si><t>" if entry.startswith("<si><t>") else '<si><t xml:space="preserve">'
    if not entry.endswith("</t></si>"):
        entry = entry.rstrip()
    if not (entry.startswith(begin) and entry.endswith("</t></si>")):
        return None
    text = entry[len(begin) : -9]
    try:
        return unescaped(decoded(text))
    except (ValueError, LookupError):
        return None


def kept_texts(texts: Iterator[str | None]) -> Texts:
    """Keep the texts: a table of the usual size in memory, a long one in a file that vanishes with what is returned."""
    kept: list[str | None] = []
    characters = 0
    for text in texts:
        kept.append(text)
        characters += len(text or "")
        if len(kept) > _MOST_KEPT or characters > _MOST_CHARACTERS:
            return _TextsInFile(kept, texts)
    return kept


class _TextsInFile:
    """Texts in a temporary file; those that were asked for lately are in memory."""

    def __init__(self, first: list[str | None], rest: Iterator[str | None]) -> None:
        try:
            file = tempfile.TemporaryFile()  # noqa: SIM115 - closed when nobody needs the texts any more
            weakref.finalize(self, file.close)
            places = _write(file, chain(first, rest))
        except OSError as error:
            cure = "Make room in the folder for temporary files, or save the sheet as CSV."
            raise SourceError(f"A table of texts cannot be kept aside: {error.strerror}.", cure) from None

        # No method: it would keep the object, and so the file, alive.
        @lru_cache(_REMEMBERED)
        def texts_of(group: int) -> list[str | None]:
            begin, end = places[group : group + 2]
            file.seek(begin)
            return _decode(file.read(end - begin))

        self._texts_of = texts_of
        self._groups = len(places) - 1

    def __getitem__(self, index: int, /) -> str | None:
        group, place = divmod(index, _TOGETHER)
        if not 0 <= group < self._groups:
            raise IndexError(index)
        return self._texts_of(group)[place]


def _write(file: IO[bytes], texts: Iterator[str | None]) -> array[int]:
    """Write the texts in groups, and return where each begins, and where the last ends."""
    places = array("q", [0])
    waiting = bytearray()
    written = 0
    while group := list(islice(texts, _TOGETHER)):
        waiting += msgspec.json.encode(group)
        places.append(written + len(waiting))
        if len(waiting) > _WRITTEN_BYTES:
            written += len(waiting)
            file.write(waiting)
            waiting.clear()
    file.write(waiting)
    return places
