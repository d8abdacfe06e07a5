from __future__ import annotations

import dataclasses
import pickle
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journal_samples import (
    ORGANISATION,
    RUN,
    SHA,
    ingested,
    jsons,
    new_row,
    new_run,
    second,
    send,
    sending,
    succeed,
    texts,
)

from bulkzcrm.errors import JournalError, StoppedError, UsageError
from bulkzcrm.journal import (
    Beginning,
    Counters,
    IllegalMoveError,
    Intent,
    Journal,
    LostLeaseError,
    NewRun,
    Organisation,
    OvertakenError,
    Progress,
    RowSettlement,
    RunState,
)
from bulkzcrm.journal.row_writes import block_of
from bulkzcrm.model import Column
from bulkzcrm.run.steps import steps_of

LEASE = 60_000

runs = st.builds(
    NewRun,
    id=texts,
    operation=texts,
    api_domain=texts,
    source=texts,
    columns=st.lists(st.builds(Column, st.integers(0, 99), texts, texts), max_size=4).map(tuple),
    header_row=st.integers(0, 9),
    source_sha256=texts,
    sheet=st.none() | texts,
    organisation_id=st.none() | texts,
    organisation=st.none() | texts,
    sandbox=st.booleans(),
    options=st.dictionaries(texts, jsons, max_size=4),
    notes=st.lists(texts, max_size=3).map(tuple),
    reading=st.dictionaries(texts, texts, max_size=3),
    decisions=st.dictionaries(texts, jsons, max_size=3),
    lookups=st.dictionaries(texts, jsons, max_size=3),
    formats=st.lists(texts, max_size=3).map(tuple),
    step=st.none() | st.integers(0, 9),
)


@settings(deadline=None)
@given(runs)
def test_a_run_reads_back_as_it_was_written(new):
    with Journal.temporary(lambda: 77) as journal:
        journal.add_run(new)
        read = journal.run(new.id)
        for field in dataclasses.fields(NewRun):
            assert getattr(read, field.name) == getattr(new, field.name)
        assert (read.state, read.epoch, read.owner, read.created_ms) == (RunState.INGESTING, 0, None, 77)


def test_a_run_that_does_not_exist_is_refused_in_words(journal):
    with pytest.raises(UsageError, match="knows no run") as caught:
        journal.run("nobody")
    assert "bulkzcrm runs" in caught.value.cure


def test_what_becomes_known_is_written_and_the_rest_stays(journal):
    journal.add_run(new_run(notes=("One.",), options={"floor": Decimal("0.20")}))
    before = journal.run(RUN)
    journal.update_run(RUN, 0, organisation="Ann's Air", lookups={"users": ["1"]}, output="my reports")
    assert journal.run(RUN) == dataclasses.replace(
        before,
        organisation="Ann's Air",
        lookups={"users": ["1"]},
        output="my reports",
        updated_ms=journal.run(RUN).updated_ms,
        revision=before.revision + 1,
    )


def test_costs_add_up(journal):
    journal.add_run(new_run())
    journal.add_counts(RUN, 0, Counters(requests=2, credits=3, batches=1, seconds=0.5))
    journal.add_counts(RUN, 0, Counters(requests=1, seconds=0.25))
    assert journal.run(RUN).counters == Counters(requests=3, credits=3, batches=1, seconds=0.75)


def test_a_run_goes_from_ingest_to_its_end(journal):
    sending(journal, 2)
    journal.mark_answered(RUN, 0, send(journal, [1, 2]), succeed([1, 2]), answered_ms=2_000)
    journal.set_state(RUN, 0, RunState.FINISHED)
    assert journal.run(RUN).state is RunState.FINISHED


@pytest.mark.parametrize("state", [state for state in RunState if state is not RunState.FINISHED])
def test_a_run_that_is_finished_stays_so(journal, state):
    sending(journal, 1)
    journal.mark_answered(RUN, 0, send(journal, [1]), succeed([1]), answered_ms=2_000)
    journal.set_state(RUN, 0, RunState.FINISHED)
    with pytest.raises(IllegalMoveError, match="cannot become"):
        journal.set_state(RUN, 0, state)


def test_a_run_is_not_finished_while_a_row_has_not_ended(journal):
    sending(journal, 2)
    with pytest.raises(IllegalMoveError, match="has 2 rows that have not ended"):
        journal.set_state(RUN, 0, RunState.FINISHED)
    assert journal.run(RUN).state is RunState.SENDING


def test_a_run_does_not_send_before_the_whole_source_is_read(journal):
    journal.add_run(new_run())
    journal.add_rows(RUN, 0, [new_row(1)])
    with pytest.raises(IllegalMoveError):
        journal.set_state(RUN, 0, RunState.SENDING)
    with pytest.raises(IllegalMoveError):
        journal.plan_batch(RUN, 0, [1])


def test_no_row_is_added_after_ingest(journal):
    ingested(journal, [new_row(1)])
    with pytest.raises(IllegalMoveError):
        journal.add_rows(RUN, 0, [new_row(2)])


def test_why_a_run_stopped_is_kept_until_it_goes_on(journal):
    sending(journal)
    journal.set_state(RUN, 0, RunState.STOPPED, "The server is down.")
    assert journal.run(RUN).stopped_because == "The server is down."
    journal.set_state(RUN, 0, RunState.SENDING)
    assert journal.run(RUN).stopped_because is None


@pytest.mark.parametrize("stopped", [RunState.STOPPED, RunState.INTERRUPTED])
def test_a_run_that_stopped_finishes_straight_when_nothing_is_left_to_send(journal, stopped):
    ingested(journal, [new_row(1)])
    journal.set_state(RUN, 0, stopped)
    journal.settle_rows(RUN, 0, [RowSettlement(ordinal=1, status=Progress.UNCHANGED)])
    journal.set_state(RUN, 0, RunState.FINISHED)
    assert journal.run(RUN).state is RunState.FINISHED


def test_runs_are_listed_newest_first_and_by_pages(journal):
    for place in range(5):
        journal.add_run(new_run(f"run-{place}"))
    first = [run.id for run in journal.runs(limit=3)]
    assert first == ["run-4", "run-3", "run-2"]
    assert [run.id for run in journal.runs(limit=3, before=first[-1])] == ["run-1", "run-0"]


def test_the_runs_of_a_job_are_found_in_the_order_of_its_steps_however_many_runs_came_later(journal):
    later = [new_run(f"run-2{number:04}") for number in range(1100)]
    steps = [new_run(f"run-1{number}", job="a job", step=3 - number) for number in range(3)]
    with journal.transaction():
        for run in [*steps, *later, new_run("run-30000", job="another job", step=1)]:
            journal.add_run(run)
    assert [run.id for run in journal.runs_of_job("a job")] == ["run-12", "run-11", "run-10"]
    assert journal.runs_of_job("no job") == []
    assert steps_of(journal, journal.run("run-11")) == ["run-12", "run-11", "run-10"]
    assert steps_of(journal, journal.run("run-20007")) == ["run-20007"]


def test_the_latest_run_that_can_be_resumed_is_neither_finished_nor_at_ingest(journal):
    assert journal.latest_resumable() is None
    sending(journal, 1, "run-1")
    journal.set_state("run-1", 0, RunState.STOPPED, "Why not.")
    ingested(journal, [], "run-2")
    journal.set_state("run-2", 0, RunState.FINISHED)
    journal.add_run(new_run("run-3"))
    latest = journal.latest_resumable()
    assert latest is not None
    assert latest.id == "run-1"


def test_the_same_content_is_found_for_the_same_operation_and_organisation_only(journal):
    ingested(journal, [], "run-1")
    ingested(journal, [], "run-2")
    ingested(journal, [], "run-3", sandbox=True)
    journal.add_run(new_run("run-4"))

    def found(sha=SHA, operation="create-services", organisation=ORGANISATION, besides=None):
        run = journal.find_run_by_content(sha, operation, organisation, besides)
        return run and run.id

    assert found() == "run-2"
    assert found(besides="run-2") == "run-1"
    assert found(sha="cd" * 32) is None
    assert found(operation="update-services") is None
    assert found(organisation="org-2") is None


def test_a_dropped_run_leaves_nothing(journal):
    sending(journal, 3)
    journal.plan_batch(RUN, 0, [1, 2])
    journal.keep_before_images(RUN, 0, {1: {"Price": 1}})
    journal.drop_run(RUN, 0)
    for table in ("run", "row_block", "row_state", "before_image", "batch", "retried_row"):
        assert journal._database.all(f"SELECT * FROM {table}") == []  # noqa: S608  names of ours


def test_a_dropped_retry_gives_its_rows_back(journal):
    ingested(journal, [new_row(1)])
    ingested(journal, [new_row(1)], "retry-1", retry_of=RUN)
    journal.mark_taken_by_retry(RUN, [1], "retry-1")
    journal.drop_run("retry-1", 0)
    ingested(journal, [new_row(1)], "retry-2", retry_of=RUN)
    journal.mark_taken_by_retry(RUN, [1], "retry-2")


def test_a_run_of_which_something_was_sent_is_not_dropped(journal):
    sending(journal)
    number = send(journal, [1, 2])
    journal.mark_not_applied(RUN, 0, number, answered_ms=2_000)
    with pytest.raises(JournalError, match="has been sent"):
        journal.drop_run(RUN, 0)
    assert len(journal.rows(RUN)) == 4


def test_a_finished_run_is_not_dropped(journal):
    ingested(journal, [])
    journal.set_state(RUN, 0, RunState.FINISHED)
    with pytest.raises(JournalError):
        journal.drop_run(RUN, 0)


def test_a_live_lease_keeps_others_out_until_it_is_over(journal):
    journal.add_run(new_run())
    assert journal.claim(RUN, "ann", 1_000, LEASE) == 1
    assert journal.claim(RUN, "bob", 1_000 + LEASE, LEASE) is None
    assert journal.claim(RUN, "bob", 1_001 + LEASE, LEASE) == 2
    assert journal.run(RUN).owner == "bob"


def test_a_lease_that_is_prolonged_lasts_longer(journal):
    journal.add_run(new_run())
    epoch = journal.claim(RUN, "ann", 0, LEASE)
    journal.extend_lease(RUN, epoch, LEASE, LEASE)
    assert journal.claim(RUN, "bob", LEASE + 1, LEASE) is None


def test_a_run_given_back_is_anybodys_at_once(journal):
    journal.add_run(new_run())
    journal.release(RUN, journal.claim(RUN, "ann", 0, LEASE))
    assert journal.claim(RUN, "bob", 1, LEASE) == 2


def test_the_owner_may_claim_again_and_a_dead_owner_is_not_waited_for(journal):
    journal.add_run(new_run())
    assert journal.claim(RUN, "ann", 0, LEASE) == 1
    assert journal.claim(RUN, "ann", 1, LEASE) == 2
    assert journal.claim(RUN, "bob", 2, LEASE, dead_owner="carl") is None
    assert journal.claim(RUN, "bob", 2, LEASE, dead_owner="ann") == 3


def test_claiming_a_run_that_does_not_exist_is_refused(journal):
    with pytest.raises(UsageError):
        journal.claim("nobody", "ann", 0, LEASE)


ZOMBIE_WRITES = {
    "add_traffic": lambda journal, epoch: journal.add_traffic(RUN, epoch, [second(1)]),
    "add_counts": lambda journal, epoch: journal.add_counts(RUN, epoch, Counters(requests=1)),
    "drop_run": lambda journal, epoch: journal.drop_run(RUN, epoch),
    "extend_lease": lambda journal, epoch: journal.extend_lease(RUN, epoch, 0, LEASE),
    "keep_before_images": lambda journal, epoch: journal.keep_before_images(RUN, epoch, {1: {}}),
    "mark_answered": lambda journal, epoch: journal.mark_answered(RUN, epoch, 1, succeed([1]), answered_ms=1),
    "mark_in_doubt": lambda journal, epoch: journal.mark_in_doubt(RUN, epoch, 1),
    "mark_not_applied": lambda journal, epoch: journal.mark_not_applied(RUN, epoch, 1, answered_ms=1),
    "mark_sending": lambda journal, epoch: journal.mark_sending(
        RUN, epoch, 2, ordinals=[2], body_sha256=SHA, sent_ms=1
    ),
    "plan_again": lambda journal, epoch: journal.plan_again(RUN, epoch, 3),
    "plan_batch": lambda journal, epoch: journal.plan_batch(RUN, epoch, [4]),
    "recover": lambda journal, epoch: journal.recover(RUN, epoch),
    "release": lambda journal, epoch: journal.release(RUN, epoch),
    "send_batch": lambda journal, epoch: journal.send_batch(
        RUN, epoch, Intent(number=9, ordinals=[4], body_sha256=SHA, sent_ms=1)
    ),
    "set_state": lambda journal, epoch: journal.set_state(RUN, epoch, RunState.STOPPED),
    "settle_doubts": lambda journal, epoch: journal.settle_doubts(RUN, epoch, 3, succeed([3]), answered_ms=1),
    "settle_rows": lambda journal, epoch: journal.settle_rows(RUN, epoch, [RowSettlement(ordinal=4)]),
    "update_run": lambda journal, epoch: journal.update_run(RUN, epoch, output="elsewhere"),
    "add_rows": lambda journal, epoch: journal.add_rows(RUN, epoch, [new_row(5)]),
    "add_block": lambda journal, epoch: journal.add_block(
        RUN, epoch, block_of([new_row(5)]), numbers=[6], identities=[None], others={0: Beginning()}
    ),
    "replace_block": lambda journal, epoch: journal.replace_block(RUN, epoch, block_of([new_row(1)])),
}
AT_INGEST = {"add_rows", "add_block", "replace_block"}


@pytest.mark.parametrize("write", ZOMBIE_WRITES.values(), ids=ZOMBIE_WRITES)
def test_whoever_lost_the_lease_writes_nothing(home, journal, write):
    sending(journal)
    epoch = journal.claim(RUN, "ann", 0, LEASE)
    send(journal, [1], epoch=epoch)
    journal.plan_batch(RUN, epoch, [2])
    journal.mark_in_doubt(RUN, epoch, send(journal, [3], epoch=epoch))
    with Journal.open(home) as other:
        assert other.claim(RUN, "bob", LEASE + 1, LEASE) == epoch + 1
        before = (other.run(RUN), other.rows(RUN), other.batches(RUN))
        with pytest.raises(LostLeaseError, match="taken over"):
            write(journal, epoch)
        assert (other.run(RUN), other.rows(RUN), other.batches(RUN)) == before


def test_every_write_of_a_run_is_among_those_that_a_lost_lease_stops():
    free = {"add_run", "claim", "mark_taken_by_retry", "learn", "open", "temporary", "close", "transaction"}
    free |= {"beside", "pruning", "reports", "shares"}
    writes = {name for name in vars(Journal) if not name.startswith("_")} - free - {"in_transaction"}
    assert writes == set(ZOMBIE_WRITES)


@pytest.mark.parametrize("write", sorted(set(ZOMBIE_WRITES) - {"drop_run"}))
def test_every_write_to_a_run_moves_its_revision(journal, write):
    if write in AT_INGEST:
        journal.add_run(new_run())
    else:
        sending(journal)
        send(journal, [1])
        journal.plan_batch(RUN, 0, [2])
        journal.mark_in_doubt(RUN, 0, send(journal, [3]))
    epoch = journal.claim(RUN, "ann", 0, LEASE)
    before = journal.run(RUN).revision
    ZOMBIE_WRITES[write](journal, epoch)
    assert journal.run(RUN).revision > before


def test_what_is_kept_with_a_run_is_added_to_what_is_there(journal):
    journal.add_run(new_run(lookups={"users": ["1"], "yes": True}))
    journal.update_run(RUN, 0, lookups={"users": ["2"]})
    before = journal.run(RUN)
    with journal.reports().placing(RUN, before.revision, unchanged=True, word=lambda _: {"failed_sha256": "ab"}) as now:
        assert now.lookups["failed_sha256"] == "ab"
    after = journal.run(RUN)
    assert after.lookups == {"users": ["2"], "yes": True, "failed_sha256": "ab"}
    assert after.revision == before.revision


def test_a_retry_is_not_begun_of_a_run_that_is_gone(journal):
    with pytest.raises(UsageError, match="knows no run"):
        journal.add_run(new_run(retry_of="nobody"))
    assert journal.runs() == []


@pytest.mark.parametrize("error", [LostLeaseError(RUN), IllegalMoveError("Batch 7 is lost."), OvertakenError(RUN)])
def test_the_journals_errors_stop_a_run_and_survive_pickling(error):
    assert isinstance(error, StoppedError)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301  made a moment ago


def test_what_is_learned_of_an_organisation_is_added_to_what_is_known(journal):
    assert journal.organisation(ORGANISATION) == Organisation(id=ORGANISATION)
    journal.learn(Organisation(id=ORGANISATION, learned_limit=8, learned_ms=1))
    journal.learn(Organisation(id=ORGANISATION, credits_remaining=900, credits_seen_ms=2))
    journal.learn(Organisation(id=ORGANISATION, learned_limit=4, learned_ms=3))
    journal.learn(Organisation(id="org-2", learned_limit=1))
    assert journal.organisation(ORGANISATION) == Organisation(
        id=ORGANISATION, learned_limit=4, learned_ms=3, credits_remaining=900, credits_seen_ms=2
    )
