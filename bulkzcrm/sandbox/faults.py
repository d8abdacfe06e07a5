"""Faults on demand: which request meets which fault is settled by a script or by a seeded die, never by accident."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable, Mapping
from enum import StrEnum


class Fault(StrEnum):
    """What can go wrong with one API request. `..._BEFORE`: nothing was written; `..._AFTER`: all was written."""

    LATENCY = "latency"
    """The answer comes late, by `delay_s`."""
    TOO_MANY_REQUESTS = "too_many_requests"
    """HTTP 429; nothing was written."""
    SERVER_ERROR_BEFORE = "server_error_before"
    SERVER_ERROR_AFTER = "server_error_after"
    """HTTP 500 with INTERNAL_ERROR."""
    INTERNAL_ERROR_400_BEFORE = "internal_error_400_before"
    INTERNAL_ERROR_400_AFTER = "internal_error_400_after"
    """INTERNAL_ERROR with HTTP 400, which the vendor's answers show too."""
    CUT_BEFORE = "cut_before"
    CUT_AFTER = "cut_after"
    """The connection is cut without an answer."""
    LATE_COMMIT = "late_commit"
    """The connection is cut at once, and a write applied `delay_s` later, or when the sandbox is closed, if earlier."""
    SLOW_BODY = "slow_body"
    """The answer's body comes in two halves, `delay_s` apart; all was written."""
    CUT_BODY = "cut_body"
    """Half of the answer's body comes, then the connection is cut; all was written."""
    WRONG_LENGTH = "wrong_length"
    """The last element of the answer's list is missing; all was written."""
    NOT_JSON_BEFORE = "not_json_before"
    NOT_JSON_AFTER = "not_json_after"
    """HTTP 502 with an HTML page."""
    EXPIRED_TOKEN = "expired_token"  # noqa: S105 -- a fault's name
    """HTTP 401 INVALID_TOKEN, and the access token is dead from now on; nothing was written."""
    BARE_ERROR = "bare_error"
    """HTTP 400 with one INVALID_DATA for the whole request; nothing was written."""
    REDIRECT = "redirect"
    """HTTP 302 to another host; nothing was written."""
    OTHER_IDS = "other_ids"
    """The successes of the answer name other records' ids; all was written."""


class Faults:
    """A supply of faults; one may be asked for by script, by probability, or both (the script goes first).

    script: faults for the next API writes, one each; None lets a write through.
    read_script: the same for API reads.
    probability: for each fault, how likely a write is to meet it (0 to 1; the sum at most 1).
    seed: of the die; the same seed gives the same faults for the same requests.
    reads: whether the die is cast for reads, too.
    latency_s: seconds that every API request takes at least.
    delay_s: seconds for LATENCY, SLOW_BODY and LATE_COMMIT, as the event loop counts them.

    Scripts can be added to while the sandbox runs. Token requests never meet a fault.
    """

    def __init__(
        self,
        script: Iterable[Fault | None] = (),
        *,
        read_script: Iterable[Fault | None] = (),
        probability: Mapping[Fault, float] | None = None,
        seed: int = 0,
        reads: bool = False,
        latency_s: float = 0.0,
        delay_s: float = 0.2,
    ) -> None:
        """Raises ValueError for probabilities below 0 or above 1 together."""
        chances = dict(probability or {})
        if any(chance < 0 for chance in chances.values()) or sum(chances.values()) > 1 + 1e-9:
            raise ValueError("The probabilities of the faults must each be 0 or more, and at most 1 together.")
        self.latency_s = latency_s
        self.delay_s = delay_s
        self._writes = deque(script)
        self._reads = deque(read_script)
        self._chances = chances
        self._die = random.Random(seed)  # noqa: S311 -- repeatable on purpose
        self._reads_too = reads

    def add(self, *faults: Fault | None) -> None:
        """Append to the script for writes."""
        self._writes.extend(faults)

    def add_for_reads(self, *faults: Fault | None) -> None:
        """Append to the script for reads."""
        self._reads.extend(faults)

    def next_fault(self, *, is_write: bool) -> Fault | None:
        """Settle what the next request meets."""
        script = self._writes if is_write else self._reads
        if script:
            return script.popleft()
        if not self._chances or not (is_write or self._reads_too):
            return None
        cast = self._die.random()
        for fault, chance in self._chances.items():
            cast -= chance
            if cast < 0:
                return fault
        return None
