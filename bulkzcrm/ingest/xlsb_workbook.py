"""What a binary workbook (.xlsb) holds around its cells; the numbers of the records are those of [MS-XLSB] 2.3."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import IO
from zipfile import ZipFile

from bulkzcrm.errors import SourceError
from bulkzcrm.ingest.number_formats import BUILTIN_CODES, Shape, counting_from, shape_of
from bulkzcrm.ingest.shared_texts import Texts, kept_texts
from bulkzcrm.ingest.workbook import Sheet, Workbook, parts_of, relations_of
from bulkzcrm.ingest.xlsb_records import records, text_at
from bulkzcrm.ingest.xml_text import visible

__all__ = ["read_xlsb_workbook"]

_SHARED_TEXT = 19
_FORMAT = 44
_STYLE = 47
_WORKBOOK_PROPERTIES = 153
_BUNDLED_SHEET = 156
_BEGIN_CELL_STYLES = 617
_END_CELL_STYLES = 618


def read_xlsb_workbook(archive: ZipFile, name: str) -> Workbook:
    """Read everything but the sheets, as `read_workbook` does. Raises `SourceError`, and what damage makes it raise."""
    parts = parts_of(archive)
    top = relations_of(archive, parts, "", name)
    path = next((target for kind, target in top.values() if kind == "officeDocument"), "xl/workbook.bin")
    part = parts.get(path.casefold())
    if part is None:
        raise SourceError(f"{name} is no workbook.", "Open it in a spreadsheet program and save it as .xlsx.")
    relations = relations_of(archive, parts, path, name)
    targets = {kind: parts.get(target.casefold()) for kind, target in relations.values()}
    sheets: list[Sheet] = []
    is_1904 = False
    with archive.open(part) as stream:
        for kind, data in records(stream, name):
            if kind == _WORKBOOK_PROPERTIES:
                is_1904 = bool(struct.unpack_from("<B", data)[0] & 1)
            elif kind == _BUNDLED_SHEET:
                sheets.extend(_sheet(data, relations, parts))
    return Workbook(
        archive=archive,
        sheets=tuple(sheets),
        strings=_strings(archive, targets.get("sharedStrings"), name),
        shapes=_shapes(archive, targets.get("styles"), name),
        epoch=counting_from(is_1904=is_1904),
    )


def _sheet(data: bytes, relations: dict[str, tuple[str, str]], parts: dict[str, str]) -> Iterator[Sheet]:
    (state,) = struct.unpack_from("<I", data)
    reference, end = text_at(data, 8)
    name, _ = text_at(data, end)
    kind, path = relations.get(reference, ("", ""))
    if kind == "worksheet" and path.casefold() in parts:
        yield Sheet(name=name, visible=state == 0, part=parts[path.casefold()])


def _strings(archive: ZipFile, part: str | None, name: str) -> Texts:
    if part is None:
        return ()
    with archive.open(part) as stream:
        return kept_texts(_texts(stream, f"the table of texts of {name}"))


def _texts(stream: IO[bytes], where: str) -> Iterator[str | None]:
    for kind, data in records(stream, where):
        if kind == _SHARED_TEXT:
            yield visible(text_at(data, 1)[0])


def _shapes(archive: ZipFile, part: str | None, name: str) -> tuple[Shape, ...]:
    if part is None:
        return ()
    codes = dict(BUILTIN_CODES)
    formats: list[int] = []
    is_inside = False
    with archive.open(part) as stream:
        for kind, data in records(stream, f"the styles of {name}"):
            if kind == _FORMAT:
                codes[struct.unpack_from("<H", data)[0]] = text_at(data, 2)[0]
            elif kind in {_BEGIN_CELL_STYLES, _END_CELL_STYLES}:
                is_inside = kind == _BEGIN_CELL_STYLES
            elif kind == _STYLE and is_inside:
                formats.append(struct.unpack_from("<H", data, 2)[0])
    return tuple(shape_of(codes.get(number, "")) for number in formats)
