"""Bad input, by name: one clear sentence with its cure, the right exit status, no traceback, and nothing sent."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable, Iterator

import openpyxl
import pytest
from terminal import KEYS, SERVICES, Served, Terminal, services, serving

HEADER = "Service_Name,Duration,Location,Members,Availability_Type,Price"
ROW = "A,60,Client Address,tom.weber@brighthome.example,Every Business Days,50"


@pytest.fixture(scope="module")
def shared() -> Iterator[Served]:
    with serving() as served:
        yield served


@pytest.fixture
def at(terminal: Terminal, shared: Served) -> Terminal:
    """A terminal that could send, if only its input were good."""
    terminal.environ = shared.environ
    shared.wire.heard.clear()
    return terminal


def workbook(change: Callable[[openpyxl.Workbook], object] = id) -> bytes:
    book = openpyxl.Workbook()
    for line in (HEADER, ROW):
        book.active.append(line.split(","))
    change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def archive(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    return out.getvalue()


def bomb() -> bytes:
    """A workbook whose sheet unpacks to a thousand times its size."""
    parts = {"[Content_Types].xml": b"<Types/>", "_rels/.rels": b"<R/>", "xl/worksheets/sheet1.xml": bytes(30_000_000)}
    return archive(**parts)


def encrypted() -> bytes:
    """The beginning of what Excel makes of a workbook with a password: an OLE file with the stream of that name."""
    stream = "EncryptedPackage".encode("utf-16-le")
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1016) + stream.ljust(128, b"\0") + bytes(384)


SOURCES: dict[str, tuple[str, bytes | str | None, list[str]]] = {
    "a missing file": ("none.csv", None, ["There is no file none.csv.", "spelling"]),
    "an empty file": ("a.csv", b"", ["a.csv is empty.", "header row"]),
    "blank lines only": ("a.csv", b"\n\n,,,\n", ["a.csv"]),
    "unknown columns only": ("a.csv", "Foo,Bar\n1,2\n", ["a.csv", "Service_Name"]),
    "a missing mandatory column": ("a.csv", f"{HEADER.replace(',Location', '')}\n{ROW}\n", ["Location", "--set"]),
    "two columns for one field": (
        "a.csv",
        f"{HEADER},service name\n{ROW},B\n",
        ["Service_Name", "column A", "column G"],
    ),
    "a title above the header": ("a.csv", f"Price list of the year\n{services('A')}", ["--header-row 2"]),
    "NUL bytes": ("a.csv", f"{services('A')}B\0C,60\n", ["Row 3 of a.csv"]),
    "a broken byte after the mark of UTF-8": (
        "a.csv",
        b"\xef\xbb\xbf" + SERVICES.encode() + b"A\xff\n",
        ["Row 2 of a.csv"],
    ),
    "UTF-16 cut in the middle": ("a.csv", services("A").encode("utf-16")[:-1], ["a.csv"]),
    "text called .xlsx that is no table": ("a.xlsx", "hello", ["a.xlsx"]),
    "a picture": ("a.csv", b"\x89PNG\r\n\x1a\n" + bytes(100), ["a.csv is a picture"]),
    "a web page called .xls": ("a.xls", "<html><table></table></html>", ["a.xls is a web page", "save it as .xlsx"]),
    "a ZIP that is no workbook": ("a.xlsx", archive(**{"readme.txt": b"hello"}), ["ZIP archive, but no workbook"]),
    "a damaged workbook": ("a.xlsx", workbook()[:-200], ["a.xlsx is a damaged workbook."]),
    "an encrypted workbook": ("a.xlsx", encrypted(), ["a.xlsx is protected by a password.", "save it as .xlsx"]),
    "a bomb": ("a.xlsx", bomb(), ["unpacks to more than 200 times its size"]),
    "a workbook with an empty sheet": ("a.xlsx", workbook(lambda book: book.active.delete_rows(1, 2)), ["a.xlsx"]),
    "JSON that is one list": ("a.json", b'[{"Service_Name": "A"}]', ["a.json holds one JSON list."]),
    "a broken line of JSON": ("a.jsonl", b'{"Service_Name": "A"}\n{"Service_Name": \n', ["a.jsonl", "2"]),
    "an endless line": ("a.csv", SERVICES.encode() + b"x" * 50_000_100, ["a.csv", "50,000,000 characters"]),
}


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("command", ["run", "check"])
def test_a_source_that_cannot_be_read_is_refused(at: Terminal, shared: Served, name: str, command: str):
    file, content, pieces = SOURCES[name]
    if content is not None:
        at.write(file, content)
    ending = at.type(command, "create-services", file, "--json", *(["--yes"] if command == "run" else []))
    assert_refused(at, shared, ending, pieces)


OPTIONS: dict[str, tuple[list[str], list[str]]] = {
    "an unknown operation": (["run", "create-service", "a.csv"], ["no operation create-service", "create-services?"]),
    "a folder as the source": (["run", "create-services", "."], [". is a folder."]),
    "a column that there is not": (
        ["run", "create-services", "a.csv", "--map", "Nope=Price"],
        ["Nope", "a.csv", "Service_Name"],
    ),
    "a field that there is not": (["run", "create-services", "a.csv", "--map", "Price=Pricee"], ["Pricee", "Price"]),
    "a constant for no field": (["run", "create-services", "a.csv", "--set", "Colour=red"], ["Colour", "Price"]),
    "a constant for a field with a column": (["run", "create-services", "a.csv", "--set", "Price=9"], ["Price"]),
    "a map without a field": (["run", "create-services", "a.csv", "--map", "Price"], ["--map Price", "Name=Value"]),
    "the same constant twice": (
        ["run", "create-services", "a.csv", "--set", "Status=Available", "--set", "Status=Not in Use"],
        ["--set", "Status", "twice"],
    ),
    "a column to ignore that there is not": (
        ["run", "create-services", "a.csv", "--ignore-column", "X"],
        ["X", "a.csv"],
    ),
    "a sheet of a text file": (["run", "create-services", "a.csv", "--sheet", "One"], ["--sheet", "a.csv"]),
    "a sheet that there is not": (["run", "create-services", "b.xlsx", "--sheet", "Two"], ["Two", "Sheet"]),
    "a header beyond the end": (["run", "create-services", "a.csv", "--header-row", "99"], ["99", "--header-row"]),
    "an encoding that there is not": (
        ["run", "create-services", "a.csv", "--encoding", "klingon"],
        ["klingon", "utf-8"],
    ),
    "an encoding that does not fit": (["run", "create-services", "c.csv", "--encoding", "utf-8"], ["Row 2 of c.csv"]),
    "a delimiter of several characters": (["run", "create-services", "a.csv", "--delimiter", "ab"], ["ab", "tab"]),
    "a time zone that there is not": (
        ["run", "create-services", "a.csv", "--time-zone", "Mars/Base"],
        ["Mars/Base", "Asia/Kolkata"],
    ),
    "an error limit that is none": (["run", "create-services", "a.csv", "--max-errors", "some"], ["--max-errors some"]),
    "an error limit beyond all rows": (["run", "create-services", "a.csv", "--max-errors", "101%"], ["101%"]),
    "a profile that there is not": (["run", "create-services", "a.csv", "--profile", "mian"], ["no profile mian"]),
    "an output that is a file": (["run", "create-services", "a.csv", "-o", "a.csv"], ["a.csv", "--output"]),
    "an output below a file": (["run", "create-services", "a.csv", "-o", "a.csv/out"], ["a.csv", "--output"]),
    "a sandbox below a file": (["run", "create-services", "a.csv", "--sandbox", "-o", "a.csv/out"], ["--output"]),
    "a missing job file": (["run", "--job", "none.toml"], ["no job file none.toml"]),
    "a job that is a folder": (["run", "--job", "."], ["job file ."]),
    "a job that is no TOML": (["run", "--job", "a.csv"], ["a.csv is no valid TOML", "line 1"]),
    "a job in another encoding": (["run", "--job", "c.csv"], ["c.csv", "UTF-8"]),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_words_that_do_not_go_together_are_refused(at: Terminal, shared: Served, name: str):
    words, pieces = OPTIONS[name]
    at.write("a.csv", services("A"))
    at.write("b.xlsx", workbook())
    at.write("c.csv", services("Küche").encode("cp1252"))
    ending = at.type(*words, "--yes", "--json")
    assert_refused(at, shared, ending, pieces, is_job="--job" in words)


JOBS: dict[str, tuple[str, list[str]]] = {
    "no steps": ('name = "x"', ["no steps", "[[step]]"]),
    "an unknown key": ('nmae = "x"\n[[step]]\noperation = "create-services"\nsource = "a.csv"', ["nmae", "name?"]),
    "a step without a source": ('[[step]]\noperation = "create-services"', ["step 1 lacks source"]),
    "a step without an operation": ('[[step]]\nsource = "a.csv"', ["step 1 lacks operation"]),
    "an unknown operation": ('[[step]]\noperation = "create"\nsource = "a.csv"', ["step 1", "“create”"]),
    "an option of the wrong kind": (
        '[[step]]\noperation = "create-services"\nsource = "a.csv"\nbatch_size = "ten"',
        ["step 1", "batch_size"],
    ),
    "an unknown policy": (
        'on_failed_rows = "shrug"\n[[step]]\noperation = "create-services"\nsource = "a.csv"',
        ["on_failed_rows", "continue"],
    ),
    "a report format that there is not": (
        'format = "pdf"\n[[step]]\noperation = "create-services"\nsource = "a.csv"',
        ["pdf", "xlsx"],
    ),
    "a missing source of its last step": (
        "".join(f'[[step]]\noperation = "create-services"\nsource = "{name}.csv"\n' for name in ("a", "none")),
        ["none.csv"],
    ),
    "a batch size below one": (
        '[[step]]\noperation = "create-services"\nsource = "a.csv"\nbatch_size = 0',
        ["step 1", "batch_size"],
    ),
    "a negative timeout": (
        '[[step]]\noperation = "create-services"\nsource = "a.csv"\ntimeout = -5',
        ["step 1", "timeout"],
    ),
}


@pytest.mark.parametrize("name", JOBS)
def test_a_job_that_cannot_be_followed_is_refused(at: Terminal, shared: Served, name: str):
    text, pieces = JOBS[name]
    at.write("a.csv", services("A"))
    at.write("job.toml", text)
    assert_refused(at, shared, at.type("run", "--job", "job.toml", "--yes", "--json"), pieces, is_job=True)


CREDENTIALS: dict[str, tuple[dict[str, str], list[str]]] = {
    "none": (
        dict.fromkeys(("BULKZCRM_CLIENT_ID", "BULKZCRM_CLIENT_SECRET", "BULKZCRM_REFRESH_TOKEN"), ""),
        ["BULKZCRM_CLIENT_ID", "BULKZCRM_CLIENT_SECRET", "BULKZCRM_REFRESH_TOKEN", "--sandbox"],
    ),
    "one missing": ({"BULKZCRM_CLIENT_SECRET": ""}, ["BULKZCRM_CLIENT_SECRET"]),
    "a foreign host": ({"BULKZCRM_API_DOMAIN": "https://www.zohoapis.example"}, ["none of the vendor's addresses"]),
    "a foreign host for tokens": (
        {"BULKZCRM_ACCOUNTS_URL": "https://evil.example"},
        ["none of the vendor's addresses"],
    ),
    "no TLS": ({"BULKZCRM_API_DOMAIN": "http://www.zohoapis.com"}, ["BULKZCRM_API_DOMAIN"]),
    "two data centres": (
        {"BULKZCRM_API_DOMAIN": "https://www.zohoapis.eu", "BULKZCRM_ACCOUNTS_URL": "https://accounts.zoho.com"},
        ["EU", "US"],
    ),
    "an organisation's id with blanks": ({"BULKZCRM_ORG_ID": "60 001"}, ["BULKZCRM_ORG_ID"]),
    "a version that is none": ({"BULKZCRM_API_VERSION": "latest"}, ["BULKZCRM_API_VERSION", "v8"]),
    "a proxy that is none": ({"BULKZCRM_PROXY": "secret-proxy"}, ["BULKZCRM_PROXY", "http://host:port"]),
    "a home that is a file": ({"BULKZCRM_HOME": "a.csv"}, ["a.csv", "BULKZCRM_HOME"]),
    "a home of nobody": ({"BULKZCRM_HOME": "~no such user/x"}, ["BULKZCRM_HOME"]),
}


@pytest.mark.parametrize("name", CREDENTIALS)
def test_a_connection_that_cannot_be_meant_is_refused(at: Terminal, shared: Served, name: str):
    changes, pieces = CREDENTIALS[name]
    at.write("a.csv", services("A"))
    at.environ = {**at.environ, **changes}
    ending = at.type("run", "create-services", "a.csv", "--yes", "--json")
    assert_refused(at, shared, ending, pieces)
    assert "secret-proxy" not in ending.err + ending.out


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("BULKZCRM_REFRESH_TOKEN", "1000.canary00canary00canary00canary00.canary"),
        ("BULKZCRM_CLIENT_SECRET", "canary-of-a-secret"),
        ("BULKZCRM_CLIENT_ID", "1000.CANARY"),
    ],
)
def test_credentials_that_the_server_refuses_stop_the_run_and_name_the_variable(
    at: Terminal, shared: Served, variable: str, value: str
):
    at.write("a.csv", services("A"))
    good = at.environ
    at.environ = {**good, variable: value}
    ending = at.type("run", "create-services", "a.csv", "--yes", "--json")
    assert (ending.status, ending.object["state"], ending.object["unsent"]) == (3, "stopped", 1)
    assert "BULKZCRM_" in ending.why
    assert "Traceback" not in ending.err
    assert ending.last == ending.object["resume"]
    assert not shared.wire.writes
    at.environ = good
    assert at.type("resume", "--yes").status == 0


def test_a_header_without_rows_is_no_mistake_but_is_warned_about(at: Terminal, shared: Served):
    at.write("a.csv", SERVICES)
    for words in (("run", "--yes"), ("check",)):
        ending = at.type(words[0], "create-services", "a.csv", *words[1:], "--json", "-o", words[0])
        assert (ending.status, ending.object["rows"], ending.object["state"]) == (0, 0, "finished")
        assert "a header and no rows" in ending.err
        assert (at.folder / words[0] / "results.csv").read_text("utf-8-sig").count("\n") == 1
    assert not shared.wire.writes


def test_a_row_with_surplus_cells_is_named_with_its_cell_and_sinks_no_other(at: Terminal, shared: Served):
    at.write("a.csv", f"{services('Good', 'Short')[:-4]}\n{ROW.replace('A,', 'Ragged,', 1)},surplus\n")
    ending = at.type("run", "create-services", "a.csv", "--yes", "--json", "-o", "out")
    assert (ending.status, ending.object["succeeded"], ending.object["invalid"]) == (1, 1, 2)
    lines = (at.folder / "out/results.csv").read_text("utf-8-sig").splitlines()
    assert "4,invalid,ROW_SHAPE,," in lines[3]
    assert "G4" in lines[3]
    assert "3,invalid,MANDATORY_NOT_FOUND,Price,F3" in lines[2]


@pytest.mark.skipif(
    os.name == "nt" or not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_an_output_folder_that_may_not_be_written_is_refused(at: Terminal, shared: Served):
    at.write("a.csv", services("A"))
    closed = at.folder / "closed"
    closed.mkdir(mode=0o500)
    ending = at.type("run", "create-services", "a.csv", "--yes", "--json", "-o", "closed")
    assert_refused(at, shared, ending, ["closed", "--output"])


@pytest.mark.skipif(os.name != "posix", reason="only there may words be bytes that are no text")
def test_a_word_that_is_no_text_is_refused(at: Terminal, shared: Served):
    at.write("a.csv", services("A"))
    for words in (["caf\udce9.csv"], ["a.csv", "-o", "\udce9"], ["a.csv", "--set", "Description=\udce9"]):
        ending = at.type("run", "create-services", *words, "--yes", "--json")
        assert_refused(at, shared, ending, ["bytes that are no text"])


def test_a_header_with_control_characters_cannot_steer_the_terminal(at: Terminal):
    at.write("a.csv", f"{HEADER},\x1b]0;owned\x07\x1b[2J\n{ROW},x\n")
    ending = at.type("check", "create-services", "a.csv")
    assert ending.status == 0
    assert "owned" in ending.err
    assert not {"\x1b", "\x07"} & set(ending.err + ending.out)


def assert_refused(at: Terminal, shared: Served, ending, pieces: list[str], *, is_job: bool = False) -> None:
    assert ending.status == 2, ending.err
    told = ending.object
    assert told["state"] == "refused"
    expected = ["job", "state", "stopped_because", "resume", "steps"] if is_job else KEYS
    assert [name for name in told if name not in ("valid", "not_checked")] == expected
    assert told["stopped_because"] == ending.why
    assert all(piece in ending.why for piece in pieces), ending.why
    assert ending.why.endswith((".", "?", ")")), ending.why
    assert "Traceback" not in ending.err
    assert not shared.wire.writes
    assert not (at.folder / "bulkzcrm-runs").exists()
    at.environ.pop("BULKZCRM_HOME", None)
    assert at.type("runs").out == "There are no runs yet.\n"
