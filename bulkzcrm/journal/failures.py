"""Every way in which the journal can fail, said in plain words: which file, what happened, and what to do about it."""

from __future__ import annotations

import sqlite3

from bulkzcrm.errors import OutputError, StoppedError

__all__ = ["IllegalMoveError", "LostLeaseError", "OvertakenError", "as_output_error", "storage_failure"]

_STORAGE_FAILURES = {
    sqlite3.SQLITE_FULL: (
        "The journal {where} cannot grow any further: the disk is full.",
        "Free some space on that disk.",
    ),
    sqlite3.SQLITE_IOERR: (
        "The disk refused to read or write the journal {where}.",
        "Check the disk and its connection.",
    ),
    sqlite3.SQLITE_READONLY: (
        "The journal {where} may be read but not written.",
        "Allow writing to the file and to its folder.",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "The journal {where}, or the file that SQLite keeps beside it, could not be opened.",
        "Check that its folder exists and may be written.",
    ),
    sqlite3.SQLITE_PERM: (
        "The system does not allow access to the journal {where}.",
        "Allow reading and writing the file and its folder.",
    ),
    sqlite3.SQLITE_BUSY: (
        "Another program has kept the journal {where} locked for ten seconds.",
        "Close the program that uses the file.",
    ),
    sqlite3.SQLITE_LOCKED: (
        "Another part of this program keeps the journal {where} locked.",
        "Wait until it has ended.",
    ),
    sqlite3.SQLITE_CORRUPT: (
        "The journal {where} is damaged.",
        "Put the file aside and restore it from a backup, if there is one.",
    ),
    sqlite3.SQLITE_NOTADB: (
        "The file {where} is no longer a journal: something has overwritten it.",
        "Put the file aside and restore it from a backup, if there is one.",
    ),
}


class LostLeaseError(StoppedError):
    """Another process has taken the run over: nothing of it may be written or sent here any more."""

    def __init__(self, run: str) -> None:
        super().__init__(
            f"Another process has taken over the run {run}.",
            "Let that process finish; `bulkzcrm runs` shows how far it is.",
        )
        self.run = run

    def __reduce__(self) -> tuple[type[LostLeaseError], tuple[str]]:
        return type(self), (self.run,)


class OvertakenError(StoppedError):
    """The run has gone on, or a newer report of it may stand already: this one must be made anew."""

    def __init__(self, run: str) -> None:
        super().__init__(
            f"The report of the run {run} was overtaken while it was written.",
            f"`bulkzcrm report {run}` writes it again.",
        )
        self.run = run

    def __reduce__(self) -> tuple[type[OvertakenError], tuple[str]]:
        return type(self), (self.run,)


class IllegalMoveError(StoppedError):
    """Something was to move to a state that it cannot reach from where it is (see `states`); nothing was changed."""

    def __init__(self, message: str) -> None:
        super().__init__(
            message,
            "The journal refused the change and is intact; this is a fault of bulkzcrm, please report it.",
        )

    def __reduce__(self) -> tuple[type[IllegalMoveError], tuple[str]]:
        return type(self), (self.message,)


def storage_failure(error: sqlite3.Error, where: str) -> tuple[str, str] | None:
    """Return message and cure for a failure of the storage; None for anything else, which is a fault of ours."""
    # The low byte is the primary code; the rest tells variants of it apart (https://sqlite.org/rescode.html).
    primary = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if primary not in _STORAGE_FAILURES:
        return None
    message, cure = _STORAGE_FAILURES[primary]
    return message.format(where=where), cure


def as_output_error(error: sqlite3.Error, where: str) -> OutputError | None:
    """Translate a failure of the storage in the middle of a run; None for a fault of ours, which must not be hidden."""
    failure = storage_failure(error, where)
    if failure is None:
        return None
    message, cure = failure
    return OutputError(message, f"{cure} What was recorded before is kept.")
