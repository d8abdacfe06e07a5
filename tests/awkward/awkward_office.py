"""What must come of the files that LibreOffice and SheetJS have written; `files/README.md` says how they were made."""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

from awkward_case import Awkward
from office_made import FILES, FORMATS

from bulkzcrm.library import RunOptions

OFFICE = "LibreOffice"
SHEETJS = "SheetJS"
STATUS = "set-service-status"


def kept(file: str, **expected: object) -> Awkward:
    """A case of a file that is kept here."""
    return Awkward(file=file, write=partial(shutil.copyfile, FILES / file), **expected)  # type: ignore[arg-type]


def _alike(stem: str, **expected: object) -> list[Awkward]:
    return [kept(f"{stem}.{suffix}", by=OFFICE, **expected) for suffix in FORMATS]


_SERVICES = {
    "rows": 4,
    "codes": {"": "DEPENDENT_FIELD_MISSING", "F5": "INVALID_DATA"},
    "shows": {
        "B2": "60",
        "F2": "19.99",
        "G2": "2091-02-03",
        "H2": "2091-02-28",
        "J2": "2091-02-03 10:30",
        "B3": "01:30",
        "J3": "Grüße, 世界",
        "B4": "2:00",
        "J4": "two\nlines",
    },
    "untold": ["hidden", "merged", "sheets"],
}

OFFICE_CASES = [
    *_alike("services", **_SERVICES),
    *_alike("calendar of 1904", **_SERVICES),
    *_alike(
        "oddities",
        rows=6,
        codes={"B2": "CELL_ERROR", "B4": "INVALID_DATA", "A6": "MANDATORY_NOT_FOUND", "B7": "MANDATORY_NOT_FOUND"},
        shows={"B2": "#N/A", "H2": "#DIV/0!", "B3": "60", "F3": "19", "G3": "", "H3": "ab", "B7": ""},
        told=["rows and columns", "hidden", "merged"],
    ),
    *_alike("titles and sheets", refused=["--header-row 3"]),
    *_alike("trailing rows", rows=2),
    *_alike(
        "numbers as ids",
        operation=STATUS,
        rows=2,
        codes={"A2": "ID_PRECISION_LOST"},
        shows={"A3": "5545974000000393002"},
    ),
]

_TITLED = [
    replace(
        case,
        refused=(),
        options=RunOptions(header_row=3),
        rows=1,
        shows={"B4": "Lower and further right"},
        told=["several sheets", "'Old'"],
        untold=["Lists"],
    )
    for case in OFFICE_CASES
    if case.refused
]
_BY_NAME = [
    replace(case, options=RunOptions(sheet="lists"), refused=["Client Address"])
    for case in OFFICE_CASES
    if case.refused
]

_TYPED = {"G2": "2091-02-02", "J2": "2091-02-02 10:30", "I3": "TRUE", "J3": "Grüße", "J4": "#N/A"}
_BY_SHEETJS = {
    "by": SHEETJS,
    "rows": 3,
    "codes": {"": "DEPENDENT_FIELD_MISSING", "F4": "INVALID_DATA"},
}
SHEETJS_CASES = [
    kept("services by SheetJS.xlsb", **_BY_SHEETJS, shows=_TYPED),
    kept("services by SheetJS.xls", **_BY_SHEETJS, shows=_TYPED),
    kept("services by SheetJS, Excel 95.xls", **_BY_SHEETJS, shows={"G2": "2091-02-02", "J4": "#N/A"}),
    kept(
        "services by SheetJS, Excel 2.xls",
        by=SHEETJS,
        rows=3,
        codes={"G2": "INVALID_DATA", "": "DEPENDENT_FIELD_MISSING", "F4": "INVALID_DATA"},
        shows={"I3": "TRUE", "J4": "#N/A"},
    ),
    *(
        kept(
            f"oddities by SheetJS.{suffix}",
            by=SHEETJS,
            rows=5,
            codes={"B2": "CELL_ERROR", "B3": "INVALID_DATA", "A5": "MANDATORY_NOT_FOUND"},
            shows={"B2": "#REF!", "F6": "20"},
            told=["hidden", "merged"],
            untold=["several sheets"],
        )
        for suffix in ("xls", "xlsb")
    ),
    *(
        kept(
            f"numbers as ids by SheetJS.{suffix}",
            by=SHEETJS,
            operation=STATUS,
            rows=2,
            codes={"A2": "ID_PRECISION_LOST"},
            shows={"A3": "5545974000000393002"},
        )
        for suffix in ("fods", "ods", "xls", "xlsb", "xlsx")
    ),
]

AGAIN = [*_TITLED, *_BY_NAME]
"""Files that are read in more than one way."""


def placed(folder: Path, case: Awkward) -> Awkward:
    """The case of the file of that name in another folder."""
    return replace(case, write=partial(shutil.copyfile, folder / case.file))
