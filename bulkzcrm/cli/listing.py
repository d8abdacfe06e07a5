"""`runs`: what was done, and the old of it deleted."""

from __future__ import annotations

import json
import os
from typing import Any

import click

from bulkzcrm.cli.one_line import in_a_line
from bulkzcrm.cli.speaking import tell
from bulkzcrm.config import home
from bulkzcrm.journal import Journal, reported_counts
from bulkzcrm.run.reporting import state_of

__all__ = ["runs"]


@click.group(
    epilog="Examples: bulkzcrm runs --limit 5 | bulkzcrm runs prune --older-than 90d", invoke_without_command=True
)
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=20, show_default=True, help="How many at most.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")
@click.pass_context
def runs(context: click.Context, *, limit: int, as_json: bool) -> None:
    """List the runs, newest first: state, operation, source, organisation, and how the rows ended."""
    if context.invoked_subcommand is not None:
        if any(context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE for name in context.params):
            raise click.UsageError(f"Write the options behind {context.invoked_subcommand}.")
        return
    with Journal.open(home(os.environ)) as journal:
        found = [(run, reported_counts(journal.count_by_status(run.id))) for run in journal.runs(limit=limit)]
    told = [
        {
            "run": run.id,
            "state": state_of(run).value,
            "operation": run.operation,
            "source": run.source,
            "organisation": run.organisation,
            "sandbox": run.sandbox,
            "rows": sum(counts.values()),
            **{status.value: count for status, count in counts.items()},
        }
        for run, counts in found
    ]
    if as_json:
        tell(json.dumps({"runs": told}))
        return
    if not told:
        tell("There are no runs yet.")
    for run, counts in found:
        ended = ", ".join(f"{count:,} {status.value}" for status, count in counts.items() if count) or "no rows"
        tell(f"{in_a_line(run)}: {ended}")


@runs.command(epilog="Example: bulkzcrm runs prune --older-than 90d --dry-run")
@click.option(
    "--older-than",
    "age",
    default="90d",
    show_default=True,
    metavar="AGE",
    help="Runs that nobody has worked on for so long: 90d, 12w; at least 2d.",
)
@click.option("--keep", type=click.IntRange(min=0), default=0, metavar="N", help="Keep the N newest runs in any case.")
@click.option("--dry-run", is_flag=True, help="Show what would be deleted, and delete nothing.")
@click.option("--yes", "-y", is_flag=True, help="Delete without being asked.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")
@click.option("--quiet", "-q", is_flag=True, help="Say only what went wrong.")
def prune(**given: Any) -> None:
    """Delete old runs from the journal, and give the disk back what they took; reports and other files stay.

    A run stays that can be resumed or is being worked on, and what belongs to it. That the content of a create was sent
    is remembered, so that sending it again is still refused without --again.
    """
    from bulkzcrm.cli.pruning import prune_runs  # noqa: PLC0415 - most who ask for the runs delete none

    prune_runs(**given)
