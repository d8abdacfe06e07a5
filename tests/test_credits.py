"""Credits: counted over all runs of the machine, never more than allowed, some left for others, and when to go on."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from shares import BEGIN, ORGANISATION, answer, machine

from bulkzcrm.errors import StoppedError, UsageError
from bulkzcrm.run.options import RunOptions, credit_floor
from bulkzcrm.sharing import Share
from bulkzcrm.spec.limits import daily_credits

MOMENT = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d) \(([+-]\d\d:\d\d)\)")


async def request(share: Share, cost: int = 10, *, status: int = 200, remaining: int | None = None) -> None:
    """Make one request, as a client does."""
    async with share.limiter.slot():
        assert await share.admit(cost)
        try:
            if status == 429:
                share.limiter.throttled()
            share.spent(cost, answer(status, remaining))
        finally:
            share.release(cost)


async def requests_until_stopped(share: Share, cost: int = 10) -> tuple[int, StoppedError]:
    for made in range(1000):
        try:
            await request(share, cost)
        except StoppedError as error:
            return made, error
    raise AssertionError("Nothing has stopped it.")


def moments(error: StoppedError) -> list[datetime]:
    return [datetime.fromisoformat("".join(found)) for found in MOMENT.findall(error.cure)]


async def test_what_was_spent_is_in_the_journal_after_a_beat_and_counts_for_all_runs(tmp_path):
    async with machine(tmp_path) as here:
        first, second = await here.joined(), await here.joined()
        await here.beats(first, second)
        await request(first)
        await request(second, 3)
        await here.beats(first, second)
        assert here.credits() == 13
        assert first._holding.reserved == second._holding.reserved == 0, "an idle run keeps nothing back"


async def test_credits_that_left_before_joining_count_too(tmp_path):
    async with machine(tmp_path) as here:
        share = here.share()
        await share.join(spent=2, remaining=None)
        assert here.credits() == 2


async def test_no_more_is_spent_than_allowed_and_the_stop_says_when_to_resume(tmp_path):
    async with machine(tmp_path) as here:
        share = await here.joined(max_credits=55)
        made, error = await requests_until_stopped(share)
        assert made == 5
        assert error.message == (
            "--max-credits allows 55 credits within 24 hours; the runs on this machine have used 50, "
            "and the next request costs 10."
        )
        assert error.exit_status == 3
        assert moments(error) == [BEGIN.replace(minute=35) + timedelta(days=1)]
        await share.leave()
        assert here.credits() == 50


async def test_all_runs_together_spend_no_more_than_allowed(tmp_path):
    async with machine(tmp_path) as here:
        shares = [await here.joined(max_credits=1000) for _ in range(3)]
        await here.beats(*shares)
        left = list(shares)
        made = 0
        while left:
            for share in list(left):
                try:
                    await request(share, 7)
                    made += 1
                except StoppedError:
                    await share.leave()
                    left.remove(share)
            here.pass_(0.05)
        assert here.credits() == made * 7
        assert 900 < made * 7 <= 1000


async def test_spent_credits_come_free_after_a_day_and_their_five_minutes(tmp_path):
    async with machine(tmp_path) as here:
        share = await here.joined(max_credits=20)
        await request(share)
        await share.beat()
        here.pass_(3600)
        assert not await share.admit(1), "its holding has run out meanwhile"
        await request(share)
        _, error = await requests_until_stopped(share)
        first, last = moments(error)
        assert (first, last) == (BEGIN.replace(minute=35) + timedelta(days=1), first + timedelta(hours=1))
        here.now = first.astimezone(UTC) - timedelta(seconds=1)
        await share.beat()
        assert (await requests_until_stopped(share))[0] == 0
        here.now = first.astimezone(UTC)
        assert (await requests_until_stopped(share))[0] == 1
        here.now = last.astimezone(UTC)
        await share.beat()
        assert here.credits() == 10


async def test_what_a_process_had_set_aside_when_it_died_counts_as_spent(tmp_path):
    """So that a run which is killed again and again cannot spend more than allowed."""
    async with machine(tmp_path) as here:
        victim, other = await here.joined(max_credits=500), await here.joined(max_credits=500)
        for _ in range(6):
            await request(victim)
        await victim.beat()
        for _ in range(3):
            await request(victim)
        here.dead.add(victim.owner)
        await other.beat()
        assert 90 <= here.credits() <= 200


async def test_a_run_whose_holding_was_dropped_does_not_count_its_credits_twice(tmp_path):
    async with machine(tmp_path) as here:
        sleeper, other = await here.joined(), await here.joined()
        await request(sleeper)
        here.pass_(60)
        await other.beat()
        charged = here.credits()
        assert charged >= 10
        await sleeper.beat()
        assert here.credits() == charged


async def test_a_request_that_costs_more_than_ever_allowed_says_so(tmp_path):
    async with machine(tmp_path) as here:
        share = await here.joined(max_credits=5)
        with pytest.raises(StoppedError, match="more than --max-credits 5 ever allows"):
            await share.admit(10)
        assert await share.admit(5)
        share.release(5)


async def test_a_request_that_never_left_costs_nothing(tmp_path):
    async with machine(tmp_path) as here:
        share = await here.joined(max_credits=10)
        for _ in range(5):
            assert await share.admit(10)
            share.release(10)
        await here.beats(share)
        assert here.credits() == 0


async def test_what_is_left_for_others_is_not_touched(tmp_path):
    async with machine(tmp_path) as here:
        share = await here.joined(floor=1000, floor_told="20%")
        await request(share, remaining=None)
        await request(share, remaining=1015)
        await request(share, 5, remaining=1010)
        await request(share, remaining=1000)
        with pytest.raises(
            StoppedError, match=r"1,000 credits left, and 1,000 are to be left .*--leave-credits 20%"
        ) as stop:
            await request(share, 1)
        assert len(moments(stop.value)) == 1
        with pytest.raises(StoppedError):
            await request(share, 1)


async def test_requests_in_flight_count_towards_what_is_left_for_others(tmp_path):
    async with machine(tmp_path) as here:
        share = await here.joined(floor=1000)
        await request(share, remaining=1025)
        assert await share.admit(10)
        assert await share.admit(10)
        with pytest.raises(StoppedError):
            await share.admit(10)
        share.release(10)
        share.release(10)


async def test_where_too_little_was_spent_here_the_stop_says_within_a_day(tmp_path):
    async with machine(tmp_path) as here:
        share = await here.joined(floor=10_000)
        await request(share, remaining=4_000)
        with pytest.raises(StoppedError) as stop:
            await request(share)
        assert moments(stop.value) == [here.now.replace(second=0, microsecond=0) + timedelta(days=1)]
        assert "at the latest, or with a lower --leave-credits; credits come free a day after" in stop.value.cure


async def test_a_second_run_knows_what_the_server_told_the_first_one(tmp_path):
    async with machine(tmp_path) as here:
        first, second = await here.joined(floor=1000), await here.joined(floor=1000, daily=60_000)
        here.pass_(1)
        await request(first, remaining=1000)
        await here.beats(first, second, rounds=1)
        with pytest.raises(StoppedError, match="left for others"):
            await second.admit(1)
        known = here.journal.organisation(ORGANISATION)
        assert known.credits_remaining == 1000


async def test_what_the_server_said_long_ago_is_found_out_anew(tmp_path):
    async with machine(tmp_path) as here:
        share = await here.joined(floor=1000)
        await request(share, remaining=1000)
        here.pass_(301)
        await share.beat()
        await request(share, 1, remaining=1000)
        with pytest.raises(StoppedError):
            await request(share, 1)


async def test_credits_that_a_clock_far_ahead_has_counted_are_not_of_the_last_24_hours(tmp_path):
    async with machine(tmp_path) as here:
        here.ahead = timedelta(days=365)
        ahead = await here.joined()
        for _ in range(5):
            await request(ahead)
        await ahead.leave()
        here.ahead = timedelta()
        assert here.credits() == 0
        share = await here.joined(max_credits=55)
        made, error = await requests_until_stopped(share)
        assert made == 5
        assert all(moment < here.now + timedelta(days=2) for moment in moments(error))


async def test_credits_count_still_after_a_clock_was_set_back_a_little(tmp_path):
    async with machine(tmp_path) as here:
        here.pass_(3 * 60)
        share = await here.joined()
        await request(share)
        await share.leave()
        here.ahead = timedelta(seconds=-1)
        assert here.credits() == 10


async def test_what_the_server_said_of_its_credits_under_a_clock_far_ahead_is_forgotten_for_what_it_says_now(tmp_path):
    async with machine(tmp_path) as here:
        here.ahead = timedelta(days=365)
        ahead = await here.joined()
        await request(ahead, remaining=60_000)
        await ahead.beat()
        await ahead.leave()
        here.ahead = timedelta()
        first, second = await here.joined(floor=1000), await here.joined(floor=1000)
        await request(first, remaining=1005)
        await here.beats(first, second)
        for share in (first, second):
            with pytest.raises(StoppedError, match="1,005 credits left"):
                await request(share)


async def test_without_a_floor_everything_may_be_spent(tmp_path):
    async with machine(tmp_path) as here:
        share = await here.joined(floor=0)
        await request(share, remaining=3)
        await request(share, remaining=0)


async def test_a_429_while_too_few_credits_are_left_means_that_they_are_gone(tmp_path):
    async with machine(tmp_path) as here:
        share = await here.joined()
        for _ in range(3):
            await request(share)
        await share.go_on()
        await request(share, status=429, remaining=3)
        with pytest.raises(StoppedError, match="used up: 3 are left, and the next request costs 10") as stop:
            await share.go_on()
        assert moments(stop.value)
        with pytest.raises(StoppedError, match="used up"):
            await share.admit(1)


async def test_a_429_that_names_the_24_hours_means_the_same_where_the_server_tells_no_number(tmp_path):
    async with machine(tmp_path) as here:
        share = await here.joined()
        body = b'{"code": 429, "error_info": "Many requests fired than the allowed limit for the past 24 hours."}'
        share.spent(1, answer(429, body=body))
        with pytest.raises(StoppedError, match=r"of the last 24 hours are used up\."):
            await share.go_on()


async def test_a_429_with_credits_left_is_only_a_pause(tmp_path):
    async with machine(tmp_path) as here:
        share = await here.joined()
        await request(share, status=429, remaining=5000)
        await share.go_on()
        assert share.limiter.pause_left > 0


@pytest.mark.parametrize(
    ("text", "daily", "floor"),
    [
        (None, 60_000, 12_000),
        (None, None, 0),
        ("0", 60_000, 0),
        ("0%", 60_000, 0),
        ("5000", None, 5000),
        ("2.5%", 60_000, 1500),
        (" 100% ", 70, 70),
    ],
)
def test_floor_is_a_number_or_a_share_of_a_day(text, daily, floor):
    assert credit_floor(text, daily) == floor


@pytest.mark.parametrize("text", ["", "many", "-1", "101%", "2.5", "5 %", "1e3"])
def test_nonsense_is_no_floor(text):
    with pytest.raises(UsageError, match="--leave-credits"):
        credit_floor(text, 60_000)


@pytest.mark.parametrize(
    ("edition", "users", "credits_"),
    [
        ("free", 3, 5_000),
        ("Standard", 10, 52_500),
        ("starter", 10_000, 100_000),
        ("professional", 10, 55_000),
        ("enterprise", 10, 60_000),
        ("Zoho One", 100_000, 5_000_000),
        ("ultimate", 100_000, 200_050_000),
        ("enterprise", 0, 50_000),
        ("bigin", 10, None),
        ("", 10, None),
    ],
)
def test_editions_give_so_many_credits_a_day(edition, users, credits_):
    assert daily_credits(edition, users) == credits_


def test_options_about_credits_are_kept_with_the_run_and_said_again():
    options = RunOptions(max_credits=500, leave_credits="10%")
    assert RunOptions.from_json(options.to_json()) == options
    assert options.arguments(of_the_source=False) == ["--max-credits", "500", "--leave-credits", "10%"]
