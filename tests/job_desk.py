"""A desk at which tests run jobs: commands are typed in this process, and an organisation is looked at."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from anyio import to_thread
from run_samples import PROJECT, Ended, command

from bulkzcrm.cli.session import SANDBOX_FILE
from bulkzcrm.sandbox import Sandbox

NOW = datetime(2030, 1, 7, 9, 30, tzinfo=UTC)
MIGRATION = PROJECT / "jobs" / "migration.toml"
NEW_SERVICES = ("Chimney Sweep", "Gutter Cleaning", "Heat Pump Check", "Home Inspection", "Lock Change")
MIGRATED = {
    "job sheets": False,
    "hours": ["10:00", "18:00"],
    "new services": NEW_SERVICES,
    "active rules": {"Trade fair", "Newsletter", "Renewals"},
}
BEFORE = {
    "job sheets": True,
    "hours": ["09:00", "19:00"],
    "new services": (),
    "active rules": {"Web visitors", "Newsletter", "Hot leads"},
}


def standing(sandbox: Sandbox) -> dict[str, object]:
    """Return what the migration changes in an organisation."""
    return {
        "job sheets": sandbox.preferences()["job_sheet_enabled"],
        "hours": sandbox.business_hours()["daily_timing"],
        "new services": tuple(sorted(str(each["Service_Name"]) for each in sandbox.services()[12:])),
        "active rules": {str(rule["name"]) for rule in sandbox.scoring_rules() if rule["active"]},
    }


async def standing_in(folder: Path) -> dict[str, object]:
    async with Sandbox(folder / SANDBOX_FILE) as sandbox:
        return standing(sandbox)


async def typed(home: Path, *words: object, sandbox: Sandbox | None = None) -> Ended:
    """Type a command; with a sandbox, that one is the organisation."""
    settings = sandbox.environment() if sandbox else None
    return await to_thread.run_sync(
        partial(command, [str(word) for word in words], home, lambda: NOW, settings), abandon_on_cancel=True
    )


def states_of_steps(ended: Ended) -> list[tuple[str, str]]:
    return [(step["operation"], step["state"]) for step in json.loads(ended.out)["steps"]]
