"""How much is measured: all of it, or little for a first look."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FULL", "QUICK", "Scale"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Rows and rounds of most figures; batches at 200 ms; the two sizes for memory."""

    rows: int
    rounds: int
    batches: int
    small: int
    big: int


FULL = Scale(rows=100_000, rounds=5, batches=1_000, small=100_000, big=1_000_000)
QUICK = Scale(rows=20_000, rounds=3, batches=200, small=10_000, big=50_000)
