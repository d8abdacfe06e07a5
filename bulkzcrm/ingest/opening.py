"""From whatever a person calls a source to a table that can be read, and the hash that tells contents apart."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, TypeAlias, TypeGuard, TypeVar, cast

from bulkzcrm.errors import SourceError
from bulkzcrm.ingest.csv_source import read_csv
from bulkzcrm.ingest.grid import rows_of
from bulkzcrm.ingest.jsonl_source import read_jsonl
from bulkzcrm.ingest.options import ReadOptions
from bulkzcrm.ingest.sniff import Content, sniff
from bulkzcrm.model import Table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["OpenedSource", "Source", "content_hash", "open_source"]

Source: TypeAlias = "str | Path | BinaryIO | pd.DataFrame"
"""A file's path, a stream of bytes (standard input), or a pandas DataFrame."""

_T = TypeVar("_T")

_STREAM_NAME = "-"
_PIECE_BYTES = 1 << 20
_SUFFIXES = {
    Content.WORKBOOK: frozenset({".xlsx", ".xlsm", ".xltx", ".xltm"}),
    Content.BINARY_WORKBOOK: frozenset({".xlsb"}),
    Content.OLD_WORKBOOK: frozenset({".xls", ".xlt"}),
    Content.OPEN_DOCUMENT: frozenset({".ods", ".ots"}),
    Content.FLAT_OPEN_DOCUMENT: frozenset({".fods"}),
    Content.JSON_LINES: frozenset({".jsonl", ".ndjson", ".json"}),
    Content.DELIMITED: frozenset({".csv", ".tsv", ".txt", ".tab", ".psv"}),
}


class OpenedSource(AbstractContextManager[Table]):
    """A source on its way to being read: entering it gives the `Table`, leaving it closes what was opened.

    `content_hash` is the SHA-256 (hex) of the content: of a file's bytes, of a stream's bytes (once entered), of a
    frame's columns and values.
    """

    def __init__(self, source: Source, options: ReadOptions) -> None:
        self._source = source
        self._options = options
        self._open = ExitStack()
        self._stream_hash: str | None = None

    def __enter__(self) -> Table:
        try:
            table = self._read()
        except BaseException:
            self._open.close()
            raise
        for each in (table.rows, table.slabs):
            if each is not None:
                self._open.callback(cast("Generator[object, None, None]", each).close)
        return table

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    @property
    def content_hash(self) -> str:
        """The SHA-256 (hex) of the content. Raises `SourceError` if a file cannot be read."""
        if self._stream_hash is not None:
            return self._stream_hash
        return content_hash(self._source)

    def _read(self) -> Table:
        if _is_frame(self._source):
            from bulkzcrm.ingest.frame_source import read_frame  # noqa: PLC0415 - pandas takes half a second to import

            return read_frame(self._source, self._options)
        if isinstance(self._source, str | Path):
            return self._read_file(self._source)
        return self._read_stream(cast("BinaryIO", self._source), _STREAM_NAME)

    def _read_file(self, path: str | Path) -> Table:
        file = self._open.enter_context(_open_file(path))
        if not file.seekable():  # a named pipe
            return self._read_stream(file, str(path))
        before = _stamp(file)
        table = _read_bytes(file, str(path), Path(path).suffix.casefold(), self._options)
        if table.slabs is not None:
            table.slabs = _unchanged(table.slabs, file, before, table.name)
            table.rows = rows_of(table.slabs)
        else:
            table.rows = _unchanged(table.rows, file, before, table.name)
        return table

    def _read_stream(self, stream: BinaryIO, name: str) -> Table:
        file, self._stream_hash = _spooled(stream, name)
        return _read_bytes(self._open.enter_context(file), name, "", self._options)


def open_source(source: Source, options: ReadOptions | None = None) -> OpenedSource:
    """Open a source for reading; use it with `with`.

    Raises `SourceError` on entering, and from the rows, with file, row or cell and cure; `UsageError` for options that
    do not go with the source. The rows can be read once, and only before leaving.
    """
    return OpenedSource(source, options or ReadOptions())


def content_hash(source: Source) -> str:
    """Return the SHA-256 (hex) of a source's content, read piece by piece. Raises `SourceError`.

    A stream is read to its end; to read its rows as well, use the property of what `open_source` returns.
    """
    if _is_frame(source):
        from bulkzcrm.ingest.frame_source import frame_hash  # noqa: PLC0415 - pandas takes half a second to import

        return frame_hash(source)
    if isinstance(source, str | Path):
        with _open_file(source) as file:
            return _digest(file)
    file, digest = _spooled(cast("BinaryIO", source), _STREAM_NAME)
    file.close()
    return digest


def _is_frame(source: object) -> TypeGuard[pd.DataFrame]:
    pandas = sys.modules.get("pandas")  # where nobody has imported pandas, nobody can have made a frame
    return pandas is not None and isinstance(source, pandas.DataFrame)


def _open_file(path: str | Path) -> BinaryIO:
    if Path(path).is_dir():
        raise SourceError(f"{path} is a folder.", "Give the file itself.")
    try:
        return Path(path).open("rb")
    except FileNotFoundError:
        raise SourceError(f"There is no file {path}.", "Look at the spelling and at the current folder.") from None
    except PermissionError:
        cure = "Close it in other programs, or ask for the right to read it."
        raise SourceError(f"{path} may not be read.", cure) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or "the name is not valid"
        raise SourceError(f"{path} cannot be opened: {reason}.", "Copy it to this computer and start again.") from None


def _spooled(stream: BinaryIO, name: str) -> tuple[BinaryIO, str]:
    """Copy a stream aside, because a source is read more than once; return the copy and its SHA-256 (hex)."""
    copy = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 - the caller closes it
    try:
        shutil.copyfileobj(stream, copy)
        copy.seek(0)
        return copy, _digest(copy)
    except OSError as error:
        copy.close()
        cure = "Make room in the folder for temporary files, or give the source as a file."
        raise SourceError(f"{name} cannot be copied aside: {error.strerror}.", cure) from None


def _stamp(file: BinaryIO) -> tuple[int, int]:
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns


def _unchanged(rows: Iterator[_T], file: BinaryIO, before: tuple[int, int], name: str) -> Iterator[_T]:
    """Yield the rows, or slabs of them.

    Raise `SourceError` after the last if the file was written to meanwhile: some may be missing.
    """
    yield from rows
    if _stamp(file) != before:
        raise SourceError(f"{name} was changed while it was read.", "Start again when nobody writes to it.")


def _read_bytes(file: BinaryIO, name: str, suffix: str, options: ReadOptions) -> Table:
    try:
        content = sniff(file, name, suffix)
        table = _table(content, file, name, suffix, options)
    except OSError as error:
        raise SourceError(f"{name} cannot be read: {error.strerror}.", "Copy it to this computer.") from None
    if any(suffix in suffixes for kind, suffixes in _SUFFIXES.items() if kind is not content):
        table.notes.append(f"{name} is {content.value}, although its extension is {suffix}; it was read as what it is.")
    return table


def _table(content: Content, file: BinaryIO, name: str, suffix: str, options: ReadOptions) -> Table:
    # What reads a workbook is slow to import, and is so only where there is one.
    match content:
        case Content.WORKBOOK:
            from bulkzcrm.ingest.xlsx_source import read_xlsx  # noqa: PLC0415

            return read_xlsx(file, name, options)
        case Content.BINARY_WORKBOOK:
            from bulkzcrm.ingest.xlsb_source import read_xlsb  # noqa: PLC0415

            return read_xlsb(file, name, options)
        case Content.OLD_WORKBOOK:
            from bulkzcrm.ingest.xls_source import read_xls  # noqa: PLC0415

            return read_xls(file, name, options)
        case Content.OPEN_DOCUMENT:
            from bulkzcrm.ingest.ods_source import read_ods  # noqa: PLC0415

            return read_ods(file, name, options)
        case Content.FLAT_OPEN_DOCUMENT:
            from bulkzcrm.ingest.ods_source import read_flat_ods  # noqa: PLC0415

            return read_flat_ods(file, name, options)
        case Content.JSON_LINES:
            return read_jsonl(file, name, options)
        case Content.DELIMITED:
            return read_csv(file, name, options, suffix=suffix)


def _digest(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while piece := file.read(_PIECE_BYTES):
        digest.update(piece)
    return digest.hexdigest()
