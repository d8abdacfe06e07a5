"""`runs prune`: what would go is shown, somebody agrees, and it goes."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import click

from bulkzcrm.cells import counted
from bulkzcrm.cli.one_line import in_a_line
from bulkzcrm.cli.session import Session
from bulkzcrm.cli.speaking import complain, tell
from bulkzcrm.errors import UsageError
from bulkzcrm.journal import Journal, Run
from bulkzcrm.progress import Voice
from bulkzcrm.run.pruning import SHORTEST, Kept, Plan, Pruned, plan, prune

__all__ = ["prune_runs"]

_AGE: Final = re.compile(r"(\d{1,5})([dw])", re.ASCII | re.IGNORECASE)
_WHY: Final = {
    Kept.RESUMABLE: "can be resumed",
    Kept.AT_WORK: "worked on by another process now",
    Kept.BELONGS: "part of a job, or of a chain of retries, that stays",
    Kept.IN_DOUBT: "needed to settle what another run has, or had, in doubt",
}
_MOST_SHOWN: Final = 20


def prune_runs(*, age: str, keep: int, dry_run: bool, yes: bool, as_json: bool, quiet: bool) -> None:
    """Delete the runs of that age from the journal, and leave with the exit status."""
    session = Session(Voice(quiet=quiet, verbose=False, has_log=False), yes=yes)
    limit = _age(age)

    def found() -> Plan:
        now = session.clock()
        return plan(journal, journal.pruning(), before=now - limit, keep=keep, now=now)

    with Journal.open(session.home) as journal:
        planned = found()
        rows = sum(_rows(journal, run) for run in planned.runs)
        _show(session.voice, journal, planned, age)
        if dry_run or not (planned.runs or planned.begun):
            _say(planned, Pruned(rows=rows), as_json=as_json, dry_run=dry_run)
            return
        _confirm(session)
        try:
            pruned = prune(journal, planned, found, clock=session.clock)
        except KeyboardInterrupt:
            complain("Interrupted. Nothing is half deleted: the next `bulkzcrm runs prune` finishes what was begun.")
            _say(planned, None, as_json=as_json)
            sys.exit(130)
    for note in pruned.notes:
        session.voice.say(f"Note: {note}")
    _say(planned, pruned, as_json=as_json)


def _age(text: str) -> timedelta:
    match = _AGE.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"--older-than {text} is no age.", "Write a number of days or weeks: 90d, 12w.")
    age = timedelta(days=int(match[1]) * (7 if match[2] in "wW" else 1))
    if age < SHORTEST:
        raise UsageError(
            f"--older-than {text} is too short: what was made in the last days may be needed to tell records apart.",
            f"Write {SHORTEST.days}d or more.",
        )
    return age


def _rows(journal: Journal, run: Run) -> int:
    return sum(journal.count_by_status(run.id).values())


def _show(voice: Voice, journal: Journal, planned: Plan, age: str) -> None:
    for run in planned.runs[:_MOST_SHOWN]:
        voice.say(f"{in_a_line(run)}: {counted(_rows(journal, run), 'row')}")
    if len(planned.runs) > _MOST_SHOWN:
        voice.say(f"and {counted(len(planned.runs) - _MOST_SHOWN, 'run')} more")
    if planned.begun:
        voice.say(f"{counted(len(planned.begun), 'run')} of which an earlier pruning has left something.")
    for why, kept in planned.kept.items():
        voice.say(f"Kept, though older than {age}: {counted(len(kept), 'run')}, {_WHY[why]} ({_some(kept)}).")


def _some(runs: Sequence[str]) -> str:
    more = len(runs) - 3
    return ", ".join(runs[:3]) + (f" and {more:,} more" if more > 0 else "")


def _confirm(session: Session) -> None:
    if session.yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("Nothing was deleted: nobody can be asked for permission here.", "Add --yes.")
    if not click.confirm("Delete them?", err=True):
        raise UsageError("Nothing was deleted.", "Run the command again when you are ready.")


def _say(planned: Plan, pruned: Pruned | None, *, as_json: bool, dry_run: bool = False) -> None:
    done = pruned or Pruned()
    runs = [run.id for run in planned.runs] if dry_run else list(done.runs)
    if as_json:
        content = {
            "state": "interrupted" if pruned is None else "finished",
            "dry_run": dry_run,
            "runs": runs,
            "rows": done.rows,
            "bytes": done.freed,
            "kept": {why.value: list(planned.kept.get(why, ())) for why in Kept},
            "notes": list(done.notes),
        }
        tell(json.dumps(content))
        return
    if pruned is None:
        return
    what = f"{counted(len(runs), 'run')} with {counted(done.rows, 'row')}"
    if dry_run:
        tell(f"would delete {what}")
    elif runs or done.rows:
        tell(f"deleted {what}; the journal is {done.freed:,} bytes smaller")
    else:
        tell("nothing to delete")
