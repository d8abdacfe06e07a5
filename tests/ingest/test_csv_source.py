"""CSV as it comes out of real programs: every record keeps its row number, and nothing broken is read in silence."""

from __future__ import annotations

import csv
import io
import tracemalloc

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bulkzcrm.errors import SourceError, UsageError
from bulkzcrm.ingest import ReadOptions, content_hash, open_source


@pytest.fixture
def write(tmp_path):
    """Write a file and return its path; the folder's name has a space."""
    folder = tmp_path / "my files"
    folder.mkdir()

    def write_file(content, name="rows.csv", encoding="utf-8"):
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return write_file


def read(path, **options):
    with open_source(path, ReadOptions(**options)) as table:
        return table, list(table.rows)


def numbered(rows):
    return [(row.number, row.cells) for row in rows]


def refused(path, **options):
    with pytest.raises(SourceError) as caught:
        read(path, **options)
    assert caught.value.exit_status == 2
    return str(caught.value)


def test_cells_are_text_and_nothing_is_stripped(write):
    table, rows = read(write("id,Service Name\n007, Cut \n5545974000000393001,NA\n"))
    assert [(c.index, c.letter, c.name) for c in table.columns] == [(0, "A", "id"), (1, "B", "Service Name")]
    assert numbered(rows) == [(2, ("007", " Cut ")), (3, ("5545974000000393001", "NA"))]
    assert table.header_row == 1
    assert table.sheet is None
    assert table.notes == []


def test_blank_rows_are_no_rows_and_blank_cells_are_none(write):
    _, rows = read(write("\n\na,b\n\n,\n \u00a0,x\n\t,  \n1,\n"))
    assert numbered(rows) == [(6, (None, "x")), (8, ("1", None))]


def test_a_record_that_spans_lines_is_one_row(write):
    _, rows = read(write('a,b\n"1\n\n1",2\n3,4\n'))
    assert numbered(rows) == [(2, ("1\n\n1", "2")), (3, ("3", "4"))]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_is_understood(write, end):
    _, rows = read(write(end.join(["a,b", "1,2", "", "3,4"])))
    assert numbered(rows) == [(2, ("1", "2")), (4, ("3", "4"))]


def test_short_rows_are_padded_and_long_ones_have_surplus(write):
    _, rows = read(write("a,b\n1\n1,2,,\n1,2,,3,,\n,,x\n"))
    assert [(row.cells, row.surplus) for row in rows] == [
        (("1", None), ()),
        (("1", "2"), ()),
        (("1", "2"), (None, "3")),
        ((None, None), ("x",)),
    ]


def test_unnamed_and_repeated_columns_are_kept(write):
    table, rows = read(write("a,,a,\n1,2,3,\n"))
    assert [(c.letter, c.name) for c in table.columns] == [("A", "a"), ("B", ""), ("C", "a"), ("D", "")]
    assert rows[0].cells == ("1", "2", "3", None)


def test_a_header_alone_is_an_empty_table(write):
    table, rows = read(write("id,Status"))
    assert [c.name for c in table.columns] == ["id", "Status"]
    assert rows == []


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\n\n", b" , \n\t\n"])
def test_a_file_without_a_value_is_refused(write, content):
    assert "rows.csv" in refused(write(content))


@pytest.mark.parametrize(
    ("content", "delimiter"),
    [
        ("a,b\n1,2\n", ","),
        ("a;b\n1,50;2\n3,20;4\n", ";"),
        ("a\tb\n1,2\t3;4\n", "tab"),
        ("a|b\n1|2,3\n", "|"),
        ('"a,x";"b,y"\n"1,2";"3,4"\n', ";"),
        ("A title\na;b;c\n1;2;3\n4;5;6\n", ";"),
        ('name,note\n"semi;colon; in; a; note",x\n', ","),
        # Split at semicolons it would have twice as many records, nearly all of two cells.
        ("members,note,price\n" + 'x; y,"two\nlines; z",1\n' * 5, ","),
    ],
)
def test_the_delimiter_is_detected_outside_quotes(write, content, delimiter):
    table, _ = read(write(content))
    assert table.reading["delimiter"] == delimiter


@pytest.mark.parametrize("content", ["Service_Name\nCut\nWash\n", "Service_Name\nCut, wash\nDry\nTrim, dry, go\n"])
def test_one_column_is_enough(write, content):
    table, rows = read(write(content))
    assert [c.name for c in table.columns] == ["Service_Name"]
    assert [row.cells[0] for row in rows] == content.splitlines()[1:]
    assert not any(row.surplus for row in rows)


def test_the_separator_line_is_honoured_and_counts_as_a_row(write):
    table, rows = read(write('sep=;\r\na;b\r\n"1,5";2\r\n'))
    assert numbered(rows) == [(3, ("1,5", "2"))]
    assert (table.header_row, table.reading["delimiter"]) == (2, ";")


def test_a_given_delimiter_overrides_the_separator_line_which_stays_no_data(write):
    table, rows = read(write("sep=;\na|b\n1|2\n"), delimiter="|")
    assert numbered(rows) == [(3, ("1", "2"))]
    assert "delimiter" not in table.reading


@pytest.mark.parametrize("word", ["tab", "\t", r"\t", "TAB"])
def test_a_tab_can_be_typed(write, word):
    _, rows = read(write("a,x\tb\n1\t2\n"), delimiter=word)
    assert rows[0].cells == ("1", "2")


@pytest.mark.parametrize("delimiter", ["", ";;", '"', "\n"])
def test_an_impossible_delimiter_is_refused(write, delimiter):
    with pytest.raises(UsageError):
        read(write("a,b\n"), delimiter=delimiter)


def test_tsv_means_tab_unless_the_content_says_else(write):
    table, _ = read(write("a\n1\n", "rows.tsv"))
    assert table.reading["delimiter"] == "tab"
    table, _ = read(write("a;b\n1;2\n", "rows.tsv"))
    assert table.reading["delimiter"] == ";"
    assert "rather than tabs" in table.notes[0]


@pytest.mark.parametrize(
    ("codec", "reading"), [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("utf-16", "utf-16"), ("cp1252", "cp1252")]
)
def test_the_encoding_is_detected(write, codec, reading):
    table, rows = read(write("Größe,b\nÄöü €,x\n", encoding=codec))
    assert table.columns[0].name == "Größe"
    assert rows[0].cells == ("Äöü €", "x")
    assert table.reading["encoding"] == reading
    assert bool(table.warnings) is (codec == "cp1252")


def test_big_endian_utf_16_with_a_mark_is_read(write):
    _, rows = read(write(b"\xfe\xff" + "a,b\né,x\n".encode("utf-16-be")))
    assert rows[0].cells == ("é", "x")


def test_a_given_encoding_wins(write):
    table, rows = read(write("a,b\nŁódź,x\n", encoding="cp1250"), encoding="windows-1250")
    assert rows[0].cells == ("Łódź", "x")
    assert "encoding" not in table.reading


def test_a_byte_order_mark_never_sticks_to_the_header(write):
    table, _ = read(write("a,b\n1,2\n", encoding="utf-8-sig"), encoding="utf-8")
    assert table.columns[0].name == "a"
    table, _ = read(write("\ufeffa,b\n1,2\n", encoding="utf-16-le"), encoding="utf-16-le")
    assert table.columns[0].name == "a"


@pytest.mark.parametrize("encoding", ["klingon", "base64", "", "rot13", "idna", "punycode"])
def test_an_unknown_encoding_is_refused(write, encoding):
    with pytest.raises(UsageError, match="encoding"):
        read(write("a\n"), encoding=encoding)


def test_a_byte_that_does_not_fit_the_given_encoding_is_named_by_row_before_any_row_is_read(write):
    path = write(b'a,b\n"1\n1",2\n' + b"x,y\n" * 200_000 + b"\xff,z\n")
    with (
        pytest.raises(SourceError, match=r"Row 200003 of .*rows\.csv holds the byte 0xFF, which is no UTF-8"),
        open_source(path, ReadOptions(encoding="utf-8")),
    ):
        pass


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_a_file_that_is_not_of_the_given_encoding_at_all_is_refused_without_naming_a_row(write, encoding):
    with (
        pytest.raises(SourceError, match=rf"(?i)rows\.csv (is no|holds the byte .* which is no) {encoding}") as refusal,
        open_source(write("a,b\n1,2\n"), ReadOptions(encoding=encoding)),
    ):
        pass
    assert "--encoding" in refusal.value.cure


def test_a_byte_that_no_encoding_of_ours_knows_is_named_by_row(write):
    message = refused(write(b"a,b\n\xe9,x\n\x81,y\n"))
    assert "Row 3" in message
    assert "0x81" in message
    assert "--encoding" in message


def test_a_mark_that_the_content_belies_is_refused(write):
    assert "Row 2" in refused(write(b"\xef\xbb\xbfa,b\n\xff,x\n"))
    assert "damaged" in refused(write("a,b\né,x\n".encode("utf-16")[:-1]))


def test_a_nul_is_refused_by_row(write):
    assert "Row 3" in refused(write(b"a,b\n1,2\n3,\x004\n"))
    assert "utf-16" in refused(write("a,b\n1,2\n".encode("utf-16-le")))


def test_a_quote_that_is_never_closed_is_named_by_the_row_where_it_opens(write):
    message = refused(write('a,b\n1,2\n3,"open\n' + "5,6\n" * 100))
    assert "row 3" in message
    assert "never closed" in message


def test_text_after_a_closing_quote_is_refused_rather_than_guessed(write):
    message = refused(write('a,b\n1,2\n"5" pipe,3\n'))
    assert "row 3" in message


def test_the_longest_cell_is_read_and_a_longer_one_refused(write):
    _, rows = read(write("a,b\n" + "x" * 1_000_000 + ",1\n"))
    assert len(rows[0].cells[0]) == 1_000_000
    assert "row 2" in refused(write("a,b\n" + "x" * 1_000_001 + ",1\n"))


def test_a_source_that_breaks_late_gives_its_rows_and_then_the_error(write):
    path = write("a,b\n" + "1,2\n" * 500 + '3,"x\n')
    with open_source(path) as table:
        rows = iter(table.rows)
        assert next(rows).number == 2
        with pytest.raises(SourceError, match="row 502"):
            list(rows)


def test_the_header_row_can_be_given(write):
    path = write("Our services\n\na,b\n1,2\n")
    table, rows = read(path, header_row=3)
    assert [c.name for c in table.columns] == ["a", "b"]
    assert numbered(rows) == [(4, ("1", "2"))]
    assert table.preview == ((1, ("Our services",)), (3, ("a", "b")), (4, ("1", "2")))


@pytest.mark.parametrize("number", [2, 9])
def test_a_header_row_that_is_blank_or_beyond_the_end_is_refused(write, number):
    message = refused(write("Our services\n\na,b\n1,2\n"), header_row=number)
    assert f"Row {number}" in message


def test_there_is_no_row_zero():
    with pytest.raises(UsageError):
        ReadOptions(header_row=0)


def test_the_preview_shows_the_first_lines_and_takes_none_away(write):
    table, rows = read(write("a,b\n" + "".join(f"{n},\n" for n in range(100))))
    assert len(table.preview) == 25
    assert table.preview[1] == (2, ("0", ""))
    assert [row.cells[0] for row in rows] == [str(n) for n in range(100)]


def test_a_sheet_makes_no_sense_for_csv(write):
    with pytest.raises(UsageError, match="--sheet"):
        read(write("a,b\n"), sheet="Prices")


def test_the_content_hash_is_that_of_the_bytes(write):
    path = write(b"abc")
    assert content_hash(path) == open_source(path).content_hash
    assert content_hash(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_leaving_early_closes_the_file(write):
    path = write("a,b\n" + "1,2\n" * 1000)
    with open_source(path) as table:
        next(table.rows)
    path.unlink()  # Windows would refuse this for a file that is still open


def test_a_file_that_is_written_to_while_it_is_read_is_refused(write):
    path = write("a,b\n" + "1,2\n" * 1000)
    with open_source(path) as table:
        next(table.rows)
        with path.open("a", encoding="utf-8") as more:
            more.write("3,4\n")
        with pytest.raises(SourceError, match="was changed while it was read"):
            list(table.rows)


def test_memory_stays_flat(write):
    path = write("a,b\n" + "some text,2\n" * 40_000)
    tracemalloc.start()
    with open_source(path) as table:
        count = sum(1 for _ in table.rows)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 40_000
    assert peak < 5_000_000


cells = st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff"), max_size=12)
grids = st.integers(2, 5).flatmap(
    lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), min_size=2, max_size=8)
)


@given(
    grid=grids,
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_what_was_written_is_read(tmp_path_factory, grid, delimiter, encoding):
    assume(any(cell.strip() for cell in grid[0]))
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(grid)
    path = tmp_path_factory.mktemp("grid") / "grid.csv"
    path.write_bytes(text.getvalue().encode(encoding))
    table, rows = read(path, delimiter=delimiter, encoding=encoding)
    assert [column.name for column in table.columns] == [name if name.strip() else "" for name in grid[0]]
    assert numbered(rows) == [
        (number, tuple(cell if cell.strip() else None for cell in line))
        for number, line in enumerate(grid[1:], 2)
        if any(cell.strip() for cell in line)
    ]
