"""What spreadsheet programs demand of a workbook, and refuse to open it without: order, references, numbers that agree.

look_over(path)     raises AssertionError for the first rule that is broken
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import fromstring

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
OFFICE = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
PACKAGE = "{http://schemas.openxmlformats.org/package/2006/relationships}"
TYPES = "{http://schemas.openxmlformats.org/package/2006/content-types}"
EXCEL = "{urn:schemas-microsoft-com:office:excel}"
VML = "{urn:schemas-microsoft-com:vml}"

SHEET_ORDER = (
    "sheetPr",
    "dimension",
    "sheetViews",
    "sheetFormatPr",
    "cols",
    "sheetData",
    "sheetCalcPr",
    "sheetProtection",
    "protectedRanges",
    "scenarios",
    "autoFilter",
    "sortState",
    "dataConsolidate",
    "customSheetViews",
    "mergeCells",
    "phoneticPr",
    "conditionalFormatting",
    "dataValidations",
    "hyperlinks",
    "printOptions",
    "pageMargins",
    "pageSetup",
    "headerFooter",
    "rowBreaks",
    "colBreaks",
    "customProperties",
    "cellWatches",
    "ignoredErrors",
    "smartTags",
    "drawing",
    "legacyDrawing",
    "legacyDrawingHF",
    "picture",
    "oleObjects",
    "controls",
    "webPublishItems",
    "tableParts",
    "extLst",
)
BOOK_ORDER = (
    "fileVersion",
    "fileSharing",
    "workbookPr",
    "workbookProtection",
    "bookViews",
    "sheets",
    "functionGroups",
    "externalReferences",
    "definedNames",
    "calcPr",
    "oleSize",
    "customWorkbookViews",
    "pivotCaches",
    "smartTagPr",
    "smartTagTypes",
    "webPublishing",
    "fileRecoveryPr",
    "webPublishObjects",
    "extLst",
)
STYLE_ORDER = (
    "numFmts",
    "fonts",
    "fills",
    "borders",
    "cellStyleXfs",
    "cellXfs",
    "cellStyles",
    "dxfs",
    "tableStyles",
    "colors",
    "extLst",
)


def look_over(path: Path) -> None:
    """Look at a workbook as strictly as Excel does."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert len(names) == len(set(names))
        parts = {name: archive.read(name) for name in names}
    _types(parts)
    for name in parts:
        if name.endswith(".rels"):
            _relations(name, parts)
    styles = _styles(parts)
    _workbook(parts)
    for name, text in parts.items():
        if re.fullmatch(r"xl/worksheets/[^/]+\.xml", name):
            _sheet(name, fromstring(text), parts, styles)


def relations(part: str, parts: dict[str, bytes]) -> dict[str, tuple[str, str]]:
    """What a part refers to: by id the kind and the part."""
    folder, name = posixpath.split(part)
    text = parts.get(posixpath.join(folder, "_rels", f"{name}.rels"))
    found = {}
    for each in fromstring(text) if text else ():
        if each.get("TargetMode") != "External":
            target = posixpath.normpath(posixpath.join("/", folder, each.get("Target", ""))).lstrip("/")
            found[each.get("Id", "")] = each.get("Type", "").rpartition("/")[2], target
    return found


def _types(parts: dict[str, bytes]) -> None:
    root = fromstring(parts["[Content_Types].xml"])
    defaults = [each.get("Extension", "").lower() for each in root.iter(f"{TYPES}Default")]
    overrides = [each.get("PartName", "").lstrip("/") for each in root.iter(f"{TYPES}Override")]
    assert len(defaults) == len(set(defaults))
    assert len(overrides) == len(set(overrides))
    for name in overrides:
        assert name in parts, f"{name} has a type and is not there"
    for name in parts:
        known = name in overrides or name.rpartition(".")[2].lower() in defaults
        assert known or name == "[Content_Types].xml", f"{name} has no type"


def _relations(name: str, parts: dict[str, bytes]) -> None:
    folder, _, file = name.rpartition("_rels/")
    part = folder + file.removesuffix(".rels")
    ids = [each.get("Id") for each in fromstring(parts[name])]
    assert len(ids) == len(set(ids)), f"{name} repeats an id"
    found = relations(part, parts)
    for _, target in found.values():
        assert target in parts, f"{part} refers to {target}, which is not there"
    if part in parts and part.endswith(".xml"):
        for element in fromstring(parts[part]).iter():
            for key, value in element.attrib.items():
                assert not key.startswith(OFFICE) or value in ids, f"{part} refers to {value}"


def _in_order(root: Element, order: Sequence[str], several: set[str]) -> None:
    names = [child.tag.removeprefix(MAIN) for child in root if child.tag.startswith(MAIN)]
    places = [order.index(name) for name in names]
    assert places == sorted(places), names
    assert all(count == 1 or name in several for name, count in Counter(names).items()), names


def _styles(parts: dict[str, bytes]) -> int:
    root = fromstring(parts["xl/styles.xml"])
    _in_order(root, STYLE_ORDER, set())
    sizes = {}
    for name in ("fonts", "fills", "borders", "cellXfs"):
        found = root.find(MAIN + name)
        assert found is not None
        sizes[name] = len(found)
        assert int(found.get("count", len(found))) == len(found), name
    for style in root.find(f"{MAIN}cellXfs") or ():
        for key, kind in (("fontId", "fonts"), ("fillId", "fills"), ("borderId", "borders")):
            assert int(style.get(key, "0")) < sizes[kind]
    return sizes["cellXfs"]


def _workbook(parts: dict[str, bytes]) -> None:
    root = fromstring(parts["xl/workbook.xml"])
    _in_order(root, BOOK_ORDER, set())
    sheets = list(root.find(f"{MAIN}sheets") or ())
    names = [each.get("name", "").lower() for each in sheets]
    assert len(names) == len(set(names))
    assert all(0 < len(name) <= 31 for name in names)
    numbers = [each.get("sheetId") for each in sheets]
    assert len(numbers) == len(set(numbers))
    defined = [(each.get("name"), each.get("localSheetId")) for each in root.iter(f"{MAIN}definedName")]
    assert len(defined) == len(set(defined))
    assert all(local is None or int(local) < len(sheets) for _, local in defined)


def _place(reference: str) -> tuple[int, int]:
    found = re.fullmatch(r"([A-Z]+)([0-9]+)", reference)
    assert found, reference
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - 64
    return column, int(found[2])


def _range(text: str) -> tuple[int, int, int, int]:
    first, _, last = text.partition(":")
    return *_place(first), *_place(last or first)


def _sheet(name: str, root: Element, parts: dict[str, bytes], styles: int) -> None:
    _in_order(root, SHEET_ORDER, {"conditionalFormatting"})
    last_column = 0
    for column in root.iter(f"{MAIN}col"):
        first, last = int(column.get("min", "0")), int(column.get("max", "0"))
        assert last_column < first <= last <= 16_384, "columns lie over each other"
        last_column = last
    cells = _cells(root, styles)
    for range_of in (each.get("ref", "") for each in root.iter(f"{MAIN}autoFilter")):
        assert _range(range_of)
    found = relations(name, parts)
    kinds = Counter(kind for kind, _ in found.values())
    assert kinds["comments"] <= 1
    drawing = root.find(f"{MAIN}legacyDrawing")
    if kinds["comments"]:
        assert drawing is not None, "comments without boxes"
        boxes = found[drawing.get(f"{OFFICE}id", "")][1]
        _comments(parts[next(part for kind, part in found.values() if kind == "comments")], parts[boxes])
    for kind, part in found.values():
        if kind == "table":
            _table(fromstring(parts[part]), cells, parts)
    for view in root.iter(f"{MAIN}sheetView"):
        children = [child.tag.removeprefix(MAIN) for child in view]
        order = ["pane", "selection", "pivotSelection", "extLst"]
        assert children == sorted(children, key=order.index)


def _cells(root: Element, styles: int) -> dict[tuple[int, int], Element]:
    cells: dict[tuple[int, int], Element] = {}
    number = 0
    for row in root.iter(f"{MAIN}row"):
        below = int(row.get("r", number + 1))
        assert below > number, "rows out of order"
        number, column = below, 0
        for cell in row.findall(f"{MAIN}c"):
            at = _place(cell.get("r", "")) if cell.get("r") else (column + 1, number)
            assert at[1] == number
            assert at[0] > column, f"cells of row {number} out of order"
            column = at[0]
            assert int(cell.get("s", "0")) < styles
            children = [child.tag.removeprefix(MAIN) for child in cell]
            assert children == sorted(children, key=["f", "v", "is", "extLst"].index)
            assert cell.get("t") == "inlineStr" or "is" not in children
            cells[at] = cell
        spans = row.get("spans")
        assert spans is None or not column or column <= int(spans.partition(":")[2])
    return cells


def _comments(comments: bytes, boxes: bytes) -> None:
    root = fromstring(comments)
    authors = len(root.find(f"{MAIN}authors") or ())
    places = []
    for comment in root.iter(f"{MAIN}comment"):
        assert int(comment.get("authorId", "0")) < authors
        column, row = _place(comment.get("ref", ""))
        places.append((column - 1, row - 1))
    assert len(places) == len(set(places)), "two comments on one cell"
    drawing = fromstring(boxes)
    shapes = list(drawing.iter(f"{VML}shape"))
    ids = [shape.get("id") for shape in shapes]
    assert len(ids) == len(set(ids))
    boxed = []
    for data in drawing.iter(f"{EXCEL}ClientData"):
        if data.get("ObjectType") == "Note":
            boxed.append((int(data.findtext(f"{EXCEL}Column") or 0), int(data.findtext(f"{EXCEL}Row") or 0)))
            anchor = data.findtext(f"{EXCEL}Anchor")
            assert anchor is None or len(anchor.split(",")) == 8
    assert sorted(boxed) == sorted(places), "comments and boxes differ"
    blocks = {int(found[1]) // 1024 for each in ids if (found := re.fullmatch("_x0000_s([0-9]+)", str(each)))}
    claimed = " ".join(each.get("data", "") for each in drawing.iter() if each.tag.endswith("}idmap"))
    assert blocks <= {int(each) for each in re.split(r"[, ]+", claimed) if each}


def _table(root: Element, cells: dict[tuple[int, int], Element], parts: dict[str, bytes]) -> None:
    first, top, last, _ = _range(root.get("ref", ""))
    columns = list(root.find(f"{MAIN}tableColumns") or ())
    assert len(columns) == last - first + 1 == int((root.find(f"{MAIN}tableColumns") or {}).get("count", "0"))
    assert len({each.get("id") for each in columns}) == len(columns)
    names = [each.get("name", "") for each in columns]
    assert len({name.lower() for name in names}) == len(names)
    for place, name in enumerate(names, start=first):
        assert _text(cells[place, top], parts) == name
    table_filter = root.find(f"{MAIN}autoFilter")
    assert table_filter is None or _range(table_filter.get("ref", ""))[2] == last


def _text(cell: Element, parts: dict[str, bytes]) -> str:
    if cell.get("t") == "s":
        shared = fromstring(parts["xl/sharedStrings.xml"])
        return "".join(shared[int(cell.findtext(f"{MAIN}v") or 0)].itertext())
    return "".join(cell.itertext())
