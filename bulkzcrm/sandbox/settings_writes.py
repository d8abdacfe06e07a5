"""PUT of business hours and of service preferences: one object a request, under its own key."""

from __future__ import annotations

from collections.abc import Callable

from bulkzcrm.sandbox import hours_rules, values
from bulkzcrm.sandbox.answers import Answer, Broken, success
from bulkzcrm.sandbox.jsontext import Json
from bulkzcrm.sandbox.organisation import Call, Organisation, wrapped


def update_business_hours(org: Organisation, call: Call) -> Answer:
    """PUT settings/business_hours."""

    def change(sent: Json) -> Json:
        current = org.store.document("business_hours")
        changed = hours_rules.judge(sent, current, may_grow=org.options.business_hours_may_grow)
        org.store.put_document("business_hours", changed)
        return success("business hours updated", {"id": changed["id"]})

    return _put(org, call, "business_hours", change)


def update_preferences(org: Organisation, call: Call) -> Answer:
    """PUT settings/service_preferences."""

    def change(sent: Json) -> Json:
        if values.is_blank(sent.get("job_sheet_enabled")):
            raise Broken("MANDATORY_NOT_FOUND", "job_sheet_enabled", "a mandatory key is missing")
        enabled = values.boolean(sent["job_sheet_enabled"], "job_sheet_enabled")
        org.store.put_document("service_preferences", {"job_sheet_enabled": enabled})
        return success("service preferences updated", {})

    return _put(org, call, "service_preferences", change)


def _put(org: Organisation, call: Call, wrapper: str, change: Callable[[Json], Json]) -> Answer:
    sent = wrapped(call.body, wrapper)
    try:
        return Answer(200, {wrapper: change(values.json_object(sent, wrapper))})
    except Broken as broken:
        element = broken.element(f"$.{wrapper}")
        return Answer(400, element if org.options.dialect == "bare" else {wrapper: element})
