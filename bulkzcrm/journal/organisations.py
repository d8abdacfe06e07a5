"""Statements about organisations: what was learned about them and outlives a run."""

from __future__ import annotations

from bulkzcrm.journal.database import Database
from bulkzcrm.journal.records import Organisation

_LEARNED = (
    "learned_limit",
    "learned_ms",
    "paused_until_ms",
    "credits_limit",
    "credits_remaining",
    "credits_seen_ms",
)


def find(database: Database, organisation_id: str) -> Organisation:
    """Return what is known; an organisation never heard of is one of which nothing is known."""
    row = database.one(
        f"SELECT {', '.join(_LEARNED)} FROM organisation WHERE id = ?",  # noqa: S608  names of ours
        (organisation_id,),
    )
    return Organisation(id=organisation_id) if row is None else Organisation(id=organisation_id, **dict(row))


def learn(database: Database, news: Organisation) -> None:
    """Write what is new; what is None there stays as it was."""
    columns = ("id", *_LEARNED)
    updates = ", ".join(f"{name} = COALESCE(excluded.{name}, organisation.{name})" for name in _LEARNED)
    database.change(
        f"INSERT INTO organisation ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608  names of ours
        f" ON CONFLICT (id) DO UPDATE SET {updates}",
        tuple(getattr(news, name) for name in columns),
    )
