"""Draws what a run announces: a bar on a terminal, plain lines elsewhere, and every event in the log.

With `verbose` the log itself is what a person reads, event by event, instead of bar and lines.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, TextIO, assert_never, final

from bulkzcrm.cells import counted
from bulkzcrm.errors import OutputError
from bulkzcrm.events import (
    BatchAnswered,
    Begun,
    ColumnsMatched,
    Connected,
    Event,
    Noted,
    ReadBack,
    RecordsRead,
    RowsJudged,
    RowsRead,
    SendingEnded,
    SendingStarted,
    Waiting,
)
from bulkzcrm.logs import Verbosity, logger, logging_to
from bulkzcrm.pace import Pace, spoken_time
from bulkzcrm.redact import printable, scrub

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

__all__ = ["Voice"]

_BAR_AND_GAPS = 18
"""Columns of a terminal that the shortest bar takes, and what stands between it and words."""
_LINE_EVERY_S = 5.0
"""Not on a terminal, progress is a line now and then, so that logs of scheduled runs stay short."""


@final
class Voice:
    """Tells a person how a run goes, on `stream` (standard error by default).

    A command that sends nothing `has_log` not: no run of its own begins, and so no log.
    """

    def __init__(self, *, quiet: bool, verbose: bool, stream: TextIO | None = None, has_log: bool = True) -> None:
        self._stream = stream or sys.stderr
        self._quiet = quiet
        # Warnings are told by `say`; the log repeats them on the terminal only for those who want all of it.
        self._verbosity = Verbosity.VERBOSE if verbose and not quiet else Verbosity.QUIET
        self._verbose = verbose
        self._progress: Progress | None = None
        self._bar: TaskID | None = None
        self._files = ExitStack()
        # Where nobody reads it, the log is not even imported: that takes its time.
        self._log = logger() if has_log or self._verbosity is Verbosity.VERBOSE else None
        self._run = ""
        self._in_doubt = 0
        self._total = 0
        self._done = 0
        self._counted = ""
        self._pace = Pace(time.monotonic())
        self._said_at = time.monotonic()

    @contextmanager
    def speaking(self) -> Iterator[Voice]:
        """Draw while inside; on a terminal with a bar."""
        with logging_to(None, verbosity=self._verbosity, stream=self._stream), self._files:
            if not self._quiet and not self._verbose and self._stream.isatty():
                from rich.console import Console  # noqa: PLC0415 - only where there is a terminal
                from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415 - the same

                self._progress = Progress(
                    TextColumn("{task.description:<10}"),
                    BarColumn(),
                    MofNCompleteColumn(),
                    TextColumn("{task.fields[told]}"),
                    console=Console(file=self._stream),
                )
                with self._progress:
                    yield self
            else:
                yield self

    def pause(self) -> None:
        """Take the bar away, so that a question can be asked."""
        if self._progress is not None:
            self._progress.stop()

    def go_on(self) -> None:
        """Show the bar again."""
        if self._progress is not None:
            self._progress.start()

    def say(self, text: str, *, even_if_quiet: bool = False) -> None:
        """Tell a sentence."""
        if self._quiet and not even_if_quiet:
            return
        text = printable(scrub(text))
        if self._progress is not None:
            self._progress.console.print(text, markup=False, highlight=False, soft_wrap=True)
            return
        # A terminal that has gone is no reason to stop.
        with suppress(OSError):
            self._stream.write(text + "\n")
            self._stream.flush()

    def __call__(self, event: Event) -> None:
        """Take an event of a run."""
        match event:
            case Begun():
                self._begin(event)
            case ColumnsMatched():
                self._note("columns", mapping=dict(event.mapping), ignored=list(event.ignored))
            case RowsRead():
                self._count("reading", event.rows, final=event.final)
            case Connected():
                self._note("connected", organisation=event.organisation, edition=event.edition)
                self.say(f"Organisation: {event.organisation} ({event.organisation_id})")
            case RecordsRead():
                self._count(f"reading {event.what}", event.records, of="record")
            case RowsJudged():
                self._count("judging", event.rows, final=event.final)
            case SendingStarted():
                self._note("sending", rows=event.rows, ceiling=event.ceiling)
                self._total, self._done = event.rows + self._in_doubt, 0
                self._pace = Pace(time.monotonic())
            case BatchAnswered():
                self._batch(event)
            case ReadBack():
                self._note("read back", found=event.found, absent=event.absent, ambiguous=event.ambiguous)
                self._sent(self._done + event.found + event.ambiguous)
            case SendingEnded():
                self._note("sending ended", left=event.left)
                self._sent(self._total - event.left, is_last=True)
            case Waiting():
                self._note("waiting", seconds=round(event.seconds, 2), reason=event.reason)
                if event.seconds >= 1:
                    self.say(f"Waiting {event.seconds:.0f} s: {event.reason}")
            case Noted():
                self._note("note", level=logging.WARNING if event.warning else logging.INFO, text=event.text)
                if not self._verbose or self._quiet:
                    kind = "Warning" if event.warning else "Note"
                    self.say(f"{kind}: {event.text}", even_if_quiet=event.warning)
            case _:
                assert_never(event)

    def _note(self, event: str, *, level: int = logging.INFO, **facts: object) -> None:
        """Write an event to the log, where there is one."""
        if self._log is not None:
            self._log.log(level, event, **facts)

    def _begin(self, event: Begun) -> None:
        self._in_doubt = event.in_doubt
        if event.run == self._run:
            return
        self._run = event.run
        self._counted = ""
        self._files.close()
        try:
            log = logging_to(event.folder / "run.log", verbosity=self._verbosity, stream=self._stream)
            self._files.enter_context(log)
        except OutputError as error:
            # Rows are worth more than a log of them.
            self.say(f"Warning: {error.message} The run goes on without it.", even_if_quiet=True)
        self._note("begun", run=event.run)

    def _batch(self, event: BatchAnswered) -> None:
        self._note(
            "batch answered",
            batch=event.batch,
            rows=event.rows,
            succeeded=event.succeeded,
            rejected=event.rejected,
            unknown=event.unknown,
            status=event.status,
            seconds=round(event.seconds, 3),
            in_flight=event.in_flight,
            limit=event.limit,
        )
        # An answer like any other is not worth a word.
        status = "" if event.status in (200, 201, 202) else f", HTTP {event.status}"
        told = (
            f"batch {event.batch:,}{status}, {event.in_flight} of {event.limit} requests at once, "
            f"{counted(event.credits, 'credit')}"
        )
        # A row without a verdict is not done: it is read back, or sent again.
        self._sent(self._done + event.succeeded + event.rejected, told=told)

    def _sent(self, rows: int, *, is_last: bool = False, told: str = "") -> None:
        """Draw how many rows have their verdict."""
        self._done = max(0, min(rows, self._total))
        self._pace.count(self._done, time.monotonic())
        final = is_last or self._done == self._total
        self._count("sending", self._done, final=final, total=self._total, told=told)

    def _speed(self, told: str) -> str:
        """Return how quickly it goes, and how long it will take, where that can be told."""
        rate, left = self._pace.rate, self._pace.left_s(self._total - self._done)
        if rate is None or left is None:
            return told
        shown = f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"
        return f"{shown} rows/s, about {spoken_time(left)} left; {told}"

    def _count(
        self, what: str, rows: int, *, final: bool = False, total: int | None = None, told: str = "", of: str = "row"
    ) -> None:
        if self._progress is not None:
            if self._bar is None:
                self._bar = self._progress.add_task(what, total=total, told="")
            whole = rows if final and total is None else total
            taken = len(what) + 2 * len(str(total)) + _BAR_AND_GAPS
            shown = _that_fits(self._speed(told), self._progress.console.width - taken) if told else ""
            self._progress.update(self._bar, description=what, completed=rows, total=whole, told=shown)
            return
        now = time.monotonic()
        line = f"{what}: " + (counted(rows, of) if total is None else f"{rows:,} of {counted(total, of)}")
        if (final or now - self._said_at >= _LINE_EVERY_S) and line != self._counted:
            self._said_at, self._counted = now, line
            self.say(f"{line}; {self._speed(told)}" if told and not final else line)


def _that_fits(told: str, room: int) -> str:
    """Return as many of the parts as there is room for: a row's count is worth more than they are."""
    while len(told) > room:
        told = told[: max(0, told.rfind(", "), told.rfind("; "))]
        if not told:
            break
    return told
