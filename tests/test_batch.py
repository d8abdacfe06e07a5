"""Batches: full but for the last, in order, and put together again they are the records."""

from __future__ import annotations

from itertools import count, islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkzcrm.batch import batches

sizes = st.integers(1, 12)


@given(st.lists(st.integers()), sizes)
def test_put_together_again_batches_are_the_records(records, size):
    assert [record for batch in batches(records, size) for record in batch] == records


@given(st.lists(st.none()), sizes)
def test_all_batches_are_full_but_perhaps_the_last_and_none_is_empty(records, size):
    lengths = [len(batch) for batch in batches(records, size)]
    assert all(length == size for length in lengths[:-1])
    assert all(0 < length <= size for length in lengths[-1:])
    assert len(lengths) == -(-len(records) // size)


def test_a_batch_is_there_as_soon_as_it_is_full():
    assert list(islice(batches(count(1), 3), 2)) == [(1, 2, 3), (4, 5, 6)]


@pytest.mark.parametrize("size", [0, -1])
def test_a_batch_of_nothing_is_refused(size):
    with pytest.raises(ValueError, match="at least one"):
        list(batches([1], size))
