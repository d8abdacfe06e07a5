"""The steps of a job, one run after the other: all sources first, then the writes, in order, as far as they succeed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from anyio import to_thread

from bulkzcrm.errors import BulkzcrmError, OutputError, RefusedError
from bulkzcrm.journal import Journal, Run, RunState
from bulkzcrm.journal.states import RESUMABLE
from bulkzcrm.report import State, Summary
from bulkzcrm.run.engine import carry_on
from bulkzcrm.run.job_ending import JobEnding, failed
from bulkzcrm.run.lease import AtWorkError
from bulkzcrm.run.reporting import Ending, project, unwritten
from bulkzcrm.run.surroundings import Surroundings
from bulkzcrm.spec.operations import OPERATIONS

__all__ = ["carry_on_steps", "ready", "steps_of"]


def steps_of(journal: Journal, run: Run) -> list[str]:
    """Return the runs of the job that a run belongs to, in the order of its steps; of a lone run itself."""
    if run.job is None:
        return [run.id]
    return [each.id for each in journal.runs_of_job(run.job)]


def ready(journal: Journal, runs: Sequence[str]) -> None:
    """Say that the sources of all steps are taken in: of all at once, since half a job must not be carried on with."""
    with journal.transaction():
        for run_id in runs:
            journal.set_state(run_id, journal.run(run_id).epoch, RunState.INGESTED)


async def carry_on_steps(
    journal: Journal,
    job: str,
    runs: Sequence[str],
    around: Surroundings,
    *,
    goes_on_after_failed_rows: bool,
    from_run: str | None = None,
    resume: Callable[[str], str],
) -> JobEnding:
    """Carry on with every step that is not finished, in order.

    A step that does not finish, or finishes with failed rows (unless the job goes on after those), ends the job there;
    later steps keep their rows for `resume`. Failed rows of steps before `from_run` no longer hold anything up. Raises
    `RefusedError` when no step has ever written anything; of a job that was begun just now nothing is then left. Raises
    `AtWorkError` when another process carries on with it, and `LostLeaseError` when one has taken a step over.
    """
    ending = JobEnding(job=job)
    held_up = from_run is None
    has_worked = False
    for number, run_id in enumerate(runs, start=1):
        run = journal.run(run_id)
        held_up = held_up or run_id == from_run
        if ending.stopped_because is not None or run.state is RunState.FINISHED:
            ending.steps.append(await to_thread.run_sync(_as_it_is, journal, run, resume))
        else:
            try:
                ending.steps.append(
                    await carry_on(journal, run_id, OPERATIONS[run.operation], around, resume=resume(run_id))
                )
                has_worked = True
            except RefusedError as error:
                if isinstance(error, AtWorkError) and not has_worked:
                    raise
                ending.stopped_because = f"Step {number}: {error}"
                ending.refused = not any(_has_written(journal, each) for each in runs)
                if ending.refused:
                    if from_run is None:
                        _forget(journal, runs)
                    raise
                ending.steps.append(await to_thread.run_sync(_as_it_is, journal, journal.run(run_id), resume))
        summary = ending.steps[-1].summary
        if ending.stopped_because is None:
            # Behind the last step there is nothing to hold up.
            holds = held_up and not goes_on_after_failed_rows and number < len(runs)
            ending.stopped_because = _stops(number, summary, held_up=holds)
    left = [run_id for run_id in runs if _resumable(journal, run_id)]
    ending.resume = resume(left[0]) if left else None
    return ending


def _stops(number: int, summary: Summary, *, held_up: bool) -> str | None:
    if summary.state is not State.FINISHED:
        return f"Step {number} ({summary.operation}): {summary.stopped_because or summary.state.value}"
    if held_up and failed(summary):
        return (
            f"Step {number} ({summary.operation}) has rows that did not succeed. Mend them or not, then carry on; or "
            'say on_failed_rows = "continue" in the job.'
        )
    return None


def _as_it_is(journal: Journal, run: Run, resume: Callable[[str], str]) -> Ending:
    """Return the report of a step that is not worked on now."""
    folder = Path(run.output or run.id)
    try:
        return project(journal, run, folder, resume=resume(run.id))
    except OutputError as error:
        # Another process may be at work on the step.
        return unwritten(journal, journal.run(run.id), error, resume=resume(run.id))


def _resumable(journal: Journal, run_id: str) -> bool:
    try:
        return journal.run(run_id).state in RESUMABLE
    except BulkzcrmError:
        return False


def _has_written(journal: Journal, run_id: str) -> bool:
    try:
        return bool(journal.batches(run_id, limit=1))
    except BulkzcrmError:
        return False


def _forget(journal: Journal, runs: Sequence[str]) -> None:
    """Forget the steps of a job of which nothing was ever sent."""
    for run_id in runs:
        if _resumable(journal, run_id):
            journal.drop_run(run_id, journal.run(run_id).epoch)
