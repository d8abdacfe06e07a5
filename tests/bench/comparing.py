"""Two commits against each other: the same works, both trees in turn, and how much more the later one takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from .figures import Line
from .rounds import Group, Work

__all__ = ["compared"]

_OURS = ("ours.", "report.")
_TAKEN = {"wall": "wall", "cpu": "CPU", "peak_mb": "peak memory"}


def compared(groups: Sequence[Group], earlier: Path, later: Path) -> list[Group]:
    """Return groups that measure what is ours in both trees; groups that measure nothing of ours are left out."""
    made = []
    for group in groups:
        works = [work for work in group.works if _is_ours(work)]
        if works:
            made.append(
                Group(
                    name=group.name,
                    works=[each for work in works for each in _both(work, earlier, later)],
                    lines=[
                        Line(
                            name=f"{group.name}.{work.label}.{take}",
                            title=f"{group.name}, {work.label}: {told}, later / earlier",
                            work=f"{work.label}, later",
                            take=take,
                            over=(f"{work.label}, earlier", take),
                        )
                        for work in works
                        for take, told in _TAKEN.items()
                    ],
                    rounds=group.rounds,
                )
            )
    return made


def _is_ours(work: Work) -> bool:
    return work.does.startswith(_OURS) or "bulkzcrm" in work.command


def _both(work: Work, earlier: Path, later: Path) -> tuple[Work, Work]:
    return (
        replace(work, label=f"{work.label}, earlier", tree=earlier),
        replace(work, label=f"{work.label}, later", tree=later),
    )
