"""Whole sources for the promises, each beside what a report of it must show; made here, not derived from `bulkzcrm`.

A sheet is drawn first: columns, and lines of cells of which it is known what they mean. Then it is written as one of
the forms in which people keep such sheets.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

import xlsxwriter
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

DELIMITERS: Final = (",", ";", "\t", "|")


class Kind(StrEnum):
    """What is known of a line beforehand."""

    SOUND = "sound"  #: nothing is wrong with it
    BAD = "bad"  #: something is wrong that we must see without sending it
    ODD = "odd"  #: it may be anything


@dataclass(frozen=True, slots=True)
class Failed:
    """An error value of a spreadsheet."""

    text: str


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula whose value the file does not hold."""

    text: str


@dataclass(frozen=True, slots=True)
class Said:
    """One cell: its text, and what else may stand in its place where cells have types (then `shown` in the report)."""

    text: str
    wire: Any = None
    typed: Any = None
    shown: str = ""


BLANK: Final = Said("")


@dataclass(frozen=True, slots=True)
class Line:
    """One line: cells by column, what stands beyond the last one, and the record that it means, where that is known.

    `gives` holds for each field that a sound line gives what the organisation must hold once it has succeeded.
    """

    cells: tuple[Said, ...]
    kind: Kind
    gives: Mapping[str, Any] = field(default_factory=dict)
    target: str = ""
    surplus: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """Columns and lines; `None` is a line without any value."""

    header: tuple[str, ...]
    lines: tuple[Line | None, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A row that the report must have: its number, its cells as text, and its line."""

    number: int
    cells: tuple[str, ...]
    line: Line


@dataclass(frozen=True, slots=True)
class Source:
    """A source as a file, the options that it takes to read it, and the rows that it holds."""

    form: str
    suffix: str
    content: bytes = field(repr=False)
    header: tuple[str, ...]
    rows: tuple[Told, ...]
    reading: Mapping[str, str]


def written(draw: st.DrawFn, sheet: Sheet) -> Source:
    """Write a sheet in one of the forms that can hold it."""
    forms: dict[str, Callable[[st.DrawFn, Sheet], Source]] = {"csv": _as_csv}
    if all(map(_fits_xml, _all_texts(sheet))):
        forms["xlsx"] = _as_workbook
    names_differ = len(set(sheet.header)) == len(sheet.header)
    if names_differ and not any(line and line.surplus for line in sheet.lines) and any(map(_holds, sheet.lines)):
        forms["jsonl"] = _as_json_lines
    return forms[draw(st.sampled_from([*forms, "csv"]))](draw, sheet)


def _texts(line: Line) -> Iterable[str]:
    return (said.text for said in line.cells)


def _holds(line: Line | None) -> bool:
    return line is not None and any(text.strip() for text in (*_texts(line), *line.surplus))


def _fits_xml(text: str) -> bool:
    return all(character == "\n" or character.isprintable() for character in text)


def _as_text(text: str) -> str:
    """What the report shows for a text: a cell of white space alone is a blank one."""
    return text if text.strip() else ""


def _as_csv(draw: st.DrawFn, sheet: Sheet) -> Source:
    delimiter = draw(st.sampled_from(DELIMITERS))
    end = draw(st.sampled_from(["\r\n", "\n", "\r"]))
    named = draw(st.booleans()) and delimiter != "\t"
    cuts_short = draw(st.booleans())
    # The writer of the standard library quotes only those line ends that it writes itself.
    breaks = any(character in cell for cell in _all_texts(sheet) for character in "\r\n")
    quoting = csv.QUOTE_ALL if breaks or draw(st.booleans()) else csv.QUOTE_MINIMAL
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=delimiter, lineterminator=end, quoting=quoting)
    if named:
        stream.write(f"sep={delimiter}{end}")
    writer.writerow(sheet.header)
    rows = []
    for number, line in enumerate(sheet.lines, 3 if named else 2):
        if line is None:
            stream.write(draw(st.sampled_from(["", "  ", delimiter * 2])) + end)
            continue
        cells = [*_texts(line), *line.surplus]
        while cuts_short and len(cells) > 1 and not cells[-1]:
            cells.pop()
        writer.writerow(cells)
        if _holds(line):
            rows.append(Told(number, tuple(map(_as_text, _texts(line))), line))
    text = stream.getvalue()
    encoding, said = _encoding(draw, text)
    reading = {"encoding": encoding} if said else {}
    # Where cells hold other delimiters, quotes or line ends, or the header holds no delimiter at all, a guess may go
    # wrong, and people say which one it is.
    confusing = any(character in cell for cell in _all_texts(sheet) for character in (*DELIMITERS, '"', "\n", "\r"))
    if (confusing or len(sheet.header) == 1) and not named:
        reading["delimiter"] = delimiter
    return Source(f"csv {delimiter!r} {encoding}", ".csv", text.encode(encoding), sheet.header, tuple(rows), reading)


def _all_texts(sheet: Sheet) -> list[str]:
    return [*sheet.header, *(text for line in sheet.lines if line for text in (*_texts(line), *line.surplus))]


def _encoding(draw: st.DrawFn, text: str) -> tuple[str, bool]:
    """Choose an encoding, and whether it has to be said."""
    choices = {"utf-8": False, "utf-8-sig": False, "utf-16": False}
    try:
        narrow = text.encode("cp1252")
    except UnicodeEncodeError:
        pass
    else:
        choices["cp1252"] = _is_utf8(narrow) and not text.isascii()
    encoding = draw(st.sampled_from(list(choices)))
    return encoding, choices[encoding]


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _as_json_lines(draw: st.DrawFn, sheet: Sheet) -> Source:
    types, leaves_out = draw(st.booleans()), draw(st.booleans())
    written_lines, rows = [], []
    for number, line in enumerate(sheet.lines, 1):
        if line is None or not _holds(line):
            written_lines.append(draw(st.sampled_from(["", "{}", "  "])))
            continue
        values: dict[str, Any] = {}
        shown = []
        for name, said in zip(sheet.header, line.cells, strict=True):
            typed = types and isinstance(said.typed, int | Decimal | list)
            value = said.typed if typed else said.text or None
            shown.append(_shown_in_json(said) if typed else _as_text(said.text))
            if value is not None or not leaves_out or not rows:
                values[name] = value
        written_lines.append(_json(values, ascii_only=draw(st.booleans())))
        rows.append(Told(number, tuple(shown), line))
    content = "\n".join(written_lines).encode()
    return Source("jsonl", ".jsonl", content, sheet.header, tuple(rows), {})


def _shown_in_json(said: Said) -> str:
    match said.typed:
        case bool():
            return "TRUE" if said.typed else "FALSE"
        case list():
            return "; ".join(map(str, said.typed))
        case _:
            return str(said.typed)


def _json(values: Mapping[str, Any], *, ascii_only: bool) -> str:
    """JSON in which decimals stand as they are."""
    pairs = (
        f"{json.dumps(name, ensure_ascii=ascii_only)}: "
        + (str(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=ascii_only))
        for name, value in values.items()
    )
    return "{" + ", ".join(pairs) + "}"


def _as_workbook(draw: st.DrawFn, sheet: Sheet) -> Source:
    types = draw(st.booleans())
    write = draw(st.sampled_from([_with_xlsxwriter, _with_openpyxl]))
    lines: list[list[Any] | None] = [list(sheet.header)]
    rows = []
    for number, line in enumerate(sheet.lines, 2):
        if line is None:
            lines.append(None)
            continue
        values: list[Any] = []
        shown = []
        for said in line.cells:
            typed = types and said.typed is not None and not isinstance(said.typed, list)
            values.append(said.typed if typed else said.text)
            shown.append(said.shown if typed else _as_text(said.text))
        lines.append([*values, *line.surplus])
        if _holds(line):
            rows.append(Told(number, tuple(shown), line))
    name = write.__name__.removeprefix("_with_")
    return Source(f"xlsx of {name}", ".xlsx", write(lines), sheet.header, tuple(rows), {})


def _with_xlsxwriter(lines: Sequence[Sequence[Any] | None]) -> bytes:
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as workbook:
        worksheet = workbook.add_worksheet()
        as_date = workbook.add_format({"num_format": "yyyy-mm-dd"})
        for row, values in enumerate(lines):
            for column, value in enumerate(values or ()):
                match value:
                    case "":
                        continue
                    case str():
                        worksheet.write_string(row, column, value)
                    case bool():
                        worksheet.write_boolean(row, column, value)
                    case date():
                        worksheet.write_datetime(row, column, value, as_date)
                    case Failed():
                        worksheet.write_formula(row, column, "=NA()", None, value.text)
                    case Formula():
                        worksheet.write_string(row, column, value.text)  # it knows no formula without a value
                    case _:
                        worksheet.write_number(row, column, value)
    return stream.getvalue()


def _with_openpyxl(lines: Sequence[Sequence[Any] | None]) -> bytes:
    workbook = Workbook(write_only=True)
    worksheet = workbook.create_sheet("Sheet")
    for values in lines:
        cells = []
        for value in values or ():
            cell = WriteOnlyCell(worksheet, value=_in_cell(value))
            if isinstance(value, str) and value:
                cell.data_type = "s"  # else a text that begins with "=" would be a formula
            cells.append(cell)
        worksheet.append(cells)
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()


def _in_cell(value: Any) -> Any:
    match value:
        case Failed() | Formula():
            return value.text
        case "":
            return None
        case _:
            return value


NASTY: Final = (
    "=1+1",
    "+49 30 1234",
    "-5",
    "@home",
    "'quoted",
    "''",
    "'=twice",
    '"',
    'say ""hi""',
    "a,b;c|d\te",
    "two\nlines",
    "  blanks around  ",
    "5545974000002183001",
    "5.54597E+18",
    "007",
    "1,234.50",
    "#N/A",
    "#CLEAR",
    "NULL",
    "TRUE",
    "日本語 ü €",
    "e\u0301 \u200b\u202e",
    "🧹",
    "<b>&amp;</b>",
    "{value}",
    "%s",
    "result_row",
    "\\",
    "\u3000",
    "sep=;",
)


def odd_texts() -> st.SearchStrategy[str]:
    """Texts that some program somewhere takes for something else."""
    anything = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
    return st.sampled_from(NASTY) | anything


def harmless(text: str) -> str:
    """The text, so changed that a text field takes it for what it is."""
    inner = text.strip()
    return f"n{inner}" if inner[:1] in {"#", "="} else inner


CARRIED: Final = st.one_of(
    st.just(BLANK),
    odd_texts().map(Said),
    st.sampled_from(
        [
            Said("7", typed=7, shown="7"),
            Said("0.1", typed=0.1, shown="0.1"),
            Said("1E+20", typed=1e20, shown="1E+20"),
            Said("no", typed=False, shown="FALSE"),
            Said("2040-02-29", typed=date(2040, 2, 29), shown="2040-02-29"),
            Said("#REF!", typed=Failed("#REF!"), shown="#REF!"),
        ]
    ),
)
