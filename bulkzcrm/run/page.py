"""What the HTML report tells of a run besides its rows, put together from the journal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bulkzcrm.journal import JournalReader, Run
from bulkzcrm.report import Prepared, RowSource, Summary
from bulkzcrm.run.next_steps import next_steps, repeated_rows
from bulkzcrm.run.options import RunOptions, command_line
from bulkzcrm.spec.operations import OPERATIONS
from bulkzcrm.traffic import Second

__all__ = ["add_page"]

_PAGE = 1_000


def add_page(
    prepared: Prepared,
    journal: JournalReader,
    run: Run,
    rows: RowSource,
    summary: Summary,
    *,
    failed: int,
    failed_name: str,
    profile: str | None,
    mask: bool,
) -> None:
    """Write the page aside, of a run whose other files are written; `failed` rows are in the file of that name."""
    from bulkzcrm.report.html_report import Facts, write_html  # noqa: PLC0415 - seldom wanted
    from bulkzcrm.report.timeline import timeline  # noqa: PLC0415 - the same

    folder = prepared.folder.absolute()
    is_check = summary.not_checked is not None
    facts = Facts(
        summary=summary.with_files({"results": folder / "results.csv"}),
        operation=OPERATIONS[run.operation].summary,
        source=run.source,
        sheet=run.sheet,
        sandbox=run.sandbox,
        begun_ms=run.created_ms,
        as_of_ms=run.updated_ms,
        steps=()
        if is_check
        else [(step.says, step.command) for step in next_steps(run, summary, folder / failed_name, failed, profile)],
        repeated=repeated_rows(summary, failed),
        again="" if is_check else _again(run, folder, mask=mask),
        timeline=timeline(_seconds(journal, run.id)),
        mask=mask,
    )
    prepared.add(
        "results_html",
        "results.html",
        lambda stream: write_html(stream, run.columns, rows, prepared.causes, facts),
    )


def _seconds(journal: JournalReader, run: str) -> Iterator[Second]:
    after_ms = -1
    while page := journal.traffic(run, after_ms, _PAGE):
        yield from page
        after_ms = page[-1].begin_ms


def _again(run: Run, folder: Path, *, mask: bool) -> str:
    """Return the command that writes this page again."""
    words = ["bulkzcrm", "report", run.id, "--format", "html"]
    words += ["--output", str(folder)] if folder != Path(run.output or run.id).absolute() else []
    words += ["--mask"] if mask and not RunOptions.from_json(run.options).mask else []
    return command_line(words)
