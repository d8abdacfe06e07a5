"""The guards of what runs share: places in flight, credits, pauses, and access tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from guards import Guard

from bulkzcrm import auth
from bulkzcrm.auth import TokenSource
from bulkzcrm.journal import Shares, Standing
from bulkzcrm.limiter import Limiter
from bulkzcrm.private_files import FileLock
from bulkzcrm.run import keeping, phase
from bulkzcrm.sharing import Share, agreement, line


def _hold_what_others_hold(patch: pytest.MonkeyPatch) -> None:
    places = agreement._places

    def alone(terms: Any, own: Any, before: Any, _others: Any) -> tuple[int, int]:
        return places(terms, own, before, [])

    patch.setattr(agreement, "_places", alone)


def _keep_in_flight_what_was_given_away(patch: pytest.MonkeyPatch) -> None:
    position = Share._position

    def forgetful(share: Share) -> Any:
        return replace(position(share), in_use=0)

    patch.setattr(Share, "_position", forgetful)


def _wait_for_the_dead(patch: pytest.MonkeyPatch) -> None:
    agree = line.agree

    def trusting(shares: Any, terms: Any, own: Any, _is_dead: Any) -> Any:
        return agree(shares, terms, own, lambda _owner: False)

    patch.setattr(line, "agree", trusting)


def _let_nothing_run_out(patch: pytest.MonkeyPatch) -> None:
    standing = Shares.standing

    def for_ever(shares: Shares, now_ms: int) -> Standing:
        known = standing(shares, now_ms)
        return replace(known, holdings=tuple(replace(each, expires_ms=2**60) for each in known.holdings))

    patch.setattr(Shares, "standing", for_ever)


def _send_by_a_holding_that_has_run_out(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Share, "is_current", property(lambda _share: True))


def _with_other_terms(**changes: Any) -> Any:
    def remove(patch: pytest.MonkeyPatch) -> None:
        terms_of = phase.terms_of
        patch.setattr(phase, "terms_of", lambda *facts, **more: replace(terms_of(*facts, **more), **changes))

    return remove


def _spend_what_others_set_aside(patch: pytest.MonkeyPatch) -> None:
    credits_ = agreement._credits
    patch.setattr(agreement, "_credits", lambda shares, terms, own, _others: credits_(shares, terms, own, []))


def _charge_nothing_for_the_dead(patch: pytest.MonkeyPatch) -> None:
    agree = line.agree

    def forgiving(shares: Any, *facts: Any) -> Any:
        own = facts[1]
        gone = [
            each.owner
            for each in shares.standing(own.now_ms).holdings
            if each.expires_ms <= own.now_ms or facts[2](each.owner)
        ]
        shares.drop([owner for owner in gone if owner != own.owner])
        return agree(shares, *facts)

    patch.setattr(line, "agree", forgiving)


def _go_on_without_credits(patch: pytest.MonkeyPatch) -> None:
    async def on(_share: Share) -> None:
        return

    patch.setattr(Share, "go_on", on)


def _keep_it_to_oneself(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Share, "_tell_others", lambda _share: None)


def _let_everybody_in(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Limiter, "throttled", lambda _limiter, _retry_after=None: None)


def _renew_nothing(patch: pytest.MonkeyPatch) -> None:
    async def beating(keeper: keeping.Keeper) -> None:
        while True:
            await anyio.sleep(keeping.BEAT_S)
            await keeper._share.beat()

    patch.setattr(keeping.Keeper, "_keep", beating)


class _Open:
    """A lock that locks nothing."""

    async def __aenter__(self) -> None:
        await anyio.lowlevel.checkpoint()

    async def __aexit__(self, *_error: object) -> None:
        return


def _ask_for_a_token_each(patch: pytest.MonkeyPatch) -> None:
    begin = TokenSource.__init__

    def begun(source: TokenSource, *facts: Any, **more: Any) -> None:
        begin(source, *facts, **more)
        vars(source)["_single"] = _Open()

    patch.setattr(TokenSource, "__init__", begun)
    _renew_beside_others(patch)


def _renew_beside_others(patch: pytest.MonkeyPatch) -> None:
    @asynccontextmanager
    async def beside(_source: TokenSource) -> AsyncIterator[None]:
        yield

    patch.setattr(TokenSource, "_alone_on_this_computer", beside)


def _take_a_lock_that_is_taken(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(FileLock, "try_lock", staticmethod(lambda _descriptor: True))


def _ask_for_any_number_of_tokens(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(auth, "_mind_the_limit", lambda *_facts: None)


GUARDS = (
    Guard(
        name="what other runs hold is not held twice",
        remove=_hold_what_others_hold,
        noticed_by=[
            "test_sharing.py::test_two_runs_share_half_and_half_and_never_hold_too_much",
            "test_sharing.py::test_a_run_that_must_shrink_gives_back_what_ends",
        ],
    ),
    Guard(
        name="a place is given back only once it is empty",
        remove=_keep_in_flight_what_was_given_away,
        noticed_by=["test_sharing.py::test_a_run_that_must_shrink_gives_back_what_ends"],
    ),
    Guard(
        name="what a dead process holds is free at once",
        remove=_wait_for_the_dead,
        noticed_by=["test_sharing.py::test_places_of_a_process_that_has_died_are_free_at_once"],
    ),
    Guard(
        name="what is not renewed runs out",
        remove=_let_nothing_run_out,
        noticed_by=[
            "test_sharing.py::test_places_of_a_process_that_nobody_can_see_are_free_when_its_holding_has_run_out"
        ],
    ),
    Guard(
        name="who stood still for too long asks anew before anything leaves",
        remove=_send_by_a_holding_that_has_run_out,
        noticed_by=["test_sharing.py::test_a_process_that_was_suspended_asks_anew_before_anything_leaves"],
    ),
    Guard(
        name="--max-credits is never exceeded",
        remove=_with_other_terms(max_credits=None),
        noticed_by=[
            "test_sharing_runs.py::test_a_run_stops_at_its_budget_says_when_to_resume_and_goes_on_with_another_one"
        ],
    ),
    Guard(
        name="credits are left for others",
        remove=_with_other_terms(floor=0),
        noticed_by=["test_sharing_runs.py::test_credits_are_left_for_other_integrations"],
    ),
    Guard(
        name="credits that another run has set aside are not spent",
        remove=_spend_what_others_set_aside,
        noticed_by=["test_credits.py::test_all_runs_together_spend_no_more_than_allowed"],
    ),
    Guard(
        name="credits that the dead had set aside count as spent",
        remove=_charge_nothing_for_the_dead,
        noticed_by=["test_credits.py::test_what_a_process_had_set_aside_when_it_died_counts_as_spent"],
    ),
    Guard(
        name="a run whose credits are gone stops at once",
        remove=_go_on_without_credits,
        noticed_by=[
            "test_sharing_runs.py::test_a_run_whose_credits_are_gone_stops_at_once_instead_of_trying_for_ten_minutes"
        ],
    ),
    Guard(
        name="a pause that one run was taught holds for all",
        remove=_keep_it_to_oneself,
        noticed_by=["test_sharing.py::test_a_pause_and_a_cut_that_one_run_was_taught_hold_for_all"],
    ),
    Guard(
        name="a pause holds for all workers of a run",
        remove=_let_everybody_in,
        noticed_by=["test_sending.py::test_a_pause_asked_by_the_server_holds_for_all_workers"],
    ),
    Guard(
        name="a run is renewed while it waits",
        remove=_renew_nothing,
        noticed_by=["test_claim.py::test_a_run_is_renewed_while_its_process_waits"],
    ),
    Guard(
        name="workers renew a token together",
        remove=_ask_for_a_token_each,
        noticed_by=["test_auth.py::test_token_is_asked_for_once_by_any_number_of_workers"],
    ),
    Guard(
        name="processes renew a token together",
        remove=_renew_beside_others,
        noticed_by=["test_auth.py::test_processes_that_need_a_token_at_once_ask_for_one"],
    ),
    Guard(
        name="a lock that another process has is not taken",
        remove=_take_a_lock_that_is_taken,
        noticed_by=[
            "test_auth.py::test_lock_is_free_again_when_its_holder_is_gone",
            "test_auth.py::test_process_that_renews_is_waited_for_but_not_for_ever",
        ],
    ),
    Guard(
        name="no more than ten tokens are asked for in ten minutes",
        remove=_ask_for_any_number_of_tokens,
        noticed_by=[
            "test_auth.py::test_eleventh_token_in_ten_minutes_is_not_asked_for",
            "test_auth.py::test_throttled_client_waits_ten_minutes_in_every_process",
        ],
    ),
)
