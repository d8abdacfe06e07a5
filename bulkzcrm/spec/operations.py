"""The six operations, each declared once: whoever adds one writes it here (and in the sandbox, and in the tests)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from bulkzcrm.spec.completion import (
    activation_request,
    complete_activation,
    complete_business_hours,
    complete_preferences,
    new_record,
    object_request,
    records_request,
    service_completion,
)
from bulkzcrm.spec.fields import WEEKDAYS, Field, Kind, Lookup
from bulkzcrm.spec.operation import Operation
from bulkzcrm.spec.organisation import READ_SCOPES, Reading
from bulkzcrm.spec.service_fields import ID, SERVICE_FIELDS, STATUS_FIELDS
from bulkzcrm.spec.service_rules import SERVICE_RULES
from bulkzcrm.spec.settings_rules import BUSINESS_HOURS_RULES

__all__ = ["OPERATIONS", "SERVICES_MODULE"]

SERVICES_MODULE: Final = "Services__s"
"""The API name of the module of services."""

_SERVICE_READINGS: Final = (
    Reading.ORG,
    Reading.USERS,
    Reading.FIELDS,
    Reading.BUSINESS_HOURS,
    Reading.PREFERENCES,
)


def _scopes(*readings: Reading) -> dict[Reading, str]:
    return {reading: READ_SCOPES[reading] for reading in readings}


_UPDATE_FIELDS: Final = (
    ID,
    # What a new service must have, an existing one keeps.
    *(replace(each, mandatory=False, never_empty=each.mandatory) for each in SERVICE_FIELDS),
)

_STATUS_CHANGE_FIELDS: Final = (
    ID,
    *(
        # It only finds the service, so that its length is no matter.
        replace(each, mandatory=False, never_empty=True, maximum_length=None)
        for each in SERVICE_FIELDS
        if each.name == "Service_Name"
    ),
    *(replace(each, mandatory=each.name == "Status") for each in STATUS_FIELDS),
)

_CREATE_SERVICES: Final = Operation(
    name="create-services",
    summary="Create services, one a row.",
    page="create-services",
    method="POST",
    path=SERVICES_MODULE,
    wrapper="data",
    maximum=100,
    creates=True,
    sent_as_given=True,
    named_by="Service_Name",
    fields=SERVICE_FIELDS,
    rules=SERVICE_RULES,
    defaults={"Status": "Available"},
    scopes_needed=("ZohoCRM.modules.services.CREATE",),
    scopes_helpful=_scopes(*_SERVICE_READINGS, Reading.SERVICES),
    complete=new_record,
    request=records_request("POST", SERVICES_MODULE),
)

_UPDATE_SERVICES: Final = Operation(
    name="update-services",
    summary="Change services, each found by its id, else by its name.",
    page="update-services",
    method="PUT",
    path=SERVICES_MODULE,
    wrapper="data",
    maximum=100,
    creates=False,
    fields=_UPDATE_FIELDS,
    rules=SERVICE_RULES,
    defaults={"Status": "Available"},
    find_by=("id", "Service_Name"),
    one_of=(("id", "Service_Name"),),
    renames=True,
    current=Reading.SERVICES,
    scopes_needed=("ZohoCRM.modules.services.UPDATE", READ_SCOPES[Reading.SERVICES]),
    scopes_helpful=_scopes(*_SERVICE_READINGS),
    complete=service_completion(_UPDATE_FIELDS),
    request=records_request("PUT", SERVICES_MODULE),
)

_SET_SERVICE_STATUS: Final = replace(
    _UPDATE_SERVICES,
    name="set-service-status",
    summary="Make services available, temporarily unavailable, or put them out of use.",
    fields=_STATUS_CHANGE_FIELDS,
    defaults={},
    renames=False,
    complete=service_completion(_STATUS_CHANGE_FIELDS),
)

_SET_SCORING_RULE_STATUS: Final = Operation(
    name="set-scoring-rule-status",
    summary="Switch scoring rules on or off, each found by its id, else by its name (and module).",
    page="update-scoring-rule-status",
    method="PUT or DELETE",
    path="settings/automation/scoring_rules/{id}/actions/activate",
    wrapper="scoring_rules",
    maximum=1,
    creates=False,
    fields=(
        replace(ID, headers=("Rule Id", "Scoring Rule Id")),
        Field(
            name="name",
            label="Rule Name",
            kind=Kind.TEXT,
            about="The name of the rule, where no id is given.",
            never_empty=True,
            lookup=Lookup.SCORING_RULES,
            headers=("Scoring Rule", "Scoring Rule Name"),
        ),
        Field(
            name="module",
            label="Module",
            kind=Kind.TEXT,
            about="The module of the rule, where names repeat.",
            never_empty=True,
        ),
        Field(
            name="Status",
            label="Status",
            kind=Kind.CHOICE,
            about="active or inactive.",
            mandatory=True,
            choices=("active", "inactive"),
            aliases={"activate": "active", "deactivate": "inactive", "on": "active", "off": "inactive"},
        ),
    ),
    rules=(),
    find_by=("id", "name"),
    one_of=(("id", "name"),),
    current=Reading.SCORING_RULES,
    scopes_needed=("ZohoCRM.settings.scoring_rules.UPDATE",),
    scopes_helpful=_scopes(Reading.ORG, Reading.SCORING_RULES),
    complete=complete_activation,
    request=activation_request,
)

_UPDATE_BUSINESS_HOURS: Final = Operation(
    name="update-business-hours",
    summary="Change the organisation's business hours.",
    page="update-business-hours",
    method="PUT",
    path="settings/business_hours",
    wrapper="business_hours",
    maximum=1,
    creates=False,
    fields=(
        replace(ID, about="The id of the business hours; the current one is read where it is left out.", headers=()),
        Field(
            name="type",
            label="Type",
            kind=Kind.CHOICE,
            about="Around the clock on seven days, on five days, or custom.",
            mandatory=True,
            choices=("24*7", "24*5", "custom"),
            aliases={"24_by_7": "24*7", "24_by_5": "24*5", "24x7": "24*7", "24x5": "24*5"},
        ),
        Field(
            name="week_starts_on",
            label="Week Starts On",
            kind=Kind.CHOICE,
            about="The first day of the week.",
            mandatory=True,
            choices=WEEKDAYS,
            aliases={day[:3].casefold(): day for day in WEEKDAYS},
        ),
        Field(
            name="business_days",
            label="Business Days",
            kind=Kind.DAYS,
            about="The days on which the organisation works.",
            maximum_values=7,
        ),
        Field(
            name="same_as_everyday",
            label="Same As Everyday",
            kind=Kind.BOOLEAN,
            about="yes: the same hours every day (daily_timing); no: hours by weekday.",
        ),
        Field(
            name="daily_timing",
            label="Daily Timing",
            kind=Kind.HOURS,
            about="The hours of every day.",
        ),
        *(
            # Only "closed" takes a day's hours away: the page has no null for them.
            Field(name=day, label=day, kind=Kind.DAY_HOURS, about=f"The hours on {day}, or closed.", never_empty=True)
            for day in WEEKDAYS
        ),
    ),
    rules=BUSINESS_HOURS_RULES,
    single=True,
    current=Reading.BUSINESS_HOURS,
    scopes_needed=("ZohoCRM.settings.business_hours.UPDATE", READ_SCOPES[Reading.BUSINESS_HOURS]),
    scopes_helpful=_scopes(Reading.ORG),
    complete=complete_business_hours,
    request=object_request("settings/business_hours", "business_hours"),
)

_UPDATE_SERVICE_PREFERENCES: Final = Operation(
    name="update-service-preferences",
    summary="Switch job sheets on or off for the organisation.",
    page="update-service-preferences",
    method="PUT",
    path="settings/service_preferences",
    wrapper="service_preferences",
    maximum=1,
    creates=False,
    fields=(
        Field(
            name="job_sheet_enabled",
            label="Job Sheet Enabled",
            kind=Kind.BOOLEAN,
            about="Whether services may ask for job sheets.",
            mandatory=True,
        ),
    ),
    rules=(),
    single=True,
    current=Reading.PREFERENCES,
    scopes_needed=("ZohoCRM.settings.modules.UPDATE",),
    scopes_helpful=_scopes(Reading.ORG, Reading.PREFERENCES),
    complete=complete_preferences,
    request=object_request("settings/service_preferences", "service_preferences"),
)

OPERATIONS: Final[Mapping[str, Operation]] = {
    operation.name: operation
    for operation in (
        _CREATE_SERVICES,
        _UPDATE_SERVICES,
        _SET_SERVICE_STATUS,
        _SET_SCORING_RULE_STATUS,
        _UPDATE_BUSINESS_HOURS,
        _UPDATE_SERVICE_PREFERENCES,
    )
}
