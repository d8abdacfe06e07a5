"""Whatever a sheet holds, and however it is written: its cells read as before, and the results stand beside them."""

from __future__ import annotations

import hashlib
import itertools
import tempfile
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from hypothesis import given, settings
from hypothesis import strategies as st
from package_rules import look_over
from workbooks import RESULTS, by_openpyxl, in_sheet

from bulkzcrm.cells import column_letter
from bulkzcrm.ingest import open_source
from bulkzcrm.model import Column, Outcome, Problem, Status
from bulkzcrm.report import ReportRow, report_row
from bulkzcrm.report.annotated import OwnWorkbook, opened
from bulkzcrm.report.xlsx_summary import SheetFacts

WIDTH = 4
TEXTS = st.text(st.sampled_from("aé <>&\"'=_x0041_\t🚗"), min_size=1, max_size=6).filter(lambda text: text.strip())


@st.composite
def cells(draw: st.DrawFn) -> str:
    """A cell's content, as different programs write it; `{}` stands for its attributes."""
    kind = draw(st.sampled_from(["text", "number", "boolean", "error", "formula", "blank", "blank too", "nothing"]))
    text = escape(draw(TEXTS))
    match kind:
        case "text":
            return f'<c{{}} t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
        case "number":
            return f"<c{{}}><v>{draw(st.integers(-9, 10**9))}</v></c>"
        case "boolean":
            return '<c{} t="b"><v>1</v></c>'
        case "error":
            return '<c{} t="e"><v>#N/A</v></c>'
        case "formula":
            return f'<c{{}} t="str"><f>{text}</f><v>{text}</v></c>'
        case "blank":
            return "<c{}/>"
        case "blank too":
            return "<c{}></c>"
        case _:
            return ""


@st.composite
def sheets(draw: st.DrawFn) -> tuple[str, list[int]]:
    """The rows of a sheet as XML, and the numbers of those that hold something beyond the header."""
    rows, numbers = [], []
    number = 0
    styles = st.sampled_from(["", ' s="0"', ' s="1"', " s='2'"])
    for place in range(draw(st.integers(1, 6))):
        number += 1 if place == 0 else draw(st.integers(1, 3))
        content = ""
        for column in range(WIDTH + (0 if place == 0 else draw(st.integers(0, 2)))):
            cell = f'<c{{}} t="inlineStr"><is><t>h{column}</t></is></c>' if place == 0 else draw(cells())
            content += cell.replace("{}", f' r="{column_letter(column)}{number}"{draw(styles)}')
        spans = draw(st.sampled_from(["", ' spans="1:6"', ' ht="20" customHeight="1"']))
        space = draw(st.sampled_from(["", "\n  "]))
        rows.append(f'<row r="{number}"{spans}>{content}</row>{space}')
        if "</c>" in content and place:
            numbers.append(number)
    return "".join(rows), numbers


def outcome_of(number: int, cell: str, wrong: int) -> ReportRow:
    problem = Problem(code="INVALID_DATA", field="f", message="It is <wrong>.", remedy="=Mend it", cell=cell)
    outcome = (
        Outcome(status=Status.INVALID, problems=(problem,))
        if wrong
        else Outcome(status=Status.SUCCEEDED, record_id="5")
    )
    return report_row(number=number, cells=("a",) * WIDTH, outcome=outcome)


def read(path: Path) -> dict[int, tuple[Any, ...]]:
    with open_source(path) as table:
        return {row.number: (*row.cells, *row.surplus) for row in table.rows}


@settings(max_examples=60)
@given(data=st.data(), sheet=sheets())
def test_cells_are_as_they_were_and_each_row_has_its_outcome(data: st.DataObject, sheet: tuple[str, list[int]]):
    rows, _ = sheet
    with tempfile.TemporaryDirectory() as folder:
        path, result = Path(folder) / "a.xlsx", Path(folder) / "b.xlsx"
        by_openpyxl(path, change=_styled)
        in_sheet(path, "<sheetData>.*</sheetData>", f"<sheetData>{rows}</sheetData>".replace("\\", r"\\"))
        before = read(path)
        columns = tuple(Column(place, column_letter(place), f"h{place}") for place in range(WIDTH))
        outcomes = [
            outcome_of(
                number, f"{column_letter(data.draw(st.integers(0, WIDTH - 1)))}{number}", data.draw(st.booleans())
            )
            for number in before
        ]
        own = OwnWorkbook(
            path=path,
            sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
            sheet="Services",
            header_row=1,
            result_columns={},
        )
        with opened(own) as annotation, result.open("wb") as stream:
            annotation.write(stream, columns, outcomes, SheetFacts())
        look_over(result)
        after = read(result)
        assert list(after) == list(before)
        width = len(next(iter(after.values()))) - len(RESULTS) if after else 0
        for outcome, (number, values) in zip(outcomes, after.items(), strict=True):
            assert _shown(values[:width]) == _shown(before[number])
            found = dict(zip(RESULTS, values[width:], strict=True))
            assert (found["result_row"], found["result_status"]) == outcome.result[:2]
            assert (found["result_message"] or "") == outcome.result[5]


def _styled(sheet: Any) -> None:
    sheet["A1"].number_format = "0.000"
    sheet["B1"].number_format = "@"


def _shown(values: tuple[Any, ...]) -> list[Any]:
    """The values up to the last."""
    kept = list(values)
    return list(itertools.dropwhile(lambda value: value is None, reversed(kept)))[::-1]
