"""A disk that fails when a test says so: under the journal statement by statement, under report files call by call.

A fault strikes the n-th time that something would change on the disk, once or until `mend`. What was written before it
is really there, as after a real fault: the file under a failing journal is a real one.
"""

from __future__ import annotations

import errno
import io
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from bulkzcrm.journal import Journal
from bulkzcrm.journal.database import Database
from bulkzcrm.journal.opening import open_again, open_file

_IO_WRITE = sqlite3.SQLITE_IOERR | (3 << 8)
_IO_READ = sqlite3.SQLITE_IOERR | (1 << 8)
_IO_FOLDER = sqlite3.SQLITE_IOERR | (5 << 8)
"""SQLite's name for a folder that could not be made durable: what was committed stands, though the call has failed."""

_READING = ("SELECT", "PRAGMA")
_UNDOING = "ROLLBACK"
"""Ends the transaction whatever has become of the disk."""
_BEGINNING = ("BEGIN", "SAVEPOINT")
"""What has failed of these has not begun, whatever the fault."""


class Fault(StrEnum):
    """What the disk under the journal does."""

    FULL = "the disk is full, and the transaction stays open"
    FULL_AND_UNDONE = "the disk is full, and SQLite undoes the whole transaction by itself"
    REFUSES = "an I/O error, and nothing of the statement is done"
    REFUSES_AFTER_THE_DEED = "an I/O error that is told after the statement was done, a commit included"
    READ_ONLY = "the file may not be written any more"
    DEAD = "neither reading nor writing goes"


_CODES = {
    Fault.FULL: sqlite3.SQLITE_FULL,
    Fault.FULL_AND_UNDONE: sqlite3.SQLITE_FULL,
    Fault.REFUSES: _IO_WRITE,
    Fault.REFUSES_AFTER_THE_DEED: _IO_FOLDER,
    Fault.READ_ONLY: sqlite3.SQLITE_READONLY,
    Fault.DEAD: _IO_READ,
}


@dataclass
class JournalDisk:
    """The disk under the journal. It fails at the `at`-th statement that changes something; 0: never."""

    fault: Fault = Fault.FULL
    at: int = 0
    lasting: bool = True
    count: int = field(default=0, init=False)
    struck: list[str] = field(default_factory=list, init=False)
    """The statements that it has refused."""
    _alone: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def mend(self) -> None:
        """Let everything pass from now on."""
        self.at = 0

    def strikes(self, sql: str) -> bool:
        """Whether this statement is to fail; then it is remembered. Several threads may ask at a time."""
        if sql == _UNDOING:
            return False
        with self._alone:
            fails = self._fails(is_change=not sql.startswith(_READING))
            if fails:
                self.struck.append(sql)
            return fails

    def _fails(self, *, is_change: bool) -> bool:
        if not is_change:
            return self.fault is Fault.DEAD and self.lasting and bool(self.struck) and bool(self.at)
        self.count += 1
        return bool(self.at) and (self.count >= self.at if self.lasting else self.count == self.at)

    def error(self) -> sqlite3.OperationalError:
        """Return the error that SQLite would raise."""
        error = sqlite3.OperationalError(self.fault.value)
        error.sqlite_errorcode = _CODES[self.fault]
        return error


class _Connection:
    """As much of a `sqlite3.Connection` as a `Database` uses, on a disk that may fail."""

    def __init__(self, connection: sqlite3.Connection, disk: JournalDisk) -> None:
        self._connection = connection
        self._disk = disk

    def __setattr__(self, name: str, value: object) -> None:
        if name == "row_factory":
            self._connection.row_factory = sqlite3.Row
        else:
            object.__setattr__(self, name, value)

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def execute(self, sql: str, parameters: Any = ()) -> sqlite3.Cursor:
        return self._passing(sql, lambda: self._connection.execute(sql, parameters))

    def executemany(self, sql: str, parameters: Any) -> sqlite3.Cursor:
        return self._passing(sql, lambda: self._connection.executemany(sql, parameters))

    def close(self) -> None:
        self._connection.close()

    def _passing(self, sql: str, work: Any) -> sqlite3.Cursor:
        if not self._disk.strikes(sql):
            return work()
        if self._disk.fault is Fault.REFUSES_AFTER_THE_DEED and not sql.startswith(_BEGINNING):
            work().fetchall()
        if self._disk.fault is Fault.FULL_AND_UNDONE and self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        raise self._disk.error()


class _FailingJournal(Journal):
    """A journal on a disk that may fail, all its connections with it."""

    def __init__(self, connection: sqlite3.Connection, path: Path, disk: JournalDisk) -> None:
        failing: Any = _Connection(connection, disk)
        super().__init__(Database(failing, str(path)), path, lambda: time.time_ns() // 1_000_000)
        self._disk = disk

    def beside(self) -> _FailingJournal:
        assert self.path is not None
        return _FailingJournal(open_again(self.path), self.path, self._disk)


def journal_on(disk: JournalDisk, home: Path) -> Journal:
    """Open the journal in a folder; from then on it lies on that disk."""
    connection, path = open_file(home, time.time_ns() // 1_000_000)
    return _FailingJournal(connection, path, disk)


# -- files of the report


@dataclass
class FileDisk:
    """The disk under a folder's files. The `at`-th opening, write, fsync or renaming fails with `number`; 0: none does.

    A write that fails has written half of what it was given, as a disk that fills up does.
    """

    folder: Path
    number: int = errno.ENOSPC
    at: int = 0
    lasting: bool = True
    count: int = field(default=0, init=False)
    struck: list[str] = field(default_factory=list, init=False)

    def mend(self) -> None:
        """Let everything pass from now on."""
        self.at = 0

    def use(self, what: str) -> None:
        """Count one use of the disk. Raises OSError where it is to fail."""
        self.count += 1
        if self.at and (self.count >= self.at if self.lasting else self.count == self.at):
            self.struck.append(what)
            raise OSError(self.number, os.strerror(self.number))

    def holds(self, path: object) -> bool:
        """Whether a path (or a name) lies on this disk."""
        return isinstance(path, str | os.PathLike) and Path(os.fspath(path)).is_relative_to(self.folder)


class _File(io.FileIO):
    """A file on a disk that may fail."""

    def __init__(self, path: Path, mode: str, disk: FileDisk) -> None:
        self._disk = disk
        super().__init__(path, mode)

    def write(self, data: Any) -> int:
        try:
            self._disk.use("write")
        except OSError:
            super().write(memoryview(data)[: len(data) // 2])
            raise
        return super().write(data)


_FAILING: list[FileDisk] = []
_LISTENING: list[bool] = []


def _audit(event: str, arguments: Sequence[object]) -> None:
    """Let renaming fail: Python asks here before it does so, whoever has bound `os.replace` under whatever name."""
    if event == "os.rename":
        for disk in _FAILING:
            if disk.holds(arguments[1]):
                disk.use("rename")


@contextmanager
def files_on(disk: FileDisk) -> Iterator[FileDisk]:
    """Put the files that are newly made in `disk.folder` on that disk."""
    if not _LISTENING:
        sys.addaudithook(_audit)  # never taken away again; it costs nothing while no disk fails
        _LISTENING.append(True)
    fsync, opening = os.fsync, Path.open

    def failing_fsync(descriptor: int) -> None:
        disk.use("fsync")
        fsync(descriptor)

    def failing_open(path: Path, mode: str = "r", *arguments: Any, **named: Any) -> Any:
        if mode != "xb" or not disk.holds(path):
            return opening(path, mode, *arguments, **named)
        disk.use("open")
        return io.BufferedWriter(_File(path, mode, disk))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", failing_fsync)
        patch.setattr(Path, "open", failing_open)
        _FAILING.append(disk)
        try:
            yield disk
        finally:
            _FAILING.remove(disk)


# -- a disk that is really full


class SmallDisk:
    """A file system of its own, mounted on `folder`, that a test can fill up."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self, *, leaving: int) -> None:
        """Fill it up to so many kilobytes."""
        self.free()
        left = os.statvfs(self.folder)
        size = left.f_bavail * left.f_frsize - leaving * 1024
        if size > 0:
            self._ballast.write_bytes(bytes(size))

    def free(self) -> None:
        """Make room."""
        self._ballast.unlink(missing_ok=True)


@contextmanager
def small_disk(folder: Path, *, kilobytes: int = 8192) -> Iterator[SmallDisk]:
    """Mount a small file system in memory on a folder; where that is not allowed, the test is skipped."""
    mount = shutil.which("mount")
    if mount is None or sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk, on Linux")
    folder.mkdir(parents=True, exist_ok=True)
    size = f"size={kilobytes}k,mode=700"
    if subprocess.run([mount, "-t", "tmpfs", "-o", size, "tmpfs", folder], check=False, capture_output=True).returncode:  # noqa: S603 - a program of the system
        pytest.skip("a small disk may not be mounted here")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "-l", folder], check=False)  # noqa: S603, S607 - the same
