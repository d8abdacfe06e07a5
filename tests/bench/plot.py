"""The table as a drawing: how far each figure is from what is required, as SVG that any browser shows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape

from .figures import Figure, Target

__all__ = ["drawing"]

_LINE = 26
_TOP = 56
_LEFT = 440
_WIDTH = 420
_RIGHT = 110
_LEAST, _MOST = 1 / 32, 64.0
"""Where the scale ends; what lies beyond is drawn to its end."""
_FONT = 'font-family="sans-serif" font-size="12"'
_COLOURS = {"aim": "#2e7d32", "met": "#f9a825", "MISSED": "#c62828", "-": "#546e7a"}


def drawing(figures: Sequence[Figure], title: str) -> str:
    """Draw the figures that have a target: bars on a logarithmic scale, 1 being what is required.

    A bar that ends left of 1 is good enough; the thin line is the spread, the tick the aim. Of figures of which more is
    better the inverse is drawn.
    """
    judged = [figure for figure in figures if figure.target is not None] or list(figures)
    worst = max([2.0, *(_share(figure, each) for figure in judged for each in figure.spread)])
    scale = _Scale(_LEAST, min(_MOST, max(4.0, worst * 1.1)))
    height = _TOP + _LINE * len(judged) + 24
    width = _LEFT + _WIDTH + _RIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" {_FONT}>',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="12" y="22" font-size="15">{escape(title)}</text>',
        *_grid(scale, height),
    ]
    for place, figure in enumerate(judged):
        parts += _bar(figure, scale, _TOP + _LINE * place)
    return "\n".join([*parts, "</svg>\n"])


class _Scale:
    def __init__(self, least: float, most: float) -> None:
        self.least, self.most = least, most

    def __call__(self, value: float) -> float:
        value = min(max(value, self.least), self.most)
        return _LEFT + _WIDTH * math.log(value / self.least) / math.log(self.most / self.least)


def _share(figure: Figure, value: float) -> float:
    """Return a value in parts of what is required; above 1 is worse."""
    target = figure.target or Target(required=1, aim=1)
    if target.at_least:
        return target.required / value if value > 0 else math.inf
    return value / target.required


def _grid(scale: _Scale, height: int) -> Iterator[str]:
    mark = 2.0 ** math.ceil(math.log2(scale.least))
    while mark <= scale.most:
        place = scale(mark)
        colour = "#000" if mark == 1 else "#ddd"
        yield f'<line x1="{place:.1f}" y1="{_TOP - 8}" x2="{place:.1f}" y2="{height - 20}" stroke="{colour}"/>'
        name = "required" if mark == 1 else f"{mark:g}×" if mark > 1 else f"1/{1 / mark:g}"  # noqa: RUF001
        yield f'<text x="{place:.1f}" y="{_TOP - 14}" text-anchor="middle" fill="#666">{name}</text>'
        mark *= 2


def _bar(figure: Figure, scale: _Scale, top: int) -> Iterator[str]:
    middle = top + _LINE / 2
    begin, end = scale(scale.least), scale(_share(figure, figure.median))
    low, high = sorted(scale(_share(figure, each)) for each in figure.spread)
    colour = _COLOURS[figure.verdict]
    text = f"{figure.median:.3g} {figure.unit}".strip()
    yield f'<text x="{_LEFT - 10}" y="{middle + 4}" text-anchor="end">{escape(figure.title.strip())}</text>'
    size = f'width="{max(1.0, end - begin):.1f}" height="{_LINE - 10}"'
    yield f'<rect x="{begin:.1f}" y="{top + 5}" {size} fill="{colour}"/>'
    yield f'<line x1="{low:.1f}" y1="{middle}" x2="{high:.1f}" y2="{middle}" stroke="#000"/>'
    if figure.target is not None and figure.target.aim > 0:
        aim = scale(_share(figure, figure.target.aim))
        ends = f'x1="{aim:.1f}" y1="{top + 2}" x2="{aim:.1f}" y2="{top + _LINE - 2}"'
        yield f'<line {ends} stroke="#2e7d32" stroke-width="2"/>'
    yield f'<text x="{max(end, high) + 6:.1f}" y="{middle + 4}">{escape(text)}</text>'
