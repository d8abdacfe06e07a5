"""What is warned of, and what is not, before anything is sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from desk import desk_at, services
from test_settling import make, record

from bulkzcrm.sandbox import SandboxOptions


@pytest.mark.parametrize(("status", "warned"), [("Available", True), ("Not in Use", False)])
async def test_only_who_makes_services_active_is_warned_of_their_limit(tmp_path: Path, status: str, *, warned: bool):
    async with desk_at(tmp_path, options=SandboxOptions(active_service_limit=9_999)) as desk:
        for first in range(0, 501, 100):
            make(desk, *(record(Service_Name=f"There {number}") for number in range(first, first + 100)))
        changes = {"Status": status} | ({} if status == "Available" else {"Unavailable_From": "now"})
        await desk.run("create-services", services(1, **changes))
        assert desk.statuses == ["succeeded"]
        assert any("services are active" in each for each in desk.warnings) is warned
