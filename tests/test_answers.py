"""What each shape of answer proves about the records that were sent, and what it does not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bulkzcrm.answers import (
    Doubt,
    Judged,
    RefreshToken,
    Rejected,
    Sent,
    Split,
    StopRun,
    Succeeded,
    TryAgain,
    Written,
    read_answer,
)
from bulkzcrm.errors import CredentialsRefusedError, StoppedError

OLD = ["5545974000002183001", "5545974000002183002", "5545974000002183003"]
NEW = ["5545974000002180641", "5545974000002180642", "5545974000002180643"]


def creating(count: int = 3) -> Sent:
    records = [{"Service_Name": f"Service {number}", "Duration": 60} for number in range(count)]
    return Sent(records=records, ids=[None] * count, wrapper="data", creates=True, safe_to_repeat=False)


def updating(count: int = 3) -> Sent:
    records = [{"id": OLD[number], "Duration": 60} for number in range(count)]
    return Sent(records=records, ids=OLD[:count], wrapper="data", creates=False, safe_to_repeat=True)


def setting(wrapper: str, record_id: str | None = None) -> Sent:
    return Sent(records=[{"id": record_id}], ids=[record_id], wrapper=wrapper, creates=False, safe_to_repeat=True)


def success(record_id: object = None, message: str = "record added") -> dict[str, Any]:
    details = {} if record_id is None else {"id": record_id}
    return {"code": "SUCCESS", "details": details, "message": message, "status": "success"}


def error(code: object = "INVALID_DATA", message: str = "invalid data", **details: object) -> dict[str, Any]:
    return {"code": code, "details": details, "message": message, "status": "error"}


def at(row: object, field: str = "Duration") -> dict[str, object]:
    return {"api_name": field, "json_path": f"$.data[{row}].{field}"}


def read(sent: Sent, status: int, answer: object) -> object:
    return read_answer(sent, status, answer if isinstance(answer, bytes) else json.dumps(answer).encode())


def kinds(reading: object) -> list[str]:
    assert isinstance(reading, Judged | Written)
    return [type(verdict).__name__ for verdict in reading.verdicts]


def data(*elements: object) -> dict[str, object]:
    return {"data": list(elements)}


class TestEveryRecordIsJudgedByItsOwnElement:
    def test_created_records_get_the_new_ids_in_order(self):
        reading = read(creating(), 201, data(*map(success, NEW)))
        assert isinstance(reading, Judged | Written)
        assert [v.record_id for v in reading.verdicts if isinstance(v, Succeeded)] == NEW

    @pytest.mark.parametrize("status", [200, 201, 202, 207, 400, 403, 412, 500])
    def test_the_elements_decide_whatever_the_http_status(self, status):
        reading = read(creating(), status, data(success(NEW[0]), error(**at(1)), success(NEW[2])))
        assert kinds(reading) == ["Succeeded", "Rejected", "Succeeded"]

    def test_accepted_with_202_is_no_success_when_every_element_is_an_error(self):
        assert kinds(read(creating(), 202, data(*[error("DUPLICATE_DATA", id=OLD[0])] * 3))) == ["Rejected"] * 3

    def test_a_wrong_number_in_a_path_does_not_move_a_verdict(self):
        reading = read(creating(2), 207, data(success(NEW[0]), error(**at(0))))
        assert kinds(reading) == ["Succeeded", "Rejected"]

    def test_a_refused_record_carries_the_problem_with_the_servers_words(self):
        reading = read(creating(1), 400, data(error(message="Duration is odd", **at(0))))
        assert isinstance(reading, Judged | Written)
        (verdict,) = reading.verdicts
        assert isinstance(verdict, Rejected)
        assert verdict.problems[0].field == "Duration"
        assert "Duration is odd" in verdict.problems[0].message

    def test_extra_keys_are_ignored(self):
        odd = success(NEW[0]) | {"action": "insert", "duplicate_field": None, "error_meta": "x"}
        assert kinds(read(creating(1), 201, data(odd) | {"info": {"more": 1}})) == ["Succeeded"]

    def test_details_may_be_a_list(self):
        broken = {"code": "NOT_APPROVED", "details": [], "message": "no", "status": "error"}
        assert kinds(read(creating(2), 207, data(success(NEW[0]), broken))) == ["Succeeded", "Rejected"]

    @pytest.mark.parametrize("status", [200, 201, 204, 207, 400, 500])
    @pytest.mark.parametrize(
        "element",
        [
            error(4711),
            error(429),
            error(401),
            error(" ") | {"error": "INVALID_DATA"},
            {"error": "INVALID_DATA", "details": {}, "status": "error"},
            {"error": "TOO_MANY_REQUESTS", "details": {}, "status": "error"},
            {"error": "SUCCESS", "details": {"id": NEW[0]}, "status": "success"},
        ],
    )
    def test_an_element_whose_code_is_not_given_as_the_api_gives_it_proves_nothing(self, status, element):
        assert kinds(read(creating(2), status, data(element, success(NEW[1])))) == ["Uncertain", "Succeeded"]
        for sent in (creating(1), updating(1), creating(2)):
            nothing_proved = read(sent, status, data(*[element] * len(sent.records)))
            assert isinstance(nothing_proved, Doubt) or not nothing_proved.certain_not_applied

    def test_the_number_of_older_answers_is_a_code_where_its_name_stands_beside_it(self):
        old = {"code": 429, "error": "TOO_MANY_REQUESTS", "details": [], "status": "error"}
        assert kinds(read(creating(2), 207, data(old, success(NEW[1])))) == ["NotApplied", "Succeeded"]

    def test_an_error_about_rights_on_one_record_rejects_that_record_only(self):
        reading = read(updating(2), 207, data(success(OLD[0]), error("NO_PERMISSION")))
        assert kinds(reading) == ["Succeeded", "Rejected"]

    def test_a_refusal_with_403_inside_data_is_about_its_record(self):
        assert kinds(read(updating(1), 403, data(error("NOT_ALLOWED", **at(0, "Status"))))) == ["Rejected"]

    def test_an_unknown_code_on_one_record_rejects_it_with_the_raw_code(self):
        reading = read(creating(2), 207, data(error("BRAND_NEW"), success(NEW[1])))
        assert isinstance(reading, Judged | Written)
        assert isinstance(reading.verdicts[0], Rejected)
        assert reading.verdicts[0].problems[0].code == "BRAND_NEW"

    def test_trouble_inside_zoho_leaves_its_record_uncertain(self):
        assert kinds(read(creating(2), 207, data(error("INTERNAL_ERROR"), success(NEW[1])))) == [
            "Uncertain",
            "Succeeded",
        ]

    @pytest.mark.parametrize("code", ["INVALID_TOKEN", "TOO_MANY_REQUESTS"])
    def test_a_record_that_came_too_late_for_token_or_limit_was_not_applied(self, code):
        assert kinds(read(creating(2), 207, data(success(NEW[0]), error(code)))) == ["Succeeded", "NotApplied"]

    @pytest.mark.parametrize(
        "element",
        [
            {},
            None,
            "success",
            {"code": "SUCCESS", "details": {"id": NEW[0]}},
            {"code": "SUCCESS", "details": {"id": NEW[0]}, "status": "error"},
            {"code": "DUPLICATE_DATA", "details": {"id": NEW[0]}, "status": "success"},
            {"code": "INVALID_DATA", "details": {}},
            {"details": {}, "status": "error"},
            {"code": "SUCCESS", "details": {"id": NEW[0]}, "status": "done"},
        ],
    )
    def test_an_element_that_contradicts_itself_proves_nothing_of_its_record(self, element):
        assert kinds(read(creating(2), 207, data(element, success(NEW[1])))) == ["Uncertain", "Succeeded"]

    def test_several_errors_of_one_record_become_several_problems(self):
        nested = error(
            "MULTIPLE_OR_MULTI_ERRORS", errors=[error(**at(0)), error("MANDATORY_NOT_FOUND", **at(0, "Price"))]
        )
        outer = error("MULTIPLE_OR_MULTI_ERRORS") | {"errors": [nested, error("NOT_APPROVED")]}
        reading = read(creating(2), 207, data(outer, success(NEW[1])))
        assert isinstance(reading, Judged | Written)
        assert isinstance(reading.verdicts[0], Rejected)
        assert [problem.code for problem in reading.verdicts[0].problems] == [
            "INVALID_DATA",
            "MANDATORY_NOT_FOUND",
            "NOT_APPROVED",
        ]

    def test_several_errors_without_a_list_are_still_one_problem(self):
        reading = read(creating(2), 207, data(error("MULTIPLE_OR_MULTI_ERRORS", errors=7), success(NEW[1])))
        assert kinds(reading) == ["Rejected", "Succeeded"]


class TestIdsAreChecked:
    def test_an_update_names_the_ids_that_were_sent_as_text_or_exact_numbers(self):
        assert kinds(read(updating(2), 200, data(success(OLD[0]), success(int(OLD[1]))))) == ["Succeeded"] * 2

    @pytest.mark.parametrize("wrong", [OLD[1], NEW[0], None, "", 5.545974000002183e18, True, [], OLD[0] + " "])
    def test_an_update_that_names_another_id_is_not_believed_at_all(self, wrong):
        assert isinstance(read(updating(2), 200, data(success(wrong), success(OLD[1]))), Doubt)

    def test_swapped_results_of_an_update_are_not_believed(self):
        assert isinstance(read(updating(2), 200, data(success(OLD[1]), success(OLD[0]))), Doubt)

    @pytest.mark.parametrize("wrong", [None, "", "generated_id_0", 5.545974000002183e18, 0, -5, "007", "٣٤٥", NEW[1]])
    def test_a_create_needs_a_new_exact_id_for_each_record(self, wrong):
        assert isinstance(read(creating(2), 201, data(success(wrong), success(NEW[1]))), Doubt)

    def test_the_id_of_the_record_that_was_there_before_is_never_taken_for_ours(self):
        reading = read(creating(1), 400, data(error("DUPLICATE_DATA", id=OLD[0], duplicate_record={"id": OLD[0]})))
        assert isinstance(reading, Judged | Written)
        (verdict,) = reading.verdicts
        assert isinstance(verdict, Rejected)
        assert OLD[0] in verdict.problems[0].message

    def test_a_record_changed_by_somebody_else_is_rejected_although_its_details_look_like_a_success(self):
        details = {"id": OLD[0], "Modified_Time": "2040-03-07T10:00:00+05:30", "Created_By": {"id": "1"}}
        assert kinds(read(updating(1), 412, data(error("ALREADY_MODIFIED", **details)))) == ["Rejected"]
        assert kinds(read(updating(1), 412, error("ALREADY_MODIFIED", **details))) == ["Rejected"]


class TestSettingsAndRules:
    def test_business_hours_are_wrapped_in_an_object(self):
        answer = {"business_hours": success("3652397000001438001", "Business Hours saved successfully")}
        assert kinds(read(setting("business_hours", "3652397000001438001"), 200, answer)) == ["Succeeded"]

    def test_an_error_of_business_hours_comes_wrapped_or_bare(self):
        sent = setting("business_hours", "3652397000001438001")
        refused = error("NOT_ALLOWED", "Cannot update business hours")
        assert kinds(read(sent, 400, {"business_hours": refused})) == ["Rejected"]
        assert kinds(read(sent, 400, refused)) == ["Rejected"]

    def test_service_preferences_succeed_without_an_id(self):
        reading = read(setting("service_preferences"), 200, {"service_preferences": success()})
        assert isinstance(reading, Judged | Written)
        assert reading.verdicts == (Succeeded(""),)

    def test_an_id_that_has_lost_digits_is_not_believed_even_where_none_is_expected(self):
        answer = {"business_hours": success(3.652397000001438e18)}
        assert isinstance(read(setting("business_hours"), 200, answer), Doubt)

    def test_service_preferences_without_their_wrapper_are_rejected(self):
        refused = error("MANDATORY_NOT_FOUND", api_name="service_preferences", json_path="$.service_preferences")
        assert kinds(read(setting("service_preferences"), 400, refused)) == ["Rejected"]

    def test_scoring_rules_are_wrapped_in_an_array(self):
        rule = "4876876000000965528"
        assert kinds(read(setting("scoring_rules", rule), 200, {"scoring_rules": [success(rule)]})) == ["Succeeded"]

    def test_a_bad_rule_id_is_a_bare_answer_about_the_one_row(self):
        reading = read(setting("scoring_rules", "1"), 400, error(message="The id is invalid", resource_path_index=3))
        assert isinstance(reading, Judged | Written)
        (verdict,) = reading.verdicts
        assert isinstance(verdict, Rejected)
        assert (verdict.problems[0].field, "scoring rule" in verdict.problems[0].message) == ("id", True)

    def test_a_limit_of_active_rules_rejects_the_row(self):
        answer = {"scoring_rules": [error("ACTIVE_STATE_LIMIT_EXCEEDED", limit=5)]}
        assert kinds(read(setting("scoring_rules", "1"), 400, answer)) == ["Rejected"]


class TestRefusalOfAWholeBatch:
    def test_a_bare_answer_about_the_only_row_is_its_verdict(self):
        assert kinds(read(creating(1), 400, error("DEPENDENT_MISMATCH", **at(0, "Available_Days")))) == ["Rejected"]

    @pytest.mark.parametrize("status", [400, 403, 404, 412])
    def test_a_bare_answer_with_a_rows_code_splits_a_larger_batch(self, status):
        assert isinstance(read(creating(), status, error("NOT_ALLOWED")), Split)

    def test_a_numbered_path_names_the_guilty_row(self):
        reading = read(creating(), 400, error(**at(2)))
        assert isinstance(reading, Split)
        assert [(row, problem.field) for row, (problem,) in reading.guilty.items()] == [(2, "Duration")]

    @pytest.mark.parametrize("row", ["*", 3, 999_999, "x", "-1", ""])
    def test_a_path_with_a_wildcard_or_beyond_the_batch_names_nobody(self, row):
        reading = read(creating(), 400, error(**at(row)))
        assert isinstance(reading, Split)
        assert reading.guilty == {}

    def test_a_400_with_fewer_elements_names_refused_rows_by_their_paths(self):
        answer = data(error(**at(2)), error("MANDATORY_NOT_FOUND", **at(2, "Price")))
        reading = read(creating(), 400, answer)
        assert isinstance(reading, Split)
        assert [problem.code for problem in reading.guilty[2]] == ["INVALID_DATA", "MANDATORY_NOT_FOUND"]
        assert list(reading.guilty) == [2]

    def test_a_400_with_fewer_elements_and_no_numbers_names_nobody(self):
        reading = read(creating(), 400, data(error(**at("*"))))
        assert isinstance(reading, Split)
        assert reading.guilty == {}

    def test_a_400_with_more_elements_is_split_until_the_row_stands_alone(self):
        many = data(*[error(**at("*"))] * 4)
        assert isinstance(read(creating(), 400, many), Split)
        assert kinds(read(creating(1), 400, many)) == ["Rejected"]

    @pytest.mark.parametrize(
        "answer",
        [
            error(api_name="data", json_path="$.data", maximum_length=100),
            data(error("LIMIT_EXCEEDED", api_name="data", json_path="$.data", limit=100)),
        ],
    )
    def test_too_many_records_for_one_request_are_sent_in_parts(self, answer):
        reading = read(creating(), 400, answer)
        assert isinstance(reading, Split)
        assert reading.guilty == {}

    def test_a_request_too_large_is_split_and_a_row_too_large_alone_is_rejected(self):
        assert isinstance(read(creating(), 413, b"<html>too large</html>"), Split)
        assert isinstance(read(creating(), 413, error("REQUEST_TOO_LARGE")), Split)
        assert kinds(read(creating(1), 413, b"")) == ["Rejected"]

    def test_a_400_of_another_length_that_reports_a_success_is_doubted(self):
        assert isinstance(read(creating(), 400, data(success(NEW[0]), error(**at(1)))), Doubt)

    @pytest.mark.parametrize("status", [200, 201, 202, 207])
    @pytest.mark.parametrize("count", [0, 1, 2, 4])
    def test_a_2xx_of_another_length_proves_nothing(self, status, count):
        ids = [*NEW, "5545974000002180644"]
        assert isinstance(read(creating(), status, data(*map(success, ids[:count]))), Doubt)
        assert isinstance(read(updating(), status, data(*[error()] * count)), Doubt)

    def test_a_bare_success_is_a_verdict_on_a_single_row_only(self):
        assert kinds(read(creating(1), 201, success(NEW[0]))) == ["Succeeded"]
        assert isinstance(read(creating(2), 201, success(NEW[0])), Doubt)
        assert isinstance(read(creating(2), 400, success(NEW[0])), Doubt)

    def test_a_bare_refusal_with_2xx_is_a_verdict_on_a_single_row_only(self):
        assert kinds(read(creating(1), 200, error())) == ["Rejected"]
        assert isinstance(read(creating(2), 200, error()), Doubt)


class TestTokensAndStops:
    @pytest.mark.parametrize("code", ["INVALID_TOKEN", "AUTHENTICATION_FAILURE", "INVALID_OAUTHTOKEN"])
    def test_a_dead_token_is_refreshed(self, code):
        assert isinstance(read(creating(), 401, error(code, "invalid oauth token")), RefreshToken)

    def test_a_401_without_a_word_is_a_matter_of_the_token(self):
        assert isinstance(read(creating(), 401, b"<html></html>"), RefreshToken)

    def test_a_dead_token_on_every_element_is_refreshed(self):
        assert isinstance(read(creating(), 401, data(*[error("INVALID_TOKEN")] * 3)), RefreshToken)
        assert isinstance(read(creating(), 401, data(error("INVALID_TOKEN"))), RefreshToken)

    def test_a_missing_scope_stops_the_run_and_names_the_scopes(self):
        sent = Sent(
            records=[{}],
            ids=[None],
            wrapper="data",
            creates=True,
            safe_to_repeat=False,
            scopes=("ZohoCRM.modules.services.CREATE",),
        )
        reading = read(sent, 401, error("OAUTH_SCOPE_MISMATCH", "Unauthorized"))
        assert isinstance(reading, StopRun)
        assert reading.kind is CredentialsRefusedError
        assert "ZohoCRM.modules.services.CREATE" in str(reading.error())

    def test_a_missing_permission_stops_the_run_and_names_it(self):
        reading = read(creating(), 403, error("NO_PERMISSION", permissions=["Crm_Implied_Create_Services"]))
        assert isinstance(reading, StopRun)
        assert reading.kind is CredentialsRefusedError
        assert "Crm_Implied_Create_Services" in reading.problem.message

    @pytest.mark.parametrize(
        ("status", "code"),
        [
            (404, "INVALID_URL_PATTERN"),
            (400, "INVALID_MODULE"),
            (400, "INVALID_REQUEST_METHOD"),
            (400, "API_NOT_SUPPORTED"),
            (400, "BRAND_NEW"),
        ],
    )
    def test_what_no_row_can_mend_stops_the_run(self, status, code):
        for sent in (creating(), creating(1)):
            reading = read(sent, status, error(code))
            assert isinstance(reading, StopRun)
            assert reading.kind is StoppedError
            assert reading.problem.code == code
            assert isinstance(reading.error(), StoppedError)

    @pytest.mark.parametrize("code", ["INVALID_MODULE", "AUTHORIZATION_FAILED", "NO_PERMISSION"])
    @pytest.mark.parametrize("count", [1, 3])
    def test_a_fault_of_the_whole_request_may_stand_inside_data(self, code, count):
        reading = read(creating(), 400, data(*[error(code)] * count))
        assert isinstance(reading, StopRun)
        assert reading.problem.code == code

    def test_an_unknown_code_on_every_element_stops_the_run(self):
        assert isinstance(read(creating(), 400, data(*[error("BRAND_NEW")] * 3)), StopRun)

    def test_an_unknown_code_inside_data_rejects_a_row_that_stands_alone(self):
        assert kinds(read(creating(1), 400, data(error("BRAND_NEW")))) == ["Rejected"]

    def test_a_stop_code_that_names_the_one_row_by_number_rejects_that_row(self):
        assert kinds(read(updating(1), 403, data(error("NO_PERMISSION", **at(0, "id"))))) == ["Rejected"]
        short = read(updating(), 400, data(error("NO_PERMISSION", **at(1, "id"))))
        assert isinstance(short, Split)
        assert list(short.guilty) == [1]

    def test_different_stop_codes_on_the_elements_reject_the_rows(self):
        answer = data(error("NO_PERMISSION"), error("INVALID_MODULE"))
        assert kinds(read(creating(2), 400, answer)) == ["Rejected"] * 2

    @pytest.mark.parametrize("status", [403, 405, 407, 415])
    def test_statuses_that_refuse_every_request_stop_the_run_without_a_word(self, status):
        reading = read(creating(), status, b"<html>blocked</html>")
        assert isinstance(reading, StopRun)
        assert reading.problem.code == str(status)

    @pytest.mark.parametrize("status", [405, 415])
    def test_a_method_or_form_that_is_not_accepted_stops_the_run_whatever_the_code(self, status):
        assert isinstance(read(creating(), status, error("INVALID_DATA")), StopRun)


class TestThrottling:
    @pytest.mark.parametrize(
        "answer",
        [
            error("TOO_MANY_REQUESTS"),
            {"code": 429, "error": "TOO_MANY_REQUESTS", "error_info": "Many requests fired", "details": []},
            {"code": 429},
            data(error("TOO_MANY_REQUESTS")),
            data(*[error("TOO_MANY_REQUESTS")] * 3),
            data(),
            b"",
            b"<html>slow down</html>",
            b"null",
        ],
    )
    def test_429_in_every_shape_is_certain_not_to_have_been_applied(self, answer):
        reading = read(creating(), 429, answer)
        assert isinstance(reading, TryAgain)
        assert (reading.throttled, reading.certain_not_applied, reading.retry_after) == (True, True, None)

    def test_the_words_of_a_number_coded_answer_are_passed_on(self):
        answer = {"code": 429, "error": "TOO_MANY_REQUESTS", "error_info": "limit for the past 24 hours", "details": []}
        reading = read(creating(), 429, answer)
        assert isinstance(reading, TryAgain)
        assert "limit for the past 24 hours" in reading.reason

    @pytest.mark.parametrize(("given", "seconds"), [(60, 60.0), ("60", 60.0), (1.5, 1.5)])
    def test_the_time_that_the_server_names_is_honoured(self, given, seconds):
        reading = read(creating(), 429, error("TOO_MANY_REQUESTS", retry_after=given))
        assert isinstance(reading, TryAgain)
        assert reading.retry_after == seconds

    @pytest.mark.parametrize("given", [0, -1, "soon", None, True, 10**30, [], "٣"])
    def test_a_senseless_time_is_ignored(self, given):
        reading = read(creating(), 429, error("TOO_MANY_REQUESTS", retry_after=given))
        assert isinstance(reading, TryAgain)
        assert reading.retry_after is None

    def test_throttling_with_another_status_of_refusal_counts_as_well(self):
        reading = read(creating(), 400, error("TOO_MANY_REQUESTS"))
        assert isinstance(reading, TryAgain)
        assert reading.throttled


NO_PROOF = {
    "trouble": (500, error("INTERNAL_ERROR")),
    "trouble with 400": (400, error("INTERNAL_ERROR")),
    "trouble on every element": (500, data(*[error("INTERNAL_ERROR")] * 3)),
    "trouble in a short list": (400, data(error("INTERNAL_ERROR"))),
    "a service behind": (400, error("DEPENDENT_SERVICE_ERROR")),
    "a row's code with 500": (500, error("INVALID_DATA")),
    "a gateway's page": (502, b"<html>Bad Gateway</html>"),
    "down": (503, b""),
    "400 without JSON": (400, b"<html>Bad Request</html>"),
    "400 with an empty list": (400, data()),
    "400 without a code": (400, {"message": "no"}),
    "404 without JSON": (404, b"not found"),
    "a gateway's time ran out": (408, {"error": "upstream request timeout"}),
    "a gateway's time ran out, in the API's form": (408, error("REQUEST_TIMEOUT")),
    "a gateway that was left alone": (499, {"code": 499, "message": "client closed request"}),
    "a gateway's own words": (400, {"error": "upstream connect error"}),
    "a gateway's words with 402": (402, {"error": "x"}),
    "a code that is a number": (400, {"code": 4711, "message": "no", "status": "error"}),
    "429 as a number alone": (400, {"code": 429, "message": "slow down"}),
    "a blank code": (400, {"code": " ", "error": "INVALID_DATA", "status": "error"}),
    "a status that is a number": (404, {"code": "INVALID_MODULE", "status": 404}),
    "a status of another word": (400, {"code": "INVALID_DATA", "status": "failed"}),
    "numbers on every element": (400, data(*[error(4711)] * 3)),
    "a number in a short list": (400, data(error(4711))),
    "names of errors on every element": (400, data(*[{"error": "INVALID_DATA", "status": "error"}] * 3)),
    "refused on every element with 409": (409, data(*[error("DUPLICATE_DATA")] * 3)),
    "redirect": (302, b""),
    "redirect with a good body": (307, data(*map(success, OLD))),
    "not modified": (304, b""),
}

NO_PROOF_THOUGH_2XX = {
    "empty 200": (200, b""),
    "no content": (204, b""),
    "blank": (200, b" \n"),
    "cut off": (200, json.dumps(data(*map(success, OLD))).encode()[:-20]),
    "no JSON": (200, b"<html>log in</html>"),
    "one name twice": (200, b'{"data": [], "data": []}'),
    "one name twice inside": (200, b'{"data": [{"code": "SUCCESS", "code": "SUCCESS", "status": "success"}]}'),
    "not a number": (200, b'{"data": [{"details": NaN}]}'),
    "infinity": (200, b'{"data": -Infinity}'),
    "byte-order mark": (200, b"\xef\xbb\xbf" + json.dumps(data(*map(success, OLD))).encode()),
    "not UTF-8": (200, b'{"data": "\xff"}'),
    "half a surrogate pair": (200, b'{"data": [{"message": "\\ud83d"}]}'),
    "deep nesting": (200, b"[" * 100_000),
    "deep nesting inside": (200, b'{"data":' * 100_000),
    "endless digits": (200, b'{"data": ' + b"9" * 5000 + b"}"),
    "endless exponent": (200, b'{"data": 1e' + b"9" * 40 + b"}"),
    "a list": (200, b"[]"),
    "a word": (200, b'"SUCCESS"'),
    "other wrapper": (200, {"business_hours": success(OLD[0])}),
    "no wrapper": (200, {}),
    "unknown bare code": (200, error("BRAND_NEW")),
    "bare dead token": (200, error("INVALID_TOKEN")),
}


PROVES_NOTHING = (402, 406, 408, 409, 410, 411, 414, 416, 418, *range(421, 429), 431, 451, 460, 499)
"""Statuses of a refusal that the API has no use for: something on the way has answered."""


class TestAnswersWithoutProof:
    @pytest.mark.parametrize("status", PROVES_NOTHING)
    @pytest.mark.parametrize(
        "answer",
        [
            b"",
            error("NOT_ALLOWED"),
            error("TOO_MANY_REQUESTS"),
            error("INVALID_TOKEN"),
            {"code": 429, "error": "TOO_MANY_REQUESTS", "details": []},
            data(error(**at(1))),
            data(*[error()] * 3),
            data(*[error("OAUTH_SCOPE_MISMATCH")] * 3),
        ],
    )
    def test_a_status_by_which_the_api_never_refuses_proves_nothing_whatever_it_says(self, status, answer):
        assert isinstance(read(creating(), status, answer), Doubt)

    def test_an_element_of_a_refusal_whose_code_is_a_number_proves_nothing_of_its_record(self):
        answer = data(success(NEW[0]), error(4711), error())
        assert kinds(read(creating(), 400, answer)) == ["Succeeded", "Uncertain", "Rejected"]

    @pytest.mark.parametrize("status", [401, 403, 405, 407, 413, 415, 429])
    @pytest.mark.parametrize("answer", [{"error": "no"}, {"code": 7, "message": "no"}, {"code": "X", "status": 1}])
    def test_what_the_status_alone_proves_it_proves_beside_words_of_somebody_else(self, status, answer):
        for sent in (creating(), creating(1)):
            assert type(read(sent, status, answer)) is type(read(sent, status, b""))

    def test_the_older_answer_of_a_number_is_believed_with_another_status_of_refusal_too(self):
        answer = {"code": 429, "error": "TOO_MANY_REQUESTS", "error_info": "Many requests fired", "details": []}
        reading = read(creating(), 400, answer)
        assert isinstance(reading, TryAgain)
        assert (reading.throttled, reading.certain_not_applied) == (True, True)

    @pytest.mark.parametrize("count", [1, 3])
    def test_a_refusal_without_a_status_of_its_own_is_believed_by_its_code(self, count):
        assert isinstance(read(creating(count), 404, {"code": "INVALID_URL_PATTERN", "details": {}}), StopRun)

    @pytest.mark.parametrize(("status", "answer"), NO_PROOF.values(), ids=NO_PROOF.keys())
    def test_they_may_be_repeated_where_that_is_safe_and_are_doubted_where_it_is_not(self, status, answer):
        safe, unsafe = read(updating(), status, answer), read(creating(), status, answer)
        assert isinstance(safe, TryAgain)
        assert (safe.throttled, safe.certain_not_applied) == (False, False)
        assert isinstance(unsafe, Doubt)

    @pytest.mark.parametrize(("status", "answer"), NO_PROOF_THOUGH_2XX.values(), ids=NO_PROOF_THOUGH_2XX.keys())
    def test_with_a_2xx_they_are_always_read_back_first(self, status, answer):
        assert isinstance(read(updating(), status, answer), Doubt)
        assert isinstance(read(creating(), status, answer), Doubt)

    @pytest.mark.parametrize(("status", "answer"), [*NO_PROOF.values(), *NO_PROOF_THOUGH_2XX.values()])
    def test_they_say_why_in_a_sentence_with_the_status(self, status, answer):
        reading = read(creating(), status, answer)
        assert isinstance(reading, Doubt)
        assert f"HTTP {status}" in reading.reason
        assert reading.reason.endswith(".")


def test_a_request_without_records_or_with_unlike_ids_is_no_request():
    for records, ids in (([], []), ([{}], [])):
        with pytest.raises(ValueError, match="at least one record"):
            Sent(records=records, ids=ids, wrapper="data", creates=True, safe_to_repeat=False)
