"""Rows that repeat others of their run: which of them stands, and why the others are refused.

The first row stands, as long as none of them was sent. What a request has carried is never settled here: it stands, and
a row that was not sent is refused for it, even if it comes first (a name may mean another record than in an earlier
call).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from bulkzcrm.events import Listener, Noted
from bulkzcrm.journal import Duplicate, JournalReader, Progress, RowSettlement, StoredRow
from bulkzcrm.model import Problem
from bulkzcrm.run.keys import Keys
from bulkzcrm.spec.operation import Operation

__all__ = ["PAGE", "Repetitions", "Write"]

PAGE = 500
"""Rows that are read from the journal, judged and written back at a time."""

Write = Callable[[Sequence[RowSettlement]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repetitions:
    """Settles the rows of one run that repeat others.

    `columns` are the fields that the source has columns for. `with_cell` names the cell in the problem of a row of that
    number. `content` sums up what a row says.
    """

    operation: Operation
    keys: Keys | None
    allow_duplicates: bool
    columns: Collection[str]
    with_cell: Callable[[Problem, int], Problem]
    content: Callable[[StoredRow], bytes]
    announce: Listener

    def settle(self, journal: JournalReader, run: str, write: Write) -> None:
        """Refuse rows that repeat others; which do is known only once every other problem is."""
        is_keyed = self.keys is not None and self.keys.by_source
        if not self.operation.creates or is_keyed:
            self._refuse(journal, run, write, by_identity=not is_keyed)
        if not self.operation.creates or self.allow_duplicates:
            return
        if not is_keyed:
            if not self._sum_up_namesakes(journal, run, write):
                return
            self._refuse(journal, run, write, by_identity=False)
        for each in journal.duplicates_by_identity(run, limit=1):
            (again,) = journal.rows_at(run, [each.ordinal])
            self.announce(
                Noted(
                    f"Row {again.number} has the same {self.operation.named_by} as row {each.first_number}, with "
                    "other content; such rows are sent."
                )
            )

    def _sum_up_namesakes(self, journal: JournalReader, run: str, write: Write) -> bool:
        """Write what rows of one name say; return whether there are any."""
        found = False
        for page in journal.repeats(run, PAGE, by_identity=True):
            found = True
            places = {place for each in page for place in (each.ordinal, each.first_ordinal)}
            settlements = [
                RowSettlement(ordinal=row.ordinal, identity=row.identity, fingerprint=content)
                for row in journal.rows_at(run, places)
                if row.status is Progress.PENDING and not row.attempts
                if (content := self.content(row)) != row.fingerprint
            ]
            if settlements:
                write(settlements)
        return found

    def _refuse(self, journal: JournalReader, run: str, write: Write, *, by_identity: bool) -> None:
        sent = _sent_instead(journal, run, by_identity=by_identity)
        for page in journal.repeats(run, PAGE, by_identity=by_identity):
            first = {each.ordinal: each for each in page}
            refused = [
                self._refused(row, first[row.ordinal], sent) for row in journal.rows_at(run, first) if not row.attempts
            ]
            if refused:
                write(refused)
        # Last: as long as a first row stands, all that repeat it are found with it.
        overtaken = [Duplicate(place, place, number) for place, number in sent.items()]
        for begin in range(0, len(overtaken), PAGE):
            first = {each.ordinal: each for each in overtaken[begin : begin + PAGE]}
            write([self._refused(row, first[row.ordinal], sent) for row in journal.rows_at(run, first)])

    def _refused(self, row: StoredRow, repeated: Duplicate, sent: Mapping[int, int]) -> RowSettlement:
        number = sent.get(repeated.first_ordinal)
        problem = self._problem(row, repeated.first_number if number is None else number, was_sent=number is not None)
        return RowSettlement(
            ordinal=row.ordinal,
            status=Progress.INVALID,
            problems=(self.with_cell(problem, row.number),),
        )

    def _problem(self, row: StoredRow, number: int, *, was_sent: bool) -> Problem:
        """Return what is wrong with a row that repeats the one of that number, which is the first or `was_sent`."""
        why = "was sent already" if was_sent else "comes first"
        if self.keys is not None and self.keys.by_source:
            problem = self.keys.repeats(number)
            said = f"This row has the same {self.keys.name} as row {number}, which {why}."
            return replace(problem, message=said) if was_sent else problem
        given = row.record or {}
        # Of a setting that there is only once, no one field is to blame.
        fields = () if self.operation.single else self.operation.fields
        places = (*self.operation.find_by, *(each.name for each in fields))
        name = next((name for name in places if given.get(name) is not None and name in self.columns), "")
        if self.operation.creates:
            message = f"This row says the same as row {number}, which {'was sent already' if was_sent else 'is sent'}."
            remedy = "Delete one of them, or allow repeated records with --allow-duplicates."
        else:
            message = f"This row changes the same record as row {number}, which {why}."
            remedy = "Put all changes of a record into one row."
        return Problem(code="DUPLICATE_ROW", field=name, message=message, remedy=remedy)


def _sent_instead(journal: JournalReader, run: str, *, by_identity: bool) -> dict[int, int]:
    """Return where a first row was not sent, but one that repeats it was: place of the first → number of the other."""
    sent: dict[int, int] = {}
    if not journal.batches(run, limit=1):
        return sent  # nothing was: a look at every row is spared
    for page in journal.repeats(run, PAGE, by_identity=by_identity):
        first = {each.ordinal: each.first_ordinal for each in page}
        for row in journal.rows_at(run, first):
            if row.attempts:
                sent.setdefault(first[row.ordinal], row.number)
    for row in journal.rows_at(run, sent):
        if row.attempts:
            del sent[row.ordinal]
    return sent
