"""Files that appear whole or not at all: written aside in the same folder, made durable, then renamed."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias

from bulkzcrm.errors import OutputError

__all__ = ["WRITTEN_AGAIN", "Placed", "Replace", "write_whole"]

WRITTEN_AGAIN = ", then have the report written again; that sends nothing."
"""How the cure for a file that could not be written ends, where the command for that is not known."""

Replace: TypeAlias = Callable[[Path, Path], None]
"""Renames the first path to the second, over a file that may be there, at one stroke."""

_DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_NO_FOLDER = {errno.ENOTDIR, errno.EEXIST}
_MOST_NAMES_BESIDE = 99


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a file went (an absolute path), and a sentence for the user when that is not where it was meant to go."""

    path: Path
    note: str = ""


def write_whole(folder: Path, name: str, write: Callable[[BinaryIO], None], *, replace: Replace = os.replace) -> Placed:
    """Have `write` fill a file of that name in the folder, which is made if need be.

    An older file of that name is replaced. Whatever goes wrong in `write`, the older file stays as it is and no part
    of the new one is left. A file that cannot be replaced because another program holds it open is left alone, and
    the new one is put beside it under a free name. Raises `OutputError` when the folder or the file cannot be
    written; an `OSError` of `write` counts as such.
    """
    target = folder.absolute() / name
    aside = target.with_name(f".{name}.{secrets.token_hex(6)}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            _fill(aside, write)
            placed = _put_in_place(aside, target, replace)
        except BaseException:
            with suppress(OSError):
                aside.unlink(missing_ok=True)
            raise
        _make_name_durable(target.parent)
    except OSError as error:
        raise _output_error(target, error) from error
    return placed


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


def _make_name_durable(folder: Path) -> None:
    """Make the rename survive a power cut, where the system offers that."""
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
