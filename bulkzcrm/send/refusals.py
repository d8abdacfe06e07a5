"""Rows that are refused after an earlier request of theirs was lost: the refusal says nothing of what that one does.

It may have been carried out before, or may be yet. So what is there counts, and not until the quiet period is over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import final

from bulkzcrm.answers import Succeeded, Verdict
from bulkzcrm.cells import counted
from bulkzcrm.client import Client, ReadRefusedError
from bulkzcrm.errors import BulkzcrmError
from bulkzcrm.events import Waiting
from bulkzcrm.journal import Progress, RowOutcome
from bulkzcrm.send.ledger import Ledger
from bulkzcrm.send.repeats import Repeats
from bulkzcrm.send.sendable import Budget, LookUp, Recheck, Sendable

__all__ = ["Refusals"]


@final
class Refusals:
    """Finds out what refused rows have written; `quiet_s` is for how long a lost request may still be carried out.

    `look_up` is asked for new records, `recheck` for such as are changed (`is_new`); `go_on` raises when it is to stop.
    """

    def __init__(
        self,
        client: Client,
        ledger: Ledger,
        repeats: Repeats,
        *,
        is_new: bool,
        budget: Budget,
        recheck: Recheck,
        look_up: LookUp,
        go_on: Callable[[], None],
        quiet_s: float,
    ) -> None:
        self._client = client
        self._ledger = ledger
        self._repeats = repeats
        self._is_new = is_new
        self._budget = budget
        self._recheck = recheck
        self._look_up = look_up
        self._go_on = go_on
        self._quiet_s = quiet_s
        self._begun = client.monotonic()

    async def written_before(self, judged: Sequence[tuple[Sendable, Verdict]]) -> Mapping[int, str | None]:
        """Look up those rows that are refused now and were sent before: what is there of them was written, then."""
        refused = list(self._repeats.refused(judged))
        if not refused:
            return {}
        try:
            return await self._look_up(refused, {each.record_id for _, each in judged if isinstance(each, Succeeded)})
        except (BulkzcrmError, ReadRefusedError):
            # What the answer says of the other rows is written all the same; these are looked for later.
            return dict.fromkeys(each.ordinal for each, _ in refused)

    async def settle(self, refused: Sequence[tuple[Sendable, RowOutcome]], number: int) -> bool:
        """Settle rows in doubt of a batch that were refused; each comes with the outcome of its refusal.

        Returns whether that could be done; where not, they are in doubt still. Raises what `recheck` raises.
        """
        await self._wait_until_quiet([each for each, _ in refused])
        there = await self._there([each for each, _ in refused])
        if there is None:
            return False
        outcomes = [
            RowOutcome(ordinal=each.ordinal, status=Progress.SUCCEEDED, record_id=there[each.ordinal])
            if each.ordinal in there
            else refusal
            for each, refusal in refused
        ]
        await self._ledger.settle_doubts(number, outcomes)
        self._budget.spend(sum(each.status is Progress.REJECTED for each in outcomes))
        return True

    async def _there(self, rows: Sequence[Sendable]) -> dict[int, str] | None:
        """Return the ids of the records that are as the rows say, by their rows; `None` where it cannot be told."""
        if not self._is_new:
            agreeing = await self._recheck(rows)
            return {each.ordinal: each.record_id for each in rows if each.ordinal in agreeing}
        try:
            found = await self._look_up([(each, "") for each in rows], ())
        except (BulkzcrmError, ReadRefusedError):
            return None
        return {ordinal: record_id for ordinal, record_id in found.items() if record_id}

    async def _wait_until_quiet(self, rows: Sequence[Sendable]) -> None:
        """Wait until what was lost of these rows is carried out, or never will be."""
        lost_at = [self._repeats.lost_at(each) for each in rows]
        # What an earlier call has lost left before this one began.
        last = max(self._begun if moment is None else moment for moment in lost_at)
        seconds = last + self._quiet_s - self._client.monotonic()
        if seconds > 0:
            told = (
                f"{counted(len(rows), 'row')} refused of which an earlier answer was lost; what that did is read then"
            )
            self._client.announce(Waiting(seconds=seconds, reason=told))
            await self._client.sleep(seconds)
        self._go_on()
