"""Requests over time: how many were answered in each second, how many turned away or failed, and how long they took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

__all__ = ["Second", "Traffic"]

_THROTTLED: Final = 429
_SERVER_FAILED: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Second:
    """The requests that were over within one second, reads included and those for tokens not."""

    begin_ms: int
    """A whole second, in milliseconds UTC."""
    requests: int
    throttled: int
    """Of them, those that were answered with 429."""
    failed: int
    """Of them, those with an answer of 500 or above, or with none."""
    latency_ms: int
    """How long all of them together took."""
    slowest_ms: int


@final
class Traffic:
    """Counts requests by the second in which they are over, until somebody takes what was counted."""

    def __init__(self) -> None:
        self._counts: dict[int, list[int]] = {}

    def count(self, moment_s: float, took_s: float, status: int | None) -> None:
        """Count a request that is over since `moment_s` (seconds since 1970), `None` for one without an answer."""
        counts = self._counts.setdefault(int(moment_s), [0, 0, 0, 0, 0])
        took_ms = max(0, round(took_s * 1000))
        counts[0] += 1
        counts[1] += status == _THROTTLED
        counts[2] += status is None or status >= _SERVER_FAILED
        counts[3] += took_ms
        counts[4] = max(counts[4], took_ms)

    def take_ended(self) -> tuple[Second, ...]:
        """Take all seconds but the latest, to which more may come."""
        return self._take(sorted(self._counts)[:-1]) if len(self._counts) > 1 else ()

    def take_rest(self) -> tuple[Second, ...]:
        """Take all that is left."""
        return self._take(sorted(self._counts))

    def _take(self, seconds: list[int]) -> tuple[Second, ...]:
        taken: list[Second] = []
        for second in seconds:
            requests, throttled, failed, latency_ms, slowest_ms = self._counts.pop(second)
            taken.append(
                Second(
                    begin_ms=second * 1000,
                    requests=requests,
                    throttled=throttled,
                    failed=failed,
                    latency_ms=latency_ms,
                    slowest_ms=slowest_ms,
                )
            )
        return tuple(taken)
