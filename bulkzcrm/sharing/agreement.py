"""What one run agrees on with all others in one transaction: how many places are its own, and how many credits.

All holdings together never exceed what the organisation allows. So a run that must shrink goes on holding what it may
still have in flight, and a run that may grow gets no more than is free.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from bulkzcrm.journal import Holding, Shares, Standing
from bulkzcrm.sharing.portions import portions
from bulkzcrm.sharing.terms import Terms

__all__ = ["LEASE_MS", "Agreed", "Position", "agree", "part"]

LEASE_MS: Final = 30_000
"""How long a holding counts without being renewed."""
_RENEW_MS: Final = 10_000
_OLD_NEWS_MS: Final = 60_000
"""What the server said of its credits is said again after this time, though it is the same."""
_MOST_AHEAD: Final = 500
"""Credits set aside beyond what is asked for, at most, so that few requests have to ask: those of about a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How a run stands when it asks."""

    owner: str
    started_ms: int
    now_ms: int
    has_joined: bool
    """Whether it has had a holding before."""
    in_use: int
    """Requests that may be in flight until it hears the answer, at most."""
    wanted: int
    pace: int
    was_cut: bool
    """Whether the organisation has turned requests away since it joined."""
    spent: int
    """Credits that it has spent and not told yet."""
    lately: int
    """Credits that it has spent within a beat, of late."""
    outstanding: int
    """Credits set aside for requests that are not over."""
    need: int
    """Credits that requests are waiting for."""
    remaining: int | None
    """What the server has last said of its credits, and when."""
    seen_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """What is settled: the holding as it stands now, how many places it is to have, and what is known of the others."""

    holding: Holding
    target: int
    others: int
    used: int
    """Credits that count as spent, the other runs' reserves included."""
    standing: Standing


def agree(shares: Shares, terms: Terms, own: Position, is_dead: Callable[[str], bool]) -> Agreed:
    """Find out what this run may have, and write it down; nothing is written where nothing has changed."""
    standing = shares.standing(own.now_ms)
    before = next((each for each in standing.holdings if each.owner == own.owner), None)
    others = [each for each in standing.holdings if each.owner != own.owner]
    gone = [each for each in others if each.expires_ms <= own.now_ms or is_dead(each.owner)]
    others = [_bounded(shares, each, own.now_ms) for each in others if each not in gone]
    # A holding that somebody dropped was charged with all that it had reserved, and what it had spent was part of that.
    was_dropped = own.has_joined and before is None
    charged = sum(each.reserved for each in gone) + (0 if was_dropped else own.spent)
    if gone:
        shares.drop([each.owner for each in gone])
    if charged:
        shares.spend(charged, own.now_ms)
    target, held = _places(terms, own, before, others)
    used, reserved = _credits(shares, terms, own, others)
    holding = Holding(
        owner=own.owner,
        started_ms=before.started_ms if before else own.started_ms,
        expires_ms=before.expires_ms if before else own.now_ms,
        ceiling=terms.ceiling,
        most=terms.most,
        wanted=own.wanted,
        held=held,
        pace=before.pace if before else own.pace,
        reserved=reserved,
    )
    # Whoever's clock was set back has holdings that run too long, and renews them, too.
    is_fresh = LEASE_MS - _RENEW_MS < holding.expires_ms - own.now_ms <= LEASE_MS
    if holding != before or not is_fresh:
        holding = replace(holding, expires_ms=own.now_ms + LEASE_MS, pace=own.pace)
        shares.keep(holding)
        _learn(shares, terms, standing, others, own)
    _show_credits(shares, standing, terms, own)
    return Agreed(holding=holding, target=target, others=len(others), used=used, standing=standing)


def _bounded(shares: Shares, holding: Holding, now_ms: int) -> Holding:
    """Return a holding that ends no later than one which is renewed now: another clock may have been far ahead."""
    if holding.expires_ms <= now_ms + LEASE_MS:
        return holding
    holding = replace(holding, expires_ms=now_ms + LEASE_MS)
    shares.keep(holding)
    return holding


def part(shares: Shares, terms: Terms, own: Position) -> None:
    """Give everything back."""
    standing = shares.standing(own.now_ms)
    others = [each for each in standing.holdings if each.owner != own.owner]
    if len(others) < len(standing.holdings):
        if own.spent:
            shares.spend(own.spent, own.now_ms)
        shares.drop([own.owner])
    _learn(shares, terms, standing, others, own)


def _places(terms: Terms, own: Position, before: Holding | None, others: list[Holding]) -> tuple[int, int]:
    """Return how many places this run is to have, and how many its holding must hold until then."""
    capacity = min([terms.ceiling, *(each.ceiling for each in others)])
    mine = (before.started_ms if before else own.started_ms, own.owner)
    ranked = sorted(
        [
            (mine, (own.wanted, terms.most)),
            *(((each.started_ms, each.owner), (each.wanted, each.most)) for each in others),
        ]
    )
    shares_ = portions([holding for _, holding in ranked], capacity)
    target = next(places for (whose, _), places in zip(ranked, shares_, strict=True) if whose == mine)
    free = max(0, capacity - sum(each.held for each in others))
    return target, max(min(target, free), min(own.in_use, before.held if before else 0))


def _credits(shares: Shares, terms: Terms, own: Position, others: list[Holding]) -> tuple[int, int]:
    """Return the credits that count as spent but for this run's reserve, and how many it may reserve."""
    ahead = min(_MOST_AHEAD, 2 * own.lately)
    if terms.max_credits is None:
        return 0, own.outstanding + own.need + ahead
    used = sum(each.used for each in shares.spendings(own.now_ms)) + sum(each.reserved for each in others)
    left = max(0, terms.max_credits - used - own.outstanding)
    # The nearer the limit, the less is set aside that another run might need.
    ahead = min(ahead, max(0, left - own.need) // (4 * (len(others) + 1)))
    return used + own.outstanding, own.outstanding + min(left, own.need + ahead)


def _learn(shares: Shares, terms: Terms, standing: Standing, others: list[Holding], own: Position) -> None:
    """Keep what all runs together have found out that the organisation bears."""
    limit = min(terms.ceiling, own.pace + sum(each.pace for each in others))
    known = standing.learned_limit
    if limit != known and (own.was_cut or (known is not None and limit > known)):
        shares.learn_limit(limit, own.now_ms)


def _show_credits(shares: Shares, standing: Standing, terms: Terms, own: Position) -> None:
    """Tell the others what the server has said of its credits, where that is news."""
    if own.seen_ms is None or own.seen_ms <= (standing.credits_seen_ms or 0):
        return
    is_old = own.remaining is not None and own.seen_ms - (standing.credits_seen_ms or 0) > _OLD_NEWS_MS
    if own.remaining != standing.credits_remaining or is_old:
        shares.see_credits(own.remaining, terms.daily, own.seen_ms)
