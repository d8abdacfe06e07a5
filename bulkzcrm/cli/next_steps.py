"""The commands that a person types next, after a run has ended: to carry on, and to give mended rows back."""

from __future__ import annotations

from collections.abc import Sequence

from bulkzcrm.cells import counted
from bulkzcrm.errors import OutputError
from bulkzcrm.journal import JournalReader
from bulkzcrm.model import Status
from bulkzcrm.progress import Voice
from bulkzcrm.run.job_ending import JobEnding
from bulkzcrm.run.options import RunOptions, command_line
from bulkzcrm.run.reporting import Ending

__all__ = ["mending_command", "mending_commands", "resume_words"]


def resume_words(run: str, profile: str | None) -> list[str]:
    """Return the words of the command that carries on with a run."""
    return ["bulkzcrm", "resume", run, *(["--profile", profile] if profile else [])]


def mending_command(voice: Voice, journal: JournalReader, run_id: str, ending: Ending, profile: str | None) -> None:
    """Say how the mended `failed.csv` is given back, with every option in force, inferred ones included."""
    if "failed" not in ending.summary.files:
        return
    counts = ending.summary.counts
    repeated = counts.get(Status.INVALID, 0) + counts.get(Status.REJECTED, 0) - ending.failed
    if repeated:
        voice.say(f"{counted(repeated, 'row')} repeating an earlier one: told in results.csv, and not in failed.csv.")
    if not ending.failed:
        return
    try:
        run = journal.run(run_id)
    except OutputError as error:
        # The report is written and tells how the rows ended; a disk that fails only now takes nothing of that away.
        voice.say(f"Warning: {error}", even_if_quiet=True)
        return
    options = RunOptions.from_json(run.options)
    inferred = run.decisions.get("inferred")
    words = ["bulkzcrm", "run", run.operation, str(ending.summary.files["failed"])]
    words += options.arguments(of_the_source=False)
    for name, value in inferred.items() if isinstance(inferred, dict) else ():
        if getattr(options, str(name), None) is None:
            words += [f"--{str(name).replace('_', '-')}", str(value)]
    words += ["--sandbox"] if run.sandbox else []
    words += ["--profile", profile] if profile else []
    if tuple(run.formats) != ("csv",):
        words += ["--format", ",".join(run.formats)]
    name = ending.summary.files["failed"].name
    them = "it" if ending.failed == 1 else "them"
    voice.say(f"To mend: {counted(ending.failed, 'row')} in {name}. Correct {them} there, then:")
    voice.say(f"  {command_line(words)}")


def mending_commands(
    voice: Voice, journal: JournalReader, runs: Sequence[str], ending: JobEnding, profile: str | None
) -> None:
    """Say the same of every step of a job that has failed rows."""
    for run, step in zip(runs, ending.steps, strict=True):
        mending_command(voice, journal, run, step, profile)
