"""What the organisation holds and what the report says, each held against what must be: the organisation never lies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

Records: TypeAlias = Mapping[str, Mapping[str, object]]
"""All that an organisation holds, by id; what has no id is called by its name (`service_preferences`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What must become of one row: its status, and what its record then holds (nothing: there is no such record).

    `record_id` names the record of an update (see `Records`); a new record has an id that nobody knows before.
    """

    status: str
    holds: Mapping[str, str] = field(default_factory=dict)
    record_id: str = ""

    @property
    def is_new(self) -> bool:
        return bool(self.holds) and not self.record_id and self.status == "succeeded"


@dataclass(frozen=True, slots=True)
class Findings:
    """What is wrong. `lost` and `doubled` count records, `untrue` are sentences."""

    lost: int = 0
    doubled: int = 0
    untrue: list[str] = field(default_factory=list)

    @property
    def is_well(self) -> bool:
        return not (self.lost or self.doubled or self.untrue)

    def plus(self, more: Sequence[str]) -> Findings:
        return replace(self, untrue=[*self.untrue, *more])


def compare(
    expected: Sequence[Expected], before: Records, after: Records, report: Sequence[Mapping[str, str]]
) -> Findings:
    """Compare the organisation's records and the report with what is expected of the rows, in their order."""
    names = sorted({name for each in expected for name in each.holds})
    wanted = Counter(_content(each.holds, names) for each in expected if each.is_new)
    made = Counter(_content(record, names) for key, record in after.items() if key not in before)
    changes = [each for each in expected if each.record_id and each.holds]
    lost = (wanted - made).total() + sum(not _holds(after[each.record_id], each.holds) for each in changes)
    meant = {each.record_id for each in changes}
    untrue = [
        f"The record {key} has changed, and no row means it."
        for key, record in before.items()
        if key not in meant and after[key] != record
    ]
    return Findings(lost, (made - wanted).total(), untrue + _untrue(expected, report, after))


def _untrue(expected: Sequence[Expected], report: Sequence[Mapping[str, str]], after: Records) -> list[str]:
    if len(report) != len(expected):
        return [f"The report has {len(report)} rows, the source {len(expected)}."]
    said = []
    for each, row in zip(expected, report, strict=True):
        number, status, record_id = row["result_row"], row["result_status"], row["result_record_id"]
        if status != each.status:
            said.append(f"Row {number} is reported as {status}, and is {each.status}. {row['result_message']}")
        elif each.record_id.isdigit() and record_id != each.record_id and status == "succeeded":
            said.append(f"Row {number} is reported with the id {record_id} instead of {each.record_id}.")
        elif each.is_new and not _holds(after.get(record_id, {}), each.holds):
            said.append(f"Row {number} is reported with the id {record_id!r}, which is not its record's.")
        elif status in {"rejected", "invalid"} and not each.record_id and record_id:
            said.append(f"Row {number} is {status} and has the id {record_id}.")
    ids = Counter(row["result_record_id"] for row in report if row["result_status"] == "succeeded")
    return said + [f"Several rows are reported with the id {key}." for key, count in ids.items() if key and count > 1]


def _holds(record: Mapping[str, object], wanted: Mapping[str, str]) -> bool:
    return all(str(record.get(name)) == text for name, text in wanted.items())


def _content(record: Mapping[str, object], names: Sequence[str]) -> tuple[str, ...]:
    return tuple(str(record.get(name, "")) for name in names)
