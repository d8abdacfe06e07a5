"""One API request from authorisation to answer, in one transaction: what is answered as written is on the disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from bulkzcrm.sandbox import metadata, scoring, service_reads, service_writes, settings_writes
from bulkzcrm.sandbox.answers import Answer, Refused, refuse
from bulkzcrm.sandbox.faults import Fault, Faults
from bulkzcrm.sandbox.oauth import Tokens
from bulkzcrm.sandbox.organisation import Call, Organisation
from bulkzcrm.sandbox.quotas import Credits, price_of
from bulkzcrm.sandbox.routes import PERMISSIONS, Operation, Route, has_scope
from bulkzcrm.sandbox.wounds import instead_of_answer

_SCHEME = "Zoho-oauthtoken "

_DOERS: Mapping[Operation, Callable[[Organisation, Call], Answer]] = {
    Operation.CREATE_SERVICES: service_writes.create,
    Operation.UPSERT_SERVICES: service_writes.upsert,
    Operation.UPDATE_SERVICES: service_writes.update,
    Operation.UPDATE_BUSINESS_HOURS: settings_writes.update_business_hours,
    Operation.UPDATE_SERVICE_PREFERENCES: settings_writes.update_preferences,
    Operation.ACTIVATE_SCORING_RULE: scoring.activate,
    Operation.DEACTIVATE_SCORING_RULE: scoring.deactivate,
    Operation.READ_SERVICES: service_reads.read_list,
    Operation.READ_SERVICE: service_reads.read_one,
    Operation.READ_FIELDS: metadata.read_fields,
    Operation.READ_USERS: metadata.read_users,
    Operation.READ_BUSINESS_HOURS: metadata.read_business_hours,
    Operation.READ_SERVICE_PREFERENCES: metadata.read_preferences,
    Operation.READ_SCORING_RULES: scoring.read,
    Operation.READ_ORGANISATION: metadata.read_organisation,
}


@dataclass(slots=True)
class Service:
    """Answers API requests; knows nothing of sockets."""

    organisation: Organisation
    tokens: Tokens
    credits: Credits
    faults: Faults

    def __post_init__(self) -> None:
        """Get the organisation ready."""
        unique = self.organisation.unique
        if unique is not None:
            with self.organisation.store.transaction():
                unique.prepare()

    def answer(self, route: Route, call: Call, authorization: str, records: int) -> tuple[Answer, Fault | None]:
        """Answer a request of so many records; also the fault that it met, for the ways of sending that are faulty.

        The n-th fault of a script is for the n-th request that is authorised.
        """
        with self.organisation.store.transaction():
            fault: Fault | None = None
            try:
                token = self._authorise(route.operation, authorization)
                fault = self.faults.next_fault(is_write=route.operation.is_write)
                if fault is Fault.EXPIRED_TOKEN:
                    self.tokens.kill(token)
                instead = None if fault is None else instead_of_answer(fault)
                if instead is not None:
                    return instead, fault
                return self._do(route, call, records), fault
            except Refused as refusal:
                return refusal.answer, fault

    def commit_late(self, route: Route, call: Call, records: int) -> None:
        """Do what was asked for earlier by somebody who has given it up; whether it is refused, nobody learns."""
        with self.organisation.store.transaction(), suppress(Refused):
            self._do(route, call, records)

    def _do(self, route: Route, call: Call, records: int) -> Answer:
        self.credits.charge(price_of(records))
        return _DOERS[route.operation](self.organisation, call)

    def _authorise(self, operation: Operation, authorization: str) -> str:
        if not authorization:
            raise refuse(401, "AUTHENTICATION_FAILURE", "the request has no access token")
        token = authorization.removeprefix(_SCHEME)
        if token == authorization or not self.tokens.admit(token):
            raise refuse(401, "INVALID_TOKEN", "the access token is not valid, or no longer")
        options = self.organisation.options
        if not has_scope(operation, options.scopes):
            raise refuse(401, "OAUTH_SCOPE_MISMATCH", "the access token's scopes do not allow this")
        if operation.value in options.forbidden:
            permissions = [PERMISSIONS.get(operation, "Crm_Implied_Customize_Zoho_CRM")]
            raise refuse(403, "NO_PERMISSION", "the user may not do this", {"permissions": permissions})
        return token
