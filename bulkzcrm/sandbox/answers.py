"""The shapes of the API's answers: one element per record, wrapped objects for settings, bare objects for requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bulkzcrm.sandbox.jsontext import Json


class Broken(Exception):  # noqa: N818 -- a rule that is broken, not a fault of the program
    """A record, or a settings object, breaks a rule.

    `path` is where, relative to the record (`Available_Timings[0].To`); its last name is the answer's `api_name`.
    `dependee` is the key on which that one depends. `extra` goes into the details as it is.
    """

    def __init__(self, code: str, path: str, message: str, *, dependee: str | None = None, **extra: object) -> None:
        """Keep the parts; `element` makes the answer of them."""
        super().__init__(message)
        self.code = code
        self.path = path
        self.message = message
        self.dependee = dependee
        self.extra = extra

    def element(self, root: str) -> Json:
        """Answer for the record found at `root`, for example `$.data[3]`."""
        details: Json = {"api_name": leaf(self.path), "json_path": f"{root}.{self.path}", **self.extra}
        if self.dependee is not None:
            details["dependee"] = {"api_name": leaf(self.dependee), "json_path": f"{root}.{self.dependee}"}
        return error(self.code, self.message, details)


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: HTTP status, JSON body (None: an empty one), extra headers."""

    status: int
    body: Json | None = None
    headers: dict[str, str] = field(default_factory=dict)


class Refused(Exception):  # noqa: N818 -- an answer that ends the request early
    """The whole request is refused; carries the answer."""

    def __init__(self, answer: Answer) -> None:
        """Keep the answer."""
        super().__init__(answer.status)
        self.answer = answer


def refuse(status: int, code: str, message: str, details: Json | None = None) -> Refused:
    """Refuse a whole request with a bare error object."""
    return Refused(Answer(status, error(code, message, details)))


def error(code: str, message: str, details: Json | None = None) -> Json:
    """One error object, as it stands bare or in an array."""
    return {"code": code, "details": {} if details is None else details, "message": message, "status": "error"}


def success(message: str, details: Json) -> Json:
    """One success object."""
    return {"code": "SUCCESS", "details": details, "message": message, "status": "success"}


def is_success(element: Json) -> bool:
    """Whether an element of an answer says that its record was written."""
    return element["status"] == "success"


def status_of(elements: Sequence[Json], ok_status: int) -> int:
    """HTTP status for a list of elements: all well, mixed (207), all refused (403 when nothing but NOT_ALLOWED)."""
    well = sum(is_success(element) for element in elements)
    if well == len(elements):
        return ok_status
    if well:
        return 207
    return 403 if all(element["code"] == "NOT_ALLOWED" for element in elements) else 400


def leaf(path: str) -> str:
    """Last name of a path: `Members[0].Members.id` gives `id`, `Available_Dates[2]` gives `Available_Dates`."""
    return path.rsplit(".", 1)[-1].split("[", 1)[0]
