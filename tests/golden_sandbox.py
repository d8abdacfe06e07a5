"""A running sandbox whose organisation and clock are those of a golden pair; both sides' tests stand on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from golden_pairs import GoldenPair, Json, extra_users

from bulkzcrm.sandbox import Sandbox, SandboxOptions, seed
from bulkzcrm.sandbox.options import ALL_SCOPES
from bulkzcrm.sandbox.store import Store

_SEEDED_AT = "2023-03-29T14:04:15+05:30"
_WRITTEN = {
    "Created_Time": _SEEDED_AT,
    "Modified_Time": _SEEDED_AT,
    "Created_By": seed.CURRENT_USER,
    "Modified_By": seed.CURRENT_USER,
}
_FORBIDDEN = {"set-scoring-rule-status": ("activate-scoring-rule", "deactivate-scoring-rule")}


@asynccontextmanager
async def sandbox_of(pair: GoldenPair, folder: Path) -> AsyncIterator[Sandbox]:
    """Serve the pair's organisation at the pair's moment; `folder` receives the state, if it is not the seeded one."""
    state = await _state(pair.organisation, folder) if _differs(pair.organisation) else None
    async with Sandbox(state=state, options=_options(pair.organisation), clock=lambda: pair.now) as sandbox:
        yield sandbox


def users_of(pair: GoldenPair) -> list[Json]:
    """All users of the pair's organisation, as a reading shows them: the seeded ones and the extra ones."""
    seeded = seed.users()
    extra = [
        {**seeded[1], "id": user, "email": f"user{number}@brighthome.example", "full_name": f"User Number{number}"}
        for number, user in enumerate(extra_users(pair.organisation.get("extra_users", 0)), start=1)
    ]
    return [*seeded, *extra]


def _differs(organisation: Mapping[str, Json]) -> bool:
    return not organisation.keys().isdisjoint({"services", "service_preferences", "business_hours"})


async def _state(organisation: Mapping[str, Json], folder: Path) -> Path:
    path = folder / "organisation.sqlite"
    async with Sandbox(state=path):
        pass  # a first start fills the file with the seeded organisation
    store = Store(path)
    try:
        with store.transaction():
            if "services" in organisation:
                store.execute("DELETE FROM services")
            for service in organisation.get("services", []):
                store.put_service({**seed.SERVICE_FIELDS_DEFAULT, **_WRITTEN, **service})
            for settings in organisation.keys() & {"service_preferences", "business_hours"}:
                store.put_document(settings, {**store.document(settings), **organisation[settings]})
    finally:
        store.close()
    return path


def _options(organisation: Mapping[str, Json]) -> SandboxOptions:
    names = (_FORBIDDEN.get(name, (name,)) for name in organisation.get("forbidden", []))
    return SandboxOptions(
        active_service_limit=organisation.get("active_services_limit", 500),
        active_rule_limit=organisation.get("active_rules_limit", 5),
        list_subforms=organisation.get("list_shows_members", False),
        scopes=frozenset(organisation.get("scopes", ALL_SCOPES)),
        forbidden=frozenset(name for several in names for name in several),
    )
