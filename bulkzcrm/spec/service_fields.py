"""The fields of a service, as the create-services page lists them; the update page takes the same ones."""

from __future__ import annotations

from typing import Final

from bulkzcrm.spec.fields import Field, Kind, Lookup

__all__ = ["ID", "SERVICE_FIELDS", "STATUS_FIELDS", "YES_NO"]

YES_NO: Final = {"yes": "Yes", "no": "No", "true": "Yes", "false": "No", "1": "Yes", "0": "No"}

ID: Final = Field(
    name="id",
    label="Record Id",
    kind=Kind.ID,
    about="The id of the record to change, 18 or 19 digits.",
    never_empty=True,
    headers=("Service Id", "Record ID", "ZOHOCRM Id"),
)

_STATUS: Final = Field(
    name="Status",
    label="Status",
    kind=Kind.CHOICE,
    about="Whether customers can book the service; Available where nothing is said.",
    choices=("Available", "Temporarily Unavailable", "Not in Use"),
    open_choices=True,
)

_UNAVAILABLE: Final = (
    Field(
        name="Unavailable_From",
        label="Unavailable From",
        kind=Kind.DATETIME,
        about="Since when the service is unavailable, not in the future; or now.",
    ),
    Field(
        name="Unavailable_Till",
        label="Unavailable Till",
        kind=Kind.DATETIME,
        about="Until when the service is unavailable.",
    ),
)

SERVICE_FIELDS: Final = (
    Field(
        name="Service_Name",
        label="Service Name",
        kind=Kind.TEXT,
        about="The name that customers see.",
        mandatory=True,
        maximum_length=120,
        headers=("Name", "Service"),
    ),
    Field(
        name="Duration",
        label="Duration",
        kind=Kind.MINUTES,
        about="How long one appointment takes, in minutes.",
        mandatory=True,
        minimum=15,
        maximum=1440,
        headers=("Duration (minutes)", "Duration (min)"),
    ),
    Field(
        name="Location",
        label="Location",
        kind=Kind.CHOICE,
        about="Where the service takes place.",
        mandatory=True,
        choices=("Client Address", "Business Address", "Business Address and Client Address"),
    ),
    Field(
        name="Members",
        label="Members",
        kind=Kind.MEMBERS,
        about="Who performs it: user ids, e-mail addresses or full names.",
        mandatory=True,
        maximum_values=100,
        lookup=Lookup.USERS,
    ),
    Field(
        name="Availability_Type",
        label="Availability Type",
        kind=Kind.CHOICE,
        about="On which days it is offered.",
        mandatory=True,
        choices=("Every Business Days", "Specific Date Range", "Specific Date(s)", "Specific Day(s)"),
        aliases={
            "everybusinessday": "Every Business Days",
            "specificdates": "Specific Date(s)",
            "specificdays": "Specific Day(s)",
        },
    ),
    Field(
        name="Available_From",
        label="Available From",
        kind=Kind.DATE,
        about="First day, for Specific Date Range.",
    ),
    Field(
        name="Available_Till",
        label="Available Till",
        kind=Kind.DATE,
        about="Last day, for Specific Date Range.",
    ),
    Field(
        name="Available_Dates",
        label="Available Dates",
        kind=Kind.DATES,
        about="The days, for Specific Date(s).",
        maximum_values=20,
    ),
    Field(
        name="Available_Days",
        label="Available Days",
        kind=Kind.DAYS,
        about="The weekdays, for Specific Day(s).",
    ),
    Field(
        name="Price",
        label="Price",
        kind=Kind.MONEY,
        about="What it costs, in the organisation's currency.",
        mandatory=True,
        maximum_digits=16,
        maximum_places=2,
    ),
    Field(
        name="Available_Timings",
        label="Available Timings",
        kind=Kind.TIMINGS,
        about="At which hours; the business hours where nothing is said.",
        maximum_values=2,
    ),
    Field(
        name="Tax",
        label="Tax",
        kind=Kind.TAXES,
        about="Tax ids or values.",
        lookup=Lookup.TAXES,
    ),
    Field(
        name="Job_Sheet_Required",
        label="Job Sheet Required",
        kind=Kind.CHOICE,
        about="Whether members fill in a job sheet; No where nothing is said.",
        choices=("Yes", "No"),
        aliases=YES_NO,
    ),
    Field(
        name="Job_Sheet_Section__s",
        label="Job Sheet Section",
        kind=Kind.TEXT,
        about="Which job sheet, when one is required.",
        lookup=Lookup.JOB_SHEETS,
        headers=("Job Sheet",),
    ),
    _STATUS,
    *_UNAVAILABLE,
    Field(
        name="Description",
        label="Description",
        kind=Kind.TEXT,
        about="Words for customers.",
        maximum_length=32000,
    ),
)

STATUS_FIELDS: Final = (_STATUS, *_UNAVAILABLE)
