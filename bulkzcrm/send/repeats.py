"""What answers mean for rows that go more than once: an earlier request may have written them, or may yet do so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import final

from bulkzcrm.answers import Rejected, Succeeded, Verdict
from bulkzcrm.events import Listener, Noted
from bulkzcrm.send.sendable import Sendable
from bulkzcrm.spec.operation import Operation

__all__ = ["Repeats"]


@final
class Repeats:
    """Keeps in mind which rows were perhaps written before, and which perhaps will be by what was given up."""

    def __init__(self, operation: Operation, announce: Listener) -> None:
        self._operation = operation
        self._key = operation.key
        self._announce = announce
        self._lost: dict[int, float] = {}

    def lost(self, rows: Iterable[Sendable], at: float) -> None:
        """Learn that nobody knows whether these rows were written, `at` a time in seconds that never go back."""
        # Others are read back before they go again, and are then no longer in doubt.
        if self._operation.safe_to_repeat:
            self._lost.update((each.ordinal, at) for each in rows)

    def lost_at(self, each: Sendable) -> float | None:
        """Return when a request with the row was last given up; `None` if this call has lost none."""
        return self._lost.get(each.ordinal)

    def is_in_doubt(self, each: Sendable) -> bool:
        """Tell whether a request with the row may still be carried out, for all that reading its record has shown."""
        return each.in_doubt or each.ordinal in self._lost

    def met_itself(self, each: Sendable, verdict: Rejected) -> bool:
        """Tell whether a row was refused for a record that an earlier attempt of its own was writing just then."""
        mine = any(problem.code == "DUPLICATE_DATA" and problem.field == self._key for problem in verdict.problems)
        return bool(self._key) and mine and self._was_sent(each)

    def refused(self, judged: Iterable[tuple[Sendable, Verdict]]) -> Iterator[tuple[Sendable, str]]:
        """Yield the rows that are refused now and that an earlier attempt of their own may have written.

        With each comes the id of the record that the refusal names. Without a unique field there must be one: then that
        record may be the row's own, made late, when all that could be read had not shown it yet.
        """
        for each, verdict in judged:
            if not isinstance(verdict, Rejected) or not self._was_sent(each) or self.met_itself(each, verdict):
                continue
            if self._key or (self._operation.creates and verdict.existing):
                yield each, verdict.existing

    def tell_of_changed(self, judged: Iterable[tuple[Sendable, Verdict]]) -> None:
        """Warn of records that were changed, instead of made, for rows that had not made them themselves.

        Somebody else made them after the organisation was read, or the organisation takes two rows' values for one.
        """
        told = []
        seen: set[str] = set()
        for each, verdict in judged:
            if not isinstance(verdict, Succeeded):
                continue
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
