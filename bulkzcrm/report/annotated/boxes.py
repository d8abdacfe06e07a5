"""The boxes in which comments are shown: shapes in VML, which spreadsheet programs still want (ECMA-376 Part 4, 19)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from bulkzcrm.report.annotated.comments import Comment
from bulkzcrm.report.annotated.markup import Element, Markup

__all__ = ["boxes", "highest_block"]

_SPACES = (
    'xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office"'
    ' xmlns:x="urn:schemas-microsoft-com:office:excel"'
)
_NEW = f"<xml {_SPACES}></xml>".encode()
_LAYOUT = '<o:shapelayout{} v:ext="edit"><o:idmap v:ext="edit" data="{}"/></o:shapelayout>'
_TYPE_NAME = b'id="_x0000_t202"'
_TYPE = (
    '<v:shapetype{} id="_x0000_t202" coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe">'
    '<v:stroke joinstyle="miter"/><v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>'
)
_ID = re.compile(rb"_x0000_s([0-9]{1,9})")
_CLAIM = re.compile(rb"""idmap\s[^>]*?\bdata=["']([0-9, ]*)""")
_IDS_IN_BLOCK = 1024

_LINE = 46
"""Characters that fit side by side in a box."""
_WIDTH, _LINE_HEIGHT, _MARGIN = 340, 16, 14
_ROW_HEIGHT, _COLUMN_WIDTH = 20, 64
"""Pixels; of rows and columns, what programs take where nothing is said."""
_MOST_LINES = 22
_LAST_COLUMN = 16_383


def highest_block(drawings: Iterable[bytes]) -> int:
    """Return the highest block of ids that drawings of a workbook claim, each being 1,024 ids."""
    claimed = [0]
    for drawing in drawings:
        for blocks in _CLAIM.findall(drawing):
            claimed += [int(block) for block in re.split(rb"[, ]+", blocks) if block]
        claimed += [int(name) // _IDS_IN_BLOCK for name in _ID.findall(drawing)]
    return max(claimed)


def boxes(
    existing: bytes | None,
    added: Sequence[Comment],
    removed: Collection[tuple[int, int]],
    widths: Mapping[int, float],
    block: int,
) -> bytes:
    """Return a drawing with boxes for what was `added`, and none for what was `removed` (columns and rows).

    `widths` are those of columns, in characters, as far as they are known; `block` and those after it are free for ids.
    Raises `UneditableError`.
    """
    drawing = Markup(existing or _NEW, "The drawing of its comments")
    root = drawing.root
    for shape in root.all("shape"):
        if _place(drawing, shape) in removed:
            drawing.replace(shape, b"")
    if added:
        # Some programs have names of their own for the namespaces.
        spaces = "" if all(name in root.attributes for name in ("xmlns:v", "xmlns:o", "xmlns:x")) else f" {_SPACES}"
        blocks = ",".join(map(str, range(block, block + len(added) // _IDS_IN_BLOCK + 1)))
        layout = root.first("shapelayout")
        claim = layout.first("idmap") if layout else None
        if claim is not None:
            drawing.set(claim, "data", ",".join(filter(None, [claim.attributes.get("data", "").strip(), blocks])))
        else:
            drawing.insert(root.inside, _LAYOUT.format(spaces, blocks).encode())
        shapes = "" if _TYPE_NAME in drawing.text else _TYPE.format(spaces)
        first = block * _IDS_IN_BLOCK + 1
        shapes += "".join(_shape(comment, first + place, widths, spaces) for place, comment in enumerate(added))
        drawing.append(root, shapes.encode())
    return drawing.changed()


def _place(drawing: Markup, shape: Element) -> tuple[int, int] | None:
    """Return the column and row of the cell whose comment a shape shows."""
    data = shape.first("ClientData")
    if data is None or data.attributes.get("ObjectType") != "Note":
        return None
    row, column = data.first("Row"), data.first("Column")
    if row is None or column is None:
        return None
    return _number(drawing, column), _number(drawing, row) + 1


def _number(drawing: Markup, element: Element) -> int:
    return int(drawing.text[element.inside : element.closes])


def _shape(comment: Comment, number: int, widths: Mapping[int, float], spaces: str) -> str:
    lines = sum(1 + sum(1 + len(line) // _LINE for line in text.splitlines()) for _, text in comment.texts)
    height = min(lines, _MOST_LINES) * _LINE_HEIGHT + _MARGIN
    left, left_off = min(comment.column + 1, _LAST_COLUMN), 12
    right, right_off = left, left_off + _WIDTH
    while right < _LAST_COLUMN and right_off > (width := _pixels(widths.get(right))):
        right, right_off = right + 1, right_off - width
    top = max(comment.row - 2, 0)
    bottom, bottom_off = divmod(height + 8, _ROW_HEIGHT)
    return (
        f'<v:shape{spaces} id="_x0000_s{number}" type="#_x0000_t202" style="position:absolute;'
        f"margin-left:60pt;margin-top:2pt;width:{_WIDTH * 3 // 4}pt;height:{height * 3 // 4}pt;z-index:1;"
        'visibility:hidden" fillcolor="#fff6f6" o:insetmode="auto"><v:fill color2="#fff6f6"/>'
        '<v:shadow on="t" color="black" obscured="t"/><v:path o:connecttype="none"/>'
        '<v:textbox style="mso-direction-alt:auto"><div style="text-align:left"></div></v:textbox>'
        '<x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/>'
        f"<x:Anchor>{left}, {left_off}, {top}, 8, {right}, {int(right_off)}, {top + bottom}, {bottom_off}</x:Anchor>"
        f"<x:AutoFill>False</x:AutoFill><x:Row>{comment.row - 1}</x:Row><x:Column>{comment.column}</x:Column>"
        "</x:ClientData></v:shape>"
    )


def _pixels(width: float | None) -> int:
    # A hidden column has no width; what is anchored there is nowhere.
    return _COLUMN_WIDTH if width is None else int(width * 7 + 5) if width else 0
