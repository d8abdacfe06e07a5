"""What the journal knows of a run's requests over time: every one that was counted, in the second it was over in."""

from __future__ import annotations

from dataclasses import astuple

from hypothesis import given
from hypothesis import strategies as st
from journal_samples import RUN, new_run, second, sending

from bulkzcrm.journal import Journal
from bulkzcrm.traffic import Traffic

requests = st.lists(st.tuples(st.floats(0, 40), st.floats(0, 9), st.sampled_from([200, 201, 207, 400, 429, 503, None])))


@given(st.lists(requests, max_size=4))
def test_however_requests_come_in_they_are_all_there_and_the_slowest_is_the_slowest(calls):
    with Journal.temporary() as journal:
        journal.add_run(new_run())
        for call in calls:
            traffic = Traffic()
            for moment, took, status in call:
                traffic.count(moment, took, status)
                journal.add_traffic(RUN, 0, traffic.take_ended())
            journal.add_traffic(RUN, 0, traffic.take_rest())
        found = journal.traffic(RUN)
    told = [request for call in calls for request in call]
    assert [each.begin_ms for each in found] == sorted({int(moment) * 1000 for moment, _, _ in told})
    assert sum(each.requests for each in found) == len(told)
    assert sum(each.throttled for each in found) == sum(status == 429 for _, _, status in told)
    assert sum(each.failed for each in found) == sum(status in {503, None} for _, _, status in told)
    assert sum(each.latency_ms for each in found) == sum(round(took * 1000) for _, took, _ in told)
    assert max((each.slowest_ms for each in found), default=0) == max((round(s * 1000) for _, s, _ in told), default=0)


def test_the_second_that_is_not_over_yet_is_kept_back_until_the_rest_is_taken():
    traffic = Traffic()
    traffic.count(7.1, 0.5, 200)
    assert traffic.take_ended() == ()
    traffic.count(8.2, 0.25, 429)
    assert [each.begin_ms for each in traffic.take_ended()] == [7000]
    assert [astuple(each) for each in traffic.take_rest()] == [(8000, 1, 1, 0, 250, 250)]
    assert traffic.take_rest() == ()


def test_it_is_read_a_page_at_a_time(journal):
    journal.add_run(new_run())
    journal.add_traffic(RUN, 0, [second(number) for number in (5, 3, 4)])
    first = journal.traffic(RUN, limit=2)
    assert [each.begin_ms for each in first] == [3000, 4000]
    assert [each.begin_ms for each in journal.traffic(RUN, first[-1].begin_ms)] == [5000]


def test_it_goes_with_its_run(journal):
    sending(journal)
    journal.add_traffic(RUN, 0, [second(number) for number in range(3)])
    journal.drop_run(RUN, 0)
    journal.add_run(new_run())
    assert journal.traffic(RUN) == []
