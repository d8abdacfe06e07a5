"""What a fault does to an answer: some stand in its place, some change what it says."""

from __future__ import annotations

from bulkzcrm.sandbox.answers import Answer, error, is_success
from bulkzcrm.sandbox.faults import Fault
from bulkzcrm.sandbox.jsontext import Json

HTML = "<html><head><title>502</title></head><body><h1>502 Bad Gateway</h1></body></html>"
ELSEWHERE = "https://elsewhere.invalid/crm"

_OTHER = 7_000_000  # added to an id to make another record's

_TOO_MANY = Answer(429, error("TOO_MANY_REQUESTS", "too many requests are in flight"))
_SERVER_ERROR = Answer(500, error("INTERNAL_ERROR", "the server has failed"))
_INTERNAL_ERROR_400 = Answer(400, error("INTERNAL_ERROR", "the server has failed"))
_EXPIRED = Answer(401, error("INVALID_TOKEN", "the access token is not valid, or no longer"))
_BARE = Answer(400, error("INVALID_DATA", "invalid data", {"api_name": "Duration", "json_path": "$.data[*].Duration"}))
# The server fills in the page and the header where the fault asks for them.
_GATEWAY = Answer(502)
_REDIRECT = Answer(302, None, {"Location": ELSEWHERE})
_NOTHING = Answer(204)

_INSTEAD: dict[Fault, Answer] = {
    Fault.TOO_MANY_REQUESTS: _TOO_MANY,
    Fault.SERVER_ERROR_BEFORE: _SERVER_ERROR,
    Fault.INTERNAL_ERROR_400_BEFORE: _INTERNAL_ERROR_400,
    Fault.CUT_BEFORE: _NOTHING,
    Fault.LATE_COMMIT: _NOTHING,
    Fault.NOT_JSON_BEFORE: _GATEWAY,
    Fault.EXPIRED_TOKEN: _EXPIRED,
    Fault.BARE_ERROR: _BARE,
    Fault.REDIRECT: _REDIRECT,
}
_AFTERWARDS: dict[Fault, Answer] = {
    Fault.SERVER_ERROR_AFTER: _SERVER_ERROR,
    Fault.INTERNAL_ERROR_400_AFTER: _INTERNAL_ERROR_400,
    Fault.NOT_JSON_AFTER: _GATEWAY,
}


def instead_of_answer(fault: Fault) -> Answer | None:
    """The answer that takes the place of doing what was asked; None for faults that come later."""
    return _INSTEAD.get(fault)


def wounded(answer: Answer, fault: Fault | None) -> Answer:
    """The answer after the fault."""
    if fault is None:
        return answer
    if fault in _AFTERWARDS:
        return _AFTERWARDS[fault]
    if answer.body is None:
        return answer
    if fault is Fault.WRONG_LENGTH:
        short = {key: value[:-1] if isinstance(value, list) else value for key, value in answer.body.items()}
        return Answer(answer.status, short, answer.headers)
    if fault is Fault.OTHER_IDS:
        return Answer(
            answer.status, {key: _with_other_ids(value) for key, value in answer.body.items()}, answer.headers
        )
    return answer


def _with_other_ids(value: object) -> object:
    if isinstance(value, list):
        return [_with_other_ids(element) for element in value]
    if isinstance(value, dict) and "status" in value and is_success(value):
        details: Json = dict(value["details"])
        if "id" in details:
            details["id"] = f"{int(str(details['id'])) + _OTHER}"
        return {**value, "details": details}
    return value
