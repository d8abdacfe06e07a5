"""A create that is safe to repeat: records are known by a field in which the organisation allows no value twice.

Sent is an upsert instead of an insert (upsert-records): a record that an earlier attempt has made is found by its value
and written once more, and never made a second time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, cast

from msgspec import Raw

from bulkzcrm.errors import UsageError
from bulkzcrm.model import Json, Record
from bulkzcrm.spec.fields import Field, Kind
from bulkzcrm.spec.operation import Operation, Request, RequestBuilder
from bulkzcrm.spec.organisation import READ_SCOPES, Reading

__all__ = ["keyed", "upsert_request"]

_API_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_SINGLE_LINE: Final = 255
"""Characters of a single-line text at most; longer texts cannot be unique."""


def keyed(operation: Operation, name: str | None) -> Operation:
    """Return an operation as it runs with a unique field of that API name; without a name, as it is.

    Raises `UsageError` where the operation makes no records, or the field is none that can be unique.
    """
    if name is None or (name and name == operation.key):
        return operation
    if not operation.creates:
        raise UsageError(
            f"--unique-field is for creating records, which {operation.name} does not.",
            "Leave it out; in a job, name it in the steps that create.",
        )
    if not _API_NAME.fullmatch(name):
        raise UsageError(
            f"--unique-field {name} is no API name of a field.",
            "Zoho CRM shows API names in its setup, under Developer Hub, APIs and SDKs.",
        )
    ours = operation.field(name)
    if ours is not None and (ours.kind is not Kind.TEXT or (ours.maximum_length or _SINGLE_LINE + 1) > _SINGLE_LINE):
        raise UsageError(
            f"--unique-field {name}: only a single-line text can be the unique field.",
            f"Name {operation.named_by}, or a text field that was added to the module.",
        )
    creating = operation.scopes_needed
    changing = (scope.removesuffix("CREATE") + "UPDATE" for scope in creating if scope.endswith(".CREATE"))
    return replace(
        operation,
        key=name,
        path=f"{operation.path}/upsert",
        fields=operation.fields if ours else (*operation.fields, _key_field(name)),
        scopes_needed=(*creating, *changing, READ_SCOPES[Reading.SERVICES], READ_SCOPES[Reading.FIELDS]),
        request=upsert_request(operation.path, name),
    )


def upsert_request(path: str, name: str) -> RequestBuilder:
    """Return the request that makes records, or finds them by the field of that name and changes those."""

    def request(records: Sequence[Record] | Sequence[Raw], *, triggers: bool) -> Request:
        body: dict[str, Json] = {"data": cast("list[Json]", list(records)), "duplicate_check_fields": [name]}
        if not triggers:
            body["trigger"] = []
        return Request("POST", f"{path}/upsert", body)

    return request


def _key_field(name: str) -> Field:
    return Field(
        name=name,
        label=name.replace("_", " "),
        kind=Kind.TEXT,
        about="The value by which the record is known; no other record has it.",
        never_empty=True,
        maximum_length=_SINGLE_LINE,
    )
