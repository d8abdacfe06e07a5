"""Old runs that are deleted while somebody retries them, or before a run is resumed that knew them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from desk import NOW, desk_at, services
from forwarder import Cut, Heard, Say

from bulkzcrm.errors import UsageError
from bulkzcrm.journal import Journal, NewRow, NewRun, Progress, RowOutcome, RunState
from bulkzcrm.model import Column, Problem
from bulkzcrm.run.engine import begin
from bulkzcrm.run.options import RunOptions
from bulkzcrm.run.pruning import Plan, plan, prune
from bulkzcrm.run.retrying import failed_origin
from bulkzcrm.sandbox import SandboxOptions
from bulkzcrm.spec.operations import OPERATIONS

LATER = datetime(2040, 6, 1, 12, tzinfo=UTC)
OLD, RETRY = "20300101-120000-aaaa", "20400601-120000-bbbb"
ROWS = 3_000
"""More than are deleted, or read, at once."""
REFUSAL = Say(403, {"code": "NO_PERMISSION", "details": {}, "message": "no", "status": "error"})
WRONG = Problem(code="INVALID_DATA", field="Price", message="No.", remedy="Mend it.")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """The home of a journal that holds an old run, all of whose rows failed."""
    folder = tmp_path / "home of the tool"
    with Journal.open(folder, clock_ms=lambda: int((LATER - timedelta(days=200)).timestamp() * 1000)) as journal:
        facts = {"operation": "update-services", "api_domain": "https://www.zohoapis.example", "source": "a.csv"}
        columns = (Column(0, "A", "Service_Name"),)
        journal.add_run(NewRun(id=OLD, organisation_id="1", columns=columns, header_row=1, **facts))
        ordinals = range(1, ROWS + 1)
        journal.add_rows(OLD, 0, [NewRow(ordinal=at, number=at + 1, cells=(f"{at}",), record={}) for at in ordinals])
        for state in (RunState.INGESTED, RunState.SENDING):
            journal.set_state(OLD, 0, state)
        number = journal.plan_batch(OLD, 0, ordinals)
        journal.mark_sending(OLD, 0, number, ordinals=ordinals, body_sha256="ab", sent_ms=1)
        refused = [RowOutcome(ordinal=at, status=Progress.REJECTED, problems=(WRONG,)) for at in ordinals]
        journal.mark_answered(OLD, 0, number, refused, answered_ms=2)
        journal.set_state(OLD, 0, RunState.FINISHED)
    return folder


def pruned(journal: Journal, *, agreed: Plan | None = None) -> list[str]:
    """Prune what may go; `agreed` is what was shown, perhaps some time ago."""

    def again() -> Plan:
        return plan(journal, journal.pruning(), before=LATER - timedelta(days=90), keep=0, now=LATER)

    return list(prune(journal, agreed or again(), again, clock=lambda: LATER).runs)


async def test_rows_of_a_run_that_is_being_pruned_are_not_retried(home: Path, tmp_path: Path):
    """The retry was asked for when the run was whole; a part of its rows would have been dropped in silence."""
    async with desk_at(tmp_path) as desk:
        with Journal.open(home) as journal, Journal.open(home) as other:
            origin = failed_origin(journal, journal.run(OLD), "bulkzcrm resume")
            assert other.pruning().mark(OLD, 1, as_warning=False)
            assert other.pruning().delete_some(OLD) > 0
            # That rows cannot be taken from it either is shown below.
            origin = replace(origin, take=None)
            operation = OPERATIONS["update-services"]
            with pytest.raises(UsageError, match="has been pruned"):
                await begin(journal, origin, operation, RunOptions(), desk.around(), run=RETRY, folder=tmp_path / "r")
            assert journal.runs() == []


def test_rows_are_not_taken_from_a_run_that_is_being_pruned(home: Path):
    """Not even if the retry has begun before."""
    with Journal.open(home) as journal:
        origin = failed_origin(journal, journal.run(OLD), "bulkzcrm resume")
        begun(journal)
        journal.pruning().mark(OLD, 1, as_warning=False)
        journal.pruning().delete_some(OLD)
        with origin.open() as table:
            assert 0 < len(list(table.rows)) < ROWS
        assert origin.take is not None
        with pytest.raises(UsageError, match="has been pruned"):
            origin.take(RETRY)


def test_a_run_that_is_retried_since_it_was_shown_is_not_pruned(home: Path):
    with Journal.open(home, clock_ms=lambda: int(LATER.timestamp() * 1000)) as journal, Journal.open(home) as other:
        shown = plan(other, other.pruning(), before=LATER - timedelta(days=90), keep=0, now=LATER)
        assert [run.id for run in shown.runs] == [OLD]
        begun(journal)
        assert pruned(other, agreed=shown) == []
        assert len(journal.failed_rows(OLD, 0, ROWS + 1)) == ROWS


def begun(journal: Journal) -> None:
    facts = {"operation": "update-services", "api_domain": "https://www.zohoapis.example", "source": "a.csv"}
    journal.add_run(NewRun(id=RETRY, columns=(), header_row=1, retry_of=OLD, **facts))


async def let_pass(heard: Heard) -> None:
    return None


@pytest.mark.parametrize("is_pruned", [False, True])
async def test_another_runs_record_is_not_taken_for_a_lost_one_whoever_prunes_meanwhile(
    tmp_path: Path, *, is_pruned: bool
):
    """A create is lost, read back as absent and refused when it is sent again; then another run makes that record."""
    async with desk_at(tmp_path, options=SandboxOptions(unique_field="Service_Name")) as desk:
        desk.wire.script(Cut(applied=False), REFUSAL)
        first = await desk.begin("create-services", services(1))
        await desk.carry_on()
        assert [(row.status, row.attempts) for row in desk.stored] == [(Progress.PENDING, 2)]
        desk.wire.interfere = let_pass
        await desk.run("create-services", services(1), RunOptions(again=True))
        assert desk.statuses == ["succeeded"]
        if is_pruned:
            now = NOW + timedelta(days=100)
            with Journal.open(desk.home) as journal:

                def again() -> Plan:
                    return plan(journal, journal.pruning(), before=now - timedelta(days=90), keep=0, now=now)

                prune(journal, again(), again, clock=lambda: now)
        desk.last = first
        await desk.carry_on()
        assert [row["result_code"] for row in desk.results] == ["DUPLICATE_DATA"]
        assert desk.statuses == ["rejected"]
