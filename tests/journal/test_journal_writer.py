from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from functools import partial

import anyio
import pytest
from journal_samples import RUN, new_row, new_run, send, sending, statuses, succeed

from bulkzcrm.errors import OutputError
from bulkzcrm.journal import Counters, IllegalMoveError, Journal, JournalWriter, Progress, RunState
from bulkzcrm.journal import writer as writer_of


class Gate:
    """Work that keeps the writer's thread waiting, so that what is handed over meanwhile becomes one group."""

    def __init__(self) -> None:
        self._entered = threading.Event()
        self._opened = threading.Event()

    def __call__(self, _: Journal) -> None:
        self._entered.set()
        assert self._opened.wait(30)

    def wait_until_entered(self) -> None:
        assert self._entered.wait(30)

    def open(self) -> None:
        self._opened.set()


def closed_gate(writer: JournalWriter) -> Gate:
    gate = Gate()
    writer.submit(gate)
    gate.wait_until_entered()
    return gate


def count_one(journal: Journal) -> None:
    journal.add_counts(RUN, 0, Counters(requests=1))


def seen_from_outside(journal: Journal) -> list[str]:
    """Return the statuses of all rows as another connection sees them."""
    assert journal.path is not None
    connection = sqlite3.connect(journal.path)
    found = [row[0] for row in connection.execute("SELECT status FROM row_state ORDER BY place")]
    connection.close()
    return found


async def test_work_returns_its_result(journal):
    journal.add_run(new_run())
    with JournalWriter(journal) as writer:
        assert (await writer.do(lambda journal: journal.run(RUN))).id == RUN


async def test_every_intent_is_on_the_disk_before_its_await_returns(journal):
    count = 40
    sending(journal, count)

    async def intend(ordinal: int) -> None:
        await writer.do(lambda journal: send(journal, [ordinal]))
        assert seen_from_outside(journal)[ordinal - 1] == "sending"

    with JournalWriter(journal) as writer:
        await asyncio.gather(*(intend(ordinal) for ordinal in range(1, count + 1)))
    assert statuses(journal) == ["sending"] * count


async def test_work_that_waits_together_shares_one_commit(journal):
    journal.add_run(new_run())
    statements: list[str] = []
    with JournalWriter(journal) as writer:
        gate = closed_gate(writer)
        journal._database._connection.set_trace_callback(statements.append)
        futures = [writer.submit(count_one) for _ in range(50)]
        gate.open()
        await asyncio.gather(*map(asyncio.wrap_future, futures))
    journal._database._connection.set_trace_callback(None)
    assert statements.count("COMMIT") == 2
    assert journal.run(RUN).counters.requests == 50


async def test_patient_work_shares_the_commit_of_what_comes_after_it(journal, monkeypatch):
    monkeypatch.setattr(writer_of, "_PATIENCE_S", 60.0)
    journal.add_run(new_run())
    statements: list[str] = []
    journal._database._connection.set_trace_callback(statements.append)
    with JournalWriter(journal) as writer, anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(partial(writer.do, count_one, patient=True))
            await anyio.wait_all_tasks_blocked()
            group.start_soon(writer.do, count_one)
    journal._database._connection.set_trace_callback(None)
    assert statements.count("COMMIT") == 1
    assert journal.run(RUN).counters.requests == 4


async def test_patient_work_is_done_though_nothing_comes_after_it(journal):
    journal.add_run(new_run())
    with JournalWriter(journal) as writer, anyio.fail_after(30):
        await writer.do(count_one, patient=True)
        assert journal.run(RUN).counters.requests == 1


async def test_whoever_leaves_does_not_wait_for_patient_work(journal, monkeypatch):
    monkeypatch.setattr(writer_of, "_PATIENCE_S", 60.0)
    journal.add_run(new_run())
    begun = time.monotonic()
    with JournalWriter(journal) as writer:
        waiting = asyncio.ensure_future(writer.do(count_one, patient=True))
        await anyio.wait_all_tasks_blocked()
    await waiting
    assert time.monotonic() - begun < 30
    assert journal.run(RUN).counters.requests == 1


async def test_work_is_done_in_the_order_in_which_it_was_handed_over(journal):
    journal.add_run(new_run())
    done: list[int] = []
    with JournalWriter(journal) as writer:
        gate = closed_gate(writer)
        for place in range(600):
            writer.submit(lambda _, place=place: done.append(place))
        gate.open()
    assert done == list(range(600))


async def test_work_that_fails_is_undone_alone(journal):
    sending(journal, 3)

    def fail_half_way(journal: Journal) -> None:
        send(journal, [2])
        journal.plan_batch(RUN, 0, [99])

    with JournalWriter(journal) as writer:
        gate = closed_gate(writer)
        futures = [writer.submit(work) for work in (lambda j: send(j, [1]), fail_half_way, lambda j: send(j, [3]))]
        gate.open()
        results = await asyncio.gather(*map(asyncio.wrap_future, futures), return_exceptions=True)
    assert results[0] == 1
    assert isinstance(results[1], IllegalMoveError)
    assert results[2] == 2
    assert seen_from_outside(journal) == ["sending", "pending", "sending"]


@pytest.mark.parametrize(("patient", "error"), [(True, ValueError("odd")), (False, OutputError("full", "make room"))])
async def test_what_stands_behind_an_outcome_that_cannot_be_written_is_not_written(journal, patient, error):
    """What comes before it is; and the next group is as good as any."""
    journal.add_run(new_run())

    def fail(_: Journal) -> None:
        raise error

    with JournalWriter(journal) as writer, anyio.fail_after(30):
        gate = closed_gate(writer)
        before = asyncio.ensure_future(writer.do(count_one))
        failing = asyncio.ensure_future(writer.do(fail, patient=patient))
        behind = asyncio.ensure_future(writer.do(count_one))
        await anyio.wait_all_tasks_blocked()
        gate.open()
        results = await asyncio.gather(before, failing, behind, return_exceptions=True)
        assert [type(each) for each in results[1:]] == [type(error)] * 2
        assert not isinstance(results[0], BaseException)
        assert journal.run(RUN).counters.requests == 1
        await writer.do(count_one)
    assert journal.run(RUN).counters.requests == 2


async def test_cancelling_who_waits_does_not_undo_the_work(journal):
    sending(journal, 2)
    with JournalWriter(journal) as writer:
        gate = closed_gate(writer)
        waiter = asyncio.create_task(writer.do(lambda journal: send(journal, [1])))
        await asyncio.sleep(0)
        waiter.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiter
        gate.open()
        assert await writer.do(lambda journal: send(journal, [2])) == 2
    assert statuses(journal) == ["sending", "sending"]


async def test_who_was_cancelled_can_ask_for_the_end_of_the_work(journal):
    sending(journal, 1)
    with JournalWriter(journal) as writer:
        gate = closed_gate(writer)
        future = writer.submit(lambda journal: send(journal, [1]))
        with anyio.move_on_after(0):
            await asyncio.wrap_future(future)
        assert not future.cancelled()
        gate.open()
    assert future.result() == 1


async def test_leaving_does_the_work_that_is_waiting_and_gives_the_journal_back(journal):
    journal.add_run(new_run())
    with JournalWriter(journal) as writer:
        gate = closed_gate(writer)
        for _ in range(5):
            writer.submit(count_one)
        gate.open()
    assert journal.run(RUN).counters.requests == 5
    with pytest.raises(RuntimeError, match="closed"):
        writer.submit(count_one)


async def test_a_writer_that_was_not_entered_takes_no_work(journal):
    with pytest.raises(RuntimeError, match="closed"):
        await JournalWriter(journal).do(count_one)


async def test_a_full_disk_stops_the_run_and_keeps_what_was_committed(home, journal):
    journal.add_run(new_run())
    pages = journal._database.all("PRAGMA page_count")[0][0]
    journal._database.all(f"PRAGMA max_page_count = {pages + 20}")
    first = 1
    with JournalWriter(journal) as writer:
        with pytest.raises(OutputError, match="disk is full") as caught:  # noqa: PT012  one page too many, some time
            while True:
                await writer.do(
                    lambda journal, first=first: journal.add_rows(
                        RUN, 0, [new_row(first + place) for place in range(100)]
                    )
                )
                first += 100
        assert "Free some space" in caught.value.cure
        assert await writer.do(lambda journal: len(journal.rows(RUN))) == first - 1
        await writer.do(lambda journal: journal._database.all(f"PRAGMA max_page_count = {pages + 2000}"))
        await writer.do(lambda journal: journal.add_rows(RUN, 0, [new_row(first)]))
    with Journal.open(home) as again:
        assert [row.ordinal for row in again.rows(RUN, limit=10_000)] == list(range(1, first + 1))
        assert again._database.all("PRAGMA integrity_check")[0][0] == "ok"


async def test_a_commit_that_is_refused_fails_the_whole_group_each_with_an_error_of_its_own(journal):
    journal.add_run(new_run())

    def end_the_transaction_as_a_failing_disk_does(journal: Journal) -> None:
        journal._database._connection.execute("ROLLBACK")

    with JournalWriter(journal) as writer:
        gate = closed_gate(writer)
        futures = [writer.submit(work) for work in (count_one, end_the_transaction_as_a_failing_disk_does, count_one)]
        gate.open()
        errors = await asyncio.gather(*map(asyncio.wrap_future, futures), return_exceptions=True)
        assert [type(error) for error in errors] == [OutputError] * 3
        assert len({id(error) for error in errors}) == 3
        await writer.do(count_one)
    assert journal.run(RUN).counters.requests == 1


async def test_a_journal_that_may_not_be_written_any_more_says_so(journal):
    journal.add_run(new_run())
    journal._database.all("PRAGMA query_only = ON")
    with JournalWriter(journal) as writer:
        with pytest.raises(OutputError, match="may be read but not written"):
            await writer.do(count_one)
        # The writer's thread is idle between two pieces of work.
        journal._database.all("PRAGMA query_only = OFF")
        await writer.do(count_one)
    assert journal.run(RUN).counters.requests == 1


async def test_a_journal_that_another_program_keeps_locked_says_so(journal):
    journal.add_run(new_run())
    journal._database.all("PRAGMA busy_timeout = 1")
    other = sqlite3.connect(journal.path, isolation_level=None)
    with JournalWriter(journal) as writer:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(OutputError, match="locked"):
            await writer.do(count_one)
        other.execute("ROLLBACK")
        await writer.do(count_one)
    other.close()
    assert journal.run(RUN).counters.requests == 1


async def test_a_whole_run_by_ten_workers_ends_with_every_row_accounted_for(journal):
    sending(journal, 100)
    waiting = list(range(1, 101, 5))

    async def work() -> None:
        while waiting:
            first = waiting.pop()
            await send_and_answer(range(first, first + 5))

    async def send_and_answer(ordinals: range) -> None:
        number = await writer.do(lambda journal: send(journal, ordinals))
        await writer.do(lambda journal: journal.mark_answered(RUN, 0, number, succeed(ordinals), answered_ms=1))

    with JournalWriter(journal) as writer:
        async with anyio.create_task_group() as workers:
            for _ in range(10):
                workers.start_soon(work)
        await writer.do(lambda journal: journal.set_state(RUN, 0, RunState.FINISHED))
    assert journal.count_by_status(RUN)[Progress.SUCCEEDED] == 100
