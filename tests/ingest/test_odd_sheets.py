"""What XML does not allow, and what only Python takes for white space or digits, is refused however a sheet is read."""

from __future__ import annotations

import pytest
from two_ways import alike, bare, quick
from xlsx_parts import MAIN

# What Python takes for white space or for a digit, what no XML may hold, and a few others.
CHARACTERS = [
    *(chr(code) for code in (*range(0x20), *range(0x7F, 0x110000)) if chr(code).isspace()),
    *(chr(code) for code in range(0x20) if not chr(code).isspace()),
    *"\x7f\ufffd\ufffe\uffff\U0001ffff\u0661\u0967\uff11\U0001d7cf\xb2_+-.,\u200b\ufeff",
]
PLACES = {
    "between rows": '<row r="{n}"><c r="A{n}"><v>5</v></c></row>{odd}',
    "before the first cell": '<row r="{n}">{odd}<c r="A{n}"><v>5</v></c></row>',
    "between cells": '<row r="{n}"><c r="A{n}"/>{odd}<c r="B{n}"><v>5</v></c></row>',
    "after the last cell": '<row r="{n}"><c r="A{n}"><v>5</v></c>{odd}</row>',
    "in a blank row": '<row r="{n}">{odd}</row>',
    "in a blank cell": '<row r="{n}"><c r="A{n}">{odd}</c><c r="B{n}"><v>5</v></c></row>',
    "in a number of a row": '<row r="{n}{odd}"><c r="A{n}{odd}"><v>5</v></c></row>',
    "in a number of a row alone": '<row r="{odd}{n}"><c r="A{n}"><v>5</v></c></row>',
    "in a number of a blank row": '<row r="{n}{odd}"/>',
    "in a reference": '<row r="{n}"><c r="A{odd}{n}"><v>5</v></c></row>',
    "in a type": '<row r="{n}"><c r="A{n}" t="{odd}s"><v>0</v></c></row>',
    "in a style": '<row r="{n}"><c r="A{n}" s="1{odd}"><v>5</v></c></row>',
    "before a number": '<row r="{n}"><c r="A{n}"><v>{odd}5</v></c></row>',
    "in a number": '<row r="{n}"><c r="A{n}"><v>1{odd}2</v></c></row>',
    "in a number with a point": '<row r="{n}"><c r="A{n}"><v>1.{odd}2</v></c></row>',
    "in place of a number": '<row r="{n}"><c r="A{n}"><v>5</v></c><c r="B{n}"><v>{odd}</v></c></row>',
    "in a moment": '<row r="{n}"><c r="A{n}" s="2"><v>47882{odd}</v></c></row>',
    "in an index": '<row r="{n}"><c r="A{n}" t="s"><v>{odd}0</v></c></row>',
    "in a boolean": '<row r="{n}"><c r="A{n}" t="b"><v>{odd}1</v></c></row>',
    "in an error": '<row r="{n}"><c r="A{n}" t="e"><v>#N/A{odd}</v></c></row>',
    "in a date": '<row r="{n}"><c r="A{n}" t="d"><v>2031-02-03{odd}</v></c></row>',
    "in a text": '<row r="{n}"><c r="A{n}" t="inlineStr"><is><t>a{odd}</t></is></c></row>',
    "in a formula": '<row r="{n}"><c r="A{n}"><f>A1{odd}</f><v>7</v></c></row>',
}


@pytest.mark.parametrize("place", PLACES)
def test_each_odd_character_is_read_or_refused_alike_wherever_it_stands(place):
    known = PLACES[place].format(n=2, odd="")
    for character in CHARACTERS:
        alike(bare(known + PLACES[place].format(n=3, odd=character)))


@pytest.mark.parametrize("kind", ["", ' s="1"', ' s="2"', ' s="3"', ' t="s"', ' t="b"', ' t="e"', ' t="d"', ' t="str"'])
def test_whatever_looks_like_a_number_is_read_alike(kind):
    numbers = "1 -1 +1 01 -0 1.0 .5 5. 1e5 1E+5 1e400 INF -INF NaN nan inf infinity 0x1 1_0 1_0.5 1j 1d5 1,5 true"
    for text in [
        *numbers.split(),
        "\u0661",
        "\u0661.\u0665",
        " 1",
        "1\n",
        "1 2",
        " ",
        "\xa0",
        "\xa01",
        "9" * 5000,
        "&#49;",
        "1&#12;",
        "99",
        "-1e3",
    ]:
        alike(bare("".join(f'<row r="{n}"><c r="A{n}"{kind}><v>{text if n > 2 else 0}</v></c></row>' for n in (2, 3))))


@pytest.mark.parametrize("text", ["1_0", "\u0661", "\xa01", "1_0.5", "\u0661.5", "\xa0"])
@pytest.mark.parametrize("kind", ["", ' t="s"', ' s="1"'])
def test_what_only_python_takes_for_a_number_is_refused(text, kind):
    assert "Cell A2 of it cannot be read" in quick(bare(f'<row r="2"><c r="A2"{kind}><v>{text}</v></c></row>'))


@pytest.mark.parametrize("text", ["x", "2", "TRUE", "yes", "1.0"])
def test_what_is_neither_true_nor_false_is_refused(text):
    assert "Cell A2 of it cannot be read" in quick(bare(f'<row r="2"><c r="A2" t="b"><v>{text}</v></c></row>'))


@pytest.mark.parametrize("number", ["\u0663", "1_0", "\xa03", "", "3.0"])
def test_the_number_of_a_row_is_in_ascii_digits(number):
    assert "has the number" in quick(bare(f'<row r="{number}"/>'))


def test_a_negative_style_is_none():
    assert quick(bare('<row r="2"><c r="A2" s="-1"><v>1.5</v></c></row>')) == [(2, "[1.5]")]


ROW = '<row r="{n}"><c r="A{n}"><v>{n}</v></c></row>'
PADDED = "".join(ROW.format(n=n) for n in (2, 3))


@pytest.mark.parametrize(
    "xml",
    [
        bare('<row r="2"><row r="3"/></row>'),
        bare('<row r="3"><row r="2"><c r="A2"><v>1</v></c></row></row>' + ROW.format(n=4)),
        bare(f"<foo>{PADDED}</foo>" + ROW.format(n=4)),
        bare(PADDED + "<foo></sheetDataX>" + ROW.format(n=4)),
        bare(PADDED + "<sheetDataX></sheetDataX>" + ROW.format(n=4)),
        bare(PADDED, end="</sheetData x>"),
        bare(PADDED, end="</sheetData"),
        bare(PADDED, end="</sheetData \n>"),
        bare(PADDED, end="</sheetData>" + bare(ROW.format(n=9))),
        bare(PADDED, begin='<sheetData xmlns:p="u">') + "",
        bare(PADDED + '<row r="4" p:x="1"/>', begin='<sheetData xmlns:p="u">'),
        bare(PADDED, begin='<sheetData xmlns="u">'),
        bare(PADDED, begin='<sheetData xmlns="">'),
        bare(PADDED, begin="<x><sheetData></sheetData></x><sheetData>"),
        bare(PADDED, begin='<p:sheetData xmlns:p="u"/><sheetData>'),
        bare(PADDED, begin='<sheetData x=">">'),
        bare(PADDED).replace(MAIN, ""),
        bare(f'<row r="2" xmlns="u"><c r="A2"/></row>{ROW.format(n=3)}<row r="4" xmlns="u">x</row>{ROW.format(n=5)}'),
        bare('<row r="2" xmlns:p="u"><c r="A2" p:x="1"/></row><row r="3"><c r="A3" p:x="1"/></row>'),
        bare('<row r="2"><c xmlns="u" r="A2"><v>1</v></c></row>' * 2),
        bare('<row r="2"><c r="A2"><v>1</v></c><c r="A2"><v>2</v></c></row>'),
        bare('<row r="2"><c r="C2"><v>1</v></c><c r="A2"><v>2</v></c></row><row r="3"><c r="A3"/><c r="C3"/></row>'),
        bare(PADDED + PADDED),
        bare(PADDED + '<row r="4" r="4"/>'),
        bare(PADDED + '<row r="4><c r="A4"><v>4</v></c></row>'),
        bare('<row r="2"><c><v>1</v></c></row><row r="3><c><v>1</v></c></row>'),
        bare(PADDED + '<row r="4"><c r="A4" r="A4"><v>1</v></c></row>'),
        bare(PADDED + '<row r="4"><c r="A4" s="1" s="1"><v>1</v></c></row>'),
        bare(PADDED + '<row r="4"><c r="A4"><v>x</v></c></row>' + '<row r="5">\x0c</row>'),
        bare(PADDED + "<![CDATA[<row>]]>" + ROW.format(n=4)),
        bare(PADDED + "<?row ?>" + ROW.format(n=4)),
        bare(PADDED + "<!-- <row> -->" + ROW.format(n=4)),
        bare(PADDED) + "<",
    ],
)
@pytest.mark.parametrize("sizes", [(), (150, 40), (7,)])
def test_whatever_stands_around_the_rows_is_taken_as_the_parser_takes_it(xml, sizes):
    alike(xml, *sizes)


def test_what_is_no_text_is_refused_like_any_damage_and_not_before_its_turn():
    rows = bare(PADDED + '<row r="4"><c r="A4"><v>{}</v></c></row><row r="5">{}</row>').encode()
    assert "Cell A4" in quick(rows.replace(b"{}", b"x", 1).replace(b"{}", b"\xff"))
    for odd in (b"\xff", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80"):
        assert "damaged" in quick(rows.replace(b"{}", b"7", 1).replace(b"{}", odd))


def test_what_is_declared_to_be_ascii_holds_nothing_else():
    rows = bare(PADDED + '<row r="4"><c r="A4" t="str"><v>é</v></c></row>')
    assert "damaged" in quick('<?xml version="1.0" encoding="us-ascii"?>' + rows)
    assert len(quick('<?xml version="1.0" encoding="us-ascii"?>' + rows.replace("é", "e"))) == 3
