"""The arithmetic of the benchmark: ratios round by round, their median and spread, and whether they are good enough."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

from .processes import Sample

__all__ = ["Figure", "Line", "Quantity", "Target", "Verdict", "figure_of", "quantity"]

Verdict = Literal["aim", "met", "MISSED", "-"]
"""The aim is reached; what is required is; it is not; there is no target."""

Quantity = Callable[[Sample], float]


def quantity(name: str) -> Quantity:
    """Return what takes one number out of a sample.

    `wall`, `cpu`, `peak_mb`; `wall_per_row`, `cpu_per_row`; a phase as `send` (seconds) or `send:cpu`.
    """

    def take(sample: Sample) -> float:
        match name:
            case "wall" | "cpu" | "peak_mb":
                return float(getattr(sample, name))
            case "wall_per_row":
                return sample.wall / sample.rows
            case "cpu_per_row":
                return sample.cpu / sample.rows
            case _ if name.endswith(":cpu"):
                return sample.phases_cpu[name.removesuffix(":cpu")]
            case _:
                return sample.phases[name]

    return take


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a figure must be, and what it should be: at most, or at least where more is better."""

    required: float
    aim: float
    at_least: bool = False

    def verdict(self, value: float) -> Verdict:
        """Judge a median, by the digits that are shown."""
        value = round(value, 2)
        if self._holds(value, self.aim):
            return "aim"
        return "met" if self._holds(value, self.required) else "MISSED"

    def _holds(self, value: float, bound: float) -> bool:
        return value >= bound if self.at_least else value <= bound

    def told(self, bound: float) -> str:
        """Return a bound as it is written."""
        return f"{'≥' if self.at_least else '≤'} {bound:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table: a value for each round. `unit` is blank for a ratio."""

    name: str
    title: str
    values: Sequence[float]
    target: Target | None = None
    unit: str = ""

    @property
    def median(self) -> float:
        """The value that counts."""
        return median(self.values)

    @property
    def spread(self) -> tuple[float, float]:
        """The least and the greatest value."""
        return min(self.values), max(self.values)

    @property
    def verdict(self) -> Verdict:
        """Whether it is good enough."""
        return self.target.verdict(self.median) if self.target else "-"

    def to_json(self) -> dict[str, Any]:
        """Return it for a file."""
        target = self.target
        return {
            "name": self.name,
            "title": self.title,
            "unit": self.unit,
            "median": self.median,
            "least": self.spread[0],
            "greatest": self.spread[1],
            "values": list(self.values),
            "required": target.required if target else None,
            "aim": target.aim if target else None,
            "better": None if target is None else "more" if target.at_least else "less",
            "verdict": self.verdict,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """How a figure comes about: one work's quantity over (or less) another's, or over a constant.

    `over` is a work and its quantity, or a number; `None` leaves the quantity as it is. `less` subtracts instead.
    """

    name: str
    title: str
    work: str
    take: str
    over: tuple[str, str] | float | None = None
    less: bool = False
    target: Target | None = None
    unit: str = ""


def figure_of(line: Line, samples: Mapping[str, Sequence[Sample]]) -> Figure:
    """Work a line out, each round by itself: rounds that the machine was slow in are slow for both."""
    tops = [quantity(line.take)(sample) for sample in samples[line.work]]
    match line.over:
        case None:
            values = tops
        case (work, take):
            bottoms = [quantity(take)(sample) for sample in samples[work]]
            values = [top - low if line.less else top / low for top, low in zip(tops, bottoms, strict=True)]
        case constant:
            values = [top / constant for top in tops]
    return Figure(name=line.name, title=line.title, values=values, target=line.target, unit=line.unit)
