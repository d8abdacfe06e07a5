"""Statements about what all runs on one organisation share: requests in flight, pauses, and the credits of a day.

Who may have how much is decided elsewhere; here it is only kept. Every method
belongs into a transaction of the caller's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Final, final

from bulkzcrm.journal.database import Database

__all__ = ["BUCKET_MS", "DAY_MS", "LONGEST_PAUSE_MS", "Holding", "Shares", "Spending", "Standing"]

BUCKET_MS: Final = 5 * 60 * 1000
"""Credits are counted together that were spent in the same five minutes."""
DAY_MS: Final = 24 * 60 * 60 * 1000
"""A credit comes free again after this time."""
LONGEST_PAUSE_MS: Final = 15 * 60_000
"""No run imposes a longer pause on others: they may ask again after this time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What one run takes of the organisation's limits. Moments are milliseconds UTC, the rest requests or credits."""

    owner: str
    started_ms: int
    expires_ms: int
    ceiling: int
    """Requests that the organisation allows at once, over all runs, as this one knows it."""
    most: int
    """Requests that this run may have in flight at most."""
    wanted: int
    """Requests that it has had a use for lately."""
    held: int
    """Requests that it may have in flight."""
    pace: int
    """Requests at once that went well for it."""
    reserved: int
    """Credits that it may spend before it asks again; they count as spent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How an organisation stands with all runs together."""

    holdings: tuple[Holding, ...] = ()
    """The longest at work first."""
    cuts: int = 0
    paused_until_ms: int | None = None
    learned_limit: int | None = None
    credits_remaining: int | None = None
    credits_seen_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Spending:
    """Credits spent in one span of five minutes, and the moment from which all of them are free again."""

    used: int
    free_ms: int


_HOLDING: Final = tuple(each.name for each in fields(Holding))
_KNOWN: Final = ("cuts", "paused_until_ms", "learned_limit", "credits_remaining", "credits_seen_ms")


@final
class Shares:
    """The statements for one organisation."""

    def __init__(self, database: Database, organisation_id: str) -> None:
        self._database = database
        self._id = organisation_id

    def standing(self, now_ms: int) -> Standing:
        """Return what there is; nothing of an organisation that is new.

        A pause that lasts too long, and what was seen later than now, were written under a clock that was wrong.
        """
        known = self._database.one(
            f"SELECT {', '.join(_KNOWN)} FROM organisation WHERE id = ?",  # noqa: S608  names of ours
            (self._id,),
        )
        holdings = self._database.all(
            f"SELECT {', '.join(_HOLDING)} FROM share WHERE organisation_id = ? ORDER BY started_ms, owner",  # noqa: S608
            (self._id,),
        )
        standing = Standing(
            holdings=tuple(Holding(**dict(each)) for each in holdings), **(dict(known) if known else {})
        )
        if (standing.paused_until_ms or 0) > now_ms + LONGEST_PAUSE_MS:
            standing = replace(standing, paused_until_ms=None)
        if (standing.credits_seen_ms or 0) > now_ms:
            standing = replace(standing, credits_remaining=None, credits_seen_ms=None)
        return standing

    def keep(self, holding: Holding) -> None:
        """Write a holding in place of the one that its owner had."""
        updates = ", ".join(f"{name} = excluded.{name}" for name in _HOLDING if name != "owner")
        self._database.change(
            f"INSERT INTO share (organisation_id, {', '.join(_HOLDING)})"  # noqa: S608  names of ours
            f" VALUES (?, {', '.join('?' * len(_HOLDING))})"
            f" ON CONFLICT (organisation_id, owner) DO UPDATE SET {updates}",
            (self._id, *(getattr(holding, name) for name in _HOLDING)),
        )

    def drop(self, owners: Sequence[str]) -> None:
        """Forget the holdings of owners who are at work no more."""
        self._database.change_many(
            "DELETE FROM share WHERE organisation_id = ? AND owner = ?", [(self._id, owner) for owner in owners]
        )

    def spend(self, credits_: int, now_ms: int) -> None:
        """Count credits as spent now, and forget those that have come free."""
        self._database.change(
            "DELETE FROM credit WHERE organisation_id = ? AND bucket_ms <= ?", (self._id, now_ms - DAY_MS - BUCKET_MS)
        )
        self._database.change(
            "INSERT INTO credit (organisation_id, bucket_ms, used) VALUES (?, ?, ?)"
            " ON CONFLICT (organisation_id, bucket_ms) DO UPDATE SET used = credit.used + excluded.used",
            (self._id, now_ms - now_ms % BUCKET_MS, credits_),
        )

    def spendings(self, now_ms: int) -> list[Spending]:
        """Return what was spent in the last 24 hours, the oldest first. What a span holds comes free with its end.

        Of spans that lie ahead only the next one counts, for a clock that was set back a little.
        """
        rows = self._database.all(
            "SELECT bucket_ms, used FROM credit WHERE organisation_id = ? AND bucket_ms > ? AND bucket_ms <= ?"
            " ORDER BY bucket_ms",
            (self._id, now_ms - DAY_MS - BUCKET_MS, now_ms + BUCKET_MS),
        )
        return [Spending(row["used"], row["bucket_ms"] + BUCKET_MS + DAY_MS) for row in rows]

    def cut(self, seen: int) -> int:
        """Count one cut more, unless others have cut since `seen` were counted; return how many there are now."""
        self._make_known()
        self._database.change("UPDATE organisation SET cuts = cuts + 1 WHERE id = ? AND cuts = ?", (self._id, seen))
        known = self._database.one("SELECT cuts FROM organisation WHERE id = ?", (self._id,))
        return known["cuts"] if known else 0

    def pause(self, until_ms: int, now_ms: int) -> None:
        """Let all runs pause until a moment, or for longer if that was said already and is no nonsense."""
        self._make_known()
        self._database.change(
            "UPDATE organisation SET paused_until_ms = ?"
            " WHERE id = ? AND (paused_until_ms IS NULL OR paused_until_ms < ? OR paused_until_ms > ?)",
            (until_ms, self._id, until_ms, now_ms + LONGEST_PAUSE_MS),
        )

    def learn_limit(self, limit: int, now_ms: int) -> None:
        """Keep how many requests at once the organisation bears, over all runs."""
        self._make_known()
        self._database.change(
            "UPDATE organisation SET learned_limit = ?, learned_ms = ? WHERE id = ?", (limit, now_ms, self._id)
        )

    def see_credits(self, remaining: int | None, limit: int | None, seen_ms: int) -> None:
        """Keep what the server has said of its credits, which is news; `None`: so many that it does not say."""
        self._make_known()
        self._database.change(
            "UPDATE organisation SET credits_remaining = ?, credits_limit = COALESCE(?, credits_limit),"
            " credits_seen_ms = ? WHERE id = ?",
            (remaining, limit, seen_ms, self._id),
        )

    def _make_known(self) -> None:
        self._database.change("INSERT INTO organisation (id) VALUES (?) ON CONFLICT (id) DO NOTHING", (self._id,))
