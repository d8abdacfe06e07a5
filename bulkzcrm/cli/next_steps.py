"""What is said after a run has ended: what went wrong, and the commands that a person types next."""

from __future__ import annotations

from collections.abc import Sequence

from bulkzcrm.cells import counted
from bulkzcrm.errors import OutputError
from bulkzcrm.journal import JournalReader
from bulkzcrm.progress import Voice
from bulkzcrm.report import Cause, Summary
from bulkzcrm.run.job_ending import JobEnding
from bulkzcrm.run.next_steps import mending_step, repeated_rows, resume_words
from bulkzcrm.run.reporting import Ending

__all__ = ["mending_command", "mending_commands", "resume_words", "say_overview"]

_MOST_CAUSES = 8
_OPTION = " --"
_LONGEST = 200
"""Characters of a message; results.csv has all of it."""


def say_overview(voice: Voice, summary: Summary) -> None:
    """Say what went wrong, and where the page is that shows all of it."""
    if summary.causes:
        _say_causes(voice, summary)
    if "results_html" in summary.files:
        voice.say(f"All of it as a page: {summary.files['results_html']}")


def _say_causes(voice: Voice, summary: Summary) -> None:
    """Say the largest causes first."""
    voice.say("What went wrong:")
    for cause in summary.causes[:_MOST_CAUSES]:
        voice.say(f"  {_in_a_line(cause)}")
        if _OPTION in cause.remedy:
            # No cell mends it: the next command does.
            voice.say(f"    {cause.remedy}")
    others = summary.causes[_MOST_CAUSES:]
    if others:
        rows = sum(cause.count for cause in others)
        voice.say(f"  and {counted(len(others), 'other cause')} of {counted(rows, 'row')}, in results.csv")


def _in_a_line(cause: Cause) -> str:
    numbers = ", ".join(map(str, cause.rows))
    if cause.count == 1:
        # The value is not told here: whoever mends it looks at the cell.
        which = f"row {numbers}{f' (cell {cause.cell})' if cause.cell else ''}"
    else:
        which = f"{counted(cause.count, 'row')} ({numbers}{', …' if cause.count > len(cause.rows) else ''})"
    code = " ".join(filter(None, [cause.status, cause.code]))
    message = cause.message if len(cause.message) <= _LONGEST else f"{cause.message[: _LONGEST - 1]}…"
    # Where a message is but about values, which are not told here, the field says at least what they are of.
    is_named = cause.field.replace("_", " ") in message.replace("_", " ")
    return f"{which}{f', {code}' if code else ''}: {'' if is_named else f'{cause.field}: '}{message}"


def mending_command(voice: Voice, journal: JournalReader, run_id: str, ending: Ending, profile: str | None) -> None:
    """Say what went wrong, and how the mended `failed.csv` is given back."""
    if "failed" not in ending.summary.files:
        return
    say_overview(voice, ending.summary)
    repeated = repeated_rows(ending.summary, ending.failed)
    if repeated:
        voice.say(repeated)
    if not ending.failed:
        return
    try:
        run = journal.run(run_id)
    except OutputError as error:
        # The report is written and tells how the rows ended; a disk that fails only now takes nothing of that away.
        voice.say(f"Warning: {error}", even_if_quiet=True)
        return
    step = mending_step(run, ending.summary.files["failed"], ending.failed, profile)
    voice.say(step.says)
    voice.say(f"  {step.command}")
    if (workbook := ending.summary.files.get("results_xlsx")) is not None:
        voice.say(f"Or correct the coloured cells in {workbook.name} and give that back; what is done is left out.")


def mending_commands(
    voice: Voice, journal: JournalReader, runs: Sequence[str], ending: JobEnding, profile: str | None
) -> None:
    """Say the same of every step of a job that has failed rows."""
    for run, step in zip(runs, ending.steps, strict=True):
        mending_command(voice, journal, run, step, profile)
