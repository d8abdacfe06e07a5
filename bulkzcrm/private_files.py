"""Files that hold secrets: readable by their owner alone from birth, and whole or not there at all."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import final

__all__ = ["FileLock", "others_can_read", "private_folder", "write_private"]

_OTHERS = 0o077
_POLL_S = 0.02


def private_folder(folder: Path) -> None:
    """Make a folder that is its owner's alone; one that is there already stays as it is."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def write_private(path: Path, content: bytes) -> None:
    """Replace a file's content in one step, mode 0600; the folder is made if need be. Raises OSError."""
    private_folder(path.parent)
    # mkstemp makes the file 0600 and under a name that nobody had, so no link can be waiting there.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    aside = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        aside.replace(path)
    except BaseException:
        with suppress(OSError):
            aside.unlink()
        raise


def others_can_read(path: Path) -> bool:
    """Tell whether other users may read a file; never on Windows, where the folder decides. Raises OSError."""
    return sys.platform != "win32" and bool(path.stat().st_mode & _OTHERS)


@final
class FileLock:
    """An advisory lock that several processes share; the system gives it back when its holder dies."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def opened(self) -> Iterator[int]:
        """Open the lock's file for `try_lock`; leaving gives the lock back. Raises OSError."""
        private_folder(self._path.parent)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            yield descriptor
        finally:
            # Closing gives it back on every platform.
            os.close(descriptor)

    @contextmanager
    def held(self, patience_s: float) -> Iterator[bool]:
        """Wait for the lock, for so many seconds at most; tell whether we have it while inside. Raises OSError."""
        with self.opened() as descriptor:
            until = time.monotonic() + patience_s
            while not (mine := self.try_lock(descriptor)) and time.monotonic() < until:
                time.sleep(_POLL_S)
            yield mine

    @staticmethod
    def try_lock(descriptor: int) -> bool:
        """Take the lock if nobody has it, without waiting; tell whether we have it now."""
        try:
            if sys.platform == "win32":
                import msvcrt  # noqa: PLC0415 - there only on Windows

                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            else:
                import fcntl  # noqa: PLC0415 - not there on Windows

                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
