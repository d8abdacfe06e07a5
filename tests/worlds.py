"""The organisations in which edges are met, and the requests that rows stand for, written from the pages alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from edges import STATUS
from edges_of_settings import HOURS_ID
from golden_pairs import extra_users
from strategies import NOTHING, NOW, USER, WEEK, Said_by_field
from two_sides import API, TwoSides, shared

from bulkzcrm.sandbox import SandboxOptions, seed

_MANDATORY: Final = ("Duration", "Location", "Members", "Availability_Type")
_DEPENDENTS: Final = {
    "Specific Date Range": ("Available_From", "Available_Till"),
    "Specific Date(s)": ("Available_Dates",),
    "Specific Day(s)": ("Available_Days",),
    "Yes": ("Job_Sheet_Section__s",),
}
_BY_DAY: Final = {
    "business_days": ["Monday", "Tuesday", "Wednesday"],
    "same_as_everyday": False,
    "daily_timing": None,
    "custom_timing": [
        {"days": "Monday", "business_timing": ["10:00", "17:00"]},
        {"days": "Tuesday", "business_timing": ["11:00", "18:00"]},
        {"days": "Wednesday", "business_timing": ["09:00", "19:00"]},
    ],
}
_RETIRED: Final = (
    {"Service_Name": "Old Dates", "Availability_Type": "Specific Date(s)", "Available_Dates": ["2039-05-02"]},
    {
        "Service_Name": "Old Range",
        "Availability_Type": "Specific Date Range",
        "Available_From": "2039-01-01",
        "Available_Till": "2039-12-31",
    },
    {"Service_Name": "Sundays", "Availability_Type": "Specific Day(s)", "Available_Days": ["Sunday"]},
    {"Service_Name": "One Sunday", "Availability_Type": "Specific Date(s)", "Available_Dates": ["2040-03-11"]},
    {"Service_Name": "Nights", "Available_Timings": [{"From": "20:00", "To": "23:00"}]},
    {"Service_Name": "In Order"},
    {"Service_Name": "No Status", "Status": None, "Unavailable_From": None},
    {"Service_Name": "Paused Once", "Unavailable_Till": "2099-12-31T18:00:00+05:30"},
    {"Service_Name": "Sheet Kept", "Job_Sheet_Required": "No", "Job_Sheet_Section__s": "Standard"},
)


@dataclass(frozen=True, slots=True)
class Written:
    """A request that a row stands for."""

    method: str
    path: str
    body: Any


def world(name: str) -> TwoSides:
    """One of the organisations."""
    return shared(name, lambda: _made(name))


def _made(name: str) -> TwoSides:
    match name:
        case "seeded":
            return TwoSides(NOW)
        case "crowded":
            crowd = [
                {**seed.users()[1], "id": user, "email": f"user{user}@brighthome.example"} for user in extra_users(110)
            ]
            return TwoSides(NOW, users=[*seed.users(), *crowd])
        case "by day":
            return TwoSides(NOW, settings={"business_hours": _BY_DAY})
        case "without job sheets":
            return TwoSides(NOW, settings={"service_preferences": {"job_sheet_enabled": False}})
        case "full":
            return TwoSides(NOW, options=SandboxOptions(active_service_limit=11, active_rule_limit=2))
        case "retired":
            return TwoSides(NOW, services=[*seed.services(), *_retired()])
        case _:
            raise ValueError(name)


def _retired() -> list[dict[str, Any]]:
    """Services that are not in use, some of which could not be Available as they are."""
    common = {
        "Duration": 30,
        "Location": "Client Address",
        "Availability_Type": "Every Business Days",
        "Price": Decimal(10),
        "Status": "Not in Use",
        "Unavailable_From": "2039-06-01T09:00:00+05:30",
    }
    return [
        {
            **seed.SERVICE_FIELDS_DEFAULT,
            **common,
            **service,
            "id": str(5545974000002188001 + number),
            "Members": [{"id": str(5545974000002187001 + number), "Members": {"id": str(USER + 2)}}],
        }
        for number, service in enumerate(_RETIRED)
    ]


def written(operation: str, record: Said_by_field, sides: TwoSides) -> Written:
    """The request that a row stands for, as the page of the operation describes it."""
    sent = {name: said.wire for name, said in record.items() if said.wire is not NOTHING}
    match operation:
        case "create-services":
            return Written("POST", f"{API}Services__s", {"data": [sent]})
        case "update-services" | "set-service-status":
            return Written("PUT", f"{API}Services__s", {"data": [_change(operation, sent, sides)]})
        case "update-business-hours":
            return Written("PUT", f"{API}settings/business_hours", {"business_hours": _hours(sent, sides)})
        case "update-service-preferences":
            return Written("PUT", f"{API}settings/service_preferences", {"service_preferences": sent})
        case _:
            number = sent.get("id") or sides.rule_named(sent["name"], sent.get("module"))
            path = f"{API}settings/automation/scoring_rules/{number}/actions/activate"
            return Written("PUT" if sent["Status"] == "active" else "DELETE", path, None)


def _change(operation: str, sent: dict[str, Any], sides: TwoSides) -> dict[str, Any]:
    """What an update sends: the id, the changes, what the page makes mandatory, and what its choices make mandatory."""
    by_id = "id" in sent
    stored = _stored(sent, sides)
    if not by_id or operation == STATUS:
        sent = {name: value for name, value in sent.items() if name != "Service_Name"}
    if stored is None:
        return sent
    now = {name: stored[name] for name in _MANDATORY}
    now["Members"] = [{"id": each["id"], "Members": {"id": each["Members"]["id"]}} for each in stored["Members"]]
    body = {**now, **sent, "id": stored["id"]}
    for controlling in ("Availability_Type", "Job_Sheet_Required"):
        chosen = body.get(controlling)
        for name in _DEPENDENTS.get(chosen, ()):
            body.setdefault(name, stored[name])
        if controlling == "Job_Sheet_Required" and chosen == "No":
            body.setdefault("Job_Sheet_Section__s", None)
    return body


def _stored(sent: Mapping[str, Any], sides: TwoSides) -> dict[str, Any] | None:
    services = sides.services()
    if "id" in sent:
        return services.get(sent["id"])
    return next((found for found in services.values() if found["Service_Name"] == sent.get("Service_Name")), None)


def _hours(sent: dict[str, Any], sides: TwoSides) -> dict[str, Any]:
    days = [{"days": name, "business_timing": sent[name]} for name in WEEK if name in sent]
    body = {name: value for name, value in sent.items() if name not in WEEK}
    return {"id": HOURS_ID, **body, **({"custom_timing": days} if days else {})}
