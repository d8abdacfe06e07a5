"""The same work with the vendor's own SDK: its records and requests; conversion, journal and report are those by hand.

Python's SDK knows no asynchronous requests: it is used one batch after the other, or by threads.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import Any

from zohocrmsdk.src.com.zoho.api.authenticator.oauth_token import OAuthToken
from zohocrmsdk.src.com.zoho.api.authenticator.store import FileStore
from zohocrmsdk.src.com.zoho.crm.api import HeaderMap, Initializer
from zohocrmsdk.src.com.zoho.crm.api.dc import DataCenter
from zohocrmsdk.src.com.zoho.crm.api.record import BodyWrapper, Record, RecordOperations, TimeRange
from zohocrmsdk.src.com.zoho.crm.api.sdk_config import SDKConfig
from zohocrmsdk.src.com.zoho.crm.api.util import Choice

from .baseline import keep_and_report
from .handwork import BATCH, HandRow, durable_journal, hand_pieces, reporting
from .stopwatch import Stopwatch

__all__ = ["run_by_sdk"]


def run_by_sdk(watch: Stopwatch, *, source: str, good: int, bad: int, url: str, threads: int) -> int:
    """Read, convert, create, insert, report: one thousand rows after the other, so many batches at once."""
    Initializer.initialize(
        environment=DataCenter.Environment(url, f"{url}/oauth/v2/token", url),
        token=OAuthToken(access_token="x", find_user=False, api_domain=url),
        store=FileStore(str(Path.cwd() / "tokens.csv")),
        sdk_config=SDKConfig(auto_refresh_fields=False, pick_list_validation=False),
        resource_path=str(Path.cwd()),
    )
    watch.start()
    succeeded = invalid = 0
    with (
        ThreadPoolExecutor(threads) as pool,
        closing(durable_journal()) as connection,
        reporting(source) as report,
    ):
        for piece in hand_pieces(source):
            rows = [row for row in piece if not row[3]]
            batches = [rows[at : at + BATCH] for at in range(0, len(rows), BATCH)]
            answers = [each for batch in pool.map(_created, batches) for each in batch]
            counts = keep_and_report(connection, report, piece, answers)
            succeeded += counts[0]
            invalid += counts[1]
        watch.stop()
    assert (succeeded, invalid) == (good, bad)
    return good + bad


def _created(batch: list[HandRow]) -> list[dict[str, Any]]:
    body = BodyWrapper()
    body.set_data([_record(row[2]) for row in batch])
    answer = RecordOperations("Services__s").create_records(body, HeaderMap())
    return [
        {"code": element.get_code().get_value(), "details": {"id": str(element.get_details()["id"])}}
        for element in answer.get_object().get_data()
    ]


def _record(values: dict[str, Any]) -> Record:
    record = Record()
    for name, value in values.items():
        record.add_key_value(name, _AS[name](value))
    return record


def _members(rows: list[dict[str, dict[str, str]]]) -> list[Record]:
    made = []
    for row in rows:
        user, member = Record(), Record()
        user.set_id(int(row["Members"]["id"]))
        member.add_key_value("Members", user)
        made.append(member)
    return made


def _timings(spans: list[dict[str, str]]) -> list[TimeRange]:
    made = []
    for span in spans:
        timing = TimeRange()
        timing.set_from(span["From"])
        timing.set_to(span["To"])
        made.append(timing)
    return made


_AS: dict[str, Callable[[Any], Any]] = {
    "Service_Name": str,
    "Duration": int,
    "Location": Choice,
    "Members": _members,
    "Availability_Type": Choice,
    "Available_From": date.fromisoformat,
    "Available_Till": date.fromisoformat,
    "Available_Days": lambda days: [Choice(day) for day in days],
    "Price": float,
    "Available_Timings": _timings,
    "Tax": lambda taxes: [Choice(tax["value"]) for tax in taxes],  # the only way that it takes them
    "Status": Choice,
    "Unavailable_From": datetime.fromisoformat,
    "Description": str,
}
