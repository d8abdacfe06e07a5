"""Runs, rows and strategies that the journal's tests share."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from hypothesis import strategies as st

from bulkzcrm.journal import Journal, NewRow, NewRun, Progress, RowOutcome, RunState
from bulkzcrm.model import Column, Json, Problem
from bulkzcrm.traffic import Second

RUN = "20400307-120000-aaaa"
SHA = "ab" * 32
ORGANISATION = "org-1"
COLUMNS = (Column(0, "A", "Service Name"), Column(1, "B", "Price"))
LATE = Problem(
    code="INVALID_DATA", field="Price", cell="B2", message="The price is not a number.", remedy="Write 12.50."
)
TWIN = Problem(code="DUPLICATE_ROW", field="", message="The row repeats row 2.", remedy="Take one of them out.")


def new_run(run: str = RUN, **changes: object) -> NewRun:
    values: dict[str, object] = {
        "id": run,
        "operation": "create-services",
        "api_domain": "https://www.zohoapis.example",
        "source": "my prices.csv",
        "columns": COLUMNS,
        "header_row": 1,
        "source_sha256": SHA,
        "organisation_id": ORGANISATION,
    }
    return NewRun(**(values | changes))


def new_row(ordinal: int, **changes: object) -> NewRow:
    values: dict[str, object] = {
        "ordinal": ordinal,
        "number": ordinal + 1,
        "cells": (f"Service {ordinal}", "12.50"),
        "record": {"Service_Name": f"Service {ordinal}", "Price": Decimal("12.50")},
    }
    return NewRow(**(values | changes))


def ingested(journal: Journal, rows: Sequence[NewRow], run: str = RUN, **changes: object) -> None:
    journal.add_run(new_run(run, **changes))
    journal.add_rows(run, 0, rows)
    journal.set_state(run, 0, RunState.INGESTED)


def sending(journal: Journal, count: int = 4, run: str = RUN) -> None:
    ingested(journal, [new_row(ordinal) for ordinal in range(1, count + 1)], run)
    journal.set_state(run, 0, RunState.SENDING)


def send(journal: Journal, ordinals: Sequence[int], run: str = RUN, epoch: int = 0) -> int:
    """Plan a batch and write the intent to send it."""
    number = journal.plan_batch(run, epoch, ordinals)
    journal.mark_sending(run, epoch, number, ordinals=ordinals, body_sha256=SHA, sent_ms=1_000)
    return number


def succeed(ordinals: Sequence[int]) -> list[RowOutcome]:
    return [
        RowOutcome(
            ordinal=ordinal, status=Progress.SUCCEEDED, code="SUCCESS", record_id=f"55459740000003930{ordinal:02}"
        )
        for ordinal in ordinals
    ]


def statuses(journal: Journal, run: str = RUN) -> list[str]:
    return [str(row.status) for row in journal.rows(run)]


texts = st.text(st.characters(exclude_categories=["Cs"]))
decimals = st.decimals(allow_nan=False, allow_infinity=False, places=2)
jsons: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | decimals | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
records = st.dictionaries(texts, jsons, max_size=5)
problems = st.builds(Problem, code=texts, field=texts, message=texts, remedy=texts, cell=texts)


def second(begin_s: int, **counts: int) -> Second:
    """What was over within one second of a run."""
    usual = {"requests": 1, "throttled": 0, "failed": 0, "latency_ms": 250, "slowest_ms": 250}
    return Second(begin_ms=begin_s * 1000, **(usual | counts))
