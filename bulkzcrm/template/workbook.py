"""The template as a workbook: headers that the tool knows, cells that Excel leaves alone, and help where it is needed.

The sheet to fill in comes first, since that is the one that is read. Ids and everything that Excel would turn into
something else are formatted as text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import BinaryIO, Final

from openpyxl import Workbook
from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from bulkzcrm.spec.describe import field_format, limits_of
from bulkzcrm.spec.fields import Field, Kind
from bulkzcrm.spec.operation import Operation
from bulkzcrm.template.listed import Lists

__all__ = ["write_template"]

_HELP: Final = "How to fill this in"
_LISTS: Final = "Lists"
_LAST_ROW: Final = 1_048_576
_TEXT: Final = "@"
_FORMATS: Final[Mapping[Kind, str]] = {
    Kind.MINUTES: "General",
    Kind.MONEY: "0.00",
    Kind.DATE: "yyyy-mm-dd",
    Kind.DATETIME: "yyyy-mm-dd hh:mm",
}
"""All others are texts: an id would lose digits, `10-12` would become a date, and `1/2` as well."""

_ESCAPED: Final = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
"""What would be no XML, and what would be taken for an escape."""

_MANDATORY = PatternFill("solid", fgColor="1F3864")
_OPTIONAL = PatternFill("solid", fgColor="7F8FA9")
_WHITE = Font(name="Calibri", size=11, color="FFFFFF", bold=True)
_GREY = Font(name="Calibri", size=11, color="808080", italic=True)
_PLAIN = Font(name="Calibri", size=11)
_BOLD = Font(name="Calibri", size=11, bold=True)
_TITLE = Font(name="Calibri", size=15, bold=True)
_TOP = Alignment(horizontal="left", vertical="top", wrap_text=True)
_HEAD = Alignment(vertical="center", wrap_text=True)

_WIDTHS: Final[Mapping[Kind, int]] = {Kind.ID: 24, Kind.TEXT: 30, Kind.MEMBERS: 38, Kind.DATES: 30, Kind.TIMINGS: 26}
_HELP_WIDTHS: Final = {"A": 26, "B": 10, "C": 50, "D": 60, "E": 36}
_LONGEST_PROMPT: Final = 255
_POINTS_A_LINE: Final = 16


def write_template(
    stream: BinaryIO,
    operation: Operation,
    lists: Lists,
    example: Mapping[str, str | int | Decimal],
    *,
    source: str,
    as_row: bool = True,
) -> None:
    """Write the workbook. `source` says where the lists come from, for whoever fills it in.

    The help shows the example in any case; as a row only where it would do no harm if it was forgotten there.
    """
    workbook = Workbook()
    sheet = workbook.active
    if not isinstance(sheet, Worksheet):  # a new workbook has one
        raise TypeError
    sheet.title = operation.name
    helped = workbook.create_sheet(_HELP)
    listed = workbook.create_sheet(_LISTS)
    listed.sheet_state = "hidden"
    ranges = _write_lists(listed, lists)
    for place, each in enumerate(operation.fields, start=1):
        _write_column(sheet, place, each, operation)
        cell = sheet.cell(2, place)
        _put(cell, example.get(each.name) if as_row else None)
        cell.number_format, cell.font = _format(each), _GREY if as_row else _PLAIN
        _add_choice(sheet, get_column_letter(place), each, ranges.get(each.name), is_open=each.name in lists.open)
    sheet.freeze_panes = "A2"
    for printed in (sheet, helped):
        _fit_for_print(printed)
    sheet.row_dimensions[1].height = 2.2 * _POINTS_A_LINE
    _write_help(helped, operation, example, source, as_row=as_row)
    workbook.save(stream)


def _put(cell: Cell | MergedCell, value: str | int | Decimal | None) -> None:
    """Fill a cell; a text stays one, whatever it begins with, and what XML cannot hold is escaped as Excel does it."""
    if isinstance(value, str):
        cell.value, cell.data_type = _ESCAPED.sub(lambda found: f"_x{ord(found[0][0]):04X}_{found[0][1:]}", value), "s"
    else:
        cell.value = value


def _fit_for_print(sheet: Worksheet) -> None:
    """Let all columns fit on the width of a page."""
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def _format(each: Field) -> str:
    return _FORMATS.get(each.kind, _TEXT)


def _write_column(sheet: Worksheet, place: int, each: Field, operation: Operation) -> None:
    letter = get_column_letter(place)
    dimension = sheet.column_dimensions[letter]
    dimension.width = _WIDTHS.get(each.kind, max(16, len(each.label) + 4))
    # Of the whole column, so that it holds for rows that are yet to come.
    dimension.number_format = _format(each)
    head = sheet.cell(1, place, each.label)
    head.font, head.alignment = _WHITE, _HEAD
    head.fill = _MANDATORY if _is_needed(each, operation) else _OPTIONAL
    said = "\n".join(_said(each, operation))
    head.comment = Comment(
        said, "bulkzcrm", width=360, height=_POINTS_A_LINE * (2 + len(said) // 45 + said.count("\n"))
    )


def _is_needed(each: Field, operation: Operation) -> bool:
    return each.mandatory or any(each.name in group for group in operation.one_of)


def _said(each: Field, operation: Operation) -> Iterator[str]:
    """Yield what there is to say of a field: what it is, how it is written, and the rules that it is part of."""
    yield each.about
    limits = limits_of(each)
    yield f"Write {field_format(each)}{f' ({limits})' if limits else ''}."
    if each.mandatory:
        yield "Every row must give it."
    groups = [group for group in operation.one_of if each.name in group]
    for group in groups:
        labels = [found.label for name in group if (found := operation.field(name)) is not None]
        yield f"Every row must give {' or '.join(labels)}."
    for rule in operation.rules:
        if rule.field == each.name:
            yield in_labels(rule.says, operation)


def in_labels(text: str, operation: Operation) -> str:
    """Return a sentence in which fields have the names that stand on the sheet."""
    for each in sorted(operation.fields, key=lambda field: -len(field.name)):
        if "_" in each.name:
            text = re.sub(rf"\b{re.escape(each.name)}\b", each.label, text)
    return text


def _write_lists(sheet: Worksheet, lists: Lists) -> dict[str, str]:
    """Write each list into a column of its own, and return where it stands, by the field's name."""
    ranges: dict[str, str] = {}
    for place, (name, values) in enumerate(lists.values.items(), start=1):
        letter = get_column_letter(place)
        for row, text in enumerate((name, *values), start=1):
            cell = sheet.cell(row, place)
            _put(cell, text)
            cell.number_format = _TEXT
        ranges[name] = f"{_LISTS}!${letter}$2:${letter}${len(values) + 1}"
    return ranges


def _add_choice(sheet: Worksheet, letter: str, each: Field, where: str | None, *, is_open: bool) -> None:
    if where is None and each.maximum_length is None:
        return
    if where is not None:
        check = DataValidation(type="list", formula1=f"={where}", allow_blank=True)
        # The tool knows more spellings than a list does, and a change of the list need not stop anybody.
        check.errorStyle = "warning"
        check.showErrorMessage = not is_open
        check.errorTitle, check.error = each.label, f"Not one of the list: {field_format(each)}"[:_LONGEST_PROMPT]
    else:
        check = DataValidation(type="textLength", operator="lessThanOrEqual", formula1=str(each.maximum_length))
        check.showErrorMessage = True
        check.errorTitle, check.error = each.label, f"At most {each.maximum_length:,} characters."
    if is_open:
        check.promptTitle, check.prompt = each.label[:32], "Several are separated by ;"
        check.showInputMessage = True
    check.add(f"{letter}2:{letter}{_LAST_ROW}")
    sheet.add_data_validation(check)


def _write_help(
    sheet: Worksheet, operation: Operation, example: Mapping[str, str | int | Decimal], source: str, *, as_row: bool
) -> None:
    there = "Row 2 is an example: replace it." if as_row else "An example stands below."
    for letter, width in _HELP_WIDTHS.items():
        sheet.column_dimensions[letter].width = width
    before = [
        operation.summary,
        "",
        f"1. Fill in the sheet “{operation.name}”, one row for each record. {there}",
        "2. Dark headers must be filled in; what each cell takes is said in the comment on its header, and below.",
        f"3. Save, and look before you send:  bulkzcrm check {operation.name} FILE.xlsx",
        f"4. Send:  bulkzcrm run {operation.name} FILE.xlsx",
        source,
        "",
    ]
    for text in before:
        _append(sheet, [text], _PLAIN)
    sheet["A1"].font = _TITLE
    _append(sheet, ["Column", "Must be", "What it is", "How it is written", "Example"], _WHITE, fill=_MANDATORY)
    for each in operation.fields:
        limits = limits_of(each)
        given = "given" if each.mandatory else "one of *" if _is_needed(each, operation) else ""
        written = f"{field_format(each)}{f' ({limits})' if limits else ''}"
        _append(sheet, [each.label, given, each.about, written, example.get(each.name)], _PLAIN)
    after = []
    if operation.one_of:
        groups = (" or ".join(_label(name, operation) for name in group) for group in operation.one_of)
        after += ["", f"* Every row gives at least one of: {'; '.join(groups)}"]
    if operation.rules:
        after += ["", "Rules", *(f"•  {in_labels(rule.says, operation)}" for rule in operation.rules)]
    for text in after:
        _append(sheet, [text], _BOLD if text == "Rules" else _PLAIN)


def _label(name: str, operation: Operation) -> str:
    found = operation.field(name)
    return found.label if found is not None else name


def _append(
    sheet: Worksheet, values: Sequence[str | int | Decimal | None], font: Font, *, fill: PatternFill | None = None
) -> None:
    """Write a line of the help; where it has several cells, each wraps, and the line is as high as the longest."""
    number = sheet.max_row + 1 if sheet.max_row > 1 or sheet["A1"].value is not None else 1
    lines = 1
    for place, (value, width) in enumerate(zip(values, _HELP_WIDTHS.values(), strict=False), start=1):
        cell = sheet.cell(number, place)
        _put(cell, value)
        cell.font = font
        if len(values) > 1:
            cell.alignment = _TOP
            lines = max(lines, -(-len(str(value or "")) // width))
        if fill is not None:
            cell.fill = fill
    sheet.row_dimensions[number].height = lines * _POINTS_A_LINE if number > 1 else 2 * _POINTS_A_LINE
