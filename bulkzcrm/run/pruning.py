"""Old runs deleted from the journal: which of them may go, and why others stay.

Nothing goes that can still be resumed or is being worked on, nor the other steps of its job, nor what keeps another run
from a mistake: a retry stays with the run that it took rows from, which would give them to the next retry again; and
runs stay whose records explain what a run that has sent something may find when it is resumed. Of a create, enough is
kept to refuse the same content later.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

from bulkzcrm.errors import OutputError
from bulkzcrm.journal import Journal, JournalReader, Pruning, Run, RunState
from bulkzcrm.journal.states import RESUMABLE
from bulkzcrm.spec.operations import OPERATIONS

__all__ = ["SHORTEST", "Kept", "Plan", "Pruned", "plan", "prune"]

SHORTEST: Final = timedelta(days=2)
"""Younger runs stay, whatever is asked for: lost creates are told from what was made in the hours around them."""

_PAGE: Final = 500
_TURN_S: Final = 0.12
"""Who waits for the journal asks again within a tenth of a second; so long it is left to others that are at work."""


class Kept(StrEnum):
    """Why a run stays that is old enough to go."""

    RESUMABLE = "resumable"  #: something is left to do
    AT_WORK = "at_work"  #: a process has it at this moment
    BELONGS = "belongs"  #: to a job or a retry that stays
    IN_DOUBT = "in_doubt"  #: its records may explain what a run that can be resumed finds when it reads back


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to go, oldest first, and what stays although it is old enough."""

    runs: Sequence[Run] = ()
    kept: Mapping[Kept, Sequence[str]] = field(default_factory=dict)
    begun: Sequence[str] = ()
    """Runs of which an earlier pruning that broke off has left something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What has gone."""

    runs: Sequence[str] = ()
    rows: int = 0
    freed: int = 0
    """Bytes that the file is smaller."""
    notes: tuple[str, ...] = ()


def plan(journal: JournalReader, pruning: Pruning, *, before: datetime, keep: int, now: datetime) -> Plan:
    """Find the runs that were last worked on before a moment and may go; the newest ones are kept, so many of them."""
    now_ms, before_ms = (int(each.timestamp() * 1000) for each in (now, min(before, now - SHORTEST)))
    runs = list(_every_run(journal))
    why: dict[str, Kept | None] = {}
    for place, run in enumerate(runs):
        if place < keep or run.updated_ms >= before_ms:
            why[run.id] = None
        elif run.state in RESUMABLE:
            why[run.id] = Kept.RESUMABLE
        elif run.owner is not None and (run.lease_until_ms or 0) >= now_ms:
            why[run.id] = Kept.AT_WORK
    # Whatever its rows are now: one that is pending again may yet be met as a record that is there already.
    doubtful = [run for run in runs if run.state in RESUMABLE and pruning.has_sent(run.id)]
    for run in runs:
        if run.id not in why and any(_may_explain(run, each) for each in doubtful):
            why[run.id] = Kept.IN_DOUBT
    for family in _families(runs):
        if any(run.id in why for run in family):
            for run in family:
                why.setdefault(run.id, Kept.BELONGS)
    kept: dict[Kept, list[str]] = {}
    for run in reversed(runs):
        reason = why.get(run.id)
        if reason is not None and run.updated_ms < before_ms:
            kept.setdefault(reason, []).append(run.id)
    return Plan(runs=[run for run in reversed(runs) if run.id not in why], kept=kept, begun=pruning.begun())


def _every_run(journal: JournalReader) -> Iterator[Run]:
    before = None
    while page := journal.runs(limit=_PAGE, before=before):
        yield from page
        before = page[-1].id


def _may_explain(run: Run, doubtful: Run) -> bool:
    """Tell whether a run was at work on the same organisation since one began that may be in doubt, or just before."""
    return (
        run.operation == doubtful.operation
        and run.api_domain == doubtful.api_domain
        and run.sandbox_state == doubtful.sandbox_state
        and run.updated_ms >= doubtful.created_ms - int(SHORTEST.total_seconds() * 1000)
    )


def _families(runs: Iterable[Run]) -> list[list[Run]]:
    """Return the runs in groups that go together or stay together: the steps of a job, and a run with its retries."""
    family = {run.id: [run] for run in runs}
    of_job: dict[str, str] = {}
    for run in [run for (run,) in family.values()]:
        kin = [] if run.job is None else [of_job.setdefault(run.job, run.id)]
        kin += [] if run.retry_of is None else [run.retry_of]
        for each in kin:
            # By ids alone a retry may seem the older one: the computer's clock was set back.
            known, own = family.get(each), family[run.id]
            if known is not None and known is not own:
                known += own
                family |= dict.fromkeys((member.id for member in own), known)
    return list({id(each): each for each in family.values()}.values())


def prune(
    journal: Journal,
    agreed: Plan,
    again: Callable[[], Plan],
    *,
    clock: Callable[[], datetime],
    pause: Callable[[float], None] = time.sleep,
) -> Pruned:
    """Delete what was agreed upon and may still go, then give the disk back what it took.

    `again` makes the plan once more: meanwhile somebody may have begun to work on a run. Each step is brief, and while
    others are at work they get their turn after each. What breaks off is finished by the next pruning.
    """
    pruning = journal.pruning()
    before, _ = pruning.size()
    wanted = {run.id for run in agreed.runs}

    def take_turns(since: float) -> None:
        if pruning.any_at_work(_ms(clock())):
            pause(max(_TURN_S, time.monotonic() - since))

    with journal.transaction():
        marked = [
            run.id
            for run in again().runs
            if run.id in wanted and pruning.mark(run.id, _ms(clock()), as_warning=_warns(run))
        ]
    rows = 0
    for run_id in dict.fromkeys([*agreed.begun, *marked]):
        since = time.monotonic()
        while (deleted := pruning.delete_some(run_id)) >= 0:
            rows += deleted
            take_turns(since)
            since = time.monotonic()
    notes = _shrink(journal.path, pruning, take_turns, _ms(clock()))
    after, _ = pruning.size()
    return Pruned(runs=marked, rows=rows, freed=before - after, notes=notes)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _warns(run: Run) -> bool:
    """Tell whether a run guards against a second import: what it made in a real organisation would be there twice."""
    operation = OPERATIONS.get(run.operation)
    creates = operation is None or operation.creates
    return creates and not run.sandbox and run.retry_of is None and run.state is RunState.FINISHED


def _shrink(path: Path | None, pruning: Pruning, take_turns: Callable[[float], None], now_ms: int) -> tuple[str, ...]:
    """Give free space back to the disk; return what keeps the file from being smaller."""
    size, used = pruning.size()
    if path is None or size == used:
        return ()
    if not pruning.can_shrink():
        # The way of a file that was made before it could give pages back.
        reused = "What was freed is used for new runs."
        if pruning.any_at_work(now_ms):
            return (f"The journal stays as large as it is while another run is at work. {reused}",)
        room = min(shutil.disk_usage(each).free for each in (path.parent, tempfile.gettempdir()))
        if room < 2 * used:
            return (f"The journal stays as large as it is: to make it smaller takes {2 * used:,} free bytes. {reused}",)
        try:
            pruning.rebuild()
        except OutputError as error:
            return (f"The journal stays as large as it is: {error.message} {reused}",)
        return ()
    since = time.monotonic()
    while pruning.shrink_some():
        take_turns(since)
        since = time.monotonic()
    return ()
