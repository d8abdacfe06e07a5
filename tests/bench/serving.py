"""The stand-in server's process, as the benchmark sees it: begun, asked what it served, and ended."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from .processes import environment
from .standin import Account, Settings

__all__ = ["Server", "serving"]


class Server:
    """A stand-in that serves. `environ` are the variables that lead to it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.environ: dict[str, str] = self._line()

    @property
    def url(self) -> str:
        """Where it serves."""
        return self.environ["BULKZCRM_API_DOMAIN"]

    def account(self) -> Account:
        """Ask what it has served so far."""
        return msgspec.convert(self._ask("account"), Account)

    def kept(self) -> list[dict[str, Any]]:
        """Ask for the records it was told to keep."""
        records: list[dict[str, Any]] = self._ask("kept")
        return records

    def _ask(self, word: str) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        return self._line()

    def _line(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("The stand-in server has ended.")
        return json.loads(line)


@contextmanager
def serving(settings: Settings, tree: Path | None = None) -> Iterator[Server]:
    """Serve, in another process, until the block is left; the sandbox whose answers are repeated is that of a tree."""
    words = [sys.executable, "-m", "tests.bench.standin", msgspec.json.encode(settings).decode()]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True, env=environment(tree)) as process:  # noqa: S603
        try:
            yield Server(process)
        finally:
            process.communicate(timeout=60)
