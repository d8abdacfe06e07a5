"""Styles of cells that are coloured: each is the cell's own one with another fill, and tells the fill that it replaces.

A solid fill has a second colour that no program shows. There stands the colour that the cell had, so that a later
report can take the mark away again, whatever program has saved the workbook meanwhile.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import final
from xml.sax.saxutils import quoteattr

from bulkzcrm.report.annotated.markup import (
    Element,
    Markup,
    UneditableError,
    attribute_set,
    attributes_of,
    without_attribute,
)
from bulkzcrm.report.xlsx_package import OPEN_COLOUR, WRONG_COLOUR

__all__ = ["Mark", "Styles"]

_MOST_STYLES = 60_000
"""Spreadsheet programs hold some thousand more."""
_SIZE = re.compile(rb"<(?:[\w.-]+:)?sz\s[^<>]*/>")
_TITLE_PT = 14
"""Points; so large a text is not wrapped."""
_NO_FILL = "0"
_NO_COLOUR = ' indexed="64"'


class Mark(StrEnum):
    """The colours of cells."""

    WRONG = WRONG_COLOUR  #: what is to be mended
    OPEN = OPEN_COLOUR  #: what is not settled yet


_OVER = "FFFFC7CB"
"""Instead of either, where the cell had a colour, which then stands behind."""
_OWN = (*(mark.value for mark in Mark), _OVER)


@dataclass(frozen=True, slots=True)
class _Fill:
    """What there is to know of a fill: its colour if it is solid, and if it is a mark of ours, the colour behind it."""

    colour: str = ""
    behind: str = ""
    is_own: bool = False


@final
class Styles:
    """The styles of a workbook, to which others are added as cells need them.

    LibreOffice keeps one colour of a solid fill alone, and writes any other beside it. Of what it has saved
    (`keeps_colours` is false), colours behind are not believed.
    """

    def __init__(self, markup: Markup, *, keeps_colours: bool) -> None:
        self._markup = markup
        root = markup.root
        fonts, fills, styles = root.first("fonts"), root.first("fills"), root.first("cellXfs")
        if fonts is None or fills is None or styles is None or not fonts.children or not styles.children:
            raise UneditableError("Its styles are not written as usual.")
        self._prefix = root.prefix
        self._parents = fonts, fills, styles
        self._fonts = [markup.raw(element) for element in fonts.children]
        self._old_fonts = len(self._fonts)
        self._fills = [_fill(element, keeps_colours=keeps_colours) for element in fills.children]
        self._styles = [markup.raw(element) for element in styles.children]
        self._new_fills: list[bytes] = []
        self._old_styles = len(self._styles)
        self._places = {_likeness(style): place for place, style in reversed(list(enumerate(self._styles)))}
        self._made: dict[tuple[int, str], int] = {}
        self.own = frozenset(
            place for place, style in enumerate(self._styles) if (fill := self._fill_of(style)) and fill.is_own
        )
        """The styles that a report has marked."""

    def __len__(self) -> int:
        return len(self._styles)

    def marked(self, style: int, mark: Mark) -> int:
        """Return that style in a mark's colour."""
        found = self._made.get((style, mark))
        if found is None:
            plain = self._styles[self.plain(style)]
            kept = self._fill_of(plain)
            colour = _OVER if kept and kept.colour else mark.value
            fill = self._fill_like(f' rgb="{colour}"', (kept and kept.colour) or _NO_COLOUR)
            found = self._style_like(attribute_set(attribute_set(plain, "fillId", fill), "applyFill", "1"), style)
            self._made[style, mark] = found
        return found

    def plain(self, style: int) -> int:
        """Return that style without any mark of ours."""
        if style not in self.own:
            return style
        found = self._made.get((style, ""))
        if found is None:
            marked = self._styles[style]
            fill = self._fill_of(marked)
            if fill and fill.behind:
                plain = attribute_set(marked, "fillId", self._fill_like(fill.behind, _NO_COLOUR))
            else:
                plain = without_attribute(attribute_set(marked, "fillId", _NO_FILL), "applyFill")
            found = self._made[style, ""] = self._style_like(plain, style)
        return found

    def quoted(self, style: int) -> int:
        """Return that style for a text that stays one even after somebody has edited its cell."""
        found = self._made.get((style, "quoted"))
        if found is None:
            quoted = attribute_set(self._styles[style], "quotePrefix", "1")
            found = self._made[style, "quoted"] = self._style_like(quoted, style)
        return found

    def look(self, size: float, colour: str = "", *, bold: bool = False, fill_colour: str = "") -> int:
        """Return a style for texts that are wrapped: the workbook's own font, of that size; colours are ARGB."""
        prefix = self._prefix
        font = _SIZE.sub(f'<{prefix}sz val="{size:g}"/>'.encode(), self._fonts[0], count=1)
        for name in (b"b", b"color"):
            font = re.sub(b"<" + prefix.encode() + name + rb"(\s[^<>]*)?/>", b"", font)
        at = font.index(b">") + 1
        font = font[:at] + (f"<{prefix}b/>".encode() if bold else b"") + font[at:]
        if colour:
            # Behind the size, where the format wants it.
            font = _SIZE.sub(lambda found: found[0] + f'<{prefix}color rgb="{colour}"/>'.encode(), font, count=1)
        if font not in self._fonts:
            self._fonts.append(font)
        fill = self._fill_like(f' rgb="{fill_colour}"', _NO_COLOUR) if fill_colour else _NO_FILL
        wrapped = f'<{prefix}alignment horizontal="left" vertical="top" wrapText="1"/>' if size < _TITLE_PT else ""
        style = (
            f'<{prefix}xf numFmtId="0" fontId="{self._fonts.index(font)}" fillId="{fill}"'
            f' borderId="0" xfId="0" applyFont="1" applyFill="1" applyAlignment="1">{wrapped}</{prefix}xf>'
        )
        return self._style_like(style.encode(), 0)

    def finish(self) -> None:
        """Put what was added into the part."""
        fonts, fills, styles = self._parents
        new_styles = self._styles[self._old_styles :]
        for parent, new, count in (
            (fonts, self._fonts[self._old_fonts :], len(self._fonts)),
            (fills, self._new_fills, len(self._fills)),
            (styles, new_styles, len(self._styles)),
        ):
            if new:
                self._markup.append(parent, b"".join(new))
                self._markup.set(parent, "count", str(count))

    def _fill_of(self, style: bytes) -> _Fill | None:
        number = attributes_of(style[: style.index(b">")]).get(b"fillId", b"0")
        place = int(number) if number.isdigit() else 0
        return self._fills[place] if place < len(self._fills) else None

    def _fill_like(self, colour: str, behind: str) -> str:
        """Return the number of a solid fill."""
        own = any(each in colour for each in _OWN)
        wanted = _Fill(colour, "" if behind == _NO_COLOUR or not own else behind, own)
        if wanted not in self._fills:
            prefix = self._prefix
            self._fills.append(wanted)
            self._new_fills.append(
                f'<{prefix}fill><{prefix}patternFill patternType="solid"><{prefix}fgColor{colour}/>'
                f"<{prefix}bgColor{behind}/></{prefix}patternFill></{prefix}fill>".encode()
            )
        return str(self._fills.index(wanted))

    def _style_like(self, wanted: bytes, instead: int) -> int:
        """Return the number of a style; `instead` where there are too many already."""
        likeness = _likeness(wanted)
        place = self._places.get(likeness)
        if place is None:
            if len(self._styles) >= _MOST_STYLES:
                return instead
            place = self._places[likeness] = len(self._styles)
            self._styles.append(wanted)
        return place


def _fill(element: Element, *, keeps_colours: bool) -> _Fill:
    pattern = element.first("patternFill")
    if pattern is None or pattern.attributes.get("patternType") != "solid":
        return _Fill()
    colour, behind = (_colour(pattern.first(name)) for name in ("fgColor", "bgColor"))
    own = next((each for each in _OWN if f'"{each}"' in colour.upper()), "")
    if not own:
        return _Fill(colour)
    return _Fill(f' rgb="{own}"', behind if own == _OVER and keeps_colours else "", is_own=True)


def _colour(element: Element | None) -> str:
    if element is None:
        return ""
    return "".join(f" {name}={quoteattr(value)}" for name, value in element.attributes.items())


def _likeness(style: bytes) -> tuple[object, ...]:
    """Return what makes a style: that a fill is applied goes without saying where there is one."""
    end = style.index(b">")
    attributes = attributes_of(style[:end])
    attributes.pop(b"applyFill", None)
    return tuple(sorted(attributes.items())), style[end + 1 :]
