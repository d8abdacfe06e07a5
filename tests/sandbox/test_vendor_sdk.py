"""The vendor's own SDK works against the sandbox: it logs in, creates, updates and reads services."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from bulkzcrm.sandbox import Sandbox

pytest.importorskip("zohocrmsdk")

_PROGRAM = Path(__file__).with_name("vendor_sdk.py")


async def test_the_vendors_sdk_creates_updates_and_reads_services(tmp_path: Path) -> None:
    async with Sandbox() as sandbox:
        environment = sandbox.environment()
        names = ("client_id", "client_secret", "refresh_token")
        credentials = {name: environment[f"BULKZCRM_{name.upper()}"] for name in names}
        # A process of its own: the SDK's state is global. Its own warnings are its makers' affair.
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-W",
            "ignore",
            str(_PROGRAM),
            sandbox.url,
            str(tmp_path),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        output, errors = await process.communicate(json.dumps(credentials).encode())
        assert process.returncode == 0, errors.decode()
        seen = json.loads(output)
        held = sandbox.services()[-1]
        writes = [(served.method, served.status) for served in sandbox.requests if served.records]
        assert sandbox.token_requests == 1
    assert writes == [("POST", 207), ("PUT", 200)]
    status, (made, refused) = seen["created"]
    assert (status, made["code"], made["success"]) == (207, "SUCCESS", True)
    assert (refused["code"], refused["success"]) == ("INVALID_DATA", False)
    assert refused["details"]["json_path"] == "$.data[1].Duration"
    status, (changed,) = seen["updated"]
    assert (status, changed["code"], changed["details"]["id"]) == (200, "SUCCESS", made["details"]["id"])
    assert seen["listed"] == ["Made by the SDK"]
    assert seen["held"] == {
        "name": "Made by the SDK",
        "duration": 50,
        "members": 1,
        "status": "Temporarily Unavailable",
    }
    assert (held["id"], held["Duration"], held["Available_From"]) == (made["details"]["id"], 50, "2090-01-01")
    assert held["Available_Timings"] == [{"From": "09:00", "To": "12:00"}, {"From": "13:00", "To": "18:30"}]
    assert held["Description"] == "ñ ✓"
