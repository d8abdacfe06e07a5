"""What an awkward file is, and what must come of it when it is checked.

case = Awkward(file="semicolons.csv", by="a hand", write=..., rows=2)
assert_as_expected(case, tmp_path)
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import anyio
import pytest

from bulkzcrm.cells import column_letter
from bulkzcrm.errors import RefusedError
from bulkzcrm.events import Event, Noted
from bulkzcrm.library import RunOptions, check

NAMES = ["Service Name", "Duration", "Location", "Members", "Availability Type", "Price"]
STATUS_NAMES = ["id", "Status"]


def service(name: str = "Pool cleaning", duration: object = 60, price: object = 19.5) -> list[object]:
    """The cells of a right row under `NAMES`."""
    return [name, duration, "Client Address", "ann@example.com", "Every Business Days", price]


@dataclass(frozen=True, slots=True, kw_only=True)
class Awkward:
    """One file: which program writes it and how, and the answer.

    `codes` tells the code at each cell that is wrong, one for each invalid row; `shows` what the report has in a cell
    of the source; `told` words of notes and warnings, `untold` words that none of them has; `refused` words of the
    refusal, in which case nothing else matters.
    """

    file: str
    by: str
    write: Callable[[Path], object]
    rows: int = 0
    codes: Mapping[str, str] = field(default_factory=dict)
    shows: Mapping[str, str] = field(default_factory=dict)
    told: Sequence[str] = ()
    untold: Sequence[str] = ()
    refused: Sequence[str] = ()
    operation: str = "create-services"
    options: RunOptions = field(default_factory=lambda: RunOptions(allow_duplicates=True))


def assert_as_expected(case: Awkward, folder: Path) -> None:
    """Write the file, check it, and hold the answer against the expected one."""
    source = folder / case.file
    case.write(source)
    assert_answer(case, source, folder / "checked")


def assert_answer(case: Awkward, source: Path, checked: Path) -> None:
    """Check a file that is there, and hold the answer against the expected one."""
    said: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, Noted):
            said.append(event.text)

    checking = partial(check, case.operation, source, folder=checked, options=case.options, announce=listen)
    if case.refused:
        with pytest.raises(RefusedError) as caught:
            anyio.run(checking)
        assert [word for word in case.refused if word not in str(caught.value)] == [], str(caught.value)
        assert source.name in caught.value.message
        assert caught.value.cure
        return
    summary = anyio.run(checking)
    rows = _rows(checked)
    found = {row["result_cell"]: row["result_code"] for row in rows if row["result_status"] == "invalid"}
    assert found == case.codes, [row["result_message"] for row in rows]
    counts = summary.rows, len(rows), sum(row["result_status"] == "valid" for row in rows)
    assert counts == (case.rows, case.rows, case.rows - len(case.codes)), counts
    cells = _cells(rows)
    assert {cell: cells.get(cell) for cell in case.shows} == case.shows, cells
    everything = " ".join(said)
    assert [word for word in case.told if word not in everything] == [], everything
    assert [word for word in case.untold if word in everything] == [], everything


def _rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _cells(rows: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return {
        f"{column_letter(place)}{row['result_row']}": text
        for row in rows
        for place, (name, text) in enumerate(row.items())
        if not name.startswith("result_")
    }
