"""What the tests of several folders share; that it stands here makes this folder's modules importable for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from terminal import Served, Terminal, serving

# How quick the machine is that runs the tests says nothing about the program.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


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
