"""Drives the vendor's own Python SDK against a sandbox; run as a program, because the SDK keeps global state.

Arguments: the sandbox's URL and a folder for the SDK's files. Standard output: one JSON object with what it saw.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from zohocrmsdk.src.com.zoho.api.authenticator.oauth_token import OAuthToken
from zohocrmsdk.src.com.zoho.api.authenticator.store import FileStore
from zohocrmsdk.src.com.zoho.crm.api import HeaderMap, Initializer, ParameterMap
from zohocrmsdk.src.com.zoho.crm.api.dc import DataCenter
from zohocrmsdk.src.com.zoho.crm.api.record import (
    ActionWrapper,
    BodyWrapper,
    Field,
    GetRecordsParam,
    Record,
    RecordOperations,
    SuccessResponse,
    TimeRange,
)
from zohocrmsdk.src.com.zoho.crm.api.sdk_config import SDKConfig
from zohocrmsdk.src.com.zoho.crm.api.util import Choice

_SERVICE = Field.Services__s


def main(url: str, folder: Path, credentials: dict[str, str]) -> dict[str, Any]:
    """Log in, create two services (one of them wrong), read them back, update one by its id."""
    Initializer.initialize(
        environment=DataCenter.Environment(url, f"{url}/oauth/v2/token", url),
        token=OAuthToken(**credentials),
        store=FileStore(str(folder / "tokens.csv")),
        sdk_config=SDKConfig(auto_refresh_fields=False, pick_list_validation=False),
        resource_path=str(folder),
    )
    services = RecordOperations("Services__s")
    created = services.create_records(_body(_new("Made by the SDK", 45), _new("Too short", 5)), HeaderMap())
    elements = _elements(created)
    service_id = elements[0]["details"]["id"]
    updated = services.update_records(_body(_changed(int(service_id))), HeaderMap())
    parameters = ParameterMap()
    parameters.add(GetRecordsParam.fields, "Service_Name,Duration,Price,Status")
    parameters.add(GetRecordsParam.per_page, 1)
    rows = services.get_records(parameters, HeaderMap()).get_object().get_data()
    held = services.get_record(int(service_id), ParameterMap(), HeaderMap()).get_object().get_data()[0]
    return {
        "created": [created.get_status_code(), elements],
        "updated": [updated.get_status_code(), _elements(updated)],
        "listed": [str(row.get_key_value("Service_Name")) for row in rows],
        "held": {
            "name": held.get_key_value("Service_Name"),
            "duration": held.get_key_value("Duration"),
            "members": len(held.get_key_value("Members")),
            "status": held.get_key_value("Status").get_value(),
        },
    }


def _new(name: str, minutes: int) -> Record:
    record = _mandatory(Record(), minutes)
    record.add_field_value(_SERVICE.service_name(), name)
    record.add_field_value(_SERVICE.price(), 230.66)
    return record


def _changed(service_id: int) -> Record:
    record = _mandatory(Record(), 50)
    record.set_id(service_id)
    record.add_key_value("Status", Choice("Temporarily Unavailable"))
    record.add_key_value("Unavailable_From", datetime(2020, 1, 1, tzinfo=UTC))
    record.add_key_value("Unavailable_Till", datetime(2099, 1, 1, tzinfo=UTC))
    return record


def _mandatory(record: Record, minutes: int) -> Record:
    user, row = Record(), Record()
    user.set_id(5545974000000393002)
    row.add_key_value("Members", user)
    record.add_key_value("Duration", minutes)
    record.add_key_value("Location", Choice("Client Address"))
    record.add_key_value("Members", [row])
    record.add_key_value("Availability_Type", Choice("Specific Date Range"))
    record.add_key_value("Available_From", date(2090, 1, 1))
    record.add_key_value("Available_Till", date(2099, 1, 1))
    record.add_key_value("Available_Timings", [_timing("09:00", "12:00"), _timing("13:00", "18:30")])
    record.add_key_value("Description", "ñ ✓")
    return record


def _timing(start: str, till: str) -> TimeRange:
    timing = TimeRange()
    timing.set_from(start)
    timing.set_to(till)
    return timing


def _body(*records: Record) -> BodyWrapper:
    body = BodyWrapper()
    body.set_data(list(records))
    return body


def _elements(response: Any) -> list[dict[str, Any]]:
    answer = response.get_object()
    if not isinstance(answer, ActionWrapper):
        return [{"code": answer.get_code().get_value(), "details": _plain(answer.get_details())}]
    return [
        {
            "code": element.get_code().get_value(),
            "success": isinstance(element, SuccessResponse),
            "details": _plain(element.get_details()),
        }
        for element in answer.get_data()
    ]


def _plain(details: dict[str, Any]) -> dict[str, str]:
    return {key: str(value) for key, value in details.items()}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1], Path(sys.argv[2]), json.loads(sys.stdin.read()))))
