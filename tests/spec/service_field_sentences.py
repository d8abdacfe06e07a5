"""What the pages on services say of one key alone: whether it must be there, its form, its length and range."""

from __future__ import annotations

from datetime import date, datetime, time

from judged_rows import AISHA, ALEX, CREW, NOWHERE, PLAIN, RAHUL, at, day
from rule_sentences import CREATE, STATUS, UPDATE, Sentence, mandatory

_DAYS = {"Availability_Type": "Specific Day(s)"}
_DATES = {"Availability_Type": "Specific Date(s)"}
_RANGE = {"Availability_Type": "Specific Date Range"}
_AWAY = {"Status": "Temporarily Unavailable"}
_WORKDAYS = [f"2040-04-{number:02}" for number in range(2, 29) if date(2040, 4, number).weekday() != 6]

SERVICE_FIELD_SENTENCES = (
    mandatory("Service_Name", CREATE),
    mandatory("Duration", CREATE),
    mandatory("Location", CREATE),
    mandatory("Members", CREATE),
    mandatory("Availability_Type", CREATE),
    mandatory("Price", CREATE),
    mandatory("Status", STATUS),
    *(
        Sentence(
            says=f"{name} cannot be taken away from a service; an update that does not mention it leaves it alone.",
            code="MANDATORY_NOT_FOUND",
            field=name,
            breaks=({name: "#CLEAR"},),
            keeps=({name: None},),
            operations=(UPDATE,),
        )
        for name in ("Service_Name", "Duration", "Location", "Members", "Availability_Type", "Price")
    ),
    Sentence(
        says="An update names its service.",
        code="MANDATORY_NOT_FOUND",
        field="id",
        breaks=({"id": None}, {"id": "#CLEAR"}, {"id": "#CLEAR", "Service_Name": "AC repair"}),
        keeps=({"id": PLAIN}, {"id": None, "Service_Name": "AC  repair"}),
        operations=(UPDATE, STATUS),
    ),
    Sentence(
        says="An id is a string of digits.",
        code="INVALID_DATA",
        field="id",
        breaks=({"id": "AC Repair"}, {"id": "123"}, {"id": f"{PLAIN}x"}),
        keeps=({"id": PLAIN}, {"id": f"'{PLAIN}"}, {"id": f'="{PLAIN}"'}, {"id": f" {PLAIN} "}, {"id": int(PLAIN)}),
        operations=(UPDATE, STATUS),
    ),
    Sentence(
        says="An id has all its digits.",
        code="ID_PRECISION_LOST",
        field="id",
        breaks=({"id": "5.54597E+18"}, {"id": float(PLAIN)}),
        keeps=({"id": PLAIN},),
        operations=(UPDATE, STATUS),
    ),
    Sentence(
        says="The service with the id exists.",
        code="INVALID_DATA",
        field="id",
        breaks=({"id": NOWHERE},),
        keeps=({"id": PLAIN},),
        operations=(UPDATE, STATUS),
        needs_reading=True,
    ),
    Sentence(
        says="A service that is named exists.",
        code="NAME_NOT_FOUND",
        field="Service_Name",
        breaks=({"id": None, "Service_Name": "AC Repairs"},),
        keeps=({"id": None, "Service_Name": "ac repair"},),
        operations=(UPDATE, STATUS),
        needs_reading=True,
    ),
    Sentence(
        says="A name means one service.",
        code="NAME_AMBIGUOUS",
        field="Service_Name",
        breaks=({"id": None, "Service_Name": "House Call"},),
        keeps=({"id": None, "Service_Name": "Deep Cleaning", "Status": "Available"},),
        operations=(UPDATE, STATUS),
        needs_reading=True,
    ),
    Sentence(
        says="An id and a name in one row mean the same service, where the name is no new one.",
        code="DEPENDENT_MISMATCH",
        field="Service_Name",
        breaks=({"Service_Name": "House Call"},),
        keeps=({"Service_Name": "AC Repair"}, {"Service_Name": "ac  repair"}),
        operations=(STATUS,),
        needs_reading=True,
    ),
    Sentence(
        says="Service_Name has at most 120 characters.",
        code="INVALID_DATA",
        field="Service_Name",
        breaks=({"Service_Name": "é" * 121},),
        keeps=({"Service_Name": "é" * 120}, {"Service_Name": f"  {'n' * 120}  "}, {"Service_Name": "!"}),
    ),
    Sentence(
        says="Duration is a whole number of minutes from 15 to 1,440.",
        code="INVALID_DATA",
        field="Duration",
        breaks=(
            *({"Duration": cell} for cell in ("14", "1441", 14, 1441, "0:14", "24h 1m", "0", "9" * 30)),
            *({"Duration": cell} for cell in ("-60", "60.5", "an hour", 60.5, "1:30:15")),
        ),
        keeps=tuple({"Duration": cell} for cell in ("15", "1440", 15, 1440.0, "60.0", "1h 30m", "24:00", time(1, 30))),
    ),
    Sentence(
        says="Location is one of three.",
        code="INVALID_DATA",
        field="Location",
        breaks=({"Location": "Anywhere"}, {"Location": "Client Address; Business Address"}),
        keeps=(
            {"Location": "Client Address"},
            {"Location": "business address"},
            {"Location": "Business Address and  Client Address"},
        ),
    ),
    Sentence(
        says="A service has at most 100 members.",
        code="INVALID_DATA",
        field="Members",
        breaks=({"Members": ";".join(CREW[:101])},),
        keeps=({"Members": ";".join(CREW[:100])}, {"Members": ";".join([*CREW[:100], CREW[0]])}),
    ),
    Sentence(
        says="Members are users of the organisation, by id, e-mail address or name.",
        code="NAME_NOT_FOUND",
        field="Members",
        breaks=({"Members": "Rahul Menonn"}, {"Members": f"{RAHUL}; nobody@example.com"}),
        keeps=({"Members": RAHUL}, {"Members": "RAHUL@example.com; Aisha Karim"}),
        needs_reading=True,
    ),
    Sentence(
        says="A name among the members means one user.",
        code="NAME_AMBIGUOUS",
        field="Members",
        breaks=({"Members": "Alex Kumar"},),
        keeps=({"Members": "alex2@example.com"}, {"Members": ALEX}),
        needs_reading=True,
    ),
    Sentence(
        says="Ids of members have all their digits.",
        code="ID_PRECISION_LOST",
        field="Members",
        breaks=({"Members": "5.54597E+18"}, {"Members": float(RAHUL)}),
        keeps=({"Members": int(RAHUL)}, {"Members": f"{RAHUL}, {AISHA}"}),
    ),
    Sentence(
        says="Availability_Type is one of four.",
        code="INVALID_DATA",
        field="Availability_Type",
        breaks=({"Availability_Type": "Weekends"},),
        keeps=(
            {"Availability_Type": "every business days"},
            {"Availability_Type": "Specific Days", "Available_Days": "Mon"},
            {"Availability_Type": "Specific Date(s)", "Available_Dates": day(1)},
            {**_RANGE, "Available_From": day(0), "Available_Till": day(1)},
        ),
    ),
    *(
        Sentence(
            says=f"{name} is a date.",
            code="INVALID_DATA",
            field=name,
            breaks=tuple({**_RANGE, **other, name: cell} for cell in ("soon", "2040-02-30", "2040-13-01", "31.4.2040")),
            keeps=tuple(
                {**_RANGE, **other, name: cell}
                for cell in ("2040-04-10", "10 April 2040", date(2040, 4, 10), datetime(2040, 4, 10))  # noqa: DTZ001 - as a workbook holds it
            ),
        )
        for name, other in (
            ("Available_From", {"Available_Till": "2041-01-01"}),
            ("Available_Till", {"Available_From": "2040-04-01"}),
        )
    ),
    Sentence(
        says="Available_Dates are dates.",
        code="INVALID_DATA",
        field="Available_Dates",
        breaks=({**_DATES, "Available_Dates": "tomorrow"}, {**_DATES, "Available_Dates": "2040-04-10; 2040-04-31"}),
        keeps=({**_DATES, "Available_Dates": "2040-04-10; April 11, 2040"},),
    ),
    Sentence(
        says="A service has at most 20 dates.",
        code="INVALID_DATA",
        field="Available_Dates",
        breaks=({**_DATES, "Available_Dates": ";".join(_WORKDAYS[:21])},),
        keeps=(
            {**_DATES, "Available_Dates": ";".join(_WORKDAYS[:20])},
            {**_DATES, "Available_Dates": ";".join([*_WORKDAYS[:20], _WORKDAYS[3]])},
        ),
    ),
    Sentence(
        says="Available_Days are days of the week.",
        code="INVALID_DATA",
        field="Available_Days",
        breaks=({**_DAYS, "Available_Days": "Mon; Someday"}, {**_DAYS, "Available_Days": "8"}),
        keeps=({**_DAYS, "Available_Days": "Mon-Fri"}, {**_DAYS, "Available_Days": "tuesday, Sat."}),
    ),
    Sentence(
        says="Price is an amount with up to 16 digits before the point and 2 behind it, and not negative.",
        code="INVALID_DATA",
        field="Price",
        breaks=tuple(
            {"Price": cell} for cell in ("12345678901234567", "1e3", "230.665", "-1", "(5.00)", "free", "1.2.3")
        ),
        keeps=tuple(
            {"Price": cell} for cell in ("1234567890123456.99", "0", "0.01", "00230.660", "₹ 12,34,567.50", 230.66, 7)
        ),
    ),
    Sentence(
        says="Timings are given on the 24-hour clock, from and to.",
        code="INVALID_DATA",
        field="Available_Timings",
        breaks=tuple({"Available_Timings": cell} for cell in ("10:00", "10:00-25:00", "10:60-12:00", "mornings")),
        keeps=({"Available_Timings": "10:00-13:30"}, {"Available_Timings": "2:30 PM to 5 PM"}),
    ),
    Sentence(
        says="A service has at most two timings.",
        code="INVALID_DATA",
        field="Available_Timings",
        breaks=({"Available_Timings": "10:00-12:00; 13:00-14:00; 15:00-16:00"},),
        keeps=({"Available_Timings": "10:00-13:30\n15:00-18:00"},),
    ),
    Sentence(
        says="Taxes are those that the Services module lists, by id or value.",
        code="NAME_NOT_FOUND",
        field="Tax",
        breaks=({"Tax": "Luxury Tax - 9 %"}, {"Tax": "Vat - 0.8 %; 5545974000000021999"}),
        keeps=({"Tax": "vat - 0.8 %"}, {"Tax": "5545974000000021001; Vat - 0.8 %"}),
        needs_reading=True,
    ),
    Sentence(
        says="Job_Sheet_Required is Yes or No.",
        code="INVALID_DATA",
        field="Job_Sheet_Required",
        breaks=({"Job_Sheet_Required": "maybe"},),
        keeps=(
            {"Job_Sheet_Required": "no"},
            {"Job_Sheet_Required": False},
            {"Job_Sheet_Required": True, "Job_Sheet_Section__s": "Standard"},
        ),
    ),
    Sentence(
        says="A job sheet is one that the Services module lists.",
        code="NAME_NOT_FOUND",
        field="Job_Sheet_Section__s",
        breaks=({"Job_Sheet_Required": "Yes", "Job_Sheet_Section__s": "Standart"},),
        keeps=({"Job_Sheet_Required": "Yes", "Job_Sheet_Section__s": "standard"},),
        needs_reading=True,
    ),
    *(
        Sentence(
            says=f"{name} is a date with a time.",
            code="INVALID_DATA",
            field=name,
            breaks=tuple({**_AWAY, **other, name: cell} for cell in ("later", "2040-02-30T10:00", "10:00", 12)),
            keeps=tuple({**_AWAY, **other, name: cell} for cell in (good, good.replace("T", " "))),
            operations=(CREATE, UPDATE, STATUS),
        )
        for name, good, other in (
            ("Unavailable_From", at(days=-1), {"Unavailable_Till": at(days=1)}),
            ("Unavailable_Till", at(days=1), {"Unavailable_From": at(days=-1)}),
        )
    ),
    Sentence(
        says="Description has at most 32,000 characters.",
        code="INVALID_DATA",
        field="Description",
        breaks=({"Description": "d" * 32001},),
        keeps=({"Description": "d" * 32000}, {"Description": "Two\nlines"}),
    ),
)
