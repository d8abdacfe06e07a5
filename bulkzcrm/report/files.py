"""Files that appear whole or not at all: written aside in the same folder, made durable, then renamed."""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO, TypeAlias, final

from bulkzcrm.errors import OutputError
from bulkzcrm.owners import dead, owner_name

__all__ = ["WRITTEN_AGAIN", "Aside", "Placed", "Replace", "delete_leftovers", "make_names_durable", "write_aside"]

WRITTEN_AGAIN = ", then have the report written again; that sends nothing."
"""How the cure for a file that could not be written ends, where the command for that is not known."""

Replace: TypeAlias = Callable[[Path, Path], None]
"""Renames the first path to the second, over a file that may be there, at one stroke."""

_DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_NO_FOLDER = {errno.ENOTDIR, errno.EEXIST}
_MOST_NAMES_BESIDE = 99

_ASIDE = re.compile(
    r"\.(?:results|failed|summary)(?: \(\d+\))?\.(?:csv|xlsx|xlsm|jsonl|json|html)"
    r"\.(?:(?P<owner>[^/]*~\d+~[0-9a-f]{8})\.)?[0-9a-f]{12}\.part"
)
"""What `write_aside` calls the files of a report; earlier versions did not say whose they are."""
_NOBODY_WRITES_SO_LONG_S = 24 * 3600


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a file went (an absolute path), and a sentence for the user when that is not where it was meant to go."""

    path: Path
    note: str = ""


@dataclass(frozen=True, slots=True)
class Aside:
    """A whole file that lies beside the place where it shall stand, and is on the disk already."""

    path: Path
    target: Path

    def put_in_place(self, *, replace: Replace = os.replace, name: str | None = None) -> Placed:
        """Rename it to its own name, or to another one in that folder, over an older file that may be there.

        A file that cannot be replaced because another program holds it open is left alone, and this one is put beside
        it under a free name. Raises `OutputError`; nothing has then changed.
        """
        target = self.target.with_name(name or self.target.name)
        try:
            return _put_in_place(self.path, target, replace)
        except OSError as error:
            raise _output_error(target, error) from error

    def discard(self) -> None:
        """Delete it, unless it was put in its place."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)


def write_aside(folder: Path, name: str, write: Callable[[BinaryIO], None]) -> Aside:
    """Have `write` fill a file that can then be put in its place in the folder, which is made if need be.

    Whatever goes wrong in `write`, no part of it is left. Raises `OutputError` when the folder or the file cannot be
    written; an `OSError` of `write` counts as such.
    """
    target = folder.absolute() / name
    aside = Aside(target.with_name(f".{name}.{_owner(os.getpid())}.{secrets.token_hex(6)}.part"), target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _fill(aside.path, write)
    except BaseException as error:
        aside.discard()
        if isinstance(error, OSError):
            raise _output_error(target, error) from error
        raise
    return aside


@final
class Telling:
    """Passes on what is written, and tells by itself when that fails: of several files that are written at once."""

    def __init__(self, stream: BinaryIO, target: Path) -> None:
        self._stream = stream
        self._target = target

    def write(self, content: bytes) -> int:
        """Write to the file. Raises `OutputError`."""
        try:
            return self._stream.write(content)
        except OSError as error:
            raise _output_error(self._target, error) from error


def delete_leftovers(folder: Path, *, now: float | None = None) -> None:
    """Delete what processes that were killed have left of reports that they wrote aside; nothing else.

    Those of processes of which nobody can know whether they live are deleted after a day.
    """
    oldest = (time.time() if now is None else now) - _NOBODY_WRITES_SO_LONG_S
    # What cannot be tidied up does no harm to the report that is written now.
    with suppress(OSError):
        for path in list(folder.iterdir()):
            found = _ASIDE.fullmatch(path.name)
            if found is None:
                continue
            status = path.lstat()
            owner = (found["owner"] or "").replace("~", "/")
            if stat.S_ISREG(status.st_mode) and (dead(owner) or status.st_mtime < oldest):
                path.unlink(missing_ok=True)


@cache
def _owner(_pid: int) -> str:
    """Return a name for this process that `delete_leftovers` understands."""
    return owner_name().replace("/", "~")


def _fill(aside: Path, write: Callable[[BinaryIO], None]) -> None:
    stream = aside.open("xb")
    try:
        write(stream)
        stream.flush()
        os.fsync(stream.fileno())
    except BaseException:
        # Closing flushes once more; on a full disk that fails again and would hide the first error.
        with suppress(OSError):
            stream.close()
        raise
    stream.close()


def _put_in_place(aside: Path, target: Path, replace: Replace) -> Placed:
    try:
        replace(aside, target)
    except (PermissionError, IsADirectoryError) as error:
        return _put_beside(aside, target, replace, error)
    return Placed(target)


def _put_beside(aside: Path, target: Path, replace: Replace, first: OSError) -> Placed:
    for number in range(2, _MOST_NAMES_BESIDE + 1):
        beside = target.with_name(f"{target.stem} ({number}){target.suffix}")
        if beside.exists():
            continue
        # A free name that is refused as well is no open file: the folder itself is the obstacle.
        replace(aside, beside)
        note = f"{target.name} could not be replaced; it may be open in another program. The new one is {beside.name}."
        return Placed(beside, note)
    raise first


def make_names_durable(folder: Path) -> None:
    """Make renamings in a folder survive a power cut, where the system offers that."""
    if os.name != "posix":
        return
    # Some network file systems refuse this; the file's content is durable all the same.
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _output_error(target: Path, error: OSError) -> OutputError:
    if error.errno in _DISK_FULL:
        return OutputError(f"{target} cannot be written because the disk is full.", f"Make room on it{WRITTEN_AGAIN}")
    if error.errno in _FORBIDDEN:
        return OutputError(
            f"{target} cannot be written because this user may not write in that folder.",
            f"Get the right to write there or choose another folder with --output{WRITTEN_AGAIN}",
        )
    if error.errno in _NO_FOLDER:
        return OutputError(
            f"{target} cannot be written because part of its path is a file and not a folder.",
            f"Rename that file or choose another folder with --output{WRITTEN_AGAIN}",
        )
    reason = error.strerror or type(error).__name__
    return OutputError(
        f"{target} cannot be written; the system says: {reason}.",
        f"Mend that or choose another folder with --output{WRITTEN_AGAIN}",
    )
