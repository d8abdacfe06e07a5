"""Which operation a method and a path stand for, and the token scopes that the pages ask for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from bulkzcrm.sandbox.answers import refuse


class Operation(StrEnum):
    """What the sandbox can be asked to do; the first seven change something."""

    CREATE_SERVICES = "create-services"
    UPSERT_SERVICES = "upsert-services"
    UPDATE_SERVICES = "update-services"
    UPDATE_BUSINESS_HOURS = "update-business-hours"
    UPDATE_SERVICE_PREFERENCES = "update-service-preferences"
    ACTIVATE_SCORING_RULE = "activate-scoring-rule"
    DEACTIVATE_SCORING_RULE = "deactivate-scoring-rule"
    READ_SERVICES = "read-services"
    READ_SERVICE = "read-service"
    READ_FIELDS = "read-fields"
    READ_USERS = "read-users"
    READ_BUSINESS_HOURS = "read-business-hours"
    READ_SERVICE_PREFERENCES = "read-service-preferences"
    READ_SCORING_RULES = "read-scoring-rules"
    READ_ORGANISATION = "read-organisation"

    @property
    def is_write(self) -> bool:
        """Whether the operation changes something."""
        return not self.value.startswith("read-")


WRITES = tuple(operation for operation in Operation if operation.is_write)

_SERVICES = "ZohoCRM.modules.services"
_PREFERENCES = "ZohoCRM.settings.modules"
_HOURS = "ZohoCRM.settings.business_hours"
_RULES = "ZohoCRM.settings.scoring_rules"

# Family of scopes, and the operation types of it that will do beside ALL. The one extra DELETE is what the vendor's
# description of deactivating asks for; the page itself names UPDATE for both.
_SCOPES: dict[Operation, tuple[str, tuple[str, ...]]] = {
    Operation.CREATE_SERVICES: (_SERVICES, ("CREATE",)),
    Operation.UPSERT_SERVICES: (_SERVICES, ("CREATE",)),
    Operation.UPDATE_SERVICES: (_SERVICES, ("UPDATE",)),
    Operation.UPDATE_BUSINESS_HOURS: (_HOURS, ("UPDATE",)),
    Operation.UPDATE_SERVICE_PREFERENCES: (_PREFERENCES, ("UPDATE",)),
    Operation.ACTIVATE_SCORING_RULE: (_RULES, ("UPDATE",)),
    Operation.DEACTIVATE_SCORING_RULE: (_RULES, ("UPDATE", "DELETE")),
    Operation.READ_SERVICES: (_SERVICES, ("READ",)),
    Operation.READ_SERVICE: (_SERVICES, ("READ",)),
    Operation.READ_FIELDS: ("ZohoCRM.settings.fields", ("READ",)),
    Operation.READ_USERS: ("ZohoCRM.users", ("READ",)),
    Operation.READ_BUSINESS_HOURS: (_HOURS, ("READ",)),
    Operation.READ_SERVICE_PREFERENCES: (_PREFERENCES, ("READ",)),
    Operation.READ_SCORING_RULES: (_RULES, ("READ",)),
    Operation.READ_ORGANISATION: ("ZohoCRM.org", ("READ",)),
}

PERMISSIONS: dict[Operation, str] = {
    Operation.CREATE_SERVICES: "Crm_Implied_Create_Services",
    Operation.UPSERT_SERVICES: "Crm_Implied_Create_Services",
    Operation.UPDATE_SERVICES: "Crm_Implied_Edit_Services",
    Operation.UPDATE_BUSINESS_HOURS: "Crm_Implied_Manage_Users",
    Operation.READ_SERVICES: "Crm_Implied_View_Services",
    Operation.READ_SERVICE: "Crm_Implied_View_Services",
}

_VERSION = re.compile(r"v([1-9])(\.[0-9])?")
_MODULE = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_ID = "{id}"

_PATHS: tuple[tuple[tuple[str, ...], dict[str, Operation]], ...] = (
    (
        ("Services__s",),
        {"GET": Operation.READ_SERVICES, "POST": Operation.CREATE_SERVICES, "PUT": Operation.UPDATE_SERVICES},
    ),
    (("Services__s", "upsert"), {"POST": Operation.UPSERT_SERVICES}),
    (("Services__s", _ID), {"GET": Operation.READ_SERVICE, "PUT": Operation.UPDATE_SERVICES}),
    (("org",), {"GET": Operation.READ_ORGANISATION}),
    (("users",), {"GET": Operation.READ_USERS}),
    (("settings", "fields"), {"GET": Operation.READ_FIELDS}),
    (
        ("settings", "business_hours"),
        {"GET": Operation.READ_BUSINESS_HOURS, "PUT": Operation.UPDATE_BUSINESS_HOURS},
    ),
    (
        ("settings", "service_preferences"),
        {"GET": Operation.READ_SERVICE_PREFERENCES, "PUT": Operation.UPDATE_SERVICE_PREFERENCES},
    ),
    (("settings", "automation", "scoring_rules"), {"GET": Operation.READ_SCORING_RULES}),
    (
        ("settings", "automation", "scoring_rules", _ID, "actions", "activate"),
        {"PUT": Operation.ACTIVATE_SCORING_RULE, "DELETE": Operation.DEACTIVATE_SCORING_RULE},
    ),
)


@dataclass(frozen=True, slots=True)
class Route:
    """A request's operation, and the id that its path holds, if any."""

    operation: Operation
    path_id: str | None


def find(method: str, path: str) -> Route:
    """Find the operation of a request. Raises Refused as the pages say for wrong paths, modules and methods."""
    segments = path.removeprefix("/").split("/")
    version = _VERSION.fullmatch(segments[1]) if len(segments) > 2 and segments[0] == "crm" else None
    if version is None:
        raise refuse(404, "INVALID_URL_PATTERN", "there is nothing under this URL")
    rest = tuple(segments[2:])
    if not 3 <= int(version[1]) <= 8:
        if rest == ("settings", "service_preferences"):
            raise refuse(400, "API_NOT_SUPPORTED", "this version of the API does not know service preferences")
        raise refuse(404, "INVALID_URL_PATTERN", "there is no such version of the API")
    for pattern, methods in _PATHS:
        if len(pattern) == len(rest) and all(a in (_ID, b) for a, b in zip(pattern, rest, strict=True)):
            return _route(pattern, rest, methods, method)
    is_module = _MODULE.fullmatch(rest[0]) is not None and rest[0] != "settings"
    if is_module and (len(rest) == 1 or (len(rest) == 2 and rest[1].isdigit())):
        raise refuse(400, "INVALID_MODULE", "there is no such module", {"resource_path_index": 0})
    raise refuse(404, "INVALID_URL_PATTERN", "there is nothing under this URL")


def _route(pattern: tuple[str, ...], rest: tuple[str, ...], methods: dict[str, Operation], method: str) -> Route:
    if method not in methods:
        raise refuse(400, "INVALID_REQUEST_METHOD", f"{method} is no method of this URL")
    return Route(methods[method], rest[pattern.index(_ID)] if _ID in pattern else None)


def has_scope(operation: Operation, scopes: frozenset[str]) -> bool:
    """Whether one of the scopes allows the operation; a wider family (`ZohoCRM.settings.ALL`) will do.

    An upsert may turn out to be an update, so that it needs the scope of that, too.
    """
    if operation is Operation.UPSERT_SERVICES and not has_scope(Operation.UPDATE_SERVICES, scopes):
        return False
    family, kinds = _SCOPES[operation]
    wide = family.rsplit(".", 1)[0]
    enough = {f"{family}.{kind}" for kind in (*kinds, "ALL")} | {f"{wide}.{kind}" for kind in (*kinds, "ALL")}
    return not {scope.casefold() for scope in enough}.isdisjoint(scope.casefold() for scope in scopes)
