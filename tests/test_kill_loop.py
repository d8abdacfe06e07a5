"""Real processes are killed at random moments: no row is lost, and no record is made twice."""

from __future__ import annotations

import pytest
from kill_loop import main


@pytest.mark.timeout(300)
def test_of_what_is_killed_20_times_nothing_is_lost_and_nothing_is_doubled(capsys: pytest.CaptureFixture[str]):
    status = main(["--kills", "20", "--seed", "5", "--rows", "40", "--latency", "0.02", "--quiet-period", "0.3"])
    told = capsys.readouterr().out
    assert status == 0, told
    assert "kills 20 (" in told
    assert "lost 0, doubled 0" in told


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_of_what_is_killed_300_times_nothing_is_lost_and_nothing_is_doubled(capsys: pytest.CaptureFixture[str]):
    assert main(["--kills", "300"]) == 0, capsys.readouterr().out
