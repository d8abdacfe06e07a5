"""Programs can use what the command line uses: frames are sources, and reports are frames."""

from __future__ import annotations

import pandas as pd
import pytest

from bulkzcrm.config import load_connection
from bulkzcrm.errors import UsageError
from bulkzcrm.library import RunOptions, check, report_frame, run
from bulkzcrm.model import Status
from bulkzcrm.sandbox import Sandbox

ROWS = [
    {
        "Service Name": "Oven Repair",
        "Duration": 60,
        "Location": "Client Address",
        "Members": "Patricia Boyle",
        "Availability Type": "Every Business Days",
        "Price": 80.5,
    },
    {
        "Service Name": "Stove Repair",
        "Duration": 5,
        "Location": "Client Address",
        "Members": "Rahul Menon",
        "Availability Type": "Every Business Days",
        "Price": 90,
    },
]


async def test_a_frame_is_checked_like_a_file(tmp_path):
    summary = await check("create-services", pd.DataFrame(ROWS), folder=tmp_path / "checked")
    assert summary.counts[Status.VALID] == 1
    assert summary.counts[Status.INVALID] == 1
    assert summary.not_checked
    assert (tmp_path / "checked" / "results.csv").exists()


async def test_a_frame_is_sent_and_its_report_is_a_frame(tmp_path):
    async with Sandbox() as sandbox:
        connection = load_connection(profile=None, environ=sandbox.environment(), home=tmp_path / "home")
        summary = await run("create-services", pd.DataFrame(ROWS), connection=connection, folder=tmp_path / "report")
        names = [service["Service_Name"] for service in sandbox.services()]
    assert names.count("Oven Repair") == 1
    assert "Stove Repair" not in names
    assert summary.run is not None
    frame = report_frame(tmp_path / "home", summary.run)
    assert list(frame["result_status"]) == ["succeeded", "invalid"]
    assert list(frame["result_cell"]) == ["", "B3"]


async def test_options_of_the_library_are_those_of_the_command_line(tmp_path):
    frame = pd.DataFrame(ROWS).drop(columns="Location")
    options = RunOptions(constants={"Location": "Business Address"})
    summary = await check("create-services", frame, folder=tmp_path / "checked", options=options)
    assert summary.counts[Status.VALID] == 1


async def test_an_operation_that_there_is_not_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no operation"):
        await check("create-sevices", pd.DataFrame(ROWS), folder=tmp_path)
