"""The codes about who may do what, and about tokens: those of the API and those of the accounts server."""

from __future__ import annotations

from bulkzcrm.spec.codes.nouns import (
    BUSINESS_HOURS,
    SCORING_RULES,
    SERVICE_PREFERENCES,
    SERVICES,
    Cause,
    Code,
    Disposition,
    Family,
    When,
    one_cause,
)

__all__ = ["ACCESS_CODES", "CREDENTIAL_CODES"]

_LOGIN = "make a new one in Zoho's API console and run bulkzcrm auth login --code"

ACCESS_CODES = (
    one_cause(
        "INVALID_TOKEN",
        "The access token is not valid, or no longer.",
        Disposition.REFRESH_TOKEN,
        "The access token has expired, was replaced by newer ones, or belongs to another data centre.",
        "The program fetches a new token by itself; if that does not help, check that BULKZCRM_API_DOMAIN and "
        "BULKZCRM_ACCOUNTS_URL are those of your organisation's data centre.",
        pages=(*SERVICES, SERVICE_PREFERENCES),
    ),
    one_cause(
        "INVALID_OAUTHTOKEN",
        "The access token is not valid.",
        Disposition.REFRESH_TOKEN,
        "The access token has been used up or withdrawn.",
        "The program fetches a new token by itself; if that does not help, run bulkzcrm auth status.",
    ),
    one_cause(
        "AUTHENTICATION_FAILURE",
        "Zoho does not recognise the sender of the request.",
        Disposition.REFRESH_TOKEN,
        "Zoho could not tell from the access token who is asking.",
        "The program fetches a new token once; if that does not help, run bulkzcrm auth status.",
    ),
    one_cause(
        "UNAUTHORIZED",
        "The request is not accepted without valid credentials.",
        Disposition.REFRESH_TOKEN,
        "The server wants credentials that it accepts.",
        "The program fetches a new token once; if that does not help, check that BULKZCRM_API_DOMAIN is Zoho's.",
    ),
    Code(
        name="OAUTH_SCOPE_MISMATCH",
        meaning="The token was not granted the scope that this request needs.",
        disposition=Disposition.STOP_RUN,
        causes=(
            Cause(
                When(families=(Family.SCORING_RULES,)),
                "The token may not change the status of scoring rules; Zoho may want the scope for deleting to "
                "deactivate one.",
                f"Scopes cannot be added to a token: {_LOGIN} with ZohoCRM.settings.scoring_rules.ALL.",
            ),
            Cause(
                When(),
                "The token lacks a scope for what the run does.",
                f"Scopes cannot be added to a token: {_LOGIN} with all scopes that bulkzcrm operations shows.",
            ),
        ),
        pages=(*SERVICES, BUSINESS_HOURS, SCORING_RULES, SERVICE_PREFERENCES),
    ),
    Code(
        name="NO_PERMISSION",
        meaning="The user whose token is used may not do this.",
        disposition=Disposition.STOP_RUN,
        causes=(
            Cause(
                When(details=("permissions",)),
                "The user's profile lacks a permission.",
                "Have the administrator add the named permission to the user's profile, or use another user's token.",
            ),
            Cause(
                When(),
                "The user's profile or role does not permit this change.",
                "Have the administrator permit it in Zoho's settings, or log in as a user who may do it.",
            ),
        ),
        pages=(*SERVICES, SCORING_RULES, SERVICE_PREFERENCES),
    ),
    one_cause(
        "AUTHORIZATION_FAILED",
        "The user may not do this.",
        Disposition.STOP_RUN,
        "Zoho knows the user and refuses the change.",
        "Have the administrator check the user's profile, role and access to the module.",
    ),
    one_cause(
        "invalid_code",
        "The accounts server does not accept the refresh token, or the code of a login.",
        Disposition.STOP_RUN,
        "The refresh token is wrong or was revoked; a login code is used up after one use or three minutes.",
        "Make a new code in Zoho's API console and run bulkzcrm auth login --code at once.",
    ),
    one_cause(
        "invalid_client",
        "The accounts server does not know the client id.",
        Disposition.STOP_RUN,
        "The client id is mistyped, or belongs to another data centre than BULKZCRM_ACCOUNTS_URL.",
        "Compare both with Zoho's API console; an organisation in Europe, for example, uses accounts.zoho.eu.",
    ),
    one_cause(
        "invalid_client_secret",
        "The client secret does not belong to the client id.",
        Disposition.STOP_RUN,
        "The client secret is mistyped or was renewed.",
        "Copy the client secret from Zoho's API console into BULKZCRM_CLIENT_SECRET or the profile.",
    ),
    one_cause(
        "invalid_redirect_uri",
        "The client is of another kind than a self client.",
        Disposition.STOP_RUN,
        "The client was registered with a redirect address, which this program does not use.",
        "Create a self client in Zoho's API console and use its id and secret.",
    ),
    one_cause(
        "general_error",
        "The accounts server gives no reason.",
        Disposition.STOP_RUN,
        "The accounts server refused to issue a token without saying why.",
        "Check client id, client secret and refresh token, wait some minutes, then resume the run.",
    ),
    one_cause(
        "Access Denied",
        "The accounts server was asked for too many tokens.",
        Disposition.TRY_AGAIN,
        "More than ten access tokens were fetched with one refresh token within ten minutes, perhaps by another "
        "program.",
        "Wait ten minutes, then resume the run; let programs that share a refresh token not run at once.",
    ),
)

CREDENTIAL_CODES = frozenset(code.name for code in ACCESS_CODES) | {"401", "403"}
"""The codes that mean: these credentials, or what they may do, are refused."""
