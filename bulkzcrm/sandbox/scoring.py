"""Scoring rules: reading them, and switching one on (PUT) or off (DELETE)."""

from __future__ import annotations

from bulkzcrm.sandbox import seed
from bulkzcrm.sandbox.answers import Answer, error, refuse, success
from bulkzcrm.sandbox.jsontext import Json
from bulkzcrm.sandbox.organisation import Call, Organisation
from bulkzcrm.sandbox.paging import page_of, page_query


def read(org: Organisation, call: Call) -> Answer:
    """GET settings/automation/scoring_rules, by `module`, `layout_id` and `name`, 50 a page."""
    module, layout, name = (call.query.get(key) for key in ("module", "layout_id", "name"))
    if module is not None and module not in seed.MODULES:
        raise refuse(400, "INVALID_DATA", "there is no such module", {"param_name": "module"})
    rules = [
        rule
        for rule in org.store.scoring_rules()
        if (module is None or _part(rule, "module", "api_name") == module)
        and (layout is None or _part(rule, "layout", "id") == layout)
        and (name is None or rule["name"] == name)
    ]
    return page_of("scoring_rules", rules, page_query(call.query, default=50))


def activate(org: Organisation, call: Call) -> Answer:
    """PUT {id}/actions/activate. A rule that is active already is a success, too."""
    return _switch(org, call, active=True)


def deactivate(org: Organisation, call: Call) -> Answer:
    """DELETE {id}/actions/activate. A rule that is inactive already is a success, too."""
    return _switch(org, call, active=False)


def _switch(org: Organisation, call: Call, *, active: bool) -> Answer:
    rules = org.store.scoring_rules()
    rule = next((rule for rule in rules if rule["id"] == call.path_id), None)
    if rule is None:
        # The position of the id in the path, counted from the first segment after the version.
        raise refuse(400, "INVALID_DATA", "there is no scoring rule with this id", {"resource_path_index": 3})
    if active and not rule["active"]:
        layout, limit = _part(rule, "layout", "id"), org.options.active_rule_limit
        if sum(other["active"] is True for other in rules if _part(other, "layout", "id") == layout) >= limit:
            details: Json = {"api_name": "active", "limit": limit, "json_path": "$.scoring_rules[0].active"}
            message = "the layout has as many active scoring rules as it may have"
            return Answer(400, {"scoring_rules": [error("ACTIVE_STATE_LIMIT_EXCEEDED", message, details)]})
    if rule["active"] is not active:
        org.store.put_scoring_rule(
            {**rule, "active": active, "modified_time": org.timestamp(), "modified_by": seed.CURRENT_USER}
        )
    message = "scoring rule activated" if active else "scoring rule deactivated"
    return Answer(200, {"scoring_rules": [success(message, {"id": rule["id"]})]})


def _part(rule: Json, key: str, inner: str) -> object:
    value = rule[key]
    return value.get(inner) if isinstance(value, dict) else None
