"""What a run may take of an organisation, and what is said when the credits do not allow any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bulkzcrm.cells import counted
from bulkzcrm.errors import StoppedError
from bulkzcrm.journal import Spending

__all__ = ["Terms", "below_floor", "over_budget", "used_up"]

_DAY_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a run may take of an organisation.

    `ceiling` is how many requests the organisation allows at once, over all runs, and `most` how many this run wants at
    most. `max_credits` bounds what all runs on this machine may have spent within 24 hours, `floor` is what must be
    left for others (0: nothing), `floor_told` how the user said that, `daily` the credits of a day if they are known.
    """

    ceiling: int
    most: int
    max_credits: int | None = None
    floor: int = 0
    floor_told: str = ""
    daily: int | None = None


def over_budget(terms: Terms, cost: int, used: int, spendings: Sequence[Spending], now_ms: int) -> StoppedError:
    """Return what is said when `--max-credits` does not allow a request of that cost."""
    limit = terms.max_credits or 0
    if cost > limit:
        return StoppedError(
            f"The next request costs {counted(cost, 'credit')}, more than --max-credits {limit} ever allows.",
            "Resume with a higher --max-credits.",
        )
    return StoppedError(
        f"--max-credits allows {counted(limit, 'credit')} within 24 hours; the runs on this machine have used "
        f"{used:,}, and the next request costs {cost:,}.",
        _when(spendings, used + cost - limit, now_ms, ", or with a higher --max-credits"),
    )


def below_floor(terms: Terms, cost: int, remaining: int, spendings: Sequence[Spending], now_ms: int) -> StoppedError:
    """Return what is said when a request would take what is to be left for others."""
    return StoppedError(
        f"The organisation has {counted(remaining, 'credit')} left, and {terms.floor:,} are to be left for others "
        f"(--leave-credits {terms.floor_told or terms.floor}); the next request costs {cost:,}.",
        _when(spendings, terms.floor + cost - remaining, now_ms, ", or with a lower --leave-credits"),
    )


def used_up(cost: int, remaining: int | None, spendings: Sequence[Spending], now_ms: int) -> StoppedError:
    """Return what is said when the server turns a request away that the organisation has no credits for.

    `None` remaining: it does not say how many are left.
    """
    left = "" if remaining is None else f": {remaining:,} are left, and the next request costs {cost:,}"
    return StoppedError(
        f"The organisation's API credits of the last 24 hours are used up{left}.",
        _when(spendings, cost - (remaining or 0), now_ms, ""),
    )


def _when(spendings: Sequence[Spending], needed: int, now_ms: int, otherwise: str) -> str:
    """Say when to resume: once enough of what was spent here has come free, else within a day."""
    freed = 0
    for each in spendings:
        freed += each.used
        if freed >= needed:
            last = spendings[-1].free_ms
            rest = f" (all that was spent here, by {_moment(last)})" if last > each.free_ms else ""
            return f"Resume at {_moment(each.free_ms)}, when enough credits have come free again{rest}{otherwise}."
    return (
        f"Resume after {_moment(now_ms + _DAY_MS)} at the latest{otherwise}; "
        "credits come free a day after they were spent."
    )


def _moment(ms: int) -> str:
    """Return a moment in the zone of this machine, with its offset: `2030-01-08 09:35 (+05:30)`."""
    text = datetime.fromtimestamp(ms / 1000, UTC).astimezone().isoformat(sep=" ", timespec="minutes")
    return f"{text[:16]} ({text[16:]})"
