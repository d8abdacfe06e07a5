"""A running sandbox with its defaults, for the tests that need no other."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sandbox_api import Api, running


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with running() as client:
        yield client
