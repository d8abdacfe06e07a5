"""The guards of matching: who else may have made a record, and what tells one record from another."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from guards import Guard

from bulkzcrm.journal import Progress, doubts
from bulkzcrm.lookup import folded
from bulkzcrm.run import ingesting, judging, phase
from bulkzcrm.run.judging import Judge
from bulkzcrm.run.looking import Looking
from bulkzcrm.run.phase import SendingPhase
from bulkzcrm.send import assigning, matching
from bulkzcrm.send.matching import Others
from bulkzcrm.spec import values
from bulkzcrm.spec.organisation import Current


def _mind_no_rivals(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Looking, "_others", lambda _looking, _doubted: Others())


def _ask_once_who_else_waits(patch: pytest.MonkeyPatch) -> None:
    ask = Looking._standing

    def once(hasty: Looking, *facts: Any) -> Any:
        doubted, taken = ask(hasty, *facts)
        return vars(hasty).setdefault("asked", doubted), taken

    patch.setattr(Looking, "_standing", once)


def _ask_once_who_has_what(patch: pytest.MonkeyPatch) -> None:
    ask = Looking._standing
    patch.setattr(Looking, "_standing", lambda *facts: (ask(*facts)[0], {}))


def _forget_who_was_left_since_the_reading(patch: pytest.MonkeyPatch) -> None:
    ask = Looking._standing

    def since_it_was_sent(looking: Looking, journal: Any, records: Any, sought: Any) -> Any:
        return ask(looking, journal, records, replace(sought, known_ms=sought.first_ms))

    patch.setattr(Looking, "_standing", since_it_was_sent)


def _compose_before_what_is_unseen_goes(patch: pytest.MonkeyPatch) -> None:
    def plain(text: str) -> str:
        composed = unicodedata.normalize("NFKC", text)
        return " ".join("".join(letter for letter in composed if unicodedata.category(letter) != "Cf").split())

    patch.setattr(values, "plain", plain)


def _know_names_by_their_letters(patch: pytest.MonkeyPatch) -> None:
    def identity(operation: Any, record: Any) -> str | None:
        return folded(str(record.get(operation.named_by) or "")) or None

    patch.setattr(ingesting, "first_identity", identity)
    patch.setattr(judging, "first_identity", identity)
    patch.setattr(judging, "names_of", lambda texts: [folded(text) for text in texts])


def _leave_each_record_where_it_fits_best(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(assigning, "_make_room", lambda *_facts: True)


def _let_the_closest_win(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(assigning, "_contested", lambda *_facts: [])


def _take_defaults_for_words(patch: pytest.MonkeyPatch) -> None:
    groups = matching._groups
    patch.setattr(matching, "_groups", lambda *facts: groups(*facts[:-1], {}))


def _take_what_is_not_shown(patch: pytest.MonkeyPatch) -> None:
    in_full = Looking._in_full

    async def lenient(looking: Looking, namesakes: Sequence[Current], lost: Any) -> Any:
        whole, _ = await in_full(looking, namesakes, lost)
        shown = {each.id: each for each in whole}
        return [shown.get(each.id, each) for each in namesakes], set()

    patch.setattr(Looking, "_in_full", lenient)


def _believe_that_whatever_was_sent_was_made(patch: pytest.MonkeyPatch) -> None:
    def note(judge: Judge, _journal: Any, _run: str, rows: Any) -> None:
        judge.verdicts.sent_before |= {matching.name_of(row.record, judge.operation.named_by) for row in rows}

    patch.setattr(Judge, "note_sent", note)


def _trust_the_list(patch: pytest.MonkeyPatch) -> None:
    async def as_listed(_looking: Looking, namesakes: Sequence[Current], _lost: Any) -> tuple[list[Current], set[str]]:
        return list(namesakes), set()

    patch.setattr(Looking, "_in_full", as_listed)


def _forget_who_was_left_to_people(patch: pytest.MonkeyPatch) -> None:
    left = doubts._left

    def in_doubt(*facts: Any) -> list[Any]:
        return [row for row in left(*facts) if row["status"] == Progress.IN_DOUBT]

    patch.setattr(doubts, "_left", in_doubt)


def _note_namesakes_once(patch: pytest.MonkeyPatch) -> None:
    new = SendingPhase._new_namesakes
    patch.setattr(SendingPhase, "_new_namesakes", lambda one, verdicts: new(one, verdicts) if one._untouched else [])


def _call_every_record_of_the_name_a_namesake(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(phase, "pages", lambda *_facts: ())


GUARDS = (
    Guard(
        name="a record is not taken that agrees better with a row waited for elsewhere",
        remove=_mind_no_rivals,
        noticed_by=[
            "test_two_in_doubt.py::test_runs_that_are_in_doubt_for_one_name_do_not_take_each_others_record",
            "test_two_in_doubt.py::test_a_record_that_may_be_either_ones_is_left_to_people_by_both",
        ],
    ),
    Guard(
        name="a record is read in full before it is taken",
        remove=_trust_the_list,
        noticed_by=[
            "test_two_in_doubt.py::test_a_record_with_other_members_made_meanwhile_is_not_taken_for_a_lost_one",
            "test_two_in_doubt.py::test_rows_of_one_run_that_are_read_back_apart_do_not_take_each_others_record",
        ],
    ),
    Guard(
        name="a row that was left to people may have made a record, too",
        remove=_forget_who_was_left_to_people,
        noticed_by=["test_two_in_doubt.py::test_a_record_that_may_be_either_ones_is_left_to_people_by_both"],
    ),
    Guard(
        name="who else waits is asked after each reading",
        remove=_ask_once_who_else_waits,
        noticed_by=["test_two_in_doubt.py::test_a_row_that_is_lost_while_another_run_reads_back_has_a_say"],
    ),
    Guard(
        name="who has what is asked once more when all is read",
        remove=_ask_once_who_has_what,
        noticed_by=[
            "test_two_in_doubt.py::test_who_takes_its_record_while_another_reads_leaves_the_other_its_own",
        ],
    ),
    Guard(
        name="who was left to people since the organisation was read may have made what came since",
        remove=_forget_who_was_left_since_the_reading,
        noticed_by=["test_two_in_doubt.py::test_a_record_that_came_before_a_row_was_sent_is_not_the_rows"],
    ),
    Guard(
        name="signs that cannot be seen do not keep letters apart",
        remove=_compose_before_what_is_unseen_goes,
        noticed_by=["spec/test_values.py::test_a_sign_that_cannot_be_seen_does_not_keep_letters_from_being_one"],
    ),
    Guard(
        name="names that a server takes for one are one",
        remove=_know_names_by_their_letters,
        noticed_by=["test_two_in_doubt.py::test_names_that_a_server_takes_for_one_are_one"],
    ),
    Guard(
        name="a record makes room where another row is wanting",
        remove=_leave_each_record_where_it_fits_best,
        noticed_by=["test_two_in_doubt.py::test_what_the_organisation_fills_in_makes_no_record_a_row_of_its_own"],
    ),
    Guard(
        name="a record that fits two rows alike is neither's while one is wanting",
        remove=_let_the_closest_win,
        noticed_by=[
            "test_two_in_doubt.py::test_a_record_that_may_be_either_ones_is_left_to_people_by_both",
            "test_matching.py::test_what_fits_a_row_that_nobody_asks_about_best_is_not_taken",
        ],
    ),
    Guard(
        name="what the organisation fills in is no difference",
        remove=_take_defaults_for_words,
        noticed_by=[
            "test_matching.py::test_a_row_that_says_what_the_organisation_fills_in_is_the_same_as_one_that_does_not"
        ],
    ),
    Guard(
        name="a record that is listed and not shown is nobody's",
        remove=_take_what_is_not_shown,
        noticed_by=["test_two_in_doubt.py::test_a_record_that_is_listed_and_not_shown_is_nobodys_yet"],
    ),
    Guard(
        name="what was only turned away has made nothing",
        remove=_believe_that_whatever_was_sent_was_made,
        noticed_by=["test_namesakes_on_resume.py::test_what_was_only_turned_away_has_made_nothing"],
    ),
    Guard(
        name="what was there before a row was ever sent is noted by each call",
        remove=_note_namesakes_once,
        noticed_by=["test_namesakes_on_resume.py::test_a_namesake_is_not_taken_for_a_row_that_was_sent_later"],
    ),
    Guard(
        name="a record of a row that was sent is no namesake",
        remove=_call_every_record_of_the_name_a_namesake,
        noticed_by=[
            "test_namesakes_on_resume.py::test_the_record_of_a_lost_row_is_still_its_own_where_another_row_has_its_name"
        ],
    ),
)
