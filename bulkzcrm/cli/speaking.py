"""What a command says: results on standard output, everything else on standard error; neither steers a terminal."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

import click

from bulkzcrm.errors import OutputError
from bulkzcrm.redact import printable, scrub

__all__ = ["complain", "say_last", "tell"]


def tell(text: str) -> None:
    """Print a line on standard output. A reader who has heard enough is no fault. Raises `OutputError`."""
    try:
        click.echo(text)
    except BrokenPipeError:
        _say_no_more()
    except OSError as error:
        _say_no_more()
        raise OutputError(
            f"Standard output cannot be written: {error.strerror or error}.", "Send it somewhere else, or leave it."
        ) from error


def complain(text: str) -> None:
    """Print what is wrong on standard error, without secrets."""
    # Where nobody can be told, the exit status still speaks.
    with suppress(OSError):
        click.echo(printable(scrub(f"bulkzcrm: {text}")), err=True)


def say_last(resume: str) -> None:
    """Say the command that carries on, as the last line of all."""
    with suppress(OSError):
        click.echo(resume, err=True)


def _say_no_more() -> None:
    """Let what is still to be printed vanish, so that Python does not fail over it at its end."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
