"""A source is what its content is; what cannot be read is refused with exit status 2, the file's name and a cure."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import subprocess
import sys
import threading
import zipfile

import pytest
import xlsxwriter

from bulkzcrm.errors import SourceError, UsageError
from bulkzcrm.ingest import ReadOptions, content_hash, open_source


def read(source, **options):
    with open_source(source, ReadOptions(**options)) as table:
        return table, list(table.rows)


def workbook(path):
    book = xlsxwriter.Workbook(str(path))
    book.add_worksheet().write_row(0, 0, ["a", "b"])
    book.close()
    return path


def ole(path, *streams):
    content = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".ljust(512, b"\0")
    for stream in ("Root Entry", *streams):
        content += stream.encode("utf-16-le").ljust(128, b"\0")
    path.write_bytes(content)
    return path


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SourceError, match=r"no file .*nowhere\.csv"):
        read(tmp_path / "nowhere.csv")


def test_a_folder_is_no_source(tmp_path):
    with pytest.raises(SourceError, match="folder"):
        read(tmp_path)


def test_a_name_that_no_file_can_have_is_refused():
    with pytest.raises(SourceError):
        read("a\0b.csv")


def test_a_workbook_that_is_called_csv_is_read_with_a_note(tmp_path):
    workbook(tmp_path / "a.xlsx").rename(tmp_path / "a.csv")
    table, _ = read(tmp_path / "a.csv")
    assert [column.name for column in table.columns] == ["a", "b"]
    assert "an Excel workbook, although its extension is .csv" in table.notes[-1]


@pytest.mark.parametrize("name", ["a.xlsx", "a.xls"])
def test_text_that_is_called_a_workbook_is_read_with_a_note(tmp_path, name):
    (tmp_path / name).write_text("a\tb\n1\t2\n", encoding="utf-8")
    table, rows = read(str(tmp_path / name))
    assert rows[0].cells == ("1", "2")
    assert "although its extension is" in table.notes[-1]
    assert table.name == str(tmp_path / name)


def test_json_lines_that_are_called_csv_are_read_with_a_note(tmp_path):
    (tmp_path / "a.csv").write_text('{"a": 1, "b": 2}\n', encoding="utf-8")
    table, rows = read(tmp_path / "a.csv")
    assert rows[0].cells == (1, 2)
    assert table.notes


def test_csv_that_is_called_json_lines_is_read_with_a_note(tmp_path):
    (tmp_path / "a.jsonl").write_text("a,b\n1,2\n", encoding="utf-8")
    table, rows = read(tmp_path / "a.jsonl")
    assert rows[0].cells == ("1", "2")
    assert table.notes


def test_text_that_speaks_of_another_format_is_text(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\nuse <office:document>,PK\n", encoding="utf-8")
    assert read(tmp_path / "a.csv")[1][0].cells == ("use <office:document>", "PK")


def test_an_unknown_extension_needs_no_note(tmp_path):
    (tmp_path / "export").write_text("a,b\n1,2\n", encoding="utf-8")
    assert read(tmp_path / "export")[0].notes == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"%PDF-1.7 ...", "PDF"),
        (gzip.compress(b"a,b\n", mtime=0), "gzip"),
        (b"\xef\xbb\xbf\n<!DOCTYPE html><table>", "web page"),
        (b"<?xml version='1.0'?><Workbook/>", "web page or XML"),
        (b"PK\x03\x04 cut off", "damaged"),
    ],
)
def test_what_is_no_table_is_called_what_it_is(tmp_path, content, words):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(SourceError, match=words):
        read(tmp_path / "a.csv")


def test_a_protected_workbook_says_so(tmp_path):
    with pytest.raises(SourceError, match="password"):
        read(ole(tmp_path / "a.xlsx", "EncryptionInfo", "EncryptedPackage"))


def test_a_damaged_old_workbook_says_so(tmp_path):
    with pytest.raises(SourceError, match=r"damaged old Excel workbook.*save it as \.xlsx"):
        read(ole(tmp_path / "a.xls", "Workbook"))


def test_another_old_document_says_so(tmp_path):
    with pytest.raises(SourceError, match="not a workbook"):
        read(ole(tmp_path / "a.xls", "WordDocument"))


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("Index/Document.iwa", "Numbers"),
        ("rows.csv", "ZIP archive"),
    ],
)
def test_another_archive_is_called_what_it_is(tmp_path, part, words):
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr(part, "x")
    with pytest.raises(SourceError, match=words):
        read(tmp_path / "a.xlsx")


def test_a_stream_is_read_like_a_file_and_hashed():
    content = b"a;b\n1;2\n"
    source = open_source(io.BytesIO(content), ReadOptions())
    with source as table:
        assert table.name == "-"
        assert [row.cells for row in table.rows] == [("1", "2")]
        assert source.content_hash == hashlib.sha256(content).hexdigest()
    assert content_hash(io.BytesIO(content)) == hashlib.sha256(content).hexdigest()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes of this kind are not known here")
def test_a_named_pipe_is_read_like_a_file(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b"a,b\n1,2\n",))
    writer.start()
    source = open_source(pipe)
    with source as table:
        assert [row.cells for row in table.rows] == [("1", "2")]
    writer.join()
    assert source.content_hash == hashlib.sha256(b"a,b\n1,2\n").hexdigest()


def test_an_empty_stream_is_refused():
    with pytest.raises(SourceError, match="empty"):
        read(io.BytesIO(b""))


@pytest.mark.parametrize("options", [{"encoding": "utf-8"}, {"delimiter": ";"}])
def test_options_of_text_make_no_sense_for_a_workbook(tmp_path, options):
    with pytest.raises(UsageError, match="makes no sense"):
        read(workbook(tmp_path / "a.xlsx"), **options)


def test_reading_csv_imports_neither_openpyxl_nor_pandas(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    program = (
        "import sys; from bulkzcrm.ingest import open_source\n"
        "with open_source(sys.argv[1]) as table: list(table.rows)\n"
        "assert not {'openpyxl', 'pandas', 'numpy', 'xlrd'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "a.csv")], check=True, timeout=30)  # noqa: S603 - ours
