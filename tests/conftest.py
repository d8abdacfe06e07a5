"""What the tests of several folders share; that it stands here makes this folder's modules importable for them."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from terminal import Served, Terminal, serving

from bulkzcrm import redact

# How quick the machine is that runs the tests says nothing about the program.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")

_MEMORY = Path("/dev/shm")  # noqa: S108 - folders in it are made as safely as elsewhere
_ROOM = 2**31
"""Bytes that have to be free there: a container may have next to none."""


def pytest_configure(config: pytest.Config) -> None:
    """Have temporary folders in memory on Linux: thousands of journals need not outlive a power cut."""
    chosen = os.environ.keys() & {"TMPDIR", "PYTEST_DEBUG_TEMPROOT"}
    if not chosen and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM:
        os.environ["TMPDIR"] = tempfile.tempdir = str(_MEMORY)


@pytest.fixture(autouse=True, scope="session")
def nothing_compiled_anew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Where Python is told to keep no bytecode, let programs find what others have compiled: hundreds are begun."""
    with pytest.MonkeyPatch.context() as patch:
        if sys.dont_write_bytecode:
            patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
            patch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path_factory.mktemp("bytecode")))
        yield


@pytest.fixture(autouse=True)
def no_secrets_of_other_tests() -> Iterator[None]:
    """Keep what is searched for in every text to the test's own secrets: it grows with each token."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(redact, "_REGISTRY", deepcopy(redact._REGISTRY))
        yield


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    """A terminal without credentials."""
    return Terminal(tmp_path)


@pytest.fixture
def served() -> Iterator[Served]:
    """A sandbox that is reached by its address, as a real organisation is."""
    with serving() as sandbox:
        yield sandbox


@pytest.fixture
def connected(terminal: Terminal, served: Served) -> Terminal:
    """A terminal with credentials for the served sandbox."""
    terminal.environ = served.environ
    return terminal
