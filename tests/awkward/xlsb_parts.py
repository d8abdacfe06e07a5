"""Binary workbooks written by hand, record by record, from [MS-XLSB] alone: nothing of the reader is used.

    write_xlsb(path, [Sheet("One", [["a"], [1], [Error(0x2A)]])])

A cell is a text (shared), `Inline`, `Rich`, a whole number, a float, a bool, `Error`, a `Dated` number, `Formula` of
one of those, a `Raw` record, or `None`.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"

FORMATS = ["General", "yyyy-mm-dd", "yyyy-mm-dd hh:mm", "h:mm", "[h]:mm", '0.00" kg"']


@dataclass(frozen=True)
class Inline:
    text: str


@dataclass(frozen=True)
class Rich:
    text: str


@dataclass(frozen=True)
class Error:
    code: int


@dataclass(frozen=True)
class Dated:
    """A number of days, shown by the format of that place in `FORMATS`."""

    days: float
    style: int


@dataclass(frozen=True)
class Formula:
    value: object


@dataclass(frozen=True)
class Raw:
    kind: int
    data: bytes


@dataclass(frozen=True)
class Sheet:
    name: str
    rows: Sequence[Sequence[object] | None]
    state: int = 0
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: Sequence[tuple[int, int]] = ()
    merged: Sequence[tuple[int, int, int, int]] = ()
    is_short: bool = False
    """Whether cells that follow one another leave out their column, as some programs write them."""
    trailing_blank_rows: int = 0
    numbers: Sequence[int] | None = None
    """The places of the rows, from 0, where they do not follow one another."""


@dataclass
class _Texts:
    known: dict[str, int] = field(default_factory=dict)

    def index(self, text: str) -> int:
        return self.known.setdefault(text, len(self.known))


def record(kind: int, data: bytes = b"") -> bytes:
    """2.1.4: the number in one or two bytes, the size in one to four, seven bits each; then the content."""
    head = bytes([kind]) if kind < 0x80 else bytes([kind & 0x7F | 0x80, kind >> 7])
    size = len(data)
    while size >= 0x80:
        head += bytes([size & 0x7F | 0x80])
        size >>= 7
    return head + bytes([size]) + data


def wide(text: str) -> bytes:
    """2.5.168 (XLWideString)."""
    encoded = text.encode("utf-16-le")
    return struct.pack("<I", len(encoded) // 2) + encoded


def packed(number: int) -> int:
    """2.5.122 (RkNumber) of a whole number."""
    return number << 2 | 2


def _cell(value: object, texts: _Texts) -> tuple[int, int, bytes] | None:
    """The record's number, the style, and what follows them."""
    match value:
        case None:
            return None
        case bool():
            return 4, 0, bytes([value])
        case int() if -(2**29) <= value < 2**29:
            return 2, 0, struct.pack("<i", packed(value))
        case int() | float():
            return 5, 0, struct.pack("<d", value)
        case Dated():
            return 5, value.style, struct.pack("<d", value.days)
        case str():
            return 7, 0, struct.pack("<I", texts.index(value))
        case Inline():
            return 6, 0, wide(value.text)
        case Rich():
            return 62, 0, b"\1" + wide(value.text) + struct.pack("<IHH", 1, 0, 0)
        case Error():
            return 3, 0, bytes([value.code])
        case Formula():
            return _formula(value.value)
        case _:
            raise TypeError(value)


def _formula(value: object) -> tuple[int, int, bytes]:
    behind = struct.pack("<HII", 0, 0, 0)
    match value:
        case str():
            return 8, 0, wide(value) + behind
        case bool():
            return 10, 0, bytes([value]) + behind
        case int() | float():
            return 9, 0, struct.pack("<d", value) + behind
        case Error():
            return 11, 0, bytes([value.code]) + behind
        case _:
            raise TypeError(value)


def sheet_part(sheet: Sheet, texts: _Texts | None = None) -> bytes:
    """The part of one sheet."""
    texts = texts or _Texts()
    pieces = [record(129), record(148, struct.pack("<4I", 0, 0, 0, 0))]  # it claims to hold one cell
    if sheet.hidden_columns:
        pieces.append(record(390))
        pieces += [record(60, struct.pack("<4IH", *span, 2560, 0, 1)) for span in sheet.hidden_columns]
        pieces.append(record(391))
    pieces.append(record(145))
    numbers = sheet.numbers or range(len(sheet.rows))
    for number, row in zip(numbers, sheet.rows, strict=True):
        if row is not None:
            pieces.append(_row_header(number, is_hidden=number in sheet.hidden_rows))
            pieces += _row(row, texts, is_short=sheet.is_short)
    blank = len(sheet.rows)
    pieces += [_row_header(blank + n) + record(1, struct.pack("<II", 0, 0)) for n in range(sheet.trailing_blank_rows)]
    pieces.append(record(146))
    if sheet.merged:
        pieces.append(record(177, struct.pack("<I", len(sheet.merged))))
        pieces += [record(176, struct.pack("<4I", *area)) for area in sheet.merged]
        pieces.append(record(178))
    return b"".join([*pieces, record(130)])


def _row_header(number: int, *, is_hidden: bool = False) -> bytes:
    return record(0, struct.pack("<IIHBBBI", number, 0, 300, 0, 0x10 if is_hidden else 0, 0, 0))


def _row(row: Sequence[object], texts: _Texts, *, is_short: bool) -> list[bytes]:
    pieces = []
    follows = False
    for column, value in enumerate(row):
        if isinstance(value, Raw):
            pieces.append(record(value.kind, value.data))
            continue
        cell = _cell(value, texts)
        if cell is None:
            follows = False
            continue
        kind, style, data = cell
        if is_short and follows and 1 <= kind <= 7:
            pieces.append(record(kind + 11, struct.pack("<I", style) + data))
        else:
            pieces.append(record(kind, struct.pack("<II", column, style) + data))
        follows = True
    return pieces


def xlsb_parts(sheets: Sequence[Sheet], *, is_1904: bool = False) -> dict[str, bytes]:
    """The parts of a workbook by their paths."""
    texts = _Texts()
    bodies = [sheet_part(sheet, texts) for sheet in sheets]
    bundle = b"".join(
        record(156, struct.pack("<II", sheet.state, place) + wide(f"rId{place}") + wide(sheet.name))
        for place, sheet in enumerate(sheets, 1)
    )
    book = record(131) + record(153, struct.pack("<II", int(is_1904), 0) + wide(""))
    book += record(143) + bundle + record(144) + record(132)
    shared = record(159, struct.pack("<II", len(texts.known), len(texts.known)))
    shared += b"".join(record(19, b"\0" + wide(text)) for text in texts.known) + record(160)
    relations = [f"worksheet:worksheets/sheet{place}.bin" for place in range(1, len(sheets) + 1)]
    relations += ["sharedStrings:sharedStrings.bin", "styles:styles.bin"]
    return {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"/>'.encode(),
        "_rels/.rels": _relations(["officeDocument:xl/workbook.bin"]),
        "xl/workbook.bin": book,
        "xl/_rels/workbook.bin.rels": _relations(relations),
        "xl/sharedStrings.bin": shared,
        "xl/styles.bin": _styles(),
        **{f"xl/worksheets/sheet{place}.bin": body for place, body in enumerate(bodies, 1)},
    }


def _relations(targets: Sequence[str]) -> bytes:
    pairs = [target.split(":") for target in targets]
    inner = "".join(
        f'<Relationship Id="rId{place}" Type="{OFFICE}/{kind}" Target="{path}"/>'
        for place, (kind, path) in enumerate(pairs, 1)
    )
    return f'<Relationships xmlns="{PACKAGE}/relationships">{inner}</Relationships>'.encode()


def _styles() -> bytes:
    own = b"".join(record(44, struct.pack("<H", 164 + place) + wide(code)) for place, code in enumerate(FORMATS))
    base = record(47, struct.pack("<HH", 0xFFFF, 15) + bytes(12))  # a style of cell styles: of a date, to mislead
    cells = b"".join(record(47, struct.pack("<HH", 0, 164 + place) + bytes(12)) for place in range(len(FORMATS)))
    pieces = [record(278), record(615, struct.pack("<I", len(FORMATS))), own, record(616)]
    pieces += [record(626, struct.pack("<I", 1)), base, record(627)]
    pieces += [record(617, struct.pack("<I", len(FORMATS))), cells, record(618), record(279)]
    return b"".join(pieces)


def write_parts(path: Path, contents: dict[str, bytes]) -> Path:
    """Pack parts into an archive."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, content in contents.items():
            archive.writestr(part, content)
    return path


def write_xlsb(path: Path, sheets: Sequence[Sheet], *, is_1904: bool = False) -> Path:
    """Write a workbook of these sheets."""
    return write_parts(path, xlsb_parts(sheets, is_1904=is_1904))
