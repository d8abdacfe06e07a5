from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bulkzcrm.journal import Journal


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "a folder with blanks"


@pytest.fixture
def journal(home: Path) -> Iterator[Journal]:
    with Journal.open(home) as opened:
        yield opened
