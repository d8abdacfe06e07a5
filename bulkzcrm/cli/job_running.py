"""`run --job`: all sources of a job are taken in before its first write, then its steps are sent in order."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from bulkzcrm.cli.finishing import finish_job
from bulkzcrm.cli.next_steps import mending_commands, resume_words
from bulkzcrm.cli.options import formats_of, given_options, merged_options
from bulkzcrm.cli.results import Going
from bulkzcrm.cli.session import SANDBOX_FILE, Session
from bulkzcrm.errors import BulkzcrmError, OutputError, RefusedError
from bulkzcrm.jobs import Job, load_job
from bulkzcrm.journal import Journal
from bulkzcrm.model import Json
from bulkzcrm.run.engine import begin
from bulkzcrm.run.job_ending import JobEnding
from bulkzcrm.run.options import command_line
from bulkzcrm.run.run_id import new_run_id
from bulkzcrm.run.sources import origin_of
from bulkzcrm.run.steps import carry_on_steps, ready
from bulkzcrm.run.surroundings import Surroundings
from bulkzcrm.spec.operations import OPERATIONS

__all__ = ["run_job"]


def run_job(file: Path, given: Mapping[str, Any], *, as_json: bool, quiet: bool, verbose: bool) -> None:
    """Run a job; what the command line gives beats what the job file says."""

    async def work(session: Session) -> JobEnding:
        job = load_job(file)
        session.yes = session.yes or job.yes
        if job.schedule is not None:
            session.voice.say("Note: nothing acts upon the job's schedule yet; have a scheduler run this command.")
        instance = new_run_id(session.without_organisation())
        folder = session.folder(given["output"] or job.output, instance)
        profile = given["profile"] or job.profile
        sandbox = folder / SANDBOX_FILE if given["sandbox"] else None
        unique = given["unique_field"] or _unique_field(job)
        async with session.organisation(profile, sandbox=sandbox, unique_field=unique) as around:
            with Journal.open(session.home) as journal:
                runs = await _begin_all(journal, job, instance, folder, given, around)
                session.going = Going(runs[0], command_line(resume_words(runs[0], profile)))
                ending = await carry_on_steps(
                    journal,
                    job.name,
                    runs,
                    around,
                    goes_on_after_failed_rows=job.goes_on_after_failed_rows,
                    resume=lambda run_id: command_line(resume_words(run_id, profile)),
                )
                mending_commands(session.voice, journal, runs, ending, profile)
                return ending

    finish_job(work, operation="", as_json=as_json, quiet=quiet, verbose=verbose, yes=given["yes"], job=file.stem)


def _unique_field(job: Job) -> str | None:
    """Return the unique field that a sandbox for all steps has: the first that one of them names."""
    return next((step.options.unique_field for step in job.steps if step.options.unique_field), None)


async def _begin_all(
    journal: Journal, job: Job, instance: str, folder: Path, given: Mapping[str, Any], around: Surroundings
) -> list[str]:
    """Take in the sources of all steps; if one is refused, nothing is left of any."""
    context: dict[str, Json] = {
        "profile": given["profile"] or job.profile,
        "yes": bool(given["yes"] or job.yes),
        "job": {
            "name": job.name,
            "file": str(job.file),
            "goes_on_after_failed_rows": job.goes_on_after_failed_rows,
        },
    }
    runs: list[str] = []
    formats = formats_of(given["formats"], job.formats)
    try:
        for number, step in enumerate(job.steps, start=1):
            options = merged_options(step.options, given_options(given))
            run_id = f"{instance}-{number}"
            await begin(
                journal,
                origin_of(str(step.source), options),
                OPERATIONS[step.operation],
                options,
                around,
                run=run_id,
                folder=folder / f"{number}-{step.operation}",
                formats=formats,
                context=context,
                job_id=instance,
                step=number,
            )
            runs.append(run_id)
        ready(journal, runs)
    except BulkzcrmError as error:
        # On a full disk not even that goes; what is left is then a job that can only be begun anew.
        with suppress(OutputError):
            for run_id in runs:
                journal.drop_run(run_id, journal.run(run_id).epoch)
        if isinstance(error, OutputError):
            raise RefusedError(error.message, "Nothing was sent. Mend that and begin again.") from error
        raise
    return runs
