"""POST and PUT of Services__s: up to 100 records a request, each judged and answered for itself, in order."""

from __future__ import annotations

from dataclasses import dataclass

from bulkzcrm.sandbox import seed, service_rules, values
from bulkzcrm.sandbox.answers import Answer, Broken, Refused, error, is_success, refuse, status_of, success
from bulkzcrm.sandbox.draft import Circumstances, Draft
from bulkzcrm.sandbox.jsontext import Json
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
    return _write(org, records_of(call.body, None), 201, None, is_update=False)


def update(org: Organisation, call: Call) -> Answer:
    """PUT Services__s, and PUT Services__s/{id} with one record."""
    return _write(org, records_of(call.body, call.path_id), 200, call.path_id, is_update=True)


def _write(org: Organisation, records: list[object], ok_status: int, path_id: str | None, *, is_update: bool) -> Answer:
    desk = _Desk(org, org.circumstances(), org.timestamp(), org.store.active_services())
    with org.store.savepoint() as undo:
        elements = [desk.answer(record, index, path_id, is_update=is_update) for index, record in enumerate(records)]
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

    def answer(self, record: object, index: int, path_id: str | None, *, is_update: bool) -> Json:
        """Write one record, or say what is wrong with it."""
        if not isinstance(record, dict):
            details: Json = {"expected_data_type": "jsonobject", "api_name": "data", "json_path": f"$.data[{index}]"}
            return error("INVALID_DATA", "a record is expected", details)
        try:
            stored = self._stored(record, path_id) if is_update else None
            service = service_rules.judge(Draft(record, stored, self.around))
            self._count(stored, service)
        except Broken as broken:
            return broken.element(f"$.data[{index}]")
        self._apply(stored, service)
        return success("record updated" if is_update else "record added", _details(service))

    def _stored(self, record: Json, path_id: str | None) -> Json:
        sent = record.get("id") if path_id is None else path_id
        if values.is_blank(sent):
            raise Broken("MANDATORY_NOT_FOUND", "id", "a mandatory key is missing")
        service_id = values.identifier(sent)
        # SQLite's integers end at 2^63; no id lies beyond.
        stored = self.org.store.service(service_id) if service_id is not None and int(service_id) < 2**63 else None
        if stored is None:
            raise Broken("INVALID_DATA", "id", "there is no service with this id")
        return stored

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


def _details(service: Json) -> Json:
    return {key: service[key] for key in ("Modified_Time", "Modified_By", "Created_Time", "id", "Created_By")}


def count_records(body: bytes, path_id: str | None) -> int:
    """How many records a request brings, for quotas; an unusable body counts as one."""
    try:
        return len(records_of(body, path_id))
    except Refused:
        return 1
