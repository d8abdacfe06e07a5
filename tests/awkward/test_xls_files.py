"""Old workbooks, written by LibreOffice, SheetJS and xlwt, are read as their like in .xlsx."""

from __future__ import annotations

import datetime as dt
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from office_made import FILES

from bulkzcrm.errors import SourceError, UsageError
from bulkzcrm.ingest import ReadOptions, open_source
from bulkzcrm.model import CellError, FormulaWithoutValue


def read(path, **options):
    with open_source(path, ReadOptions(**options)) as table:
        return table, list(table.rows)


def read_or_refused(path):
    """The cells, or how the file is refused, as far as it is refused well: by its name, and with a cure."""
    try:
        return [row.cells for row in read(path)[1]]
    except SourceError as error:
        is_well = path.name in error.message and error.cure
        return ("damaged" if "damaged" in error.message else "refused") if is_well else None


def rewritten(tmp_path, file, *changes):
    """A file that is kept here, with these bytes for those; each is there once and of one length."""
    content = (FILES / file).read_bytes()
    for old, new in changes:
        assert content.count(old) == 1
        assert len(old) == len(new)
        content = content.replace(old, new)
    path = tmp_path / "a.xls"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("stem", ["services", "calendar of 1904", "oddities", "trailing rows"])
def test_an_old_workbook_reads_like_the_new_one(stem):
    old, old_rows = read(FILES / f"{stem}.xls")
    new, new_rows = read(FILES / f"{stem}.xlsx")
    assert [(row.number, row.cells, row.surplus) for row in old_rows] == [
        (row.number, row.cells, row.surplus) for row in new_rows
    ]
    assert [[type(cell) for cell in row.cells] for row in old_rows] == [
        [type(cell) for cell in row.cells] for row in new_rows
    ]
    assert (old.columns, old.sheet, old.header_row, old.preview) == (
        new.columns,
        new.sheet,
        new.header_row,
        new.preview,
    )
    assert [note.replace(".xls ", ".xlsx ") for note in old.notes] == new.notes


def test_values_keep_their_kind():
    _, rows = read(FILES / "services.xls")
    moment = dt.datetime(2091, 2, 3, 10, 30)  # noqa: DTZ001 - cells have no zone
    assert rows[0].cells[1] == 60
    assert type(rows[0].cells[1]) is int
    assert rows[0].cells[5:] == (19.99, dt.date(2091, 2, 3), dt.date(2091, 2, 28), False, moment)
    assert (rows[1].cells[1], rows[2].cells[1]) == (dt.time(1, 30), dt.timedelta(hours=2))
    assert read(FILES / "oddities.xls")[1][0].cells[1] == CellError("#N/A")


def test_a_long_id_stored_as_a_number_is_visibly_a_float():
    _, rows = read(FILES / "numbers as ids.xls")
    assert [type(row.cells[0]) for row in rows] == [float, str]


@pytest.mark.parametrize("version", ["", ", Excel 95", ", Excel 2"])
def test_older_versions_are_read_too(version):
    table, rows = read(FILES / f"services by SheetJS{version}.xls")
    assert table.columns[0].name == "Service Name"
    assert [row.cells[1] for row in rows] == [60, 90, 60]
    assert rows[2].cells[9] == CellError("#N/A")


def test_formulas_that_were_never_computed_are_no_blanks():
    _, rows = read(FILES / "formulas by xlwt.xls")
    assert [row.cells[1] for row in rows] == [FormulaWithoutValue("="), 60]


def test_a_formula_that_gives_a_blank_text_is_blank():
    assert read(FILES / "oddities.xls")[1][5].cells[1] is None


def test_a_sheet_is_chosen_as_in_other_workbooks():
    path = FILES / "titles and sheets.xls"
    table, _ = read(path)
    assert (table.sheet, table.reading) == ("Services 2091", {"sheet": "Services 2091"})
    assert "'Old'" in table.notes[0]
    assert "Lists" not in table.notes[0]
    assert read(path, sheet="LISTS")[0].columns[0].name == "Client Address"
    with pytest.raises(SourceError, match="'Lists', 'Services 2091', 'Old'"):
        read(path, sheet="None")


def test_options_of_text_make_no_sense():
    with pytest.raises(UsageError, match="an old Excel workbook"):
        read(FILES / "services.xls", encoding="utf-8")


def test_a_stream_is_read_like_a_file():
    with (FILES / "services.xls").open("rb") as stream, open_source(stream) as table:
        assert len(list(table.rows)) == 4


def test_one_that_is_called_otherwise_is_read_with_a_note(tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_bytes((FILES / "services.xls").read_bytes())
    assert "an old Excel workbook, although its extension is .xlsx" in read(path)[0].notes[-1]


def test_a_password_is_told(tmp_path):
    """The record that says so takes the place of one of the same length that says nothing of use here."""
    backup, file_pass = b"\x40\x00\x02\x00\x00\x00", b"\x2f\x00\x02\x00\x00\x00"
    with pytest.raises(SourceError, match="password"):
        read(rewritten(tmp_path, "services.xls", (backup, file_pass)))


@pytest.mark.parametrize(("file", "table_at"), [("numbers as ids.xls", 60), ("trailing rows.xls", 76)])
def test_a_chain_of_sectors_that_bites_its_own_tail_is_damage(tmp_path, file, table_at):
    """The table of small sectors, and that of the others: the first sector of the workbook follows itself."""
    content = bytearray((FILES / file).read_bytes())
    (sector,) = struct.unpack_from("<I", content, table_at)
    (directory,) = struct.unpack_from("<I", content, 48)
    names = range((directory + 1) * 512, (directory + 5) * 512, 128)
    entry = next(at for at in names if content[at : at + 16] == "Workbook".encode("utf-16-le"))
    (first,) = struct.unpack_from("<I", content, entry + 116)
    struct.pack_into("<I", content, (sector + 1) * 512 + 4 * first, first)
    path = tmp_path / "a.xls"
    path.write_bytes(content)
    assert read_or_refused(path) == "damaged"


def test_a_file_that_is_cut_is_refused_or_whole_and_nothing_is_printed(tmp_path, capfd):
    """What is cut off may be another stream than the workbook."""
    content = (FILES / "services.xls").read_bytes()
    whole = [row.cells for row in read(FILES / "services.xls")[1]]
    path = tmp_path / "cut.xls"
    for size in range(100, len(content), 300):
        path.write_bytes(content[:size])
        assert read_or_refused(path) in ("damaged", whole)
    read(FILES / "services by SheetJS, Excel 2.xls")
    assert capfd.readouterr() == ("", "")


@settings(max_examples=300)
@given(
    st.sampled_from(["services.xls", "oddities.xls"]),
    st.lists(st.tuples(st.integers(0, 6655), st.integers(0, 255)), min_size=1, max_size=8),
)
def test_whatever_bytes_are_wrong_it_is_read_or_refused(tmp_path_factory, file, changes):
    content = bytearray((FILES / file).read_bytes())
    for place, byte in changes:
        content[place] = byte
    path = tmp_path_factory.mktemp("odd") / "a.xls"
    path.write_bytes(content)
    assert read_or_refused(path) is not None
