"""Our tool does with the row of every golden pair what the pair says, from the cells to the wire and back."""

from __future__ import annotations

from pathlib import Path

import pytest
from golden_client import departure, run_pair
from golden_pairs import GoldenPair, Local, load

ROWS = [pair for pair in load() if pair.row is not None]


def pairs_of(verdict: Local) -> pytest.MarkDecorator:
    pairs = [pair for pair in ROWS if pair.client.verdict is verdict]
    return pytest.mark.parametrize("pair", pairs, ids=lambda pair: pair.title)


@pairs_of(Local.INVALID)
async def test_a_row_that_breaks_a_rule_is_held_back_with_all_of_its_problems(pair: GoldenPair, tmp_path: Path):
    assert departure(pair, await run_pair(pair, tmp_path)) is None


@pairs_of(Local.UNCHANGED)
async def test_a_row_that_is_already_as_wanted_is_not_sent(pair: GoldenPair, tmp_path: Path):
    assert departure(pair, await run_pair(pair, tmp_path)) is None


@pairs_of(Local.SENDS)
async def test_a_row_leaves_as_the_pages_want_it_and_ends_as_the_api_answers(pair: GoldenPair, tmp_path: Path):
    assert departure(pair, await run_pair(pair, tmp_path)) is None
