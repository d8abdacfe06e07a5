"""The state file: what was answered is there after the next start; a file that is something else is left alone."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest
from sandbox_api import AC_REPAIR, HOURS, HOURS_ID, RULES, Api, Clock, change, running, service

from bulkzcrm.sandbox import Sandbox, SandboxError, serve_forever


async def test_a_sandbox_started_again_holds_what_it_held(tmp_path: Path) -> None:
    state, clock = tmp_path / "with a space" / "state.db", Clock()
    state.parent.mkdir()
    hours = {"id": HOURS_ID, "type": "24*7", "week_starts_on": "Sunday"}
    async with running(state, clock=clock) as api:
        created = await api.create(service(Price=1.25), service())
        await api.update(change(AC_REPAIR, Service_Name="Changed"))
        await api.call("PUT", HOURS, {"business_hours": hours})
        await api.call("PUT", f"{RULES}/4876876000000965528/actions/activate")
        token, spent, services = api.token, api.sandbox.credits_spent, api.sandbox.services()
        rules, business_hours = api.sandbox.scoring_rules(), api.sandbox.business_hours()
    async with running(state, clock=clock) as api:
        assert api.sandbox.services() == services
        assert api.sandbox.scoring_rules() == rules
        assert api.sandbox.business_hours() == business_hours
        assert api.sandbox.credits_spent == spent == 4
        api.token = token
        newer = await api.create(service())
        assert int(newer.ids[0]) > max(map(int, created.ids))
        rows = [row["id"] for held in api.sandbox.services() for row in held["Members"]]  # type: ignore[attr-defined]
        assert len(rows) == len(set(rows))


async def test_without_a_file_every_sandbox_starts_anew() -> None:
    async with running() as api:
        await api.create(service())
    async with running() as api:
        assert len(api.sandbox.services()) == 12


_KILLED = """
import asyncio, sys
from pathlib import Path
from bulkzcrm.sandbox import Sandbox, serve_forever
asyncio.run(serve_forever(Sandbox(Path(sys.argv[1])), lambda sandbox: print(sandbox.url, flush=True)))
"""


async def test_a_killed_sandbox_has_kept_every_answered_change(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", _KILLED, str(state), stdout=subprocess.PIPE)
    assert process.stdout is not None
    url = (await process.stdout.readline()).decode().strip()
    sandbox = Sandbox()
    async with sandbox, aiohttp.ClientSession() as session:
        api = Api(sandbox, session)
        form = {"grant_type": "refresh_token", **_credentials(sandbox)}
        async with session.post(f"{url}/oauth/v2/token", data=form) as response:
            api.token = (await response.json())["access_token"]
        headers = {"Authorization": f"Zoho-oauthtoken {api.token}"}
        for _ in range(3):
            body = {"data": [service()]}
            async with session.post(f"{url}/crm/v8/Services__s", json=body, headers=headers) as response:
                assert response.status == 201
        process.kill()
        await process.wait()
    async with running(state) as api:
        assert len(api.sandbox.services()) == 15


def _credentials(sandbox: Sandbox) -> dict[str, str]:
    environment = sandbox.environment()
    return {
        "client_id": environment["BULKZCRM_CLIENT_ID"],
        "client_secret": environment["BULKZCRM_CLIENT_SECRET"],
        "refresh_token": environment["BULKZCRM_REFRESH_TOKEN"],
    }


async def test_a_file_that_is_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("This is no database at all, and long enough to be read as one. " * 20)
    before = text.read_bytes()
    with pytest.raises(SandboxError, match=r"notes\.txt"):
        await Sandbox(text).__aenter__()
    assert text.read_bytes() == before
    other = tmp_path / "other.db"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE mine (x)")
    connection.close()
    before = other.read_bytes()
    with pytest.raises(SandboxError, match=r"no state file"):
        await Sandbox(other).__aenter__()
    assert other.read_bytes() == before


async def test_a_file_from_a_newer_version_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    async with running(state):
        pass
    connection = sqlite3.connect(state)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(SandboxError, match="newer version"):
        await Sandbox(state).__aenter__()


async def test_a_folder_that_is_not_there_is_told_in_plain_words(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="cannot be opened"):
        await Sandbox(tmp_path / "nowhere" / "state.db").__aenter__()


async def test_a_port_that_is_taken_is_told_in_plain_words() -> None:
    async with Sandbox() as sandbox:
        port = int(sandbox.url.rsplit(":", 1)[1])
        with pytest.raises(SandboxError, match=f"port {port}"):
            await Sandbox(port=port).__aenter__()


async def test_a_sandbox_that_does_not_run_says_so() -> None:
    with pytest.raises(SandboxError, match="not running"):
        _ = Sandbox().url


async def test_a_sandbox_can_serve_until_it_is_cancelled() -> None:
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve_forever(Sandbox(), lambda sandbox: ready.set_result(sandbox.url)))
    url = await ready
    async with aiohttp.ClientSession() as session, session.get(f"{url}/crm/v8/org") as response:
        assert response.status == 401
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving


async def test_two_sandboxes_do_not_share_a_file(tmp_path: Path) -> None:
    async with running(tmp_path / "state.db"):
        with pytest.raises(SandboxError, match="in use"):
            await Sandbox(tmp_path / "state.db").__aenter__()
