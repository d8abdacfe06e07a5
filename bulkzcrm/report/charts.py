"""Drawings for the HTML report: plain SVG without script and without a style of its own, in the page's colours.

pygal draws; what it adds for browsers (its script, its styles, its links) is taken out, so that nothing in the page
runs or loads.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from functools import cache
from typing import Any, Final
from xml.etree.ElementTree import Element, tostring

from defusedxml.ElementTree import fromstring

from bulkzcrm.report.timeline import Timeline

__all__ = ["duration", "latency_chart", "requests_chart"]

_WIDTH: Final = 520
_HEIGHT: Final = 240
_LETTERS: Final = 15
"""Units of the drawing, which is some 500 pixels wide on a desk and 330 on a phone."""
_LABELS: Final = 4
_MINUTE: Final = 60
_UNITS: Final = ((86_400, "day", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s"))
_SPARE: Final = frozenset({"script", "style", "desc", "title", "defs"})
_HOLLOW: Final = frozenset({"overlay", "text-overlay", "tooltip-overlay", "titles", "background"})
_LONG_NUMBER = re.compile(r"(\d+\.\d)\d+")


def duration(seconds: float) -> str:
    """Return a time as people say it: 250 ms, 1.5 s, 3 min 1 s, 2 h 5 min, 3 days 4 h."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms" if seconds else "0 s"
    if round(seconds) < _MINUTE:
        return f"{seconds:.3g} s"
    size, unit, part, parts = next(each for each in _UNITS if round(seconds / each[2]) * each[2] >= each[0])
    whole, rest = divmod(round(seconds / part), size // part)
    plural = "s" if unit == "day" and whole > 1 else ""
    return f"{whole} {unit}{plural}{f' {rest} {parts}' if rest else ''}"


def _on_axis(seconds: float) -> str:
    """Return a time as a clock counts it: 0:45, 1:05:00."""
    minutes, rest = divmod(int(seconds), _MINUTE)
    hours, minutes = divmod(minutes, _MINUTE)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def requests_chart(line: Timeline) -> str:
    """Draw how many requests were answered, turned away and failed in each span."""
    chart = _pygal().StackedBar(**_form(line, lambda value: f"{value:,.0f}"))
    chart.add("answered", [bar.answered for bar in line.bars])
    chart.add("throttled", [bar.throttled for bar in line.bars])
    chart.add("failed", [bar.failed for bar in line.bars])
    return _drawn(chart, "Requests over time")


def latency_chart(line: Timeline) -> str:
    """Draw how long requests took in each span: on average, and the slowest one."""
    chart = _pygal().Line(**_form(line, duration), allow_interruptions=True)
    chart.add("slowest", [bar.slowest_ms / 1000 if bar.requests else None for bar in line.bars])
    chart.add("average", [bar.mean_ms / 1000 if bar.requests else None for bar in line.bars])
    return _drawn(chart, "How long requests took")


@cache
def _pygal() -> Any:
    """Load pygal, but not what it puts among those who look for modules: Python warns of the way in which it looks."""
    finders = list(sys.meta_path)
    try:
        import pygal  # noqa: PLC0415 - it takes its time, and few reports have drawings
    finally:
        sys.meta_path[:] = finders
    return pygal


def _form(line: Timeline, told: Callable[[float], str]) -> dict[str, Any]:
    every = max(1, -(-len(line.bars) // _LABELS))
    labels = [_on_axis(place * line.width_s) if place % every == 0 else "" for place in range(len(line.bars))]
    return {
        "width": _WIDTH,
        "height": _HEIGHT,
        "margin": 4,
        "spacing": 8,
        "x_labels": labels,
        "x_labels_major": [],
        "formatter": told,
        "value_formatter": told,
        "max_scale": 4,
        "min_scale": 2,
        "range": None,
        "include_x_axis": True,
        "show_legend": False,
        "show_dots": False,
        "truncate_label": -1,
        "js": (),
        "style": _pygal().style.Style(
            label_font_size=_LETTERS, major_label_font_size=_LETTERS, font_family="sans-serif"
        ),
        "disable_xml_declaration": True,
        "no_prefix": True,
    }


def _drawn(chart: Any, name: str) -> str:
    """Return the drawing as SVG that a page can hold."""
    # As text, since what pygal builds its trees with depends on what else is installed.
    root: Element = fromstring(chart.render(is_unicode=True))
    _clean(root)
    for spare in ("id", "class"):
        root.attrib.pop(spare, None)
    root.set("role", "img")
    root.set("aria-label", name)
    root.set("class", "chart")
    return _plain(root)


def _clean(parent: Element) -> None:
    parent.attrib.pop("style", None)
    for child in list(parent):
        kind = child.tag.rpartition("}")[2]
        classes = frozenset(child.get("class", "").split())
        is_flat = kind == "rect" and float(child.get("height") or 1) <= 0
        is_unnamed = classes == {"guides"} and not "".join(child.itertext()).strip()
        if kind in _SPARE or classes & _HOLLOW or is_flat or is_unnamed:
            parent.remove(child)
        else:
            _clean(child)


def _plain(root: Element) -> str:
    """Write the tree without prefixes (in HTML the name `svg` itself says what it is) and without needless digits."""
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        for name, value in element.attrib.items():
            element.set(name, _LONG_NUMBER.sub(r"\1", value))
    return tostring(root, encoding="unicode")
