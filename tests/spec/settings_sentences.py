"""What the pages on scoring rules, business hours and service preferences say of a row."""

from __future__ import annotations

from judged_rows import HOURS_ID, NOWHERE
from rule_sentences import HOURS, PREFERENCES, SCORING, Sentence, mandatory

_RULE = "4876876000000965528"
_SAME = {"same_as_everyday": "yes", "daily_timing": "09:00-18:00"}
_OWN = {"same_as_everyday": "no", "daily_timing": None}
_ROUND_THE_CLOCK = {"type": "24*7", "business_days": None, "same_as_everyday": None, "daily_timing": None}
_FIVE = {**_ROUND_THE_CLOCK, "type": "24*5"}

SCORING_SENTENCES = (
    mandatory("Status", SCORING),
    Sentence(
        says="A scoring rule is activated or deactivated, and nothing else.",
        code="INVALID_DATA",
        field="Status",
        breaks=({"Status": "paused"},),
        keeps=({"Status": "Active"}, {"Status": "inactive"}, {"Status": "off"}),
        operations=(SCORING,),
    ),
    Sentence(
        says="A row names its scoring rule.",
        code="MANDATORY_NOT_FOUND",
        field="id",
        breaks=({"id": None}, {"id": None, "module": "Leads"}),
        keeps=({"id": _RULE}, {"id": None, "name": "Old friends"}),
        operations=(SCORING,),
    ),
    Sentence(
        says="The id of a scoring rule is a string of digits.",
        code="INVALID_DATA",
        field="id",
        breaks=({"id": "Hot leads"},),
        keeps=({"id": _RULE},),
        operations=(SCORING,),
    ),
    Sentence(
        says="The scoring rule with the id exists.",
        code="INVALID_DATA",
        field="id",
        breaks=({"id": NOWHERE},),
        keeps=({"id": _RULE},),
        operations=(SCORING,),
        needs_reading=True,
    ),
    Sentence(
        says="A scoring rule that is named exists.",
        code="NAME_NOT_FOUND",
        field="name",
        breaks=({"id": None, "name": "Cold leads"}, {"id": None, "name": "Old friends", "module": "Leads"}),
        keeps=({"id": None, "name": "old friends"},),
        operations=(SCORING,),
        needs_reading=True,
    ),
    Sentence(
        says="A name means one scoring rule, perhaps by its module.",
        code="NAME_AMBIGUOUS",
        field="name",
        breaks=({"id": None, "name": "Hot leads"},),
        keeps=({"id": None, "name": "Hot leads", "module": "Deals"},),
        operations=(SCORING,),
        needs_reading=True,
    ),
)

HOURS_SENTENCES = (
    mandatory("type", HOURS),
    mandatory("week_starts_on", HOURS),
    Sentence(
        says="The type is 24*7, 24*5 or custom.",
        code="INVALID_DATA",
        field="type",
        breaks=({"type": "24*6"}, {"type": "round the clock"}),
        keeps=(_ROUND_THE_CLOCK, {**_ROUND_THE_CLOCK, "type": "24_by_7"}, {"type": "24 * 5"}, {"type": "Custom"}),
        operations=(HOURS,),
    ),
    Sentence(
        says="The week starts on one of its seven days.",
        code="INVALID_DATA",
        field="week_starts_on",
        breaks=({"week_starts_on": "Someday"}, {"week_starts_on": "Mon-Tue"}),
        keeps=({"week_starts_on": "sunday"}, {"week_starts_on": "Sat"}),
        operations=(HOURS,),
    ),
    Sentence(
        says="The id is that of the organisation's business hours; it may be left out.",
        code="INVALID_DATA",
        field="id",
        breaks=({"id": NOWHERE},),
        keeps=({"id": HOURS_ID}, {"id": None}),
        operations=(HOURS,),
        needs_reading=True,
    ),
    Sentence(
        says="Business days are days of the week, at most seven.",
        code="INVALID_DATA",
        field="business_days",
        breaks=({"business_days": "Mon; Holiday"},),
        keeps=({"business_days": "Mon-Sun"}, {"business_days": "Sat"}),
        operations=(HOURS,),
    ),
    Sentence(
        says="business_days is mandatory when the type is 24*5 or custom.",
        code="DEPENDENT_FIELD_MISSING",
        field="business_days",
        breaks=({"business_days": None}, {"business_days": "#CLEAR"}, _FIVE),
        keeps=({"business_days": "Mon-Sat"}, {**_FIVE, "business_days": "Mon-Fri"}, _ROUND_THE_CLOCK),
        operations=(HOURS,),
        rule="business days given",
    ),
    Sentence(
        says="With the type 24*5 there are exactly five business days.",
        code="INVALID_DATA",
        field="business_days",
        breaks=({**_FIVE, "business_days": "Mon-Thu"}, {**_FIVE, "business_days": "Mon-Sat"}),
        keeps=({**_FIVE, "business_days": "Mon-Fri"}, {"business_days": "Mon-Sat"}, {"business_days": "Mon-Thu"}),
        operations=(HOURS,),
        rule="five days a week",
    ),
    Sentence(
        says="same_as_everyday is mandatory when the type is custom.",
        code="DEPENDENT_FIELD_MISSING",
        field="same_as_everyday",
        breaks=({"same_as_everyday": None}, {"same_as_everyday": "#CLEAR"}),
        keeps=({"same_as_everyday": True}, {**_OWN, "Monday": "10:00-17:00"}, {**_FIVE, "business_days": "Mon-Fri"}),
        operations=(HOURS,),
        rule="same_as_everyday given",
    ),
    Sentence(
        says="same_as_everyday is true or false.",
        code="INVALID_DATA",
        field="same_as_everyday",
        breaks=({"same_as_everyday": "mostly"},),
        keeps=({"same_as_everyday": "TRUE"}, {"same_as_everyday": 1}),
        operations=(HOURS,),
    ),
    Sentence(
        says="daily_timing is mandatory when same_as_everyday is true.",
        code="DEPENDENT_FIELD_MISSING",
        field="daily_timing",
        breaks=({**_SAME, "daily_timing": None}, {**_SAME, "daily_timing": "#CLEAR"}),
        keeps=(_SAME, {**_OWN, "Monday": "10:00-17:00"}),
        operations=(HOURS,),
        rule="daily timing given",
    ),
    Sentence(
        says="The timing of the days is mandatory when same_as_everyday is false.",
        code="DEPENDENT_FIELD_MISSING",
        field="Monday",
        breaks=(_OWN, {**_OWN, "Saturday": None}),
        keeps=({**_OWN, "Wednesday": "10:00-17:00"}, {**_OWN, "Friday": "closed"}),
        operations=(HOURS,),
        rule="weekday timings given",
    ),
    *(
        Sentence(
            says=f"{name} is a span on the 24-hour clock.",
            code="INVALID_DATA",
            field=name,
            breaks=tuple(
                {**way, name: cell} for cell in ("all day", "10:00", "10:00-25:00", "10:00-12:00; 13:00-14:00")
            ),
            keeps=tuple({**way, name: cell} for cell in ("10:00-17:00", "9 AM - 5 PM")),
            operations=(HOURS,),
        )
        for name, way in (("daily_timing", _SAME), ("Monday", _OWN), ("Sunday", _OWN))
    ),
)

PREFERENCES_SENTENCES = (
    mandatory("job_sheet_enabled", PREFERENCES),
    Sentence(
        says="job_sheet_enabled is true or false.",
        code="INVALID_DATA",
        field="job_sheet_enabled",
        breaks=({"job_sheet_enabled": "perhaps"}, {"job_sheet_enabled": 2}),
        keeps=({"job_sheet_enabled": "true"}, {"job_sheet_enabled": "No"}, {"job_sheet_enabled": False}),
        operations=(PREFERENCES,),
    ),
)

SETTINGS_SENTENCES = (*SCORING_SENTENCES, *HOURS_SENTENCES, *PREFERENCES_SENTENCES)
