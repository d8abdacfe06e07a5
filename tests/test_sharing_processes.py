"""Real processes on one journal and one organisation, which counts what is in flight and turns away the rest."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from terminal import serving

from bulkzcrm.journal import Journal
from bulkzcrm.sandbox import Faults, SandboxOptions

PROCESS = Path(__file__).with_name("sharing_process.py")


@pytest.mark.parametrize("processes", [2, 5])
def test_processes_together_never_have_more_in_flight_than_the_organisation_allows(tmp_path, processes):
    """Three at once, whether two processes share them or five, of which two have to wait."""
    home = tmp_path / "home of all runs"
    Journal.open(home).close()
    options = SandboxOptions(concurrency=3, token_throttle=None)
    with serving(options=options, faults=Faults(latency_s=0.01)) as served:
        running = [
            subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, str(PROCESS), str(home), "3", "60"],
                env={**os.environ, **served.environ},
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(processes)
        ]
        outputs = [process.communicate(timeout=50)[0].split() for process in running]
        statuses = served.ask(lambda sandbox: [request.status for request in sandbox.requests])
    assert [process.returncode for process in running] == [0] * processes
    assert statuses == [200] * 60 * processes
    assert all(turned_away == "0" for turned_away, _ in outputs)
    with Journal.open(home) as journal, journal.transaction():
        shares = journal.shares("5545974000000020005")
        now_ms = int(time.time() * 1000)
        assert shares.standing(now_ms).holdings == ()
        assert sum(each.used for each in shares.spendings(now_ms)) == 60 * processes
