"""How somebody corrects the `failed.csv` of each sample with mistakes: the cells to write, by the row of the source."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

Corrections: TypeAlias = Mapping[int, Mapping[str, str]]

MENDED: Mapping[str, Corrections] = {
    "services-with-mistakes.csv": {
        3: {"Service Name": "Blind Cleaning"},
        4: {"Duration": "20"},
        5: {"Location": "Client Address"},
        6: {"Members": "Tom Weber"},
        7: {"Members": "alex.kumar2@brighthome.example"},
        8: {"Members": "Tom Weber"},
        9: {"Members": "5545974000000393005"},
        10: {"Available Days": "Sat"},
        11: {"Available Till": "15/11/2099"},
        12: {"Available Dates": "15/06/2099; 16/06/2099"},
        13: {"Available Days": "Mon; Wed"},
        14: {"Price": "350"},
        15: {"Available Timings": "09:00-11:30"},
        16: {"Available Timings": "10:00-12:00"},
        17: {"Tax": "Sales Tax - 2.0 %"},
        18: {"Job Sheet Section": "Standard"},
        19: {"Job Sheet Required": "Yes"},
        20: {"Unavailable From": "25/03/2023 10:00"},
        21: {"Unavailable Till": "2099-06-05 18:00"},
        22: {"Status": "Available"},
        23: {"Price": "1,150.00"},
        25: {},  # the cell too many is not in the file any more
        26: {"Duration": "120", "Location": "Client Address", "Members": "Tom Weber"},
    },
    "services-with-mistakes.xlsx": {
        3: {"Members": "5545974000000393005"},
        4: {"Price": "1150"},
        5: {"Price": "900"},
        6: {"Duration": "38"},
        7: {"Available Till": "2099-11-15"},
        8: {"Unavailable From": "now"},
        9: {"Price": "800"},
    },
    "update-services-with-mistakes.csv": {
        3: {"Record Id": "5545974000002183004"},
        4: {"Record Id": "5545974000002183006"},
        5: {"Record Id": "5545974000002183007"},
        6: {"Record Id": "5545974000002183009", "Service Name": ""},
        7: {"Service Name": "Carpet Care"},
        8: {"Duration": "90 minutes"},
        9: {"Service Name": "Window Washing"},
        10: {"Available Days": "Sat"},
        11: {"Members": "Tom Weber", "Record Id": "5545974000002183008"},
        12: {"Job Sheet Section": ""},
        13: {"Price": "12.35"},
        15: {"Service Name": "AC Repair"},
    },
    "update-services-with-mistakes.xlsx": {
        3: {"Record Id": "5545974000002183002"},
        4: {"Service Name": "Carpet Care", "Price": "85"},
        5: {"Record Id": "5545974000002183011", "Price": "99"},
    },
    "service-status-with-mistakes.csv": {
        3: {"Service Name": "AC Repair"},
        4: {"Unavailable From": "now"},
        5: {"Unavailable Till": "20/03/2098 18:00"},
        6: {"Unavailable Till": "20/03/2098 18:00"},
        7: {"Unavailable From": "15/03/2023 08:30"},
        8: {"Record Id": "5545974000002183009"},
        9: {"Status": "Available"},
        10: {"Status": "Not in Use"},
    },
    "scoring-rules-with-mistakes.csv": {
        3: {"Module": "Contacts"},
        4: {"Rule Name": "Hot leads"},
        5: {"Rule Id": "4876876000000965530"},
        6: {"Rule Id": "4876876000000965529"},
        7: {"Status": "active"},
        8: {"Status": "inactive"},
    },
    "business-hours-with-mistakes.csv": {2: {"daily_timing": "09:00-18:30"}},
    "service-preferences-with-mistakes.csv": {2: {"Job Sheet Enabled": "no"}},
}


def mend(failed: Path, corrections: Corrections) -> None:
    """Write the corrections into a `failed.csv`, as an editor would; every row of it must have one."""
    with failed.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        rows = [{**row, **corrections[int(row["result_row"])]} for row in reader]
        columns = list(reader.fieldnames or ())
    with failed.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
