"""How much is measured: all of it, or little for a first look."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FULL", "QUICK", "Scale"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Rows and rounds of most figures; rows for the vendor's SDK; batches at 200 ms; the two sizes for memory."""

    rows: int
    rounds: int
    sdk_rows: int
    batches: int
    small: int
    big: int


FULL = Scale(rows=100_000, rounds=5, sdk_rows=10_000, batches=1_000, small=100_000, big=1_000_000)
QUICK = Scale(rows=20_000, rounds=3, sdk_rows=2_000, batches=200, small=10_000, big=50_000)
