"""What must be true of all runs and of the organisation whenever nothing moves, and what besides when all is over."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from office import Errand, Office, read_csv
from witness import SOMEBODY, Deed

from bulkzcrm.journal import BatchState, Run, RunState, StoredRow
from bulkzcrm.journal.states import BATCH_MOVES, ROW_MOVES, RUN_MOVES, UNFINISHED, Progress, reported

STATUSES = ("succeeded", "unchanged", "invalid", "rejected", "unknown", "unsent")
_ENDED = frozenset(Progress) - UNFINISHED
_PERHAPS = frozenset({Progress.SENDING, Progress.IN_DOUBT, Progress.UNKNOWN})
"""Rows of which nobody can say whether they were written."""
_FAULT_OF_OURS = ("cannot become", "no longer change that way", "were not under way", "gone too far", "not ended")


@dataclass(slots=True)
class Known:
    """A run as it was when it was last looked at."""

    errand: Errand
    state: RunState
    rows: dict[int, StoredRow] = field(default_factory=dict)
    batches: dict[int, BatchState] = field(default_factory=dict)


class Truths:
    """Holds an office to its promises, look by look."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.known: dict[str, Known] = {}

    def look(self) -> None:
        """Assert all that must be true at any moment."""
        runs = {run.id: run for run in self.office.runs}
        for name in set(self.known) - set(runs):
            assert not self._deeds(name), f"The run {name} is forgotten, and something of it was written."
            del self.known[name]
        for run in runs.values():
            self._moved(run)
        self._each_once()
        for name, known in self.known.items():
            if known.errand.operation != "create-services":
                self._changed_what_they_say(name, known)
        self._only_rows_changed_anything()

    def look_at_report(self, run: str, rows: Sequence[Mapping[str, str]]) -> None:
        """Assert that a report shows every row once, as the journal knows it, and that the counts add up."""
        known = self.known[run]
        stored = [known.rows[place] for place in sorted(known.rows)]
        assert [row["result_row"] for row in rows] == [str(row.number) for row in stored]
        for shown, row, given in zip(rows, stored, known.errand.rows, strict=True):
            assert {name: shown[name] for name in given} == dict(given)
            assert shown["result_status"] == reported(row.status), shown
            assert shown["result_record_id"] == row.record_id, shown
        summary = json.loads((self.office.folder / run / "summary.json").read_text(encoding="utf-8"))
        counts = Counter(row["result_status"] for row in rows)
        assert {name: summary[name] for name in STATUSES} == {name: counts[name] for name in STATUSES}
        assert summary["rows"] == len(rows) == len(stored)

    def look_at_written_report(self, run: str) -> None:
        """Assert it of the report that a program has just written."""
        self.look_at_report(run, read_csv(self.office.folder / run / "results.csv"))

    def at_the_end(self, refused: Collection[str]) -> None:
        """Assert what must be true besides, once no run can be resumed but those `refused`, and nothing is under way.

        A run is refused before it has sent anything, or not at all.
        """
        self.look()
        for name, known in self.known.items():
            assert (known.state is RunState.FINISHED) != (name in refused), (name, known.state)
            for row in known.rows.values():
                assert name not in refused or not row.attempts
                if known.errand.operation != "create-services":
                    assert row.status is not Progress.UNKNOWN, "An update can always be settled."

    # -- how it moved ----------------------------------------------------------------------------------------------

    def _moved(self, run: Run) -> None:
        journal = self.office.journal()
        rows = {row.ordinal: row for row in journal.rows(run.id, 0, 1000)}
        batches = {batch.number: batch.state for batch in journal.batches(run.id, set(BatchState))}
        before = self.known.get(run.id)
        assert before is not None, f"Nobody began {run.id}."
        if before.rows:
            assert rows.keys() == before.rows.keys()
        else:
            assert sorted(rows) == list(range(1, len(before.errand.rows) + 1))
        assert _may_become(RUN_MOVES, before.state, run.state), (run.id, before.state, run.state)
        for ordinal, row in before.rows.items():
            now = rows[ordinal]
            assert _may_become(ROW_MOVES, row.status, now.status), (run.id, ordinal, row.status, now.status)
            if row.status in _ENDED and row.status is not Progress.INVALID and now.status is row.status:
                assert now == row, "A row that has ended is not touched again."
            assert now.attempts >= row.attempts
        for number, state in before.batches.items():
            assert _may_become(BATCH_MOVES, state, batches[number]), (run.id, number, state, batches[number])
        self._agree(run, rows, batches)
        before.state, before.rows, before.batches = run.state, rows, batches

    def _agree(self, run: Run, rows: Mapping[int, StoredRow], batches: Mapping[int, BatchState]) -> None:
        """Run, batches and rows say the same."""
        assert not any(said in (run.stopped_because or "") for said in _FAULT_OF_OURS), run.stopped_because
        if run.state is RunState.FINISHED:
            assert all(row.status in _ENDED for row in rows.values())
            assert set(batches.values()) <= {BatchState.ANSWERED, BatchState.NOT_APPLIED, BatchState.DISSOLVED}
        for row in rows.values():
            state = batches.get(row.batch or 0)
            match row.status:
                case Progress.SENDING:
                    assert state is BatchState.SENDING
                case Progress.IN_DOUBT:
                    assert state is BatchState.IN_DOUBT
                case Progress.INVALID:
                    assert not row.record_id or run.operation != "create-services"
                    assert row.problems
                case Progress.UNCHANGED:
                    pass
                case Progress.PENDING:
                    assert state not in {BatchState.SENDING, BatchState.IN_DOUBT} or _is_shared(row, rows)
                case Progress.REJECTED:
                    assert row.problems
                    assert row.attempts
                case _:
                    assert row.attempts

    # -- creates ---------------------------------------------------------------------------------------------------

    def _each_once(self) -> None:
        """As many records were made as rows say so, and perhaps those of which nobody can say; each is one row's."""
        made = self.office.witness.made()
        succeeded: Counter[tuple[str, str]] = Counter()
        perhaps: Counter[tuple[str, str]] = Counter()
        whose: dict[str, tuple[str, int]] = {}
        for name, known in self.known.items():
            if known.errand.operation != "create-services":
                continue
            for ordinal, row in known.rows.items():
                content = _content(known.errand.rows[ordinal - 1])
                if row.status in _PERHAPS:
                    perhaps[content] += 1
                if row.status is not Progress.SUCCEEDED:
                    continue
                succeeded[content] += 1
                if known.errand.options.unique_field == "Service_Name":
                    # Whoever else makes a record of that name is overwritten, and that is told.
                    continue
                assert row.record_id in made, f"{name}, row {ordinal}: {row.record_id} is no record that was made."
                born = made[row.record_id]
                assert (str(born.holds["Service_Name"]), str(born.holds["Price"])) == content, (name, ordinal, born)
                assert row.record_id not in whose, f"{row.record_id} is {whose.get(row.record_id)}'s and {name}'s."
                whose[row.record_id] = (name, ordinal)
        births = Counter(
            (str(deed.holds["Service_Name"]), str(deed.holds["Price"]))
            for deed in made.values()
            if not self._is_taken_over(deed)
        )
        for content, count in births.items():
            assert count <= succeeded[content] + perhaps[content], (
                f"{content} was made {count} times; {succeeded[content]} rows succeeded, {perhaps[content]} perhaps."
            )

    def _is_taken_over(self, born: Deed) -> bool:
        """Another run knows records by their names, and one of its rows has this one since, and says so.

        Whoever made it does not find its own content there any more: nobody can tell it from that row's.
        """
        return any(
            deed.whose not in {SOMEBODY, born.whose} and self._is_by_name(deed.whose, deed)
            for deed in self.office.witness.history(born.record_id)
        )

    def _is_by_name(self, name: str, deed: Deed) -> bool:
        known = self.known[name]
        return known.errand.options.unique_field == "Service_Name" and any(
            row.status in {Progress.SUCCEEDED, *_PERHAPS}
            and _content(known.errand.rows[ordinal - 1]) == (str(deed.holds["Service_Name"]), str(deed.holds["Price"]))
            for ordinal, row in known.rows.items()
        )

    # -- changes ---------------------------------------------------------------------------------------------------

    def _changed_what_they_say(self, name: str, known: Known) -> None:
        """A row that succeeded was true at some time; and it is still, unless somebody else has changed its record."""
        for ordinal, row in known.rows.items():
            if row.status is not Progress.SUCCEEDED:
                continue
            wanted = _wanted(known.errand, known.errand.rows[ordinal - 1])
            history = self.office.witness.history(_target(known.errand, known.errand.rows[ordinal - 1]))
            held = [place for place, deed in enumerate(history) if _holds(deed.holds, wanted)]
            assert held, f"{name}, row {ordinal} succeeded, and its record never was as it says."
            later = history[held[-1] + 1 :]
            assert all(deed.whose != name for deed in later), f"{name} has undone its own row {ordinal}."

    def _only_rows_changed_anything(self) -> None:
        """What a run has changed is what a row of it means that succeeded, or of which nobody can say."""
        for deed in self.office.witness.deeds:
            if deed.whose == SOMEBODY or deed.whose not in self.known:
                continue
            known = self.known[deed.whose]
            if known.errand.operation == "create-services":
                continue
            given = {ordinal: known.errand.rows[ordinal - 1] for ordinal in known.rows}
            rows = [
                row
                for ordinal, row in known.rows.items()
                if _target(known.errand, given[ordinal]) == deed.record_id
                and (
                    row.status in {Progress.SUCCEEDED, *_PERHAPS}
                    or (_is_sent_again(row) and self._could_not_be_seen(deed, _wanted(known.errand, given[ordinal])))
                )
            ]
            assert rows, f"{deed.whose} has changed {deed.record_id}, and no row says so."

    def _could_not_be_seen(self, deed: Deed, wanted: Mapping[str, str]) -> bool:
        """Reading it again could not show what the deed had done: somebody else has made it another one since."""
        history = self.office.witness.history(deed.record_id)
        later = history[history.index(deed) + 1 :]
        return any(each.whose != deed.whose and not _holds(each.holds, wanted) for each in later)

    def _deeds(self, name: str) -> list[Deed]:
        return [deed for deed in self.office.witness.deeds if deed.whose == name]


def _is_shared(row: StoredRow, rows: Mapping[int, StoredRow]) -> bool:
    """A row that was not applied stands beside those in doubt until it goes again."""
    return any(other.batch == row.batch and other.status is Progress.IN_DOUBT for other in rows.values())


def _may_become(moves: Mapping[Any, frozenset[Any]], before: Any, now: Any) -> bool:
    """Tell whether a state can be reached in any number of moves."""
    reached, fresh = {before}, {before}
    while fresh:
        fresh = {state for each in fresh for state in moves[each]} - reached
        reached |= fresh
    return now in reached


def _is_sent_again(row: StoredRow) -> bool:
    """An earlier attempt may have been carried out, though the last one was refused."""
    return row.status is Progress.REJECTED and row.attempts > 1


def _content(row: Mapping[str, str]) -> tuple[str, str]:
    return row["Service_Name"], row["Price"]


def _target(errand: Errand, row: Mapping[str, str]) -> str:
    return "service_preferences" if errand.operation == "update-service-preferences" else row["id"]


def _wanted(errand: Errand, row: Mapping[str, str]) -> dict[str, str]:
    match errand.operation:
        case "update-service-preferences":
            return {"job_sheet_enabled": str(row["job_sheet_enabled"] == "yes")}
        case "set-scoring-rule-status":
            return {"active": str(row["Status"] == "active")}
        case _:
            return {name: text for name, text in row.items() if name in {"Price", "Duration", "Status"} and text}


def _holds(holds: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    return all(str(holds.get(name)) == text for name, text in wanted.items())
