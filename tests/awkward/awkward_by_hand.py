"""Files that no library writes for us: OpenDocument and binary workbooks part by part, and damage of all kinds."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

from awkward_books import rows_by_openpyxl
from awkward_case import NAMES, STATUS_NAMES, Awkward, service
from ods_parts import cell, content, number, row, table, write_fods, write_ods
from office_made import FILES
from xlsb_parts import Dated, Error, Formula, Sheet, write_xlsb

HEADER = row(*map(cell, NAMES))
ENTITIES = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
OLD_ERROR = (
    '<table:table-cell table:formula="oooc:=1/0" office:value-type="float" office:value="0"><text:p>#DIV/0!</text:p>'
    "</table:table-cell>"
)
BLANK = '<table:table-cell table:number-columns-repeated="16384"/>'


def service_row(name: str, duration: str = number(60), attributes: str = "") -> str:
    """A row of an OpenDocument table."""
    words = service(name)
    return row(cell(name), duration, *(cell(str(word)) for word in words[2:5]), number(19.5), attributes=attributes)


def as_ods(*rows: str, **more: str) -> Callable[[Path], object]:
    """What writes these rows below the header."""
    return lambda path: write_ods(path, content(table(HEADER, *rows)), **more)


def as_xlsb(*rows: list[object], names: list[str] = NAMES, **more: object) -> Callable[[Path], object]:
    """The like as a binary workbook."""
    return lambda path: write_xlsb(path, [Sheet("One", [names, *rows], **more)])  # type: ignore[arg-type]


def changed(path: Path, part: str, change: Callable[[str], str]) -> None:
    """Write a workbook of one service, and change the text of one part."""
    rows_by_openpyxl(service())(path)
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    contents[part] = change(contents[part].decode()).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents.items():
            archive.writestr(name, data)


def cut(file: str, size: int) -> Callable[[Path], object]:
    """What writes the first bytes of a file that is kept here."""
    return lambda path: path.write_bytes((FILES / file).read_bytes()[:size])


SHEET = "xl/worksheets/sheet1.xml"

CASES = [
    Awkward(
        file="repeated rows.ods",
        by="a hand",
        write=as_ods(service_row("A", attributes=' table:number-rows-repeated="3"'), service_row("B", number(5))),
        rows=4,
        codes={"B5": "INVALID_DATA"},
    ),
    Awkward(
        file="blank to the end.ods",
        by="a hand",
        write=as_ods(service_row("A"), row(BLANK, attributes=' table:number-rows-repeated="1048574"')),
        rows=1,
    ),
    Awkward(
        file="values without end.ods",
        by="an attacker",
        write=as_ods(
            row(number(1, ' table:number-columns-repeated="16000"'), attributes=' table:number-rows-repeated="9999"')
        ),
        refused=["repeat more than 50,000,000 values"],
    ),
    Awkward(
        file="errors of OpenOffice.ods",
        by="a hand",
        write=as_ods(
            service_row(
                "A",
                OLD_ERROR,
            )
        ),
        rows=1,
        codes={"B2": "CELL_ERROR"},
    ),
    Awkward(
        file="formulas never computed.ods",
        by="a hand",
        write=as_ods(service_row("A", '<table:table-cell table:formula="of:=30*2"/>')),
        rows=1,
        codes={"B2": "FORMULA_WITHOUT_VALUE"},
        shows={"B2": "'=30*2"},
    ),
    Awkward(
        file="flat.fods", by="a hand", write=lambda path: write_fods(path, table(HEADER, service_row("A"))), rows=1
    ),
    Awkward(
        file="really flat.xml",
        by="a hand",
        write=lambda path: write_fods(path, table(HEADER, service_row("A"))),
        rows=1,
    ),
    Awkward(
        file="entities.ods",
        by="an attacker",
        write=lambda path: write_ods(path, ENTITIES + content(table(HEADER))),
        refused=["attack"],
    ),
    Awkward(
        file="a password.ods",
        by="LibreOffice",
        write=as_ods(manifest_xml="<x><encryption-data/></x>"),
        refused=["password"],
    ),
    Awkward(
        file="a letter.ods",
        by="LibreOffice",
        write=lambda path: write_ods(path, content(table(HEADER)).replace("office:spreadsheet", "office:text")),
        refused=["no spreadsheet"],
    ),
    Awkward(file="cut.ods", by="a download", write=cut("services.ods", 9000), refused=["damaged"]),
    Awkward(file="cut.xls", by="a download", write=cut("services.xls", 3000), refused=["damaged"]),
    Awkward(
        file="cut after the container's beginning.xls",
        by="a download",
        write=cut("services.xls", 520),
        refused=["damaged"],
    ),
    Awkward(file="cut.xlsb", by="a download", write=cut("services by SheetJS.xlsb", 4000), refused=["damaged"]),
    Awkward(
        file="all kinds.xlsb",
        by="a hand",
        write=as_xlsb(
            service("A"),
            service("B", Formula(90.0)),
            service("C", Error(0x0F)),
            service("D", Dated(0.0625, 3)),
            service("E", Dated(1.5 / 24, 4)),
        ),
        rows=5,
        codes={"B4": "CELL_ERROR"},
        shows={"B3": "90", "B4": "#VALUE!", "B5": "01:30", "B6": "1:30"},
    ),
    Awkward(
        file="cells one after the other.xlsb",
        by="a hand",
        write=as_xlsb(service("A"), service("B", 5), is_short=True),
        rows=2,
        codes={"B3": "INVALID_DATA"},
    ),
    Awkward(file="blank rows.xlsb", by="a hand", write=as_xlsb(service("A"), trailing_blank_rows=100_000), rows=1),
    Awkward(
        file="ids.xlsb",
        by="a hand",
        operation="set-service-status",
        write=as_xlsb(["5545974000000393001", "Available"], [5545974000000393002.0, "Available"], names=STATUS_NAMES),
        rows=2,
        codes={"A3": "ID_PRECISION_LOST"},
    ),
    Awkward(
        file="a style without a number.xlsx",
        by="a program",
        write=lambda path: changed(path, SHEET, lambda xml: xml.replace('<c r="B2"', '<c s="" r="B2"')),
        rows=1,
        shows={"B2": "60"},
    ),
    Awkward(
        file="no references.xlsx",
        by="a program",
        write=lambda path: changed(path, SHEET, lambda xml: _without(xml, ' r="')),
        rows=1,
    ),
    Awkward(
        file="a dimension of one cell.xlsx",
        by="a program",
        write=lambda path: changed(path, SHEET, lambda xml: xml.replace('ref="A1:F2"', 'ref="A1"')),
        rows=1,
    ),
    Awkward(
        file="a quote left out.xlsx",
        by="a fault",
        write=lambda path: changed(path, SHEET, lambda xml: xml.replace('<row r="2"', '<row r="2')),
        refused=["damaged"],
    ),
    Awkward(
        file="entities.xlsx",
        by="an attacker",
        write=lambda path: changed(path, SHEET, lambda xml: ENTITIES + xml),
        refused=["attack"],
    ),
    Awkward(
        file="a bomb.xlsx",
        by="an attacker",
        write=lambda path: changed(path, SHEET, lambda xml: xml + " " * 30_000_000),
        refused=["zip bomb"],
    ),
]


def _without(xml: str, attribute: str) -> str:
    before, *pieces = xml.split(attribute)
    return before + "".join(piece.partition('"')[2] for piece in pieces)
