"""The answer that nearly every batch gets, read at once: every record was written, told in the form of the API's pages.

Whatever differs from that form in any way is left to those who look at each element with care.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType, field

from bulkzcrm.answers.body import LONGEST_ID
from bulkzcrm.answers.nouns import Sent, Written

__all__ = ["read_usual"]

_WRAPPER: Final = "data"


class _Person(Struct, forbid_unknown_fields=True, gc=False):
    name: str
    id: str


class _Details(Struct, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    id: str
    Modified_Time: str | UnsetType = UNSET
    Modified_By: _Person | UnsetType = UNSET
    Created_Time: str | UnsetType = UNSET
    Created_By: _Person | UnsetType = UNSET
    approval_state: str | UnsetType = field(name="$approval_state", default=UNSET)
    """Of records in general, as the API has it."""


class _Success(Struct, forbid_unknown_fields=True, gc=False):
    code: Literal["SUCCESS"]
    details: _Details
    message: str
    status: Literal["success"]
    action: Literal["insert"] | UnsetType = UNSET
    duplicate_field: str | UnsetType | None = UNSET


class _Answer(Struct, forbid_unknown_fields=True):
    data: list[_Success]


_decoder = msgspec.json.Decoder(_Answer)
_encoder = msgspec.json.Encoder()


def read_usual(sent: Sent, body: bytes) -> Written | None:
    """Return the ids under which all records were written; `None` where an answer does not say so plainly.

    The elements decide, whatever the HTTP status.
    """
    if sent.wrapper != _WRAPPER:
        return None
    try:
        answer = _decoder.decode(body)
    except (ValueError, RecursionError):
        return None
    # Nothing can be said in less than it is here, in whatever order: an answer of the same length says nothing twice
    # (of that, only the last would have been read).
    if len(_encoder.encode(answer)) != len(body.rstrip()):
        return None
    ids = [element.details.id for element in answer.data]
    return Written(tuple(ids)) if _are_exact(ids) and _fit(sent, ids) else None


def _are_exact(ids: list[str]) -> bool:
    """Tell whether all are ids as `exact_id` knows them."""
    together = "".join(ids)
    return (
        together.isascii()
        and together.isdigit()
        and all(0 < len(each) <= LONGEST_ID for each in ids)
        and "0" not in {each[0] for each in ids}
    )


def _fit(sent: Sent, ids: list[str]) -> bool:
    """Tell whether the ids are those of the records that were sent, or as many new ones."""
    if not sent.creates:
        return ids == list(sent.ids)
    return len(set(ids)) == len(ids) == len(sent.ids) and not any(sent.ids)
