"""One command's work from its words to its exit status: signals, the organisation or a sandbox, and the question."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import anyio
import click

from bulkzcrm.cells import counted
from bulkzcrm.cli.results import Going
from bulkzcrm.clock import Clock, system_clock
from bulkzcrm.config import Connection, home, load_connection
from bulkzcrm.errors import BulkzcrmError, UsageError
from bulkzcrm.events import ColumnsMatched, Event, SendingStarted
from bulkzcrm.journal import Journal
from bulkzcrm.journal.place import FILE_NAME
from bulkzcrm.progress import Voice
from bulkzcrm.run.signals import InterruptedRunError, StopSignal
from bulkzcrm.run.surroundings import Preview, Surroundings

__all__ = ["SANDBOX_FILE", "Session", "at", "default_folder", "drive"]

_T = TypeVar("_T")

LOG_FILE = "run.log"

SANDBOX_FILE = "sandbox.sqlite3"
"""The state of an embedded sandbox, in the folder of its run."""

_CLOCKS: list[Clock] = []


def _clock_in_force() -> Clock:
    """Return the clock that commands go by: the machine's, unless `at` has set another."""
    return _CLOCKS[-1] if _CLOCKS else system_clock


@contextmanager
def at(clock: Clock) -> Iterator[None]:
    """Let commands believe another time, for rehearsals of a date to come."""
    _CLOCKS.append(clock)
    try:
        yield
    finally:
        _CLOCKS.pop()


def default_folder(run: str) -> Path:
    """Return where a run's files go when nobody says."""
    return Path("bulkzcrm-runs").absolute() / run


class Session:
    """What the commands that send have in common."""

    def __init__(self, voice: Voice, *, yes: bool, reads_standard_input: bool = False) -> None:
        self.home = home(os.environ)
        self.voice = voice
        self.clock = _clock_in_force()
        self.stop = StopSignal()
        self.yes = yes
        self.going: Going | None = None
        self.matched: ColumnsMatched | None = None
        self._reads_standard_input = reads_standard_input
        self._made: list[Path] = []

    def folder(self, given: str | Path | None, otherwise: str) -> Path:
        """Return the folder of a run's files: the one that was asked for, or one named after the run."""
        folder = Path(given).absolute() if given else default_folder(otherwise)
        if folder.is_file():
            raise UsageError(f"{folder} is a file, and a report takes a folder.", "Name another one with --output.")
        self._made += [each for each in (folder, folder.parent) if not each.exists()]
        return folder

    def forget_folders(self) -> None:
        """Remove what was put into new folders for runs of which nothing is left: a log, a sandbox, no report."""
        # What cannot be looked into cannot be tidied up either.
        with suppress(OSError):
            for folder in self._made:
                if folder.is_dir() and not self._belongs_to_a_run(folder):
                    _remove_traces(folder)

    def _belongs_to_a_run(self, folder: Path) -> bool:
        if not (self.home / FILE_NAME).exists():
            return False
        try:
            with Journal.open(self.home) as journal:
                newest = journal.runs(limit=20)
        except BulkzcrmError:
            return True  # better a folder too many than one too few
        return any(Path(run.output or run.id).is_relative_to(folder) for run in newest)

    def without_organisation(self) -> Surroundings:
        """Return the surroundings of a `check`."""
        return Surroundings(home=self.home, announce=self._hear, clock=self.clock, stop=self.stop)

    def _hear(self, event: Event) -> None:
        if isinstance(event, SendingStarted):
            # What was read of the organisation stays, too; to look through it all would hold up every request.
            gc.freeze()
        if isinstance(event, ColumnsMatched):
            self.matched = event
        self.voice(event)

    @contextmanager
    def column_words(self, *, map_file: str | None, save_map: str | None) -> Iterator[None]:
        """Refuse a `save_map` that may not be written, then have errors inside name the `map_file`."""
        from bulkzcrm.cli.map_files import naming_map_file, refuse_other_file  # noqa: PLC0415 - seldom wanted

        if save_map is not None:
            refuse_other_file(save_map)
        with naming_map_file(map_file):
            yield

    def save_map(self, path: str | None) -> None:
        """Write how the columns were matched into a file, where one was asked for. Raises `OutputError`."""
        if path is None or self.matched is None:
            return
        from bulkzcrm.cli.map_files import write_map_file  # noqa: PLC0415 - seldom wanted

        write_map_file(path, self.matched)
        self.voice.say(f"Note: how the columns were matched is kept in {path}; use it with --map-file.")

    @asynccontextmanager
    async def organisation(
        self, profile: str | None, *, sandbox: Path | None, unique_field: str | None = None
    ) -> AsyncIterator[Surroundings]:
        """Connect to the organisation that a profile or the environment names, or to a sandbox kept in a file.

        The sandbox has the unique field of that name.
        """
        around = self.without_organisation()
        if sandbox is None:
            connection = load_connection(profile=profile, environ=os.environ, home=self.home)
            for note in connection.notes:
                self.voice.say(f"Warning: {note}", even_if_quiet=True)
            yield replace(around, connection=connection, confirm=self._confirm, profile=profile)
            return
        async with self._sandbox(sandbox, unique_field) as connection:
            yield replace(around, connection=connection, sandbox=True, sandbox_state=sandbox, profile=profile)

    @asynccontextmanager
    async def _sandbox(self, state: Path, unique_field: str | None) -> AsyncIterator[Connection]:
        from bulkzcrm.sandbox import (  # noqa: PLC0415 - a server is needed by rehearsals only
            Sandbox,
            SandboxError,
            SandboxOptions,
        )

        try:
            state.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(
                f"The folder {state.parent} cannot be made: {error.strerror or error}.",
                "Name one that you may write to with --output.",
            ) from error
        # The sandbox's tokens are of no use to anybody else, so they are not kept with the real ones.
        try:
            apart = tempfile.TemporaryDirectory(prefix="bulkzcrm-")
        except OSError as error:
            raise UsageError(
                f"The folder for temporary files cannot be written: {error.strerror or error}.",
                "Make room there, or name another one in TMPDIR.",
            ) from error
        with apart as scratch:
            try:
                async with Sandbox(
                    state, options=SandboxOptions(unique_field=unique_field), clock=self.clock
                ) as sandbox:
                    yield load_connection(profile=None, environ=sandbox.environment(), home=Path(scratch))
            except SandboxError as error:
                other = "" if unique_field is None else " or another --unique-field"
                cure = f"Look at {state.parent}, or name another folder with --output{other}."
                raise UsageError(str(error), cure) from error

    def _confirm(self, preview: Preview) -> None:
        """Show what is about to be written where, and ask. Raises `UsageError` when the answer is no."""
        kind = f", {preview.organisation_type}" if preview.organisation_type else ""
        self.voice.say(
            f"{preview.operation}: {counted(preview.to_send, 'row')} in {counted(preview.batches, 'batch')} to "
            f"{preview.organisation} ({preview.organisation_id}{kind}), about {counted(preview.credits, 'credit')}; "
            f"{preview.unchanged:,} unchanged, {preview.invalid:,} invalid.",
            even_if_quiet=not self.yes,
        )
        if not preview.triggers:
            self.voice.say("Workflows are asked not to run; the vendor does not confirm that for services.")
        if self.yes:
            return
        if self._reads_standard_input or not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise UsageError(
                "Nothing was sent: nobody can be asked for permission here.", "Add --yes to send without being asked."
            )
        self.voice.pause()
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            agreed = click.confirm("Send them?", err=True)
        except (click.Abort, KeyboardInterrupt) as interrupt:
            raise InterruptedRunError from interrupt
        finally:
            signal.signal(signal.SIGINT, before)
            self.voice.go_on()
        if not agreed:
            raise UsageError("Nothing was sent.", "Run the command again when you are ready.")


def _remove_traces(folder: Path) -> None:
    """Remove logs and sandboxes from a folder, then the folder, unless anything else is in it."""
    for path in sorted(folder.rglob("*"), reverse=True):
        with suppress(OSError):
            if path.is_dir():
                path.rmdir()
            elif path.name == LOG_FILE or path.name.startswith(SANDBOX_FILE):
                path.unlink()
    with suppress(OSError):
        folder.rmdir()


def drive(session: Session, work: Callable[[], Awaitable[_T]]) -> _T:
    """Run asynchronous work to its end; SIGINT and SIGTERM ask it to stop, a second time to stop at once."""

    async def with_signals() -> _T:
        with _signals(session):
            return await work()

    return anyio.run(with_signals)


@contextmanager
def _signals(session: Session) -> Iterator[None]:
    loop = asyncio.get_running_loop()

    def asked() -> None:
        first = not session.stop.requested
        session.stop.again()
        if first:
            session.voice.say("Stopping: what is in flight is finished first; once more ends at once.")

    with ExitStack() as handlers:
        for name in (signal.SIGINT, signal.SIGTERM):
            try:
                loop.add_signal_handler(name, asked)
                handlers.callback(loop.remove_signal_handler, name)
            except (NotImplementedError, RuntimeError, ValueError):
                # Windows' loop knows no such handlers, and only the main thread may set any.
                if threading.current_thread() is threading.main_thread():
                    before = signal.signal(name, lambda *_: loop.call_soon_threadsafe(asked))
                    handlers.callback(signal.signal, name, before)
        yield
