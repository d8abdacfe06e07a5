"""A storm of faults on real sockets: every row is settled, and the organisation holds each record exactly once."""

from __future__ import annotations

import pytest
from fault_storm import main


@pytest.mark.parametrize(
    ("storm", "rows", "batch_size", "kills"), [("create", 2_000, 80, 0), ("update", 100, 5, 0), ("kill", 500, 5, 3)]
)
def test_of_what_goes_through_a_small_storm_nothing_is_lost_and_nothing_is_doubled(
    capsys: pytest.CaptureFixture[str], storm: str, rows: int, batch_size: int, kills: int
):
    words = ["--storm", storm, "--rows", rows, "--batch-size", batch_size, "--quiet-period", 0.3, "--seed", 3]
    status = main([str(word) for word in words])
    told = capsys.readouterr().out
    assert status == 0, told
    assert f"lost 0, doubled 0, kills {kills}\n" in told
    assert "in doubt 0" not in told


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_of_100_000_rows_that_go_through_a_storm_nothing_is_lost_and_nothing_is_doubled(
    capfd: pytest.CaptureFixture[str],
):
    assert main([]) == 0, capfd.readouterr().out
