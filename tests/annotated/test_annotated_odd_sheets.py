"""Sheets as few programs write them: annotated like others, or refused with the reason and written as a plain table."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from desk_of_books import checked
from openpyxl.worksheet.table import Table
from terminal import Terminal
from workbooks import (
    ROWS,
    SUMMARY,
    by_openpyxl,
    by_xlsxwriter,
    coloured,
    comments_of,
    good,
    headers_of,
    in_sheet,
    parts_of,
    results_of,
    rewritten,
)

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
SHEET = "xl/worksheets/sheet1.xml"
EXPECTED = {"B3", "C4", "F5", "B6", "E6"}


def book(terminal: Terminal) -> Path:
    return by_openpyxl(terminal.folder / "book.xlsx")


def whole(terminal: Terminal) -> None:
    """The workbook is annotated as any other."""
    report = checked(terminal, "book.xlsx")
    assert report.is_copy, report.ended.err
    sheet = report.sheet
    assert set(coloured(sheet)) == EXPECTED
    assert set(comments_of(sheet)) == EXPECTED
    assert [values["result_status"] for values in results_of(sheet).values()] == ["valid", *["invalid"] * 4, "valid"]
    assert [sheet.cell(row, 1).value for row in range(2, 8)] == [row[0] for row in ROWS]


def plain(terminal: Terminal, reason: str) -> None:
    """The report is a table of its own, and a note says why."""
    report = checked(terminal, "book.xlsx")
    assert f"results.xlsx is a table of its own, and no copy of book.xlsx. {reason}" in report.ended.err
    assert set(coloured(report.sheet)) >= {"B3", "C4"}


def test_prefixes_of_namespaces(terminal: Terminal):
    def prefixed(text: str) -> str:
        text = re.sub(r"<(/?)([a-zA-Z])", r"<\1x:\2", text)
        return text.replace(f'xmlns="{MAIN}"', f'xmlns:x="{MAIN}"')

    rewritten(book(terminal), {SHEET: prefixed, "xl/styles.xml": prefixed})
    whole(terminal)


def test_rows_and_cells_without_references(terminal: Terminal):
    path = by_openpyxl(terminal.folder / "book.xlsx", rows=[good("A"), good("B", Duration=5000)])
    in_sheet(path, r' r="[A-Z]*[0-9]+"', "")
    report = checked(terminal, "book.xlsx")
    assert report.is_copy
    assert set(coloured(report.sheet)) == {"B3"}
    assert [values["result_row"] for values in results_of(report.sheet).values()] == [2, 3]


def test_quotes_and_white_space_of_another_program(terminal: Terminal):
    in_sheet(book(terminal), r'<c r="([A-Z]+[0-9]+)"', r"<c   r = '\1'\n")
    in_sheet(terminal.folder / "book.xlsx", "</row>", "\n  </row>\r\n  ")
    whole(terminal)


def test_empty_rows_between(terminal: Terminal):
    in_sheet(book(terminal), "</sheetData>", '<row r="20" ht="30" customHeight="1"/><row r="21"></row></sheetData>')
    whole(terminal)
    assert openpyxl.load_workbook(terminal.folder / "out/results.xlsx").worksheets[0].row_dimensions[20].height == 30


def test_hints_about_how_far_a_row_reaches_do_not_lie_afterwards(terminal: Terminal):
    in_sheet(book(terminal), r'<row r="([0-9]+)"', r'<row r="\1" spans="1:7"')
    whole(terminal)


def test_a_sheet_that_does_not_say_how_far_it_reaches(terminal: Terminal):
    in_sheet(book(terminal), "<dimension[^>]*/>", "")
    whole(terminal)


def test_a_sheet_without_a_view(terminal: Terminal):
    in_sheet(book(terminal), "<sheetViews>.*</sheetViews>", "")
    whole(terminal)


def test_an_archive_that_was_written_to_a_pipe(terminal: Terminal):
    """Sizes then stand behind the parts, and not before them."""

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.written = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            self.written += bytes(data)
            return len(bytes(data))

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts_of(book(terminal)).items():
            archive.writestr(name, content)
    (terminal.folder / "book.xlsx").write_bytes(pipe.written)
    with zipfile.ZipFile(terminal.folder / "book.xlsx") as archive:
        assert all(each.flag_bits & 8 for each in archive.infolist())
    whole(terminal)


def test_days_that_are_counted_from_1904(terminal: Terminal):
    path = book(terminal)
    rewritten(path, {"xl/workbook.xml": lambda text: text.replace("<workbookPr ", '<workbookPr date1904="1" ')})
    whole(terminal)
    assert 'date1904="1"' in parts_of(terminal.folder / "out/results.xlsx")["xl/workbook.xml"].decode()


def test_elements_before_and_behind_the_rows_keep_their_order(terminal: Terminal):
    by_xlsxwriter(terminal.folder / "book.xlsx")
    in_sheet(
        terminal.folder / "book.xlsx",
        "</sheetData>",
        '</sheetData><sheetProtection sheet="1"/>'
        '<protectedRanges><protectedRange sqref="A1" name="a"/></protectedRanges>',
    )
    assert checked(terminal, "book.xlsx").is_copy


BEHIND = {
    "sheetCalcPr": '<sheetCalcPr fullCalcOnLoad="1"/>',
    "sheetProtection": '<sheetProtection sheet="1"/>',
    "protectedRanges": '<protectedRanges><protectedRange sqref="A1" name="a"/></protectedRanges>',
    "scenarios": '<scenarios><scenario name="a"><inputCells r="A2" val="1"/></scenario></scenarios>',
    "autoFilter": '<autoFilter ref="A1:G7"><filterColumn colId="0"><filters><filter val="x"/></filters></filterColumn>'
    "</autoFilter>",
    "sortState": '<sortState ref="A2:G7"><sortCondition ref="A2:A7"/></sortState>',
    "dataConsolidate": "<dataConsolidate/>",
    "customSheetViews": '<customSheetViews><customSheetView guid="{00000000-0000-0000-0000-000000000001}"/>'
    "</customSheetViews>",
    "mergeCells": '<mergeCells count="1"><mergeCell ref="A30:B30"/></mergeCells>',
    "phoneticPr": '<phoneticPr fontId="0"/>',
    "conditionalFormatting": '<conditionalFormatting sqref="A2"><cfRule type="duplicateValues" priority="1"/>'
    "</conditionalFormatting>",
    "dataValidations": '<dataValidations count="1"><dataValidation sqref="A2"/></dataValidations>',
    "hyperlinks": '<hyperlinks><hyperlink ref="A2" location="A1"/></hyperlinks>',
    "printOptions": '<printOptions headings="1"/>',
    "pageMargins": '<pageMargins left="1" right="1" top="1" bottom="1" header="0" footer="0"/>',
    "pageSetup": '<pageSetup orientation="landscape"/>',
    "headerFooter": "<headerFooter><oddHeader>x</oddHeader></headerFooter>",
    "rowBreaks": '<rowBreaks count="1"><brk id="3"/></rowBreaks>',
    "colBreaks": '<colBreaks count="1"><brk id="3"/></colBreaks>',
    "cellWatches": '<cellWatches><cellWatch r="A1"/></cellWatches>',
    "ignoredErrors": '<ignoredErrors><ignoredError sqref="A1" numberStoredAsText="1"/></ignoredErrors>',
    "extLst": '<extLst><ext uri="{0}"/></extLst>',
}
"""Elements that may follow the rows, in the order of the format."""


@pytest.mark.parametrize("names", [*([name] for name in BEHIND), list(BEHIND), list(BEHIND)[::2], list(BEHIND)[1::2]])
def test_what_is_added_stands_where_the_format_wants_it(terminal: Terminal, names: list[str]):
    text = "".join(BEHIND[name] for name in names)
    in_sheet(book(terminal), "</sheetData>.*", f"</sheetData>{text}</worksheet>")
    report = checked(terminal, "book.xlsx")
    assert report.is_copy
    after = parts_of(report.path)[SHEET].decode()
    for name in set(names) - {"autoFilter"}:
        assert BEHIND[name] in after


def test_a_filter_s_name_that_is_left_over_is_used_again(terminal: Terminal):
    name = '<definedName name="_xlnm._FilterDatabase" localSheetId="0" hidden="1">Services!$A$1:$B$2</definedName>'
    whole_list = f"<definedNames>{name}</definedNames>"
    rewritten(book(terminal), {"xl/workbook.xml": lambda text: text.replace("<definedNames />", whole_list)})
    whole(terminal)
    assert parts_of(terminal.folder / "out/results.xlsx")["xl/workbook.xml"].count(b"_FilterDatabase") == 1


def test_the_boxes_of_others_comments_under_names_of_their_own(terminal: Terminal):
    """As openpyxl writes them where lxml is missing."""

    def change(sheet):
        from openpyxl.comments import Comment

        sheet["A1"].comment = Comment("hers", "somebody")

    by_openpyxl(terminal.folder / "book.xlsx", change=change)
    report = checked(terminal, "book.xlsx")
    assert report.is_copy
    assert set(comments_of(report.sheet)) == EXPECTED | {"A1"}


@pytest.mark.parametrize("new", ["<!-- a comment -->", "<?a word?>"])
def test_a_comment_among_the_rows_is_refused(terminal: Terminal, new: str):
    in_sheet(book(terminal), "</row>", f"</row>{new}")
    plain(terminal, "Its sheet is written in a way that cannot be edited.")


def test_another_encoding_is_refused(terminal: Terminal):
    text = parts_of(book(terminal))[SHEET].decode()
    text = text if text.startswith("<?xml") else f"<?xml version='1.0'?>{text}"
    rewritten(terminal.folder / "book.xlsx", {SHEET: re.sub(r"<\?xml[^>]*>", "", text).encode("utf-16")})
    plain(terminal, "Its sheet is written in a way that cannot be edited.")


def test_the_strict_form_of_the_format_is_refused(terminal: Terminal):
    strict = "http://purl.oclc.org/ooxml/spreadsheetml/main"
    change = {name: lambda text: text.replace(MAIN, strict) for name in (SHEET, "xl/workbook.xml", "xl/styles.xml")}
    rewritten(book(terminal), change)
    plain(terminal, "It is written in a rare form of the format.")


def test_a_signed_workbook_is_refused(terminal: Terminal):
    kind = "http://schemas.openxmlformats.org/package/2006/relationships/digital-signature/origin"
    relation = f'<Relationship Id="rIdS" Type="{kind}" Target="_xmlsignatures/origin.sigs"/></Relationships>'
    path = rewritten(book(terminal), {"_rels/.rels": lambda text: text.replace("</Relationships>", relation)})
    rewritten(path, {"_xmlsignatures/origin.sigs": b""})
    plain(terminal, "It is signed, and a change would break the signature.")


def test_a_workbook_that_has_changed_meanwhile_is_not_taken_for_the_one_that_was_read(terminal: Terminal):
    book(terminal)
    run = terminal.type("run", "create-services", "book.xlsx", "--sandbox", "--json").object["run"]
    in_sheet(terminal.folder / "book.xlsx", "Wash|</row>", "</row>")
    ending = terminal.type("report", run, "--format", "xlsx", "-o", "again")
    assert "no copy of book.xlsx. It has changed since it was read." in ending.err
    (terminal.folder / "book.xlsx").unlink()
    ending = terminal.type("report", run, "--format", "xlsx", "-o", "once more")
    assert "no copy of book.xlsx. It is no longer there" in ending.err


def test_a_report_that_is_written_again_is_a_copy_as_well(terminal: Terminal):
    book(terminal)
    run = terminal.type("run", "create-services", "book.xlsx", "--sandbox", "--json").object["run"]
    assert terminal.type("report", run, "--format", "xlsx", "-o", "again").status == 0
    sheet = openpyxl.load_workbook(terminal.folder / "again/results.xlsx").worksheets[0]
    assert set(coloured(sheet)) == EXPECTED


def test_a_workbook_on_standard_input_leaves_nothing_to_be_copied(terminal: Terminal):
    path = book(terminal)
    words = ("check", "create-services", "-", "--format", "xlsx", "-o", "out")
    ending = terminal.type(*words, stdin=path.read_bytes())
    assert "results.xlsx is a table of its own, and no copy of the workbook that was read." in ending.err
    assert headers_of(openpyxl.load_workbook(terminal.folder / "out/results.xlsx").worksheets[0])["result_row"] == 8


def test_the_rows_of_a_retry_are_a_table_of_their_own(connected: Terminal):
    rows = [good("A"), good("B", Members="nobody@brighthome.example")]
    by_openpyxl(connected.folder / "book.xlsx", rows=rows)
    connected.type("run", "create-services", "book.xlsx", "--yes", "--format", "xlsx")
    ending = connected.type("retry", "--yes", "--format", "xlsx", "-o", "again")
    assert "The rows of a retry come from the journal." in ending.err


def test_a_source_that_has_the_summary_s_name_is_not_overwritten(terminal: Terminal):
    by_openpyxl(terminal.folder / "book.xlsx", change=lambda sheet: setattr(sheet, "title", SUMMARY))
    plain(terminal, "The sheet that was read has the name of the summary.")


def test_a_table_that_has_a_column_of_such_a_name_is_left_as_it_is(terminal: Terminal):
    """Excel does not open a table in which two columns are called the same, whatever their case."""

    def change(sheet):
        for row in range(1, 8):
            sheet.cell(row, 8).value = "Result_Code" if row == 1 else "mine"
        sheet.add_table(Table(displayName="Mine", ref="A1:H7"))

    by_openpyxl(terminal.folder / "book.xlsx", change=change)
    report = checked(terminal, "book.xlsx")
    assert report.is_copy
    assert report.sheet.tables["Mine"].ref == "A1:H7"
    assert report.sheet["I1"].value == "result_row"


def test_a_report_that_is_wider_than_a_workbook_s_sheet_has_its_other_files(terminal: Terminal):
    by_openpyxl(terminal.folder / "book.xlsx", change=lambda sheet: sheet.cell(1, 16_384, "far"))
    ended = terminal.type("run", "create-services", "book.xlsx", "--sandbox", "--format", "xlsx", "-o", "out", "--json")
    assert (ended.status, ended.object["state"]) == (1, "finished")
    assert "results_xlsx" not in ended.object["files"]
    assert Path(ended.object["files"]["results"]).is_file()
    assert (
        "Warning: results.xlsx is not written. The report has 16,394 columns, and a workbook's sheet ends at 16,384. "
        "Ask for csv or jsonl instead of xlsx; they hold any number of columns."
    ) in ended.err
