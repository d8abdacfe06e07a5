"""Where the journal lies: a file that only its owner may read, from birth, on a disk of this machine."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

from bulkzcrm.errors import JournalError

__all__ = ["FILE_NAME", "keep_private", "make_place", "network_file_system"]

FILE_NAME = "journal.sqlite3"

_MOUNTS = Path("/proc/self/mounts")
_NETWORK_KINDS = frozenset(
    {"afs", "ceph", "cifs", "fuse.glusterfs", "fuse.sshfs", "lustre", "ncpfs", "nfs", "nfs4", "smb3", "smbfs"}
)
_DRIVE_REMOTE = 4
"""What Windows' GetDriveTypeW says of a network drive."""


def make_place(home: Path) -> Path:
    """Make the folder (0700) and an empty file in it (0600) where they are missing, and return the file's path.

    Raises `JournalError` when that is impossible, or when the folder lies on a network drive, where locks do not hold.
    """
    path = home / FILE_NAME
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        _refuse_network(home)
        _make_file(path)
    except OSError as error:
        raise JournalError(
            f"The journal {path} cannot be made: {error.strerror or error}.",
            "Allow writing to that folder, or name another one in BULKZCRM_HOME.",
        ) from error
    return path


def keep_private(path: Path) -> None:
    """Take a journal's file away from other users of the machine, where that was open to them."""
    if os.name != "posix":
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        try:
            path.chmod(mode & 0o700)
        except PermissionError as error:
            raise JournalError(
                f"The journal {path} can be read by other users, and belongs to one of them.",
                "Let its owner run `chmod 600` on it, or name another folder in BULKZCRM_HOME.",
            ) from error


def network_file_system(path: Path, mounts: str) -> str | None:
    """Return the kind of network file system that an absolute `path` lies on; `mounts` reads as /proc/mounts."""
    deepest, kind = -1, ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        _, point, line_kind, *_ = fields
        mount = Path(point.replace(r"\040", " ").replace(r"\011", "\t").replace(r"\134", "\\"))
        # A later mount on the same point hides the earlier one.
        if path.is_relative_to(mount) and len(mount.parts) >= deepest:
            deepest, kind = len(mount.parts), line_kind
    return kind if kind in _NETWORK_KINDS else None


def _refuse_network(home: Path) -> None:
    kind = _network_kind(home.resolve())
    if kind is not None:
        raise JournalError(
            f"The folder {home} lies on a network drive ({kind}), where a journal is not safe.",
            "Name a folder on a disk of this machine in BULKZCRM_HOME.",
        )


def _network_kind(home: Path) -> str | None:
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415  only Windows has what is asked for here

        remote = home.drive.startswith("\\\\") or ctypes.windll.kernel32.GetDriveTypeW(home.anchor) == _DRIVE_REMOTE
        return "a Windows share" if remote else None
    try:
        mounts = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return None
    return network_file_system(home, mounts)


def _make_file(path: Path) -> None:
    if path.exists() and not path.is_file():
        raise JournalError(f"{path} is not a file.", "Move it away, or name another folder in BULKZCRM_HOME.")
    # Made here rather than by SQLite, whose files would be as readable as the umask allows.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
