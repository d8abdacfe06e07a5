"""What answers to upserts mean beyond their verdicts: a new record may be refused, or taken, for one that is there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import final

from bulkzcrm.answers import Rejected, Succeeded
from bulkzcrm.events import Listener, Noted
from bulkzcrm.send.sendable import Sendable

__all__ = ["Upserts"]


@final
class Upserts:
    """Keeps in mind which rows were perhaps written before; `key` is the unique field, blank where there is none."""

    def __init__(self, key: str, announce: Listener) -> None:
        self._key = key
        self._announce = announce
        self._lost: set[int] = set()

    def lost(self, rows: Iterable[Sendable]) -> None:
        """Learn that nobody knows whether these rows were written."""
        if self._key:
            self._lost.update(each.ordinal for each in rows)

    def met_itself(self, each: Sendable, verdict: Rejected) -> bool:
        """Tell whether a row was refused for a record that an earlier attempt of its own was writing just then."""
        mine = any(problem.code == "DUPLICATE_DATA" and problem.field == self._key for problem in verdict.problems)
        return bool(self._key) and mine and self._was_sent(each)

    def may_be_there(self, each: Sendable) -> bool:
        """Tell whether a row that is refused now may have been written by an earlier attempt of its own."""
        return bool(self._key) and self._was_sent(each)

    def tell_of_changed(self, written: Iterable[tuple[Sendable, Succeeded]]) -> None:
        """Warn of records that were changed, instead of made, for rows that had not made them themselves.

        Somebody else made them after the organisation was read, or the organisation takes two rows' values for one.
        """
        told = []
        seen: set[str] = set()
        for each, verdict in written:
            if verdict.changed and (verdict.record_id in seen or not self._was_sent(each)):
                told.append(f"{each.number} ({verdict.record_id})")
            seen.add(verdict.record_id)
        if self._key and told:
            text = (
                f"The organisation already had records with the {self._key} of these rows when they were sent, though "
                f"not when it was read; those were changed, and no new ones made: {', '.join(told)}."
            )
            self._announce(Noted(text, warning=True))

    def _was_sent(self, each: Sendable) -> bool:
        return each.sent_before or each.ordinal in self._lost
