"""Bytes become text: the encoding is settled, and the whole file is known to fit it, before the first line is read."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from typing import BinaryIO

from bulkzcrm.errors import SourceError, UsageError

__all__ = ["TextFile", "open_text"]

_PIECE_BYTES = 1 << 18
_LONGEST_LINE = 50_000_000
"""Characters. A line is read as a whole; without an end to it a hostile file would fill the memory."""

_FAULT = "bulkzcrm.fault"
codecs.register_error(_FAULT, lambda error: ("\0", getattr(error, "end", 0)))
"""Reads what cannot be decoded as NUL, which is a fault itself, so that one search finds the place of both."""

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class _Unfit(Exception):  # noqa: N818 - never leaves this file; the user sees a SourceError
    """The text cannot be read with this encoding; `reason` completes the sentence "Row 7 of a.csv ..."."""

    def __init__(self, reason: str, *, undecodable: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.undecodable = undecodable


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFile:
    """A file of text with a settled encoding: `inferred` if nobody gave it; `note` is for the user, or blank."""

    file: BinaryIO
    encoding: str
    inferred: bool
    note: str = ""

    def lines(self) -> Iterator[str]:
        """Read the file from its beginning, line by line with the line ends, without a byte order mark."""
        return _lines(self.file, self.encoding, errors="strict")

    def sample(self, characters: int) -> str:
        """Return the beginning of the text, without a byte order mark."""
        return _sample(self.file, self.encoding, characters)


def open_text(file: BinaryIO, name: str, encoding: str | None, locate: Callable[[Iterator[str], str], int]) -> TextFile:
    """Settle the encoding of `file` and check all of it.

    Without `encoding`: what a byte order mark says, else UTF-8, else Windows-1252 with a note. Raises `SourceError`
    naming the row of the first byte that does not fit or of a NUL, and for an endless line: `locate(lines, sample)`
    tells the row in which the first NUL of `lines` stands. Raises `UsageError` for an encoding that is not known.
    """
    if encoding is not None:
        chosen = _known(encoding)
        _refuse_unfit(file, name, chosen, locate, cure="Give another --encoding, or save the file as UTF-8.")
        return TextFile(file=file, encoding=chosen, inferred=False)
    file.seek(0)
    start = file.read(4)
    for mark, marked in _MARKS:
        if start.startswith(mark):
            _refuse_unfit(file, name, marked, locate, cure="The file is damaged; export it again.")
            return TextFile(file=file, encoding=marked, inferred=True)
    try:
        _check(file, "utf-8")
    except _Unfit as unfit:
        if not unfit.undecodable:
            raise _source_error(file, name, "utf-8", unfit, locate, cure=_binary_cure(start)) from None
    else:
        return TextFile(file=file, encoding="utf-8", inferred=True)
    cure = "Save the file as UTF-8, or name its encoding with --encoding."
    _refuse_unfit(file, name, "cp1252", locate, cure=cure)
    note = f"{name} is not UTF-8 and was read as Windows-1252; if accented letters look wrong, give --encoding."
    return TextFile(file=file, encoding="cp1252", inferred=True, note=note)


def _binary_cure(start: bytes) -> str:
    if b"\0" in start:
        return "If it is Unicode text without a byte order mark, give --encoding utf-16-le (or utf-16-be)."
    return "Text never holds such characters; export the file again as CSV (UTF-8)."


def _known(encoding: str) -> str:
    try:
        decoder = codecs.getincrementaldecoder(encoding)(_FAULT)
        # Refuses codecs that are no encodings of texts (base64), and those that cannot tell where a fault is (idna).
        decoder.decode("a".encode(encoding))
        return codecs.lookup(encoding).name.removesuffix("-sig")
    except (LookupError, UnicodeError, ValueError):
        cure = "Give one such as utf-8, utf-16, cp1252, iso-8859-2 or shift_jis."
        raise UsageError(f"{encoding!r} is not the name of a text encoding.", cure) from None


def _refuse_unfit(
    file: BinaryIO, name: str, encoding: str, locate: Callable[[Iterator[str], str], int], *, cure: str
) -> None:
    try:
        _check(file, encoding)
    except _Unfit as unfit:
        raise _source_error(file, name, encoding, unfit, locate, cure=cure) from None


def _source_error(
    file: BinaryIO,
    name: str,
    encoding: str,
    unfit: _Unfit,
    locate: Callable[[Iterator[str], str], int],
    *,
    cure: str,
) -> SourceError:
    if isinstance(unfit, _EndlessLine):
        return SourceError(f"{name} {unfit.reason}.", "Look whether it is a table at all, and export it again as CSV.")
    try:
        row = locate(_lines(file, encoding, errors=_FAULT), _sample(file, encoding, 1 << 16))
    except UnicodeError:  # the codec does not even begin, as UTF-16 without a byte order mark
        return SourceError(f"{name} {unfit.reason}.", cure)
    return SourceError(f"Row {row} of {name} {unfit.reason}.", cure)


class _EndlessLine(_Unfit):
    def __init__(self) -> None:
        super().__init__(f"has a line of more than {_LONGEST_LINE:,} characters", undecodable=False)


def _check(file: BinaryIO, encoding: str) -> None:
    """Decode the whole file. Raises `_Unfit` at the first byte that does not fit, at a NUL, and at an endless line."""
    decoder = codecs.getincrementaldecoder(encoding)()
    file.seek(0)
    length = 0
    while True:
        data = file.read(_PIECE_BYTES)
        try:
            piece = decoder.decode(data, not data)
        except UnicodeDecodeError as error:
            byte = error.object[error.start]
            raise _Unfit(f"holds the byte 0x{byte:02X}, which is no {_spoken(encoding)}", undecodable=True) from None
        except UnicodeError:
            raise _Unfit(f"is no {_spoken(encoding)}", undecodable=True) from None
        if "\0" in piece:
            raise _Unfit("holds a NUL character", undecodable=False)
        last_end = max(piece.rfind("\n"), piece.rfind("\r"))
        length = length + len(piece) if last_end < 0 else len(piece) - last_end
        if length > _LONGEST_LINE:
            raise _EndlessLine
        if not data:
            return


def _spoken(encoding: str) -> str:
    return {"utf-8": "UTF-8", "utf-16": "UTF-16", "cp1252": "Windows-1252"}.get(encoding, encoding)


def _lines(file: BinaryIO, encoding: str, *, errors: str) -> Iterator[str]:
    file.seek(0)
    text = TextIOWrapper(file, encoding=encoding, errors=errors, newline="")
    try:
        yield text.readline().removeprefix("\ufeff")
        yield from text
    finally:
        _release(text, file)


def _sample(file: BinaryIO, encoding: str, characters: int) -> str:
    file.seek(0)
    text = TextIOWrapper(file, encoding=encoding, errors=_FAULT, newline="")
    try:
        return text.read(characters).removeprefix("\ufeff")
    finally:
        _release(text, file)


def _release(text: TextIOWrapper, file: BinaryIO) -> None:
    if not file.closed:
        text.detach()  # else the file would be closed together with the wrapper
