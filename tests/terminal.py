"""A terminal for tests, with a home and a folder of its own: commands run in this process or in one of their own."""

from __future__ import annotations

import asyncio
import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
from forwarder import Forwarder, Heard, Say, forwarding

from bulkzcrm.cli import main
from bulkzcrm.sandbox import Faults, Sandbox, SandboxOptions

_T = TypeVar("_T")

SERVICES = "Service_Name,Duration,Location,Members,Availability_Type,Price\n"
SERVICE = "{},60,Client Address,tom.weber@brighthome.example,Every Business Days,50\n"
MODULE = (sys.executable, "-m", "bulkzcrm")
COUNTS = ["succeeded", "unchanged", "invalid", "rejected", "unknown", "unsent"]
COSTS = ["batches", "requests", "credits_estimated", "seconds"]
KEYS = ["run", "operation", "organisation", "state", "stopped_because", "rows", *COUNTS, *COSTS]
KEYS += ["resume", "files", "causes"]


def services(*names: str) -> str:
    """A source of services that can be created."""
    return SERVICES + "".join(map(SERVICE.format, names))


@dataclass(frozen=True)
class Ended:
    status: int
    out: str
    err: str

    @property
    def object(self) -> dict[str, Any]:
        """The one JSON object on standard output."""
        assert self.out.count("\n") == 1, self.out
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found

    @property
    def last(self) -> str:
        """The last line of standard error."""
        return self.err.rstrip("\n").rpartition("\n")[2]

    @property
    def why(self) -> str:
        """What the one line says that tells why a command did not do what was asked."""
        lines = [line for line in self.err.splitlines() if line.startswith("bulkzcrm: ")]
        assert len(lines) == 1, self.err
        return lines[0].removeprefix("bulkzcrm: ")


class Terminal:
    def __init__(self, folder: Path) -> None:
        self.folder = folder / "a folder"
        self.folder.mkdir()
        self.home = folder / "home of the tool"
        self.environ: dict[str, str] = {}

    def write(self, name: str, content: str | bytes) -> str:
        """Write a file into the current folder, and return its name."""
        data = content.encode() if isinstance(content, str) else content
        (self.folder / name).write_bytes(data)
        return name

    @property
    def wholly(self) -> dict[str, str]:
        """The whole environment that commands see."""
        around = {name: value for name, value in os.environ.items() if not name.startswith("BULKZCRM_")}
        apart = {"BULKZCRM_HOME": str(self.home), "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
        return {**around, **apart, "PYTHONIOENCODING": "utf-8", **self.environ}

    def type(self, *words: str, stdin: bytes = b"") -> Ended:
        """Type a command and wait for its end, in this process."""
        out, err, into = (
            io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline="") for data in (b"", b"", stdin)
        )
        with pytest.MonkeyPatch.context() as patch:
            for name in set(os.environ) - set(self.wholly):
                patch.delenv(name)
            for name, value in self.wholly.items():
                patch.setenv(name, value)
            patch.chdir(self.folder)
            patch.setattr(sys, "stdin", into)
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            with pytest.raises(SystemExit) as leaving:
                main([str(word) for word in words])
        told, complained = (_text(stream) for stream in (out, err))
        into.close()
        assert isinstance(leaving.value.code, int)
        return Ended(leaving.value.code, told, complained)

    @contextmanager
    def start(
        self, *words: str, program: Sequence[str | Path] = MODULE, **streams: Any
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Start a command in a process of its own, which does not outlive the test."""
        piped = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        around = {"cwd": self.folder, "env": self.wholly, **piped, **streams}
        with subprocess.Popen([*program, *words], **around) as process:  # noqa: S603 - a program of ours
            try:
                yield process
            finally:
                process.kill()

    def run(self, *words: str, stdin: bytes = b"", seconds: float = 50, **streams: Any) -> Ended:
        """Run a command in a process of its own to its end."""
        with self.start(*words, **streams) as process:
            return ended(process, stdin, seconds=seconds)


def ended(process: subprocess.Popen[bytes], stdin: bytes = b"", *, seconds: float = 50) -> Ended:
    """Wait for a process."""
    out, err = process.communicate(stdin or None, timeout=seconds)
    texts = [(data or b"").decode().replace("\r\n", "\n") for data in (out, err)]
    return Ended(process.returncode, *texts)


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.detach()
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode()


class Served:
    """A sandbox behind a forwarder that hears every request, both in a thread of their own."""

    def __init__(self, loop: asyncio.AbstractEventLoop, sandbox: Sandbox, wire: Forwarder) -> None:
        self._loop = loop
        self._sandbox = sandbox
        self.wire = wire

    @property
    def environ(self) -> dict[str, str]:
        addresses = {"BULKZCRM_API_DOMAIN": self.wire.url, "BULKZCRM_ACCOUNTS_URL": self.wire.url}
        return {**self._sandbox.environment(), **addresses}

    def ask(self, question: Callable[[Sandbox], _T]) -> _T:
        """Ask the sandbox, in its own thread."""

        async def answer() -> _T:
            return question(self._sandbox)

        return asyncio.run_coroutine_threadsafe(answer(), self._loop).result(10)

    @property
    def created(self) -> list[str]:
        """Names of the services that were made, in the order in which they were."""
        found = self.ask(lambda sandbox: sandbox.services())
        return [str(each["Service_Name"]) for each in found if int(str(each["id"])) >= 5545974000002190001]


@contextmanager
def serving(
    *,
    options: SandboxOptions | None = None,
    faults: Faults | None = None,
    organisation: Mapping[str, object] | None = None,
) -> Iterator[Served]:
    """Serve; `organisation` says what GET org shows otherwise than the sandbox's own."""
    ready: list[Served] = []
    up, down = threading.Event(), asyncio.Event()

    async def serve() -> None:
        chosen = options or SandboxOptions(token_throttle=None)
        try:
            async with Sandbox(options=chosen, faults=faults) as sandbox, forwarding(sandbox.url) as wire:
                if organisation is not None:
                    wire.interfere = _showing({**_shown(chosen), **organisation})
                ready.append(Served(asyncio.get_running_loop(), sandbox, wire))
                up.set()
                await down.wait()
        finally:
            up.set()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    up.wait()
    try:
        yield ready[0]
    finally:
        if ready:
            ready[0]._loop.call_soon_threadsafe(down.set)
        thread.join()


def _shown(options: SandboxOptions) -> dict[str, object]:
    from bulkzcrm.sandbox.seed import organisation as seeded

    return seeded(options.organisation_id, options.edition)


def _showing(organisation: Mapping[str, object]) -> Callable[[Heard], Any]:
    async def interfere(heard: Heard) -> Say | None:
        return Say(200, {"org": [dict(organisation)]}) if heard.path == "org" and not heard.is_write else None

    return interfere
