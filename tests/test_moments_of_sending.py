"""A create that arrives late is found, however long its program had stood still before it left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from desk import services
from office import Act, Errand, Office, Trouble
from simulated_server import Fate

from bulkzcrm.run.options import RunOptions
from bulkzcrm.sandbox import SandboxOptions

ROWS = services(1)
OPTIONS = RunOptions(timeout=5.0, quiet_period=20.0)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path / "an office", sandbox=SandboxOptions(), ahead_s=0.0, deaths_are_known=True)
    yield office
    office.close()


def place_of(title: str, folder: Path) -> int:
    """Return the place that an undisturbed program passes under a title."""
    office = Office(folder, sandbox=SandboxOptions(), ahead_s=0.0, deaths_are_known=True)
    program = office.begin(Errand(operation="create-services", rows=ROWS, options=OPTIONS), Trouble())
    office.close()
    places = [point for point in program.points if point.startswith(("after", "request"))]
    return 1 + next(place for place, point in enumerate(places) if title in point)


@pytest.mark.parametrize("killed_at", [None, 2, 3])
@pytest.mark.parametrize("act", [Act.NAP, Act.SLEEP])
def test_the_quiet_period_begins_when_the_request_leaves_not_when_it_was_meant_to(
    office: Office, tmp_path: Path, killed_at: int | None, act: Act
) -> None:
    leaves = place_of("POST Services__s) is about to leave", tmp_path / "another")
    trouble = Trouble(acts={leaves: act}, fates=[Fate.LATE], kill_at_write=killed_at)
    office.begin(Errand(operation="create-services", rows=ROWS, options=OPTIONS), trouble)
    _made_once(office)


@pytest.mark.parametrize("killed_at", [None, 3])
@pytest.mark.parametrize("act", [Act.CLOCK_AHEAD, Act.CLOCK_BACK])
@pytest.mark.parametrize("after", ["GET Services__s) is answered", "POST Services__s) is about to leave"])
def test_a_clock_that_is_set_does_not_change_the_quiet_period(
    office: Office, tmp_path: Path, killed_at: int | None, act: Act, after: str
) -> None:
    place = place_of(after, tmp_path / "another")
    trouble = Trouble(acts={place + 1: act}, fates=[Fate.LATE], kill_at_write=killed_at)
    office.begin(Errand(operation="create-services", rows=ROWS, options=OPTIONS), trouble)
    _made_once(office)


def _made_once(office: Office) -> None:
    for _ in range(3):
        for run in office.resumable:
            office.carry_on(run, Trouble())
    office.witness.catch_up(to_the_end=True)
    (run,) = office.runs
    assert [row["result_status"] for row in office.report(run.id)] == ["succeeded"]
    assert len(office.witness.made()) == 1
