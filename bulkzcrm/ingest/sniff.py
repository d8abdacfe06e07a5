"""What a file is, by its first bytes: the content decides, whatever the extension says."""

from __future__ import annotations

import codecs
import json
import struct
from enum import StrEnum
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile

from bulkzcrm.errors import SourceError
from bulkzcrm.ingest.guard import OPEN_DOCUMENT_PARTS

__all__ = ["Content", "sniff"]

_START_BYTES = 1 << 16
_OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BIFF_MAGICS = (b"\x09\x00\x04\x00", b"\x09\x02\x06\x00", b"\x09\x04\x06\x00", b"\x09\x08\x08\x00", b"\x09\x08\x10\x00")
"""How workbooks begin that Excel 2 to 4 wrote, and later ones where a program left the container out."""
_FLAT_MARK = b"<office:document"
_ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_FOREIGN = (
    (b"%PDF-", "a PDF document"),
    (b"\x1f\x8b", "compressed with gzip"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"SQLite format 3\0", "a database"),
    (b"PAR1", "a Parquet file"),
)
_JSON_SUFFIXES = frozenset({".jsonl", ".ndjson", ".json"})
_MARKUP = (b"<!doctype", b"<html", b"<?xml", b"<table")


class Content(StrEnum):
    """What the bytes of a file are."""

    WORKBOOK = "an Excel workbook"
    BINARY_WORKBOOK = "a binary Excel workbook"
    OLD_WORKBOOK = "an old Excel workbook"
    OPEN_DOCUMENT = "an OpenDocument spreadsheet"
    FLAT_OPEN_DOCUMENT = "an OpenDocument spreadsheet in one XML document"
    JSON_LINES = "JSON Lines"
    DELIMITED = "text with separated cells"


def sniff(file: BinaryIO, name: str, suffix: str) -> Content:
    """Tell what a file is. `suffix` (its extension in small letters) decides only where the content leaves it open.

    Raises `SourceError` for an empty file, and for what plainly is no table.
    """
    file.seek(0)
    start = file.read(_START_BYTES)
    if not start:
        raise SourceError(f"{name} is empty.", "Give a source with a header row; perhaps its export failed.")
    if start.startswith((_OLE_MAGIC, *_BIFF_MAGICS)):
        return Content.OLD_WORKBOOK
    if start.startswith(_ZIP_MAGICS):
        return _archive_content(file)
    for magic, what in _FOREIGN:
        if start.startswith(magic):
            raise SourceError(f"{name} is {what}, not a table.", "Give a CSV, .xlsx or JSON Lines file.")
    text = start.removeprefix(codecs.BOM_UTF8).lstrip()
    if text.startswith(b"<") and _FLAT_MARK in text:
        return Content.FLAT_OPEN_DOCUMENT
    if text[:16].lower().startswith(_MARKUP):
        cure = "Open it in a spreadsheet program and save it as .xlsx or CSV."
        raise SourceError(f"{name} is a web page or XML, not a table, whatever its extension says.", cure)
    return _text_content(text, name, suffix)


def _archive_content(file: BinaryIO) -> Content:
    try:
        with ZipFile(file) as archive:
            parts = {part.replace("\\", "/").casefold() for part in archive.namelist()}
    except (BadZipFile, OSError, ValueError, NotImplementedError, struct.error):
        return Content.WORKBOOK  # whoever reads it tells what is wrong with it
    if any(part.endswith("/workbook.bin") for part in parts):
        return Content.BINARY_WORKBOOK
    return Content.WORKBOOK if parts.isdisjoint(OPEN_DOCUMENT_PARTS) else Content.OPEN_DOCUMENT


def _text_content(text: bytes, name: str, suffix: str) -> Content:
    if suffix in _JSON_SUFFIXES:
        if text.startswith(b"["):
            raise SourceError(
                f"{name} holds one JSON list.", "Write one object on each line (JSON Lines), without the list."
            )
        if text.startswith((b"{", codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return Content.JSON_LINES
        return Content.DELIMITED
    return Content.JSON_LINES if text.startswith(b"{") and _is_object(text.splitlines()[0]) else Content.DELIMITED


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
