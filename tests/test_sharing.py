"""All runs on one organisation together: never more at once than it allows, fair, and of one mind about pauses."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shares import ORGANISATION, Crowd, answer, machine, quiet

from bulkzcrm.events import Noted, Waiting
from bulkzcrm.owners import dead, owner_name
from bulkzcrm.sharing import LEASE_MS, Share, portions


async def test_a_run_that_is_alone_has_everything_from_the_start(tmp_path):
    async with machine(tmp_path) as here:
        share = await here.joined(6)
        assert (share.limiter.allotted, share.held) == (6, 6)


async def test_two_runs_share_half_and_half_and_never_hold_too_much(tmp_path):
    async with machine(tmp_path) as here:
        first = await here.joined(6)
        await here.crowd(first, 10)
        second = await here.joined(6)
        crowd = await here.crowd(second, 10)
        assert here.held(first, second) == [6, 0]
        assert crowd.inside == 0
        for _ in range(3):
            await here.beats(first, second, rounds=1)
            assert sum(here.held(first, second)) <= 6
        assert second.limiter.allotted == 0, "the first has six in flight still"
        assert first.limiter.allotted == 3


async def test_a_run_that_must_shrink_gives_back_what_ends(tmp_path):
    async with machine(tmp_path) as here:
        first = await here.joined(6)
        crowd = await here.crowd(first, 6)
        assert crowd.inside == 6
        second = await here.joined(6)
        other = await here.crowd(second, 6)
        await here.beats(first, second, rounds=1)
        assert here.held(first, second) == [6, 0]
        await here.beats(first, second, rounds=1)
        await crowd.end(2)
        await here.beats(first, second, rounds=1)
        assert here.held(first, second) == [4, 2]
        await crowd.end(3)
        await here.beats(first, second)
        assert here.held(first, second) == [3, 3]
        assert (crowd.inside, other.inside) == (3, 3)


async def test_places_that_nobody_stands_in_are_given_back_within_one_beat(tmp_path):
    async with machine(tmp_path) as here:
        first, second = await here.joined(6), await here.joined(6)
        assert here.held(first, second) == [6, 0]
        await first.beat()
        assert here.held(first, second) == [3, 0]
        await second.beat()
        assert here.held(first, second) == [3, 3]


async def test_a_place_that_is_taken_while_the_runs_agree_is_not_given_to_another(tmp_path):
    async with machine(tmp_path) as here, AsyncExitStack() as places:
        first, second = await here.joined(6), await here.joined(6)
        with here.journal.transaction():
            beat = asyncio.create_task(first.beat())
            await quiet()
            assert not beat.done()
            for _ in range(6):
                await places.enter_async_context(first.limiter.slot())
        await beat
        await second.beat()
        assert here.held(first, second) == [6, 0]


async def test_what_one_run_has_no_use_for_another_one_gets(tmp_path):
    async with machine(tmp_path) as here:
        modest = await here.joined(6)
        await here.crowd(modest, 1)
        greedy = await here.joined(6)
        await here.crowd(greedy, 20)
        await here.beats(modest, greedy)
        assert here.held(modest, greedy) == [1, 5]


async def test_a_run_that_falls_quiet_lends_its_places_and_gets_them_back(tmp_path):
    async with machine(tmp_path) as here:
        first, second = await here.joined(6), await here.joined(6)
        one, other = await here.crowd(first, 9), await here.crowd(second, 9)
        await here.beats(first, second)
        await one.end(9)
        await here.beats(first, second)
        assert here.held(first, second) == [3, 3]
        await one.go()
        await here.beats(first, second, rounds=12)
        assert here.held(first, second) == [0, 6]
        await here.crowd(first, 9)
        await here.beats(first, second, rounds=1)
        await other.end(6)
        await here.beats(first, second)
        assert here.held(first, second) == [3, 3]


async def test_no_run_holds_more_than_it_can_use(tmp_path):
    async with machine(tmp_path) as here:
        one_at_a_time = await here.joined(6, most=1)
        other = await here.joined(6)
        await here.beats(one_at_a_time, other)
        assert here.held(one_at_a_time, other) == [1, 5]


async def test_the_lowest_ceiling_that_anybody_knows_holds_for_all(tmp_path):
    """Writes of many records fall under a lower limit, which they would exceed together with other requests."""
    async with machine(tmp_path) as here:
        small, big = await here.joined(20), await here.joined(10)
        await here.crowd(small, 30)
        await here.crowd(big, 30)
        await here.beats(small, big)
        assert sum(here.held(small, big)) <= 20
        assert small.limiter.allotted == 5


async def test_runs_that_there_is_no_place_for_wait_and_say_so_once(tmp_path):
    async with machine(tmp_path) as here:
        shares = [await here.joined(2) for _ in range(3)]
        crowds = [await here.crowd(share, 3) for share in shares]
        for _ in range(5):
            await crowds[0].end(2)
            await here.beats(*shares, rounds=1)
        assert here.held(*shares) == [1, 1, 0]
        assert [crowd.inside for crowd in crowds] == [1, 1, 0]
        notes = [event.text for event in here.events if isinstance(event, Noted)]
        assert len([note for note in notes if note.startswith("2 other runs on this machine")]) == 1
        await crowds[0].go()
        await shares[0].leave()
        await here.beats(*shares[1:])
        assert here.held(*shares[1:]) == [1, 1]
        assert crowds[2].inside == 1


async def test_leaving_frees_everything_at_once(tmp_path):
    async with machine(tmp_path) as here:
        first, second = await here.joined(6), await here.joined(6)
        await first.leave()
        await here.beats(second, rounds=1)
        assert second.limiter.allotted == 6


async def test_places_of_a_process_that_has_died_are_free_at_once(tmp_path):
    async with machine(tmp_path) as here:
        first, second = await here.joined(6), await here.joined(6)
        here.dead.add(first.owner)
        await here.beats(second, rounds=1)
        assert here.held(first, second) == [0, 6]


async def test_places_of_a_process_that_nobody_can_see_are_free_when_its_holding_has_run_out(tmp_path):
    async with machine(tmp_path) as here:
        first, second = await here.joined(6), await here.joined(6)
        here.pass_(LEASE_MS / 1000 - 1)
        await second.beat()
        assert here.held(first, second) == [6, 0]
        here.pass_(1)
        await second.beat()
        assert here.held(first, second) == [0, 6]
        assert not first.is_current


async def test_a_process_that_was_suspended_asks_anew_before_anything_leaves(tmp_path):
    async with machine(tmp_path) as here:
        sleeper, other = await here.joined(6), await here.joined(6)
        here.pass_(60)
        crowd = await here.crowd(other, 6)
        await other.beat()
        await crowd.settled()
        assert crowd.inside == 6
        assert sleeper.limiter.allotted == 6
        assert not await sleeper.admit(1)
        assert sleeper.limiter.allotted == 0
        assert sum(here.held(sleeper, other)) == 6


def test_names_of_this_process_are_alive_and_names_that_others_had_under_its_number_are_not():
    name = owner_name()
    host, pid, _ = name.split("/")
    assert not dead(name)
    assert dead(f"{host}/{pid}/00000000")
    assert not dead(f"elsewhere/{pid}/00000000")
    assert not dead(f"{host}/{'9' * 30}/00000000")
    assert not dead(None)


async def grown(*shares: Share) -> None:
    """Let every run find out that the organisation bears as much as it may have in flight."""
    for share in shares:
        for _ in range(6):
            async with AsyncExitStack() as places:
                for _ in range(share.limiter.limit):
                    await places.enter_async_context(share.limiter.slot())
                for _ in range(share.limiter.in_flight):
                    share.limiter.clean()


async def throttled(share: Share, retry_after: float | None = None) -> None:
    """Let one request be turned away."""
    async with share.limiter.slot():
        assert await share.admit(1)
        share.limiter.throttled(retry_after)
        share.spent(1, answer(429))
        share.release(1)
    # The others are told by another thread, and nobody waits for that; what it does now comes after it.
    await share.write(lambda _: None)


async def test_a_pause_and_a_cut_that_one_run_was_taught_hold_for_all(tmp_path):
    async with machine(tmp_path) as here:
        first, second = await here.joined(8), await here.joined(8)
        await here.beats(first, second)
        assert [share.limiter.limit for share in (first, second)] == [4, 4]
        await throttled(first, 30.0)
        assert second.limiter.pause_left == 0
        await second.beat()
        assert [share.limiter.limit for share in (first, second)] == [2, 2]
        assert second.limiter.pause_left == pytest.approx(30, abs=0.1)
        assert [event.seconds for event in here.events if isinstance(event, Waiting)] == [pytest.approx(30, abs=0.1)]
        await here.beats(first, second)
        assert [share.limiter.limit for share in (first, second)] == [2, 2], "once, and not at every beat"
        assert second.limiter.pause_left <= 27.1
        late = await here.joined(8)
        assert late.limiter.pause_left == pytest.approx(second.limiter.pause_left, abs=0.1)


async def test_runs_that_are_turned_away_together_halve_their_limits_once(tmp_path):
    async with machine(tmp_path) as here:
        first, second, third = [await here.joined(12) for _ in range(3)]
        await here.beats(first, second, third)
        async with first.limiter.slot(), second.limiter.slot():
            for share in (first, second):
                assert await share.admit(1)
            for share in (first, second):
                share.limiter.throttled()
                share.spent(1, answer(429))
                share.release(1)
        await here.beats(first, second, third)
        assert [share.limiter.limit for share in (first, second, third)] == [2, 2, 2]


async def test_a_longer_pause_than_a_quarter_of_an_hour_is_not_imposed_on_others(tmp_path):
    async with machine(tmp_path) as here:
        first, second = await here.joined(8), await here.joined(8)
        await here.beats(first, second)
        await throttled(first, 86_400.0)
        await second.beat()
        assert first.limiter.pause_left == pytest.approx(86_400, abs=5)
        assert second.limiter.pause_left == pytest.approx(900, abs=5)


async def test_a_pause_that_a_clock_far_ahead_has_left_behind_holds_nobody_and_stands_in_no_ones_way(tmp_path):
    """No pause is ever imposed for so long: it tells of a clock that was wrong, not of the organisation."""
    async with machine(tmp_path) as here:
        here.ahead = timedelta(days=365)
        ahead = await here.joined(8)
        await throttled(ahead, 30.0)
        await ahead.leave()
        here.ahead = timedelta()
        first, second = await here.joined(8), await here.joined(8)
        await here.beats(first, second)
        assert [share.limiter.pause_left for share in (first, second)] == [0, 0]
        assert not [event for event in here.events if isinstance(event, Waiting)]
        await throttled(first, 30.0)
        await second.beat()
        assert second.limiter.pause_left == pytest.approx(30, abs=0.1)


async def test_a_run_whose_clock_is_set_back_tells_the_others_of_its_pauses_still(tmp_path):
    async with machine(tmp_path) as here:
        here.ahead = timedelta(days=365)
        first = await here.joined(8)
        await throttled(first, 30.0)
        await first.beat()
        here.ahead = timedelta()
        here.pass_(31)
        second = await here.joined(8)
        await here.beats(first, second)
        await throttled(first, 900.0)
        await second.beat()
        assert second.limiter.pause_left == pytest.approx(900, abs=5)


async def test_a_holding_that_ends_absurdly_late_counts_no_longer_than_any_other(tmp_path):
    async with machine(tmp_path) as here:
        here.ahead = timedelta(days=365)
        gone = await here.joined(6)
        here.ahead = timedelta()
        second = await here.joined(6)
        assert here.held(gone, second) == [6, 0]
        here.pass_(LEASE_MS / 1000 - 1)
        await second.beat()
        assert here.held(gone, second) == [6, 0]
        here.pass_(1)
        await second.beat()
        assert here.held(gone, second) == [0, 6]


async def test_what_the_organisation_bore_is_kept_for_all_runs_together(tmp_path):
    async with machine(tmp_path, learned=None) as here:
        first, second = await here.joined(20), await here.joined(20)
        await here.beats(first, second)
        await grown(first, second)
        await throttled(first)
        await here.beats(first, second)
        assert [share.limiter.limit for share in (first, second)] == [5, 5]
        await first.leave()
        await second.leave()
        assert here.journal.organisation(ORGANISATION).learned_limit == 5
        third = await here.joined(20)
        assert third.limiter.limit == 5


async def test_a_beat_without_news_writes_nothing_but_a_renewal_every_ten_seconds(tmp_path):
    async with machine(tmp_path) as here:
        shares = [await here.joined(6), await here.joined(6)]
        await here.beats(*shares, rounds=12)
        watcher = sqlite3.connect(here.journal.path)
        try:
            versions = []
            for _ in range(30):
                await here.beats(shares[0], rounds=1)
                versions.append(watcher.execute("PRAGMA data_version").fetchone()[0])
        finally:
            watcher.close()
        assert len(set(versions)) <= 4


@given(
    claims=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=8),
    capacity=st.integers(0, 30),
)
def test_portions_are_max_min_fair(claims, capacity):
    given_ = portions(claims, capacity)
    bounds = [most for _, most in claims]
    assert sum(given_) == min(capacity, sum(bounds))
    for (wanted, most), got in zip(claims, given_, strict=True):
        assert 0 <= got <= most
        if got < min(wanted, most):
            assert all(other <= got + 1 or other <= 0 for other in given_)
    assert given_ == portions(claims, capacity)


async def test_a_run_that_may_do_little_teaches_nothing_about_what_the_organisation_bears(tmp_path):
    async with machine(tmp_path, learned=6) as here:
        share = await here.joined(10, most=2)
        await grown(share)
        await share.leave()
        assert here.journal.organisation(ORGANISATION).learned_limit == 6


MOVES = st.one_of(
    st.tuples(st.just("join"), st.just(0), st.integers(1, 6)),
    st.tuples(st.sampled_from(["beat", "beat", "beat", "leave", "die", "vanish"]), st.integers(0, 4), st.just(0)),
    st.tuples(st.sampled_from(["come", "end"]), st.integers(0, 4), st.integers(1, 8)),
    st.tuples(st.just("pass"), st.just(0), st.sampled_from([1, 1, 5, 31])),
)


@settings(max_examples=25)
@given(ceiling=st.integers(1, 7), moves=st.lists(MOVES, min_size=5, max_size=40))
def test_whatever_happens_no_more_is_held_than_allowed_and_nobody_starves(ceiling, moves):
    """Runs join, send, leave, die seen or unseen, and sleep through their holding's end, in any order."""

    async def scenario(folder: Path) -> None:
        async with machine(folder) as here:
            crowds: list[Crowd] = []
            asleep: set[str] = set()
            for move, place, number in moves:
                crowd = crowds[place % len(crowds)] if crowds else None
                match move:
                    case "join" if len(crowds) < 5:
                        share = await here.joined(ceiling, most=number)
                        crowds.append(await here.crowd(share, 0))
                    case "pass":
                        here.pass_(number)
                    case "beat" if crowd:
                        await crowd.share.beat()
                    case "come" if crowd:
                        await crowd.come(number)
                    case "end" if crowd:
                        await crowd.end(number)
                    case "leave" if crowd:
                        await crowd.go()
                        await crowd.share.leave()
                        crowds.remove(crowd)
                    case "die" if crowd:
                        await crowd.go()
                        here.dead.add(crowd.share.owner)
                        crowds.remove(crowd)
                    case "vanish" if crowd:
                        await crowd.go()
                        crowds.remove(crowd)
                for each in crowds:
                    await each.settled()
                asleep |= {each.share.owner for each in crowds if not each.share.is_current}
                assert sum(here.held(*here.shares)) <= ceiling
                awake = [each for each in crowds if each.share.owner not in asleep]
                assert sum(each.share.limiter.in_flight for each in awake) <= ceiling
                assert all(each.share.limiter.allotted <= each.share.held for each in awake)
            here.pass_(31)
            for each in crowds:
                await each.come(1)
            for _ in range(5):
                for each in crowds:
                    await each.end(each.inside)
                await here.beats(*(each.share for each in crowds), rounds=1)
            assert sum(each.share.limiter.allotted > 0 for each in crowds) == min(len(crowds), ceiling)

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(scenario(Path(folder)))
