"""The guards of the borders: where a token may go, what may come in, and what may be told."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from guards import Guard

from bulkzcrm import config, hosts, logs, tokens
from bulkzcrm.ingest import guard
from bulkzcrm.redact import Secret
from bulkzcrm.report import csv_report, xlsx_lines


def _go_wherever_the_answer_says(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(tokens, "_check_api_domain", lambda _domain, _connection: None)


def _go_wherever_the_settings_say(patch: pytest.MonkeyPatch) -> None:
    centre = config._centre

    def anywhere(key: str, url: str) -> Any:
        try:
            return centre(key, url)
        except config.ConfigurationError:
            return hosts.DataCentre(name="elsewhere", accounts=url, apis=(url,))

    patch.setattr(config, "_centre", anywhere)


def _change_request(**changes: Any) -> Any:
    def remove(patch: pytest.MonkeyPatch) -> None:
        request = aiohttp.ClientSession._request

        async def changed(session: aiohttp.ClientSession, *facts: Any, **more: Any) -> Any:
            return await request(session, *facts, **{**more, **changes})

        patch.setattr(aiohttp.ClientSession, "_request", changed)

    return remove


def _show_secrets(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Secret, "__repr__", lambda secret: secret.reveal())
    patch.setattr(Secret, "__str__", lambda secret: secret.reveal())


def _log_as_it_comes(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(logs, "scrub", lambda text: text)


def _unpack_whatever_it_is(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(guard, "_refuse_entries", lambda _entries, _size, _name: None)


def _parse_whatever_it_is(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(guard, "_refuse_doctype", lambda _stream, _part, _name: None)


def _write_formulas(patch: pytest.MonkeyPatch) -> None:
    for report in (csv_report, xlsx_lines):
        patch.setattr(report, "defuse", lambda text: text)


GUARDS = (
    Guard(
        name="a token does not go where the accounts server sends it, unless that is the vendor's",
        remove=_go_wherever_the_answer_says,
        noticed_by=[
            "test_auth.py::test_answer_that_names_a_foreign_host_is_refused_and_its_token_not_kept",
            "test_security.py::test_nothing_is_sent_to_the_api_by_a_token_whose_answer_names_another_address",
        ],
    ),
    Guard(
        name="credentials go to the vendor's addresses only",
        remove=_go_wherever_the_settings_say,
        noticed_by=["test_config.py::test_address_that_is_not_exactly_one_of_the_vendors_is_not_allowed"],
    ),
    Guard(
        name="redirects are not followed",
        remove=_change_request(allow_redirects=True),
        noticed_by=["test_transport.py::test_redirect_is_an_answer_and_the_token_goes_nowhere_else"],
    ),
    Guard(
        name="nothing is sent twice behind our back",
        remove=_change_request(middlewares=()),
        noticed_by=["test_transport.py::test_request_whose_kept_connection_drops_is_lost_and_never_repeated"],
    ),
    Guard(
        name="no request waits for ever",
        remove=_change_request(timeout=aiohttp.ClientTimeout()),
        noticed_by=["test_token_renewal.py::test_no_request_of_the_api_waits_for_ever[POST]"],
    ),
    Guard(
        name="secrets show in no text",
        remove=_show_secrets,
        noticed_by=["test_config.py::test_connection_never_shows_a_secret"],
    ),
    Guard(
        name="secrets are taken out of the log at the end of its chain",
        remove=_log_as_it_comes,
        noticed_by=["test_logs.py::test_secret_is_hidden_wherever_it_stands"],
    ),
    Guard(
        name="a workbook that unpacks to too much is refused before it is parsed",
        remove=_unpack_whatever_it_is,
        noticed_by=["ingest/test_guard.py::test_a_zip_bomb_is_refused_by_ratio"],
    ),
    Guard(
        name="entities are refused before a part is parsed",
        remove=_parse_whatever_it_is,
        noticed_by=["ingest/test_guard.py::test_entities_are_refused_in_every_part_that_is_parsed"],
    ),
    Guard(
        name="no spreadsheet program runs what a report holds",
        remove=_write_formulas,
        noticed_by=[
            "report/test_report_csv.py::test_a_formula_without_a_stored_value_is_shown_and_does_not_run",
            "report/test_report_xlsx.py::test_a_text_that_looks_like_a_formula_stays_one_even_when_the_cell_is_edited",
        ],
    ),
)
