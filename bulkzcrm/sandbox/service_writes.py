"""POST, upsert and PUT of Services__s: up to 100 records a request, each judged and answered for itself, in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bulkzcrm.sandbox import seed, service_rules, values
from bulkzcrm.sandbox.answers import Answer, Broken, Refused, error, is_success, refuse, status_of, success
from bulkzcrm.sandbox.draft import Circumstances, Draft
from bulkzcrm.sandbox.jsontext import Json, loads
from bulkzcrm.sandbox.organisation import Call, Organisation, wrapped
from bulkzcrm.sandbox.store import is_active

RECORDS_MAXIMUM = 100
_FAILURES_SHOWN = 25  # of the `short` dialect


def records_of(body: bytes, path_id: str | None) -> list[object]:
    """The records of a request. Raises Refused unless there are 1 to 100 (1 when the URL names the service)."""
    data = wrapped(body, "data")
    details: Json = {"api_name": "data", "json_path": "$.data"}
    if not isinstance(data, list) or not data:
        message = "an array with at least one record is expected"
        raise refuse(400, "INVALID_DATA", message, {"expected_data_type": "jsonarray", **details})
    most = RECORDS_MAXIMUM if path_id is None else 1
    if len(data) > most:
        raise refuse(400, "INVALID_DATA", "there are too many records", {"maximum_length": most, **details})
    return data


def create(org: Organisation, call: Call) -> Answer:
    """POST Services__s."""
    return _write(org, records_of(call.body, None), 201, lambda _: None)


def upsert(org: Organisation, call: Call) -> Answer:
    """POST Services__s/upsert: an id, or the value that a service has in a field to check, makes a record an update."""
    records, checked = records_of(call.body, None), _checked_fields(org, call.body)

    def stored(record: Json) -> Json | None:
        if not values.is_blank(record.get("id")):
            return _named(org, record["id"])
        unique = org.unique if checked else None
        owner = unique.owner(record.get(unique.name)) if unique is not None else None
        return None if owner is None else org.store.service(owner)

    return _write(org, records, 200, stored, upserts_by=checked)


def update(org: Organisation, call: Call) -> Answer:
    """PUT Services__s, and PUT Services__s/{id} with one record."""

    def stored(record: Json) -> Json:
        return _named(org, record.get("id") if call.path_id is None else call.path_id)

    return _write(org, records_of(call.body, call.path_id), 200, stored)


def _checked_fields(org: Organisation, body: bytes) -> list[object]:
    """The fields by which an upsert finds services. Raises Refused for one that is not unique."""
    document = loads(body)
    named = document.get("duplicate_check_fields") if isinstance(document, dict) else None
    fields = named if isinstance(named, list) else []
    details: Json = {"api_name": "duplicate_check_fields", "json_path": "$.duplicate_check_fields"}
    if named is not None and not isinstance(named, list):
        raise refuse(400, "INVALID_DATA", "an array is expected", {"expected_data_type": "jsonarray", **details})
    for place, name in enumerate(fields):
        if org.unique is None or name != org.unique.name:
            details["json_path"] = f"$.duplicate_check_fields[{place}]"
            raise refuse(400, "INVALID_DATA", "the field is not unique", details)
    return fields


def _named(org: Organisation, sent: object) -> Json:
    """The service of an id that was sent. Raises Broken when there is none."""
    if values.is_blank(sent):
        raise Broken("MANDATORY_NOT_FOUND", "id", "a mandatory key is missing")
    service_id = values.identifier(sent)
    # SQLite's integers end at 2^63; no id lies beyond.
    stored = org.store.service(service_id) if service_id is not None and int(service_id) < 2**63 else None
    if stored is None:
        raise Broken("INVALID_DATA", "id", "there is no service with this id")
    return stored


def _write(
    org: Organisation,
    records: list[object],
    ok_status: int,
    stored: Callable[[Json], Json | None],
    *,
    upserts_by: list[object] | None = None,
) -> Answer:
    """Write records; `stored` finds the service that one changes. Of an upsert, each answer says what became of it."""
    desk = _Desk(org, org.circumstances(), org.timestamp(), org.store.active_services(), stored, upserts_by)
    with org.store.savepoint() as undo:
        elements = [desk.answer(record, index) for index, record in enumerate(records)]
        failures = [element for element in elements if not is_success(element)]
        if not failures or org.options.dialect == "full":
            return Answer(status_of(elements, ok_status), {"data": elements})
        undo()
    if org.options.dialect == "bare":
        return Answer(status_of(failures[:1], ok_status), failures[0])
    return Answer(400, {"data": failures[:_FAILURES_SHOWN]})


@dataclass(slots=True)
class _Desk:
    """Judges and applies the records of one request, one after the other."""

    org: Organisation
    around: Circumstances
    timestamp: str
    active: int
    find: Callable[[Json], Json | None]
    upserts_by: list[object] | None

    def answer(self, record: object, index: int) -> Json:
        """Write one record, or say what is wrong with it."""
        if not isinstance(record, dict):
            details: Json = {"expected_data_type": "jsonobject", "api_name": "data", "json_path": f"$.data[{index}]"}
            return error("INVALID_DATA", "a record is expected", details)
        try:
            stored = self.find(record)
            service = service_rules.judge(Draft(record, stored, self.around))
            if self.org.unique is not None:
                self.org.unique.settle(record, stored, service)
            self._count(stored, service)
        except Broken as broken:
            return broken.element(f"$.data[{index}]")
        self._apply(stored, service)
        element = success("record added" if stored is None else "record updated", _details(service))
        if self.upserts_by is None:
            return element
        by = None if stored is None or not values.is_blank(record.get("id")) else self.upserts_by[0]
        return {**element, "action": "insert" if stored is None else "update", "duplicate_field": by}

    def _count(self, stored: Json | None, service: Json) -> None:
        was_active = stored is not None and is_active(stored)
        change = int(is_active(service)) - int(was_active)
        limit = self.org.options.active_service_limit
        if change > 0 and self.active + change > limit:
            message = "the organisation has as many active services as it may have"
            raise Broken("LIMIT_EXCEEDED", "Status", message, limit=limit)
        self.active += change

    def _apply(self, stored: Json | None, service: Json) -> None:
        store = self.org.store
        if stored is None:
            service["id"] = store.new_id("services")
            service["Created_Time"] = self.timestamp
            service["Created_By"] = seed.CURRENT_USER
        service["Modified_Time"] = self.timestamp
        service["Modified_By"] = seed.CURRENT_USER
        members = service["Members"]
        if isinstance(members, list):
            service["Members"] = [row if "id" in row else {"id": store.new_id("rows"), **row} for row in members]
        store.put_service(service)
        if self.org.unique is not None:
            self.org.unique.keep(service)


def _details(service: Json) -> Json:
    return {key: service[key] for key in ("Modified_Time", "Modified_By", "Created_Time", "id", "Created_By")}


def count_records(body: bytes, path_id: str | None) -> int:
    """How many records a request brings, for quotas; an unusable body counts as one."""
    try:
        return len(records_of(body, path_id))
    except Refused:
        return 1
