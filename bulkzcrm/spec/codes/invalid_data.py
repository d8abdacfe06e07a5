"""The causes of INVALID_DATA, the code that stands for more than twenty different mistakes."""

from __future__ import annotations

from bulkzcrm.spec.codes.evidence import (
    business_times_are_well_formed,
    ends_before_it_starts,
    five_day_week_without_five_days,
    timings_are_well_formed,
    timings_shorter_than_duration,
    unavailable_till_before_from,
)
from bulkzcrm.spec.codes.nouns import (
    BUSINESS_HOURS,
    SERVICE_PREFERENCES,
    SERVICES,
    Cause,
    Code,
    Disposition,
    Family,
    When,
)

__all__ = ["INVALID_DATA"]

_REQUEST = (
    Cause(
        When(leaves=("data",), details=("maximum_length",)),
        "The list of records in the request is longer than Zoho takes at once.",
        "Nothing need be wrong with the row itself; send it again with a smaller --batch-size.",
    ),
    Cause(
        When(details=("resource_path_index",), families=(Family.SCORING_RULES,)),
        "This organisation has no scoring rule with this id.",
        "Copy the rule's id from Zoho again, or leave id blank and give the rule's name and module.",
        mend="id",
    ),
    Cause(
        When(details=("resource_path_index",)),
        "Zoho knows no record with the id that the request names.",
        "Check that all digits of the id are right and that the record still exists in this organisation.",
        mend="id",
    ),
    Cause(
        When(details=("param_name",)),
        "A value in the request's address is not one that Zoho accepts.",
        "Check the module's name in the row: it must be the API name, such as Leads.",
    ),
    Cause(
        When(leaves=("id",), fields=("id",)),
        "The id is not that of a record in this organisation.",
        "Check that all digits of the id are right (a spreadsheet program keeps only 15 of them) and that the record "
        "was not deleted.",
    ),
)

_MEMBERS = (
    Cause(
        When(details=("user_status=unconfirmed",)),
        "A member has not yet accepted the invitation to Zoho CRM.",
        "Let the user confirm the invitation in Zoho's settings under Users, or name another member.",
        mend="Members",
    ),
    Cause(
        When(details=("user_status=inactive",)),
        "A member is an inactive user.",
        "Activate the user in Zoho's settings under Users, or take the user out of the cell.",
        mend="Members",
    ),
    Cause(
        When(fields=("Members",), message=("confirmed",)),
        "A member is a user who is not confirmed.",
        "Name only users whom Zoho's settings show as active and confirmed.",
    ),
    Cause(
        When(fields=("Members",), message=("active",)),
        "A member is a user who is not active.",
        "Replace the member with one whom Zoho's settings list as active.",
    ),
    Cause(
        When(fields=("Members",), details=("maximum_length",)),
        "The service has more members than Zoho allows.",
        "Leave at most 100 members in the cell.",
    ),
    Cause(
        When(fields=("Members",), message=("more than",)),
        "Too many members are given for one service.",
        "Shorten the list of members to 100 or fewer.",
    ),
    Cause(
        When(fields=("Members",)),
        "A member is not a user of this organisation.",
        "Give each member as the id, the e-mail address or the full name of an active and confirmed user.",
    ),
)

_AVAILABILITY = (
    Cause(
        When(fields=("Availability_Type",)),
        "Availability_Type is none of the four kinds that Zoho knows.",
        "Write Every Business Days, Specific Date Range, Specific Date(s) or Specific Day(s).",
    ),
    Cause(
        When(fields=("Available_Dates",), details=("maximum_length",)),
        "There are more dates than one service may have.",
        "Keep at most 20 dates in Available_Dates; put the others into a second service.",
    ),
    Cause(
        When(fields=("Available_Dates",)),
        "One of the dates is no date that Zoho understands.",
        "Write each date as YYYY-MM-DD, such as 2040-03-07, separated by semicolons.",
    ),
    Cause(
        When(fields=("Available_Days",), details=("maximum_length",)),
        "There are more days than a week has.",
        "Name each weekday at most once.",
    ),
    Cause(
        When(fields=("Available_Days",)),
        "One of the days is not the name of a weekday.",
        "Write the English names of the days, such as Monday; Tuesday.",
    ),
    Cause(
        When(fields=("Available_Till",), row=ends_before_it_starts),
        "Available_Till is not later than Available_From.",
        "Choose an Available_Till after Available_From; look out for swapped day and month.",
    ),
    Cause(
        When(fields=("Available_Till",), message=("greater",)),
        "The last available date does not come after the first one.",
        "Move Available_Till to a later date than the service's Available_From.",
    ),
    Cause(
        When(fields=("Available_From", "Available_Till")),
        "The date is not one that Zoho understands.",
        "Write the date as YYYY-MM-DD, such as 2040-03-07.",
    ),
    Cause(
        When(fields=("Available_Timings",), details=("maximum_length",)),
        "There are more timings than one service may have.",
        "Keep at most two spans in Available_Timings.",
    ),
    Cause(
        When(fields=("Available_Timings",), message=("duration",)),
        "The timing is too short for the service.",
        "Make each span in Available_Timings at least as long as Duration, or shorten Duration.",
    ),
    Cause(
        When(fields=("Available_Timings",), row=timings_shorter_than_duration),
        "A span in Available_Timings has fewer minutes than Duration.",
        "Lengthen the span to the service's Duration or more, or give a smaller Duration.",
    ),
    Cause(
        When(fields=("Available_Timings",), row=timings_are_well_formed),
        "Zoho does not accept these times, although they are written correctly.",
        "Compare Available_Timings with Duration and with the business hours in Zoho's settings.",
    ),
    Cause(
        When(fields=("Available_Timings",)),
        "A time in Available_Timings is no 24-hour time, or ends before it starts.",
        "Write each span with the earlier time first, such as 10:00-13:30; 15:00-18:00.",
    ),
)

_STATUS = (
    Cause(
        When(fields=("Status",), families=(Family.SERVICES,)),
        "Status is none of the values that Zoho knows.",
        "Write Available, Temporarily Unavailable or Not in Use.",
    ),
    Cause(
        When(fields=("Unavailable_From",), message=("availability",)),
        "Unavailable_From lies outside the time in which the service is available at all.",
        "Choose a time on one of the service's available days, or change the availability first.",
    ),
    Cause(
        When(fields=("Unavailable_From", "Unavailable_Till"), details=("expected_data_type",)),
        "The time is not written in a form that Zoho understands.",
        "Write date, time and offset, such as 2040-03-07T10:00:00+05:30.",
    ),
    Cause(
        When(fields=("Unavailable_Till",), details=("supported_values",)),
        "Unavailable_Till does not go with the row's Status; the values that Zoho lists are those of Status.",
        "Check the Status of the row, then give an Unavailable_Till that suits it or leave it blank.",
    ),
    Cause(
        When(fields=("Unavailable_From",)),
        "Unavailable_From lies in the future, or is no point in time.",
        "Give a time that has passed, with its offset, or write now.",
    ),
    Cause(
        When(fields=("Unavailable_Till",), row=unavailable_till_before_from),
        "Unavailable_Till is not later than Unavailable_From.",
        "Let the unavailable time end after it begins.",
    ),
    Cause(
        When(fields=("Unavailable_Till",)),
        "Zoho does not accept Unavailable_Till.",
        "Give a date and time with its offset, later than Unavailable_From.",
    ),
)

_OTHER_FIELDS = (
    Cause(
        When(fields=("Duration",)),
        "Duration is outside the range that Zoho allows, or is no whole number of minutes.",
        "Give the minutes as a whole number between 15 and 1440.",
    ),
    Cause(
        When(fields=("Location",)),
        "Location is none of the values that Zoho knows.",
        "Write Client Address, Business Address or Business Address and Client Address.",
    ),
    Cause(
        When(fields=("Price",)),
        "Price is no amount that Zoho can keep.",
        "Give a plain number with at most 16 digits before and 2 after the point, without a sign.",
    ),
    Cause(
        When(fields=("Tax",)),
        "A tax is not one of those that are set up for services.",
        "Use the taxes shown in Zoho's settings, exactly as they are named there, such as Vat - 0.8 %.",
    ),
    Cause(
        When(fields=("Job_Sheet_Required",)),
        "Job_Sheet_Required is neither Yes nor No.",
        "Write Yes or No.",
    ),
    Cause(
        When(fields=("Job_Sheet_Section__s",)),
        "There is no job sheet of this name.",
        "Use the name of a job sheet as Zoho's settings for services show it.",
    ),
)

_SETTINGS = (
    Cause(
        When(fields=("business_days",), details=("maximum_length",)),
        "business_days has more than seven entries.",
        "Name each weekday at most once in business_days.",
    ),
    Cause(
        When(fields=("business_days",), row=five_day_week_without_five_days),
        "Business hours of five days a week do not list exactly five days.",
        "Name exactly five days in business_days, or choose the type custom.",
    ),
    Cause(
        When(fields=("business_days",)),
        "business_days holds something that is not the name of a weekday, or a day twice.",
        "Write the English names of the days, each once, such as Monday; Tuesday.",
    ),
    Cause(
        When(fields=("type",)),
        "The type of the business hours is none that Zoho knows.",
        "Write 24*7, 24*5 or custom.",
    ),
    Cause(
        When(fields=("week_starts_on",)),
        "week_starts_on is not the name of a weekday.",
        "Write one English day name, such as Monday.",
    ),
    Cause(
        When(families=(Family.BUSINESS_HOURS,), leaves=("days",)),
        "A timing of a single day does not name a weekday, or names one that is no business day.",
        "Give timings only for weekdays that business_days lists.",
    ),
    Cause(
        When(
            families=(Family.BUSINESS_HOURS,),
            leaves=("daily_timing", "custom_timing", "business_timing"),
            row=business_times_are_well_formed,
        ),
        "The timing lies outside the business hours that the organisation has at present.",
        "Compare the times with the business hours in Zoho's settings; widen those first if the new times are right.",
    ),
    Cause(
        When(families=(Family.BUSINESS_HOURS,), leaves=("daily_timing", "custom_timing", "business_timing")),
        "A business timing is no span of two 24-hour times.",
        "Write two times with the earlier one first, such as 10:00-17:00.",
    ),
    Cause(
        When(fields=("job_sheet_enabled",)),
        "job_sheet_enabled is neither true nor false.",
        "Write true or false in the cell.",
    ),
)

_ANY_FIELD = (
    Cause(
        When(details=("maximum_length",)),
        "The value is longer, or has more entries, than Zoho allows in this field.",
        "Shorten the value to the length that is allowed.",
    ),
    Cause(
        When(details=("expected_data_type",)),
        "The value is of another kind than the field holds.",
        "Give a value of the kind that the field expects.",
    ),
    Cause(
        When(details=("supported_values",)),
        "The value is not one of the choices that Zoho offers.",
        "Choose one of the values that Zoho lists, spelled exactly so.",
    ),
    Cause(
        When(),
        "Zoho does not accept the value of this field.",
        "Compare the value with what the field accepts (bulkzcrm operations shows it), and mend the cell.",
    ),
)

INVALID_DATA = Code(
    name="INVALID_DATA",
    meaning="A value is wrong in form, outside its range, or not one of the choices.",
    disposition=Disposition.FIX_ROW,
    causes=_MEMBERS + _REQUEST + _AVAILABILITY + _STATUS + _OTHER_FIELDS + _SETTINGS + _ANY_FIELD,
    pages=(*SERVICES, BUSINESS_HOURS, SERVICE_PREFERENCES),
)
