"""Sources as they come out of broken disks, odd programs and careless hands, and what must hold of each of them."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from random import Random
from typing import Any, Final

import odd_json
from openpyxl import Workbook
from terminal import Ended, Terminal

from bulkzcrm.spec.operations import OPERATIONS

_HEADERS: Final[Mapping[str, Sequence[str]]] = {
    "create-services": ("Service_Name", "Duration", "Location", "Members", "Availability_Type", "Price"),
    "update-services": ("id", "Price", "Available_Timings", "Tax"),
    "set-service-status": ("id", "Status", "Unavailable_From", "Unavailable_Till"),
    "set-scoring-rule-status": ("id", "Status"),
    "update-business-hours": ("type", "week_starts_on", "business_days", "daily_timing", "Monday"),
    "update-service-preferences": ("job_sheet_enabled",),
}
_SOUND: Final[Mapping[str, Sequence[str]]] = {
    "Service_Name": ("Window cleaning", "Boiler check", "日本語 ü €"),
    "Duration": ("60", "1h 30m", "1:30", "45.0"),
    "Location": ("Client Address", "business address"),
    "Members": ("tom.weber@brighthome.example", "5545974000000393004"),
    "Availability_Type": ("Every Business Days", "Specific Day(s)"),
    "Price": ("50", "1,234.50", "€ 12", "0"),
    "id": ("5545974000002183001", "'5545974000002183002", "4876876000000965528"),
    "Available_Timings": ("10:00-13:30", "10:00-13:30; 15:00-18:00", "2 PM-3 PM"),
    "Tax": ("Vat - 0.8 %",),
    "Status": ("Available", "Not in Use", "active"),
    "Unavailable_From": ("now", "2040-03-07T12:00:00+05:30", "07/03/2040 12:00"),
    "Unavailable_Till": ("2040-04-07 12:00", ""),
    "type": ("24*5", "custom", "24_by_7"),
    "week_starts_on": ("Monday", "sun"),
    "business_days": ("Mon-Fri", "Mon; Tue"),
    "daily_timing": ("10:00-17:00",),
    "Monday": ("10:00-17:00", "closed"),
    "job_sheet_enabled": ("true", "no", "1"),
}
_ODD_TEXTS: Final = (
    "",
    " ",
    "#CLEAR",
    "#N/A",
    "#REF!",
    "=1+1",
    '="5545974000002183001"',
    "'",
    "''=",
    '"',
    '"" "',
    "a,b;c|d\te",
    "two\nlines\r\nand\rthree",
    "5.54597E+18",
    "1E+99999999",
    "-1E-99999999",
    "9" * 5000,
    "-" * 200,
    "NaN",
    "Infinity",
    "1e5",
    "٣٤",
    "½",
    "²",
    "00000000000000000000000001",
    "0000-00-00",
    "9999-12-31",
    "0001-01-01",
    "31/31/2040",
    "29.02.2041",
    "03/04/2026",
    "2040-03-07T12:00:00+99:99",
    "2040-03-07T12:00:00-23:59",
    "9999-12-31T23:59:59-12:00",
    "0001-01-01T00:00:00+14:00",
    "24:00",
    "25:61",
    "10:00-09:00",
    "10:00-" * 50,
    ";" * 300,
    "Mon-Mon; Fri-Tue",
    "99999999999h",
    "1h 1h 1h",
    "tom@@example",
    "x" * 40_000,
    "\x00",
    "a\x00b",
    "\x1b[2Jboo",
    "\u202egnp\u200b",
    "\ufeff",
    "{}",
    "[1,2]",
    "%s%n{0}",
    "../../etc/passwd",
    "sep=;",
    "result_row",
    "🧹" * 50,
    "e\u0301",
    "ß" * 121,
    "TRUE",
    "now",
    "\u3000",
    "1.234.567,89",
    "1,2,3,4",
    "12€34",
    "0x10",
)
_ODD_VALUES: Final[tuple[Any, ...]] = (
    True,
    None,
    0,
    -1,
    60,
    0.1,
    1e308,
    -1e-308,
    5545974000002183001,
    2.5e9,
    date(2040, 2, 29),
    date(1900, 1, 1),
    date(9999, 12, 31),
    datetime(2040, 3, 7, 12, 30, 59, 999999),  # noqa: DTZ001 - cells have no zone
)


@dataclass(frozen=True, slots=True)
class File:
    """A source, and how it is given to the tool."""

    operation: str
    name: str
    content: bytes
    words: Sequence[str]


def file_of(die: Random) -> File:
    """Draw a source: sound lines and odd ones in some form, then perhaps damaged."""
    operation = die.choice([*OPERATIONS, "create-services", "update-services"])
    lines = _lines(die, operation)
    form: Callable[[Random, list[list[Any]]], tuple[str, bytes]] = die.choice(
        [_as_csv, _as_csv, _as_csv, _as_workbook, _as_workbook, _as_json_lines]
    )
    suffix, content = form(die, lines)
    if die.random() < 0.5:
        content = _damaged(die, content)
    if die.random() < 0.08:
        content = die.choice(
            [b"", b"\n", b"\xff\xfe", b"\xef\xbb\xbf", b"\0" * 600, b"PK\x03\x04", b"PK\x05\x06" + b"\0" * 18]
        )
    if die.random() < 0.15:
        suffix = die.choice([".csv", ".xlsx", ".jsonl", ".tsv", ".xls", ".pdf", "", ".XLSM"])
    return File(operation, f"source{suffix}", content, _words(die))


def _words(die: Random) -> list[str]:
    choices: list[list[str]] = [
        ["--encoding", die.choice(["utf-8", "utf-16", "cp1252", "latin-1", "utf-7", "idna", "rot13", "x"])],
        ["--delimiter", die.choice([";", ",", "tab", "\t", "||", ""])],
        ["--header-row", die.choice(["1", "2", "7", "9999999999999999999999"])],
        ["--sheet", die.choice(["Sheet", "Other", "", "\0", "1"])],
        ["--date-format", die.choice(["dmy", "mdy", "ymd"])],
        ["--decimal", die.choice([",", "."])],
        ["--time-zone", die.choice(["Europe/Berlin", "Asia/Kolkata", "../etc", "Etc/GMT+12"])],
        ["--set", die.choice(["Price=5", "Status=Available", "=", "Price", "Duration==1+1", "Nothing=1"])],
        ["--map", die.choice(["Price=Duration", "x=Price", "=", "Price="])],
        ["--format", die.choice(["xlsx", "jsonl", "csv,xlsx,jsonl"])],
    ]
    chosen = die.sample(choices, die.choice([0, 0, 0, 0, 1, 1, 2]))
    return [word.replace("\0", "?") for words in chosen for word in words]


def _lines(die: Random, operation: str) -> list[list[Any]]:
    header: list[Any] = list(_HEADERS[operation])
    width = len(header)
    for _ in range(die.choice([0, 0, 0, 1, 2])):
        header.append(die.choice(["Remark", "", "Remark", die.choice(header), "result_row", *_ODD_TEXTS]))
    oddity = die.choice([0.0, 0.1, 0.3, 0.9])
    lines: list[list[Any]] = [header]
    for _ in range(die.choice([0, 1, 3, 6, 12])):
        cells: list[Any] = [die.choice(_SOUND[name]) for name in header[:width]]
        cells += [die.choice(_ODD_TEXTS) for _ in header[width:]]
        for place in range(len(cells)):
            if die.random() < oddity:
                cells[place] = die.choice([*_ODD_TEXTS, *_ODD_VALUES])
        if die.random() < 0.1:
            cells = cells[: die.randrange(len(cells) + 1)] + [die.choice(_ODD_TEXTS)] * die.choice([0, 1, 40])
        lines.append(cells)
    if die.random() < 0.1:
        lines.insert(0, die.choice([["A title"], [], [None, "x"], ["sep=;"]]))
    return lines


def _as_csv(die: Random, lines: list[list[Any]]) -> tuple[str, bytes]:
    stream = io.StringIO(newline="")
    quoting = die.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
    writer = csv.writer(
        stream,
        delimiter=die.choice([",", ",", ";", "\t", "|", ":"]),
        lineterminator=die.choice(["\n", "\r\n", "\r"]),
        quoting=quoting,
        quotechar=die.choice(['"', '"', '"', "'"]),
    )
    writer.writerows(lines)
    encoding = die.choice(["utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "utf-32", "utf-7"])
    return die.choice([".csv", ".csv", ".tsv", ".txt"]), stream.getvalue().encode(encoding, errors="replace")


def _as_json_lines(die: Random, lines: list[list[Any]]) -> tuple[str, bytes]:
    header, *rows = lines
    written = []
    for row in rows:
        values = {str(name): _plain(value) for name, value in zip(header, row, strict=False)}
        if die.random() < 0.3:
            values[str(die.choice(header) if header else "x")] = odd_json.odd_value(die)
        written.append(
            die.choice([odd_json.written(values)] * 6 + ["", "{}", "[]", "null", "{", "7", '{"a":1}{"b":2}'])
        )
    return ".jsonl", "\n".join(written).encode(errors="surrogatepass")


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _as_workbook(die: Random, lines: list[list[Any]]) -> tuple[str, bytes]:
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    for line in lines:
        sheet.append([_in_cell(value) for value in line])
    for _ in range(die.choice([0, 0, 1, 2])):
        workbook.create_sheet().sheet_state = die.choice(["visible", "hidden", "veryHidden"])
    if die.random() < 0.1 and any(each.sheet_state == "visible" for each in workbook.worksheets[1:]):
        sheet.sheet_state = "hidden"
    stream = io.BytesIO()
    workbook.save(stream)
    content = stream.getvalue()
    return ".xlsx", _with_odd_parts(die, content) if die.random() < 0.5 else content


def _in_cell(value: Any) -> Any:
    if isinstance(value, str):
        shown = "".join(character for character in value if character in "\t\n\r" or character >= " ")
        return shown[:32_000]
    return value


def _with_odd_parts(die: Random, content: bytes) -> bytes:
    """Change the XML inside a workbook, or the parts that there are."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = die.choice([each for each in parts if each.endswith((".xml", ".rels"))])
    part = parts[name]
    match die.randrange(12):
        case 0:
            del parts[name]
        case 1:
            parts[name] = part[: die.randrange(len(part) + 1)]
        case 2:
            parts[name] = odd_json.flipped(die, part)
        case 3:
            entity = b'<!DOCTYPE a [<!ENTITY b "boom">]>'
            parts[name] = part.replace(b"<", entity + b"<", 1) if die.random() < 0.5 else entity + part
        case 4:
            parts[name] = part.decode(errors="replace").encode("utf-16")
        case 5:
            parts["xl/vbaProject.bin"] = die.randbytes(100)
        case 6:
            parts[f"../{name}"] = part
        case 7:
            parts[name] = b""
        case 8:
            parts[name] = part.replace(b'r="A', b'r="ZZZZ').replace(b't="s"', b't="q"')
        case 9:
            parts[name] = part.replace(b"<v>", b"<v>9999999999").replace(b'r="2"', b'r="1048577"')
        case 10:
            parts[name] = part.replace(b"</sheetData>", b"<row><c r='A1' t='e'><v>#N/A</v></c></row></sheetData>")
        case _:
            parts[name] = part.replace(b"<v>", die.choice([b"<v>x", b"<v>-", b"<v>1e999", b"<f>1+1</f><v>", b"<v> "]))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for each, data in parts.items():
            archive.writestr(each, data)
    return stream.getvalue()


def _damaged(die: Random, content: bytes) -> bytes:
    place = die.randrange(len(content) + 1)
    match die.randrange(9):
        case 0:
            return content[:place]
        case 1:
            return odd_json.flipped(die, content)
        case 2:
            return odd_json.flipped(die, content, most=200)
        case 3:
            return (
                content[:place]
                + die.choice([b"\0", b"\xff", b"\x85", b'"', b"\r", b"\xef\xbb\xbf", b"\x1a"])
                + content[place:]
            )
        case 4:
            return content[place:]
        case 5:
            return content + content
        case 6:
            return content[:place] + die.randbytes(die.randrange(100)) + content[place:]
        case 7:
            return content[:place] + "über €".encode(die.choice(["utf-8", "cp1252", "utf-16"])) + content[place:]
        case _:
            return content.replace(b'"', b"", 1)


def play(file: File, terminal: Terminal, *, sending: bool) -> Ended:
    """Give a file to `check`, or to `run` in a sandbox, and check what must hold."""
    path = terminal.write(file.name, file.content)
    output = terminal.folder / "report"
    mode = ["run", "--sandbox", "--max-wait", "1"] if sending else ["check"]
    ended = terminal.type(*mode, file.operation, path, "--json", "-o", str(output), *file.words)
    assert "Traceback" not in ended.err, ended.err
    told = json.loads(ended.out)
    counts = {name: told[name] for name in ("succeeded", "unchanged", "invalid", "rejected", "unknown", "unsent")}
    if ended.status == 2:
        assert told["state"] == "refused"
        assert told["rows"] == sum(counts.values()) == 0
        _names_file_and_cure(ended, told, file)
        return ended
    assert ended.status in ((0, 1, 3) if sending else (0, 1)), ended
    rows = told["rows"]
    assert rows == sum(counts.values()) + told.get("valid", 0)
    if not sending:
        assert rows == told["valid"] + told["invalid"]
    with (output / "results.csv").open(encoding="utf-8-sig", newline="") as report:
        results = list(csv.DictReader(report))
    assert len(results) == rows
    for result in results:
        if result["result_status"] in {"invalid", "rejected", "unsent", "unknown"}:
            assert result["result_message"], result
            assert result["result_fix"], result
    return ended


def _names_file_and_cure(ended: Ended, told: Mapping[str, Any], file: File) -> None:
    """A refusal says why and what to do; one that is about the source, and not about an option, names it."""
    reason = str(told["stopped_because"])
    assert reason.strip()
    assert "bulkzcrm: " in ended.err
    assert len(reason.split(".")) >= 2, reason
    if not file.words:
        named = Path(file.name).name in reason
        about_columns = any(word in reason for word in ("column", "header", "--map", "--set", "Column", "row"))
        assert named or about_columns, reason
