"""Has LibreOffice write what `awkward_office` expects; run as a program, it renews the files that are kept here.

openpyxl makes each workbook, without any value of a formula; LibreOffice computes it and saves it in its own way.
"""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from awkward_case import NAMES, STATUS_NAMES, service
from openpyxl import Workbook
from openpyxl.styles import PatternFill
from openpyxl.utils.datetime import CALENDAR_MAC_1904

FILES = Path(__file__).parent / "files"
FORMATS = ("ods", "xls", "xlsx")
DAY = dt.date(2091, 2, 3)


def _services(book: Workbook) -> None:
    one = book.active
    one.title = "Services"
    one.append([*NAMES, "Available From", "Available Till", "Job Sheet Required", "Remark"])
    ranged = service("Ranged", 60, 19.99)
    ranged[4] = "Specific Date Range"
    one.append([*ranged, DAY, dt.datetime(2091, 2, 28), False, dt.datetime(2091, 2, 3, 10, 30)])  # noqa: DTZ001 - no zone
    one.append([*service("By the clock", dt.time(1, 30), 1250), None, None, None, "Grüße, 世界"])
    one.append([*service("By hours", dt.timedelta(hours=2), "1,250.00"), None, None, True, "two\nlines"])
    one.append([*service("Broken", 60, "a lot")])
    one["F2"].number_format = '#,##0.00 "€"'
    one["G2"].number_format = one["H2"].number_format = "dd.mm.yyyy"
    one["J2"].number_format = "dd/mm/yyyy hh:mm"
    one["B3"].number_format = "h:mm"
    one["B4"].number_format = "[h]:mm"


def _calendar(book: Workbook) -> None:
    book.epoch = CALENDAR_MAC_1904
    _services(book)


def _oddities(book: Workbook) -> None:
    one = book.active
    one.title = "Odd"
    one.append([*NAMES, "Job Sheet Required", "Remark"])
    one.append([*service("Error", "=NA()"), None, "=1/0"])
    one.append([*service("Computed", "=30*2", "=9.5*2"), '=""', '="a"&"b"'])
    one.append([*service("Hidden", 5)])
    one.append([*service("Merged")])
    one.append([*service("")])
    one.append([*service("After", '=IF(1,"","")')])
    one.row_dimensions[4].hidden = True
    one.column_dimensions["H"].hidden = True
    one.merge_cells("A5:A6")


def _titles(book: Workbook) -> None:
    book.active.title = "Lists"
    book.active.append(["Client Address"])
    one = book.create_sheet("Services 2091")
    one.append(["Our services"])
    one.append([])
    one.append([None, *NAMES])
    one.append([None, *service("Lower and further right")])
    book.create_sheet("Old").append(["old"])
    book.active.sheet_state = "hidden"
    book.active = 1


def _trailing(book: Workbook) -> None:
    one = book.active
    one.append(NAMES)
    one.append(service("A"))
    one.append(service("B"))
    yellow = PatternFill("solid", start_color="FFFF00")
    for row in one.iter_rows(4, 300, 1, 6):
        for cell in row:
            cell.fill = yellow
    one["F900"].fill = yellow


def _ids(book: Workbook) -> None:
    one = book.active
    one.append(STATUS_NAMES)
    one.append([5545974000000393001, "Available"])
    one.append(["5545974000000393002", "Available"])


SOURCES: dict[str, Callable[[Workbook], None]] = {
    "services": _services,
    "calendar of 1904": _calendar,
    "oddities": _oddities,
    "titles and sheets": _titles,
    "trailing rows": _trailing,
    "numbers as ids": _ids,
}


def office_program() -> str | None:
    """The path of LibreOffice, `None` where there is none."""
    return shutil.which("soffice")


def make(folder: Path, formats: Sequence[str] = FORMATS) -> None:
    """Write every source in every format into a folder."""
    with tempfile.TemporaryDirectory() as name:
        aside = Path(name)
        paths = []
        for stem, fill in SOURCES.items():
            book = Workbook()
            fill(book)
            paths.append(aside / f"{stem}.xlsx")
            book.save(paths[-1])
        for suffix in formats:
            words = [f"-env:UserInstallation={(aside / 'profile').as_uri()}", "--headless", "--convert-to", suffix]
            command = [office_program() or "soffice", *words, "--outdir", str(folder), *map(str, paths)]
            subprocess.run(command, check=True, capture_output=True, timeout=300)  # noqa: S603 - ours


if __name__ == "__main__":
    FILES.mkdir(exist_ok=True)
    make(FILES)
    sys.stdout.write(f"{len(SOURCES) * len(FORMATS)} files are in {FILES}.\n")
