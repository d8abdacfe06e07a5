"""The guards of settling: what must be so before a lost create is taken for found, or for absent and sent again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from guards import KILLED, Guard

from bulkzcrm.errors import StoppedError
from bulkzcrm.journal import Batch, Journal, Progress, RowOutcome
from bulkzcrm.model import Json
from bulkzcrm.readings import lists, services
from bulkzcrm.run import looking, settling
from bulkzcrm.run.looking import Looking
from bulkzcrm.run.settling import Settled, Settling
from bulkzcrm.send import matching
from bulkzcrm.send.assigning import assign
from bulkzcrm.spec.organisation import Current


def _do_not_wait(patch: pytest.MonkeyPatch) -> None:
    async def at_once(_settling: Settling, *_facts: Any) -> None:
        return

    patch.setattr(Settling, "_wait_until_quiet", at_once)


def _do_not_read(patch: pytest.MonkeyPatch) -> None:
    async def all_absent(unread: Settling, batches: Sequence[Batch], **_facts: Any) -> Settled:
        count = 0
        for batch in batches:
            rows = await unread._doubtful(batch.number)
            outcomes = [RowOutcome(ordinal=row.ordinal, status=Progress.PENDING) for row in rows]
            await unread._writer.do(
                lambda journal, batch=batch, outcomes=outcomes: journal.mark_answered(
                    unread._run.id, unread._epoch, batch.number, outcomes, answered_ms=unread._now_ms()
                )
            )
            count += len(rows)
        return Settled(absent=count)

    patch.setattr(Settling, "settle", all_absent)


def _read_once(patch: pytest.MonkeyPatch) -> None:
    async def once(hasty: Settling, sought: Any) -> Any:
        return await hasty._looking.look(sought, await hasty._current_user()), True

    patch.setattr(Settling, "_read_until_steady", once)


def _do_not_compare_readings(patch: pytest.MonkeyPatch) -> None:
    look = Looking.look

    async def alike(hasty: Looking, *facts: Any) -> Any:
        seen = await look(hasty, *facts)
        seen_before = vars(hasty).setdefault("seen_before", seen)
        object.__setattr__(seen, "namesakes", seen_before.namesakes)
        return seen

    patch.setattr(Looking, "look", alike)


def _take_what_others_have(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Looking, "_is_free", lambda _greedy, record, _taken, sought: record.id not in sought.excluded)


def _take_what_was_there_before(patch: pytest.MonkeyPatch) -> None:
    begin = Settling.__init__

    def knowing_nothing(greedy: Settling, *facts: Any, **more: Any) -> None:
        begin(greedy, *facts, **{**more, "known_before": ()})

    patch.setattr(Settling, "__init__", knowing_nothing)
    _forget_who_had_the_names(patch)


def _forget_who_had_the_names(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(settling, "NAMESAKES", "nothing is kept under this word")


def _mind_no_other_names(patch: pytest.MonkeyPatch) -> None:
    async def none(_looking: Looking, *_facts: Any) -> list[str]:
        return []

    patch.setattr(Looking, "_renamed", none)


def _believe_in_any_order(patch: pytest.MonkeyPatch) -> None:
    async def as_they_come(sheets: AsyncIterator[list[Mapping[str, Json]]]) -> AsyncIterator[Mapping[str, Json]]:
        async for sheet in sheets:
            for entry in sheet:
                yield entry

    patch.setattr(services, "_newest_first", as_they_come)


def _take_anything_for_a_list(patch: pytest.MonkeyPatch) -> None:
    listed = lists._listed

    def lenient(*facts: Any) -> list[Mapping[str, Json]]:
        try:
            return listed(*facts)
        except StoppedError:
            return []

    patch.setattr(lists, "_listed", lenient)


def _take_what_others_took_meanwhile(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Looking, "is_stale", lambda *_facts: False)


def _take_anybodys(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(looking, "_made_by", lambda _record, _maker: True)


def _take_what_nobody_knows_the_maker_of(patch: pytest.MonkeyPatch) -> None:
    look = Looking.look

    async def unsuspecting(greedy: Looking, *facts: Any) -> Any:
        seen = await look(greedy, *facts)
        if not seen.maker_known:
            object.__setattr__(seen, "contested", frozenset())
        return seen

    patch.setattr(Looking, "look", unsuspecting)


def _do_not_mind_others_at_work(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Journal, "under_way_elsewhere", lambda *_facts: set())


def _do_not_mind_strangers(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        matching, "assign", lambda kinds, fits: assign(kinds, {each: near for each, near in fits.items() if near})
    )


def _take_the_first_of_many(patch: pytest.MonkeyPatch) -> None:
    real = matching._match_namesakes

    def guessing(matched: Any, kinds: Mapping[Any, Any], there: Sequence[Current], fields: Any) -> None:
        real(matched, kinds, there, fields)
        for kind in kinds.values():
            for place, ordinal in enumerate(kind.places):
                candidates = matched.ambiguous.get(ordinal, ())
                if len(candidates) > place:
                    del matched.ambiguous[ordinal]
                    matched.found[ordinal] = candidates[place]

    patch.setattr(matching, "_match_namesakes", guessing)


def _trust_clocks(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(looking, "_SKEW", timedelta(0))


_LATE = "create; of write 1 the request arrives after its sender has given up"


GUARDS = (
    Guard(
        name="nothing is read back before the quiet period is over",
        remove=_do_not_wait,
        noticed_by=[
            f"{KILLED}{_LATE}",
            "test_settling.py::test_a_create_that_is_carried_out_late_is_found_and_not_made_twice[39]",
        ],
    ),
    Guard(
        name="a lost create is read back before it is sent again",
        remove=_do_not_read,
        noticed_by=[
            f"{KILLED}create",
            "test_settling.py::test_what_is_found_is_read_once_and_nothing_is_sent_again",
        ],
    ),
    Guard(
        name="what is absent is looked for a second time",
        remove=_read_once,
        noticed_by=["test_settling.py::test_a_create_that_is_carried_out_late_is_found_and_not_made_twice[55]"],
    ),
    Guard(
        name="nothing is absent while two readings differ",
        remove=_do_not_compare_readings,
        noticed_by=["test_settling_meanwhile.py::test_nothing_is_absent_while_records_go_on_appearing"],
    ),
    Guard(
        name="a record that another row accounts for is not taken",
        remove=_take_what_others_have,
        noticed_by=[
            "test_settling.py::test_a_record_that_another_row_has_is_not_taken_twice",
            "test_settling_meanwhile.py::test_a_record_that_another_run_has_made_meanwhile_is_not_taken",
        ],
    ),
    Guard(
        name="a record that was there before is not taken",
        remove=_take_what_was_there_before,
        noticed_by=["test_settling.py::test_a_record_that_was_there_before_is_nobodys"],
    ),
    Guard(
        name="a record of that name from before the run is not taken on resume",
        remove=_forget_who_had_the_names,
        noticed_by=[
            "test_settling_deceived.py::test_an_equal_record_that_was_there_before_the_run_is_not_taken_on_resume"
        ],
    ),
    Guard(
        name="a record that may have been renamed is not passed over",
        remove=_mind_no_other_names,
        noticed_by=["test_settling_deceived.py::test_records_that_were_renamed_meanwhile_are_shown_and_not_made_twice"],
    ),
    Guard(
        name="a list in another order proves nothing",
        remove=_believe_in_any_order,
        noticed_by=["test_settling_deceived.py::test_a_list_in_another_order_proves_nothing_absent"],
    ),
    Guard(
        name="what is no list proves nothing",
        remove=_take_anything_for_a_list,
        noticed_by=["test_settling_deceived.py::test_what_is_no_list_proves_nothing_absent[a text for a list]"],
    ),
    Guard(
        name="nothing is believed that another run has changed since it was read",
        remove=_take_what_others_took_meanwhile,
        noticed_by=["test_two_in_doubt.py::test_a_record_that_another_run_takes_at_the_last_moment_is_not_taken_twice"],
    ),
    Guard(
        name="a record of another user is not taken",
        remove=_take_anybodys,
        noticed_by=["test_settling.py::test_a_record_of_another_user_is_not_taken_for_the_rows_own"],
    ),
    Guard(
        name="a record is not taken while nobody can tell who made it",
        remove=_take_what_nobody_knows_the_maker_of,
        noticed_by=["test_settling.py::test_where_nobody_can_tell_who_made_a_record_it_is_not_taken"],
    ),
    Guard(
        name="a record is not taken that may be another run's, whose answer is on its way",
        remove=_do_not_mind_others_at_work,
        noticed_by=["test_settling_meanwhile.py::test_a_record_that_may_be_another_runs_is_left_until_that_one_knows"],
    ),
    Guard(
        name="a stranger of the same name makes an absent row ambiguous",
        remove=_do_not_mind_strangers,
        noticed_by=[
            "test_settling.py::test_a_record_of_the_same_name_with_other_content_makes_an_absent_row_ambiguous",
            "test_matching.py::test_a_namesake_that_agrees_with_no_row_leaves_no_row_of_that_name_absent",
        ],
    ),
    Guard(
        name="of more records than rows none is guessed",
        remove=_take_the_first_of_many,
        noticed_by=["test_settling.py::test_more_records_than_rows_are_ambiguous_and_shown"],
    ),
    Guard(
        name="it is read back to some time before the create was sent",
        remove=_trust_clocks,
        noticed_by=["test_settling_meanwhile.py::test_a_record_is_found_although_the_servers_clocks_disagree"],
    ),
)
