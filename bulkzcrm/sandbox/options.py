"""What can be set on a sandbox, each with the value that behaves as the vendor's pages say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CLIENT_ID = "1000.SANDBOXCLIENT"
CLIENT_SECRET = "sandbox-client-secret"  # noqa: S105 -- of the stand-in, documented, opens nothing else
REFRESH_TOKEN = "1000.5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a.6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b"  # noqa: S105 -- the same
GRANT_CODE = "1000.7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c.8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d"

ALL_SCOPES = frozenset(
    {
        "ZohoCRM.modules.services.ALL",
        "ZohoCRM.settings.modules.ALL",
        "ZohoCRM.settings.business_hours.ALL",
        "ZohoCRM.settings.scoring_rules.ALL",
        "ZohoCRM.settings.fields.READ",
        "ZohoCRM.users.READ",
        "ZohoCRM.org.READ",
    }
)

Dialect = Literal["full", "bare", "short"]

Edition = Literal["free", "standard", "professional", "enterprise", "ultimate"]
CONCURRENCY_BY_EDITION: dict[str, int] = {
    "free": 5,
    "standard": 10,
    "professional": 15,
    "enterprise": 20,
    "ultimate": 25,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOptions:
    """The sandbox's settings.

    dialect: how a record's error is answered. `full`: one answer per record, in order, the good ones applied (the
        five pages). `bare`: the first error stands alone for the whole request. `short`: HTTP 400 with the failed
        records only (25 at most), named by the numbers in their `json_path`. The last two apply nothing.
    list_subforms: whether rows of GET Services__s hold Members and Available_Timings (the sources differ).
    organisation_id: the id that GET org shows.
    edition: `paid_type` of the organisation; sets the concurrency limit (5, 10, 15, 20 or 25 requests at once).
    concurrency: another concurrency limit than the edition's.
    credit_limit: API credits in a rolling 24 hours.
    active_service_limit: services that may have a status other than Not in Use.
    active_rule_limit: active scoring rules per layout of a module.
    business_hours_may_grow: accept business hours outside the present ones, which the page refuses.
    scopes: what the access tokens are allowed to do.
    forbidden: names of operations (see `routes.Operation`) that are answered with NO_PERMISSION.
    token_life_s: seconds for which an access token is valid.
    token_calls: API requests for which an access token is valid; None: any number.
    token_throttle: access tokens per refresh token in 10 minutes; None: any number.
    throttle_status: HTTP status of the answer to one token too many (sources name 400 and 200).
    grant_code: a self-client code that may be traded once for a refresh token.
    unique_field: API name of a field of the services in which no two may have the same value: Service_Name, or a
        single-line text of that name that is added to the others. None: there is no such field.
    """

    dialect: Dialect = "full"
    list_subforms: bool = False
    organisation_id: str = "5545974000000020005"
    edition: Edition = "enterprise"
    concurrency: int | None = None
    credit_limit: int = 60_000
    active_service_limit: int = 500
    active_rule_limit: int = 5
    business_hours_may_grow: bool = False
    scopes: frozenset[str] = ALL_SCOPES
    forbidden: frozenset[str] = frozenset()
    token_life_s: int = 3600
    token_calls: int | None = None
    token_throttle: int | None = 10
    throttle_status: int = 400
    grant_code: str = GRANT_CODE
    unique_field: str | None = None

    @property
    def concurrency_limit(self) -> int:
        """Requests that may be in flight at once."""
        return CONCURRENCY_BY_EDITION[self.edition] if self.concurrency is None else self.concurrency
