"""The guards of what goes more than once: what was given up may arrive late, and what is refused may be its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import pytest
from guards import Guard
from msgspec import structs

from bulkzcrm.answers import Succeeded
from bulkzcrm.journal import Batch, Journal, Progress, RowOutcome
from bulkzcrm.lookup import folded
from bulkzcrm.run.keys import Keys
from bulkzcrm.run.looking import Looking
from bulkzcrm.run.pending import Pending
from bulkzcrm.run.rereading import Rereading
from bulkzcrm.run.settling import Settling
from bulkzcrm.send import Sendable, Sender
from bulkzcrm.send.patience import Patience
from bulkzcrm.send.refusals import Refusals


def _believe_that_a_refusal_ends_every_doubt(patch: pytest.MonkeyPatch) -> None:
    async def pending(sender: Sender, _part: Sequence[Sendable], number: int, status: int | None) -> None:
        await sender._ledger.not_applied(number, status)

    patch.setattr(Sender, "_not_applied", pending)


def _plan_again_before_it_goes(patch: pytest.MonkeyPatch) -> None:
    settle = Sender._settle_by_reading

    async def hastily(sender: Sender, doubtful: Sequence[Sendable], number: int) -> Any:
        rest = await settle(sender, doubtful, number)
        ledger = sender._ledger
        if len(rest) == len(doubtful):
            ledger._in_doubt.discard(number)
            await ledger._writer.do(lambda journal: journal.plan_again(ledger._run, ledger._epoch, number))
        return rest

    patch.setattr(Sender, "_settle_by_reading", hastily)


def _take_what_does_not_hold_yet_for_unsent(patch: pytest.MonkeyPatch) -> None:
    settle = Rereading.settle

    async def hastily(hasty: Rereading, batch: Batch) -> int:
        found = await settle(hasty, batch)
        rows = await hasty._writer.do(lambda journal: journal.batch_rows(batch.run, batch.number))
        left = [row.ordinal for row in rows if row.status is Progress.IN_DOUBT]
        pending = [RowOutcome(ordinal=ordinal, status=Progress.PENDING) for ordinal in left]
        if pending:
            await hasty._ledger.settle_doubts(batch.number, pending)
        return found

    patch.setattr(Rereading, "settle", hastily)


def _reject_what_is_refused(patch: pytest.MonkeyPatch) -> None:
    async def none(*_facts: Any) -> dict[int, str | None]:
        return {}

    patch.setattr(Settling, "own", none)


def _take_whatever_is_named(patch: pytest.MonkeyPatch) -> None:
    async def its_own(*_facts: Any) -> bool:
        return True

    patch.setattr(Looking, "is_own", its_own)


def _mind_no_others_in_doubt(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Journal, "in_doubt_elsewhere", lambda *_facts: [])


def _stop_at_what_cannot_be_looked_at(patch: pytest.MonkeyPatch) -> None:
    async def look(refusals: Refusals, judged: Sequence[tuple[Sendable, Any]]) -> Mapping[int, str | None]:
        refused = list(refusals._repeats.refused(judged))
        others = {verdict.record_id for _, verdict in judged if isinstance(verdict, Succeeded)}
        return await refusals._look_up(refused, others) if refused else {}

    patch.setattr(Refusals, "written_before", look)


def _look_at_once(patch: pytest.MonkeyPatch) -> None:
    async def at_once(*_facts: Any) -> None:
        return

    patch.setattr(Refusals, "_wait_until_quiet", at_once)


def _count_the_quiet(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Patience, "aside", lambda _patience: nullcontext())


def _believe_the_refusal(patch: pytest.MonkeyPatch) -> None:
    async def nothing(*_facts: Any) -> dict[int, str]:
        return {}

    patch.setattr(Refusals, "_there", nothing)


def _tell_keys_apart_by_their_words(patch: pytest.MonkeyPatch) -> None:
    exactly = Keys.comparable
    patch.setattr(Keys, "comparable", lambda keys, record: folded(exactly(keys, record)))


def _take_whatever_has_the_value(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Rereading, "_is_its_own", lambda *_facts: True)


def _call_it_unknown_unseen(patch: pytest.MonkeyPatch) -> None:
    settle = Pending._settle_stranded

    async def unseen(pending: Pending, number: int, stranded: Any) -> None:
        pending._look_up = None
        await settle(pending, number, stranded)

    patch.setattr(Pending, "_settle_stranded", unseen)


def _call_it_rejected(patch: pytest.MonkeyPatch) -> None:
    settle = Pending._settle_stranded

    async def rejected(pending: Pending, number: int, stranded: Any) -> None:
        told = [(each, structs.replace(outcome, status=Progress.REJECTED)) for each, outcome in stranded]
        await settle(pending, number, told)

    patch.setattr(Pending, "_settle_stranded", rejected)


GUARDS = (
    Guard(
        name="what was lost and only turned away since is in doubt",
        remove=_believe_that_a_refusal_ends_every_doubt,
        noticed_by=[
            "test_lost_then_turned_away.py::test_what_was_lost_once_and_only_turned_away_since_is_unknown",
            "test_lost_then_turned_away.py::test_a_resumed_run_says_so_too_of_rows_that_an_earlier_process_has_lost",
        ],
    ),
    Guard(
        name="what was lost and does not hold yet is in doubt until it goes again",
        remove=_plan_again_before_it_goes,
        noticed_by=[
            "test_lost_then_turned_away.py::test_what_is_read_again_and_not_there_yet_is_unknown_until_it_goes"
        ],
    ),
    Guard(
        name="what an earlier process has lost and does not hold yet is in doubt until it goes again",
        remove=_take_what_does_not_hold_yet_for_unsent,
        noticed_by=[
            "test_lost_then_turned_away.py::test_rows_of_a_lost_batch_whose_turn_has_not_come_again_are_unknown_too"
        ],
    ),
    Guard(
        name="a create is not rejected for its own late record",
        remove=_reject_what_is_refused,
        noticed_by=["test_meeting_itself.py::test_a_row_that_is_refused_for_its_own_late_record_has_succeeded"],
    ),
    Guard(
        name="a record that a refusal names is the row's own only if it agrees, is new, and is ours",
        remove=_take_whatever_is_named,
        noticed_by=["test_meeting_itself.py::test_a_row_that_is_refused_for_the_record_of_somebody_else_is_rejected"],
    ),
    Guard(
        name="a record that a refusal names is not taken while another row may be told of it",
        remove=_mind_no_others_in_doubt,
        noticed_by=[
            "test_meeting_itself.py::test_of_two_equal_rows_one_has_the_record_whose_answer_is_still_on_its_way"
        ],
    ),
    Guard(
        name="an answer is written though a record that it names cannot be looked at",
        remove=_stop_at_what_cannot_be_looked_at,
        noticed_by=[
            "test_meeting_itself.py::test_what_the_answer_says_of_others_is_written_though_a_record_cannot_be_looked_at"
        ],
    ),
    Guard(
        name="a refusal is not believed before what was lost earlier has had its time",
        remove=_look_at_once,
        noticed_by=[
            "test_late_then_refused.py::test_a_keyed_create_that_arrives_after_its_refusal_has_succeeded",
            "test_late_then_refused.py::test_an_update_that_arrives_after_its_refusal_has_succeeded",
            "test_late_then_refused.py::test_what_an_earlier_call_has_lost_is_waited_for_as_long",
        ],
    ),
    Guard(
        name="the quiet period is not taken for failing",
        remove=_count_the_quiet,
        noticed_by=["test_late_then_refused.py::test_the_quiet_period_is_not_taken_for_failing"],
    ),
    Guard(
        name="what is there counts more than a refusal",
        remove=_believe_the_refusal,
        noticed_by=[
            "test_late_then_refused.py::test_a_keyed_create_that_arrives_after_its_refusal_has_succeeded",
            "test_late_then_refused.py::test_an_update_that_arrives_after_its_refusal_has_succeeded",
        ],
    ),
    Guard(
        name="the values of the unique field are compared as the organisation compares them",
        remove=_tell_keys_apart_by_their_words,
        noticed_by=["test_late_then_refused.py::test_the_value_of_another_record_is_not_taken_for_the_rows_own"],
    ),
    Guard(
        name="a record that has the value of a row is its own only if it says what the row says",
        remove=_take_whatever_has_the_value,
        noticed_by=["test_late_then_refused.py::test_a_record_of_its_value_that_says_something_else_is_not_the_rows"],
    ),
    Guard(
        name="a keyed row in doubt that cannot go again is looked for",
        remove=_call_it_unknown_unseen,
        noticed_by=["test_invalid_in_doubt.py::test_a_keyed_create_that_is_there_has_succeeded"],
    ),
    Guard(
        name="a row in doubt that cannot go again is unknown",
        remove=_call_it_rejected,
        noticed_by=[
            "test_invalid_in_doubt.py::test_a_keyed_create_that_is_not_there_is_not_known",
            "test_invalid_in_doubt.py::test_an_update_that_can_no_longer_be_sent_is_not_known",
        ],
    ),
)
