"""Why a run cannot go on. Every message is a sentence of cause and one of cure, printed as they are.

    BulkzcrmError
    ├── RefusedError            exit 2: nothing was sent
    │   ├── UsageError          options that do not go together, an unknown operation
    │   ├── ConfigurationError  profiles, environment, credentials that are missing, a foreign host
    │   ├── SourceError         a source that cannot be read as rows
    │   ├── JobError            a job file that cannot be followed
    │   └── JournalError        a journal that cannot be opened or is not ours
    └── StoppedError            exit 3: the run stopped and can be resumed
        ├── CredentialsRefusedError
        ├── UnreachableError    the server is down or throttles for longer than `--max-wait`
        └── OutputError         a report or the journal cannot be written

What is wrong with a single row is never an exception: it is a `Problem` (see `model`).
"""

from __future__ import annotations

__all__ = [
    "BulkzcrmError",
    "ConfigurationError",
    "CredentialsRefusedError",
    "JobError",
    "JournalError",
    "MissingCredentialsError",
    "OutputError",
    "RefusedError",
    "SourceError",
    "StoppedError",
    "UnreachableError",
    "UsageError",
]


class BulkzcrmError(Exception):
    """A run cannot go on.

    `message` says what is wrong, `cure` what to do about it; `exit_status` is the status that the process ends with.
    """

    exit_status = 3

    def __init__(self, message: str, cure: str) -> None:
        super().__init__(message, cure)
        self.message = message
        self.cure = cure

    def __str__(self) -> str:
        return f"{self.message} {self.cure}"


class RefusedError(BulkzcrmError):
    """Refused before anything was sent."""

    exit_status = 2


class UsageError(RefusedError):
    """The command's words do not go together."""


class ConfigurationError(RefusedError):
    """Profiles, environment or credentials are missing or contradict each other."""


class MissingCredentialsError(ConfigurationError):
    """Credentials are missing; `variables` are those of the environment that would give them."""

    def __init__(self, variables: tuple[str, ...], cure: str) -> None:
        super().__init__(f"Credentials are missing: {', '.join(variables)}.", cure)
        self.variables = variables


class SourceError(RefusedError):
    """The source cannot be read as rows of the operation."""


class JobError(RefusedError):
    """The job file cannot be followed."""


class JournalError(RefusedError):
    """The journal cannot be opened, or is not one of ours."""


class StoppedError(BulkzcrmError):
    """The run stopped with rows still to do; `resume` carries on."""


class CredentialsRefusedError(StoppedError):
    """The server refuses the credentials, or what they may do."""


class UnreachableError(StoppedError):
    """The server does not answer, or throttles, for longer than we may wait."""


class OutputError(StoppedError):
    """A report or the journal cannot be written."""
