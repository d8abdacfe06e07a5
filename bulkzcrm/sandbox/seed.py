"""The organisation that a new sandbox holds; it keeps the sandbox's own rules on any date.

Organisation: "Bright Home Services", id 5545974000000020005, zgid 60001234567, of type sandbox, edition enterprise,
time zone Asia/Kolkata, currency INR.

Users (ids 5545974000000393001 and on; e-mail addresses at brighthome.example):

====  ===============  ==================  =====================
 ..1  Patricia Boyle   patricia.boyle      the current user
 ..2  Rahul Menon      rahul.menon         active, confirmed
 ..3  Aisha Karim      aisha.karim         active, confirmed
 ..4  Tom Weber        tom.weber           active, confirmed
 ..5  Mei Tanaka       mei.tanaka          active, confirmed
 ..6  Alex Kumar       alex.kumar          active, confirmed
 ..7  Alex Kumar       alex.kumar2         active, confirmed
 ..8  Omar Haddad      omar.haddad         inactive
 ..9  Lena Fischer     lena.fischer        active, unconfirmed
====  ===============  ==================  =====================

Taxes: 5545974000000021001 "Sales Tax - 2.0 %", ..003 "Vat - 0.8 %", ..005 "Service Tax - 5.0 %".
Job sheets: "Standard" and "Extended"; the job-sheet preference is on.
Business hours: id 3652397000001438001, Monday to Saturday, 09:00 to 19:00, week starting on Monday, Asia/Kolkata.
Services: ids 5545974000002183001 to ..012, in the table below. 001 is the create page's sample; 006 is Not in Use, 007
Temporarily Unavailable until the end of 2099, all others Available; 008 and 009 share the name "House Call".
Scoring rules: in the table below; two are named "Hot leads", in different modules.
"""

from __future__ import annotations

from bulkzcrm.sandbox.jsontext import Json

SERVICE_FIELDS_DEFAULT: Json = {
    "Available_From": None,
    "Available_Till": None,
    "Available_Dates": None,
    "Available_Days": None,
    "Available_Timings": None,
    "Tax": [],
    "Job_Sheet_Required": "No",
    "Job_Sheet_Section__s": None,
    "Status": "Available",
    "Unavailable_From": None,
    "Unavailable_Till": None,
    "Description": None,
}

ZGID = "60001234567"
FIRST_NEW_SERVICE_ID = 5545974000002190001
FIRST_NEW_ROW_ID = 5545974000003000001
JOB_SHEETS = ("Standard", "Extended")
MODULES = ("Leads", "Contacts", "Accounts", "Deals")

_SEEDED_AT = "2023-03-29T14:04:15+05:30"
_USER = 5545974000000393000
_SERVICE = 5545974000002183000
_ROW = 5545974000002184000
_TAX = {"sales": ("5545974000000021001", "Sales Tax - 2.0 %"), "vat": ("5545974000000021003", "Vat - 0.8 %")}
_TAX["service"] = ("5545974000000021005", "Service Tax - 5.0 %")

TAXES: dict[str, str] = dict(_TAX.values())

CURRENT_USER: Json = {"name": "Patricia Boyle", "id": f"{_USER + 1}"}

_PEOPLE = (
    ("Patricia Boyle", "patricia.boyle", "active", True),
    ("Rahul Menon", "rahul.menon", "active", True),
    ("Aisha Karim", "aisha.karim", "active", True),
    ("Tom Weber", "tom.weber", "active", True),
    ("Mei Tanaka", "mei.tanaka", "active", True),
    ("Alex Kumar", "alex.kumar", "active", True),
    ("Alex Kumar", "alex.kumar2", "active", True),
    ("Omar Haddad", "omar.haddad", "inactive", True),
    ("Lena Fischer", "lena.fischer", "active", False),
)

# name, location, minutes, members, price in hundredths, what differs from a plain service of every business day
_SERVICES: tuple[tuple[str, str, int, tuple[int, ...], str, Json], ...] = (
    (
        "AC Repair",
        "Client Address",
        60,
        (1,),
        "230.66",
        {
            "Availability_Type": "Specific Day(s)",
            "Available_Days": ["Monday", "Tuesday"],
            "Available_Timings": [{"From": "10:00", "To": "18:30"}],
            "Tax": ["vat"],
            "Job_Sheet_Required": "Yes",
            "Job_Sheet_Section__s": "Standard",
            "Description": "Repair of air conditioners at the client's home.",
        },
    ),
    ("Boiler Service", "Client Address", 90, (2, 3), "120", {"Tax": ["sales", "service"]}),
    (
        "Window Cleaning",
        "Client Address",
        120,
        (4,),
        "75.5",
        {
            "Availability_Type": "Specific Date Range",
            "Available_From": "2024-01-01",
            "Available_Till": "2099-12-31",
            "Available_Timings": [{"From": "09:00", "To": "12:00"}, {"From": "14:00", "To": "18:00"}],
        },
    ),
    (
        "Garden Care",
        "Client Address",
        180,
        (5,),
        "310",
        {"Availability_Type": "Specific Date(s)", "Available_Dates": ["2099-05-04", "2099-05-05", "2099-06-01"]},
    ),
    (
        "Roof Check",
        "Business Address and Client Address",
        45,
        (2, 4, 5),
        "99.99",
        {"Availability_Type": "Specific Day(s)", "Available_Days": ["Wednesday", "Friday"]},
    ),
    (
        "Pest Control",
        "Client Address",
        30,
        (3,),
        "60",
        {"Status": "Not in Use", "Unavailable_From": "2023-06-01T09:00:00+05:30"},
    ),
    (
        "Deep Cleaning",
        "Client Address",
        240,
        (3, 5),
        "450",
        {
            "Status": "Temporarily Unavailable",
            "Unavailable_From": "2023-06-01T09:00:00+05:30",
            "Unavailable_Till": "2099-12-31T18:00:00+05:30",
        },
    ),
    ("House Call", "Client Address", 30, (6,), "40", {}),
    ("House Call", "Business Address and Client Address", 60, (7,), "55", {}),
    ("Carpet Care", "Business Address", 75, (4,), "85.25", {"Tax": ["service"]}),
    (
        "Key Service",
        "Client Address",
        20,
        (2,),
        "35",
        {"Job_Sheet_Required": "Yes", "Job_Sheet_Section__s": "Extended"},
    ),
    ("Painting", "Business Address and Client Address", 480, (1, 2, 4), "1200", {}),
)

_SCORING_RULES = (
    ("4876876000000965528", "Hot leads", "Leads", False),
    ("4876876000000965529", "Web visitors", "Leads", True),
    ("4876876000000965530", "Newsletter", "Leads", True),
    ("4876876000000965531", "Trade fair", "Leads", False),
    ("4876876000000965532", "Renewals", "Contacts", False),
    ("4876876000000965533", "Hot leads", "Contacts", True),
)


def users() -> list[Json]:
    """The users, as GET users shows them."""
    return [
        {
            "id": f"{_USER + number}",
            "full_name": name,
            "first_name": name.split()[0],
            "last_name": name.split()[1],
            "email": f"{mailbox}@brighthome.example",
            "status": status,
            "confirm": confirmed,
            "type__s": "Regular User",
            "zuid": f"{70001000 + number}",
            "role": {"name": "Manager", "id": "5545974000000026005"},
            "profile": {"name": "Administrator" if number == 1 else "Standard", "id": "5545974000000026011"},
        }
        for number, (name, mailbox, status, confirmed) in enumerate(_PEOPLE, start=1)
    ]


def organisation(organisation_id: str, edition: str) -> Json:
    """The organisation, as GET org shows it."""
    return {
        "id": organisation_id,
        "zgid": ZGID,
        "company_name": "Bright Home Services",
        "type": "sandbox",
        "time_zone": "Asia/Kolkata",
        "currency": "Indian Rupee - INR",
        "iso_code": "INR",
        "currency_symbol": "₹",
        "country_code": "IN",
        "primary_email": "patricia.boyle@brighthome.example",
        "domain_name": "brighthome-sandbox",
        "license_details": {
            "paid": edition != "free",
            "paid_type": edition,
            "users_license_purchased": len(_PEOPLE),
            "trial_type": None,
            "trial_expiry": None,
        },
    }


def business_hours() -> Json:
    """The business hours, as stored and read."""
    return {
        "id": "3652397000001438001",
        "type": "custom",
        "week_starts_on": "Monday",
        "business_days": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"],
        "same_as_everyday": True,
        "daily_timing": ["09:00", "19:00"],
        "custom_timing": None,
        "timezone": "Asia/Kolkata",
    }


def preferences() -> Json:
    """The service preferences, as stored and read."""
    return {"job_sheet_enabled": True}


def services() -> list[Json]:
    """The services, as stored (prices as text; the store makes numbers of them)."""
    made: list[Json] = []
    row_id = _ROW
    for number, (name, location, duration, members, price, rest) in enumerate(_SERVICES, start=1):
        rows = []
        for member in members:
            row_id += 1
            rows.append({"id": f"{row_id}", "Members": {"id": f"{_USER + member}"}})
        service: Json = {
            **SERVICE_FIELDS_DEFAULT,
            "id": f"{_SERVICE + number}",
            "Service_Name": name,
            "Duration": duration,
            "Location": location,
            "Members": rows,
            "Availability_Type": "Every Business Days",
            "Price": price,
            **rest,
            "Created_Time": _SEEDED_AT,
            "Modified_Time": _SEEDED_AT,
            "Created_By": CURRENT_USER,
            "Modified_By": CURRENT_USER,
        }
        kinds = rest.get("Tax", [])
        if isinstance(kinds, list):
            service["Tax"] = [{"id": _TAX[kind][0], "value": _TAX[kind][1]} for kind in kinds]
        made.append(service)
    return made


def scoring_rules() -> list[Json]:
    """The scoring rules, as stored and read."""
    return [
        {
            "id": rule_id,
            "name": name,
            "description": None,
            "active": active,
            "module": {"api_name": module, "id": f"{4876876000000002170 + MODULES.index(module)}"},
            "layout": {
                "name": "Standard",
                "api_name": "Standard",
                "id": f"{4876876000000091000 + MODULES.index(module)}",
            },
            "created_time": _SEEDED_AT,
            "modified_time": _SEEDED_AT,
            "created_by": CURRENT_USER,
            "modified_by": CURRENT_USER,
        }
        for rule_id, name, module, active in _SCORING_RULES
    ]
