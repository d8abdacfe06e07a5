"""The guards of sending: what a request needs before it leaves, and what an answer needs before it is believed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from anyio.lowlevel import checkpoint
from guards import KILLED, SUSPENDED, Guard

from bulkzcrm.answers import reading
from bulkzcrm.client import Client
from bulkzcrm.errors import BulkzcrmError
from bulkzcrm.journal import Intent, Journal, intents
from bulkzcrm.journal.database import Database
from bulkzcrm.journal.serials import base_of
from bulkzcrm.run import keys as judging_keys
from bulkzcrm.run import phase, sending
from bulkzcrm.run.signals import StopSignal
from bulkzcrm.send import Budget, Claim, Ledger, Sendable, Sender
from bulkzcrm.send.repeats import Repeats
from bulkzcrm.spec.certainty import CERTAINTY, Certainty, Observed, Proof
from bulkzcrm.transport import Transport


def _write_the_intent_with_the_answer(patch: pytest.MonkeyPatch) -> None:
    intend = Ledger.sending

    async def later(ledger: Ledger, number: int, *facts: Any, **more: Any) -> None:
        vars(ledger).setdefault("intents", {})[number] = partial(intend, ledger, number, *facts, **more)
        await ledger.extend_lease()

    def after_it(move: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        async def moved(ledger: Ledger, number: int, *facts: Any, **more: Any) -> None:
            kept = vars(ledger).setdefault("intents", {}).pop(number, None)
            if kept is not None:
                await kept()
            await move(ledger, number, *facts, **more)

        return moved

    patch.setattr(Ledger, "sending", later)
    for name in ("answered", "not_applied", "in_doubt"):
        patch.setattr(Ledger, name, after_it(getattr(Ledger, name)))


def _let_everything_leave(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Claim, "may_leave", lambda _claim: None)


def _do_not_ask_before_the_first_byte(patch: pytest.MonkeyPatch) -> None:
    send = Transport.send

    async def unasked(transport: Transport, *request: Any, may_leave: Any = None, **more: Any) -> Any:
        def leave() -> None:
            # Whoever asks keeps account of departures, too: only the refusal is passed over.
            if may_leave is not None:
                with suppress(Exception):
                    may_leave()

        return await send(transport, *request, may_leave=leave, **more)

    patch.setattr(Transport, "send", unasked)


def _get_the_token_after_the_intent(patch: pytest.MonkeyPatch) -> None:
    ready, exchange = Client.ready, Client.exchange

    async def none_yet(_client: Client) -> None:
        return None

    async def with_token(client: Client, *request: Any, token: Any = None, **more: Any) -> Any:
        return await exchange(client, *request, token=token or await ready(client), **more)

    patch.setattr(Client, "ready", none_yet)
    patch.setattr(Client, "exchange", with_token)


def _carry_any_rows(patch: pytest.MonkeyPatch) -> None:
    mark = Journal.mark_sending

    def marked(journal: Journal, run: str, epoch: int, number: int, **facts: Any) -> None:
        waiting = [row.ordinal for row in journal.batch_rows(run, number) if row.status == "pending"]
        mark(journal, run, epoch, number, **{**facts, "ordinals": waiting})

    patch.setattr(Journal, "mark_sending", marked)


def _intend_to_send_whatever_there_is(patch: pytest.MonkeyPatch) -> None:
    def intend(database: Database, run: str, intent: Intent) -> None:
        rows = [ordinal for ordinal in intent.ordinals if ordinal in waiting(database, run)]
        first, last = min(intent.ordinals, default=0), max(intent.ordinals, default=0)
        database.change(
            "INSERT INTO batch (run, number, parent, state, first_ordinal, last_ordinal, size, attempt, body_sha256,"
            " sent_ms) VALUES (?, ?, ?, 'sending', ?, ?, ?, 1, ?, ?)",
            (run, intent.number, intent.parent, first, last, len(rows), intent.body_sha256, intent.sent_ms),
        )
        base = base_of(database, run)
        database.change_many(
            "UPDATE row_state SET batch = ?, status = 'sending', attempts = attempts + 1 WHERE place = ?",
            ((intent.number, base + ordinal) for ordinal in rows),
        )

    def waiting(database: Database, run: str) -> set[int]:
        base = base_of(database, run)
        found = database.all("SELECT place FROM row_state WHERE place > ? AND status = 'pending'", (base,))
        return {row[0] - base for row in found}

    patch.setattr(intents, "intend", intend)


def _begin_whatever_stands_ready(patch: pytest.MonkeyPatch) -> None:
    make = Sender.__init__

    def made(sender: Sender, *facts: Any, **more: Any) -> None:
        make(sender, *facts, **{**more, "may_begin": lambda: True})

    patch.setattr(Sender, "__init__", made)


def _dawdle_with_the_answer(patch: pytest.MonkeyPatch) -> None:
    answered = Ledger.answered

    async def later(ledger: Ledger, *facts: Any, **more: Any) -> None:
        for _ in range(50):
            await checkpoint()
        await answered(ledger, *facts, **more)

    patch.setattr(Ledger, "answered", later)


def _take_a_death_for_nothing_done(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(CERTAINTY, Observed.PROCESS_DIED, Certainty(Proof.NOT_APPLIED, "a guess"))


def _take_silence_for_nothing_done(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(CERTAINTY, Observed.BROKEN_OFF, Certainty(Proof.NOT_APPLIED, "a guess"))


def _take_an_error_of_the_server_for_nothing_done(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(CERTAINTY, Observed.SERVER_ERROR, Certainty(Proof.NOT_APPLIED, "a guess"))


def _make_any_answer_fit(patch: pytest.MonkeyPatch) -> None:
    judge = reading._of_elements

    def fitted(sent: Any, status: int, elements: Sequence[Any]) -> Any:
        count = len(sent.records)
        full = [*elements, *[elements[-1]] * count][:count] if elements and status < 300 else elements
        return judge(sent, status, full)

    patch.setattr(reading, "_of_elements", fitted)


def _believe_any_id(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reading, "_contradiction", lambda *_facts: "")


def _repeat_updates_unread(patch: pytest.MonkeyPatch) -> None:
    settle = Sender._settle_by_reading

    async def unread(sender: Sender, doubtful: Sequence[Sendable], number: int) -> Any:
        async def nothing_holds(_rows: Sequence[Sendable]) -> frozenset[int]:
            return frozenset()

        sender._recheck = nothing_holds
        return await settle(sender, doubtful, number)

    patch.setattr(Sender, "_settle_by_reading", unread)


def _never_despair_of_the_server(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sending, "_DOUBTS_IN_A_ROW", 10**9)


def _spend_any_number_of_errors(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Budget, "spend", lambda _budget, _rows: None)


def _create_again_unasked(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(phase, "refuse_again", lambda _run, _journal: None)


def _send_to_any_organisation(patch: pytest.MonkeyPatch) -> None:
    find = phase.the_same_organisation

    def whichever(run: Any, organisation: Any, connection: Any) -> tuple[str, str]:
        try:
            return find(run, organisation, connection)
        except BulkzcrmError:
            return organisation.profile.id, organisation.profile.name

    patch.setattr(phase, "the_same_organisation", whichever)


def _reject_a_row_that_met_itself(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Repeats, "met_itself", lambda *_facts: False)


def _take_no_value_for_taken(patch: pytest.MonkeyPatch) -> None:
    make = judging_keys.keys_of

    def ignorant(*facts: Any, **more: Any) -> Any:
        keys = make(*facts, **more)
        return keys and replace(keys, taken={})

    patch.setattr(phase, "keys_of", ignorant)


def _go_on_after_the_signal(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(StopSignal, "requested", property(lambda signal: signal.aborted))


GUARDS = (
    Guard(
        name="the intent is on the disk before the request leaves",
        remove=_write_the_intent_with_the_answer,
        noticed_by=[f"{KILLED}create"],
    ),
    Guard(
        name="a request leaves only while the run is certainly ours",
        remove=_let_everything_leave,
        noticed_by=[
            f"{SUSPENDED}create",
            "test_claim.py::test_a_zombie_that_wakes_up_after_its_run_was_taken_over_sends_nothing_and_writes_nothing",
        ],
    ),
    Guard(
        name="that is asked in the last moment before the first byte",
        remove=_do_not_ask_before_the_first_byte,
        noticed_by=[
            "test_transport.py::test_departure_may_be_forbidden_with_any_error_and_does_not_count_as_a_request",
            "test_claim.py::test_a_sleeper_whose_run_nobody_took_holds_back_the_request_and_goes_on_with_a_new_lease",
        ],
    ),
    Guard(
        name="a token is at hand before the intent is written",
        remove=_get_the_token_after_the_intent,
        noticed_by=[
            "test_token_renewal.py::test_no_token_is_renewed_between_the_intent_to_send_and_the_departure",
        ],
    ),
    Guard(
        name="a request carries exactly the rows of its batch",
        remove=_carry_any_rows,
        noticed_by=["journal/test_journal_batches.py::test_a_request_carries_exactly_the_rows_of_its_batch"],
    ),
    Guard(
        name="a new batch is sent only if all its rows wait to be sent",
        remove=_intend_to_send_whatever_there_is,
        noticed_by=["journal/test_journal_intents.py::test_only_rows_that_wait_can_be_sent_and_each_once"],
    ),
    Guard(
        name="what stands ready is not begun where lost creates are to be read back first",
        remove=_begin_whatever_stands_ready,
        noticed_by=["test_sending_ahead.py::test_what_stands_ready_waits_until_lost_creates_are_read_back"],
    ),
    Guard(
        name="no more batches are between intent and outcome than may be in flight",
        remove=_dawdle_with_the_answer,
        noticed_by=[
            "test_sending_ahead.py::test_no_more_batches_are_between_intent_and_outcome_than_may_be_in_flight",
        ],
    ),
    Guard(
        name="what a dead process was sending is in doubt",
        remove=_take_a_death_for_nothing_done,
        noticed_by=[f"{KILLED}create"],
    ),
    Guard(
        name="a create whose answer was lost is in doubt",
        remove=_take_silence_for_nothing_done,
        noticed_by=["test_settling.py::test_what_is_found_is_read_once_and_nothing_is_sent_again"],
    ),
    Guard(
        name="a create that the server failed at is in doubt",
        remove=_take_an_error_of_the_server_for_nothing_done,
        noticed_by=[f"{KILLED}create; the server fails in eight ways"],
    ),
    Guard(
        name="an answer judges as many records as were sent",
        remove=_make_any_answer_fit,
        noticed_by=[
            f"{KILLED}create; the server fails in eight ways",
            "test_answers.py::TestRefusalOfAWholeBatch::test_a_2xx_of_another_length_proves_nothing",
        ],
    ),
    Guard(
        name="the answer to an update names the ids that were sent",
        remove=_believe_any_id,
        noticed_by=[
            "test_answers.py::TestIdsAreChecked::test_an_update_that_names_another_id_is_not_believed_at_all",
            "test_answers.py::TestIdsAreChecked::test_swapped_results_of_an_update_are_not_believed",
            "test_answers.py::TestIdsAreChecked::test_a_create_needs_a_new_exact_id_for_each_record",
        ],
    ),
    Guard(
        name="a lost update is read again before it is repeated",
        remove=_repeat_updates_unread,
        noticed_by=["test_sending_doubts.py::test_of_a_lost_update_only_the_rows_that_do_not_hold_yet_are_sent_again"],
    ),
    Guard(
        name="after three lost creates in a row no more is sent before they are read back",
        remove=_never_despair_of_the_server,
        noticed_by=["test_sending_doubts.py::test_three_doubtful_creates_in_a_row_are_read_back_before_more_is_sent"],
    ),
    Guard(
        name="no more rows go wrong than --max-errors allows",
        remove=_spend_any_number_of_errors,
        noticed_by=["test_sending_doubts.py::test_max_errors_stops_as_soon_as_more_rows_than_that_went_wrong"],
    ),
    Guard(
        name="what was created once is not created again without --again",
        remove=_create_again_unasked,
        noticed_by=["cli/test_cli_endings.py::test_a_create_of_the_same_content_needs_again"],
    ),
    Guard(
        name="a run is carried on with in its own organisation only",
        remove=_send_to_any_organisation,
        noticed_by=["test_resume.py::test_another_organisation_cannot_resume_a_run"],
    ),
    Guard(
        name="a row is not rejected for the record that it made itself",
        remove=_reject_a_row_that_met_itself,
        noticed_by=[
            (
                "test_unique_field.py::"
                "test_a_value_that_an_earlier_attempt_was_taking_just_then_is_no_reason_to_reject_the_row"
            )
        ],
    ),
    Guard(
        name="a create with a unique field changes no record that is there",
        remove=_take_no_value_for_taken,
        noticed_by=["test_unique_field.py::test_a_create_never_changes_a_record_that_is_there"],
    ),
    Guard(
        name="after the first signal nothing more is begun",
        remove=_go_on_after_the_signal,
        noticed_by=["test_stopping.py::test_the_first_signal_lets_what_is_in_flight_end_and_begins_nothing_more"],
    ),
)
