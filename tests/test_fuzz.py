"""Whatever a server answers and whatever a source holds: no traceback, and every row accounted for."""

from __future__ import annotations

import pytest
from fuzz import Account, play_answers, play_sources


def test_hundreds_of_odd_answers_leave_every_row_accounted_for():
    account = Account()
    play_answers(250, "suite", account)
    assert account.failures == []
    assert account.answers.answers >= 250
    assert set(account.answers.endings) >= {"finished", "stopped"}


def test_hundreds_of_odd_sources_are_read_or_refused_with_a_cure():
    account = Account()
    play_sources(200, "suite", account)
    assert account.failures == []
    assert set(account.sources) >= {0, 1, 2}


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_ten_thousand_odd_answers_leave_every_row_accounted_for():
    account = Account()
    play_answers(10_000, "long", account)
    assert account.failures == []


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_two_thousand_odd_sources_are_read_or_refused_with_a_cure():
    account = Account()
    play_sources(2_000, "long", account)
    assert account.failures == []
