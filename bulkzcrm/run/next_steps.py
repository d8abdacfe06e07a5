"""What a person does next, after a run has ended: the exact commands that carry on, and that give mended rows back.

The command line says them, and the HTML report shows them: the same words in both.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bulkzcrm.cells import counted
from bulkzcrm.journal import Run
from bulkzcrm.model import Status
from bulkzcrm.report import Summary
from bulkzcrm.run.options import RunOptions, command_line

__all__ = ["NextStep", "mending_step", "next_steps", "repeated_rows", "resume_words"]


@dataclass(frozen=True, slots=True)
class NextStep:
    """What to do, as sentences, and the command that is typed then."""

    says: str
    command: str


def resume_words(run: str, profile: str | None) -> list[str]:
    """Return the words of the command that carries on with a run."""
    return ["bulkzcrm", "resume", run, *_profile_words(profile)]


def repeated_rows(summary: Summary, failed: int) -> str:
    """Say of how many invalid rows `failed.csv`, with so many rows, tells nothing; blank for none."""
    counts = summary.counts
    repeated = counts.get(Status.INVALID, 0) + counts.get(Status.REJECTED, 0) - failed
    if not repeated:
        return ""
    return f"{counted(repeated, 'row')} repeating an earlier one: told in results.csv, and not in failed.csv."


def mending_step(run: Run, file: Path, failed: int, profile: str | None, *, of_the_source: bool = False) -> NextStep:
    """Say how the mended file is given back, with every option in force, inferred ones included.

    Those about the form of the source are repeated only for a file `of_the_source`'s form.
    """
    options = RunOptions.from_json(run.options)
    inferred = run.decisions.get("inferred")
    words = ["bulkzcrm", "run", run.operation, str(file)]
    words += options.arguments(of_the_source=of_the_source)
    for name, value in inferred.items() if isinstance(inferred, dict) else ():
        if getattr(options, str(name), None) is None:
            words += [f"--{str(name).replace('_', '-')}", str(value)]
    words += ["--sandbox"] if run.sandbox else []
    words += _profile_words(profile)
    if tuple(run.formats) != ("csv",):
        words += ["--format", ",".join(run.formats)]
    them = "it" if failed == 1 else "them"
    says = f"To mend: {counted(failed, 'row')} in {file.name}. Correct {them} there, then:"
    return NextStep(says, command_line(words))


def next_steps(run: Run, summary: Summary, file: Path, failed: int, profile: str | None) -> tuple[NextStep, ...]:
    """Return what to do, in the order in which it is best done; `file` holds the rows that failed."""
    steps: list[NextStep] = []
    if summary.resume is not None:
        steps.append(NextStep("To carry on with the rows that are left, once the cause is mended:", summary.resume))
    if failed:
        steps.append(mending_step(run, file, failed, profile))
    if summary.counts.get(Status.REJECTED, 0) and summary.resume is None:
        words = ["bulkzcrm", "retry", run.id, *_profile_words(profile)]
        steps.append(
            NextStep(
                "If the cause lay in the organisation, and is mended there, send the same rows once more:",
                command_line(words),
            )
        )
    return tuple(steps)


def _profile_words(profile: str | None) -> list[str]:
    return ["--profile", profile] if profile else []
