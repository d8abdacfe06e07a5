"""What the benchmark tells: a table for people, JSON for programs, and what machine it was."""

from __future__ import annotations

import os
import platform
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from .figures import Figure

__all__ = ["machine", "table"]


def table(figures: Sequence[Figure]) -> str:
    """Return a table in Markdown."""
    rows: list[Sequence[str]] = [("figure", "median", "spread", "required", "aim", "")]
    rows += [list(_cells(figure)) for figure in figures]
    widths = [max(len(row[place]) for row in rows) for place in range(6)]
    lines = [_line(row, widths) for row in rows]
    lines.insert(
        1, "|" + "|".join("-" * (width + 1) + (":" if place else "-") for place, width in enumerate(widths)) + "|"
    )
    return "\n".join(lines)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = (
        f"{cell:{'>' if place else '<'}{width}}" for place, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return "| " + " | ".join([first, *rest]) + " |"


def _cells(figure: Figure) -> Iterator[str]:
    yield figure.title
    yield _number(figure.median, figure.unit)
    least, greatest = figure.spread
    yield f"{_number(least)}–{_number(greatest)}"  # noqa: RUF001 - a span
    target = figure.target
    yield target.told(target.required) if target else ""
    yield target.told(target.aim) if target else ""
    yield figure.verdict


def _number(value: float, unit: str = "") -> str:
    text = f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
    return f"{text} {unit}".rstrip()


def machine() -> dict[str, str]:
    """Return what the figures depend on."""
    model = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        names = [
            line.partition(":")[2].strip() for line in information.read_text().splitlines() if "model name" in line
        ]
        model = names[0] if names else model
    return {
        "processor": model,
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.release()}",
        "python": sys.version.split()[0],
        "sqlite": sqlite3.sqlite_version,
        "load": f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "",
    }
