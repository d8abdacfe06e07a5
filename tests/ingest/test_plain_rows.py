"""What is taken apart as text is what the parser reads: the same values, the same refusals, whatever the markup."""

from __future__ import annotations

import datetime as dt
import io

import openpyxl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st
from two_ways import alike, bare, careful_texts, quick_texts
from xlsx_parts import MAIN, parts, sheet, write_parts

from bulkzcrm.errors import SourceError
from bulkzcrm.ingest import open_source, stretches
from bulkzcrm.model import FormulaWithoutValue

STRINGS = f'<sst xmlns="{MAIN}"><si><t>one</t></si><si><t> </t></si><si><r><t>ri</t></r><r><t>ch</t></r></si></sst>'
STYLES = (
    f'<styleSheet xmlns="{MAIN}"><cellXfs><xf/><xf numFmtId="14"/><xf numFmtId="22"/><xf numFmtId="46"/></cellXfs>'
    "</styleSheet>"
)


def packed(xml, **changed):
    stream = io.BytesIO()
    write_parts(stream, parts(**{"xl/worksheets/sheet1.xml": xml, "xl/styles.xml": STYLES, **changed}))
    stream.seek(0)
    return stream


def outcome(xml, **changed):
    """The rows of a sheet, or how it is refused."""
    try:
        with open_source(packed(xml, **{"xl/sharedStrings.xml": STRINGS, **changed})) as table:
            return [(row.number, repr(row.cells), repr(row.surplus)) for row in table.rows], table.notes
    except SourceError as error:
        return error.message


def parsed(xml, **changed):
    """The same from the parser alone: a comment says that the sheet is not plain."""
    return outcome(xml.replace("<sheetData>", "<sheetData><!-- -->", 1), **changed)


PLAIN_CELLS = [
    '<c r="{0}{1}"><v>{1}</v></c>',
    '<c r="{0}{1}" s="1"><v>4788{1}</v></c>',
    '<c r="{0}{1}" s="2"><v>47882.5</v></c>',
    '<c r="{0}{1}" s="3"><v>1.25</v></c>',
    '<c r="{0}{1}" s="9"><v>5545974000000393001</v></c>',
    '<c r="{0}{1}"><v>5.545974000000393E+18</v></c>',
    '<c r="{0}{1}" t="s"><v>0</v></c>',
    '<c r="{0}{1}" t="s"><v>1</v></c>',
    '<c r="{0}{1}" s="1" t="s"><v>2</v></c>',
    '<c r="{0}{1}" t="inlineStr"><is><t>a &amp; b &lt;{1}&gt;</t></is></c>',
    '<c r="{0}{1}" t="inlineStr"><is><t xml:space="preserve"> _x0041_ </t></is></c>',
    '<c r="{0}{1}" t="str"><v>été\n{1}</v></c>',
    '<c r="{0}{1}" t="b"><v>1</v></c>',
    '<c r="{0}{1}" t="e"><v>#N/A</v></c>',
    '<c r="{0}{1}" t="d"><v>2031-02-03</v></c>',
    '<c r="{0}{1}"><f>A1+&quot;x&quot;</f><v>7</v></c>',
    '<c r="{0}{1}" t="str"><f>A1&amp;"x"</f><v>text</v></c>',
    '<c r="{0}{1}"><f t="shared" si="0"/><v>8</v></c>',
    '<c r="{0}{1}" s="2"/>',
    '<c r="{0}{1}" s="2"></c>',
]
ODD_CELLS = [
    '<c r="{0}{1}"><f>A1+1</f></c>',
    '<c r="{0}{1}"><f>A1+1</f><v></v></c>',
    '<c r="{0}{1}" t="str"><f>""</f><v></v></c>',
    '<c r="{0}{1}"><f t="shared" ref="A2:A9" si="0">B{1}*2</f><v>4</v></c>',
    '<c r="{0}{1}"><f t="shared" si="0"/></c>',
    '<c r="{0}{1}"><v/></c>',
    '<c r="{0}{1}"><v></v></c>',
    '<c r="{0}{1}"><v> 5 </v></c>\r\n',
    '<c r="{0}{1}" t="str"><v>a\r\nb\rc&#13;</v></c>',
    '<c r="{0}{1}" t="inlineStr"><is><r><t>ri</t></r><rPh><t>no</t></rPh></is></c>',
    '<c r="{0}{1}" t="inlineStr"><v>no &amp; is</v></c>',
    '<c r="{0}{1}" t="s"><is><t>0</t></is></c>',
    '<c t="s" r="{0}{1}"><v>0</v></c>',
    "<c r='{0}{1}'><v>1</v></c>",
    '<c r="{0}7"><v>1</v></c>',
    '<c r="{0}"><v>1</v></c>',
    "<c><v>3</v></c>",
    '<c s="1" r="C7"><v>3</v></c>',
    '<c s="1" r="C7"/>',
    '<c r="{0}{1}" foo="a>b"><v>1</v></c>',
    '<c r="{0}{1}" t="str"><v>a > b ]] ></v></c>',
    '<c r="{0}{1}" t="str"><v><![CDATA[<c r="A1">]]></v></c>',
    '<c r="{0}{1}" t="s"><v>-1</v></c>',
    '<c r="{0}{1}" t="q"><v>1</v></c>',
    '<c r="{0}{1}"><v>x</v></c>',
    '<c r="{0}{1}" t="str"><v>&nbsp;</v></c>',
    '<c r="{0}{1}" t="str"><v>\x01</v></c>',
    '<c r="{0}{1}" t="str"><v>\uffff</v></c>',
    "text",
    "<x:c/>",
]
HEADS = ['r="{0}"', 'r="{0}" spans="1:3"', 'r="{0}" ht="15" hidden="1"', 'spans="1:3" r="{0}"', "", 'r="{0}" x="a>b"']


@st.composite
def sheets(draw, cells):
    """Several rows of each of a few forms, so that a form is met again once it is known."""
    forms = draw(st.lists(st.tuples(st.sampled_from(HEADS), st.lists(cells, max_size=4)), min_size=1, max_size=3))
    order = draw(st.lists(st.sampled_from(forms), min_size=3, max_size=12))
    space = draw(st.sampled_from(["", "", "\n  "]))
    rows = ""
    for number, (head, line) in enumerate(order, start=2):
        body = space.join(cell.format(letter, number) for letter, cell in zip("ABCD", line, strict=False))
        rows += f"<row {head.format(number)}>{body}{space}</row>{space}" if body else f"<row {head.format(number)}/>"
    return sheet(rows)


BARE_CELLS = [cell.replace(' r="{0}{1}"', "") for cell in PLAIN_CELLS]


PLAIN = sheets(st.sampled_from(PLAIN_CELLS))
BARE = sheets(st.sampled_from(BARE_CELLS))
MIXED = sheets(st.sampled_from([*BARE_CELLS[:3], *PLAIN_CELLS[:3], "<c/>", "<cd/>"]))
ODD = sheets(st.sampled_from(PLAIN_CELLS + ODD_CELLS))
SIZES = st.sampled_from([(), (1 << 17,), (150, 40), (60, 7, 500)])
MARKS = [
    *"<>&\"'/= \rA1]r",
    "",
    "</",
    "/>",
    "<c",
    "<row",
    "</row>",
    "<row/>",
    "&#65;",
    "]]>",
    "<!",
    "<?",
    "</sheetData",
]
SIGNS = [*"\x00\x0b\x0c\x1c\x1f\x7f\x85\xa0\u2028\ufffe\uffff\u0663_+-.", "&#12;", "&#x663;", 'xmlns="u" ']


@st.composite
def damaged(draw, sound):
    """A sheet with some characters put in or taken out among its rows."""
    xml = draw(sound)
    end = len(xml) - len("</sheetData></worksheet>")
    at = draw(st.integers(xml.index("<sheetData>") + len("<sheetData>"), end))
    return xml[:at] + draw(st.sampled_from(MARKS + SIGNS)) + xml[min(at + draw(st.integers(0, 3)), end) :]


@settings(max_examples=50)
@given(PLAIN | BARE | MIXED, SIZES)
def test_plain_rows_are_what_the_parser_reads(xml, sizes):
    alike(xml, *sizes)


@settings(max_examples=100)
@given(ODD, SIZES)
def test_odd_rows_among_plain_ones_are_what_the_parser_reads(xml, sizes):
    alike(xml, *sizes)


@settings(max_examples=300)
@given(damaged(PLAIN | BARE), SIZES)
def test_damage_is_refused_wherever_the_parser_refuses_it(xml, sizes):
    alike(xml, *sizes)


@pytest.mark.long
@pytest.mark.timeout(1800)
@settings(max_examples=30_000)
@given(PLAIN | BARE | MIXED | ODD | damaged(PLAIN | BARE) | damaged(ODD) | damaged(damaged(ODD)), SIZES)
def test_many_sheets_are_what_the_parser_reads(xml, sizes):
    alike(xml, *sizes)


@pytest.mark.parametrize("cell", PLAIN_CELLS + BARE_CELLS + ODD_CELLS)
def test_each_form_reads_alike_before_and_after_it_is_known(cell):
    rows = "".join(
        f'<row r="{number}"><c r="A{number}"><v>1</v></c>{cell.format("B", number)}</row>' for number in range(2, 5)
    )
    alike(bare(rows))


ENTRIES = [
    "<si><t>{}</t></si>",
    '<si><t xml:space="preserve"> {} </t></si>',
    "<si/>",
    "<si></si>",
    "<si><r><t>{}</t></r></si>",
    "<si><t>a &amp; &#66; {}</t></si>",
    "<si><t>_x000D_{}</t></si>",
    "<si><t/></si>\n",
    "<si><t>a > b</t></si>",
    "<si><t>a\r\n{}</t><phoneticPr/></si>",
    "<si><t>\x02</t></si>",
    "<si><t>a</t></si>\x0c",
    "<si><t>\uffff</t></si>",
    "<si><si><t>a</t></si><t>b</t></si>",
    '<si xmlns="u"><t>a</t></si>',
    "<x><si><t>a</t></si></x>",
    "<!-- <si> -->",
]


@settings(max_examples=150)
@given(st.lists(st.sampled_from(ENTRIES), max_size=8), SIZES)
def test_shared_texts_are_what_the_parser_reads(entries, sizes):
    table = "".join(entry.format(place) for place, entry in enumerate(entries))
    xml = f'<sst xmlns="{MAIN}" count="9">{table}</sst>'
    assert quick_texts(xml, *sizes) == careful_texts(xml)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1", "utf-8"])
def test_every_encoding_of_xml_is_read(encoding):
    declared = f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>'
    xml = declared + sheet('<row r="2"><c r="A2" t="str"><v>été</v></c></row>' * 1)
    assert outcome(xml.encode(encoding))[0] == [(2, "('été', None)", "()")]


def test_a_row_of_many_cells_may_be_longer_than_what_is_read_at_once():
    letters = [a + b for a in "ABCDEFGHIJ" for b in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
    rows = "".join(
        f'<row r="{n}">' + "".join(f'<c r="{x}{n}" t="str"><v>{"long " * 800}{x}</v></c>' for x in letters) + "</row>"
        for n in range(2, 5)
    )
    begin = outcome(sheet(rows))
    assert len(begin[0]) == 3
    assert begin == parsed(sheet(rows))


PARTS = ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"]


def with_one_long_element(part, numbers):
    noise = "".join(f"{n * n:x}" for n in range(numbers)) * 30
    texts = {
        PARTS[0]: sheet(f'<row r="2"><c r="A2" t="str"><v>{noise}</v></c></row>'),
        PARTS[1]: f'<sst xmlns="{MAIN}"><si><t>{noise}</t></si></sst>',
    }
    return outcome(sheet(""), **{part: texts[part]})


@pytest.mark.parametrize("part", PARTS)
def test_one_element_that_would_fill_the_memory_is_refused(part, monkeypatch):
    monkeypatch.setattr(stretches, "_LONGEST_PLAIN", 400_000)
    monkeypatch.setattr(stretches, "_LARGEST_ELEMENT", 1_000_000)
    assert "one element of more than 1 MB" in with_one_long_element(part, 10_000)


@pytest.mark.long
@pytest.mark.parametrize("part", PARTS)
def test_one_element_of_more_than_32_mb_is_refused(part):
    assert "one element of more than 32 MB" in with_one_long_element(part, 200_000)


def test_the_number_of_a_row_may_be_written_oddly():
    for number in ("&#52;", "0x4", "+4", "4 ", "&#65;", ""):
        xml = sheet(f'<row r="2"><c r="A2"/></row><row r="3"><c r="A3"/></row><row r="{number}"><c><v>1</v></c></row>')
        assert outcome(xml) == parsed(xml)


def test_a_sheet_without_any_row_is_empty_however_it_is_written():
    for data in ("<sheetData/>", "<sheetData></sheetData>", "<sheetData>\n</sheetData>", ""):
        xml = f'<worksheet xmlns="{MAIN}">{data}</worksheet>'
        assert "holds no row with a value" in outcome(xml)


def test_what_openpyxl_and_xlsxwriter_write_is_read_alike(tmp_path):
    lines = [[f"id {n}", n, n / 4, n % 2 == 0, dt.datetime(2031, 2, 3, 4, 5), None, "a & <b>\nc"] for n in range(50)]  # noqa: DTZ001
    made = openpyxl.Workbook(write_only=True)
    one = made.create_sheet("One")
    for line in [["a", "b", "c", "d", "e", "f", "g"], *lines]:
        one.append(line)
    made.save(tmp_path / "openpyxl.xlsx")
    for memory in (False, True):
        other = xlsxwriter.Workbook(str(tmp_path / f"{memory}.xlsx"), {"constant_memory": memory})
        two = other.add_worksheet("One")
        moment = other.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        two.write_row(0, 0, ["a", "b", "c", "d", "e", "f", "g"])
        for number, line in enumerate(lines, start=1):
            for place, value in enumerate(line):
                two.write(number, place, value, moment if place == 4 else None)
        other.close()
    for name in ("openpyxl", "False", "True"):
        with open_source(tmp_path / f"{name}.xlsx") as table:
            assert [list(row.cells) for row in table.rows] == lines


def test_formulas_are_read_by_their_stored_values_row_after_row():
    rows = "".join(
        f'<row r="{n}"><c r="A{n}"><f>B{n}*2</f><v>{n}</v></c><c r="B{n}"><f>C{n}</f></c></row>' for n in range(2, 6)
    )
    with open_source(packed(sheet(rows))) as table:
        assert [row.cells for row in table.rows] == [(n, FormulaWithoutValue(f"=C{n}")) for n in range(2, 6)]
