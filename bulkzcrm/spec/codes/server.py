"""The codes about the request's address, the server's troubles and its limits, and bare HTTP statuses."""

from __future__ import annotations

from bulkzcrm.spec.codes.nouns import (
    BUSINESS_HOURS,
    SCORING_RULES,
    SERVICE_PREFERENCES,
    SERVICES,
    Cause,
    Code,
    Disposition,
    When,
    one_cause,
)

__all__ = ["SERVER_CODES", "THROTTLING_CODES"]

_CHECK_ADDRESS = "Check BULKZCRM_API_DOMAIN and BULKZCRM_API_VERSION; then resume the run."
_RETRY = "Nothing is wrong with the row: the program tries again by itself; resume the run later if it gave up."

THROTTLING_CODES = frozenset({"TOO_MANY_REQUESTS", "429"})
"""The codes that mean: not now, and nothing was done."""

_ADDRESS = (
    one_cause(
        "INVALID_MODULE",
        "Zoho does not know the module in the request's address.",
        Disposition.STOP_RUN,
        "The organisation has no Services module, or its edition does not include it.",
        "Switch services on in Zoho's settings, or use the profile of an organisation that has them.",
        pages=SERVICES,
    ),
    one_cause(
        "INVALID_URL_PATTERN",
        "Zoho does not know the request's address.",
        Disposition.STOP_RUN,
        "The address does not exist under this API domain and version.",
        _CHECK_ADDRESS,
        pages=(*SERVICES, BUSINESS_HOURS, SCORING_RULES),
    ),
    one_cause(
        "INVALID_REQUEST_METHOD",
        "Zoho does not take this HTTP method at this address.",
        Disposition.STOP_RUN,
        "The API version in use does not offer this operation, or a proxy alters requests.",
        _CHECK_ADDRESS,
        pages=(*SERVICES, SCORING_RULES, SERVICE_PREFERENCES),
    ),
    one_cause(
        "API_NOT_SUPPORTED",
        "This API version does not offer the operation.",
        Disposition.STOP_RUN,
        "The API version is too old for this operation.",
        "Set BULKZCRM_API_VERSION to v8 (the service preferences need at least v3); then resume the run.",
        pages=(SERVICE_PREFERENCES,),
    ),
    one_cause(
        "FEATURE_NOT_SUPPORTED",
        "The organisation's edition does not include this.",
        Disposition.STOP_RUN,
        "The feature is not part of the organisation's edition, or is switched off.",
        "Ask the administrator whether the edition includes it.",
    ),
    one_cause(
        "NOT_SUPPORTED",
        "Zoho does not offer this here.",
        Disposition.STOP_RUN,
        "The module or the edition does not support what the run does.",
        "Ask the administrator whether the module is switched on and the edition includes it.",
    ),
    one_cause(
        "STORAGE_SPACE_EXCEEDED",
        "The organisation's storage is full.",
        Disposition.STOP_RUN,
        "There is no space left for further records.",
        "Free or buy storage in Zoho's settings, then resume the run.",
    ),
)

_TROUBLE = (
    Code(
        name="TOO_MANY_REQUESTS",
        meaning="Too many requests at once, or the credits of the last 24 hours are used up.",
        disposition=Disposition.TRY_AGAIN,
        causes=(
            Cause(
                When(message=("concurren",)),
                "More requests are under way than the organisation's edition allows.",
                "The program slows down by itself; --concurrency sets a lower ceiling.",
            ),
            Cause(
                When(message=("24 hours", "credit", "per day")),
                "The organisation has used up its API credits of the last 24 hours.",
                "Resume the run when credits have come free again; they return 24 hours after they were spent.",
            ),
            Cause(
                When(),
                "Either too many requests are under way, or the credits of the last 24 hours are used up.",
                "The program slows down and tries again by itself; if it gives up, resume the run some hours later.",
            ),
        ),
    ),
    one_cause(
        "INTERNAL_ERROR",
        "Something went wrong inside Zoho; whether the change was made is not known.",
        Disposition.TRY_AGAIN,
        "Zoho failed while it worked on the request.",
        _RETRY,
        pages=(*SERVICES, SCORING_RULES, SERVICE_PREFERENCES),
    ),
    one_cause(
        "INTERNAL_SERVER_ERROR",
        "Something went wrong inside Zoho; the change may or may not have been made.",
        Disposition.TRY_AGAIN,
        "The server failed while it worked on the request.",
        _RETRY,
    ),
    one_cause(
        "DEPENDENT_SERVICE_ERROR",
        "A service that Zoho CRM relies on failed.",
        Disposition.TRY_AGAIN,
        "Another service behind Zoho CRM did not do its part.",
        _RETRY,
    ),
)

_STATUSES = (
    one_cause(
        "302",
        "The request was sent on to another address.",
        Disposition.TRY_AGAIN,
        "Something between this computer and Zoho, such as a network's login page, redirects requests; the program "
        "does not follow, to keep its token safe.",
        "Log in to the network, or set BULKZCRM_PROXY; then resume the run.",
    ),
    one_cause(
        "400",
        "The request was refused without a reason that can be read.",
        Disposition.TRY_AGAIN,
        "The answer was not Zoho's usual one; whether the change was made is not known.",
        _RETRY,
    ),
    one_cause(
        "401",
        "The credentials were refused.",
        Disposition.REFRESH_TOKEN,
        "The server refused the access token without naming a reason.",
        "The program fetches a new token once; if that does not help, run bulkzcrm auth status.",
    ),
    one_cause(
        "403",
        "Access was refused.",
        Disposition.STOP_RUN,
        "Zoho, or a proxy or firewall on the way, refuses the request without naming a reason.",
        "Ask the network's administrator whether Zoho's API may be reached, and Zoho's whether the user may use it.",
    ),
    one_cause(
        "404",
        "The address was not found.",
        Disposition.TRY_AGAIN,
        "The answer was not Zoho's usual one, so nothing is known about the rows.",
        _CHECK_ADDRESS,
    ),
    one_cause(
        "405",
        "The HTTP method is not accepted.",
        Disposition.STOP_RUN,
        "The server, or a proxy on the way, does not accept changes at this address.",
        _CHECK_ADDRESS,
    ),
    one_cause(
        "407",
        "The company's proxy wants credentials.",
        Disposition.STOP_RUN,
        "The proxy refuses to pass the request on.",
        "Put the proxy's user and password into BULKZCRM_PROXY; then resume the run.",
    ),
    one_cause(
        "408",
        "The server waited too long for the request.",
        Disposition.TRY_AGAIN,
        "The connection was too slow, or broke while the request was being sent.",
        _RETRY,
    ),
    one_cause(
        "412",
        "A condition of the request is no longer true.",
        Disposition.FIX_ROW,
        "The record was changed in Zoho after this run had read it.",
        "Compare the row with the record as it is now, then retry the row.",
    ),
    one_cause(
        "413",
        "The request is too large.",
        Disposition.FIX_ROW,
        "Even alone, the row is larger than the server takes.",
        "Shorten long texts in the row, such as Description.",
    ),
    one_cause(
        "415",
        "The server does not take JSON here.",
        Disposition.STOP_RUN,
        "The server, or a proxy on the way, does not accept the request's form.",
        "Check BULKZCRM_API_DOMAIN and BULKZCRM_PROXY; then resume the run.",
    ),
    one_cause(
        "429",
        "Too many requests at once, or the credits are used up.",
        Disposition.TRY_AGAIN,
        "The organisation's limit of requests or of credits is reached.",
        "The program slows down and tries again by itself; if it gives up, resume the run some hours later.",
    ),
    one_cause(
        "500",
        "The server failed.",
        Disposition.TRY_AGAIN,
        "The server failed, and did not say whether the change was made.",
        _RETRY,
    ),
    one_cause(
        "502",
        "A server on the way got no proper answer.",
        Disposition.TRY_AGAIN,
        "A gateway in front of Zoho lost the answer, so the change may have been made.",
        _RETRY,
    ),
    one_cause(
        "503",
        "The server is down or overloaded.",
        Disposition.TRY_AGAIN,
        "Zoho is being maintained or is overloaded.",
        _RETRY,
    ),
    one_cause(
        "504",
        "A server on the way waited in vain.",
        Disposition.TRY_AGAIN,
        "Zoho took too long, so the change may still have been made.",
        _RETRY,
    ),
)

SERVER_CODES = _ADDRESS + _TROUBLE + _STATUSES
